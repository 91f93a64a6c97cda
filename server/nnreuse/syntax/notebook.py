"""Notebooks: the cells of one, in order, as one program, and from its lines back to the cells'.

What IPython understands and Python does not (`%magic`, `!shell`, `help?`) becomes a statement that does nothing, on the same
line; a cell in another language becomes empty lines. So lines of the program are lines of cells, and columns are theirs.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nnreuse.syntax.edits import Edit
from nnreuse.syntax.source import Position, Source, split_lines
from nnreuse.syntax.span import Span

_MAGIC = re.compile(r"^(\s*)(?:[%!]|\?\S|[\w.]+\?{1,2}\s*$)")
_ASSIGNED = re.compile(r"^(\s*[\w, ]+=\s*)[%!]")
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
        lines += _plain(split_lines(cell))
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


def _plain(lines: list[str]) -> list[str]:
    """A cell's lines, each ended, of which all are Python."""
    ended = [*lines[:-1], lines[-1].rstrip("\r\n") + "\n"] if lines else ["\n"]
    first = next((line.split()[0] for line in ended if line.strip()), "")
    if first.startswith("%%") and first not in _PYTHON_CELLS:
        return ["\n"] * len(ended)
    return [_python(line, before) for line, before in zip(ended, ["", *ended], strict=False)]


def _python(line: str, before: str) -> str:
    """The line, or one that does nothing. What follows an open line may begin with `%` as an operator."""
    magic = _MAGIC.match(line)
    if magic and not before.rstrip().endswith(("\\", "(", ",", "[", "{")):
        return f"{magic[1]}pass\n"
    assigned = _ASSIGNED.match(line)
    return f"{assigned[1]}None\n" if assigned else line
