"""The server: which message goes to which handler, the guard around each, and how a process is made ready to serve."""

import gc
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from inspect import isawaitable
from pathlib import Path
from typing import Any, TypeVar, cast

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInternalError
from pygls.lsp.server import LanguageServer

import nnreuse
from nnreuse.lsp import MEMORY
from nnreuse.lsp.actions import FIX_ALL, REPORT
from nnreuse.lsp.cells import Cells
from nnreuse.lsp.knowing import Knowing
from nnreuse.lsp.log import write_to
from nnreuse.lsp.notebooks import Notebooks
from nnreuse.lsp.obstacles import NotYet
from nnreuse.lsp.protocol import Protocol
from nnreuse.lsp.reporting import Reporting, report_arguments
from nnreuse.lsp.session import Session
from nnreuse.lsp.status import STATUS, status
from nnreuse.lsp.tracing import TRACE, Tracing, trace_arguments
from nnreuse.lsp.transport import serve
from nnreuse.workspace.workspace import Workspace

log = logging.getLogger("nnreuse")
Params = TypeVar("Params")


class Guard:
    """Lets the server outlive an internal error: logs it with its traceback, and tells the user once of each kind."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._told: set[tuple[str, type[Exception]]] = set()

    def around(self, method: str, handler: Callable[[Params], object]) -> Callable[[Params], object]:
        """The handler, answering nothing where it fails; with a coroutine, where it says NotYet, that waits and asks it again."""

        def run(params: Params) -> object:
            began = time.perf_counter()
            with self._outliving(method, params):
                try:
                    return handler(params)
                except NotYet as missing:
                    return again(params, missing)
                finally:
                    self._trace(method, params, time.perf_counter() - began)
            return None

        async def again(params: Params, missing: NotYet) -> object:
            with self._outliving(method, params):
                await missing.wait()
                answer = run(params)
                return await answer if isawaitable(answer) else answer
            return None

        return run

    @contextmanager
    def _outliving(self, method: str, params: object) -> Generator[None]:
        """An internal error ends here. Deliberate refusals pass, and so does the client's end."""
        try:
            yield
        except (JsonRpcException, BrokenPipeError):
            raise
        except Exception as error:
            self._report(method, params, error)
            if method == lsp.CODE_ACTION_RESOLVE:  # the protocol has no empty answer to this one
                raise JsonRpcInternalError("nnreuse could not make this change; its log says more") from error

    def _trace(self, method: str, params: object, seconds: float) -> None:
        """For clients that said `$/setTrace`: which message was handled, how long it took, and with `verbose` about what."""
        asked = self._server.protocol.trace
        if asked is not lsp.TraceValue.Off:
            verbose = _subject(params) if asked is lsp.TraceValue.Verbose else None
            self._server.log_trace(lsp.LogTraceParams(f"{method}: {seconds * 1000:.1f} ms", verbose))

    def _report(self, method: str, params: object, error: Exception) -> None:
        log.error("internal error in %s of %s", method, _subject(params), exc_info=error)
        if (method, type(error)) not in self._told:
            self._told.add((method, type(error)))
            text = f"nnreuse: internal error in {method}: {error!r}. The server goes on; its log says more."
            self._server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, text))


def _subject(params: object) -> str:
    """The document, version and place a message is about: enough to find the cause, without logging whole texts."""
    document = getattr(params, "text_document", None)
    version = getattr(document, "version", "?")
    place = getattr(params, "position", None) or getattr(params, "range", None) or ""
    return f"{getattr(document, 'uri', type(params).__name__)} version {version} {place}".rstrip()


