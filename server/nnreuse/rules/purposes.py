"""Purposes: what a module that holds nothing is called for, as far as the modules before it tell."""

from nnreuse.rules.making import kind_of
from nnreuse.rules.reuse import producers
from nnreuse.tracing.trace import Call, Trace
from nnreuse.tracing.values import Instance


def holds_nothing(trace: Trace, instance: Instance) -> bool:
    """Whether it is a module of torch's own that certainly has no parameters and no state."""
    carried = trace.carries(instance)
    plain = instance.cls is None and instance.facts is not None and not instance.facts.container
    return plain and (carried.parameters, carried.running_stats, carried.other_state) == (False, False, False)


def purpose(trace: Trace, call: Call) -> tuple[str, ...]:
    """The kinds of the modules whose results the call is given, its own aside; none where it stands at the input."""
    return tuple(sorted({kind_of(one.instance) for one in producers(trace, call) if one.instance is not call.instance}))
