"""Notebooks: their cells are documents of the client, and one program to us. This translates between the two.

The program is a document like any other, under the notebook's own URI; what is said of it is said of its cells.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import attrs
from lsprotocol import types as lsp

from nnreuse.lsp import actions
from nnreuse.lsp.convert import changes_of, edits_to, position_of
from nnreuse.lsp.session import Session
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.notebook import Program, cell_edits, program_of
from nnreuse.syntax.source import Source
from nnreuse.syntax.span import Span
from nnreuse.workspace.workspace import applied


@dataclass(slots=True)
class _Cell:
    uri: str
    version: int
    source: Source
    is_code: bool = True
    """Whether its text is Python. Else none of it is kept: the program would have words and other languages in it."""


@dataclass(slots=True)
class Notebook:
    """An open notebook: its cells, and the program they are."""

    uri: str
    cells: list[_Cell] = field(default_factory=list[_Cell])
    program: Program = field(default_factory=lambda: Program("", ()))
    version: int = 0
    typed: frozenset[str] = frozenset()
    """The cells that the last edit was about."""

    def lines(self, number: int) -> range:
        """The lines of the program that are a cell's."""
        starts = (*self.program.starts, self.program.text.count("\n") + 1)
        return range(starts[number], starts[number + 1])

    def into(self, number: int, found: lsp.Range) -> lsp.Range:
        """A range of a cell as one of the program."""
        return lsp.Range(self.moved_into(number, found.start), self.moved_into(number, found.end))

    def moved_into(self, number: int, position: lsp.Position) -> lsp.Position:
        """A position of a cell as one of the program."""
        at = self.program.moved_from(number, position_of(position))
        return lsp.Position(at.line, at.column)

    def out_of(self, number: int, found: lsp.Range) -> lsp.Range:
        """A range of the program as one of a cell."""
        return lsp.Range(self.moved_out_of(number, found.start), self.moved_out_of(number, found.end))

    def moved_out_of(self, number: int, position: lsp.Position) -> lsp.Position:
        """A position of the program as one of a cell."""
        at = self.program.moved_to(number, position_of(position))
        return lsp.Position(at.line, at.column)

    def said(self, location: lsp.Location) -> str:
        """How people call a place of the program: “cell 2, line 3”."""
        line = location.range.start.line
        number = self.program.cell_at(line)
        return f"cell {number + 1}, line {line - self.program.starts[number] + 1}"


