"""Source: an immutable snapshot of one file's text, its lines, and conversion between offsets and positions.

Line ends are `\\r\\n`, `\\r`, `\\n` and nothing else, as in Python and LSP: `str.splitlines` also breaks at form
feed, U+0085 and U+2028. This is the one place that knows lines, columns and encodings.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import accumulate

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class Encoding(Enum):
    """The unit in which a column is counted."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A zero-based line, and a zero-based column in units of the encoding agreed with whoever reads it."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class LineChange:
    """Lines `[first, old_end)` of the earlier snapshot became lines `[first, new_end)` of the later one."""

    first: int
    old_end: int
    new_end: int

    def then(self, later: "LineChange") -> "LineChange":
        """This change and one of its result, as one."""
        end = max(self.new_end, later.old_end)
        grown = later.new_end - later.old_end
        return LineChange(min(self.first, later.first), end - self.new_end + self.old_end, end + grown)


def split_lines(text: str) -> list[str]:
    """The lines of `text`, line ends kept; joining them gives `text` back."""
    return _LINE.findall(text)


class Source:
    """One revision of a file's text. Never changes; an edit makes another Source."""

    def __init__(self, text: str | None = None, lines: list[str] | None = None) -> None:
        self.lines: list[str] = split_lines(text or "") if lines is None else lines

    @cached_property
    def text(self) -> str:
        return "".join(self.lines)

    @cached_property
    def starts(self) -> list[int]:
        """Code-point offset of each line's beginning, and of the end of the text."""
        return [0, *accumulate(map(len, self.lines))]

    def offset(self, position: Position, encoding: Encoding = Encoding.UTF32) -> int:
        """The offset of a position; a column past the line's end means its end, a line past the last the end of the text."""
        if position.line >= len(self.lines):
            return self.starts[-1]
        return self.starts[position.line] + _code_points(self.lines[position.line], position.column, encoding)

    def position(self, offset: int, encoding: Encoding = Encoding.UTF32) -> Position:
        """The position of an offset (clamped to the text)."""
        line = min(bisect_right(self.starts, offset) - 1, len(self.lines))
        if line == len(self.lines):
            return self._end(encoding)
        return Position(line, column_in(self.lines[line], offset - self.starts[line], encoding))

    def _end(self, encoding: Encoding) -> Position:
        if not self.lines or self.lines[-1].endswith(("\n", "\r")):
            return Position(len(self.lines), 0)
        return Position(len(self.lines) - 1, column_in(self.lines[-1], len(self.lines[-1]), encoding))

    def edited(self, start: Position, end: Position, text: str, encoding: Encoding) -> tuple["Source", LineChange]:
        """The text with `[start, end)` replaced, and which lines that changed. Costs the lines touched, not the file."""
        if end < start:
            start, end = end, start
        head, first = self._before(start, encoding)
        tail, old_end = self._after(end, encoding)
        # A line end may pair up with a neighbour: `\r` before the edit and `\n` at its start are one line end.
        if first and not head and self.lines[first - 1].endswith("\r"):
            first, head = first - 1, self.lines[first - 1]
        joined = head + text + tail
        if joined.endswith("\r") and old_end < len(self.lines) and self.lines[old_end].startswith("\n"):
            joined, old_end = joined + self.lines[old_end], old_end + 1
        if joined and joined[-1] not in "\r\n" and old_end < len(self.lines):
            joined, old_end = joined + self.lines[old_end], old_end + 1
        new = split_lines(joined)
        lines = [*self.lines[:first], *new, *self.lines[old_end:]]
        return Source(lines=lines), LineChange(first, old_end, first + len(new))

    def _before(self, at: Position, encoding: Encoding) -> tuple[str, int]:
        if at.line >= len(self.lines):
            if self.lines and self.lines[-1][-1] not in "\r\n":
                return self.lines[-1], len(self.lines) - 1
            return "", len(self.lines)
        line = self.lines[at.line]
        return line[: _code_points(line, at.column, encoding)], at.line

    def _after(self, at: Position, encoding: Encoding) -> tuple[str, int]:
        if at.line >= len(self.lines):
            return "", len(self.lines)
        line = self.lines[at.line]
        return line[_code_points(line, at.column, encoding) :], at.line + 1


def column_in(line: str, code_points: int, encoding: Encoding) -> int:
    """The column, in units of `encoding`, after that many code points of `line`."""
    if encoding is Encoding.UTF32 or line.isascii():
        return code_points
    head = line[:code_points]
    if encoding is Encoding.UTF8:
        return len(head.encode("utf-8", "surrogatepass"))
    return code_points + sum(char > "\uffff" for char in head)


def _code_points(line: str, column: int, encoding: Encoding) -> int:
    """Code points before `column`; the line end is not a place to be in; inside a character means before it."""
    limit = len(line.rstrip("\r\n"))
    if encoding is Encoding.UTF32 or line.isascii():
        return min(max(column, 0), limit)
    width = _utf8_width if encoding is Encoding.UTF8 else _utf16_width
    seen = 0
    for count, char in enumerate(line[:limit]):
        seen += width(char)
        if seen > column:
            return count
    return limit


def _utf8_width(char: str) -> int:
    return len(char.encode("utf-8", "surrogatepass"))


def _utf16_width(char: str) -> int:
    return 2 if char > "\uffff" else 1
