"""Project: analyses files under one set of settings. What it read stays read; traces stay valid while their units do."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from nnreuse.config.settings import Settings
from nnreuse.rules.judging import forget_findings, judged
from nnreuse.syntax.changes import Change, changed
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Source
from nnreuse.syntax.splicing import kept
from nnreuse.syntax.units import Place, Unit, Unparsable, units_of
from nnreuse.tracing.trace import Trace
from nnreuse.tracing.tracer import Start, start, trace
from nnreuse.tracing.usage import Usage, usage_of
from nnreuse.types.catalog import Catalog
from nnreuse.types.file import File
from nnreuse.types.meaning import ModuleClass
from nnreuse.types.program import Program
from nnreuse.types.questions import AttributeQuestion, NameQuestion, Question
from nnreuse.types.reads import Aspect, Missing, Named
from nnreuse.workspace import facts
from nnreuse.workspace.analysis import Analysis
from nnreuse.workspace.environment import Environment
from nnreuse.workspace.explanation import explain
from nnreuse.workspace.files import read_quietly
from nnreuse.workspace.library import DiskLibrary, module_name
from nnreuse.workspace.refinement import Asked, Inference, snapshot

log = logging.getLogger(__name__)
_QUESTIONS = 60
"""Put to jedi in one scan, at 0.1 s each as measured: a scan of a large library is not to become one of jedi's."""
_LINGERING = 40
"""Files that nobody looks at any more are forgotten so many at a time, and not the last ones: often the next imports them."""
_PREPARED = 2
"""So many constructors are run ahead, at most: a machine that has run one holds all that the class holds."""
_ROUNDS = 2
"""An answer can raise further questions: a base class, then what its constructor makes."""


def _called(one: Trace, question: AttributeQuestion) -> bool:
    return any(one.calls_of(instance) for instance in one.held.get(question.attribute, []))


def _called_again(one: Trace, question: AttributeQuestion) -> bool:
    """What is called once is no finding, whatever it is."""
    return any(len(one.calls_of(instance)) > 1 for instance in one.held.get(question.attribute, []))


