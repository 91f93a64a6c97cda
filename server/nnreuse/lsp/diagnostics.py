"""Diagnostics of files that are not open, and how any are handed over: pushed, or pulled with result ids."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
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
from nnreuse.workspace.library import name_of

_CHUNK = 100
"""Reports in one partial result."""


@dataclass(frozen=True, slots=True)
class State:
    """Of files that are not open. `done` of `files` are looked at while a scan runs; `ago`: seconds since one came to its end."""

    scanning: bool
    done: int
    files: int
    findings: int
    ago: float | None


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
    reads: frozenset[Path] = frozenset()
    names: frozenset[str] = frozenset()
    broken: bool = False


def _report(uri: str, result: str, found: Iterable[lsp.Diagnostic] = ()) -> lsp.WorkspaceFullDocumentDiagnosticReport:
    return lsp.WorkspaceFullDocumentDiagnosticReport(uri=uri, items=list(found), result_id=result, version=None)


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
        self._gone: set[Path] = set()
        """Files that are gone: a scan that began before may speak of them all the same."""
        self._let_go: dict[Path, str] = {}
        """The closed documents that a client which pulls may show findings of, until it says that it has heard otherwise."""
        self._seen: set[Path] = set()
        self._expected = 0
        self._finished: float | None = None
        self._token: str | None = None
        self._tokens = 0
        self.client = Client()

    @property
    def state(self) -> State:
        """How far the scan is, or what the last one has left."""
        found = sum(len(closed.diagnostics or ()) for closed in self._files.values())
        scanning, ago = self._scan is not None, self._finished and time.monotonic() - self._finished
        return State(scanning, len(self._seen), self._expected if scanning else len(self._files), found, ago)

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

    def happened(
        self, came: set[Path], gone: set[Path], changed: set[Path], names_of_open: Mapping[Path, frozenset[str]]
    ) -> None:
        """Files are new on disk, gone or changed. Those that are gone lose their findings now. The rest is looked at after what runs.

        With a file that has come or gone go the files that may import it, and so with one that was no Python.
        """
        self._gone = (self._gone | gone) - came
        renamed = came | gone | {path for path in changed if path in self._files and self._files[path].broken}
        self._waiting = (self._waiting | came | self._importers(renamed, names_of_open)) - gone
        self._changed |= changed
        for path in gone & self._files.keys():
            self._drop(path)
        for path in came - self._files.keys() - self._opened():
            self._files[path] = _Closed(self._nothing)
        self._go_on()
        if gone:
            self._have_pulled()

    def known(self) -> set[Path]:
        """The files that have been looked at, and those that are to be."""
        return set(self._files)

    def _importers(self, files: set[Path], names_of_open: Mapping[Path, frozenset[str]]) -> set[Path]:
        """The files that import one of these by its name, or one that does; below a package that is none any more, every file."""
        names = {**{path: closed.names for path, closed in self._files.items()}, **names_of_open}
        packages = [path.parent for path in files if path.name == "__init__.py"]
        found = {path for path in names if any(path.is_relative_to(folder) for folder in packages)} - files
        asked = {name_of(path) for path in files | found}
        while asked:
            new = {path for path, words in names.items() if path not in found and not asked.isdisjoint(words)}
            found |= new
            asked = {name_of(path) for path in new} - asked
        return found & self._files.keys()

    def let_go(self, uri: str) -> None:
        """A document is closed, a cell perhaps. A client that pulls keeps what it has until a report of the workspace says otherwise."""
        if self.client.pulls:
            self._let_go[path_of(uri)] = uri

    def taken_up(self, uri: str) -> None:
        """A document is open again: it is pulled by itself."""
        self._let_go.pop(path_of(uri), None)

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
            result = known[path].value if path in known else None if path in self._let_go else self._nothing
            if result == closed.result:
                self._let_go.pop(path, None)
            elif path not in opened and closed.diagnostics is not None:
                yield _report(uri_of(path), closed.result, closed.diagnostics)
        unknown = known.keys() - self._files.keys() - opened
        for path in unknown if self._scan is None else unknown & self._gone:  # it is gone
            if path.is_absolute() and known[path].value != self._nothing:
                yield _report(known[path].uri, self._nothing)
        for path, uri in list(self._let_go.items()):
            if path in known and known[path].value == self._nothing:
                del self._let_go[path]
            elif path not in self._files and path not in unknown:
                yield _report(uri, self._nothing)

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
        self._finished = self._finished if scan.died else time.monotonic()
        self._end()
        self._have_pulled()
        self._go_on()

    def _have_pulled(self) -> None:
        if self.client.pulls and self.client.refreshes_diagnostics:
            self._server.workspace_diagnostic_refresh(None)

    def _hold(self, scanned: Scanned) -> None:
        if scanned.path in self._opened() or (scanned.path in self._gone and not scanned.path.is_file()):
            return
        self._gone.discard(scanned.path)
        closed = self._files.setdefault(scanned.path, _Closed(self._nothing))
        before, closed.diagnostics = closed.diagnostics or (), scanned.diagnostics
        closed.reads, closed.names, closed.broken = scanned.reads, scanned.names, scanned.broken
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
