"""Comments, read from Python's own tokens, and the lines of code that each one speaks about."""

import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile, islice

from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.once import once
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import ClassUnits, Part, Place, Unit

_SPACE = frozenset({tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.ENCODING})


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of a file. `rows` are the zero-based lines it speaks about: those of the statement it ends or stands above."""

    place: Place
    rows: range

    @property
    def text(self) -> str:
        return self.place.text


@dataclass(frozen=True, slots=True)
class _Layout:
    """One unit's tokens: its comments by row and column, and the rows of each logical line."""

    comments: tuple[tuple[int, int, str], ...]
    statements: tuple[range, ...]


def comments_containing(index: FileIndex, *words: str) -> Iterator[Comment]:
    """The comments in which one of the words stands. Costs only the units where a word occurs at all."""
    for unit in (unit for part in index.parts for unit in _mentioning(part, words)):
        first, layout = index.first_lines[unit], _layout(unit)
        for row, column, text in layout.comments:
            if any(word in text for word in words):
                rows = _about(unit, layout, row, column)
                found = range(first + rows.start, first + rows.stop) if rows else _first_statement(index, unit)
                yield Comment(_place(unit, row, column, text), found)


def comment_at(lines: Sequence[str], row: int, column: int) -> int | None:
    """The column where the comment around a place begins, None where it is in none. `row` is zero-based, columns are code points.

    Reads a text that is being typed: where Python's tokenizer gives up above the place, its line alone decides.
    """
    for first, shown in ((0, lines), (row, lines[row : row + 1])):
        for token in _tokens(shown):
            start, end = ((line - 1 + first, at) for line, at in (token.start, token.end))
            if token.type == tokenize.COMMENT and start <= (row, column) and start[0] == row:
                return start[1]
            unclosed = token.type == tokenize.ERRORTOKEN and token.string[:1] in ("'", '"') and start[0] == row
            if unclosed or end > (row, column):
                return None
    return None


@once
def _mentioning(part: Part, words: tuple[str, ...]) -> list[Unit]:
    """The units of a part in which one of the words stands, be it as a part of another."""
    if isinstance(part, ClassUnits):
        return [unit for one in (part.header, *part.members) for unit in _mentioning(one, words)]
    return [part] if any(word in line for line in part.lines for word in words) else []


def _about(unit: Unit, layout: _Layout, row: int, column: int) -> range | None:
    """The rows of the unit that a comment speaks about; None where it stands above the next unit."""
    alone = not unit.lines[row][:column].strip()
    around = next((rows for rows in layout.statements if row in rows), None)
    if around is not None:
        if alone:
            return range(row, next((r + 1 for r in range(row + 1, around.stop) if _is_code(unit.lines[r])), row + 1))
        return range(around.start if row == around.stop - 1 else row, row + 1)
    return next((rows for rows in layout.statements if rows.start > row), None)


def _first_statement(index: FileIndex, above: Unit) -> range:
    """The lines of the first statement in the units below one."""
    below = dropwhile(lambda one: one[0] is not above, index.first_lines.items())
    for unit, first in islice(below, 1, None):
        rows = next(iter(_layout(unit).statements), None)
        if rows is not None:
            return range(first + rows.start, first + rows.stop)
    return range(0)


def _is_code(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _place(unit: Unit, row: int, column: int, text: str) -> Place:
    start = sum(map(len, unit.lines[:row])) + column
    return Place(unit, Span(start, start + len(text)))


@once
def _layout(unit: Unit) -> _Layout:
    """One pass over the tokens of a unit."""
    comments: list[tuple[int, int, str]] = []
    statements: list[range] = []
    first: int | None = None
    decorates = False
    for token in _tokens(unit.lines):
        row = token.start[0] - 1
        if token.type == tokenize.COMMENT:
            comments.append((row, token.start[1], token.string))
        elif token.type == tokenize.NEWLINE:
            # A decorator is a line of the definition below it.
            if not decorates:
                statements.append(range(row if first is None else first, row + 1))
                first = None
            decorates = False
        elif token.type not in _SPACE:
            decorates = decorates or token.string == "@" and not unit.lines[row][: token.start[1]].strip()
            first = row if first is None else first
    return _Layout(tuple(comments), tuple(statements))


def _tokens(lines: Sequence[str]) -> Iterator[tokenize.TokenInfo]:
    """Total: a text that Python's tokenizer gives up on has the tokens up to there."""
    # Python reads a lone "\r" as a line's end, its tokenizer in Python does not.
    rows = (f"{line[:-1]}\n" if line.endswith("\r") else line for line in lines)
    try:
        yield from tokenize.generate_tokens(rows.__next__)
    except (tokenize.TokenError, SyntaxError):
        return
