"""The engine as the command line sees it, and the files it is run on, in this process or in several."""

import atexit
import gc
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from nnreuse.config.settings import Settings

if TYPE_CHECKING:
    from nnreuse.workspace.analysis import Analysis
    from nnreuse.workspace.environment import Environment

_FILES_FOR_A_PROCESS = 40
"""Below this many files a further process costs more than it saves (each reads the files' imports for itself)."""


class Engine(Protocol):
    """What `nnreuse.workspace.project.Project` offers."""

    def check(self, path: Path, text: str) -> "Analysis":
        """The findings of a file."""
        ...

    def admit(self, path: Path, text: str) -> None:
        """Adds a file to those that facts are asked of."""
        ...

    def facts(self, path: Path) -> list[dict[str, object]]:
        """What the static tracer saw of an admitted file's module classes."""
        ...

    def explain(self, path: Path, name: str) -> list[str] | None:
        """What the static tracer saw of one class, as text; None where an admitted file has no such module class."""
        ...


MakeEngine = Callable[[Settings], Engine]


def project(settings: Settings) -> Engine:
    """The real engine, with the catalog that is kept of the interpreter's torch."""
    from nnreuse.workspace.catalogs import catalog_for
    from nnreuse.workspace.project import Project  # the whole analysis: not for --help

    found = _environment(settings)
    return Project(settings, found, catalog_for(found))


def uncached_project(settings: Settings) -> Engine:
    """The real engine, with the shipped catalog whatever is kept."""
    from nnreuse.workspace.project import Project

    return Project(settings, _environment(settings))


def _environment(settings: Settings) -> "Environment | None":
    from nnreuse.workspace.environment import Interpreter, environment_of

    python = settings.python
    return environment_of(Interpreter(python, settings.python_may_run)) if python else None


@dataclass(frozen=True, slots=True)
class Target:
    """A file as the user named it, and the settings in force there. `content` is given for standard input."""

    path: Path
    settings: Settings
    content: bytes | None = None


class Engines:
    """One engine for each settings in force."""

    def __init__(self, make: MakeEngine) -> None:
        self._make = make
        self._made: dict[Settings, Engine] = {}

    def __getitem__(self, settings: Settings) -> Engine:
        if settings not in self._made:
            self._made[settings] = self._make(settings)
        return self._made[settings]


Answer = TypeVar("Answer")
Job = Callable[[Engines, Target], Answer]


def collect_rarely() -> None:
    """Trees and traces are many objects and little garbage: full collections would take a third of a run's time.

    Of the 12 million objects that all of transformers leaves behind one in twenty is garbage, and each collection of
    three million takes two seconds, in the middle of some class: a run of that size is better off without any.

    At exit Python collects several times over what ends with the process anyway: as long again after a large run.
    """
    gc.freeze()
    gc.set_threshold(20_000_000, 50, 100)
    atexit.register(gc.freeze)


def run(job: Job[Answer], targets: Sequence[Target], make: MakeEngine, jobs: int | None) -> Iterator[Answer]:
    """The job's answer for each target, in order. `jobs` None: as many processes as pay off."""
    collect_rarely()
    processes = jobs or min(os.cpu_count() or 1, len(targets) // _FILES_FOR_A_PROCESS)
    if processes <= 1 or len(targets) <= 1:
        engines = Engines(make)
        yield from (job(engines, target) for target in targets)
        return
    from concurrent.futures import ProcessPoolExecutor  # 20 ms that few runs need

    chunk = max(1, min(16, len(targets) // (4 * processes)))
    with ProcessPoolExecutor(processes, initializer=_begin, initargs=(make,)) as pool:
        yield from pool.map(partial(_work, job), targets, chunksize=chunk)


_engines: list[Engines] = []
"""In a worker process: its engines, which live as long as it does."""


def _begin(make: MakeEngine) -> None:
    collect_rarely()
    _engines[:] = [Engines(make)]


def _work(job: Job[Answer], target: Target) -> Answer:
    return job(_engines[0], target)
