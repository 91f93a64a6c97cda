"""Notebooks: the cells of one, in order, as one program, and from its lines back to the cells'.

What IPython understands and Python does not (`%magic`, `!shell`, `help?`) becomes a statement that does nothing, on the same
line; a cell in another language becomes empty lines, and so does one that is no Python at all. So lines of the program are lines
of cells. A cell that is indented as a whole loses its indentation, as it does in IPython; the program knows by how much. A cell
that is Python as it stands is left alone, and so is what goes on with a statement: a line that begins with `%` may be arithmetic.
"""

import re
import tokenize
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from nnreuse.syntax.edits import Edit
from nnreuse.syntax.source import Position, Source, split_lines
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import Unparsable, parse

_HELP = r"%{0,2}[\w*]+(?:\.[\w*]+|\[-?\d+\])*\?{1,2}\s*$"
_MAGIC = re.compile(rf"^(\s*)(?:[%!?]|[/,;]\w|>>>|{_HELP})")
_ASSIGNED = re.compile(r"^(\s*[\w.,*: \t]+(?:\[[^\]\n]*\][\w.,*: \t]*)*=\s*)[%!]")
_PYTHON_CELLS = frozenset({"%%capture", "%%prun", "%%python", "%%python3", "%%time", "%%timeit"})


@dataclass(frozen=True, slots=True)
class _Plain:
    """A cell's lines, each ended; how many columns each has lost; and why they are no Python, where they are none."""

    lines: tuple[str, ...]
    lost: tuple[int, ...] = ()
    problem: Unparsable | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """The text of all cells, the line at which each begins, the columns that its lines have lost, and the cells left out."""

    text: str
    starts: tuple[int, ...]
    lost: tuple[tuple[int, ...], ...] = ()
    left_out: tuple[tuple[int, Unparsable], ...] = ()

    def cell_at(self, line: int) -> int:
        """The number of the cell that a line of the program belongs to."""
        return max(0, bisect_right(self.starts, line) - 1)

    def in_cell(self, position: Position) -> tuple[int, Position]:
        """The number of a position's cell, and the position there."""
        number = self.cell_at(position.line)
        return number, self.moved_to(number, position)

    def moved_to(self, number: int, position: Position) -> Position:
        """A position of the program as one of a cell."""
        line = position.line - (self.starts[number] if self.starts else 0)
        return Position(line, position.column + self.lost_at(number, line))

    def moved_from(self, number: int, position: Position) -> Position:
        """A position of a cell as one of the program."""
        column = max(0, position.column - self.lost_at(number, position.line))
        return Position(position.line + self.starts[number], column)

    def lost_at(self, number: int, line: int) -> int:
        """How many columns of indentation a cell's line has lost."""
        lost = self.lost[number] if number < len(self.lost) else ()
        return lost[line] if 0 <= line < len(lost) else 0


def program_of(cells: Sequence[str], typed: Collection[int] = ()) -> Program:
    """The program that the cells are when they are run one after the other.

    A cell that is no Python is left out, since it does not run either; but not one that is being typed.
    """
    plain = [_plain(cell) for cell in cells]
    left_out = tuple((n, one.problem) for n, one in enumerate(plain) if one.problem and n not in typed)
    silent = {number for number, _ in left_out}
    lines: list[str] = []
    starts: list[int] = []
    for number, one in enumerate(plain):
        starts.append(len(lines))
        lines += ["\n"] * len(one.lines) if number in silent else one.lines
    return Program("".join(lines), tuple(starts), tuple(one.lost for one in plain), left_out)


def cell_edits(cells: Sequence[str], program: Program, edits: Iterable[Edit]) -> dict[int, list[Edit]] | None:
    """Edits of a program as edits of its cells; None where one is about lines that no cell has, or about two cells."""
    written = Source(program.text)
    found: dict[int, list[Edit]] = {}
    for edit in edits:
        placed = _placed(cells, program, written, edit)
        if placed is None:
            return None
        found.setdefault(placed[0], []).append(placed[1])
    return found


