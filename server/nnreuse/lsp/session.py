"""Session: one client, its open documents, and what is answered to each of its messages.

Handlers are synchronous and run in the order in which messages arrive: an edit is analysed and published before the
next message is looked at, so that nothing is debounced and no answer is about another revision than the client's.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lsprotocol import types as lsp

from nnreuse.lsp import actions
from nnreuse.lsp.actions import Built
from nnreuse.lsp.client import Client
from nnreuse.lsp.convert import View, changes_of, position_of, position_to
from nnreuse.lsp.uris import path_of
from nnreuse.workspace.analysis import Analysis
from nnreuse.workspace.workspace import Workspace

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Document:
    """An open document: its name on both sides, the client's version, and the fixes built for its analysis so far."""

    uri: str
    path: Path
    version: int
    built: Built | None = None


class Session:
    """The handlers. `publish` sends diagnostics to the client."""

    def __init__(self, workspace: Workspace, publish: Callable[[lsp.PublishDiagnosticsParams], None]) -> None:
        self._workspace = workspace
        self._send = publish
        self._client = Client()
        self._documents: dict[str, Document] = {}

    def initialize(self, params: lsp.InitializeParams) -> None:
        self._client = Client.of(params.capabilities)

    def did_open(self, params: lsp.DidOpenTextDocumentParams) -> None:
        opened = params.text_document
        document = Document(opened.uri, path_of(opened.uri), opened.version)
        self._documents[opened.uri] = document
        self._publish(document, self._workspace.open(document.path, opened.text))

    def did_change(self, params: lsp.DidChangeTextDocumentParams) -> None:
        document = self._documents.get(params.text_document.uri)
        if document is None:
            log.warning("ignored a change of %s, which is not open", params.text_document.uri)
            return
        document.version = params.text_document.version
        changes = changes_of(params.content_changes)
        self._publish(document, self._workspace.change(document.path, changes, self._client.encoding))

    def did_save(self, params: lsp.DidSaveTextDocumentParams) -> None:
        document = self._documents.get(params.text_document.uri)
        analysis = document and self._workspace.current(document.path)
        if document and analysis:
            self._publish(document, analysis)

    def did_close(self, params: lsp.DidCloseTextDocumentParams) -> None:
        document = self._documents.pop(params.text_document.uri, None)
        if document is not None:
            self._workspace.close(document.path)
            self._send(lsp.PublishDiagnosticsParams(uri=document.uri, diagnostics=[]))

    def code_action(self, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        document = self._documents.get(params.text_document.uri)
        built = document and self._built(document)
        return actions.offered(built, document.version, params) if document and built else []

    def resolve(self, action: lsp.CodeAction) -> lsp.CodeAction:
        data = actions.data_of(action)
        document = self._documents.get(data["uri"])
        built = document and self._built(document)
        if document is None or built is None:
            raise actions.stale(action)
        return actions.resolved(built, document.version, action, data)

    def hover(self, params: lsp.HoverParams) -> lsp.Hover | None:
        document = self._documents.get(params.text_document.uri)
        if document is None:
            return None
        found = self._workspace.hover(document.path, position_of(params.position), self._client.encoding)
        if found is None:
            return None
        kind = lsp.MarkupKind.Markdown if self._client.markdown else lsp.MarkupKind.PlainText
        return lsp.Hover(
            lsp.MarkupContent(kind, found.markdown), lsp.Range(position_to(found.start), position_to(found.end))
        )

    def _publish(self, document: Document, analysis: Analysis) -> None:
        diagnostics = self._view(document, analysis).diagnostics()
        self._send(lsp.PublishDiagnosticsParams(document.uri, diagnostics, document.version))

    def _built(self, document: Document) -> Built | None:
        """The fixes of the current analysis: those already built while it is the same object, none of an earlier one."""
        analysis = self._workspace.current(document.path)
        if analysis is None:
            return None
        if document.built is None or document.built.view.analysis is not analysis:
            document.built = Built(self._view(document, analysis))
        return document.built

    def _view(self, document: Document, analysis: Analysis) -> View:
        source = self._workspace.source(document.path) if analysis.error else None
        return View(document.uri, analysis, source or analysis.index.source, self._client)
