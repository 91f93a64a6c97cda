"""The scan of a whole workspace, in a process of its own: no edit ever waits for it, and its memory goes with it.

The parent sends one pickled `Task`, the child answers with a pickled `Begun`, then a `Scanned` for each file. To end it is to kill it.
"""

import gc
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import IO, Any

from lsprotocol import types as lsp

import nnreuse
from nnreuse.lsp.client import Client
from nnreuse.lsp.convert import View
from nnreuse.lsp.log import Log, write_to
from nnreuse.lsp.uris import uri_of
from nnreuse.workspace.configuration import Configuration
from nnreuse.workspace.files import FileProblem, discover, read
from nnreuse.workspace.library import imported_names
from nnreuse.workspace.workspace import Workspace

log = logging.getLogger(__name__)
Post = Callable[[Callable[[], None]], None]


@dataclass(frozen=True, slots=True)
class Task:
    """What to look at: single files, or where there are none every file below the folders, the `open` ones left out."""

    folders: tuple[Path, ...]
    files: tuple[Path, ...]
    open: frozenset[Path]
    configuration: Configuration
    client: Client
    log: Log = (None, logging.WARNING)


@dataclass(frozen=True, slots=True)
class Begun:
    """How many files there are."""

    files: int


@dataclass(frozen=True, slots=True)
class Scanned:
    """The diagnostics of one file, the other files that they follow from, and the settings files first met on the way to it."""

    path: Path
    diagnostics: tuple[lsp.Diagnostic, ...]
    reads: frozenset[Path]
    names: frozenset[str] = frozenset()
    """The words of its imports: see `imported_names`."""
    broken: bool = False
    """Whether its text is no Python."""
    settings: tuple[Path, ...] = ()


class Scan:
    """One run. `deliver` is called through `post` with what arrives, and with None at the end."""

    def __init__(self, task: Task, post: Post, deliver: Callable[["Scan", Begun | Scanned | None], None]) -> None:
        self._post = post
        self._deliver = deliver
        self.whole = not task.files
        self.cancelled = False
        self.died = False
        """Whether it ended before it had looked at everything."""
        # -P: what stands in the current folder, a workspace perhaps, is not imported.
        code = "import sys; sys.path.insert(0, sys.argv[1]); from nnreuse.lsp.scan import main; main()"
        command = [sys.executable, "-P", "-c", code, str(Path(nnreuse.__file__).parents[1])]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        Thread(target=self._run, args=(task,), name="nnreuse-scan", daemon=True).start()

    def cancel(self) -> None:
        """Ends it; nothing more is delivered."""
        self.cancelled = True
        self._process.kill()

    def _run(self, task: Task) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            with self._process.stdin as stdin:
                pickle.dump(task, stdin)
            for message in _messages(self._process.stdout):
                self._post_one(message)
        except (OSError, pickle.PickleError) as error:
            log.warning("the scan of the workspace ended: %r", error)
        finally:
            self._process.stdout.close()
            self.died = self._process.wait() != 0
            if self.died and not self.cancelled:
                log.warning("the scan of the workspace ended with code %s before its time", self._process.returncode)
            self._post_one(None)

    def _post_one(self, message: Begun | Scanned | None) -> None:
        def deliver() -> None:
            if not self.cancelled:
                self._deliver(self, message)

        with suppress(RuntimeError):  # the loop is closed: the server has ended
            self._post(deliver)


def _messages(stream: IO[bytes]) -> Iterator[Any]:
    while True:
        try:
            yield pickle.load(stream)  # our own process wrote it
        except EOFError:
            return


def main() -> None:
    """The child: standard input holds the task, standard output takes what is found."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with suppress(AttributeError, OSError):
        os.nice(10)
    gc.freeze()
    gc.set_threshold(200_000, 50, 100)
    try:
        task: Task = pickle.load(sys.stdin.buffer)
        write_to(task.log)
        for message in scanned(task):
            pickle.dump(message, answers)
            answers.flush()
    except (EOFError, pickle.UnpicklingError, BrokenPipeError):  # the parent is gone: nobody waits for it any more
        os._exit(0)  # an orderly end would write what is left, and complain


def scanned(task: Task) -> Iterator[Begun | Scanned]:
    """The diagnostics of every file of a task."""
    files = list(task.files) or list(dict.fromkeys(_below(task.folders)))
    files = [file for file in files if file not in task.open]
    yield Begun(len(files))
    workspace = Workspace(task.configuration)
    met: set[Path] = set()
    for path in files:
        found = _scanned(workspace, path, task.client)
        new = {*workspace.configuration.files()} - met
        met |= new
        yield replace(found, settings=tuple(new))


def _below(folders: tuple[Path, ...]) -> Iterator[Path]:
    for folder in folders:
        yield from discover(folder, lambda problem: log.info("%s: %s", problem.path, problem))


def _scanned(workspace: Workspace, path: Path, client: Client) -> Scanned:
    """This is the guard: nothing about one file ends the scan."""
    names = frozenset[str]()
    try:
        text = read(path).text
        names = imported_names(path, text)
        analysis = workspace.check(path, text)
        view = View(uri_of(path), analysis, analysis.index.source, client, workspace.settings(path))
        broken = analysis.error is not None
        return Scanned(path, tuple(view.diagnostics()), analysis.reads, names, broken)
    except FileProblem as problem:
        log.info("%s: %s", path, problem)
    except Exception:
        log.exception("internal error in the scan of %s", path)
    return Scanned(path, (), frozenset(), names, broken=True)
