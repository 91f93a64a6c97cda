"""Workspace: open buffers, kept current edit by edit, and the one entry point that analyses them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nnreuse.config.settings import Settings
from nnreuse.rules import hover
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Encoding, LineChange, Position, Source
from nnreuse.syntax.units import Unparsable
from nnreuse.workspace.analysis import Analysis
from nnreuse.workspace.project import Project


@dataclass(frozen=True, slots=True)
class TextChange:
    """`[start, end)` became `text`; both None means the whole text."""

    start: Position | None
    end: Position | None
    text: str


@dataclass(frozen=True, slots=True)
class Hover:
    """What is shown at a position: Markdown, and the range it is about."""

    markdown: str
    start: Position
    end: Position


@dataclass(slots=True)
class _Buffer:
    source: Source
    index: FileIndex
    analysis: Analysis


class Workspace:
    """Holds what is open. Every method answers at once and never raises for the content of a file."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._project = Project(settings or Settings())
        self._open: dict[Path, _Buffer] = {}

    def open(self, path: Path, text: str) -> Analysis:
        """Begins to follow a buffer."""
        source = Source(text)
        try:
            index = FileIndex.of(source)
        except Unparsable as error:
            index = FileIndex(source, [], error)
        return self._analysed(path, source, index)

    def change(self, path: Path, changes: Sequence[TextChange], encoding: Encoding) -> Analysis:
        """The buffer after some edits, each on the result of the one before. Costs the units they touch."""
        buffer = self._open.get(path)
        if buffer is None:
            return self.open(path, "".join(c.text for c in changes[-1:]))
        source, index = buffer.source, buffer.index
        for change in changes:
            source, lines = _applied(source, change, encoding)
            index = index.updated(source, lines)
        return self._analysed(path, source, index)

    def _analysed(self, path: Path, source: Source, index: FileIndex) -> Analysis:
        last = self._open.get(path)
        if index.broken is None:
            analysis = self._project.analyse(path, index)
        elif last is not None:
            analysis = replace(last.analysis, error=index.broken)
        else:
            analysis = Analysis(index, (), index.broken)
        self._open[path] = _Buffer(source, index, analysis)
        return analysis

    def close(self, path: Path) -> None:
        """Stops following a buffer."""
        self._open.pop(path, None)

    def current(self, path: Path) -> Analysis | None:
        """The latest analysis of an open file."""
        buffer = self._open.get(path)
        return buffer.analysis if buffer else None

    def source(self, path: Path) -> Source | None:
        """The newest text of an open file: newer than its analysis where that does not parse."""
        buffer = self._open.get(path)
        return buffer.source if buffer else None

    def hover(self, path: Path, position: Position, encoding: Encoding) -> Hover | None:
        """The answer to "may I reuse this?" for the module instance at a position."""
        buffer = self._open.get(path)
        if buffer is None or buffer.analysis.error is not None:
            return None
        file = self._project.file(path, buffer.index)
        offset = buffer.source.offset(position, encoding)
        for trace in self._project.traces(file):
            found = hover.explain(trace, buffer.index, offset)
            if found is not None:
                markdown, span = found
                start, end = buffer.source.position(span.start, encoding), buffer.source.position(span.end, encoding)
                return Hover(markdown, start, end)
        return None


def _applied(source: Source, change: TextChange, encoding: Encoding) -> tuple[Source, LineChange]:
    if change.start is None or change.end is None:
        whole = Source(change.text)
        return whole, LineChange(0, len(source.lines), len(whole.lines))
    return source.edited(change.start, change.end, change.text, encoding)
