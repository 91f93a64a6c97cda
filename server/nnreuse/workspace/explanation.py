"""Explanation: a trace as text, call by call, so that a person sees why its facts are what they are."""

import ast
from collections.abc import Iterator

from nnreuse.syntax.tree import children
from nnreuse.tracing.trace import Call, Trace, most_calls, relation
from nnreuse.tracing.values import Instance

_SHOWN = 8
"""So many earlier calls are named; the others are counted."""


def explain(trace: Trace) -> Iterator[str]:
    """Lines: what the class holds, then the calls of each entry point in order, each with its lineage and its branches."""
    yield f"{trace.cls.name}  {trace.cls.file.path}"
    if not trace.complete:
        yield "  not everything was followed: a bound was hit, or self was handed to code that cannot be read"
    yield "  holds" if trace.held else "  holds no modules"
    for path, instances in trace.held.items():
        for instance in dict.fromkeys(instances):
            yield f"    {path}  {_described(trace, instance)}"
    for entry in trace.entries:
        calls = [call for call in trace.calls if call.entry == entry]
        yield f"  {entry}" if calls else f"  {entry} calls no modules"
        for call in calls:
            yield from _call(trace, call)


def _described(trace: Trace, instance: Instance) -> str:
    carried = trace.carries(instance)
    owned = [
        word if known else f"{word} unknown"
        for word, known in (("parameters", carried.parameters), ("running statistics", carried.running_stats))
        if known is not False
    ]
    calls = trace.calls_of(instance)
    most, must = most_calls(calls)
    often = f"called {('never', 'once', 'several times')[most]}"
    if most == 2:
        often += f", {relation(calls)}, {'on every path' if must else 'on some paths'}"
    if instance.handed_on:
        often += ", handed to code that cannot be read"
    return f"{instance.type_name or 'of unknown type'}: {' and '.join(owned) or 'carries nothing'}; {often}"


def _call(trace: Trace, call: Call) -> Iterator[str]:
    indent = "    " + "  " * (len(call.turns) + _depth(trace, call))
    names = ", ".join(trace.paths_of(call.instance)) or "held under no name"
    code = " ".join(call.site.text.split())
    inside = f" in {call.within}" if call.within != call.entry else ""
    yield f"{indent}#{call.number + 1} {names}: line {_line(call, call.node.func.lineno)}, {code}(...){inside}"
    details = [_lineage(call), *_again(trace, call), *_arms(call), *_passes(call)]
    if call.container is not None:
        details.append("as a member of the Sequential called there")
    for detail in details:
        yield f"{indent}   {detail}"


def _depth(trace: Trace, call: Call) -> int:
    """How many Sequentials stand between a call site and what it calls in the end."""
    depth, container = 0, call.container
    while container is not None and depth < _SHOWN:
        depth += 1
        outer = [c for c in trace.calls[: call.number] if c.instance is container and c.node is call.node]
        container = outer[-1].container if outer else None
    return depth


def _lineage(call: Call) -> str:
    numbers = [n for n in range(call.number) if call.lineage >> n & 1]
    if not numbers:
        return "its input depends on no earlier call"
    more = f" and {len(numbers) - _SHOWN} before" if len(numbers) > _SHOWN else ""
    return f"its input depends on {', '.join(f'#{n + 1}' for n in numbers[-_SHOWN:])}{more}"


def _again(trace: Trace, call: Call) -> Iterator[str]:
    """How a call relates to those of the same instance before it."""
    for earlier in trace.calls_of(call.instance):
        if earlier.number < call.number and earlier.entry == call.entry:
            kind = relation([earlier, call])
            word = "never together with" if kind == "exclusive" else f"{kind} to"
            yield f"the same instance as #{earlier.number + 1}, {word} it"


def _arms(call: Call) -> Iterator[str]:
    """The branches around a call site, as the code has them; those of callers and constructors are only mentioned."""
    shown = False
    for test, taken in _branches(call):
        shown = True
        yield f"where {' '.join(call.unit.segment(test).split())} is {str(taken).lower()}"
    if call.path.literals and not shown:
        yield "on one arm of a branch: of a caller, or of what chose the instance"
    if call.path.excluded:
        yield "unless an earlier branch has left"


def _branches(call: Call) -> Iterator[tuple[ast.expr, bool]]:
    for outer, inner in _ancestry(call):
        if isinstance(outer, ast.If | ast.IfExp) and inner is not outer.test:
            body = outer.body if isinstance(outer.body, list) else [outer.body]
            yield outer.test, any(inner is one for one in body)


def _passes(call: Call) -> Iterator[str]:
    lines: dict[ast.AST, int] = {
        outer: outer.lineno for outer, _ in _ancestry(call) if isinstance(outer, ast.For | ast.While)
    }
    for turn in call.turns:
        where = f" in line {_line(call, lines[turn.loop])}" if turn.loop in lines else ""
        length = "" if turn.exact else " of unknown length"
        yield f"pass {turn.number + 1} of the loop{where}{length}"


def _ancestry(call: Call) -> list[tuple[ast.AST, ast.AST]]:
    """The nodes around a call, outermost first, each with the child that leads to it."""

    def search(node: ast.AST) -> list[tuple[ast.AST, ast.AST]] | None:
        for child in children(node):
            if child is call.node:
                return [(node, child)]
            found = search(child)
            if found is not None:
                return [(node, child), *found]
        return None

    for top in call.unit.nodes:
        found = search(top)
        if found is not None:
            return found
    return []


def _line(call: Call, lineno: int) -> int:
    return call.file.index.first_lines[call.unit] + lineno - call.unit.origin + 1
