"""Names for new attributes: what a person would choose, and never one that is taken.

`bn` goes on as `bn2`, `norm1` as `norm2`; a number that is a size or a dimension (`fc512`, `conv2d`, `conv_3x3`) is not
counted on: `fc512_2`, `conv2d_2`, `conv_3x3_2`. Nor is the number of a level, a stage or a step, as the numbers are of attributes
that are made in different ways (`conv_c2 = block(n)`, `conv_c3 = block(2 * n)`): `conv_c2_2`.
"""

import ast
import re
from collections.abc import Iterable, Iterator

from nnreuse.syntax.once import once
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import ClassUnits

_COUNTED = re.compile(r"^(.*?[^\d])(\d)$", re.DOTALL)
_HOLE = re.compile(r"(%[ds]|\{\w*\})")
_DIMENSION = re.compile(r"\d[a-z]?$|\dx\d$", re.IGNORECASE)


def free_names(owner: ClassUnits, attribute: str, count: int, taken: Iterable[str]) -> list[str]:
    """`count` new names that continue an attribute's: `bn` gives `bn2`, `bn3`; `norm1` gives `norm2`."""
    stem, number = _counted(owner, attribute)
    return _free(owner, stem, count, 2 if number is None else number + 1, {*taken, attribute})


def numbered_names(owner: ClassUnits, attribute: str, count: int, taken: Iterable[str]) -> list[str]:
    """`count` names for all instances, the first one's too: `bn` gives `bn1`, `bn2`; `norm1` stays and `norm2` follows."""
    stem, number = _counted(owner, attribute)
    if number is not None:
        return [attribute, *_free(owner, stem, count - 1, number + 1, {*taken, attribute})]
    return _free(owner, stem, count, 1, {*taken, attribute})


def plural_name(owner: ClassUnits, attribute: str, taken: Iterable[str]) -> str:
    """A new name for a list of what an attribute was: `bn` gives `bns`, `norm1` gives `norm1_list`."""
    used = {*taken, attribute} | names_in(owner)
    plain = [] if attribute.endswith("s") or attribute[-1].isdigit() else [f"{attribute}s"]
    forms = [*plain, f"{attribute}_list", *(f"{attribute}_list{number}" for number in range(2, len(used) + 3))]
    return next(name for name in forms if name not in used)


@once
def names_in(owner: ClassUnits) -> frozenset[str]:
    """Every name that a class uses for an attribute, defines, or spells in a string."""
    names = {owner.node.name}
    for _, statement in owner.statements():
        for node in walk(statement):
            match node:
                case ast.Attribute(attr=name) | ast.Name(id=name) | ast.Constant(value=str(name)):
                    names.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    names.add(name)
                case _:
                    pass
    return frozenset(names)


def _counted(owner: ClassUnits, attribute: str) -> tuple[str, int | None]:
    """What comes before the count, and the count; the stem ends in `_` where a count must be set apart."""
    match = _COUNTED.match(attribute)
    if match is None or re.search(r"\dx$", match.group(1), re.IGNORECASE):
        return (f"{attribute}_" if _DIMENSION.search(attribute) else attribute), None
    if _is_level(owner, attribute, match.group(1)):
        return f"{attribute}_", 1
    return match.group(1), int(match.group(2))


def _is_level(owner: ClassUnits, attribute: str, stem: str) -> bool:
    """Whether attributes with other numbers are made in other ways: then the number says which, not how many there are."""
    made = _definitions(owner)
    own = made.get(attribute, frozenset())
    numbered = re.compile(rf"{re.escape(stem)}\d+")
    return any(values != own for name, values in made.items() if own and numbered.fullmatch(name))


@once
def _definitions(owner: ClassUnits) -> dict[str, frozenset[str]]:
    """The constructor calls that each attribute is given."""
    found: dict[str, set[str]] = {}
    for _, statement in owner.statements():
        for node in walk(statement):
            match node:
                case ast.Assign(targets=[ast.Attribute(value=ast.Name("self"), attr=name)], value=ast.Call() as value):
                    found.setdefault(name, set()).add(ast.dump(value))
                case _:
                    pass
    return {name: frozenset(values) for name, values in found.items()}


def _free(owner: ClassUnits, stem: str, count: int, number: int, taken: set[str]) -> list[str]:
    used, made = taken | names_in(owner), _made_names(owner)
    # A class that makes every name of the form `bn1` leaves `bn_2`; where it may make any name at all, nothing can be avoided.
    for form, patterns in ((stem, made), (f"{stem}_", made), (stem, list[re.Pattern[str]]())):
        numbers = range(number, number + count + len(used))
        names = [name for n in numbers if (name := f"{form}{n}") not in used and not _is_made(name, patterns)]
        if len(names) >= count:
            return names[:count]
    raise AssertionError("more numbers were tried than names are taken")


def _is_made(name: str, patterns: list[re.Pattern[str]]) -> bool:
    return any(pattern.fullmatch(name) for pattern in patterns)


@once
def _made_names(owner: ClassUnits) -> list[re.Pattern[str]]:
    """The names that a class may make: by f-strings, `"bn%d" % i`, `"bn{}".format(i)`, `"bn" + str(i)`."""
    nodes = (node for _, statement in owner.statements() for node in walk(statement))
    made = ("".join(parts) for node in nodes if len(parts := list(_parts(node))) > 1)
    return [re.compile(pattern) for pattern in made if re.search(r"[A-Za-z]", re.sub(r"\\[wd]", "", pattern))]


def _parts(node: ast.AST) -> Iterator[str]:
    """The parts of the pattern that stands for a made name."""
    match node:
        case ast.JoinedStr(values=values):
            for value in values:
                yield re.escape(str(value.value)) if isinstance(value, ast.Constant) else _filled(value)
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Add()):
            yield from (re.escape(text), r"\w+")
        case ast.Constant(value=str(text)) if len(text) < 60:
            for number, part in enumerate(_HOLE.split(text)):
                yield re.escape(part) if number % 2 == 0 else r"\d+" if part == "%d" else r"\w+"
        case _:
            return


def _filled(value: ast.expr) -> str:
    """What an f-string puts in: digits where the name is a counter's."""
    counted = isinstance(value, ast.FormattedValue) and bool(
        re.match(r"[ijkn]\b|idx|index|num", ast.unparse(value.value))
    )
    return r"\d+" if counted else r"\w+"
