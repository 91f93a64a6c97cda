"""Diagnostics of files that are not open, and how any are handed over: pushed, or pulled with result ids."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from secrets import token_hex

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from nnreuse.lsp.client import Client
from nnreuse.lsp.log import written_to
from nnreuse.lsp.scan import Begun, Post, Scan, Scanned, Task
from nnreuse.lsp.uris import path_of, uri_of
from nnreuse.workspace.configuration import Configuration

_CHUNK = 100
"""Reports in one partial result."""


class ResultIds:
    """Result ids that nothing else gives out: not for the other kind of report, and no server that ran before this one.

    A client may keep one for each file, whichever report it came with, and keep it when the server is started anew.
    """

    def __init__(self, kind: str) -> None:
        self._prefix = f"{kind}-{token_hex(4)}"
        self._count = 0

    def next(self) -> str:
        self._count += 1
        return f"{self._prefix}-{self._count}"


@dataclass(slots=True)
class _Closed:
    """What a file was last found to have: None until it has been looked at. `result` is another whenever that is."""

    result: str
    diagnostics: tuple[lsp.Diagnostic, ...] | None = None
    reads: frozenset[Path] = field(default_factory=frozenset[Path])


class ClosedFiles:
    """The findings of every file of the workspace folders that is not open, kept current by scans in the background.

    `opened` says which files are open now: whatever a scan that began earlier finds in them, their buffers speak for them.
    """

    def __init__(
        self,
        server: LanguageServer,
        post: Post,
        configuration: Configuration,
        opened: Callable[[], set[Path]],
        settings_met: Callable[[Iterable[Path]], None],
    ) -> None:
        self._server = server
        self._post = post
        self._configuration = configuration
        self._opened = opened
        self._settings_met = settings_met
        self._ids = ResultIds("closed")
        self._nothing = self._ids.next()
        self._files: dict[Path, _Closed] = {}
        self._scan: Scan | None = None
        self._anew: tuple[Path, ...] = ()
        self._waiting: set[Path] = set()
        self._changed: set[Path] = set()
        self._seen: set[Path] = set()
        self._expected = 0
        self._token: str | None = None
        self._tokens = 0
        self.client = Client()

    @property
    def state(self) -> dict[str, object]:
        """For the status request."""
        return {"scanning": self._scan is not None, "done": len(self._seen), "files": self._expected}

    def scan(self, folders: Iterable[Path]) -> None:
        """Looks at everything anew, now: what runs was asked under other settings, and is dropped."""
        self._forget_waiting()
        self._start(tuple(folders), ())

    def scan_again(self, folders: Iterable[Path]) -> None:
        """Looks at everything anew once what runs has ended: files that come and go all the time keep no scan from its end."""
        self._anew = tuple(folders)
        self._go_on()

    def changed(self, files: Iterable[Path]) -> None:
        """Looks anew at files that have changed on disk, and at those whose findings follow from them, after what runs."""
        self._changed |= set(files)
        self._go_on()

    def buffer_opened(self, path: Path) -> None:
        self._files.pop(path, None)
        self._waiting.discard(path)

    def buffer_closed(self, path: Path) -> None:
        """What is on disk is looked at, after what runs."""
        self._files[path] = _Closed(self._nothing)
        self._waiting.add(path)
        self._go_on()

    def cancelled(self, params: lsp.WorkDoneProgressCancelParams) -> None:
        """The client no longer wants what it is shown the progress of: it ends at once, in the middle of a file."""
        if params.token == self._token:
            self._anew = ()
            self._end()

    def stop(self) -> None:
        """Drops everything, and what runs."""
        self._end()
        self._forget_waiting()
        for path in list(self._files):
            self._drop(path)

    def reports(
        self, previous: Iterable[lsp.PreviousResultId], token: str | int | None
    ) -> lsp.WorkspaceDiagnosticReport:
        """What has changed since the client's result ids; in parts where it gave a token for them."""
        items = list(self._differing({path_of(one.uri): one for one in previous}))
        while token is not None and items:
            part = lsp.WorkspaceDiagnosticReportPartialResult(items[:_CHUNK])
            self._server.protocol.notify(lsp.PROGRESS, lsp.ProgressParams(token, part))
            items = items[_CHUNK:]
        return lsp.WorkspaceDiagnosticReport(items)

    def _differing(
        self, known: dict[Path, lsp.PreviousResultId]
    ) -> Iterator[lsp.WorkspaceFullDocumentDiagnosticReport]:
        opened = self._opened()
        for path, closed in self._files.items():
            result = known[path].value if path in known else self._nothing
            if path not in opened and closed.diagnostics is not None and result != closed.result:
                yield lsp.WorkspaceFullDocumentDiagnosticReport(
                    uri=uri_of(path), items=list(closed.diagnostics), result_id=closed.result, version=None
                )
        for path in known.keys() - self._files.keys() - opened if self._scan is None else ():  # it is gone
            one = known[path]
            if path.is_absolute() and one.value != self._nothing:
                yield lsp.WorkspaceFullDocumentDiagnosticReport(
                    uri=one.uri, items=[], result_id=self._nothing, version=None
                )

    def _go_on(self) -> None:
        """Begins with what waits, where nothing runs. What no whole scan has met is none of the workspace's files."""
        if self._scan is not None:
            return
        if self._anew:
            self.scan(self._anew)
            return
        wanted = self._waiting | self._changed
        wanted |= {file for file, closed in self._files.items() if not self._changed.isdisjoint(closed.reads)}
        self._forget_waiting()
        files = wanted & self._files.keys() - self._opened()
        if files:
            self._start((), tuple(sorted(files)))

    def _forget_waiting(self) -> None:
        self._anew, self._waiting, self._changed = (), set(), set()

    def _start(self, folders: tuple[Path, ...], files: tuple[Path, ...]) -> None:
        self._end()
        self._seen, self._expected = set(), 0
        task = Task(folders, files, frozenset(self._opened()), self._configuration, self.client, written_to())
        self._scan = Scan(task, self._post, self._deliver)

    def _deliver(self, scan: Scan, message: Begun | Scanned | None) -> None:
        if scan is not self._scan:
            return
        if isinstance(message, Begun):
            self._expected = message.files
            if scan.whole:
                self._begin_progress()
        elif isinstance(message, Scanned):
            self._seen.add(message.path)
            self._hold(message)
            self._report_progress()
            if message.settings:
                self._settings_met(message.settings)
        else:
            self._ended(scan)

    def _ended(self, scan: Scan) -> None:
        if scan.whole and not scan.died:
            for path in self._files.keys() - self._seen - self._waiting:  # the file is gone
                self._drop(path)
        self._end()
        if self.client.pulls and self.client.refreshes_diagnostics:
            self._server.workspace_diagnostic_refresh(None)
        self._go_on()

    def _hold(self, scanned: Scanned) -> None:
        if scanned.path in self._opened():
            return
        closed = self._files.setdefault(scanned.path, _Closed(self._nothing))
        before, closed.diagnostics, closed.reads = closed.diagnostics or (), scanned.diagnostics, scanned.reads
        if before != scanned.diagnostics:
            closed.result = self._ids.next() if scanned.diagnostics else self._nothing
            self._push(scanned.path, scanned.diagnostics)

    def _drop(self, path: Path) -> None:
        if self._files.pop(path).diagnostics:
            self._push(path, ())

    def _push(self, path: Path, diagnostics: Iterable[lsp.Diagnostic]) -> None:
        if not self.client.pulls:
            params = lsp.PublishDiagnosticsParams(uri_of(path), list(diagnostics))
            self._server.text_document_publish_diagnostics(params)

    def _end(self) -> None:
        if self._scan is not None:
            self._scan.cancel()
            self._scan = None
        if self._token is not None:
            self._tell_progress(lsp.WorkDoneProgressEnd())
            self._token = None

    def _begin_progress(self) -> None:
        if not self.client.shows_progress or not self._expected:
            return
        self._tokens += 1
        self._token = token = f"nnreuse-scan-{self._tokens}"
        # Not as pygls' progress, which complains in the log of a client that refuses.
        asked = self._server.window_work_done_progress_create(lsp.WorkDoneProgressCreateParams(token))
        asked.add_done_callback(partial(self._shown_or_not, token))
        self._tell_progress(lsp.WorkDoneProgressBegin("nnreuse", cancellable=True, message="workspace", percentage=0))

    def _shown_or_not(self, token: str, answer: "Future[None]") -> None:
        """A client may refuse to show it: then it hears no more of it."""
        if token == self._token and not answer.cancelled() and answer.exception() is not None:
            self._token = None

    def _report_progress(self) -> None:
        if self._token is None:
            return
        before, now = ((len(self._seen) - back) * 20 // max(1, self._expected) for back in (1, 0))
        if now > before:
            message = f"{len(self._seen)} of {self._expected} files"
            self._tell_progress(lsp.WorkDoneProgressReport(message=message, percentage=min(100, now * 5)))

    def _tell_progress(
        self, value: lsp.WorkDoneProgressBegin | lsp.WorkDoneProgressReport | lsp.WorkDoneProgressEnd
    ) -> None:
        if self._token is not None:
            self._server.protocol.notify(lsp.PROGRESS, lsp.ProgressParams(self._token, value))
