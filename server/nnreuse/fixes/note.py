"""Notes: removing a comment that says nothing true any more, or one name of its list."""

import re

from nnreuse.fixes.writing import Build, current, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import Place

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
