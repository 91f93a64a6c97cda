"""Notebooks on disk: JSON, whose code cells are one program; and the same JSON with edited cells, nothing else changed."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from nnreuse.syntax.edits import Edit, apply_edits
from nnreuse.syntax.notebook import Program, cell_edits, program_of
from nnreuse.syntax.source import split_lines
from nnreuse.workspace.files import FileProblem

SUFFIX = ".ipynb"
_INDENT = re.compile(r"\A\s*\{\r?\n([ \t]*)\"")


class NotANotebook(FileProblem):
    """A file that can be read, and is no notebook."""


@dataclass(frozen=True)
class NotebookFile:
    """A notebook's JSON and the texts of its cells, those empty that are not Python."""

    text: str
    cells: tuple[str, ...]

    @staticmethod
    def of(path: Path, text: str) -> "NotebookFile":
        """The notebook that a text is. Raises NotANotebook."""
        try:
            content = cast("dict[str, Any]", json.loads(text))
            python = _language(content) == "python"
            return NotebookFile(text, tuple(_source(cell) if python else "" for cell in _cells(content)))
        except ValueError as error:
            raise NotANotebook(path, f"is no notebook: {error}") from None
        except (AttributeError, KeyError, TypeError, RecursionError):
            raise NotANotebook(path, "is no notebook: it has no list of cells as nbformat 4 has it") from None

    @cached_property
    def program(self) -> Program:
        """What the cells are when they are run one after the other."""
        return program_of(self.cells)

    @cached_property
    def writer(self) -> dict[str, Any] | None:
        """How `json.dumps` gives back the very text; None where it does not, and no edit can be written."""
        found = _INDENT.match(self.text)
        indent = found[1] if found else None
        for ascii_only in (False, True):
            options: dict[str, Any] = {"indent": indent, "ensure_ascii": ascii_only}
            if _dumped(json.loads(self.text), options, self.text) == self.text:
                return options
        return None

    def takes(self, edits: Iterable[Edit]) -> bool:
        """Whether edits of the program can be made in the cells, and the cells be written."""
        return self.writer is not None and cell_edits(self.cells, self.program, edits) is not None

    def edited(self, edits: Iterable[Edit]) -> "NotebookFile":
        """The notebook after edits of its program; the same where it does not take them."""
        by_cell = cell_edits(self.cells, self.program, edits)
        if by_cell is None or self.writer is None:
            return self
        content = json.loads(self.text)
        cells = list(self.cells)
        for number, found in by_cell.items():
            cells[number] = apply_edits(cells[number], found)
            _cells(content)[number]["source"] = _like(_cells(content)[number]["source"], cells[number])
        return replace(self, text=_dumped(content, self.writer, self.text), cells=tuple(cells))


def _dumped(content: object, options: dict[str, Any], like: str) -> str:
    text = json.dumps(content, **options)
    if "\r\n" in like:
        text = text.replace("\n", "\r\n")
    return text + like[len(like.rstrip()) :]


def _cells(content: dict[str, Any]) -> list[dict[str, Any]]:
    return content["cells"]


def _source(cell: dict[str, Any]) -> str:
    source = cell["source"]
    text = source if isinstance(source, str) else "".join(cast("list[str]", source))
    return text if cell["cell_type"] == "code" else ""


def _like(source: object, text: str) -> object:
    """A cell's source in the form it had: one text, or a list of lines."""
    return text if isinstance(source, str) else split_lines(text)


def _language(content: dict[str, Any]) -> str:
    described = content.get("metadata", {})
    kernel = described.get("kernelspec", {}).get("language")
    return str(kernel or described.get("language_info", {}).get("name") or "python").lower()
