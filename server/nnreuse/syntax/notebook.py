"""Notebooks: the cells of one, in order, as one program, and from its lines back to the cells'.

What IPython understands and Python does not (`%magic`, `!shell`, `help?`) becomes a statement that does nothing, on the same
line; a cell in another language becomes empty lines. So lines of the program are lines of cells, and columns are theirs. A cell
that is Python as it stands is left alone, and so is what goes on with a statement: a line that begins with `%` may be arithmetic.
"""

import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from nnreuse.syntax.edits import Edit
from nnreuse.syntax.source import Position, Source, split_lines
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import is_python

_HELP = r"%{0,2}[\w*]+(?:\.[\w*]+|\[-?\d+\])*\?{1,2}\s*$"
_MAGIC = re.compile(rf"^(\s*)(?:[%!?]|[/,;]\w|>>>|{_HELP})")
_ASSIGNED = re.compile(r"^(\s*[\w.,*: \t]+(?:\[[^\]\n]*\][\w.,*: \t]*)*=\s*)[%!]")
_PYTHON_CELLS = frozenset({"%%capture", "%%prun", "%%python", "%%python3", "%%time", "%%timeit"})


@dataclass(frozen=True, slots=True)
class Program:
    """The text of all cells, and the line at which each begins."""

    text: str
    starts: tuple[int, ...]

    def cell_at(self, line: int) -> int:
        """The number of the cell that a line of the program belongs to."""
        return max(0, bisect_right(self.starts, line) - 1)

    def in_cell(self, position: Position) -> tuple[int, Position]:
        """The number of a position's cell, and the position there."""
        number = self.cell_at(position.line)
        first = self.starts[number] if self.starts else 0
        return number, Position(position.line - first, position.column)


def program_of(cells: Sequence[str]) -> Program:
    """The program that the cells are when they are run one after the other."""
    lines: list[str] = []
    starts: list[int] = []
    for cell in cells:
        starts.append(len(lines))
        lines += _plain(cell)
    return Program("".join(lines), tuple(starts))


def cell_edits(cells: Sequence[str], program: Program, edits: Iterable[Edit]) -> dict[int, list[Edit]] | None:
    """Edits of a program as edits of its cells; None where one is about lines that no cell has, or about two cells."""
    written = Source(program.text)
    found: dict[int, list[Edit]] = {}
    for edit in edits:
        start, end = written.position(edit.span.start), written.position(edit.span.end)
        number = program.cell_at(start.line)
        if start == end and start.column == 0 and start.line in program.starts[1:] and edit.content[:1].isspace():
            number -= 1  # what is indented goes on with the block that ends there
        first, cell = program.starts[number], Source(cells[number])
        last = first + max(1, len(cell.lines))
        within = end.line < last or end == Position(last, 0)
        same = all(
            line - first >= len(cell.lines) or _same(written.lines[line], cell.lines[line - first])
            for line in range(start.line, min(end.line + 1, last, len(written.lines)))
        )
        if not cells[number] or not within or not same:
            return None
        begin, finish = (cell.offset(Position(at.line - first, at.column)) for at in (start, end))
        content = edit.content
        if begin == len(cells[number]) and begin and cells[number][-1] not in "\r\n" and start.line == last:
            content = "\n" + content.removesuffix("\n")  # the cell's last line has no end
        found.setdefault(number, []).append(Edit(Span(begin, finish), content))
    return found


def _same(line: str, other: str) -> bool:
    return line.rstrip("\r\n") == other.rstrip("\r\n")


@lru_cache(maxsize=1_000)
def _plain(cell: str) -> tuple[str, ...]:
    """A cell's lines, each ended, of which all are Python."""
    lines = split_lines(cell)
    ended = (*lines[:-1], lines[-1].rstrip("\r\n") + "\n") if lines else ("\n",)
    first = next((line.split()[0] for line in ended if line.strip()), "")
    if first.startswith("%%") and first not in _PYTHON_CELLS:
        return ("\n",) * len(ended)
    if all(_python(line) is None for line in ended) or is_python("".join(ended)):
        return ended
    return tuple(_translated(ended))


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
