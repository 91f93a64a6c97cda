"""Subjects: the module instance that a place of a file is about, and every place that is about an instance."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from nnreuse.fixes.places import is_self
from nnreuse.fixes.uses import uses
from nnreuse.rules.reuse import call_sites, grouped, own_units
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place, Unit
from nnreuse.tracing.trace import Call, Definition, Trace
from nnreuse.tracing.values import Instance
from nnreuse.types.file import File

Role = Literal["call", "definition", "mention"]


@dataclass(frozen=True, slots=True)
class Subject:
    """An instance as one class's trace sees it, and the place that was asked about."""

    trace: Trace
    instance: Instance
    place: Place

    @property
    def calls(self) -> list[Call]:
        """Its calls in one forward, in order."""
        return grouped(self.trace).get(self.instance, [])


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A place that is about an instance: the callee of a call, its definition, or another mention of its name."""

    file: File
    place: Place
    role: Role


def subject_at(traces: Iterable[Trace], index: FileIndex, offset: int) -> Subject | None:
    """What stands at an offset of a file: the smallest place that covers it."""
    unit, start = unit_at(index, offset)
    found: list[tuple[int, Subject]] = []
    for trace in traces:
        if unit is None or unit not in own_units(trace):
            continue
        for place, instance in _places(trace, unit):
            if place.span.start <= offset - start <= place.span.end:
                found.append((place.span.end - place.span.start, Subject(trace, instance, place)))
    return min(found, key=lambda one: one[0])[1] if found else None


def unit_at(index: FileIndex, offset: int) -> tuple[Unit | None, int]:
    """The unit that an offset of a file lies in, and the offset at which the unit begins."""
    for unit, line in index.first_lines.items():
        start = index.source.starts[line]
        if start <= offset < index.source.starts[line + len(unit.lines)]:
            return unit, start
    return None, 0


def occurrences(subject: Subject, family: Iterable[Trace] = ()) -> list[Occurrence]:
    """Where the instance is defined, called through whatever alias, and named, each place once, in text order within a file.

    `family`: traces of classes that have what makes the instance, and may call it as well.
    """
    made, places = subject.instance, dict[Place, Occurrence]()
    paths = {*subject.trace.paths_of(made)}
    found = _in_class(subject.trace, made)
    for trace in family if made.place is not None else ():
        for instance in {id(one): one for held in trace.held.values() for one in held}.values():
            named = not paths.isdisjoint(trace.paths_of(instance))
            found += _in_class(trace, instance) if instance.place == made.place and named else []
    for one in found:
        places.setdefault(one.place, one)
    return sorted(places.values(), key=lambda one: (one.file.path, _line(one), one.place.span))


def _in_class(trace: Trace, instance: Instance) -> list[Occurrence]:
    calls = call_sites(grouped(trace).get(instance, []))
    found = [Occurrence(call.file, call.site, "call") for call in calls]
    found += [Occurrence(one.file, _target(one), "definition") for one in definitions(trace, instance)]
    named = {path for path in trace.paths_of(instance) if "." not in path}
    for path in named:
        found += [Occurrence(trace.cls.file, use.place, "mention") for use in uses(trace.cls.units, path)]
    return found


def definitions(trace: Trace, instance: Instance) -> Iterator[Definition]:
    """The statements that bind an instance to a name, each once."""
    seen: set[Place] = set()
    for definition in trace.definitions:
        if definition.place not in seen and any(one is instance for one in definition.instances):
            seen.add(definition.place)
            yield definition


def repeated(traces: Iterable[Trace]) -> Iterator[Subject]:
    """Every instance that a class's own code calls at several sites or several times, at its definition."""
    for trace in traces:
        units = own_units(trace)
        for instance, calls in grouped(trace).items():
            if len(calls) > 1:
                for definition in definitions(trace, instance):
                    if definition.unit in units:
                        yield Subject(trace, instance, definition.place)


def _places(trace: Trace, unit: Unit) -> Iterator[tuple[Place, Instance]]:
    """Every place of one unit that is about an instance."""
    for call in trace.calls:
        if call.unit is unit and call.container is None:
            yield call.site, call.instance
    for definition in trace.definitions:
        if definition.unit is unit and definition.instances and isinstance(definition.value, ast.Call):
            yield definition.place, definition.instances[0]
    for made in (creation.instance for creation in trace.creations):
        if made.is_module and made.place is not None and made.place.unit is unit:
            yield made.place, made
    # Of a class's header the node is the whole class.
    roots = [node for node in unit.nodes if not isinstance(node, ast.ClassDef)]
    for node in (one for root in roots for one in walk(root)):
        if isinstance(node, ast.Attribute) and is_self(node.value) and trace.held.get(node.attr):
            yield Place(unit, unit.span(node)), trace.held[node.attr][0]


def _target(definition: Definition) -> Place:
    """`self.bn` of `self.bn = …`, where it can be told."""
    place = definition.place
    for node in (one for root in place.unit.nodes for one in walk(root)):
        if isinstance(node, ast.Attribute) and node.attr == definition.name and isinstance(node.ctx, ast.Store):
            span = place.unit.span(node)
            if place.span.contains(span):
                return Place(place.unit, span)
    return place


def _line(one: Occurrence) -> int:
    return one.file.index.first_lines.get(one.place.unit, 0)
