"""Where the time of a scan goes: `python tests/bench/scan.py FOLDER...`. Prints, and asserts nothing.

Processor time of one process, without a cache. Reading imported files counts as reading, wherever it happens.
"""

import argparse
import gc
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

from nnreuse.cli.engine import collect_rarely
from nnreuse.config.settings import Settings
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Source
from nnreuse.syntax.units import Unparsable
from nnreuse.tracing.tracer import trace
from nnreuse.tracing.usage import Usage
from nnreuse.types.meaning import ModuleClass
from nnreuse.workspace import facts, project
from nnreuse.workspace.files import FileProblem, discover, read

P = ParamSpec("P")
R = TypeVar("R")


class Clock:
    """Seconds by phase; a phase inside another counts for itself alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._phases = ["other"]
        self._since = time.process_time()

    def _lap(self) -> None:
        now = time.process_time()
        phase = self._phases[-1]
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._since
        self._since = now

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self._lap()
        self._phases.append(name)
        try:
            yield
        finally:
            self._lap()
            self._phases.pop()

    def timed(self, name: str, run: Callable[P, R]) -> Callable[P, R]:
        def inner(*args: P.args, **kwargs: P.kwargs) -> R:
            with self.phase(name):
                return run(*args, **kwargs)

        return inner


class Scan:
    """One folder, traced once and never from a cache."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.project = project.Project(Settings())
        self.classes: list[tuple[float, str]] = []
        self.lines = 0
        FileIndex.of = staticmethod(self.clock.timed("read: parse and index", FileIndex.of))  # type: ignore[method-assign]
        project.trace = self._trace  # type: ignore[attr-defined]

    def _trace(self, program: project.Program, cls: ModuleClass) -> project.Trace:
        before = self.clock.seconds.get("trace", 0.0)
        with self.clock.phase("trace"):
            made = trace(program, cls)
        self.classes.append((self.clock.seconds["trace"] - before, cls.qualified))
        return made

    def run(self, folder: Path, with_facts: bool) -> None:
        for path in discover(folder, lambda problem: print(problem, file=sys.stderr)):
            try:
                text = read(path).text
                index = FileIndex.of(Source(text))
            except (FileProblem, Unparsable):
                continue
            self.lines += len(index.source.lines)
            with self.clock.phase("rules"):
                self.project.analyse(path, index)
            if with_facts:
                with self.clock.phase("facts"):
                    for one in self.project.traces(self.project.file(path, index)):
                        list(facts.rows(one, Usage()))
            self.project.release(path)

    def report(self, folder: Path, worst: int) -> None:
        total = sum(self.clock.seconds.values())
        print(f"{folder.name}: {self.lines} lines, {len(self.classes)} module classes, {total:.2f} s")
        for phase, seconds in sorted(self.clock.seconds.items(), key=lambda pair: -pair[1]):
            print(f"  {seconds:8.2f} s  {phase}")
        print(f"  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB peak")
        for seconds, name in sorted(self.classes, reverse=True)[:worst]:
            print(f"  {seconds * 1000:8.1f} ms  {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--worst", type=int, default=8, help="how many of the slowest classes to name")
    parser.add_argument("--facts", action="store_true", help="also compute the rows of `nnreuse facts`")
    options = parser.parse_args()
    collect_rarely()
    for folder in options.folders:
        scan = Scan()
        scan.run(folder, options.facts)
        scan.report(folder, options.worst)
        gc.collect()


if __name__ == "__main__":
    main()
