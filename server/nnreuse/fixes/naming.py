"""Names for new attributes: what a person would choose, and never one that is taken."""

import re
from collections.abc import Iterable

from nnreuse.syntax.units import ClassUnits

_STEM = re.compile(r"^(.*?)(\d*)$", re.DOTALL)


def free_names(owner: ClassUnits, attribute: str, count: int, taken: Iterable[str]) -> list[str]:
    """`count` new names that continue an attribute's: `bn` gives `bn2`, `bn3`; `norm1` gives `norm2`."""
    stem, digits = _parts(attribute)
    used = {*taken, attribute, owner.node.name}
    names: list[str] = []
    number = int(digits or 1)
    while len(names) < count:
        number += 1
        if f"{stem}{number}" not in used:
            names.append(f"{stem}{number}")
    return names


def numbered_names(owner: ClassUnits, attribute: str, count: int, taken: Iterable[str]) -> list[str]:
    """`count` names numbered from one: `bn` gives `bn1`, `bn2`; numbers that are taken are left out."""
    stem, _ = _parts(attribute)
    used = ({*taken} - {attribute}) | {owner.node.name}
    names: list[str] = []
    number = 0
    while len(names) < count:
        number += 1
        if f"{stem}{number}" not in used:
            names.append(f"{stem}{number}")
    return names


def _parts(attribute: str) -> tuple[str, str]:
    match = _STEM.match(attribute)
    assert match is not None
    return match.group(1), match.group(2)
