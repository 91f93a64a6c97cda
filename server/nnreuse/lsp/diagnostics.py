"""Diagnostics of files that are not open, and how any are handed over: pushed, or pulled with result ids."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from nnreuse.lsp.client import Client
from nnreuse.lsp.scan import Begun, Post, Scan, Scanned, Task
from nnreuse.lsp.uris import uri_of
from nnreuse.workspace.configuration import Configuration

_CHUNK = 100
"""Reports in one partial result."""


@dataclass(slots=True)
class _Closed:
    """What the last scan found in a file; `changed` counts up whenever that is something else."""

    diagnostics: tuple[lsp.Diagnostic, ...] = ()
    changed: int = 0
    reads: frozenset[Path] = field(default_factory=frozenset[Path])


class ClosedFiles:
    """The findings of every file of the workspace folders that is not open, kept current by scans in the background."""

    def __init__(self, server: LanguageServer, post: Post) -> None:
        self._server = server
        self._post = post
        self._files: dict[Path, _Closed] = {}
        self._scan: Scan | None = None
        self._waiting: set[Path] = set()
        self._seen: set[Path] = set()
        self._expected = 0
        self._token: str | None = None
        self._tokens = 0
        self._count = 0
        self.client = Client()

    @property
    def state(self) -> dict[str, object]:
        """For the status request."""
        return {"scanning": self._scan is not None, "done": len(self._seen), "files": self._expected}

    def scan(self, folders: Iterable[Path], opened: Iterable[Path], configuration: Configuration) -> None:
        """Looks at everything anew; a scan that still runs is dropped."""
        self._start(Task(tuple(folders), (), frozenset(opened), configuration, self.client))

    def look_at(self, files: Iterable[Path], configuration: Configuration) -> None:
        """Looks at single files anew, after a scan that still runs."""
        self._waiting |= set(files)
        if self._waiting and self._scan is None:
            waiting, self._waiting = self._waiting, set()
            self._start(Task((), tuple(sorted(waiting)), frozenset(), configuration, self.client))
        self._configuration = configuration

    def readers(self, path: Path) -> list[Path]:
        """The files whose findings follow from a file too."""
        return [file for file, closed in self._files.items() if path in closed.reads]

    def knows(self, path: Path) -> bool:
        return path in self._files

    def cancelled(self, params: lsp.WorkDoneProgressCancelParams) -> None:
        """The client no longer wants what it is shown the progress of: it ends at once, in the middle of a file."""
        if params.token == self._token:
            self._end()

    def stop(self) -> None:
        """Drops everything, and what runs."""
        self._end()
        for path in list(self._files):
            self._hold(Scanned(path, (), frozenset()))

    def opened(self, path: Path) -> None:
        """The buffer speaks for itself from now on."""
        self._files.pop(path, None)

    def reports(
        self, previous: Iterable[lsp.PreviousResultId], token: str | int | None
    ) -> lsp.WorkspaceDiagnosticReport:
        """What has changed since the client's result ids; in parts where it gave a token for them."""
        known = {one.uri: one.value for one in previous}
        items = [
            lsp.WorkspaceFullDocumentDiagnosticReport(
                uri=uri, items=list(closed.diagnostics), result_id=str(closed.changed), version=None
            )
            for path, closed in self._files.items()
            if closed.changed and known.get(uri := uri_of(path)) != str(closed.changed)
        ]
        while token is not None and items:
            part = lsp.WorkspaceDiagnosticReportPartialResult(items[:_CHUNK])
            self._server.protocol.notify(lsp.PROGRESS, lsp.ProgressParams(token, part))
            items = items[_CHUNK:]
        return lsp.WorkspaceDiagnosticReport(items)

    def _start(self, task: Task) -> None:
        self._end()
        self._seen, self._expected, self._configuration = set(), 0, task.configuration
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
        else:
            self._ended(scan)

    def _ended(self, scan: Scan) -> None:
        if scan.whole:
            for path in self._files.keys() - self._seen:  # the file is gone
                self._hold(Scanned(path, (), frozenset()))
        self._end()
        if self.client.pulls and self.client.refreshes_diagnostics:
            self._server.workspace_diagnostic_refresh(None)
        self.look_at((), self._configuration)

    def _hold(self, scanned: Scanned) -> None:
        closed = self._files.setdefault(scanned.path, _Closed())
        closed.reads = scanned.reads
        if closed.diagnostics == scanned.diagnostics:
            return
        self._count += 1
        closed.diagnostics, closed.changed = scanned.diagnostics, self._count
        if not self.client.pulls:
            uri = uri_of(scanned.path)
            self._server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, list(scanned.diagnostics)))

    def _end(self) -> None:
        if self._scan is not None:
            self._scan.cancel()
            self._scan = None
        if self._token is not None:
            self._server.work_done_progress.end(self._token, lsp.WorkDoneProgressEnd())
            self._token = None

    def _begin_progress(self) -> None:
        if not self.client.shows_progress or not self._expected:
            return
        self._tokens += 1
        self._token = token = f"nnreuse-scan-{self._tokens}"
        progress = self._progress()
        progress.create(token)
        begin = lsp.WorkDoneProgressBegin("nnreuse", cancellable=True, message="workspace", percentage=0)
        progress.begin(token, begin)

    def _report_progress(self) -> None:
        if self._token is None:
            return
        progress = self._progress()
        before, now = ((len(self._seen) - back) * 20 // max(1, self._expected) for back in (1, 0))
        if now > before:
            message = f"{len(self._seen)} of {self._expected} files"
            progress.report(self._token, lsp.WorkDoneProgressReport(message=message, percentage=min(100, now * 5)))

    def _progress(self) -> Any:
        """pygls' progress, which has no types."""
        return self._server.work_done_progress
