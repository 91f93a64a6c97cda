"""Between our shapes and the protocol's: positions, diagnostics, changes and edits, in the encoding the client reads.

Costs the findings, not the file: a position is the line where its unit begins plus the row inside the unit. Only the
edits of a fix that someone asked for touch the whole text.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lsprotocol import types as lsp

from nnreuse.config.settings import Settings
from nnreuse.config.severity import Severity
from nnreuse.config.toml import Problem
from nnreuse.fixes.fix import unfixed
from nnreuse.lsp.client import Client
from nnreuse.lsp.uris import uri_of
from nnreuse.rules import pages
from nnreuse.rules.finding import Finding, Related
from nnreuse.syntax.drift import Drift
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Encoding, Position, Source, column_in
from nnreuse.syntax.units import Place, Unit
from nnreuse.workspace.analysis import Analysis
from nnreuse.workspace.workspace import TextChange

_SEVERITIES = {
    Severity.HINT: lsp.DiagnosticSeverity.Hint,
    Severity.INFORMATION: lsp.DiagnosticSeverity.Information,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
}

_IDLE_NOTES = frozenset({"unused-suppression", "stale-shared-note"})
"""Their findings are comments that may go: editors fade them."""


def position_of(position: lsp.Position) -> Position:
    """The client's position as ours; the column stays in units of the client's encoding."""
    return Position(position.line, position.character)


def position_to(position: Position) -> lsp.Position:
    """Our position, its column already in units of the client's encoding, as the client's."""
    return lsp.Position(position.line, position.column)


def changes_of(changes: Sequence[lsp.TextDocumentContentChangeEvent]) -> list[TextChange]:
    """The client's changes, each of which is meant for the text that the one before it left."""
    return [
        TextChange(position_of(change.range.start), position_of(change.range.end), change.text)
        if isinstance(change, lsp.TextDocumentContentChangePartial)
        else TextChange(None, None, change.text)
        for change in changes
    ]


def edits_to(edits: Sequence[Edit], source: Source, encoding: Encoding) -> list[lsp.TextEdit]:
    """Edits of a text as the client's."""
    return [
        lsp.TextEdit(
            lsp.Range(
                position_to(source.position(edit.span.start, encoding)),
                position_to(source.position(edit.span.end, encoding)),
            ),
            edit.content,
        )
        for edit in edits
    ]


def problem_diagnostics(problems: Iterable[Problem]) -> list[lsp.Diagnostic]:
    """What means nothing in a settings file, each at its line."""
    return [
        lsp.Diagnostic(
            lsp.Range(lsp.Position(line := problem.line or 0, 0), lsp.Position(line + 1, 0)),
            problem.message,
            severity=lsp.DiagnosticSeverity.Warning,
            source="nnreuse",
            code="settings",
        )
        for problem in problems
    ]


