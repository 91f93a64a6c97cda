"""An engine that reports every `bad`, offers to write `good` (unsafe) or `fine` (safe for `bad_safe`), and no more."""

from pathlib import Path

from nnreuse.config.settings import Settings
from nnreuse.config.severity import Severity
from nnreuse.fixes.fix import Applicability, Fix
from nnreuse.rules.finding import Evidence, Finding, Related
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Source
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import Place, Unparsable, leaves
from nnreuse.workspace.analysis import Analysis


class FakeEngine:
    """Stands for Project: findings follow from the text alone."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.texts: dict[Path, str] = {}

    def check(self, path: Path, text: str) -> Analysis:
        if "explode" in text:
            raise RuntimeError("boom")
        try:
            index = FileIndex.of(Source(text))
        except Unparsable as error:
            return Analysis(FileIndex.of(Source("pass\n")), (), error)
        return Analysis(index, tuple(_findings(index)))

    def admit(self, path: Path, text: str) -> None:
        self.texts[path] = text

    def explain(self, path: Path, name: str) -> list[str] | None:
        return [f"{name}  {path}"] if name in self.texts[path] else None

    def facts(self, path: Path) -> list[dict[str, object]]:
        return [{"file": str(path), "class": "Net", "calls": self.texts[path].count("bad")}]


def _findings(index: FileIndex) -> list[Finding]:
    return [
        _finding(Place(unit, Span(at, at + 3)))
        for unit in leaves(index.parts)
        for at in range(len(unit.text))
        if unit.text.startswith("bad", at)
    ]


def _finding(place: Place) -> Finding:
    first = Related(Place(place.unit, Span(0, 1)), "first call")
    safe = place.unit.text[place.span.end :].startswith("_safe")
    return Finding(
        "shared-batch-norm",
        Severity.WARNING,
        "`bad` is called twice",
        place,
        "Net",
        "bn",
        related=(first,),
        evidence=(Evidence("twin", 2, "an equal twin is idle", place),),
        fixes=(
            Fix("cannot be built", Applicability.UNSAFE, lambda index: None),
            _fix(place, "fine", Applicability.SAFE) if safe else _fix(place, "good", Applicability.UNSAFE),
        ),
    )


def _fix(place: Place, word: str, applicability: Applicability) -> Fix:
    return Fix(f"write {word}", applicability, lambda index: [Edit(index.span(place), word)])
