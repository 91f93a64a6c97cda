"""Shapes: what is known of the sizes of a tensor, from the module that made it to the module that is given it.

A tensor has one of a few possible shapes (torch takes images with a batch and without). What torch's own modules and functions do to a
shape stands in the catalog, measured. Whatever else happens to a tensor makes its shape unknown: shapes hang on idents, and
everything new has a new one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

from nnreuse.tracing.machine import MAX_SHAPES, Machine
from nnreuse.tracing.sizes import as_size, differ
from nnreuse.tracing.trace import Axis, Call, Clash, Extent, Shape
from nnreuse.tracing.values import Const, Instance, Items, Name, Opaque, Value
from nnreuse.types.catalog import UNKNOWN, ModuleFacts

ANY = Shape((), leading=True)
MAX_RANK = 5
"""Patterns are measured for so many axes."""
Positional = tuple[Value, ...]
Sizes = dict[str, Value | None]
"""By the name in a pattern: the argument of that name, where it is a size."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    """`... in_features -> ... out_features`, read."""

    given: tuple[str, ...]
    left: tuple[str, ...]
    leading: bool


def called(m: Machine, call: Call, fed: int) -> tuple[Shape, ...]:
    """The possible shapes of a call's result, its one input having the ident `fed`. Where torch certainly raises, a clash is noted."""
    patterns, sizes = _measured(m, call.instance)
    found: list[Shape] = []
    clash: Clash | None = None
    for shape in m.intern.shapes.get(fed, (ANY,)) if patterns else ():
        if not shape.leading and len(shape.axes) > MAX_RANK:
            return ()
        for pattern in patterns:
            outcome = _applied(m, pattern, shape, sizes, call)
            if isinstance(outcome, Clash):
                clash = clash or outcome
            elif outcome is not None and outcome not in found:
                found.append(outcome)
    if clash is not None and not found:
        m.clashes.append(clash)
    unknown_passes = any(not turn.exact for turn in call.turns)
    return () if unknown_passes or len(found) > MAX_SHAPES else tuple(found)


def _measured(m: Machine, instance: Instance) -> tuple[Sequence[_Pattern], Sizes]:
    """What torch's class does to shapes under the arguments of an instance, and the arguments that are sizes."""
    facts = instance.facts
    if facts is None or instance.cls is not None or not (facts.shapes_by_default or facts.variants):
        return (), {}
    known = m.intern.patterns.get(instance.ident)
    if known is None:
        values = cast("dict[str, Value]", facts.bind(instance.positional, instance.keywords))
        spread = "**" in values or any(isinstance(v, Items) and v.kind == "star" for v in instance.positional)
        plain = {k: v.value if isinstance(v, Const) else UNKNOWN for k, v in values.items()}
        patterns = tuple(_read(text) for text in facts.shapes(plain)) if not spread else ()
        tokens = {token for pattern in patterns for token in (*pattern.given, *pattern.left)}
        sizes = {token: _size(facts, values, token) for token in tokens}
        known = m.intern.patterns[instance.ident] = patterns, sizes
    return known


def _size(facts: ModuleFacts, values: dict[str, Value], token: str) -> Value | None:
    """The argument that a pattern names, where it may be compared as a size."""
    if token in values:
        return as_size(values[token])
    default = facts.defaults.get(token)
    return Const(default) if type(default) is int else None


@cache
def _read(text: str) -> _Pattern:
    given, left = (part.split() for part in text.split("->"))
    leading = given[:1] == ["..."]
    return _Pattern(tuple(given[leading:]), tuple(left[leading:]), leading)


def _applied(m: Machine, pattern: _Pattern, shape: Shape, sizes: Sizes, call: Call) -> Shape | Clash | None:
    """The shape that comes out; None where a tensor of this rank is not what the pattern speaks of."""
    rank = len(pattern.given)
    if (len(shape.axes) > rank and not pattern.leading) or (len(shape.axes) < rank and not shape.leading):
        return None
    axes = (None,) * (rank - len(shape.axes)) + shape.axes
    front, back = axes[: len(axes) - rank], axes[len(axes) - rank :]
    named: dict[str, Axis] = {}
    for token, axis in zip(pattern.given, back, strict=True):
        if len(token) > 1:
            size = sizes[token]
            if axis is not None and size is not None and differ(m, size, axis.size):
                return Clash(call, token, size, axis)
            axis = Extent(size, call.instance, token) if size is not None else None
        named[token] = axis
    left = (*front, *(named[t] if t in named else _argument(sizes, t, call.instance) for t in pattern.left))
    return Shape(left, shape.leading and pattern.leading)


def _argument(sizes: Sizes, token: str, instance: Instance) -> Axis:
    size = sizes[token]
    return Extent(size, instance, token) if size is not None else None


