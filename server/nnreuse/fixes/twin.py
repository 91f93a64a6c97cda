"""Twins: calling the module that was meant, or deleting the one that nothing calls."""

from nnreuse.fixes.writing import Build, current, proven, siblings, statement_at, whole_lines
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import Place


def call_instead(site: Place, old: str, new: str) -> Build:
    """`self.old` at a call site becomes `self.new`: exactly the name changes."""

    def build(index: FileIndex) -> list[Edit] | None:
        if not current(index, [site]) or not site.text.endswith(f".{old}"):
            return None
        end = index.span(site).end
        return proven(index, [Edit(Span(end - len(old), end), new)])

    return build


def delete_definition(definition: Place) -> Build:
    """The whole lines of a definition go. Not offered where a comment would go with them, or nothing would be left of the block."""

    def build(index: FileIndex) -> list[Edit] | None:
        if not current(index, [definition]):
            return None
        statement = statement_at(definition)
        lines = whole_lines(definition)
        if statement is None or lines is None or len(siblings(definition.unit, statement)) < 2:
            return None
        span, _, ending = lines
        removed = Span(span.start, span.end + (0 if definition.unit.text[: span.end].endswith(ending) else len(ending)))
        text = definition.unit.text[removed.start : removed.end]
        if "#" in text:
            return None
        shift = index.span(definition).start - definition.span.start
        return proven(index, [Edit(removed.shifted(shift), "")])

    return build
