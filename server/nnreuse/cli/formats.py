"""What `check` prints: the output formats, and the table of `--statistics`. Lines and columns start at 1."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import click

from nnreuse.cli.frame import frame
from nnreuse.cli.record import Record, Repair, Site
from nnreuse.config.severity import Severity

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFORMATION: "blue", Severity.HINT: "green"}


def full(records: Iterable[Record]) -> Iterator[str]:
    """Each finding with its code, its evidence and its first fix."""
    for record in records:
        head = click.style(f"{record.severity.value}[{record.rule}]", fg=_COLOURS[record.severity], bold=True)
        yield "\n".join([f"{head}: {click.style(record.message, bold=True)}", *frame(record), *_notes(record), ""])


def concise(records: Iterable[Record]) -> Iterator[str]:
    """One line for each finding."""
    for record in records:
        code = click.style(f"{record.severity.value}[{record.rule}]", fg=_COLOURS[record.severity])
        yield f"{record.where}: {code} {record.message}"


def as_json(records: Iterable[Record]) -> Iterator[str]:
    """One list of all findings."""
    yield json.dumps([_object(record) for record in records], indent=2)


def json_lines(records: Iterable[Record]) -> Iterator[str]:
    """One object for each finding, a line each."""
    return (json.dumps(_object(record)) for record in records)


def statistics(records: Iterable[Record]) -> Iterator[str]:
    """How many findings each rule has, by severity, the most first."""
    for (rule, severity), count in _counted(records):
        yield f"{count:>6}  {click.style(f'{severity.value:<11}', fg=_COLOURS[severity])}  {rule}"


def json_statistics(records: Iterable[Record]) -> Iterator[str]:
    """The same table, for programs."""
    rows = [{"code": rule, "severity": severity.value, "count": count} for (rule, severity), count in _counted(records)]
    yield json.dumps(rows, indent=2)


Format = Callable[[Iterable[Record]], Iterator[str]]
FORMATS: dict[str, Format] = {"full": full, "concise": concise, "json": as_json, "json-lines": json_lines}


def _counted(records: Iterable[Record]) -> list[tuple[tuple[str, Severity], int]]:
    counts = Counter((record.rule, record.severity) for record in records)
    return sorted(counts.items(), key=lambda each: (-each[1], -each[0][1].rank, each[0][0]))


def _notes(record: Record) -> Iterator[str]:
    margin = " " * (len(str(max(site.start.line for site in (record.site, *record.related)) + 1)) + 1)
    helps = [f"help: {_offered(record)}"] if record.repairs else []
    refusal = [f"note: no fix is offered: {record.unfixed}"] if record.unfixed else []
    page = f"help: `nnreuse rule {record.rule}` explains"
    for line in chain((f"note: {note}" for note in record.notes), refusal, helps, [page]):
        yield f"{margin}= {line}"


def _offered(record: Record) -> str:
    """The fix that an option would apply, else the first, and what applies it."""
    applied = (repair for repair in record.repairs if repair.applicability != "display")
    repair = next(applied, record.repairs[0])
    return f"{repair.title} ({_applied_by(record, repair)})"


def _applied_by(record: Record, repair: Repair) -> str:
    if repair.applicability == "safe":
        return "use --fix"
    if repair.applicability == "display":
        return "to be written by hand"
    if record.severity.rank >= Severity.WARNING.rank:
        return "use --unsafe-fixes"
    return f"in an editor, or with --severity {record.rule}=warning --unsafe-fixes"


def _object(record: Record) -> dict[str, object]:
    repairs = [_repair(repair) for repair in record.repairs]
    return {
        "code": record.rule,
        "severity": record.severity.value,
        "message": record.message,
        "url": record.url,
        "filename": record.filename,
        "cell": record.site.cell,
        **_range(record.site),
        "class": record.owner,
        "attribute": record.attribute,
        "related": [
            {"filename": record.filename, **_cell(site), **_range(site), "message": site.message}
            for site in record.related
        ],
        "evidence": [
            {"kind": one.kind, "weight": one.weight, **_cell(one.site), **_range(one.site), "message": one.site.message}
            for one in record.evidence
        ],
        "fix": repairs[0] if repairs else None,
        "fixes": repairs,
        "unfixed": record.unfixed,
    }


def _repair(repair: Repair) -> dict[str, object]:
    return {
        "message": repair.title,
        "applicability": repair.applicability,
        "edits": [{"content": edit.message, **_cell(edit), **_range(edit)} for edit in repair.edits],
    }


def _cell(site: Site) -> dict[str, object]:
    """Related places and edits of a notebook may be in other cells; those of a file say nothing of cells."""
    return {} if site.cell is None else {"cell": site.cell}


def _range(site: Site) -> dict[str, object]:
    return {
        "location": {"row": site.start.line + 1, "column": site.start.column + 1},
        "end_location": {"row": site.end.line + 1, "column": site.end.column + 1},
    }
