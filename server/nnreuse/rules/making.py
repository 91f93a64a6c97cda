"""Making: what the rules about construction have in common: what an instance carries, is called, and where it was written."""

import ast

from nnreuse.fixes import naming
from nnreuse.fixes.fix import Applicability, Fix, renaming
from nnreuse.fixes.places import Function, chain
from nnreuse.fixes.split import split
from nnreuse.rules.configurations import matters_to_others, may_be_harmless
from nnreuse.rules.context import Context
from nnreuse.rules.finding import Evidence
from nnreuse.rules.reuse import comments_at, says_shared
from nnreuse.rules.reuse import kind_of as rule_of
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Definition, Trace
from nnreuse.tracing.values import Instance
from nnreuse.types.catalog import Carries

_MAX_OWNERS = 200


def carries_something(trace: Trace, instance: Instance) -> bool:
    """Whether an instance certainly owns parameters that learn, or state, so that it matters who else has it."""
    return matters_to_others(trace, instance, trace.carries(instance)) and not may_be_harmless(trace, instance)


def owns_something(trace: Trace, instance: Instance) -> bool:
    """Whether an instance certainly owns parameters, frozen ones as well, or state."""
    return _something(trace.carries(instance))


def brings_something(trace: Trace, instance: Instance) -> bool:
    """Whether an instance certainly owns parameters or state besides those of modules that the class holds anyway, and it wraps."""
    queue, seen = [instance], set[int]()
    while queue:
        one = queue.pop()
        if _something(trace.owns(one)):
            return True
        seen.add(id(one))
        queue += [part for part in trace.parts(one) if id(part) not in seen and not trace.paths_of(part)]
    return False


def _something(carried: Carries) -> bool:
    return bool(carried.parameters or carried.running_stats or carried.other_state)


def is_kept(trace: Trace, instance: Instance) -> bool:
    """Whether an object of the class is seen to hold an instance itself, or to call it: what only copies are made of is not kept."""
    if trace.paths_of(instance) or trace.calls_of(instance):
        return True
    owners = [one for held in trace.held.values() for one in held if one.copy_of is None]
    queue, seen = owners, set[int]()
    while queue and len(seen) < _MAX_OWNERS:
        one = queue.pop()
        if one is instance:
            return True
        if id(one) not in seen:
            seen.add(id(one))
            queue += trace.parts(one)
    return False


def shared_state(trace: Trace, instance: Instance) -> str:
    """What those who share an instance share, as a message says it."""
    carried = trace.carries(instance)
    owned = {"weights": carried.parameters, "running statistics": carried.running_stats}
    return " and ".join(name for name, has in owned.items() if has) or ("state" if carried.other_state else "weights")


def kind_of(instance: Instance) -> str:
    """The class name of an instance, as a message says it."""
    return (instance.type_name or "module").rsplit(".", 1)[-1]


def name_of(trace: Trace, instance: Instance) -> str | None:
    """The first access path of an instance."""
    paths = trace.paths_of(instance)
    return paths[0].replace("(unregistered)", "") if paths else None


def wants_its_own(trace: Trace, instance: Instance) -> bool:
    """Whether an instance is a norm, or an activation that learns: each place of a network has one of its own."""
    return rule_of(instance, trace.carries(instance)) in ("shared-prelu", "shared-batch-norm", "shared-layer-norm")


def in_function(place: Place) -> bool:
    """Whether a place stands in the body of a function, or in its arguments."""
    return any(isinstance(node, Function | ast.Lambda) for node in chain(place))


def said_to_be_shared(*places: Place) -> list[Evidence]:
    """The evidence of comments that say that sharing is meant."""
    return [
        Evidence("said", -6, "a comment says that sharing is meant", place)
        for place in places
        if says_shared(comments_at(place))
    ][:1]


def split_by_site(context: Context, definition: Definition, sites: list[Place]) -> Fix:
    """One instance for each place that uses it, where there is nothing that a checkpoint could hold."""
    trace, name = context.trace, definition.name
    owner, taken = trace.cls.units, context.names_of(trace.cls)
    names = [name, *naming.free_names(owner, name, len(sites) - 1, taken)]
    listed = ", ".join(f"`{one}`" for one in names)
    return Fix(
        f"Split `self.{name}` into {listed}",
        Applicability.UNSAFE,
        split(owner, name, definition.place, sites, names),
        reach=renaming(owner.node.name, name, names),
    )
