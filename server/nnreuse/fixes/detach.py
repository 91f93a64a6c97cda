"""Detaching: what forward keeps of a recurrent module's state is cut off from the graph that made it."""

import ast
from typing import Literal

from nnreuse.fixes.places import chain, expression_at, function_at
from nnreuse.fixes.writing import Build, below, current, lines_of, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place

Shape = Literal["tensor"] | tuple["Shape", ...]
_PAIR: Shape = ("tensor", "tensor")
_RESULTS: dict[str, Shape] = {
    "LSTM": ("tensor", _PAIR),
    "GRU": _PAIR,
    "RNN": _PAIR,
    "LSTMCell": _PAIR,
    "GRUCell": "tensor",
    "RNNCell": "tensor",
}
"""What a call of each of torch's recurrent modules returns."""


def detached(call: Place, kind: str, target: Place) -> Build:
    """The statement that stores recurrent state as `self.state` keeps values only: `h.detach()`, or each of a tuple's.

    `call` is the call of a module of class `kind`, `target` the attribute that is stored. None where it is not plain what is stored.
    """

    def build(index: FileIndex) -> list[Edit] | None:
        if not current(index, [call, target]) or kind not in _RESULTS or call.unit is not target.unit:
            return None
        node, made, stored = expression_at(target), _assignment(call), _assignment(target)
        if not isinstance(node, ast.Attribute) or made is None or stored is None:
            return None
        if made.value is not expression_at(call) or len(made.targets) != 1 or _is_read_on(target, node.attr):
            return None
        if stored is made:
            return _below(index, target, made, node, _shape_of(made.targets[0], node, _RESULTS[kind]))
        return _in_place(index, target, made, stored, _RESULTS[kind])

    return build


def _assignment(place: Place) -> ast.Assign | None:
    found = [node for node in chain(place) if isinstance(node, ast.Assign)]
    return found[-1] if found else None


def _is_read_on(target: Place, attribute: str) -> bool:
    """Whether the call that stores the state reads it again, in a later line or the next pass of a loop: that is to have the graph."""
    function = function_at(target)
    if function is None or any(isinstance(node, ast.For | ast.AsyncFor | ast.While) for node in chain(target)):
        return True
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == attribute
        and isinstance(node.ctx, ast.Load)
        and target.unit.span(node).start > _end(target)
        for node in walk(function)
    )


def _end(target: Place) -> int:
    """Where the statement ends that stores the target."""
    return max(target.unit.span(node).end for node in chain(target) if isinstance(node, ast.Assign))


def _below(
    index: FileIndex, target: Place, made: ast.Assign, node: ast.Attribute, shape: Shape | None
) -> list[Edit] | None:
    lines = lines_of(index, Place(target.unit, target.unit.span(made)))
    text = target.unit.segment(node)
    new = _cut_off(text, shape)
    return proven(index, [below(index, lines, [f"{text} = {new}"])]) if lines is not None and new is not None else None


def _in_place(
    index: FileIndex, target: Place, made: ast.Assign, stored: ast.Assign, result: Shape
) -> list[Edit] | None:
    """`self.state = h` becomes `self.state = h.detach()`; `(h, c)` becomes `(h.detach(), c.detach())`."""
    parts = stored.value.elts if isinstance(stored.value, ast.Tuple) else [stored.value]
    edits: list[Edit] = []
    for part in parts:
        if not isinstance(part, ast.Name):
            return None
        new = _cut_off(part.id, _shape_of(made.targets[0], part, result))
        if new is None:
            return None
        edits.append(Edit(index.span(Place(target.unit, target.unit.span(part))), new))
    return proven(index, edits) if len(stored.targets) == 1 else None


def _cut_off(text: str, shape: Shape | None) -> str | None:
    if shape == "tensor":
        return f"{text}.detach()"
    return f"tuple(part.detach() for part in {text})" if shape == _PAIR else None


def _shape_of(target: ast.expr, wanted: ast.expr, shape: Shape) -> Shape | None:
    """The shape of what unpacking gives to a name or an attribute; None where it is not among the targets, or starred."""
    if ast.unparse(target) == ast.unparse(wanted):
        return shape
    if not isinstance(target, ast.Tuple | ast.List) or shape == "tensor" or len(target.elts) != len(shape):
        return None
    for one, part in zip(target.elts, shape, strict=True):
        found = _shape_of(one, wanted, part)
        if found is not None:
            return found
    return None