class Notebooks:
    """The handlers for notebooks, and those that speak of cells among other documents."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._open: dict[str, Notebook] = {}
        session.publish_notebook = self._publish

    def did_open(self, params: lsp.DidOpenNotebookDocumentParams) -> None:
        notebook = Notebook(params.notebook_document.uri)
        texts = {document.uri: document for document in params.cell_text_documents}
        self._insert(notebook, 0, params.notebook_document.cells, texts)
        self._open[notebook.uri] = notebook
        self._analyse(notebook)

    def did_change(self, params: lsp.DidChangeNotebookDocumentParams) -> None:
        notebook = self._open.get(params.notebook_document.uri)
        changed = params.change.cells
        if notebook is None or changed is None:
            return
        before = self._shown(notebook)
        if changed.structure is not None:
            array = changed.structure.array
            texts = {document.uri: document for document in changed.structure.did_open or ()}
            gone = notebook.cells[array.start : array.start + array.delete_count]
            known = {cell.uri: cell for cell in gone}
            del notebook.cells[array.start : array.start + array.delete_count]
            self._insert(notebook, array.start, array.cells or (), texts, known)
            self._clear(cell for cell in gone if cell not in notebook.cells)
        if changed.text_content:
            notebook.typed = frozenset(content.document.uri for content in changed.text_content)
        for content in changed.text_content or ():
            for cell in notebook.cells:
                if cell.uri == content.document.uri:
                    cell.version = content.document.version
                    for change in changes_of(content.changes) if cell.is_code else ():
                        cell.source, _ = applied(cell.source, change, self._session.client.encoding)
        self._analyse(notebook)
        if self._session.client.pulls:
            edited = {content.document.uri for content in changed.text_content or ()}
            after = self._shown(notebook)
            if any(before.get(uri) != found for uri, found in after.items() if uri not in edited):
                self._session.refresh_diagnostics()

    def did_save(self, params: lsp.DidSaveNotebookDocumentParams) -> None:
        """What is on disk concerns nobody else: nothing imports a notebook."""

    def did_close(self, params: lsp.DidCloseNotebookDocumentParams) -> None:
        notebook = self._open.pop(params.notebook_document.uri, None)
        if notebook is not None:
            self._session.close_text(notebook.uri)
            self._clear(notebook.cells)

    def code_action(self, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        found = self.found(params.text_document.uri)
        if found is None:
            return self._session.code_action(params)
        notebook, number = found
        named = [attrs.evolve(one, range=notebook.into(number, one.range)) for one in params.context.diagnostics]
        asked = lsp.CodeActionParams(
            lsp.TextDocumentIdentifier(notebook.uri),
            notebook.into(number, params.range),
            attrs.evolve(params.context, diagnostics=named),
        )
        offered: list[lsp.CodeAction] = []
        for action in self._session.code_action(asked):
            with suppress(_NotOfCells):
                diagnostics = [self._of_cell(notebook, one) for one in action.diagnostics or ()]
                offered.append(self._of_cells(notebook, attrs.evolve(action, diagnostics=diagnostics or None)))
        return offered

    def resolve(self, action: lsp.CodeAction) -> lsp.CodeAction:
        resolved = self._session.resolve(action)
        if resolved.command is not None:
            return resolved
        notebook = self._open.get(cast("dict[str, Any]", action.data).get("uri", ""))
        try:
            return self._of_cells(notebook, resolved) if notebook else resolved
        except _NotOfCells:
            raise actions.stale(action) from None

    def diagnostic(self, params: lsp.DocumentDiagnosticParams) -> lsp.DocumentDiagnosticReport:
        found = self.found(params.text_document.uri)
        if found is None:
            return self._session.diagnostic(params)
        notebook, number = found
        asked = lsp.DocumentDiagnosticParams(
            lsp.TextDocumentIdentifier(notebook.uri), previous_result_id=params.previous_result_id
        )
        report = self._session.diagnostic(asked)
        if not isinstance(report, lsp.RelatedFullDocumentDiagnosticReport):
            return report
        return attrs.evolve(report, items=self._by_cell(notebook, report.items)[number])

    def _insert(
        self,
        notebook: Notebook,
        at: int,
        cells: Sequence[lsp.NotebookCell],
        texts: dict[str, lsp.TextDocumentItem],
        known: dict[str, _Cell] | None = None,
    ) -> None:
        """Adds cells; those that are no code hold the place of their number, without text."""
        new: list[_Cell] = []
        for cell in cells:
            self._session.closed.taken_up(cell.document)
            text = texts.get(cell.document)
            is_code = cell.kind is lsp.NotebookCellKind.Code and (text is None or text.language_id == "python")
            source = Source(text.text if text and is_code else "")
            made = _Cell(cell.document, text.version if text else 0, source, is_code)
            new.append(made if text else (known or {}).get(cell.document, made))
        notebook.cells[at:at] = new

    def _analyse(self, notebook: Notebook) -> None:
        typed = {number for number, cell in enumerate(notebook.cells) if cell.uri in notebook.typed}
        notebook.program = program_of([cell.source.text for cell in notebook.cells], typed)
        notebook.version += 1
        self._session.set_text(notebook.uri, notebook.program.text, notebook.version)

    def _publish(self, uri: str, diagnostics: list[lsp.Diagnostic]) -> bool:
        """Publishes for each cell what was found in a notebook; False where the document is none."""
        notebook = self._open.get(uri)
        if notebook is None:
            return False
        for cell, found in zip(notebook.cells, self._by_cell(notebook, diagnostics), strict=True):
            self._session.server.text_document_publish_diagnostics(
                lsp.PublishDiagnosticsParams(cell.uri, found, cell.version)
            )
        return True

    def _clear(self, cells: Iterator[_Cell] | Sequence[_Cell]) -> None:
        """Cells that are closed have nothing any more: a client that pulls asks for them once more, and does not listen then."""
        for cell in cells:
            self._session.closed.let_go(cell.uri)
            if not self._session.client.pulls:
                self._session.server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(cell.uri, []))

    def found(self, uri: str) -> tuple[Notebook, int] | None:
        """The notebook a cell belongs to, and its number."""
        for notebook in self._open.values():
            for number, cell in enumerate(notebook.cells):
                if cell.uri == uri:
                    return notebook, number
        return None

    def _shown(self, notebook: Notebook) -> dict[str, list[lsp.Diagnostic]]:
        """What each cell has, for a client that asks for it."""
        document = self._session.documents.get(notebook.uri)
        if document is None or not self._session.client.pulls:
            return {}
        by_cell = self._by_cell(notebook, self._session.shown(document))
        return {cell.uri: found for cell, found in zip(notebook.cells, by_cell, strict=True)}

    def _by_cell(self, notebook: Notebook, diagnostics: Sequence[lsp.Diagnostic]) -> list[list[lsp.Diagnostic]]:
        found: list[list[lsp.Diagnostic]] = [[] for _ in notebook.cells]
        for one in diagnostics:
            number = notebook.program.cell_at(one.range.start.line)
            found[number].append(self._of_cell(notebook, one))
        return found

    def _of_cell(self, notebook: Notebook, one: lsp.Diagnostic) -> lsp.Diagnostic:
        related = [
            lsp.DiagnosticRelatedInformation(self.location(notebook, each.location), each.message)
            for each in one.related_information or ()
        ]
        where = self.location(notebook, lsp.Location(notebook.uri, one.range))
        return attrs.evolve(one, range=where.range, related_information=related or None)

    def location(self, notebook: Notebook, location: lsp.Location) -> lsp.Location:
        if location.uri != notebook.uri:
            return location
        number = notebook.program.cell_at(location.range.start.line)
        return lsp.Location(notebook.cells[number].uri, notebook.out_of(number, location.range))

    def _of_cells(self, notebook: Notebook, action: lsp.CodeAction) -> lsp.CodeAction:
        """The action with its edit in terms of cells. Its diagnostics are so already where a client has it resolved."""
        if action.edit is None:
            return action
        edit = action.edit
        if edit.changes is not None:
            changes = {
                notebook.cells[number].uri: cast("list[lsp.TextEdit]", edits)
                for number, edits in self._edits(notebook, edit.changes[notebook.uri]).items()
            }
            return attrs.evolve(action, edit=attrs.evolve(edit, changes=changes))
        documents = [
            lsp.TextDocumentEdit(
                lsp.OptionalVersionedTextDocumentIdentifier(
                    uri=notebook.cells[number].uri, version=notebook.cells[number].version
                ),
                edits,
            )
            for document in edit.document_changes or ()
            if isinstance(document, lsp.TextDocumentEdit)
            for number, edits in self._edits(notebook, document.edits).items()
        ]
        return attrs.evolve(action, edit=attrs.evolve(edit, document_changes=documents))

    def _edits(self, notebook: Notebook, edits: Sequence[Any]) -> dict[int, list[Any]]:
        """The edits of a program, for each cell. Raises _NotOfCells."""
        written, encoding = Source(notebook.program.text), self._session.client.encoding
        texts = [cell.source.text for cell in notebook.cells]
        by_cell: dict[int, list[Any]] = {}
        for one in edits:
            start, end = (written.offset(position_of(at), encoding) for at in (one.range.start, one.range.end))
            placed = cell_edits(texts, notebook.program, [Edit(Span(start, end), one.new_text)])
            if placed is None:
                raise _NotOfCells
            for number, found in placed.items():
                (told,) = edits_to(found, notebook.cells[number].source, encoding)
                by_cell.setdefault(number, []).append(attrs.evolve(one, range=told.range, new_text=told.new_text))
        return by_cell


class _NotOfCells(Exception):
    """An edit of the program that no cell can take."""