def kept(m: Machine, dotted: str, given: Value, besides: Iterable[Value], result: Opaque) -> None:
    """A function of torch, or a method of a tensor as `torch.Tensor.name`, was called."""
    shapes = m.intern.shapes.get(m.ident(given))
    if shapes is None:
        return
    values = [m.settle(value) for value in besides]
    if m.program.catalog.keeps_shape(dotted, all(isinstance(value, Const | Name) for value in values)):
        m.intern.shapes[result.ident] = shapes
        return
    numbers = _numbers(values)
    rearranged = _REARRANGING.get(dotted.rsplit(".", 1)[-1])
    if rearranged is not None and numbers is not None:
        know(m, result, [one for shape in shapes for one in [rearranged(shape, numbers)]])


def know(m: Machine, result: Opaque, shapes: Sequence[Shape | None]) -> None:
    """Notes the possible shapes of a value, if all of them are known."""
    found = tuple(dict.fromkeys(shape for shape in shapes if shape is not None))
    if found and None not in shapes and len(found) <= MAX_SHAPES:
        m.intern.shapes[result.ident] = found


def combined(m: Machine, left: Value, right: Value, result: Opaque) -> None:
    """An operator took two values: a number leaves a shape alone, tensors are broadcast."""
    a, b = (m.intern.shapes.get(m.ident(value)) for value in (left, right))
    if a and isinstance(right, Const) or b and isinstance(left, Const):
        m.intern.shapes[result.ident] = a or b or ()
    elif a or b:
        know(m, result, [_broadcast(x, y) for x in a or (ANY,) for y in b or (ANY,)])


def _broadcast(a: Shape, b: Shape) -> Shape:
    rank = max(len(a.axes), len(b.axes))
    pairs = [
        (shape.axes[-at] if at <= len(shape.axes) else _missing(shape)) for at in range(rank, 0, -1) for shape in (a, b)
    ]
    return Shape(tuple(_wider(x, y) for x, y in zip(pairs[::2], pairs[1::2], strict=True)), a.leading or b.leading)


def _missing(shape: Shape) -> Axis | int:
    """An axis that a shape does not tell of; 1 where it certainly has none."""
    return None if shape.leading else 1


def _wider(one: Axis | int, other: Axis | int) -> Axis:
    """Of two sizes that are equal unless one of them is 1, the other one."""
    for x, y in ((one, other), (other, one)):
        if x == 1 and isinstance(y, Extent | None):
            return y
        if isinstance(x, Extent) and isinstance(x.size, Const) and x.size.value != 1:
            return x
    return None


def _numbers(values: list[Value]) -> list[int] | None:
    """Arguments that are numbers, or one tuple of them."""
    if len(values) == 1 and isinstance(values[0], Items) and not values[0].content.open:
        values = list(values[0].content.items)
    found = [value.value for value in values if isinstance(value, Const) and type(value.value) is int]
    return found if len(found) == len(values) else None


def _flattened(shape: Shape, numbers: list[int]) -> Shape | None:
    """`flatten(1)`, where all axes but one of those behind the first are 1."""
    if shape.leading or numbers != [1] or len(shape.axes) < 2:
        return None
    wide = [axis for axis in shape.axes[1:] if axis is None or axis.size != Const(1)]
    return Shape((shape.axes[0], wide[0] if len(wide) == 1 else None if wide else shape.axes[1]), leading=False)


def _reduced(shape: Shape, numbers: list[int]) -> Shape | None:
    """`mean((2, 3))` and its like."""
    rank = len(shape.axes)
    gone = {number - rank if number >= 0 else number for number in numbers}
    if not numbers or min(gone) < -rank or max(gone) > -1 or (shape.leading and max(numbers) >= 0):
        return None
    return Shape(tuple(axis for at, axis in enumerate(shape.axes, -rank) if at not in gone), shape.leading)


def _permuted(shape: Shape, numbers: list[int]) -> Shape | None:
    if shape.leading or sorted(number % len(shape.axes) for number in numbers) != list(range(len(shape.axes))):
        return None
    return Shape(tuple(shape.axes[number] for number in numbers), leading=False)


def _transposed(shape: Shape, numbers: list[int]) -> Shape | None:
    rank = len(shape.axes)
    if len(numbers) != 2 or any(not -rank <= n < (0 if shape.leading else rank) for n in numbers):
        return None
    axes = list(shape.axes)
    one, other = numbers
    axes[one], axes[other] = axes[other], axes[one]
    return Shape(tuple(axes), shape.leading)


_REARRANGING = {
    "flatten": _flattened,
    **dict.fromkeys(("mean", "sum", "amax", "amin"), _reduced),
    "permute": _permuted,
    **dict.fromkeys(("transpose", "swapaxes"), _transposed),
}
