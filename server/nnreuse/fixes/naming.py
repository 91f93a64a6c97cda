"""Names for new attributes: what a person would choose, and never one that is taken.

`bn` goes on as `bn2`, `norm1` as `norm2`; a number that is a size or a dimension (`fc512`, `conv2d`, `conv_3x3`) is not
counted on: `fc512_2`, `conv2d_2`, `conv_3x3_2`.
"""

import ast
import re
from collections.abc import Iterable

from nnreuse.syntax.units import ClassUnits

_COUNTED = re.compile(r"^(.*?[^\d])(\d)$", re.DOTALL)
_DIMENSION = re.compile(r"\d[a-z]?$|\dx\d$", re.IGNORECASE)


def free_names(owner: ClassUnits, attribute: str, count: int, taken: Iterable[str]) -> list[str]:
    """`count` new names that continue an attribute's: `bn` gives `bn2`, `bn3`; `norm1` gives `norm2`."""
    stem, number = _counted(attribute)
    return _free(owner, stem, count, 2 if number is None else number + 1, {*taken, attribute})


def numbered_names(owner: ClassUnits, attribute: str, count: int, taken: Iterable[str]) -> list[str]:
    """`count` names for all instances, the first one's too: `bn` gives `bn1`, `bn2`; `norm1` stays and `norm2` follows."""
    stem, number = _counted(attribute)
    if number is not None:
        return [attribute, *_free(owner, stem, count - 1, number + 1, {*taken, attribute})]
    return _free(owner, stem, count, 1, {*taken, attribute})


def names_in(owner: ClassUnits) -> set[str]:
    """Every name that a class uses for an attribute, defines, or spells in a string."""
    names = {owner.node.name}
    for _, statement in owner.statements():
        for node in ast.walk(statement):
            match node:
                case ast.Attribute(attr=name) | ast.Name(id=name) | ast.Constant(value=str(name)):
                    names.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    names.add(name)
                case _:
                    pass
    return names


def _counted(attribute: str) -> tuple[str, int | None]:
    """What comes before the count, and the count; the stem ends in `_` where a count must be set apart."""
    match = _COUNTED.match(attribute)
    if match is not None and not re.search(r"\dx$", match.group(1), re.IGNORECASE):
        return match.group(1), int(match.group(2))
    return (f"{attribute}_" if _DIMENSION.search(attribute) else attribute), None


def _free(owner: ClassUnits, stem: str, count: int, number: int, taken: set[str]) -> list[str]:
    used = taken | names_in(owner)
    made = _made_names(owner)
    names: list[str] = []
    while len(names) < count:
        name = f"{stem}{number}"
        if name not in used and not any(pattern.fullmatch(name) for pattern in made):
            names.append(name)
        number += 1
        # A class that makes every name of the form `bn…` leaves only names of another form.
        if number > 99 and not names:
            stem, number = f"{stem}_", 2
    return names


def _made_names(owner: ClassUnits) -> list[re.Pattern[str]]:
    """The names that the f-strings and `"bn%d"` of a class may stand for; those without any letters of their own left out."""
    found: list[re.Pattern[str]] = []
    for _, statement in owner.statements():
        for node in ast.walk(statement):
            if isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(v.value) if isinstance(v, ast.Constant) and isinstance(v.value, str) else r"\w*"
                    for v in node.values
                ]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 60:
                parts = [
                    re.escape(p) if i % 2 == 0 else r"\w*"
                    for i, p in enumerate(re.split(r"(%[ds]|\{\w*\})", node.value))
                ]
            else:
                continue
            if len(parts) > 1 and re.search(r"[A-Za-z]", "".join(parts).replace(r"\w*", "")):
                found.append(re.compile("".join(parts)))
    return found