class Project:
    """One program: the files asked about, and those they import."""

    def __init__(
        self,
        settings: Settings,
        environment: Environment | None = None,
        catalog: Catalog | None = None,
        buffers: Mapping[Path, FileIndex] | None = None,
    ) -> None:
        """Without an environment no installed package is read, without a catalog the shipped one. `buffers` hold before what is on disk."""
        self.settings = settings
        installed = environment.search_path if environment else ()
        self.library = DiskLibrary([], read_quietly, installed, buffers)
        self.program = Program(self.library, catalog or Catalog.shipped())
        self._inference = Inference()
        self._questions_left = _QUESTIONS if environment else 0
        self._traces: dict[ModuleClass, Trace] = {}
        self._starts: dict[ModuleClass, Start] = {}
        self._retraced: dict[ModuleClass, None] = {}
        self._edited: set[Unit] = set()
        self._admitted: list[File] = []
        self._usage: Usage | None = None
        self._outdated: set[Path] = set()
        self._left: dict[str, File] = {}

    def check(self, path: Path, text: str) -> Analysis:
        """The findings of a text at a path. Where it does not parse: none, and `error` says why. Its traces are not kept."""
        try:
            index = self.index(path, text)
        except Unparsable as error:
            return Analysis(FileIndex(Source(text), []), (), error)
        try:
            self._refine(self.file(path, index), _called_again)
            return replace(self.analyse(path, index), reads=self._reads(self.file(path, index)))
        finally:
            self.release(path)

    def release(self, path: Path) -> None:
        """Drops the traces of a file that nobody looks at any more, and in time its index, unless others import it.

        Trees take 30 times the memory of their text: of a large project most are never asked for again.
        """
        file = self.library.known(path.absolute())
        if file is None:
            return
        for cls in file.classes.values():
            self._starts.pop(cls, None)
            self._retraced.pop(cls, None)
            one = self._traces.pop(cls, None)
            if one is not None:
                one.kept.clear()
        self._left[file.path] = file
        if len(self._left) > 2 * _LINGERING:
            oldest = [self._left.pop(path) for path in list(self._left)[:_LINGERING]]
            gone = [one for one in oldest if one not in self._admitted and self.library.drop(one)]
            self.program.leave(gone)
            for one in gone:
                one.index.forget()

    def index(self, path: Path, text: str) -> FileIndex:
        """The index of a text, with what an earlier one of the file has in common with it. Raises Unparsable.

        What was read of those units stays true: a file that is opened, closed or saved as it was concerns nobody.
        """
        known = self.library.known(path.absolute())
        if known is not None and known.index.source.text == text:
            return known.index
        index = FileIndex.of(Source(text))
        return FileIndex(index.source, kept(known.index.parts, index.parts)) if known is not None else index

    def analyse(self, path: Path, index: FileIndex) -> Analysis:
        """The findings of an index at a path; classes whose units are those of last time are not traced again."""
        file = self.file(path, index)
        return Analysis(index, judged(file, self.traces(file), self.program, self.settings))

    def file(self, path: Path, index: FileIndex) -> File:
        """The program's file at a path, with this index from now on."""
        path = path.absolute()
        known = self.library.known(path)
        if known is not None:
            self._left.pop(known.path, None)
            if known.index is not index:
                before, known.index = known.index, index
                self._forget(known, changed(before, index))
            return known
        dotted, root = module_name(path)
        lacked = self.library.lacks(dotted)
        if self.library.add_root(root) or self.library.asked(dotted):
            self.program.forget_registering()
        file = self.library.put(path, dotted, index)
        if lacked:
            self._drop(file, self.program.with_heirs({Missing(dotted)}), Change())
        return file

    def open_questions(self) -> list[Asked]:
        """What the traces made since the last time leave to be inferred, for `Inference`; empties the list."""
        return snapshot(self.program.answers.take(), self.library.search_path)

    def worth_asking(self) -> list[Asked]:
        """Of the open questions, those about bases and about what is called; as many as a scan may ask, and no more."""
        asked = self.open_questions()
        called = {
            question
            for one in (self._traces.values() if asked else ())
            for question in one.read
            if isinstance(question, AttributeQuestion) and _called(one, question)
        }
        return [one for one in asked if isinstance(one[0], NameQuestion) or one[0] in called][:_QUESTIONS]

    def learn(self, question: Question, answer: str | None) -> bool:
        """Takes in an answer: what was traced without it is traced anew when it is next asked for. False: it changes nothing."""
        self.program.answers.known[question] = answer
        if answer is None:
            return False
        if isinstance(question, NameQuestion):  # a base class, perhaps: the classes are other classes now
            self.library.forget_classes()
            self._traces.clear()
            self._starts.clear()
            self.program.recalled.clear()
        for cls, one in list(self._traces.items()):
            if question in one.read:
                del self._traces[cls]
                self._starts.pop(cls, None)
        return True

    def _forget(self, file: File, change: Change) -> None:
        """Drops the classes, traces and findings that a change of a file makes untrue: those that read what is different."""
        if change.is_nothing:
            return
        if change.imports or change.effects:
            self.program.forget_registering()
        self._drop(file, self.program.changed(file, change), change)

    def _drop(self, file: File, gone: set[object], change: Change) -> None:
        self.program.forget(gone)
        self._retraced.clear()
        self._edited = change.new
        self._starts = {cls: begun for cls, begun in self._starts.items() if gone.isdisjoint(begun.read)}
        for cls, one in list(self._traces.items()):
            if not gone.isdisjoint(one.read):
                del self._traces[cls]
            elif cls.units in change.classes.values():  # what rules derive from a class is derived from all of its text
                one.kept.clear()
                continue
            elif not gone.isdisjoint(one.considered):
                forget_findings(one)
            else:
                continue
            if cls.file is not file:
                self._outdated.add(Path(cls.file.path))
        # What was no module class has no trace, and may be one now.
        self._outdated |= {Path(one.file.path) for one in gone if isinstance(one, ModuleClass) and one.file is not file}

    def traces(self, file: File) -> list[Trace]:
        """The traces of a file's module classes, in text order."""
        return [self._trace(cls) for cls in self.classes(file)]

    def family(self, cls: ModuleClass, made: Place | None) -> list[Trace]:
        """The traces of the known classes that have what a class makes at a place: those below the one that place stands in."""
        bases = [base for base in cls.mro if isinstance(base, ModuleClass)]
        makers = [base for base in bases if made is not None and made.unit in units_of(base.units)]
        return [self._trace(one) for one in dict.fromkeys((makers or [cls])[0].family())]

    def twin(self, cls: ModuleClass) -> ModuleClass | None:
        """The class here that another project knows as `cls`."""
        file = self.library.known(Path(cls.file.path))
        return next((one for one in self.classes(file) if one.name == cls.name), None) if file is not None else None

    def classes(self, file: File) -> list[ModuleClass]:
        """The module classes a file defines."""
        found = [self.program.class_of(file, units, name) for name, units in file.index.classes()]
        return [cls for cls in found if self.program.is_module_class(cls)]

    def _trace(self, cls: ModuleClass) -> Trace:
        known = self._traces.get(cls)
        if known is None:
            known = self._traces[cls] = trace(self.program, cls, self._starts.pop(cls, None))
            self._retraced[cls] = None
        return known

    def prepare(self) -> None:
        """Runs ahead what the next edit will want: the constructor of a class that an edit had traced anew.

        It is two thirds of a trace, and an edit in `forward` leaves it as it is. Most edits are beside the last.
        """
        retraced, self._retraced = self._retraced, {}
        for cls in (
            retraced if len(retraced) <= _PREPARED else ()
        ):  # more are traced when a file is opened, or a base is edited
            constructor, last = cls.find("__init__"), self._traces.get(cls)
            if last is not None and (constructor is None or constructor[1] not in self._edited):
                self._starts[cls] = start(self.program, last)
        for cls in [*self._starts][:-_PREPARED]:
            del self._starts[cls]

    def take_outdated(self) -> set[Path]:
        """The files whose classes were made untrue by a change of another file since the last call."""
        taken, self._outdated = self._outdated, set()
        return taken

    def follow(self, path: Path, index: FileIndex) -> None:
        """What a file of another project says holds from now on, where it is known here, or its name leads to it and to nothing else."""
        path = path.absolute()
        if self.library.known(path) is None:
            dotted, _ = module_name(path)
            if not (self.library.lacks(dotted) and self.library.leads_to(dotted, path)):
                return
        self.file(path, index)

    def reread(self, path: Path) -> None:
        """What is on disk holds from now on for a file that is not open. One that does not parse counts as empty."""
        if self.library.known(path.absolute()) is None:
            return
        try:
            index = self.index(path, read_quietly(path) or "")
        except Unparsable:
            index = FileIndex(Source(""), [])
        self.file(path, index)

    def _reads(self, file: File) -> frozenset[Path]:
        """The other files that the traces of a file were made from, and those that say which of its classes are modules."""
        found: set[str] = set()
        for name, units in file.index.classes():
            line = [base for base in self.program.class_of(file, units, name).mro if isinstance(base, ModuleClass)]
            found |= {one.path for base in line for one in base.read if isinstance(one, Named | Aspect)}
        for one in self.traces(file):
            found |= {read.path for read in one.read if isinstance(read, Named | Aspect)}
            found |= {base.file.path for base in one.cls.mro if isinstance(base, ModuleClass)}
            found |= {call.file.path for call in one.calls}
        return frozenset(Path(name) for name in found if name != file.path)

    def concerned_by(self, path: Path) -> bool:
        """Whether a file that comes or goes may make a name mean something else here. If not, it is only a place to look into."""
        if self.library.concerned_by(path):
            return True
        self.library.forget_places()
        return False

    @property
    def size(self) -> tuple[int, int]:
        """How many files are read, and how many traces are kept."""
        return self.library.size, len(self._traces)

    def admit(self, path: Path, text: str) -> None:
        """Adds a file to those whose code is asked how it builds its classes. Raises `Unparsable`."""
        self._admitted.append(self.file(path, self.index(path, text)))
        self._usage = None

    def explain(self, path: Path, name: str) -> list[str] | None:
        """The trace of an admitted file's class as text; None where the file has no module class of that name."""
        file = self.library.known(path.absolute())
        cls = next((one for one in self.classes(file) if one.name == name), None) if file is not None else None
        return list(explain(self._trace(cls))) if cls is not None else None

    def facts(self, path: Path) -> list[dict[str, object]]:
        """The rows of the `facts` command for an admitted file."""
        file = self.library.known(path.absolute())
        if file is None:
            return []
        if self._usage is None:
            for one in self._admitted:
                try:
                    self._refine(one, _called)
                except Exception:
                    log.debug("%s could not be traced", one.path, exc_info=True)  # told where its rows are asked for
            self._usage = usage_of(self.program, self._admitted)
        try:
            return [row for one in self.traces(file) for row in facts.rows(one, self._usage)]
        finally:
            self.release(path)

    def _refine(self, file: File, worth: Callable[[Trace, AttributeQuestion], bool]) -> None:
        """Has inferred, here and now, what a file's traces leave open and is worth it. A scan asks so many questions, no more."""
        for _ in range(_ROUNDS if self._questions_left > 0 else 0):
            traces = self.traces(file)
            asked = [
                (question, request)
                for question, request in self.open_questions()
                if isinstance(question, NameQuestion)
                or any(question in one.read and worth(one, question) for one in traces)
            ]
            for question, answer in self._inference.answers(asked[: max(0, self._questions_left)]):
                self.learn(question, answer)
            self._questions_left -= len(asked)
