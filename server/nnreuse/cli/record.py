"""Records: findings with their positions worked out, which formats print and processes can hand over."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nnreuse.config.settings import Settings
from nnreuse.config.severity import Severity
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.notebook import Program
from nnreuse.syntax.source import Position

if TYPE_CHECKING:
    from nnreuse.fixes.fix import Fix
    from nnreuse.rules.finding import Evidence, Finding
    from nnreuse.syntax.index import FileIndex
    from nnreuse.syntax.span import Span
    from nnreuse.syntax.units import Place
    from nnreuse.workspace.analysis import Analysis


@dataclass(frozen=True, slots=True)
class Site:
    """A range of a file or of a notebook's cell, zero-based lines and code-point columns, and what is said of it."""

    start: Position
    end: Position
    message: str = ""
    cell: int | None = None
    """The cell's number in its notebook, from 1; None in a file."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A fix that was built: each edit's range and new text."""

    title: str
    applicability: str
    edits: tuple[Site, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence: its kind, its weight (positive: for a slip), and where it stands and what it says."""

    kind: str
    weight: int
    site: Site


@dataclass(frozen=True, slots=True)
class Record:
    """A finding as it is printed. `lines` holds the source of every line that a site touches, by cell and row."""

    rule: str
    severity: Severity
    message: str
    filename: str
    owner: str | None
    attribute: str | None
    site: Site
    related: tuple[Site, ...]
    notes: tuple[str, ...]
    evidence: tuple[Reason, ...]
    repairs: tuple[Repair, ...]
    unfixed: str | None
    lines: dict[tuple[int | None, int], str]

    @property
    def url(self) -> str:
        """Where the rule's page is on the web."""
        from nnreuse.rules.pages import url  # rules are loaded by whoever made the findings

        return url(self.rule)

    @property
    def where(self) -> str:
        """`file:9:13`, in a notebook `file:cell 2:9:13`."""
        cell = "" if self.site.cell is None else f"cell {self.site.cell}:"
        return f"{self.filename}:{cell}{self.site.start.line + 1}:{self.site.start.column + 1}"


def shown(analysis: "Analysis", settings: Settings) -> "list[Finding]":
    """The findings a user wants to see, in the order of their places, with the severities of the settings."""
    return sorted(analysis.shown(settings), key=lambda finding: (analysis.index.span(finding.place), finding.rule))


def record(
    finding: "Finding",
    index: "FileIndex",
    filename: str,
    repairs: tuple[Repair, ...] = (),
    program: Program | None = None,
    unfixed: str | None = None,
) -> Record:
    """A finding with its positions; `repairs` come from `built`, and `unfixed` says why there are none.

    `program`: its positions are those of a notebook's cells.
    """
    site = _site(index, finding.place, "")
    held = (_site(index, each.place, each.message) for each in finding.related if index.holds(each.place))
    related = tuple(sorted(held, key=lambda each: (each.start, each.end)))
    notes = tuple(dict.fromkeys(each.speaks_for + each.sentence for each in finding.evidence))
    rows = {row for each in (site, *related) for row in range(each.start.line, each.end.line + 1)}
    lines = {row: index.source.lines[row] for row in sorted(rows) if row < len(index.source.lines)}
    return Record(
        finding.rule,
        finding.severity,
        finding.message,
        filename,
        finding.owner,
        finding.attribute,
        _celled(site, program),
        tuple(_celled(each, program) for each in related),
        notes,
        tuple(
            Reason(each.kind, each.weight, _celled(_reason_site(index, each, finding), program))
            for each in finding.evidence
        ),
        tuple(replace(one, edits=tuple(_celled(each, program) for each in one.edits)) for one in repairs),
        unfixed,
        {_line_key(row, program): line for row, line in lines.items()},
    )


def _celled(site: Site, program: Program | None) -> Site:
    """The place in its cell. What ends where the next cell begins ends with its own."""
    if program is None:
        return site
    number, start = program.in_cell(site.start)
    return Site(
        start, Position(site.end.line - site.start.line + start.line, site.end.column), site.message, number + 1
    )


def _line_key(row: int, program: Program | None) -> tuple[int | None, int]:
    if program is None:
        return None, row
    number, at = program.in_cell(Position(row, 0))
    return number + 1, at.line


def built(
    finding: "Finding", index: "FileIndex", path: Path, takes: "Callable[[list[Edit]], bool] | None" = None
) -> tuple[Repair, ...]:
    """The fixes that can be proven right, the preferred one first; of them those whose edits `takes` accepts."""
    return tuple(
        Repair(fix.title, fix.applicability.value, tuple(_edit_site(index, edit) for edit in edits))
        for fix, edits in edits_of(finding, index, path)
        if takes is None or takes(edits)
    )


def edits_of(finding: "Finding", index: "FileIndex", path: Path) -> "list[tuple[Fix, list[Edit]]]":
    """The fixes of a finding that build, each with its edits in text order."""
    from nnreuse.workspace import neighbours  # the analysis: not for --help

    found = [(fix, neighbours.edits_of(fix, index, path)) for fix in finding.fixes]
    return [(fix, sorted(edits)) for fix, edits in found if edits]


def _reason_site(index: "FileIndex", reason: "Evidence", finding: "Finding") -> Site:
    """Where a reason is told: at the finding, if it stands where a base class of another file defines the instance."""
    return _site(index, reason.place if index.holds(reason.place) else finding.place, reason.sentence)


def _site(index: "FileIndex", place: "Place", message: str) -> Site:
    return _located(index, index.span(place), message)


def _edit_site(index: "FileIndex", edit: Edit) -> Site:
    return _located(index, edit.span, edit.content)


def _located(index: "FileIndex", span: "Span", message: str) -> Site:
    return Site(index.source.position(span.start), index.source.position(span.end), message)
