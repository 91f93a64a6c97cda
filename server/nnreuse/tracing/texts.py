"""Texts: the methods of strings, on constants."""

import ast
import re
from collections.abc import Callable
from typing import Any

from nnreuse.tracing import spelling
from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.values import Const, Items, Value

_PLAIN: dict[str, Callable[..., Any]] = {
    name: getattr(str, name)
    for name in (
        "lower upper strip lstrip rstrip replace startswith endswith split rsplit capitalize title removeprefix removesuffix "
        "isdigit partition rpartition find count"
    ).split()
}

_SHORT = 200
"""Characters of a text that a pattern is tried on."""


def method(m: Machine, receiver: Const, name: str, positional: tuple[Value, ...], keywords: dict[str, Value]) -> Value:
    """A method of a constant: carried out where it and all its arguments are constants."""
    values = [m.settle(v) for v in positional]
    if isinstance(receiver.value, str):
        if name == "format" and receiver.display is None:
            return spelling.braces(m, receiver.value, values, keywords)
        run = _PLAIN.get(name)
        if run is not None and receiver.display is None and all(isinstance(v, Const) for v in values):
            try:
                return _value(m, run(receiver.value, *(v.value for v in values if isinstance(v, Const))))
            except (TypeError, ValueError):
                return m.opaque()
        if name == "join" and values and isinstance(values[0], Items):
            return _join(m, receiver.value, values[0])
    lineage = 0
    for value in values:
        lineage |= m.lineage(value)
    return m.opaque("pure", name, m.ident(receiver), *(m.ident(v) for v in values), lineage=lineage)


def presume_method(m: Machine, text: int, method: int, name: str) -> None:
    """Remembers the method of a text that is known by default, by idents."""
    known = m.intern.presumed.get(text)
    if isinstance(known, str) and name in _PLAIN:
        m.intern.presumed[method] = getattr(known, name)


def presume_result(m: Machine, method: int, result: int, positional: tuple[Value, ...]) -> None:
    """Remembers what a method of a text gives that is known by default."""
    run = m.intern.presumed.get(method)
    given = [v.value for v in positional if isinstance(v, Const)]
    if callable(run) and len(given) == len(positional):
        try:
            m.intern.presumed[result] = run(*given)
        except (TypeError, ValueError):
            return


def pattern_split(
    m: Machine, f: Frame, node: ast.Call, positional: tuple[Value, ...], keywords: dict[str, Value]
) -> Value:
    """`re.split` of a short text by a pattern that repeats once at most, so that it cannot take long."""
    given = [v.value for v in map(m.settle, positional) if isinstance(v, Const) and v.display is None]
    if len(given) != 2 or keywords or len(positional) != 2:
        return m.opaque()
    pattern, text = given
    if not (isinstance(pattern, str) and isinstance(text, str)) or len(text) > _SHORT:
        return m.opaque()
    if len(pattern) > _SHORT or sum(map(pattern.count, "*+{")) > 1:
        return m.opaque()
    try:
        return _value(m, re.split(pattern, text))
    except (re.error, RecursionError, OverflowError):
        return m.opaque()


def _value(m: Machine, result: object) -> Value:
    if isinstance(result, list | tuple):
        return m.items("list" if isinstance(result, list) else "tuple", [Const(one) for one in result])  # type: ignore[union-attr]
    return Const(result)


def _join(m: Machine, separator: str, values: Items) -> Value:
    parts = [m.settle(v) for v in values.content.items]
    if values.content.open or not all(spelling.is_text(m, part) for part in parts):
        return m.opaque("join", separator, *(m.ident(v) for v in parts)) if not values.content.open else m.opaque()
    return spelling.spelled(m, [one for part in parts for one in (separator, part)][1:])
