"""Commas: `self.conv = nn.Conv2d(…),` is a tuple of one module; without the comma it is the module."""

import ast

from nnreuse.fixes.places import expression_at
from nnreuse.fixes.writing import Build, current, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.units import Place


def without_comma(value: Place) -> Build:
    """The one element in place of the tuple. None where a comment stands in it."""

    def build(index: FileIndex) -> list[Edit] | None:
        found = expression_at(value) if current(index, [value]) else None
        if not isinstance(found, ast.Tuple) or len(found.elts) != 1 or "#" in value.text:
            return None
        element = Place(value.unit, value.unit.span(found.elts[0]))
        return proven(index, [Edit(index.span(value), element.text)])

    return build
