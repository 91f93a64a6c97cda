"""Resizing: a constructor call with another size in the place of one of its arguments."""

import ast
from dataclasses import dataclass

from nnreuse.fixes.writing import current, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.units import Place


@dataclass(frozen=True, slots=True)
class Resized:
    """The constructor call at `place` with `size` instead of `argument`."""

    place: Place
    argument: ast.expr
    size: str

    @property
    def text(self) -> str:
        """The whole call, as it is to be written."""
        inner, start = self.place.unit.span(self.argument), self.place.span.start
        whole = self.place.text
        return whole[: inner.start - start] + self.size + whole[inner.end - start :]

    def build(self, index: FileIndex) -> list[Edit] | None:
        """The edit of the argument alone."""
        if not current(index, [self.place]):
            return None
        return proven(index, [Edit(index.span(Place(self.place.unit, self.place.unit.span(self.argument))), self.size)])
