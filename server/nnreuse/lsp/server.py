"""The server: handlers for documents, diagnostics, code actions and hover.

Handlers are synchronous and run in the order in which messages arrive: an edit is analysed and published before the
next message is read, so that nothing is debounced and no result is stale. pygls' own copy of the text is not kept: it
splits lines at form feeds, and costs more than the analysis of an edit.
"""

import gc
import logging
from collections.abc import Callable, Generator
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

from lsprotocol import types as lsp
from pygls import uris
from pygls.capabilities import ServerCapabilitiesBuilder
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

import nnreuse
from nnreuse.config.severity import Severity
from nnreuse.lsp import actions, convert
from nnreuse.lsp.actions import Client
from nnreuse.syntax.source import Position
from nnreuse.workspace.analysis import Analysis
from nnreuse.workspace.workspace import Workspace

log = logging.getLogger("nnreuse")
CONTENT_MODIFIED = -32801
Handler = TypeVar("Handler", bound=Callable[..., Any])


Steps = Generator[tuple[Callable[..., Any], tuple[Any], None]]


def _handler(protocol: LanguageServerProtocol, name: str) -> Callable[..., Any]:
    features = cast("dict[str, Callable[..., Any]]", protocol.fm.features)  # pyright: ignore[reportUnknownMemberType]
    return features[name]


class Protocol(LanguageServerProtocol):
    """pygls' protocol without its text store."""

    @lsp_method(lsp.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: lsp.DidOpenTextDocumentParams) -> Steps:
        yield _handler(self, lsp.TEXT_DOCUMENT_DID_OPEN), (params,), None

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: lsp.DidChangeTextDocumentParams) -> Steps:
        yield _handler(self, lsp.TEXT_DOCUMENT_DID_CHANGE), (params,), None

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: lsp.DidCloseTextDocumentParams) -> Steps:
        yield _handler(self, lsp.TEXT_DOCUMENT_DID_CLOSE), (params,), None


class Session:
    """One client: what it can do, its documents' versions, and the workspace that analyses them."""

    def __init__(self, server: LanguageServer, workspace: Workspace) -> None:
        self.server = server
        self.workspace = workspace
        self.client = Client()
        self.versions: dict[str, int | None] = {}
        self.complained = False

    # ---- life

    def initialize(self, params: lsp.InitializeParams) -> None:
        document = params.capabilities.text_document
        edits = params.capabilities.workspace and params.capabilities.workspace.workspace_edit
        publish = document and document.publish_diagnostics
        action = document and document.code_action
        resolve = action and action.resolve_support
        self.client = Client(
            convert.encoding_of(ServerCapabilitiesBuilder.choose_position_encoding(params.capabilities)),
            bool(publish and publish.related_information),
            bool(resolve and "edit" in resolve.properties),
            bool(edits and edits.document_changes),
        )

    def complain(self, what: str, error: Exception) -> None:
        """Logs an internal error with its traceback; tells the user once."""
        log.error("internal error in %s", what, exc_info=error)
        if not self.complained:
            self.complained = True
            text = f"nnreuse: internal error in {what}; the server goes on, its log says more"
            self.server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, text))

    # ---- documents

    def did_open(self, params: lsp.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        self.versions[document.uri] = document.version
        self._publish(document.uri, self.workspace.open(path_of(document.uri), document.text))

    def did_change(self, params: lsp.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        self.versions[document.uri] = document.version
        changes = [convert.change(event) for event in params.content_changes]
        self._publish(document.uri, self.workspace.change(path_of(document.uri), changes, self.client.encoding))

    def did_save(self, params: lsp.DidSaveTextDocumentParams) -> None:
        analysis = self.workspace.current(path_of(params.text_document.uri))
        if analysis is not None:
            self._publish(params.text_document.uri, analysis)

    def did_close(self, params: lsp.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        self.versions.pop(uri, None)
        self.workspace.close(path_of(uri))
        self.server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri=uri, diagnostics=[]))

    def _publish(self, uri: str, analysis: Analysis) -> None:
        diagnostics = [
            convert.diagnostic(analysis.index, uri, finding, self.client.encoding, self.client.related)
            for finding in analysis.findings
            if finding.severity is not Severity.HINT
        ]
        self.server.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri=uri, diagnostics=diagnostics, version=self.versions.get(uri))
        )

    # ---- questions

    def code_action(self, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        uri = params.text_document.uri
        analysis = self.workspace.current(path_of(uri))
        only = params.context.only
        if analysis is None or analysis.error is not None or not _wants_quick_fixes(only):
            return []
        found = [
            actions.action(uri, self.versions.get(uri), analysis, finding, number, self.client)
            for finding, number, _ in actions.offered(analysis, params, self.client)
        ]
        return [one for one in found if one is not None]

    def resolve(self, action: lsp.CodeAction) -> lsp.CodeAction:
        data = cast("dict[str, object]", action.data or {})
        uri = str(data.get("uri"))
        analysis = self.workspace.current(path_of(uri))
        if analysis is None or analysis.error is not None or data.get("version") != self.versions.get(uri):
            raise stale()
        fix = actions.find(analysis, data, self.client)
        edit = actions.workspace_edit(uri, self.versions.get(uri), analysis, fix, self.client) if fix else None
        if edit is None:
            raise stale()
        action.edit = edit
        return action

    def hover(self, params: lsp.HoverParams) -> lsp.Hover | None:
        at = Position(params.position.line, params.position.character)
        found = self.workspace.hover(path_of(params.text_document.uri), at, self.client.encoding)
        if found is None:
            return None
        start, end = (lsp.Position(p.line, p.column) for p in (found.start, found.end))
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, found.markdown), lsp.Range(start, end))


