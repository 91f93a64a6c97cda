"""Naming: whether an instance is named for one of its results, as `q_proj` is for `q` and not for `k`."""

import ast
import re
from collections.abc import Iterator

from nnreuse.syntax.once import once
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Unit
from nnreuse.tracing.trace import Call

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")


def named_for(attribute: str, calls: list[Call]) -> tuple[str, Call, Call] | None:
    """The part of an attribute's name that one call's result bears and another's does not, with those two calls."""
    if len({ast.unparse(call.node.func) for call in calls}) > 1:
        return None  # it has a name for each result, and they are one instance on purpose
    for mark in _marks(attribute):
        results = [(call, list(result_names(call))) for call in calls]
        if not all(names for _, names in results):
            return None
        bearing = [call for call, names in results if any(_bears(name, mark) for name in names)]
        other = [call for call, names in results if not any(_bears(name, mark) for name in names)]
        if bearing and other:
            return mark, bearing[0], other[0]
    return None


def _marks(attribute: str) -> list[str]:
    """The words of a name, and the role that is the last letter of one: `wq` is for `q`."""
    words = words_of(attribute)
    return [*words, *(word[-1] for word in words if word[-1] in _ROLES and len(word) > 1)]


def words_of(name: str) -> list[str]:
    """The words of a name, in the singular: `to_queries` is for `query`."""
    words = [word.lower() for word in _WORD.findall(name)]
    return [f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s") or word for word in words]


def are_siblings(a: str, b: str) -> bool:
    """Whether two names differ in one word or number only: `early1` and `early2`, not `cross` and `out_cross`."""
    first, second = words_of(a), words_of(b)
    return len(first) == len(second) and sum(x != y for x, y in zip(first, second, strict=True)) == 1


def is_role(mark: str) -> bool:
    """Whether a mark names a part that attention keeps apart: `q`, or `query`."""
    return mark in ("q", "k", "v", "query", "key", "value")


_ROLES = frozenset("qkvhwxyzrt")
"""The letters that names end in for what they are about: `wq`, `convx`."""
_SIDES = frozenset("hw")
"""Height and width, as attention along one axis names them."""


def bears_another_role(call: Call, mark: str) -> bool:
    """Whether a mark is a part kept apart from others, as `q` in attention or `h` of height, and the result is another part."""
    names = [word for name in result_names(call) for word in words_of(name)]
    if is_role(mark):
        return any(word[0] in "qkv" and word[0] != mark[0] for word in names if is_role(word) or len(word) == 1)
    return mark in _SIDES and any(word in _SIDES - {mark} for word in names)


_IDS = frozenset(
    "word char character token position place tag type segment user item product movie category brand entity relation rel time day "
    "hour week weekday month year age gender color action state speaker language lang node edge atom bond residue label".split()
)


def kinds_of_ids(calls: list[Call]) -> list[str]:
    """What the ids are, by the names of the arguments, where each call says it and not all say the same: `user_ids` and `item_ids`."""
    said = [{word for word in _surroundings(call)[0] if word in _IDS} for call in calls]
    if not all(said) or len({frozenset(words) for words in said}) < 2:
        return []
    return sorted(set[str]().union(*said))


def named_for_input(attribute: str, bearing: Call, other: Call) -> bool:
    """Whether a word of the name stands in what one call is given and in what it results in, and in neither of the other call's."""
    here, elsewhere = _surroundings(bearing), _surroundings(other)
    return any(
        len(mark) > 2 and all(mark in words for words in here) and not any(mark in words for words in elsewhere)
        for mark in words_of(attribute)
    )


def _surroundings(call: Call) -> tuple[set[str], set[str]]:
    """The words of a call's arguments, and those of the names that its result is bound to."""
    given = [n.id for argument in call.node.args for n in walk(argument) if isinstance(n, ast.Name)]
    return {w for name in given for w in words_of(name)}, {w for name in result_names(call) for w in words_of(name)}


def _bears(name: str, mark: str) -> bool:
    words = words_of(name)
    if len(mark) == 1 and mark in "qkv":
        return bool(words) and words[0].startswith(mark)
    return mark in words


def result_names(call: Call) -> Iterator[str]:
    """The names that the statement around a call binds to its result."""
    return (name for name, _ in _bindings(call))


_RESHAPING = frozenset(
    "view reshape transpose permute contiguous flatten unflatten unsqueeze squeeze expand t swapaxes movedim rearrange chunk split"
    " unbind float half to".split()
)


def are_named_alike(calls: list[Call]) -> bool:
    """Whether the results are bound as they are, shapes apart, or all in the same words: they were to be different values."""
    values = [value for call in calls for _, value in _bindings(call)]
    plain = {id(call.node) for call in calls}
    return len({ast.unparse(value) for value in values}) == 1 or all(id(_unshaped(v)) in plain for v in values)


def _unshaped(value: ast.expr) -> ast.expr:
    match value:
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _RESHAPING:
            return _unshaped(first)
        case ast.Call(func=ast.Attribute(value=ast.Name(), attr=name), args=[first, *_]) if name in _RESHAPING:
            return _unshaped(first)
        case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in _RESHAPING:
            return _unshaped(inner)
        case ast.Attribute(value=inner, attr="T" | "mT") | ast.Subscript(value=inner):
            return _unshaped(inner)
        case _:
            return value


def are_one_tuple(calls: list[Call]) -> bool:
    """Whether the results stand beside each other in one tuple: `return self.fc(x), self.fc(x)`."""
    nodes = {id(call.node) for call in calls}
    tuples = (n for root in calls[0].unit.nodes for n in walk(root) if isinstance(n, ast.Tuple))
    return any(nodes <= {id(_unshaped(one)) for one in held.elts} for held in tuples)


def _bindings(call: Call) -> Iterator[tuple[str, ast.expr]]:
    for statement in _assignments(call.unit).get(call.node, ()):
        for target in statement.targets:
            yield from _bound(target, statement.value, call)


@once
def _assignments(unit: Unit) -> dict[ast.Call, list[ast.Assign]]:
    """For each call of a unit the assignments in whose values it stands."""
    found: dict[ast.Call, list[ast.Assign]] = {}
    for statement in (node for root in unit.nodes for node in walk(root) if isinstance(node, ast.Assign)):
        for node in walk(statement.value):
            if isinstance(node, ast.Call):
                found.setdefault(node, []).append(statement)
    return found


def _bound(target: ast.expr, value: ast.expr, call: Call) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for inner, given in zip(target.elts, value.elts, strict=True):
            if any(node is call.node for node in walk(given)):
                yield from _bound(inner, given, call)
