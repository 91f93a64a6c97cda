"""Overwritten attributes: the second module gets the name that was meant, or the first, which is lost, is not made at all."""

import ast

from nnreuse.fixes.construction import is_plain_construction
from nnreuse.fixes.inline import deletion
from nnreuse.fixes.places import expression_at, function_at, is_self, statement_at
from nnreuse.fixes.writing import Build, current, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place


def stored_as(target: Place, name: str) -> Build:
    """`self.name = …` in place of the attribute stored at `target`; None where the constructor goes on to speak of the attribute."""

    def build(index: FileIndex) -> list[Edit] | None:
        node = expression_at(target) if current(index, [target]) else None
        function = function_at(target)
        if not isinstance(node, ast.Attribute) or function is None or not name.isidentifier():
            return None
        later = (
            one
            for one in walk(function)
            if isinstance(one, ast.Attribute) and one.attr == node.attr and is_self(one.value)
        )
        if any(target.unit.span(one).start > target.span.start for one in later):
            return None
        end = index.span(target).end
        return proven(index, [Edit(Span(end - len(node.attr), end), name)])

    return build


def not_made(definition: Place) -> Build:
    """The statement goes: what it makes is replaced before anything uses it, or was made just so before."""

    def build(index: FileIndex) -> list[Edit] | None:
        statement = statement_at(definition) if current(index, [definition]) else None
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
            return None
        removal = deletion(index, definition) if is_plain_construction(statement.value) else None
        return proven(index, [removal]) if removal is not None else None

    return build


def comment_above(place: Place) -> bool:
    """Whether a comment stands on the line above a place, at its indentation."""
    row, column = place.unit.row(place.span.start)
    line = place.unit.lines[row - 1] if row else ""
    return line[:column].isspace() and line[column : column + 1] == "#"
