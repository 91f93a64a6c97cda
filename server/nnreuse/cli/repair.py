"""Repairs: the fixes of a file's findings, applied round by round until nothing more can be."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nnreuse.cli.engine import Engine
from nnreuse.config.settings import Settings
from nnreuse.fixes.fix import Applicability
from nnreuse.syntax.edits import Edit, apply_edits

if TYPE_CHECKING:
    from nnreuse.fixes.fix import Fix
    from nnreuse.workspace.analysis import Analysis

_ROUNDS = 10
"""A fix may uncover another finding; two rules that undo each other must still come to an end."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """A text after its repairs, what is still found in it, and the fixes that were applied, in order."""

    text: str
    analysis: "Analysis"
    applied: "tuple[Fix, ...]" = ()


def repaired(
    engine: Engine,
    path: Path,
    text: str,
    settings: Settings,
    allowed: Collection[str],
    apply: Callable[[str, list[Edit]], str] = apply_edits,
) -> Repaired:
    """The text with the first allowed fix of each finding, again until no finding has one; `apply` may refuse edits."""
    from nnreuse.workspace.neighbours import edits_of
    from nnreuse.workspace.offers import repairs  # the rules: not for --help

    now = Repaired(text, engine.check(path, text))
    for _ in range(_ROUNDS):
        buildable = partial(edits_of, index=now.analysis.index, path=path)
        edits, fixes = repairs(now.analysis, settings, [Applicability(each) for each in allowed], buildable)
        text = apply(now.text, edits)
        if text == now.text:
            break
        analysis = engine.check(path, text)
        if analysis.error:
            break
        now = Repaired(text, analysis, (*now.applied, *fixes))
    return now
