"""Whether the static tracer and torch say the same of a program, and the smallest program about which they do not."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from torch_truth import Made, run

from nnreuse.config.settings import Settings
from nnreuse.workspace.project import Project

_ORDER = ["none", "single", "exclusive", "parallel", "chained", "mixed"]
_PATH = Path("/program.py")
Row = dict[str, object]


def disagreements(source: str, name: str) -> list[str]:
    """What the two tracers see differently of one class; raises what the program raises under torch."""
    static = {str(row["attribute"]): row for row in _facts(source) if row["class"] == name}
    groups: dict[str, list[Made]] = {attribute: [] for attribute in static}
    found: list[str] = []
    for made in run(source, name):
        for path in sorted(made.paths):
            attribute = _attribute(path, static)
            if attribute is not None:
                groups[attribute].append(made)
            elif any(made.runs) or path.count(".") == 0:
                found.append(f"{path}: torch has it, the static tracer does not")
    for attribute, several in groups.items():
        if several:
            found += _differences(static[attribute], several)
        else:
            found.append(f"{attribute}: the static tracer has it, torch does not")
    return found


@lru_cache(maxsize=1)
def _facts(source: str) -> list[Row]:
    project = Project(Settings())
    project.admit(_PATH, source)
    return project.facts(_PATH)


def _attribute(path: str, static: dict[str, Row]) -> str | None:
    fitting = [a for a in static if re.fullmatch(re.escape(a).replace(r"\*", r"\w+"), path)]
    return min(fitting, key=lambda a: a.count("*"), default=None)


def _differences(row: Row, several: list[Made]) -> Iterator[str]:
    most = max(_most(made) for made in several)
    kinds = [_relation(made) for made in several if _most(made) == most]
    truth: Row = {
        "calls": most,
        "must": any(min(map(len, made.runs)) >= 2 for made in several),
        "sites": sorted({call.line for made in several for calls in made.runs for call in calls}),
        "relation": max(kinds, key=_ORDER.index),
    }
    for name, value in truth.items():
        said = "chained" if row[name] == "recurrent" else row[name]
        if said != value and not ((value, said) == ("single", "exclusive") and _in_other_passes(several)):
            yield f"{row['attribute']}: {name} is {value} in torch, {row[name]} in the static tracer"
    carried = {one for made in several for one in made.carried}
    for kind in {kind for kind, _, _ in carried}:  # one expression that makes a different thing in each configuration
        same = [one for one in carried if one[0] == kind]
        carried.add((kind, any(one[1] for one in same), any(one[2] for one in same)))
    said = row["type"], row["parameters"], row["running_stats"]
    if said not in carried and not (None in said and len(carried) > 1):
        yield f"{row['attribute']}: {carried} in torch, {said} in the static tracer"


def _most(made: Made) -> int:
    return min(2, max(map(len, made.runs)))


def _relation(made: Made) -> str:
    """As the static tracer defines it: a call is chained to earlier ones if it is in any configuration."""
    chained: dict[object, bool] = {}
    calls = {(call.site, call.nth) for run in made.runs for call in run}
    for one in made.runs:
        for call in one[1:]:
            chained[call.site, call.nth] = chained.get((call.site, call.nth), False) or call.chained
    if not chained:
        return "exclusive" if len(calls) > 1 else "single" if calls else "none"
    kinds = set(chained.values())
    return "mixed" if len(kinds) > 1 else "chained" if kinds == {True} else "parallel"


def _in_other_passes(several: list[Made]) -> bool:
    """Whether one place calls an instance in an earlier pass of a loop here and in a later one there: one call or two, as one likes."""
    return any(len({call.turn for calls in made.runs for call in calls}) > 1 for made in several)


def smallest(source: str, fails: Callable[[str], bool]) -> str:
    """The program without whatever it fails without as well: statements, and compound statements around what is needed."""
    size = len(source) + 1
    while len(source) < size:
        size, number = len(source), 0
        while (shorter := _without(source, number)) is not None:
            if len(shorter) < len(source) and fails(shorter):
                source = shorter
            else:
                number += 1
    return source


def _without(source: str, number: int) -> str | None:
    """The program with its n-th simplification; None when there are not so many."""
    tree = ast.parse(source)
    places = [(body, at) for body in _bodies(tree) for at in range(len(body)) if not _counts(body[at])]
    if number >= 2 * len(places):
        return None
    body, at = places[number // 2]
    inside = next(_bodies(body[at], below=False), []) if number % 2 else []
    body[at : at + 1] = inside or ([] if len(body) > 1 else [ast.Pass()])
    return ast.unparse(ast.fix_missing_locations(tree))


def _counts(statement: ast.stmt) -> bool:
    """Whether a loop would not end without it."""
    return isinstance(statement, ast.AugAssign) and isinstance(statement.value, ast.Constant)


def _bodies(tree: ast.AST, below: bool = True) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree) if below else [tree]:
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list) and body:
                yield body
