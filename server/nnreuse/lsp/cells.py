"""What is known of module instances, asked about in a cell of a notebook: the notebook's program answers, in terms of cells."""

from typing import Any, cast

import attrs
from lsprotocol import types as lsp

from nnreuse.lsp.knowing import Knowing
from nnreuse.lsp.notebooks import Notebook, Notebooks, moved, moved_range


class Cells:
    """The handlers of `Knowing`, for cells among other documents."""

    def __init__(self, notebooks: Notebooks, knowing: Knowing) -> None:
        self._notebooks = notebooks
        self._knowing = knowing

    def hover(self, params: lsp.HoverParams) -> lsp.Hover | None:
        asked, first, _ = self._of_program(params)
        notebook = self._notebook(params)
        hover = self._knowing.hover(asked, notebook and notebook.said)
        return attrs.evolve(hover, range=moved_range(hover.range, -first)) if hover and hover.range else hover

    def highlight(self, params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight] | None:
        asked, first, lines = self._of_program(params)
        found = self._knowing.highlight(asked)
        return found and [
            attrs.evolve(one, range=moved_range(one.range, -first)) for one in found if one.range.start.line in lines
        ]

    def references(self, params: lsp.ReferenceParams) -> list[lsp.Location] | None:
        notebook = self._notebook(params)
        found = self._knowing.references(self._of_program(params)[0])
        return found and [self._located(notebook, one) for one in found]

    def completion(self, params: lsp.CompletionParams) -> lsp.CompletionList | None:
        asked, first, _ = self._of_program(params)
        found = self._knowing.completion(asked)
        return found and attrs.evolve(found, items=[_moved_item(item, -first) for item in found.items])

    def code_lens(self, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        asked, first, lines = self._of_program(params)
        found = self._knowing.code_lens(asked)
        return [
            self._of_cell(params.text_document.uri, self._notebook(params), one, first)
            for one in found
            if one.range.start.line in lines
        ]

    def inlay_hint(self, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        asked, first, lines = self._of_program(params)
        found = self._knowing.inlay_hint(attrs.evolve(asked, range=moved_range(params.range, first)))
        return [attrs.evolve(one, position=moved(one.position, -first)) for one in found if one.position.line in lines]

    def _notebook(self, params: Any) -> Notebook | None:
        found = self._notebooks.found(params.text_document.uri)
        return found[0] if found else None

    def _of_program(self, params: Any) -> tuple[Any, int, range]:
        """The question as one about the program, the line at which the cell begins there, and the cell's lines."""
        found = self._notebooks.found(params.text_document.uri)
        if found is None:
            return params, 0, range(2**31)
        notebook, number = found
        lines = notebook.lines(number)
        asked = attrs.evolve(params, text_document=lsp.TextDocumentIdentifier(notebook.uri))
        if hasattr(params, "position"):
            asked = attrs.evolve(asked, position=moved(params.position, lines.start))
        return asked, lines.start, lines

    def _located(self, notebook: Notebook | None, one: lsp.Location) -> lsp.Location:
        return self._notebooks.location(notebook, one) if notebook else one

    def _of_cell(self, uri: str, notebook: Notebook | None, lens: lsp.CodeLens, first: int) -> lsp.CodeLens:
        """The lens in its cell; what it shows when it is clicked are places in cells too."""
        where = moved_range(lens.range, -first)
        if notebook is None or lens.command is None or lens.command.arguments is None:
            return lens
        locations = cast("list[lsp.Location]", lens.command.arguments[2])
        arguments = [uri, where.start, [self._located(notebook, one) for one in locations]]
        return attrs.evolve(lens, range=where, command=attrs.evolve(lens.command, arguments=arguments))


def _moved_item(item: lsp.CompletionItem, by: int) -> lsp.CompletionItem:
    edit = item.text_edit
    assert isinstance(edit, lsp.TextEdit)  # `Knowing` makes no other
    return attrs.evolve(item, text_edit=attrs.evolve(edit, range=moved_range(edit.range, by)))
