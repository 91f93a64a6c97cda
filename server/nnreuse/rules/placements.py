"""Placements: an instance that its constructor puts into containers more than once, by a loop or by two expressions."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from nnreuse.fixes.fix import Applicability, Fix, refused
from nnreuse.fixes.inline import definition_of, inline_instance
from nnreuse.rules.configurations import may_be_harmless
from nnreuse.rules.finding import Evidence
from nnreuse.rules.instances import reading_order
from nnreuse.rules.memos import is_memo
from nnreuse.rules.reuse import (
    comments_at,
    denies_sharing,
    enclosing_tests,
    own_units,
    says_shared,
    under_sharing_flag,
)
from nnreuse.syntax.units import Place, Unit
from nnreuse.tracing.conditions import exclusive
from nnreuse.tracing.trace import Placement, Trace, relation
from nnreuse.tracing.values import Instance


@dataclass(frozen=True, slots=True)
class Again:
    """One instance at several places: `first` put it there before `second` did; they are one expression where a loop repeats it.

    `more`: the further expressions that do so.
    """

    instance: Instance
    first: Placement
    second: Placement
    more: tuple[Placement, ...] = ()

    @property
    def places(self) -> list[Place]:
        """All places where it is put into something."""
        return list(dict.fromkeys(one.place for one in (self.first, self.second, *self.more)))

    @property
    def is_local(self) -> bool:
        """Whether a local variable names the instance: an attribute is known to other code as well."""
        return isinstance(self.second.node, ast.Name)


def looped(trace: Trace) -> Iterator[Again]:
    """Instances that every pass of a loop adds, each with all expressions of its function that do so."""
    found: dict[tuple[Instance, Unit], list[Again]] = {}
    for again in _looped_by(trace):
        found.setdefault((again.instance, again.second.unit), []).append(again)
    for first, *others in found.values():
        yield replace(first, more=tuple(one.second for one in others))


def _looped_by(trace: Trace) -> Iterator[Again]:
    """The same once for each expression; for each call of a function that does so."""
    own, seen = own_units(trace), set[object]()
    for group in (*_passes(trace.placements), *_spread(trace)):
        node, instance = group[0].node, group[0].instance
        several = len({one.turns[-1].number for one in group}) > 1
        key = node if group[0].unit in own and node not in _nodes(trace.spreads) else (node, instance.ident)
        if several and len({one.instance.ident for one in group}) == 1 and key not in seen:
            seen.add(key)
            yield Again(instance, group[0], group[1])


def _passes(placements: list[Placement]) -> Iterator[list[Placement]]:
    """The executions of one expression in one run of the loop around it."""
    groups: dict[tuple[ast.expr, tuple[object, ...]], list[list[Placement]]] = {}
    for one in placements:
        if one.turns:
            key = one.node, tuple((t.loop, t.number) for t in one.turns[:-1])
            runs = groups.setdefault(key, [[]])
            if runs[-1] and one.turns[-1].number < runs[-1][-1].turns[-1].number:
                runs.append([])
            runs[-1].append(one)
    for runs in groups.values():
        yield from runs


def _spread(trace: Trace) -> Iterator[list[Placement]]:
    """The same for each member of a list that is spread in every pass, and was made before the loop."""
    made = {one.instance: one.turns for one in trace.creations} if trace.spreads else {}
    groups: dict[tuple[ast.expr, Instance], list[Placement]] = {}
    for one in trace.spreads:
        if all(turn.loop is not one.turns[-1].loop for turn in made.get(one.instance, ())):
            groups.setdefault((one.node, one.instance), []).append(one)
    for group in groups.values():
        yield from _passes(group)


def _nodes(placements: list[Placement]) -> set[ast.expr]:
    return {one.node for one in placements}


def placed_twice(trace: Trace) -> Iterator[Again]:
    """Instances that several expressions put into containers of the class, which one run can reach with the first one."""
    own = own_units(trace)
    nodes: dict[Instance, dict[ast.expr, Placement]] = {}
    for one in trace.placements:
        if not is_memo(one.place):
            nodes.setdefault(one.instance, {}).setdefault(one.node, one)
    for instance, by_node in nodes.items():
        if len(by_node) > 1 and len(kept_in(trace, instance)) > 1:
            mine = [one for one in by_node.values() if one.unit in own]
            first, *others = sorted(mine if len(mine) > 1 else by_node.values(), key=_by_place(trace))
            met = [one for one in others if not exclusive(first.path, one.path)]
            if met:
                yield Again(instance, first, met[0], (*met[1:], *(one for one in others if one not in met)))


def _by_place(trace: Trace) -> Callable[[Placement], tuple[float, int, int]]:
    order = reading_order(trace)
    return lambda one: order(one.place)


def kept_in(trace: Trace, instance: Instance) -> list[str]:
    """The access paths of the containers that hold an instance, each as often as it does; `*` for the class itself."""
    return [
        path.rpartition(".")[0].removesuffix("(unregistered)") or "*"
        for path, held in trace.held.items()
        for one in held
        if one is instance and ("." in path or path == "*")
    ]


def container_of(trace: Trace, instance: Instance) -> str | None:
    """The attribute to name: the container that holds an instance, or the pattern of names a loop gave it."""
    kept = kept_in(trace, instance)
    made = [path for path in trace.paths_of(instance) if "*" in path]
    return next(iter([*kept, *made]), None)


def matters(trace: Trace, instance: Instance, inline: bool = True) -> bool:
    """Whether an instance carries something; of a class that cannot be read in full, arguments say so: stateless ones want none."""
    carried = trace.carries(instance)
    if carried.parameters or carried.running_stats or carried.other_state:
        return not may_be_harmless(trace, instance)
    said = inline or instance.place is None  # one that an annotation alone tells of
    return carried.parameters is None and said and bool(instance.positional or instance.keywords)


def said(trace: Trace, instances: Iterable[Instance], *places: Place) -> Iterator[Evidence]:
    """What speaks for a design: comments, sharing flags around the places, and the names of attributes and of the class."""
    made = [i.place for i in instances if i.place is not None]
    everywhere = [*places, *made]
    if says_shared([text for place in everywhere for text in comments_at(place)]):
        yield Evidence("said", -6, "a comment says that sharing is meant", places[0])
    if not denies_sharing(places[0]) and under_sharing_flag(
        [t for place in everywhere for t in enclosing_tests(place)]
    ):
        yield Evidence("flag", -6, "it stands under a sharing flag", places[0])
    names = [path for i in instances for path in trace.paths_of(i)] + [trace.cls.name]
    document = trace.cls.units.docstring
    stems = {re.split(r"\W", path)[0] for path in names}
    names += [
        s for s in re.split(r"[.\n]\s", document) if any(re.search(rf"\b{re.escape(stem)}\b", s) for stem in stems)
    ]
    if says_shared(names):
        yield Evidence("named-so", -6, "a name or the docstring says that sharing is meant", places[0])


def for_each_level(trace: Trace, instance: Instance) -> Iterator[Evidence]:
    """What speaks for one head on several levels: every pass of a loop of unknown length calls it, none on what another gave."""
    calls = [call for call in trace.calls_of(instance) if call.container is None]
    if len(calls) < 2 or len({call.node for call in calls}) > 1 or relation(calls) != "parallel":
        return
    if all(call.turns and not call.turns[-1].exact for call in calls):
        sentence = "each position is called on a level of its own, never on what another position gives: one head for all levels"
        yield Evidence("levels", -4, sentence, calls[0].site)


def inlined(trace: Trace, again: Again) -> tuple[Fix, ...]:
    """The fix for a local: its constructor at each place instead of one before them; else why there is none."""
    title, node = "Make a fresh instance for each place", again.second.node
    if not isinstance(node, ast.Name):
        return (
            Fix(title, Applicability.UNSAFE, refused(f"`{ast.unparse(node)}` is no local with one constructor call")),
        )
    definition = definition_of(again.second.place, node.id)
    if definition is None:
        return (
            Fix(
                title, Applicability.UNSAFE, refused(f"`{node.id}` is not given one constructor call, in this function")
            ),
        )
    if any(p.unit is not definition.unit for p in (again.first, again.second)):
        return (Fix(title, Applicability.UNSAFE, refused("another function puts it into the container as well")),)
    uses = {p.node: p.place for p in trace.placements if p.instance is again.instance and p.unit is definition.unit}
    build = inline_instance(definition.unit, definition, list(uses.values()))
    return (Fix(title, Applicability.UNSAFE, build),)
