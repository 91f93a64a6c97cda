"""Session: one client, its open documents, and what is answered to each of its messages.

Handlers are synchronous and run in the order in which messages arrive: an edit is analysed and published before the
next message is looked at, so that nothing is debounced and no answer is about another revision than the client's.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from nnreuse.config.editor import Editor
from nnreuse.config.toml import FILES, Problem
from nnreuse.lsp import actions
from nnreuse.lsp.actions import Built
from nnreuse.lsp.client import Client
from nnreuse.lsp.convert import View, changes_of, position_of, position_to, problem_diagnostics
from nnreuse.lsp.settings import SettingsOfClient
from nnreuse.lsp.uris import path_of, uri_of
from nnreuse.syntax.source import Source
from nnreuse.workspace.analysis import Analysis
from nnreuse.workspace.configuration import ClientSettings
from nnreuse.workspace.workspace import Workspace, applied

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Document:
    """An open document: its name on both sides, the client's version, and the fixes built for its analysis so far."""

    uri: str
    path: Path
    version: int
    built: Built | None = None


class Session:
    """The handlers. They speak to the client through `server`."""

    def __init__(self, workspace: Workspace, server: LanguageServer) -> None:
        self.workspace = workspace
        self.server = server
        self.client = Client()
        self.editor = Editor()
        self.settings = SettingsOfClient(server, self._reconfigure)
        self.documents: dict[str, Document] = {}
        self.revision = 0
        self._settings_files: dict[Path, tuple[Problem, ...]] = {}

    def initialize(self, params: lsp.InitializeParams) -> None:
        self.client = Client.of(params.capabilities)
        self.settings.initialize(self.client, params)

    def did_open(self, params: lsp.DidOpenTextDocumentParams) -> None:
        opened = params.text_document
        path = path_of(opened.uri)
        self.revision += 1
        if path.name in FILES:
            self._settings_text(path, opened.text)
            return
        document = Document(opened.uri, path, opened.version)
        self.documents[opened.uri] = document
        self._publish(document, self.workspace.open(path, opened.text))
        self._publish_settings_problems()

    def did_change(self, params: lsp.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        path = path_of(uri)
        self.revision += 1
        if path.name in FILES:
            self._settings_text(path, self._changed_settings(path, params))
            return
        document = self.documents.get(uri)
        if document is None:
            log.warning("ignored a change of %s, which is not open", uri)
            return
        document.version = params.text_document.version
        changes = changes_of(params.content_changes)
        self._publish(document, self.workspace.change(document.path, changes, self.client.encoding))
        self._publish_all(self.workspace.outdated())

    def did_change_watched_files(self, params: lsp.DidChangeWatchedFilesParams) -> None:
        paths = {path_of(change.uri): change.type for change in params.changes}
        self.revision += 1
        if any(path.name in FILES for path in paths):
            self.workspace.configuration.reread()
            self._reanalyse()
        code = {path: kind for path, kind in paths.items() if path.name not in FILES}
        if code:
            anew = any(kind is not lsp.FileChangeType.Changed for kind in code.values())
            self._publish_all(self.workspace.changed_on_disk(list(code), anew=anew))

    def did_save(self, params: lsp.DidSaveTextDocumentParams) -> None:
        document = self.documents.get(params.text_document.uri)
        analysis = document and self.workspace.current(document.path)
        if document and analysis:
            self._publish(document, analysis)

    def did_close(self, params: lsp.DidCloseTextDocumentParams) -> None:
        path = path_of(params.text_document.uri)
        if path.name in FILES:
            self._settings_text(path, None)
            return
        document = self.documents.pop(params.text_document.uri, None)
        if document is not None:
            self.workspace.close(document.path)
            self.server.text_document_publish_diagnostics(
                lsp.PublishDiagnosticsParams(uri=document.uri, diagnostics=[])
            )

    def code_action(self, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        document = self.documents.get(params.text_document.uri)
        built = document and self._built(document)
        return actions.offered(built, document.version, params) if document and built else []

    def resolve(self, action: lsp.CodeAction) -> lsp.CodeAction:
        data = actions.data_of(action)
        document = self.documents.get(data["uri"])
        built = document and self._built(document)
        if document is None or built is None:
            raise actions.stale(action)
        return actions.resolved(built, document.version, action, data)

    def hover(self, params: lsp.HoverParams) -> lsp.Hover | None:
        document = self.documents.get(params.text_document.uri)
        if document is None:
            return None
        found = self.workspace.hover(document.path, position_of(params.position), self.client.encoding)
        if found is None:
            return None
        kind = lsp.MarkupKind.Markdown if self.client.markdown else lsp.MarkupKind.PlainText
        return lsp.Hover(
            lsp.MarkupContent(kind, found.markdown), lsp.Range(position_to(found.start), position_to(found.end))
        )

    def _publish(self, document: Document, analysis: Analysis) -> None:
        diagnostics = self._view(document, analysis).diagnostics() if self.editor.enable else []
        self.server.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(document.uri, diagnostics, document.version)
        )

    def _built(self, document: Document) -> Built | None:
        """The fixes of the current analysis: those already built while it is the same object, none of an earlier one."""
        analysis = self.workspace.current(document.path)
        if analysis is None:
            return None
        if document.built is None or document.built.view.analysis is not analysis:
            document.built = Built(self._view(document, analysis))
        return document.built

    def _view(self, document: Document, analysis: Analysis) -> View:
        source = self.workspace.source(document.path) if analysis.error else None
        settings = self.workspace.settings(document.path)
        return View(document.uri, analysis, source or analysis.index.source, self.client, settings)

    def _reconfigure(self, editor: Editor, settings: ClientSettings) -> None:
        """The client has spoken: its settings hold from now on, for what is open too."""
        switched = editor != self.editor
        self.editor = editor
        self.workspace.configuration.set_client(settings)
        for problem in self.workspace.configuration.client_problems():
            log.warning("settings of the client: %s", problem.message)
        self._reanalyse(everything=switched)

    def _reanalyse(self, everything: bool = False) -> None:
        changed = self.workspace.reconfigured()
        self._publish_all([document.path for document in self.documents.values()] if everything else changed)
        self._publish_settings_problems()

    def _publish_all(self, paths: Iterable[Path]) -> None:
        wanted = set(paths)
        for document in self.documents.values():
            if document.path in wanted and (analysis := self.workspace.current(document.path)):
                self._publish(document, analysis)

    def _settings_text(self, path: Path, text: str | None) -> None:
        self.workspace.configuration.set_buffer(path, text)
        self._settings_files.setdefault(path, ())
        self._reanalyse()

    def _changed_settings(self, path: Path, params: lsp.DidChangeTextDocumentParams) -> str:
        source = Source(self.workspace.configuration.text(path))
        for change in changes_of(params.content_changes):
            source, _ = applied(source, change, self.client.encoding)
        return source.text

    def _publish_settings_problems(self) -> None:
        """What of each settings file means nothing, where that has changed."""
        configuration = self.workspace.configuration
        for path in {*configuration.files(), *self._settings_files}:
            problems = configuration.problems(path)
            if problems != self._settings_files.get(path, ()):
                diagnostics = problem_diagnostics(problems)
                self.server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri_of(path), diagnostics))
            self._settings_files[path] = problems
