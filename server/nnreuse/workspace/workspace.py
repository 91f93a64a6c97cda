"""Workspace: open buffers, kept current edit by edit, and the one entry point that analyses them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nnreuse.config.settings import Settings
from nnreuse.fixes.fix import Fix
from nnreuse.rules.subjects import Occurrence, Subject, occurrences, subject_at
from nnreuse.syntax.drift import Drift
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Encoding, LineChange, Position, Source
from nnreuse.syntax.units import Unparsable
from nnreuse.tracing.trace import Trace
from nnreuse.types.catalog import Catalog
from nnreuse.types.questions import Question
from nnreuse.workspace import notebook_file
from nnreuse.workspace.analysis import Analysis
from nnreuse.workspace.catalogs import Torch, catalog_for, kept, torch_of
from nnreuse.workspace.configuration import Configuration
from nnreuse.workspace.environment import Environment, Interpreter, environment_of
from nnreuse.workspace.offers import refactorings
from nnreuse.workspace.project import Project


@dataclass(frozen=True, slots=True)
class TextChange:
    """`[start, end)` became `text`; both None means the whole text."""

    start: Position | None
    end: Position | None
    text: str


@dataclass(slots=True)
class _Buffer:
    source: Source
    index: FileIndex
    analysis: Analysis
    settings: Settings

    def line_before(self, line: int) -> int | None:
        """The line of the last text that was Python that a line of the newest one is; None for one that was typed since."""
        if self.analysis.error is None:
            return line
        return Drift(self.analysis.index.source.lines, self.source.lines).before(line)


@dataclass(frozen=True, slots=True)
class Status:
    """Of the process: how many files are open and how many were read, how many traces are kept. Of a file: the rest."""

    open_files: int
    files: int
    traces: int
    interpreter: Path | None
    may_run: bool
    torch: tuple[str, Path] | None
    catalog: Catalog
    settings_files: list[Path]


class Workspace:
    """Holds what is open. Every method answers at once and never raises for the content of a file."""

    def __init__(self, configuration: Configuration | None = None) -> None:
        self.configuration = configuration or Configuration()
        self._projects: dict[Settings, Project] = {}
        self._open: dict[Path, _Buffer] = {}
        self._indexes: dict[Path, FileIndex] = {}
        """What every project takes an open file to say: its newest text that is Python."""

    def settings(self, path: Path) -> Settings:
        """The settings in force for a file."""
        return self.configuration[path]

    def reconfigured(self) -> list[Path]:
        """Analyses anew the open files whose settings have changed, and returns them; projects without a file are dropped."""
        changed: list[Path] = []
        for path, buffer in list(self._open.items()):
            if buffer.settings != self.settings(path):
                self._analysed(path, buffer.source, buffer.index)
                changed.append(path)
        used = {buffer.settings for buffer in self._open.values()}
        self._projects = {settings: project for settings, project in self._projects.items() if settings in used}
        return changed

    def prepare(self, path: Path) -> None:
        """Does ahead what the next edit of an open file will want. For when nobody waits."""
        project = self._projects.get(self.settings(path))
        if path in self._open and project is not None:
            project.prepare()

    def outdated(self) -> list[Path]:
        """Analyses anew the open files that read what another file has changed, and returns them."""
        changed = [path for project in self._projects.values() for path in project.take_outdated()]
        return self._again([path for path in changed if path in self._open])

    def changed_on_disk(self, paths: Iterable[Path]) -> list[Path]:
        """Takes notice of files that have another text on disk. Returns the open files that were analysed anew."""
        closed = [path for path in paths if path not in self._open]
        for project in self._projects.values() if closed else ():
            for path in closed:
                project.reread(path)
        return self.outdated()

    def came_or_went(self, paths: Iterable[Path]) -> list[Path]:
        """Takes notice of files that are new or gone on disk: names may mean something else now. Returns what was analysed anew."""
        closed = [path for path in paths if path not in self._open]
        concerned = [one for one in self._projects.items() if any(one[1].concerned_by(path) for path in closed)]
        for settings, _ in concerned:
            del self._projects[settings]
        return self._again([path for path in self._open if self.project_of(path) is None])

    def files(self) -> set[Path]:
        """The files that are read, open or not."""
        return {path for project in self._projects.values() for path in project.library.files}

    def _again(self, paths: list[Path]) -> list[Path]:
        for path in paths:
            self._analysed(path, self._open[path].source, self._open[path].index)
        return paths

    def _project(self, path: Path) -> Project:
        settings = self.settings(path)
        if settings not in self._projects:
            found = _environment(settings)
            self._projects[settings] = Project(settings, found, catalog_for(found), self._indexes)
        return self._projects[settings]

    def project_of(self, path: Path) -> Project | None:
        """The project of a file, where one has been made."""
        return self._projects.get(self.settings(path))

    def unknown_torch(self, path: Path) -> Torch | None:
        """The torch of a file's interpreter, where it may be asked for its catalog and has not been yet."""
        found = _environment(self.settings(path))
        torch = torch_of(found)
        if found is None or torch is None or not found.may_run or torch.is_shipped or kept(torch) is not None:
            return None
        return torch

    def take_catalogs(self) -> list[Path]:
        """Has projects use the catalogs kept now. Where these say something new, analyses the open files anew, and returns them."""
        for settings, project in list(self._projects.items()):
            catalog = catalog_for(_environment(settings))
            if not catalog.agrees(project.program.catalog):
                del self._projects[settings]
            project.program.catalog = catalog
        return self._again([path for path in self._open if self.project_of(path) is None])

    def learn(self, project: Project, question: Question, answer: str | None) -> list[Path]:
        """Takes in the answer to a project's question; analyses anew, and returns, the open files that it may be about."""
        if not project.learn(question, answer):
            return []
        return self._again([path for path in self._open if self.project_of(path) is project])

    def status(self, path: Path | None = None) -> Status:
        """What a client can show of us; `path` None: what holds for the file opened last."""
        path = path if path is not None else next(reversed(self._open), None)
        settings = self.settings(path) if path else Settings()
        found = _environment(settings)
        project = self._projects.get(settings)
        return Status(
            open_files=len(self._open),
            files=sum(project.size[0] for project in self._projects.values()),
            traces=sum(project.size[1] for project in self._projects.values()),
            interpreter=settings.python,
            may_run=settings.python_may_run,
            torch=found.torch if found else None,
            catalog=project.program.catalog if project else catalog_for(found),
            settings_files=self.configuration.files(),
        )

    def open(self, path: Path, text: str) -> Analysis:
        """Begins to follow a buffer. One that differs from what was read of its file outdates what read that."""
        try:
            index = self._project(path).index(path, text)
        except Unparsable as error:
            index = FileIndex(Source(text), [], error)
        return self._analysed(path, index.source, index)

    def change(self, path: Path, changes: Sequence[TextChange], encoding: Encoding) -> Analysis:
        """The buffer after some edits, each on the result of the one before. Costs the units they touch."""
        buffer = self._open.get(path)
        if buffer is None:
            return self.open(path, "".join(c.text for c in changes[-1:]))
        source, index = buffer.source, buffer.index
        for change in changes:
            source, lines = applied(source, change, encoding)
            index = index.updated(source, lines)
        return self._analysed(path, source, index)

    def _analysed(self, path: Path, source: Source, index: FileIndex) -> Analysis:
        if index.broken is None:
            self._indexes[path.absolute()] = index
        good = self._indexes.get(path.absolute())
        if good is not None:
            project = self._project(path)
            analysis = replace(project.analyse(path, good), error=index.broken)
            for other in self._projects.values():
                if other is not project and index.broken is None:
                    other.follow(path, good)
        else:
            analysis = Analysis(index, (), index.broken)
        self._open[path] = _Buffer(source, index, analysis, self.settings(path))
        return analysis

    def check(self, path: Path, text: str) -> Analysis:
        """The analysis of a file that is not open."""
        return self._project(path).check(path, text)

    def close(self, path: Path) -> None:
        """Stops following a buffer: what is on disk holds from now on, and outdates what read something else in the buffer."""
        if self._open.pop(path, None) is None:
            return
        self._indexes.pop(path.absolute(), None)
        if path.suffix != notebook_file.SUFFIX:  # which nothing imports
            for project in self._projects.values():
                project.reread(path)
        self._project(path).release(path)

    def current(self, path: Path) -> Analysis | None:
        """The latest analysis of an open file."""
        buffer = self._open.get(path)
        return buffer.analysis if buffer else None

    def source(self, path: Path) -> Source | None:
        """The newest text of an open file: newer than its analysis where that does not parse."""
        buffer = self._open.get(path)
        return buffer.source if buffer else None

    def broken(self, path: Path) -> Source | None:
        """The newest text of an open file where that is no Python, so that what is known is about an older one."""
        analysis = self.current(path)
        return self.source(path) if analysis is not None and analysis.error is not None else None

    def traces(self, path: Path) -> list[Trace]:
        """The traces of an open file's module classes; none while its text does not parse."""
        buffer = self._open.get(path)
        return [] if buffer is None or buffer.analysis.error is not None else self.last_traces(path)

    def last_traces(self, path: Path) -> list[Trace]:
        """The traces of the last text of an open file that was Python."""
        buffer = self._open.get(path)
        if buffer is None:
            return []
        project = self._project(path)
        return project.traces(project.file(path, buffer.analysis.index))

    def subject(self, path: Path, position: Position, encoding: Encoding) -> Subject | None:
        """The module instance that stands at a position of an open file; where it is no Python, at lines that were left alone since."""
        buffer = self._open.get(path)
        line = buffer.line_before(position.line) if buffer is not None else None
        if buffer is None or line is None:
            return None
        offset = buffer.analysis.index.source.offset(replace(position, line=line), encoding)
        return subject_at(self.last_traces(path), buffer.analysis.index, offset)

    def occurrences(self, path: Path, subject: Subject) -> list[Occurrence]:
        """The places that are about an instance: in the class that makes it, and those that inherit it, of files that are known."""
        cls, made, own = subject.trace.cls, subject.instance.place, self._project(path)
        others = [project for project in self._projects.values() if project is not own]
        twins = [(project, twin) for project in others if (twin := project.twin(cls)) is not None]
        return occurrences(
            subject, [one for project, twin in [(own, cls), *twins] for one in project.family(twin, made)]
        )

    def refactorings(self, path: Path, position: Position, encoding: Encoding) -> list[Fix]:
        """What could be done with the instance at a position, whether or not anything is wrong with it."""
        subject = self.subject(path, position, encoding) if self.traces(path) else None
        if subject is None:
            return []
        return list(refactorings(subject, self._project(path).program, self.settings(path)))


def _environment(settings: Settings) -> Environment | None:
    python = settings.python
    return environment_of(Interpreter(python, settings.python_may_run)) if python else None


def applied(source: Source, change: TextChange, encoding: Encoding) -> tuple[Source, LineChange]:
    """The text after one change, and the lines it touched."""
    if change.start is None or change.end is None:
        whole = Source(change.text)
        return whole, LineChange(0, len(source.lines), len(whole.lines))
    return source.edited(change.start, change.end, change.text, encoding)
