"""Instances: what a reader takes for one instance: one place where it is made, whatever kinds may stand there, and all its places.

A trace has an `Instance` for each kind that a factory may give, and for each member of a comprehension. A finding is about all of
them together: one place where something is called wrongly is one finding.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from nnreuse.rules.finding import Related
from nnreuse.rules.reuse import call_sites, grouped, own_units, positions
from nnreuse.syntax.once import once
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Call, Trace
from nnreuse.tracing.values import Instance

Mark = tuple[object, ...]


@once
def alike(trace: Trace) -> dict[Instance, tuple[Instance, ...]]:
    """For each instance that forward calls or the class holds, all that are the same one to a reader, itself among them."""
    groups: dict[Mark, list[Instance]] = {}
    for instance in dict.fromkeys([*grouped(trace), *(one for held in trace.held.values() for one in held)]):
        marks = list(_marks(trace, instance))
        group = _one_of({id(groups[mark]): groups[mark] for mark in marks if mark in groups}, groups)
        group.append(instance)
        groups.update(dict.fromkeys(marks, group))
    return {one: tuple(group) for group in groups.values() for one in group}


def _one_of(found: dict[int, list[Instance]], groups: dict[Mark, list[Instance]]) -> list[Instance]:
    """One group out of those that an instance belongs to, a new one out of none."""
    group, *others = found.values() if found else [list[Instance]()]
    for other in others:
        group += other
        groups.update({mark: group for mark, one in groups.items() if one is other})
    return group


def in_groups(trace: Trace, instances: Iterable[Instance]) -> list[list[Instance]]:
    """Instances in groups, each of which is one instance to a reader."""
    known, groups = alike(trace), dict[Instance, list[Instance]]()
    for instance in instances:
        groups.setdefault(known.get(instance, (instance,))[0], []).append(instance)
    return list(groups.values())


def _marks(trace: Trace, instance: Instance) -> Iterator[Mark]:
    """What tells an instance from others: its name; of one of many under a pattern, where it is made and where it is called."""
    calls = frozenset(call.node for call in grouped(trace).get(instance, ()))
    for path in trace.paths_of(instance) or [""]:
        if path and "*" not in path:
            yield (path,)
            continue
        if instance.place is not None and path:
            yield path, instance.place
        if len(calls) > 1 or calls and not path:
            yield path, calls


def reading_order(trace: Trace) -> Callable[[Place], tuple[float, int, int]]:
    """A key that sorts places as they stand in the class's file; those of other files come last."""
    first = trace.cls.file.index.first_lines
    return lambda place: (first.get(place.unit, float("inf")), place.span.start, place.span.end)


def the_reuse(trace: Trace, calls: Iterable[Call]) -> Call:
    """Of the call sites of a run the one that a finding stands at: the second in reading order, in the class's own code.

    Sites in different arms of one `if` are one: the first is reused by none of them.
    """
    order = reading_order(trace)
    sites = sorted(call_sites(calls), key=lambda call: order(call.site))
    own = own_units(trace)
    later = [site for position in positions(sites)[1:] for site in position]
    return next(site for site in (*sorted(later, key=lambda c: order(c.site)), *sites) if site.unit in own)


def other_calls(trace: Trace, places: Iterable[Place], here: Place, message: str) -> list[Related]:
    """All other places where an instance is used, in reading order; `message` is formatted with their `number` in it."""
    ordered = sorted(dict.fromkeys(places), key=reading_order(trace))
    return [Related(one, message.format(number=number), "call") for number, one in enumerate(ordered, 1) if one != here]


def definitions(trace: Trace, instances: Sequence[Instance]) -> list[Related]:
    """Where an instance is named, or else made, as far as that is in the class's file."""
    index = trace.cls.file.index
    named = [d.place for d in trace.definitions if not {*instances}.isdisjoint(d.instances)]
    made = [one.place for one in instances if one.place is not None]
    places = [place for place in dict.fromkeys(named or made) if index.holds(place)]
    message = "defined once, here" if len(places) == 1 else "defined here"
    return [Related(place, message, "definition") for place in sorted(places, key=reading_order(trace))]
