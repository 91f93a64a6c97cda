"""Iteration: what a loop's variable is bound to, pass by pass."""

import ast
from collections.abc import Callable
from dataclasses import dataclass

from nnreuse.tracing import objects
from nnreuse.tracing.machine import MAX_EXACT, Machine, lose_sight
from nnreuse.tracing.values import Const, Index, Instance, Items, Mapping, May, Value


@dataclass(frozen=True, slots=True)
class Iteration:
    """How often a loop's body is run, whether that is its true length, and the value of each pass."""

    passes: int
    exact: bool
    value: Callable[[int], Value]


def iterate(m: Machine, iterable: Value, node: ast.AST) -> Iteration:
    """The passes of a loop over a value. A length that is not known, or too long, means two passes."""
    iterable = m.settle(iterable)
    if isinstance(iterable, Instance) and iterable.elements is not None:
        iterable = iterable.elements
    match iterable:
        case Items():
            content = iterable.content
            size = len(content.items)
            if not content.open and size <= m.longest:
                return Iteration(size, True, lambda k: content.items[k])
            lose_sight(content.items[2:])
            return Iteration(2, False, lambda k: objects.element(m, iterable, k))
        case Mapping():
            keys = list(iterable.entries)
            if iterable.open:
                return Iteration(2, False, lambda k: _key(m, iterable, k))
            return Iteration(len(keys), True, lambda k: Const(keys[k], iterable.shown.get(keys[k])))
        case Const(str(text)) if len(text) <= m.longest and iterable.display is None:
            return Iteration(len(text), True, lambda k: Const(text[k]))
        case May():
            contents = [v for _, v in m.options(iterable) if isinstance(v, Items | Instance)]
            if contents:
                return _joined(m, [iterate(m, v, node) for v in contents], iterable)
        case _:
            pass
    return Iteration(2, False, lambda k: objects.element(m, iterable, k))


def _key(m: Machine, mapping: Mapping, number: int) -> Value:
    keys = list(mapping.entries)
    return (
        Const(keys[number], mapping.shown.get(keys[number]))
        if number < len(keys)
        else m.opaque("key", mapping.ident, number)
    )


def _joined(m: Machine, several: list[Iteration], value: Value) -> Iteration:
    options = m.options(value)
    longest = max(several, key=lambda one: one.passes)
    if len(several) == 1:
        return several[0]

    def at(k: int) -> Value:
        present = [(ls, one.value(k)) for (ls, _), one in zip(options, several, strict=False) if k < one.passes]
        return m.join(present)

    return Iteration(longest.passes, all(one.exact for one in several), at)


def counted(m: Machine, start: Value, step: int, length: int | None, ident: int) -> Items:
    """`range(...)`: constants where its length is known and small, else indices that count from `start`."""
    if isinstance(start, Const) and isinstance(start.value, int) and length is not None and length <= MAX_EXACT:
        return m.items("range", [Const(start.value + step * k) for k in range(length)])
    first = start.value if isinstance(start, Const) and isinstance(start.value, int) else 0
    base = (
        m.intern("range", "from", m.ident(start))
        if not isinstance(start, Const)
        else m.intern("range", "from", "constant")
    )
    passes = 3 if length is None else min(3, length)
    values = [
        Index(base, first + step * k, m.intern("index", base, ident, first + step * k), k > 0) for k in range(passes)
    ]
    return m.items("range", values, unfinished=length is None or length > passes)
