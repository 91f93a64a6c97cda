"""Splicing: the parts of a file after an edit. Only the units that it touches are read anew; the others are the same objects."""

import ast
import re

from nnreuse.syntax.source import LineChange
from nnreuse.syntax.units import ClassUnits, Part, Unit, Unparsable, cut, leaves, parse

_GOES_ON = re.compile(r"(?:else|elif|except|finally|case)\b")
"""What continues a statement that stands before it."""


def spliced(parts: list[Part], change: LineChange, lines: list[str], at: int = 0) -> list[Part] | None:
    """`parts`, which begin at line `at`, with those the change touches read anew; None when they cannot be read alone."""
    touched = _touched(parts, at, change)
    if touched is None:
        return None
    first, last, begin = touched
    grown = change.new_end - change.old_end
    new = _inside_class(parts[first], begin, change, lines) if first == last else None
    if new is None:
        new = _reread(parts, first, last, begin, grown, lines)
    if new is not None and _begins_empty(new) and (first or _indent(parts)):
        if not first:
            return None  # what stands before the first member belongs to the header
        first -= 1
        new = _reread(parts, first, last, begin - _length(parts[first]), grown, lines)
    return None if new is None else [*parts[:first], *new, *parts[last + 1 :]]


def certain_error(parts: list[Part], change: LineChange, lines: list[str], at: int = 0) -> Unparsable | None:
    """Why a text cannot be Python, where the units that a change touches show it: the whole file need not be read for that.

    What stands before them is whole statements, so the parser reaches them as it does when they stand alone, and stops where it
    stops there. Not so where they may be part of the statement before (`else:`), or of a text in triple quotes or a line that goes on
    behind them, or where indentation is what is wrong.
    """
    touched = _touched(parts, at, change)
    if touched is None:
        return None
    first, last, begin = touched
    part = parts[first]
    if first == last and isinstance(part, ClassUnits) and change.first >= begin + len(part.header.lines):
        return certain_error(part.members, change, lines, begin + len(part.header.lines))
    indent = _indent(parts)
    region = lines[begin : begin + sum(map(_length, parts[first : last + 1])) + change.new_end - change.old_end]
    if not region:
        return None
    code = next((line for line in region if line.strip() and not line.lstrip().startswith("#")), "")
    begins = code.lstrip()
    if len(code) - len(begins) != indent or _GOES_ON.match(begins) or region[-1].rstrip("\r\n").endswith("\\"):
        return None
    try:
        parse(("if 1:\n" if indent else "") + "".join(region))
    except Unparsable as error:
        if error.may_be_mended_around:
            return None
        return Unparsable(str(error), begin + error.line - bool(indent))
    return None


def _touched(parts: list[Part], at: int, change: LineChange) -> tuple[int, int, int] | None:
    """The first and the last of the parts that a change touches, and the line at which the first begins."""
    touched: list[int] = []
    begin, line = at, at
    for number, part in enumerate(parts):
        end = line + _length(part)
        if (
            line < change.old_end
            and change.first < end
            or change.first == change.old_end
            and line <= change.first < end
        ):
            if not touched:
                begin = line
            touched.append(number)
        if touched and line >= change.old_end:
            break
        line = end
    return (touched[0], touched[-1], begin) if touched else None


def _reread(parts: list[Part], first: int, last: int, begin: int, grown: int, lines: list[str]) -> list[Part] | None:
    size = sum(map(_length, parts[first : last + 1])) + grown
    return _read(lines[begin : begin + size], _indent(parts))


def _begins_empty(parts: list[Part]) -> bool:
    """Blank lines and comments belong to the unit before them."""
    return not parts or isinstance(parts[0], Unit) and not parts[0].nodes


def _inside_class(part: Part, begin: int, change: LineChange, lines: list[str]) -> list[Part] | None:
    if not isinstance(part, ClassUnits):
        return None
    body = begin + len(part.header.lines)
    if change.first < body:
        return None
    members = spliced(part.members, change, lines, body)
    if members is None or not any(isinstance(m, ClassUnits) or m.nodes for m in members):
        return None
    return [ClassUnits(part.node, part.header, members)]


def _indent(parts: list[Part]) -> int:
    for part in parts:
        if isinstance(part, ClassUnits):
            return part.node.col_offset
        for node in part.nodes:
            return node.col_offset
    return 0


def _read(lines: list[str], indent: int) -> list[Part] | None:
    """The parts of a run of lines on their own, all statements at column `indent`; None when it is no whole run of statements."""
    wrapper = "if 1:\n" if indent else ""
    if lines and lines[-1].rstrip("\r\n").endswith("\\"):
        return None
    try:
        body = parse(wrapper + "".join(lines)).body
    except Unparsable:
        return None
    origin = 1
    if indent:
        match body:
            case [ast.If(orelse=[], body=inner)]:
                body, origin = inner, 2
            case _:
                return None
    if any(node.col_offset != indent for node in body):
        return None
    return cut(lines, body, origin)


def _length(part: Part) -> int:
    if isinstance(part, Unit):
        return len(part.lines)
    return len(part.header.lines) + sum(map(_length, part.members))


def kept(old: list[Part], new: list[Part]) -> list[Part]:
    """`new`, with the parts at both ends that have the same text as in `old` taken from there, in the first class that differs too."""
    head = 0
    while head < min(len(old), len(new)) and _same(old[head], new[head]):
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and _same(old[-1 - tail], new[-1 - tail]):
        tail += 1
    middle = new[head : len(new) - tail]
    if middle and head < len(old) - tail:
        middle[0] = _kept_inside(old[head], middle[0])
    return [*old[:head], *middle, *old[len(old) - tail :]]


def _kept_inside(old: Part, new: Part) -> Part:
    if isinstance(old, ClassUnits) and isinstance(new, ClassUnits) and old.header.lines == new.header.lines:
        return ClassUnits(old.node, old.header, kept(old.members, new.members))
    return new


def _same(a: Part, b: Part) -> bool:
    return [u.lines for u in leaves([a])] == [u.lines for u in leaves([b])]