@dataclass(frozen=True)
class View:
    """One analysis as the client sees it. `source` is the newest text, which may be one that does not parse."""

    uri: str
    analysis: Analysis
    source: Source
    client: Client
    settings: Settings
    newest: Callable[[Path], Source | None] = lambda _: None
    """The text of another file, where that is open and no Python for the moment."""

    def range(self, place: Place) -> lsp.Range:
        """Where a place is in the newest text."""
        return range_of(place, self.analysis.index, self.client.encoding, self._drift, self.source.lines)

    def diagnostics(self) -> list[lsp.Diagnostic]:
        """What to publish: what the settings show; unasked, hints are knowledge for those who look, and no complaint."""
        found = [one for finding in self.analysis.shown(self.settings) for one in self.diagnostics_of(finding)]
        return sorted(found, key=lambda one: (one.range.start.line, one.range.start.character))

    def diagnostics_of(self, finding: Finding) -> list[lsp.Diagnostic]:
        """A finding as a diagnostic, and at the other calls of its instance hints that point back to it."""
        main = self.diagnostic(finding)
        return [main, *(self._pointer(one, main) for one in finding.related if self._is_call_here(one))]

    def _is_call_here(self, related: Related) -> bool:
        return related.role == "call" and self.analysis.index.holds(related.place)

    def _pointer(self, related: Related, main: lsp.Diagnostic) -> lsp.Diagnostic:
        """The hint at another call. A list of problems counts the finding once, and every call is marked all the same."""
        back = [lsp.DiagnosticRelatedInformation(lsp.Location(self.uri, main.range), main.message)]
        return lsp.Diagnostic(
            range=self.range(related.place),
            message=f"{related.message}: {main.message}",
            severity=lsp.DiagnosticSeverity.Hint,
            code=main.code,
            code_description=main.code_description,
            source=main.source,
            related_information=back if self.client.related_information else None,
            data=main.data,
        )

    def marked(self, finding: Finding) -> list[tuple[Place, lsp.Range]]:
        """Where a finding is marked: at each call of its instance, its own place first."""
        return [(place, self.range(place)) for place in finding.calls if self.analysis.index.holds(place)]

    def diagnostic(self, finding: Finding) -> lsp.Diagnostic:
        """A finding as a diagnostic; `data` names the instance, which no range does once the text has changed."""
        return lsp.Diagnostic(
            range=self.range(finding.place),
            message=finding.message,
            severity=_SEVERITIES[finding.severity],
            code=finding.rule,
            code_description=lsp.CodeDescription(href=pages.url(finding.rule)),
            source="nnreuse",
            tags=[lsp.DiagnosticTag.Unnecessary] if self.client.tags and finding.rule in _IDLE_NOTES else None,
            related_information=self._related(finding),
            data={"owner": finding.owner, "attribute": finding.attribute},
        )

    def _related(self, finding: Finding) -> list[lsp.DiagnosticRelatedInformation] | None:
        """All other places, those of its evidence too, in reading order; None where there are none or the client has no room."""
        if not self.client.related_information:
            return None
        refusal = unfixed(finding.fixes, self.analysis.index) if self.analysis.error is None else None
        places = finding.places_with([] if refusal is None else [(finding.place, f"no fix is offered: {refusal}")])
        found = [(self._location(finding, place), message) for place, message in places]
        told = [lsp.DiagnosticRelatedInformation(at, message) for at, message in found if at is not None]
        return sorted(told, key=self._in_reading_order) or None

    def _in_reading_order(self, one: lsp.DiagnosticRelatedInformation) -> tuple[bool, str, int, int]:
        at = one.location.range.start
        return one.location.uri != self.uri, one.location.uri, at.line, at.character

    def _location(self, finding: Finding, place: Place) -> lsp.Location | None:
        """Where a place of a finding is, in whatever file; None where that is not known."""
        if self.analysis.index.holds(place):
            return lsp.Location(self.uri, self.range(place))
        file = finding.file_of(place)
        if file is None:
            return None
        newest = self.newest(Path(file.path))
        drift = Drift(file.index.source.lines, newest.lines) if newest is not None else None
        lines = newest.lines if newest is not None else file.index.source.lines
        return lsp.Location(uri_of(Path(file.path)), range_of(place, file.index, self.client.encoding, drift, lines))

    @cached_property
    def _drift(self) -> Drift | None:
        """What happened to the lines since the text last parsed; None where that is the text itself."""
        return None if self.analysis.error is None else Drift(self.analysis.index.source.lines, self.source.lines)


def range_of(
    place: Place, index: FileIndex, encoding: Encoding, drift: Drift | None, lines: Sequence[str]
) -> lsp.Range:
    """Where a place of a file is in its newest text, whose lines are given, and which may be older than that."""
    start, end = (_position(place.unit, at, index, encoding, drift, lines) for at in (place.span.start, place.span.end))
    return lsp.Range(start, end)


def _position(
    unit: Unit, offset: int, index: FileIndex, encoding: Encoding, drift: Drift | None, lines: Sequence[str]
) -> lsp.Position:
    """In a line that was rewritten, as near as there is text."""
    row, column = unit.row(offset)
    line = index.first_lines.get(unit, 0) + row
    column = column_in(unit.lines[row], column, encoding)
    if drift is None:
        return lsp.Position(line, column)
    now = drift.near(line)
    if drift.after(line) is not None:
        return lsp.Position(now, column)
    text = lines[now].rstrip("\r\n") if now < len(lines) else ""
    return lsp.Position(now, min(column, column_in(text, len(text), encoding)))
