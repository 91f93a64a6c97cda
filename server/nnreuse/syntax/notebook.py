"""Notebooks: the cells of one, in order, as one program, and from its lines back to the cells'.

What IPython understands and Python does not (`%magic`, `!shell`, `help?`) becomes a statement that does nothing, on the same
line; a cell in another language becomes empty lines. So lines of the program are lines of cells, and columns are theirs.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from nnreuse.syntax.source import split_lines

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


def program_of(cells: Sequence[str]) -> Program:
    """The program that the cells are when they are run one after the other."""
    lines: list[str] = []
    starts: list[int] = []
    for cell in cells:
        starts.append(len(lines))
        lines += _plain(split_lines(cell))
    return Program("".join(lines), tuple(starts))


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
