"""Passes: which loop calls an instance again, and whether that loop goes through the list that holds it."""

import ast

from nnreuse.syntax.tree import children, walk
from nnreuse.tracing.trace import Call, Trace

_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.comprehension)
_NESTED = (*_LOOPS, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _repeating_loop(calls: tuple[Call, ...]) -> ast.AST | None:
    """The loop whose passes call one instance again: the outermost one in which two of the calls are in different passes."""
    first = calls[0].turns
    for number, turn in enumerate(first):
        if any(len(call.turns) > number and call.turns[number] != turn for call in calls[1:]):
            return turn.loop
    return None


def is_one_for_all(trace: Trace, attribute: str, calls: tuple[Call, ...]) -> bool:
    """Whether a loop goes through a list, and finds this one instance in it again and again."""
    loop = _repeating_loop(calls)
    if loop is None or trace.held.get(attribute, []).count(calls[0].instance) < 2:
        return False
    return _goes_through(loop, calls[0])


def _goes_through(loop: ast.AST, call: Call) -> bool:
    """Whether what is called is chosen anew in each pass: `layer` of `for layer in layers`, and not in a loop over time inside it.

    A call in a function that the loop calls counts as chosen anew, since its names are not the loop's, unless a loop of that function
    goes through the list: one head for all levels.
    """
    if not any(node is call.node for node in walk(loop)) and not isinstance(loop, ast.comprehension):
        return call.turns[-1].loop is loop
    receiver = {node.id for node in walk(call.node.func) if isinstance(node, ast.Name)} - {"self"}
    return not receiver.isdisjoint(_chosen(loop))


def _chosen(node: ast.AST) -> list[str]:
    """The names that each pass of a loop sets, those that loops inside it set left out."""
    found: list[str] = [node.id] if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else []
    for child in children(node):
        if not isinstance(child, _NESTED):
            found += _chosen(child)
    return found
