"""Notes: what comments say about findings, and which findings each note silences.

# nnreuse: shared, reason           at a definition: the sharing is meant
# nnreuse: ignore[rule, …] reason   at the end of a statement's line, or alone above it; without names, every rule
# nnreuse: ignore-file[rule, …]     anywhere in the file
# noqa                              without codes: every rule
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from nnreuse.rules import registry
from nnreuse.rules.finding import Finding
from nnreuse.syntax.comments import Comment, comments_containing
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Trace
from nnreuse.tracing.values import Instance
from nnreuse.types.file import File

Kind = Literal["shared", "ignore", "ignore-file", "noqa", "misspelled"]

_NOTE = re.compile(r"#\s*nnreuse:\s*(?P<word>[\w-]+)?\s*(?:\[(?P<rules>[^\]]*)\])?")
_NOQA = re.compile(r"#\s*noqa\b(?!\s*:)", re.IGNORECASE)
_KINDS: dict[str, Kind] = {"shared": "shared", "ignore": "ignore", "ignore-file": "ignore-file"}


@dataclass(frozen=True, slots=True)
class Note:
    """One note. `rules` as written; none means all. `rows` are the lines of the file it speaks about."""

    kind: Kind
    rules: tuple[str, ...]
    comment: Comment

    def names(self, rule: str) -> bool:
        return not self.rules or rule in self.rules


@dataclass(frozen=True, slots=True)
class Silenced:
    """What notes have done to the findings of a file: those that are left, and the rules that each note silenced."""

    findings: list[Finding]
    notes: tuple[Note, ...]
    used: dict[Note, set[str]]


def notes_of(index: FileIndex) -> tuple[Note, ...]:
    """The notes of a file, in text order."""
    found = (_note(comment) for comment in comments_containing(index, "nnreuse:", "noqa", "NOQA"))
    return tuple(note for note in found if note is not None)


def _note(comment: Comment) -> Note | None:
    match = _NOTE.search(comment.text)
    if match is None:
        return Note("noqa", (), comment) if _NOQA.search(comment.text) else None
    kind = _KINDS.get(match["word"] or "", "misspelled")
    names = tuple(name.strip() for name in (match["rules"] or "").split(",") if name.strip())
    return Note(kind, names, comment)


def silenced(file: File, judged: Iterable[tuple[Trace, list[Finding]]]) -> Silenced:
    """The findings of a file's classes, less those that its notes silence, or the notes where an inherited module is defined."""
    by_file = {file.path: notes_of(file.index)}
    result = Silenced([], by_file[file.path], {})
    for trace, findings in judged:
        for finding in findings:
            notes = _notes_on(file, finding, by_file[file.path]) or _declaration(file, trace, finding, by_file)
            for note in notes:
                result.used.setdefault(note, set()).add(finding.rule)
            if not notes:
                result.findings.append(finding)
    return result


def _notes_on(file: File, finding: Finding, notes: tuple[Note, ...]) -> list[Note]:
    """The notes that silence a finding: for the file, or at any call of its instance or where that is defined."""
    found = [note for note in notes if note.kind in ("ignore", "ignore-file", "noqa") and note.names(finding.rule)]
    if not found:
        return []
    rows = {_row(file, place) for place in finding.noted if file.index.holds(place)}
    return [note for note in found if note.kind == "ignore-file" or not rows.isdisjoint(note.comment.rows)]


def _declaration(file: File, trace: Trace, finding: Finding, by_file: dict[str, tuple[Note, ...]]) -> list[Note]:
    """The `shared` note where what a finding is about is made or named."""
    if not registry.is_about_sharing(finding.rule):
        return []
    for owner, place in [(file, finding.place), *_subjects(trace, finding)]:
        notes = by_file.get(owner.path)
        if notes is None:
            notes = by_file[owner.path] = notes_of(owner.index)
        if notes and owner.index.holds(place):
            row = _row(owner, place)
            for note in notes:
                if note.kind == "shared" and row in note.comment.rows:
                    return [note]
    return []


def _subjects(trace: Trace, finding: Finding) -> Iterator[tuple[File, Place]]:
    if finding.attribute is None:
        return
    held = [i for path, instances in trace.held.items() if _is_below(path, finding.attribute) for i in instances]
    yield from made_at(trace, held)
    for definition in (*trace.definitions, *trace.collections):
        if definition.name == finding.attribute.split(".")[0]:
            yield definition.file, definition.place


def made_at(trace: Trace, instances: Iterable[Instance]) -> Iterator[tuple[File, Place]]:
    """Where instances are constructed and where a constructor names them."""
    wanted = {instance.ident for instance in instances}
    for instance in instances:
        if instance.place is not None and instance.file is not None:
            yield instance.file, instance.place
    for definition in trace.definitions:
        if any(one.ident in wanted for one in definition.instances):
            yield definition.file, definition.place


def _is_below(path: str, attribute: str) -> bool:
    return path == attribute or path.startswith((f"{attribute}.", f"{attribute}(unregistered)"))


def _row(file: File, place: Place) -> int:
    return file.index.first_lines[place.unit] + place.unit.row(place.span.start)[0]
