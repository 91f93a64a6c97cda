"""Configurations: instances that a name chooses among several, `"relu"`, `"prelu"` or `"gelu"`, and who asks for which."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from nnreuse.syntax.once import once
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Unit, leaves
from nnreuse.tracing.conditions import NOTHING, Literal, Literals
from nnreuse.tracing.trace import Trace
from nnreuse.tracing.values import Instance, Items, May, Value
from nnreuse.types.catalog import Carries


@dataclass(frozen=True, slots=True)
class Choice:
    """An instance that a name chooses: the name, where one test says it, and whether a default or a caller in the file asks for it."""

    name: str | None
    asked: bool


def matters_to_others(trace: Trace, instance: Instance, carried: Carries) -> bool:
    """Whether who shares an instance shares state, or parameters that learn: those that are frozen stay what they are."""
    if carried.running_stats or carried.other_state:
        return True
    return bool(carried.parameters) and trace.learns(instance)


def is_rare(trace: Trace, instance: Instance) -> bool:
    """Whether only a name that nobody in the file asks for makes an instance, where other names make something harmless."""
    choice = choice_of(trace, instance)
    if choice is None and (part := chosen_part(trace, instance)) is not None:
        return not part.choice.asked
    return not choice.asked if choice is not None else _is_one_of_many(trace, instance)


@dataclass(frozen=True, slots=True)
class ChosenPart:
    """The part of a block that alone carries something, and the name that chooses it; `known`: a default says which name that is."""

    instance: Instance
    choice: Choice
    known: bool


@once
def chosen_part(trace: Trace, block: Instance) -> ChosenPart | None:
    """What makes an own block carry something where only a name does: each part that matters is one of several, the others harmless."""
    if block.cls is None and block.elements is None or not trace.chooses(block):
        return None  # found without running the constructor of a block that the last trace has asked about
    if matters_to_others(trace, block, trace.owns(block)):
        return None
    found: ChosenPart | None = None
    for value in _values(block):
        options = value.options if isinstance(value, May) else ((NOTHING, value),)
        matter = [(ls, one) for ls, one in options if _matters(trace, one)]
        for literals, one in matter:
            assert isinstance(one, Instance)
            part = _chosen(trace, one, literals | one.given) if len(matter) < len(options) else chosen_part(trace, one)
            if part is None:
                return None
            found = found or part
    return found


def may_be_harmless(trace: Trace, block: Instance) -> bool:
    """Whether a block carries something for a name only that nobody in the file asks for."""
    part = chosen_part(trace, block)
    return part is not None and not part.choice.asked


def is_harmless_block(trace: Trace, block: Instance) -> bool:
    """Whether a block carries nothing with the name that the constructor has by default, and nobody in the file asks for another."""
    part = chosen_part(trace, block)
    return part is not None and part.known and not part.choice.asked


def _values(block: Instance) -> list[Value]:
    held = block.elements
    inside = () if held is None else held.content.items if isinstance(held, Items) else held.entries.values()
    return [*block.attrs.values(), *inside]


def _matters(trace: Trace, value: Value) -> bool:
    return isinstance(value, Instance) and value.is_module and matters_to_others(trace, value, trace.carries(value))


def _chosen(trace: Trace, part: Instance, literals: Literals) -> ChosenPart | None:
    tests = [one for one in _equalities(literals) if isinstance(one.value, str)]
    if not tests:
        return None
    names = sorted({str(one.value) for one in tests if one.positive})
    asked = [name for name in names if is_asked_for(trace, name)]
    choice = Choice(next(iter([*asked, *names]), None), bool(asked) or _by_default(trace, frozenset(tests)))
    return ChosenPart(part, choice, all(one.subject in trace.presumed for one in tests))


def _is_one_of_many(trace: Trace, instance: Instance) -> bool:
    """Whether one call makes an instance of one class or another, as a table says, and most of these hold nothing to share."""
    own = next((one for one in trace.creations if one.instance is instance), None)
    if own is None:
        return False
    others = {
        one.instance.type_name: one.instance
        for one in trace.creations
        if one.node is own.node and one.turns == own.turns and one.instance.type_name != instance.type_name
    }
    harmless = [one for one in others.values() if not matters_to_others(trace, one, trace.carries(one))]
    return len(harmless) >= 2 and len(harmless) > len(others) / 2


def is_default(trace: Trace, literal: Literal) -> bool:
    """Whether a literal asks for the very name that a parameter of the constructor has by default."""
    asks = literal.operator == "==" and literal.positive and isinstance(literal.value, str)
    return asks and trace.presumed.get(literal.subject) == literal.value


def choice_of(trace: Trace, instance: Instance) -> Choice | None:
    """The name that chooses an instance. None where no name does, or where it would matter as much with every other."""
    tests = [one for one in _equalities(instance.given) if isinstance(one.value, str)]
    if not tests or _all_matter(trace, instance):
        return None
    names = sorted({str(one.value) for one in tests if one.positive})
    asked = [name for name in names if is_asked_for(trace, name)]
    return Choice(next(iter([*asked, *names]), None), bool(asked) or _by_default(trace, instance.given))


def _equalities(literals: Literals) -> Iterator[Literal]:
    """The tests for equality that literals consist of, those of compound tests turned over where these do not hold."""
    for one in literals:
        if one.operator == "==":
            yield one
        elif one.operator == "test" and isinstance(one.value, frozenset):
            inner: Literals = one.value  # type: ignore[assignment]
            yield from _equalities(inner if one.positive else frozenset(x.negated() for x in inner))


def _all_matter(trace: Trace, instance: Instance) -> bool:
    """Whether all that may stand at the same place matters as well."""
    others = [one for path in trace.paths_of(instance)[:1] for one in trace.held[path] if one is not instance]
    return bool(others) and all(matters_to_others(trace, one, trace.carries(one)) for one in others)


def _by_default(trace: Trace, literals: Literals) -> bool:
    """Whether literals hold for the defaults of the constructor."""
    return all(_holds(trace, one) for one in literals)


def _holds(trace: Trace, literal: Literal) -> bool:
    if literal.operator == "test" and isinstance(literal.value, frozenset):
        inner: Literals = literal.value  # type: ignore[assignment]
        return all(_holds(trace, one) for one in inner) is literal.positive
    if literal.subject not in trace.presumed:
        return literal.operator != "=="  # a test of something else: a flag, say
    value = trace.presumed[literal.subject]
    match literal.operator:
        case "==":
            return (value == literal.value) is literal.positive
        case "is None":
            return (value is None) is literal.positive
        case _:
            return bool(value) is literal.positive


def is_asked_for(trace: Trace, name: str) -> bool:
    """Whether a call of the class in its file gives this name."""
    own = trace.cls.name.rsplit(".", 1)[-1]
    return any((own, name.lower()) in _given(unit) for unit in leaves(trace.cls.file.index.parts))


@once
def _given(unit: Unit) -> frozenset[tuple[str, str]]:
    """The texts that the calls of a unit are given, in lower case, each with the name of what is called."""
    found: set[tuple[str, str]] = set()
    for call in (node for root in unit.nodes for node in walk(root) if isinstance(node, ast.Call)):
        called = ast.unparse(call.func).rsplit(".", 1)[-1]
        for value in (*call.args, *(keyword.value for keyword in call.keywords)):
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found.add((called, value.value.lower()))
    return frozenset(found)
