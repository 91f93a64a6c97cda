"""What is known of module instances, asked about in a cell of a notebook: the notebook's program answers, in terms of cells."""

from dataclasses import dataclass
from typing import Any, cast

import attrs
from lsprotocol import types as lsp

from nnreuse.lsp.knowing import Knowing
from nnreuse.lsp.notebooks import Notebook, Notebooks


class Cells:
    """The handlers of `Knowing`, for cells among other documents."""

    def __init__(self, notebooks: Notebooks, knowing: Knowing) -> None:
        self._notebooks = notebooks
        self._knowing = knowing

    def hover(self, params: lsp.HoverParams) -> lsp.Hover | None:
        asked, cell = self._of_program(params)
        hover = self._knowing.hover(asked, cell and cell.notebook.said)
        return attrs.evolve(hover, range=cell.out_of(hover.range)) if cell and hover and hover.range else hover

    def highlight(self, params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight] | None:
        asked, cell = self._of_program(params)
        found = self._knowing.highlight(asked)
        if cell is None or not found:
            return found
        return [attrs.evolve(one, range=cell.out_of(one.range)) for one in found if cell.has(one.range.start)]

    def references(self, params: lsp.ReferenceParams) -> list[lsp.Location] | None:
        asked, cell = self._of_program(params)
        found = self._knowing.references(asked)
        return found and [self._located(cell, one) for one in found]

    def completion(self, params: lsp.CompletionParams) -> lsp.CompletionList | None:
        asked, cell = self._of_program(params)
        found = self._knowing.completion(asked)
        if cell is None or not found:
            return found
        return attrs.evolve(found, items=[_moved_item(item, cell) for item in found.items])

    def code_lens(self, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        asked, cell = self._of_program(params)
        found = self._knowing.code_lens(asked)
        if cell is None:
            return found
        return [self._of_cell(params.text_document.uri, cell, one) for one in found if cell.has(one.range.start)]

    def inlay_hint(self, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        asked, cell = self._of_program(params)
        if cell is None:
            return self._knowing.inlay_hint(asked)
        found = self._knowing.inlay_hint(attrs.evolve(asked, range=cell.notebook.into(cell.number, params.range)))
        return [
            attrs.evolve(one, position=cell.notebook.moved_out_of(cell.number, one.position))
            for one in found
            if cell.has(one.position)
        ]

    def _of_program(self, params: Any) -> tuple[Any, "_Place | None"]:
        """The question as one about the program, and the cell it was about; unchanged, and None, of other documents."""
        found = self._notebooks.found(params.text_document.uri)
        if found is None:
            return params, None
        notebook, number = found
        asked = attrs.evolve(params, text_document=lsp.TextDocumentIdentifier(notebook.uri))
        if hasattr(params, "position"):
            asked = attrs.evolve(asked, position=notebook.moved_into(number, params.position))
        return asked, _Place(notebook, number)

    def _located(self, cell: "_Place | None", one: lsp.Location) -> lsp.Location:
        return self._notebooks.location(cell.notebook, one) if cell else one

    def _of_cell(self, uri: str, cell: "_Place", lens: lsp.CodeLens) -> lsp.CodeLens:
        """The lens in its cell; what it shows when it is clicked are places in cells too."""
        if lens.command is None or lens.command.arguments is None:
            return lens
        where = cell.out_of(lens.range)
        locations = cast("list[lsp.Location]", lens.command.arguments[2])
        arguments = [uri, where.start, [self._located(cell, one) for one in locations]]
        return attrs.evolve(lens, range=where, command=attrs.evolve(lens.command, arguments=arguments))


@dataclass(frozen=True, slots=True)
class _Place:
    """A cell of an open notebook."""

    notebook: Notebook
    number: int

    def has(self, position: lsp.Position) -> bool:
        """Whether a position of the program is in the cell."""
        return position.line in self.notebook.lines(self.number)

    def out_of(self, found: lsp.Range) -> lsp.Range:
        """A range of the program as one of the cell."""
        return self.notebook.out_of(self.number, found)


def _moved_item(item: lsp.CompletionItem, cell: _Place) -> lsp.CompletionItem:
    edit = item.text_edit
    assert isinstance(edit, lsp.TextEdit)  # `Knowing` makes no other
    return attrs.evolve(item, text_edit=attrs.evolve(edit, range=cell.out_of(edit.range)))