def create_server(workspace: Workspace) -> LanguageServer:
    """A server over a workspace, not yet speaking to anyone."""
    code = lsp.NotebookDocumentFilterWithCells(
        notebook="*", cells=[lsp.NotebookCellLanguage("python"), lsp.NotebookCellLanguage("markdown")]
    )
    server = LanguageServer(
        "nnreuse",
        nnreuse.__version__,
        protocol_cls=Protocol,
        notebook_document_sync=lsp.NotebookDocumentSyncOptions([code], save=True),
    )
    protocol_of(server).forget_text_store()
    session = Session(workspace, server, protocol_of(server).post, protocol_of(server).post_idle)
    notebooks = Notebooks(session)
    cells = Cells(notebooks, Knowing(session))
    guard = Guard(server)
    tracing = Tracing(session)

    async def trace(*arguments: Any) -> dict[str, object]:  # with `object`, pygls would put the server first
        return await tracing.trace(*trace_arguments(arguments))

    cast("Callable[[object], object]", server.command(TRACE))(trace)
    reporting = Reporting(session)

    def report(*arguments: Any) -> dict[str, object]:
        return reporting.report(*report_arguments(arguments))

    cast("Callable[[object], object]", server.command(REPORT))(report)

    def shutdown(params: object) -> None:
        tracing.stop()
        session.shutdown(params)

    def feature(method: str, handler: Callable[[Any], object], options: object = None) -> None:
        register = cast("Callable[[Callable[[Any], object]], object]", server.feature(method, options))
        register(guard.around(method, handler))

    feature(lsp.INITIALIZE, session.initialize)
    feature(lsp.INITIALIZED, session.initialized)
    feature(lsp.SHUTDOWN, shutdown)
    feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION, session.settings.did_change_configuration)
    feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, session.settings.did_change_folders)
    feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, session.did_change_watched_files)
    pulled = lsp.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=True, identifier="nnreuse")
    feature(lsp.TEXT_DOCUMENT_DIAGNOSTIC, notebooks.diagnostic, pulled)
    feature(lsp.WORKSPACE_DIAGNOSTIC, session.workspace_diagnostic)
    feature(lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL, session.closed.cancelled)
    feature(STATUS, partial(status, session))
    feature(lsp.TEXT_DOCUMENT_DID_OPEN, session.did_open)
    feature(lsp.TEXT_DOCUMENT_DID_CHANGE, session.did_change)
    feature(lsp.TEXT_DOCUMENT_DID_SAVE, session.did_save)
    feature(lsp.NOTEBOOK_DOCUMENT_DID_OPEN, notebooks.did_open)
    feature(lsp.NOTEBOOK_DOCUMENT_DID_CHANGE, notebooks.did_change)
    feature(lsp.NOTEBOOK_DOCUMENT_DID_SAVE, notebooks.did_save)
    feature(lsp.NOTEBOOK_DOCUMENT_DID_CLOSE, notebooks.did_close)
    feature(lsp.TEXT_DOCUMENT_DID_CLOSE, session.did_close)
    kinds = [lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.RefactorRewrite, FIX_ALL]
    changes = lsp.CodeActionOptions(code_action_kinds=kinds, resolve_provider=True)
    feature(lsp.TEXT_DOCUMENT_CODE_ACTION, notebooks.code_action, changes)
    feature(lsp.CODE_ACTION_RESOLVE, notebooks.resolve)
    feature(lsp.TEXT_DOCUMENT_HOVER, cells.hover)
    feature(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, cells.highlight)
    feature(lsp.TEXT_DOCUMENT_REFERENCES, cells.references)
    feature(lsp.TEXT_DOCUMENT_CODE_LENS, cells.code_lens, lsp.CodeLensOptions(resolve_provider=False))
    feature(lsp.TEXT_DOCUMENT_INLAY_HINT, cells.inlay_hint, lsp.InlayHintOptions(resolve_provider=False))
    completing = lsp.CompletionOptions(trigger_characters=["[", ",", ":"])
    feature(lsp.TEXT_DOCUMENT_COMPLETION, cells.completion, completing)
    return server


def protocol_of(server: LanguageServer) -> Protocol:
    """The protocol of a server that `create_server` made."""
    return cast(Protocol, server.protocol)


def run_stdio() -> None:
    """Serves one client on standard input and output. Raises SystemExit when it says exit."""
    protocol = _prepared()
    reader = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    writer = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # From here on a stray `print` reaches the log, and a child process cannot eat what the client sends.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    serve(protocol, reader, writer, MEMORY.keep)


def listener_at(host: str, port: int) -> socket.socket:
    """Takes an address, port 0 being any free one, and writes it to stderr. Raises OSError and, for no name of a host, UnicodeError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    sys.stderr.write(f"nnreuse: listening on {host}:{listener.getsockname()[1]}\n")
    sys.stderr.flush()
    return listener


def run_tcp(listener: socket.socket) -> None:
    """Serves the first client that connects."""
    protocol = _prepared()
    with listener:
        connection, _ = listener.accept()
    with connection, connection.makefile("rb") as reader, connection.makefile("wb") as writer:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        serve(protocol, reader, writer, MEMORY.keep)


def log_to(file: Path | None, level: str) -> None:
    """Writes the log to a file, or to standard error. Raises OSError. pygls logs whole messages, but for `debug` alone."""
    write_to((str(file) if file else None, level.upper()))
    if level != "debug":
        logging.getLogger("pygls").setLevel(logging.WARNING)
    logging.getLogger("pygls.protocol.json_rpc").addFilter(_is_news)


def _prepared() -> Protocol:
    server = create_server(Workspace())
    # Trees of open files live long, and what an edit leaves behind is full of cycles. What exists now is never collected: to find
    # the 5 MB in it that are garbage would take a tenth of the start. When what survives later is looked at, `Garbage` says.
    gc.freeze()
    gc.set_threshold(25_000, 4, 1_000_000)
    gc.enable()
    return protocol_of(server)


def _is_news(record: logging.LogRecord) -> bool:
    """A refusal is an answer, not an error, and an internal error has been logged by the guard: pygls logs both anew."""
    return not (record.exc_info and isinstance(record.exc_info[1], JsonRpcException))
