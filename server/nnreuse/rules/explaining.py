"""Explaining: of several rules that speak of one instance for one reason, one speaks, and names the places of the rest."""

from collections.abc import Iterable
from dataclasses import replace

from nnreuse.rules.finding import Finding, Related

_ONE_SHARED = (
    "unused-twin",
    "repeated-instance",
    "same-instance-twice",
    "aliased-attribute",
    "shared-between-submodules",
    "same-input-twice",
    "shared-batch-norm",
    "shared-embedding",
    "shared-layer-norm",
    "shared-parameters",
    "shared-prelu",
    "shared-recurrent",
)
"""The rules that say that one instance serves several places. The earlier say why it does, so they explain the later."""


def explained(findings: Iterable[Finding]) -> list[Finding]:
    """The findings of a class, those left out that another one explains: the loudest speaks, of equally loud ones the first above."""
    found = list(findings)
    of_sharing = sorted((one for one in found if one.rule in _ONE_SHARED), key=_prominence)
    kept: list[Finding] = []
    for finding in of_sharing:
        speaker = next((n for n, one in enumerate(kept) if _is_about_the_same(one, finding)), None)
        if speaker is None:
            kept.append(finding)
        else:
            kept[speaker] = _speaking_for(kept[speaker], finding)
    return [*(one for one in found if one.rule not in _ONE_SHARED), *kept]


def _prominence(finding: Finding) -> tuple[int, int]:
    return -finding.severity.rank, _ONE_SHARED.index(finding.rule)


def _is_about_the_same(speaker: Finding, other: Finding) -> bool:
    return not {*speaker.instances}.isdisjoint(other.instances) or speaker.place == other.place


def _speaking_for(speaker: Finding, other: Finding) -> Finding:
    """The finding with the places of one that it explains, each once."""
    known = {speaker.place, *(one.place for one in speaker.related)}
    message = f"the same instance is used here (`{other.rule}`)"
    more = [Related(place, message, "call") for place in other.calls if place not in known]
    return replace(speaker, related=(*speaker.related, *more))
