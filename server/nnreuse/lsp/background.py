"""Background: what makes a first answer better later, jedi's answers and the catalog of the user's own torch, or a light bulb sooner.

Two threads wait for processes, one reads a project once; everything else happens between two messages, after the
publication of what raised it.
A question is superseded by a newer one about the same attribute. Nothing is published that is not different.
"""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Protocol
from weakref import WeakSet

from nnreuse.lsp.obstacles import Obstacles
from nnreuse.types.questions import AttributeQuestion, Question
from nnreuse.workspace.catalogs import NoCatalog, Probing, Torch
from nnreuse.workspace.project import Project
from nnreuse.workspace.refinement import Asked, Inference
from nnreuse.workspace.workspace import Workspace

log = logging.getLogger(__name__)

_IDLE_SECONDS = 60
"""jedi's process holds the sources it has read; it goes when nothing has been asked for so long."""

Post = Callable[[Callable[[], None]], None]


class Publisher(Protocol):
    """Who shows what has become better."""

    def improve(self, change: Callable[[], Iterable[Path]], everywhere: bool = False) -> None:
        """Makes a change, and publishes of the open files it names what is different then; `everywhere`: of closed ones too."""
        ...


class Background:
    """For one session. Its methods are called where messages are handled."""

    def __init__(
        self, workspace: Workspace, publisher: Publisher, post: Post, post_idle: Post, obstacles: Obstacles
    ) -> None:
        self._workspace = workspace
        self._publisher = publisher
        self._post = post
        self._post_idle = post_idle
        self._obstacles = obstacles
        self._questions = Questions(self._answered)
        self._met: WeakSet[Project] = WeakSet()
        self._tried: set[Torch] = set()
        self._probes: list[Probing] = []
        self._stopped = False

    @property
    def refreshing(self) -> bool:
        """Whether a torch is being asked at the moment."""
        return bool(self._probes)

    def analysed(self, path: Path) -> None:
        """A file has been analysed: what it leaves open is looked after once the message is done."""
        self._post(lambda: self._look_after(path))
        self._post_idle(lambda: self._workspace.prepare(path))

    def stop(self) -> None:
        """Ends every process."""
        self._stopped = True
        self._questions.stop()
        for probing in self._probes:
            probing.cancel()

    def _look_after(self, path: Path) -> None:
        if self._stopped:
            return
        project = self._workspace.project_of(path)
        if project is None:
            return
        analysis = self._workspace.current(path)
        if analysis is not None and any(fix.reach for finding in analysis.findings for fix in finding.fixes):
            self._obstacles.read_ahead(path)
        self._questions.put(project, project.worth_asking())
        if project not in self._met:
            self._met.add(project)
            self._ask_torch(path)

    def _ask_torch(self, path: Path) -> None:
        torch = self._workspace.unknown_torch(path)
        if torch is not None and torch not in self._tried:
            self._tried.add(torch)
            probing = Probing()
            self._probes.append(probing)
            Thread(target=self._probe, args=(torch, probing), name="nnreuse-probe", daemon=True).start()

    def _probe(self, torch: Torch, probing: Probing) -> None:
        log.info("asking torch %s of %s for its module classes", torch.version, torch.interpreter)
        found = False
        try:
            probing.catalog(torch)
            found = True
        except NoCatalog as error:
            if not self._stopped:
                log.warning("%s; the shipped catalog is used", error)
        except Exception:
            log.exception("internal error while asking torch %s", torch.version)
        self._post_quietly(lambda: self._probed(probing, found))

    def _probed(self, probing: Probing, found: bool) -> None:
        self._probes.remove(probing)
        if found and not self._stopped:
            self._publisher.improve(self._workspace.take_catalogs, everywhere=True)

    def _answered(self, project: Project, question: Question, answer: str | None) -> None:
        self._post_quietly(lambda: self._learn(project, question, answer))

    def _learn(self, project: Project, question: Question, answer: str | None) -> None:
        if not self._stopped:
            self._publisher.improve(lambda: self._workspace.learn(project, question, answer))

    def _post_quietly(self, work: Callable[[], None]) -> None:
        try:
            self._post(work)
        except RuntimeError:  # the loop is closed: the server has ended
            log.debug("too late: the server has ended")


class Questions:
    """Asks jedi on a thread of its own, the newest question about each attribute only."""

    def __init__(self, answered: Callable[[Project, Question, str | None], None]) -> None:
        self._answered = answered
        self._inference = Inference()
        self._waiting: dict[object, tuple[Project, Asked]] = {}
        self._lock = Lock()
        self._news: SimpleQueue[bool] = SimpleQueue()
        self._thread: Thread | None = None
        self._stopped = False

    def put(self, project: Project, asked: list[Asked]) -> None:
        """Has questions asked. Returns at once."""
        if not asked or self._stopped:
            return
        with self._lock:
            self._waiting.update({_subject(question): (project, (question, request)) for question, request in asked})
        self._news.put(True)
        if self._thread is None:
            self._thread = Thread(target=self._run, name="nnreuse-questions", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Asks nothing more, and ends the process."""
        self._stopped = True
        self._news.put(False)
        self._inference.stop()

    def _run(self) -> None:
        while not self._stopped:
            try:
                self._news.get(timeout=_IDLE_SECONDS)
            except Empty:
                self._inference.close()
                continue
            while not self._stopped and (one := self._next()) is not None:
                project, asked = one
                for question, answer in self._inference.answers([asked]):
                    if not self._stopped:
                        self._answered(project, question, answer)

    def _next(self) -> tuple[Project, Asked] | None:
        with self._lock:
            key = next(iter(self._waiting), None)
            return self._waiting.pop(key) if key is not None else None


def _subject(question: Question) -> object:
    if isinstance(question, AttributeQuestion):
        return question.path, question.cls, question.attribute
    return question
