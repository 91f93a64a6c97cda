"""Workspace: open buffers and files on disk, and the one entry point that analyses them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnreuse.syntax.source import Encoding, Position, Source
from nnreuse.workspace.analysis import Analysis


@dataclass(frozen=True, slots=True)
class TextChange:
    """`[start, end)` became `text`; both None means the whole text."""

    start: Position | None
    end: Position | None
    text: str


class Workspace:
    """Holds what is open. Every method answers at once and never raises for the content of a file."""

    def open(self, path: Path, text: str) -> Analysis:
        raise NotImplementedError

    def change(self, path: Path, changes: Sequence[TextChange], encoding: Encoding) -> Analysis:
        raise NotImplementedError

    def close(self, path: Path) -> None:
        raise NotImplementedError

    def current(self, path: Path) -> Analysis | None:
        """The latest analysis of an open file."""
        raise NotImplementedError

    def source(self, path: Path) -> Source | None:
        """The newest text of an open file: newer than its analysis where that does not parse."""
        raise NotImplementedError
