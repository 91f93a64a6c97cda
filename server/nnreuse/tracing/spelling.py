"""Spelling: texts that are put together from parts. Two are equal where their parts are, however they are written."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from string import Formatter

from nnreuse.tracing.machine import Machine
from nnreuse.tracing.values import Const, Index, Items, Mapping, Opaque, Value

_LONG = 10_000
_DIRECTIVE = re.compile(r"%(?:\((\w+)\))?([-+ #0]*\d*(?:\.\d+)?)([sdirfgex%])")
_CONVERSIONS: dict[str, Callable[[object], str]] = {"r": repr, "a": ascii, "s": str}
Part = str | Value


@dataclass(frozen=True, slots=True)
class Text:
    """A text with unknown parts. `parts`: constant texts, and idents for what is unknown. `shown`: the text with `*` for these.

    `numbered`: the unknown parts are indices of loops.
    """

    parts: tuple[str | int, ...]
    shown: str
    numbered: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str | int
    shown: str
    numbered: bool = True


def spelled(m: Machine, parts: Iterable[Part]) -> Value:
    """The text that these parts make, one behind the other: a constant where all of them are known."""
    lineage, pieces = 0, list[_Piece]()
    for part in parts:
        given = part if isinstance(part, str) else m.settle(part)
        lineage |= 0 if isinstance(given, str) else m.lineage(given)
        pieces += _pieces(m, given)
    merged = tuple(_merged([piece.text for piece in pieces]))
    shown = "".join(piece.shown for piece in pieces)
    if sum(len(part) for part in merged if isinstance(part, str)) > _LONG:
        return m.opaque(lineage=lineage)
    if all(isinstance(part, str) for part in merged):
        whole = "".join(map(str, merged))
        return Const(whole, shown if shown != whole else None)
    found = m.opaque("text", *merged, lineage=lineage)
    found.kind = "str"
    m.intern.texts[found.ident] = Text(merged, shown, all(piece.numbered for piece in pieces))
    return found


def _pieces(m: Machine, part: Part) -> list[_Piece]:
    match part:
        case str():
            return [_Piece(part, part)]
        case Const(value, display):
            return [_Piece(str(value), display or str(value))]
        case Index() if part.base == m.intern("range", "from", "constant"):
            return [_Piece(str(part.position), "*")]
        case Index():
            return [_Piece(m.intern("at", part.base, part.position), "*")]
        case Opaque(ident=ident) if ident in m.intern.texts:
            known: Text = m.intern.texts[ident]
            return [_Piece(known.parts[0], known.shown, known.numbered), *(_Piece(one, "") for one in known.parts[1:])]
        case _:
            return [_Piece(m.ident(part), "*", numbered=False)]


def _merged(parts: list[str | int]) -> Iterator[str | int]:
    """The same with neighbouring constant texts put together."""
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
            continue
        if text:
            yield text
        text = ""
        yield part
    if text:
        yield text


def with_format(m: Machine, value: Value, spec: str, conversion: str = "") -> Part:
    """A value as `{value!conversion:spec}` writes it."""
    value = m.settle(value)
    if not spec and conversion in ("", "s"):
        return value
    if isinstance(value, Index) and value.base == m.intern("range", "from", "constant"):
        value = Const(value.position, "*")
    if isinstance(value, Const):
        try:
            given = _CONVERSIONS[conversion](value.value) if conversion else value.value
            text = format(given, spec) if len(spec) < 8 else None
        except (TypeError, ValueError):
            text = None
        if text is not None:
            return Const(text, value.display)
    return m.opaque("spec", m.ident(value), spec, conversion)


def braces(m: Machine, pattern: str, values: Sequence[Value], named: dict[str, Value]) -> Value:
    """`pattern.format(...)`."""
    parts: list[Part] = []
    number = 0
    try:
        for literal, field, spec, conversion in Formatter().parse(pattern):
            parts.append(literal)
            if field is None:
                continue
            key, number = (field, number) if field else (str(number), number + 1)
            value = named.get(key) if not key.isdecimal() else values[int(key)] if int(key) < len(values) else None
            if value is None or "{" in (spec or ""):
                return _unread(m, "format", pattern, [*values, *named.values()])
            parts.append(with_format(m, value, spec or "", conversion or ""))
    except ValueError:
        return m.opaque()
    return spelled(m, parts)


def percent(m: Machine, pattern: str, given: Value) -> Value:
    """`pattern % given`."""
    values = list(given.content.items) if isinstance(given, Items) and given.kind == "tuple" else [given]
    parts: list[Part] = []
    end = 0
    for found in _DIRECTIVE.finditer(pattern):
        parts.append(pattern[end : found.start()])
        end = found.end()
        if found[3] == "%":
            parts.append("%")
            continue
        value = given.entries.get(found[1]) if isinstance(given, Mapping) else values.pop(0) if values else None
        if value is None:
            return _unread(m, "%", pattern, [given])
        parts.append(_directed(m, value, found[2], found[3]))
    return spelled(m, [*parts, pattern[end:]])


def _directed(m: Machine, value: Value, flags: str, letter: str) -> Part:
    value = m.settle(value)
    if not flags and letter in "sdi":
        return value
    if isinstance(value, Index) and value.base == m.intern("range", "from", "constant"):
        value = Const(value.position, "*")
    if isinstance(value, Const) and len(flags) < 8:
        try:
            return Const(f"%{flags}{letter}" % value.value, value.display)
        except (TypeError, ValueError):
            pass
    return m.opaque("spec", m.ident(value), flags, letter)


def _unread(m: Machine, how: str, pattern: str, values: list[Value]) -> Opaque:
    return m.opaque(how, pattern, *(m.ident(value) for value in values))


def is_text(m: Machine, value: Value) -> bool:
    """Whether a value is a text for sure."""
    if isinstance(value, Const):
        return isinstance(value.value, str)
    return isinstance(value, Opaque) and value.ident in m.intern.texts
