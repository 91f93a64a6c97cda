"""Notes: removing a comment that says nothing true any more, or one name of its list; adding one."""

import re

from nnreuse.fixes.writing import Build, after, current, proven
from nnreuse.syntax.comments import comments_containing
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import Place, Unit

_LIST = re.compile(r"\[([^\]]*)\]")


def delete_note(comment: Place) -> Build:
    """The note goes, up to the next `#`; its line goes with it where nothing else stands there."""

    def build(index: FileIndex) -> list[Edit] | None:
        if not current(index, [comment]):
            return None
        row, column = comment.unit.row(comment.span.start)
        line = comment.unit.lines[row]
        start = comment.text.find("nnreuse:")
        start = comment.text.rfind("#", 0, start) if start >= 0 else 0
        end = comment.text.find("#", start + 1)
        note = Span(start, end if end >= 0 else len(comment.text))
        offset = index.span(comment).start
        before, after = line[: column + note.start], line[column + note.end :]
        if not before.strip() and not after.strip():
            return proven(index, [Edit(Span(offset - column, offset - column + len(line)), "")])
        # With something behind it the note goes alone; else the space before it goes too.
        spaces = 0 if after.strip() else len(before) - len(before.rstrip())
        return proven(index, [Edit(Span(offset + note.start - spaces, offset + note.end), "")])

    return build


def delete_name(comment: Place, name: str) -> Build:
    """One rule's name goes from the note's list; the rest stays as written."""

    def build(index: FileIndex) -> list[Edit] | None:
        match = _LIST.search(comment.text) if current(index, [comment]) else None
        if match is None:
            return None
        kept = [part.strip() for part in match.group(1).split(",") if part.strip() and part.strip() != name]
        start = index.span(comment).start
        return proven(index, [Edit(Span(start + match.start(1), start + match.end(1)), ", ".join(kept))])

    return build


def add_ignore(place: Place, rule: str) -> Build:
    """`# nnreuse: ignore[rule]` behind the line where a place begins, or the name in the list that stands there."""

    def build(index: FileIndex) -> list[Edit] | None:
        if not current(index, [place]):
            return None
        row, _ = place.unit.row(place.span.start)
        known = re.search(r"#\s*nnreuse:\s*ignore\s*\[(?=[^\]]*\])", place.unit.lines[row])
        if known is None:
            return _behind(index, place.unit, row, f"# nnreuse: ignore[{rule}]")
        at = index.source.starts[index.first_lines[place.unit] + row] + known.end()
        return proven(index, [Edit(Span(at, at), f"{rule}, ")])

    return build


def declare_shared(definition: Place) -> Build:
    """`# nnreuse: shared` behind the last line of a definition."""

    def build(index: FileIndex) -> list[Edit] | None:
        if not current(index, [definition]):
            return None
        row, _ = definition.unit.row(definition.span.end)
        return _behind(index, definition.unit, row, "# nnreuse: shared")

    return build


def _behind(index: FileIndex, unit: Unit, row: int, comment: str) -> list[Edit] | None:
    """A comment at the end of a line; None where the line ends in a string or a backslash, and it would be none."""
    line = unit.lines[row].rstrip("\r\n")
    text = line.rstrip()
    number = index.first_lines[unit] + row
    start = index.source.starts[number]
    added = Edit(Span(start + len(text), start + len(line)), f"  {comment}")
    edits = proven(index, [added])
    if edits is None or not _is_comment(index, added, number):
        return None
    return edits


def _is_comment(index: FileIndex, added: Edit, number: int) -> bool:
    noted = after(index, [added])
    found = (comment.place for comment in comments_containing(noted, "nnreuse:"))
    return any(noted.first_lines[one.unit] + one.unit.row(one.span.start)[0] == number for one in found)