def _placed(cells: Sequence[str], program: Program, written: Source, edit: Edit) -> tuple[int, Edit] | None:
    """An edit as one of a cell, with the cell's number; None where no one cell can take it."""
    start, end = written.position(edit.span.start), written.position(edit.span.end)
    number = program.cell_at(start.line)
    if start == end and start.column == 0 and start.line in program.starts[1:] and edit.content[:1].isspace():
        number -= 1  # what is indented goes on with the block that ends there
    first, cell = program.starts[number], Source(cells[number])
    last = first + max(1, len(cell.lines))
    within = end.line < last or end == Position(last, 0)
    same = all(
        line - first >= len(cell.lines)
        or _same(written.lines[line], cell.lines[line - first][program.lost_at(number, line - first) :])
        for line in range(start.line, min(end.line + 1, last, len(written.lines)))
    )
    if not cells[number] or not within or not same or number in dict(program.left_out):
        return None
    begin, finish = (cell.offset(program.moved_to(number, at)) for at in (start, end))
    content = _indented(
        edit.content, cell, start.column, *(program.lost_at(number, at.line - first) for at in (start, end))
    )
    if begin == len(cells[number]) and begin and cells[number][-1] not in "\r\n" and start.line == last:
        content = "\n" + content.removesuffix("\n")  # the cell's last line has no end
    return number, Edit(Span(begin, finish), content)


def _indented(content: str, cell: Source, column: int, before: int, behind: int) -> str:
    """What is written, with the cell's indentation; `before` it stand that many columns of it, and as many were `behind`."""
    indentation = _indentation(cell.lines)
    lines = split_lines(content)
    if not indentation or not lines:
        return content
    head = indentation[before:] if column == 0 and lines[0].strip() else ""
    rest = [indentation + line if line.strip() else line for line in lines[1:]]
    tail = indentation[:behind] if lines[-1].endswith(("\n", "\r")) else ""
    return "".join([head, lines[0], *rest, tail])


def _indentation(lines: Sequence[str]) -> str:
    """What IPython takes off each line of a cell: the indentation of its first line that is not empty."""
    first = next((line for line in lines if line.strip()), "")
    return first[: len(first) - len(first.lstrip(" \t"))]


def _same(line: str, other: str) -> bool:
    return line.rstrip("\r\n") == other.rstrip("\r\n")


@lru_cache(maxsize=1_000)
def _plain(cell: str) -> _Plain:
    lines = split_lines(cell)
    ended = (*lines[:-1], lines[-1].rstrip("\r\n") + "\n") if lines else ("\n",)
    first = next((line.split()[0] for line in ended if line.strip()), "")
    if first.startswith("%%") and first not in _PYTHON_CELLS:
        return _Plain(("\n",) * len(ended))
    indentation = _indentation(ended)
    lost = tuple(len(indentation) * line.startswith(indentation) for line in ended) if indentation else ()
    ended = tuple(line.removeprefix(indentation) for line in ended)
    problem = _problem(ended)
    if problem is None or all(_python(line) is None for line in ended):
        return _Plain(ended, lost, problem)
    translated = tuple(_translated(ended))
    return _Plain(translated, lost, _problem(translated))


def _problem(lines: Sequence[str]) -> Unparsable | None:
    """Why lines are no Python; None where they are."""
    try:
        parse("".join(lines))
    except Unparsable as problem:
        return problem
    return None


def _translated(lines: Sequence[str]) -> Iterator[str]:
    at = 0
    while at < len(lines):
        plain = _python(lines[at])
        if plain is None:
            after = at + _height(lines[at:])
            yield from lines[at:after]
        else:
            after = at + 1
            while after < len(lines) and lines[after - 1].rstrip().endswith("\\"):
                after += 1
            yield plain
            yield from ["\n"] * (after - at - 1)
        at = after


def _python(line: str) -> str | None:
    """A line that does nothing, for one that is no Python where a statement begins."""
    if magic := _MAGIC.match(line):
        return f"{magic[1]}pass\n"
    assigned = _ASSIGNED.match(line)
    return f"{assigned[1]}None\n" if assigned else None


def _height(lines: Sequence[str]) -> int:
    """How many lines the statement takes that begins with them, of a compound one its header; all where it does not end."""
    if lines[0].lstrip()[:1] in ("", "#"):
        return 1
    try:
        tokens = tokenize.generate_tokens(iter(lines).__next__)
        return next((token.end[0] for token in tokens if token.type == tokenize.NEWLINE), 1)
    except tokenize.TokenError:
        return len(lines)
    except SyntaxError:  # its indentation means nothing on its own
        return 1
