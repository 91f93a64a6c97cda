"""Conversion between our shapes and the protocol's, in the position encoding agreed with the client."""

from lsprotocol import types as lsp

from nnreuse.config.severity import Severity
from nnreuse.rules.finding import Finding
from nnreuse.rules.pages import url
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Encoding, Position, column_in
from nnreuse.syntax.units import Place
from nnreuse.workspace.workspace import TextChange

SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.INFORMATION: lsp.DiagnosticSeverity.Information,
    Severity.HINT: lsp.DiagnosticSeverity.Hint,
}


def encoding_of(kind: str | None) -> Encoding:
    """The encoding a capability names; UTF-16 where nothing is said."""
    return Encoding(str(getattr(kind, "value", kind))) if kind else Encoding.UTF16


def position(index: FileIndex, place: Place, offset: int, encoding: Encoding) -> lsp.Position:
    """A place in a unit as a position of the file. Costs the unit's lines, not the file's."""
    row, column = place.unit.row(offset)
    line = place.unit.lines[row] if row < len(place.unit.lines) else ""
    return lsp.Position(index.first_lines[place.unit] + row, column_in(line, column, encoding))


def range_of(index: FileIndex, place: Place, encoding: Encoding) -> lsp.Range:
    return lsp.Range(
        position(index, place, place.span.start, encoding), position(index, place, place.span.end, encoding)
    )


def diagnostic(index: FileIndex, uri: str, finding: Finding, encoding: Encoding, related: bool) -> lsp.Diagnostic:
    """A finding as a diagnostic; its evidence and other places go into related information where the client has it."""
    places = [(one.place, one.message) for one in finding.related]
    places += [(one.place, one.sentence) for one in finding.evidence if one.place is not None]
    return lsp.Diagnostic(
        range=range_of(index, finding.place, encoding),
        message=finding.message,
        severity=SEVERITIES[finding.severity],
        code=finding.rule,
        code_description=lsp.CodeDescription(href=url(finding.rule)),
        source="nnreuse",
        related_information=[
            lsp.DiagnosticRelatedInformation(lsp.Location(uri, range_of(index, place, encoding)), message)
            for place, message in places
            if place.unit in index.first_lines
        ]
        if related
        else None,
    )


def text_edit(index: FileIndex, edit: Edit, encoding: Encoding) -> lsp.TextEdit:
    """An edit, whose span is in code points of the index's text."""
    start, end = (index.source.position(offset, encoding) for offset in (edit.span.start, edit.span.end))
    return lsp.TextEdit(
        lsp.Range(lsp.Position(start.line, start.column), lsp.Position(end.line, end.column)), edit.content
    )


def change(event: lsp.TextDocumentContentChangeEvent) -> TextChange:
    """A content change; one without a range means the whole text."""
    if isinstance(event, lsp.TextDocumentContentChangePartial):
        start, end = event.range.start, event.range.end
        return TextChange(Position(start.line, start.character), Position(end.line, end.character), event.text)
    return TextChange(None, None, event.text)


def touches(a: lsp.Range, b: lsp.Range) -> bool:
    """Whether two ranges share a position, ends included."""
    return not (_key(a.end) < _key(b.start) or _key(b.end) < _key(a.start))


def _key(at: lsp.Position) -> tuple[int, int]:
    return at.line, at.character
