"""Adding: a list that was assigned where it was to be added to what is there."""

import ast

from nnreuse.fixes.places import statement_at
from nnreuse.fixes.writing import Build, current, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import Place

_LISTS = (ast.List, ast.ListComp)


def added(earlier: Place, later: Place) -> Build:
    """`self.layers = […]` becomes `self.layers += […]`, where both are lists."""

    def build(index: FileIndex) -> list[Edit] | None:
        first, second = statement_at(earlier), statement_at(later) if current(index, [earlier, later]) else None
        if not isinstance(first, ast.Assign) or not isinstance(second, ast.Assign) or len(second.targets) != 1:
            return None
        if not isinstance(first.value, _LISTS) or not isinstance(second.value, _LISTS):
            return None
        after = later.unit.span(second.targets[0]).end
        between = later.unit.text[after : later.unit.span(second.value).start]
        at = index.span(later).start - later.span.start + after + between.index("=")
        return proven(index, [Edit(Span(at, at), "+")])

    return build
