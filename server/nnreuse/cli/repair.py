"""Repairs: the fixes of a file's findings, applied round by round until nothing more can be."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnreuse.cli.engine import Engine
from nnreuse.cli.record import edits_of, shown
from nnreuse.config.settings import Settings
from nnreuse.config.severity import Severity
from nnreuse.syntax.edits import Edit, apply_edits, compatible

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


def repaired(engine: Engine, path: Path, text: str, settings: Settings, allowed: Collection[str]) -> Repaired:
    """The text with the first allowed fix of each finding, again until no finding has one."""
    now = Repaired(text, engine.check(path, text))
    for _ in range(_ROUNDS):
        edits, fixes = _compatible_edits(now.analysis, settings, allowed)
        text = apply_edits(now.text, edits)
        if text == now.text:
            break
        analysis = engine.check(path, text)
        if analysis.error:
            break
        now = Repaired(text, analysis, (*now.applied, *fixes))
    return now


def _compatible_edits(
    analysis: "Analysis", settings: Settings, allowed: Collection[str]
) -> "tuple[list[Edit], list[Fix]]":
    """Edits of as many findings as fit together; a fix is taken whole or left for the next round."""
    taken: list[Edit] = []
    fixes: list[Fix] = []
    if analysis.error:
        return taken, fixes
    for finding in shown(analysis, settings):
        # Where a design is as likely as a slip, a person decides; what changes no behaviour needs no decision.
        slip = settings.severity(finding.rule, finding.severity).rank >= Severity.WARNING.rank
        may = allowed if slip else {"safe"} & set(allowed)
        choices = (choice for choice in edits_of(finding, analysis.index) if choice[0].applicability.value in may)
        choice = next(choices, None)
        if choice and _fits(choice[1], taken):
            taken += choice[1]
            fixes.append(choice[0])
    return taken, fixes


def _fits(edits: list[Edit], taken: list[Edit]) -> bool:
    """Whether the edits touch none that are taken: not even at their ends, where the order would decide."""
    apart = all(a.span.end < b.span.start or b.span.end < a.span.start for a in edits for b in taken)
    return apart and compatible(edits)
