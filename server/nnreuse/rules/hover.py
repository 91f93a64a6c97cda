"""Hover: the answer to "may I reuse this?" for one module instance: what it carries, its calls, and the verdict."""

import ast

from nnreuse.rules.evidence import severity_of, weigh
from nnreuse.rules.reuse import grouped, kind_of, own_units, reuses
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Call, Trace, relation
from nnreuse.tracing.values import Instance
from nnreuse.types.catalog import Carries

_VERDICTS = {
    "none": "It holds nothing: reuse it as you like.",
    "chained": "called on a result of its own earlier call",
    "recurrent": "called in a loop that threads state through it",
    "parallel": "called on inputs that do not depend on its other calls",
    "exclusive": "called in branches of which only one is taken",
    "mixed": "called in several ways",
    "single": "called once",
}


def explain(trace: Trace, index: FileIndex, offset: int) -> tuple[str, Span] | None:
    """The Markdown for the instance whose call, definition or attribute stands at an offset, and that place's span."""
    for place, instance in _places(trace):
        if place.unit in index.first_lines:
            span = index.span(place)
            if span.start <= offset <= span.end:
                return _markdown(trace, instance, index), span
    return None


def _places(trace: Trace) -> list[tuple[Place, Instance]]:
    units = own_units(trace)
    found = [(call.site, call.instance) for call in trace.calls if call.unit in units and call.container is None]
    return found + [
        (definition.place, definition.instances[0])
        for definition in trace.definitions
        if definition.unit in units and isinstance(definition.value, ast.Call)
    ]


def _markdown(trace: Trace, instance: Instance, index: FileIndex) -> str:
    paths = trace.paths_of(instance)
    name = f"self.{paths[0]}" if paths else "this module"
    type_name = (instance.type_name or "a module of unknown class").rsplit(".", 1)[-1]
    carried = trace.carries(instance)
    calls = grouped(trace).get(instance, [])
    lines = [f"**`{name}`** · `{type_name}`", "", f"{_holds(carried)}", ""]
    lines += [_called(calls, index), "", f"**May I reuse it?** {_verdict(trace, instance, carried)}"]
    return "\n".join(lines)


def _holds(carried: Carries) -> str:
    words = [
        word
        for word, has in (
            ("learnable parameters", carried.parameters),
            ("running statistics", carried.running_stats),
            ("other state", carried.other_state and not carried.running_stats),
            ("a fresh random draw in each call", carried.stochastic),
        )
        if has
    ]
    if words:
        return f"It carries {', '.join(words)}."
    return "It carries nothing." if carried.parameters is False else "What it carries is not known."


def _called(calls: list[Call], index: FileIndex) -> str:
    if not calls:
        return "`forward` does not call it directly."
    rows = {index.first_lines.get(c.unit, 0) + c.node.lineno - c.unit.origin + 1 for c in calls}
    where = ", ".join(map(str, sorted(rows)))
    return f"In one `forward`: {_VERDICTS[relation(calls)]} (line {where})."


def _verdict(trace: Trace, instance: Instance, carried: Carries) -> str:
    if not (carried.parameters or carried.running_stats or carried.other_state):
        return "Yes, it has no parameters and no state." if carried.parameters is False else "Not known."
    for reuse in reuses(trace):
        if reuse.instance is instance:
            evidence = weigh(reuse)
            level = severity_of(evidence, reuse.must).value
            reasons = "; ".join(one.sentence for one in evidence)
            return f"It is reused ({level}): {reasons or 'nothing speaks for a slip or for a design'}."
    if kind_of(instance, carried) == "shared-batch-norm":
        return "Only for the same features: all calls would share one set of running statistics."
    return "Only on purpose: all calls would share its parameters. It is called once now."
