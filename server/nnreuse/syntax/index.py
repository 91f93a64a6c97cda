"""FileIndex: the units of one snapshot, where each stands, and what the file's top-level names are bound to.

An edit re-reads the units it touches and keeps every other unit, so whatever was derived from those stays valid.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from nnreuse.syntax.effects import Effect, effects, writers
from nnreuse.syntax.once import once
from nnreuse.syntax.source import LineChange, Source
from nnreuse.syntax.span import Span
from nnreuse.syntax.splicing import certain_error, kept, spliced
from nnreuse.syntax.tree import children
from nnreuse.syntax.units import ClassUnits, Part, Place, Unit, Unparsable, cut, leaves, parse


@dataclass(frozen=True, slots=True)
class Import:
    """`import target` or `from module import target`: `target` is the full dotted name, `level` the leading dots."""

    target: str
    level: int
    module_only: bool


Bound = ast.FunctionDef | ast.AsyncFunctionDef | ast.expr | Import | ClassUnits


@dataclass(frozen=True, slots=True)
class Binding:
    """What a top-level name is bound to: a definition, the value of an assignment, or an import; with its unit."""

    unit: Unit
    node: Bound
    rebound: bool = False


class FileIndex:
    """The parts of a file, in order. `broken` is a syntax error that they are older than, `pending` what has been edited since."""

    def __init__(
        self, source: Source, parts: list[Part], broken: Unparsable | None = None, pending: LineChange | None = None
    ) -> None:
        self.source = source
        self.parts = parts
        self.broken = broken
        self.pending = pending

    @staticmethod
    def of(source: Source) -> "FileIndex":
        """The index of a text. Raises Unparsable."""
        return FileIndex(source, cut(source.lines, parse(source.text).body, 1))

    def updated(self, source: Source, change: LineChange) -> "FileIndex":
        """The index after an edit; where the new text does not parse, the last good parts with `broken` set."""
        if self.broken is not None:
            if self.pending is None:  # it never was Python
                return self._read_anew(source, None)
            change = self.pending.then(change)
        parts = spliced(self.parts, change, source.lines)
        if parts is not None:
            return FileIndex(source, parts)
        error = certain_error(self.parts, change, source.lines)
        return FileIndex(self.source, self.parts, error, change) if error else self._read_anew(source, change)

    def _read_anew(self, source: Source, change: LineChange | None) -> "FileIndex":
        try:
            return FileIndex(source, kept(self.parts, FileIndex.of(source).parts))
        except Unparsable as error:
            return FileIndex(self.source, self.parts, error, change)

    def forget(self) -> None:
        """Drops what was derived from the units: most of it speaks of them in turn, and would last until it is collected."""
        for unit in leaves(self.parts):
            unit.kept.clear()
        for _, units in self.classes():
            units.kept.clear()

    @cached_property
    def first_lines(self) -> dict[Unit, int]:
        """The zero-based line at which each unit begins."""
        lines: dict[Unit, int] = {}
        at = 0
        for unit in leaves(self.parts):
            lines[unit] = at
            at += len(unit.lines)
        return lines

    def holds(self, place: Place) -> bool:
        """Whether a place stands in this file."""
        return place.unit in self.first_lines

    def span(self, place: Place) -> Span:
        """A place as a span of the file."""
        return place.span.shifted(self.source.starts[self.first_lines[place.unit]])

    @cached_property
    def bindings(self) -> dict[str, Binding]:
        """Top-level names, the last binding of each; names bound under `if` or `try` too, the first of those."""
        found: dict[str, Binding] = {}
        for part in self.parts:
            if isinstance(part, ClassUnits):
                found[part.node.name] = Binding(part.header, part, part.node.name in found)
                continue
            for name, value, conditional in _bound_in(part):
                if not (conditional and name in found):
                    found[name] = Binding(part, value, name in found)
        return found

    @cached_property
    def star_imports(self) -> list[Import]:
        """`from module import *`, in order."""
        return [
            Import(node.module or "", node.level, True)
            for part in self.parts
            if isinstance(part, Unit)
            for node in part.nodes
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
        ]

    @cached_property
    def effects(self) -> dict[str, list[Effect]]:
        """By top-level name: the statements of the file that may write to what it means, or that call it."""
        return effects(self.parts)

    @cached_property
    def writers(self) -> dict[str, list[str]]:
        """By top-level name: the functions of the file whose bodies may write to what it means."""
        functions = {
            name: binding.node
            for name, binding in self.bindings.items()
            if isinstance(binding.node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        return writers(functions)

    def classes(self) -> Iterator[tuple[str, ClassUnits]]:
        """Every class definition reachable without entering a function, with its qualified name, in text order."""
        return iter(self._class_list)

    @cached_property
    def definitions(self) -> frozenset[ClassUnits]:
        """Those of `classes`."""
        return frozenset(units for _, units in self._class_list)

    @cached_property
    def _class_list(self) -> list[tuple[str, ClassUnits]]:
        return list(_classes(self.parts, ""))

    @cached_property
    def frame(self) -> list[Unit]:
        """The units of the top level, headers of classes among them."""
        return [part if isinstance(part, Unit) else part.header for part in self.parts]


def _classes(parts: list[Part], prefix: str) -> Iterator[tuple[str, ClassUnits]]:
    for part in parts:
        yield from ((prefix + name, units) for name, units in _classes_in(part))


@once
def _classes_in(part: Part) -> list[tuple[str, ClassUnits]]:
    if isinstance(part, ClassUnits):
        return [(part.node.name, part), *_classes(part.members, part.node.name + ".")]
    return [found for node in part.nodes for found in _classes_below(node, part, "")]


def _classes_below(node: ast.stmt, unit: Unit, prefix: str) -> Iterator[tuple[str, ClassUnits]]:
    """Classes under `if`, `try` and `with`, and classes on one line: their members share the unit they stand in."""
    if isinstance(node, ast.ClassDef):
        yield prefix + node.name, unit.class_inside(node)
    elif isinstance(node, ast.If | ast.Try | ast.With):
        for statement in _below(node):
            yield from _classes_below(statement, unit, prefix)


def _below(node: ast.stmt) -> Iterator[ast.stmt]:
    """The statements in the blocks of a compound statement, exception handlers among them."""
    for child in children(node):
        if isinstance(child, ast.stmt):
            yield child
        elif isinstance(child, ast.ExceptHandler):
            yield from child.body


@once
def _bound_in(unit: Unit) -> list[tuple[str, Bound, bool]]:
    """The names that a unit binds, to what, and whether only under a condition."""
    plain = ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Assign
    return [(*bound, not isinstance(node, plain)) for node in unit.nodes for bound in _bound(node, unit)]


def _bound(node: ast.stmt, unit: Unit) -> Iterator[tuple[str, Bound]]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name, node
        case ast.ClassDef(name=name):
            yield name, unit.class_inside(node)
        case ast.Import() | ast.ImportFrom():
            yield from _imported(node)
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                if isinstance(target, ast.Name):
                    yield target.id, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.If() | ast.Try() | ast.With():
            for statement in _below(node):
                yield from _bound(statement, unit)
        case _:
            return


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Import]]:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            target = f"{node.module}.{alias.name}" if node.module else alias.name
            yield alias.asname or alias.name, Import(target, node.level, False)
        else:
            target = alias.name if alias.asname else alias.name.split(".")[0]
            yield alias.asname or target, Import(target, 0, True)