def stale() -> JsonRpcException:
    """The answer to a fix whose text has changed since it was offered."""
    error = JsonRpcException("the text has changed since this fix was offered; ask for it again")
    error.code = CONTENT_MODIFIED
    return error


def _wants_quick_fixes(only: Any) -> bool:
    return not only or any(str(getattr(kind, "value", kind)) in ("quickfix", "") for kind in only)


def path_of(uri: str) -> Path:
    """The path of a document; one that is no file (`untitled:`) gets a path of its own that no file has."""
    path = uris.to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path else Path("/", uri.replace("/", "_").replace(":", "_"))


def create_server(workspace: Workspace) -> LanguageServer:
    """A server over a workspace, not yet speaking to anyone."""
    server = LanguageServer("nnreuse", nnreuse.__version__, protocol_cls=Protocol)
    session = Session(server, workspace)

    def guarded(name: str, handler: Handler) -> Handler:
        @wraps(handler)
        def run(params: Any) -> Any:
            try:
                return handler(params)
            except JsonRpcException:
                raise
            except Exception as error:  # noqa: BLE001 - the one guard of each request: the server must live on
                session.complain(name, error)
                return None

        return cast(Handler, run)

    def feature(name: str, handler: Callable[..., Any], options: Any = None) -> None:
        server.feature(name, options)(guarded(name, handler))

    feature(lsp.INITIALIZE, session.initialize)
    feature(lsp.TEXT_DOCUMENT_DID_OPEN, session.did_open)
    feature(lsp.TEXT_DOCUMENT_DID_CHANGE, session.did_change)
    feature(lsp.TEXT_DOCUMENT_DID_SAVE, session.did_save)
    feature(lsp.TEXT_DOCUMENT_DID_CLOSE, session.did_close)
    quick_fixes = lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix], resolve_provider=True)
    feature(lsp.TEXT_DOCUMENT_CODE_ACTION, session.code_action, quick_fixes)
    feature(lsp.CODE_ACTION_RESOLVE, session.resolve)
    feature(lsp.TEXT_DOCUMENT_HOVER, session.hover)
    return server


def _prepared() -> LanguageServer:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    server = create_server(Workspace())
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    return server


def run_stdio() -> None:
    """Serves one client on standard input and output, until it says exit."""
    _prepared().start_io()


def run_tcp(host: str, port: int) -> None:
    """Serves one client on an address."""
    _prepared().start_tcp(host, port)
