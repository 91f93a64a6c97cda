"""Facts: one row for each access path of a module class, as the `facts` command prints them."""

from collections.abc import Iterator

from nnreuse.tracing.trace import Call, Trace, most_calls, relation
from nnreuse.tracing.usage import Seen, Usage
from nnreuse.tracing.values import Instance

_ORDER = ["none", "single", "exclusive", "parallel", "chained", "recurrent", "mixed"]


def rows(trace: Trace, usage: Usage) -> Iterator[dict[str, object]]:
    """The rows of one class, in the order in which its constructor makes them. What stands at a path, its users know best."""
    file = trace.cls.file
    line = (
        file.index.first_lines[trace.cls.units.header] + trace.cls.units.node.lineno - trace.cls.units.header.origin + 1
    )
    held = dict(trace.held)
    if "*" in held:
        held.update({path: held["*"] for path in usage.paths(trace.cls) if path not in held and "." not in path})
    for path, instances in held.items():
        yield {
            "file": file.path,
            "class": trace.cls.name,
            "class_line": line,
            "attribute": path,
            **_row(trace, instances, usage.at(trace.cls, path)),
        }


def _row(trace: Trace, instances: list[Instance], seen: Seen | None) -> dict[str, object]:
    per = [(instance, trace.calls_of(instance)) for instance in instances]
    judged = [(most_calls(calls), relation(calls)) for _, calls in per]
    most = max(number for (number, _), _ in judged)
    must = any(sure for (_, sure), _ in judged)
    calls = [call for _, group in per for call in group]
    kinds = [kind for (number, _), kind in judged if number == most]
    known = most >= 2 or most == 1 and trace.within_bounds or trace.complete and not any(i.handed_on for i in instances)
    called = [instance for (instance, _), ((number, _), _) in zip(per, judged, strict=True) if number == most]
    kinds_held = {instance.type_name for instance in instances if instance.type_name is not None}
    nobody_knows = most > 0 and len(kinds_held) > 1 and all(instance.type_name is None for instance in called)
    if seen is None or nobody_knows:  # an element of any kind is called: the first one's says nothing of it
        typed = max(called, key=lambda i: _telling(trace, i))
        seen = typed.type_name, trace.carries(typed)
    name, carried = seen
    return {
        "type": name,
        "parameters": carried.parameters,
        "running_stats": carried.running_stats,
        "calls": most if known else None,
        "sites": sorted({_line(call) for call in calls}),
        "relation": max(kinds, key=_ORDER.index),
        "must": must,
    }


def _telling(trace: Trace, instance: Instance) -> tuple[bool, bool]:
    """Of several instances that may stand at a path, one of known class that carries something says most."""
    carried = trace.carries(instance)
    return instance.type_name is not None, bool(carried.parameters or carried.running_stats)


def _line(call: Call) -> int:
    return call.file.index.first_lines[call.unit] + call.node.func.lineno - call.unit.origin + 1
