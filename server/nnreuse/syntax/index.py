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
    """The parts of a file, in order. `broken` is the line (zero-based) of a syntax error that the parts are older than."""

    def __init__(self, source: Source, parts: list[Part], broken: Unparsable | None = None) -> None:
        self.source = source
        self.parts = parts
        self.broken = broken

    @staticmethod
    def of(source: Source) -> "FileIndex":
        """The index of a text. Raises Unparsable."""
        return FileIndex(source, cut(source.lines, parse(source.text).body, 1))

    def updated(self, source: Source, change: LineChange) -> "FileIndex":
        """The index after an edit; where the new text does not parse, the last good parts with `broken` set."""
        if self.broken is None:
            parts = _spliced(self.parts, 0, change, source.lines)
            if parts is not None:
                return FileIndex(source, parts)
        try:
            return FileIndex(source, _kept(self.parts, FileIndex.of(source).parts))
        except Unparsable as error:
            return FileIndex(self.source, self.parts, error)

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


def _spliced(parts: list[Part], at: int, change: LineChange, lines: list[str]) -> list[Part] | None:
    """`parts`, which begin at line `at`, with those the change touches read anew; None when they cannot be read alone."""
    touched: list[int] = []
    begin, line = at, at
    for number, part in enumerate(parts):
        end = line + _length(part)
        if (
            line < change.old_end
            and change.first < end
            or change.first == change.old_end
            and line <= change.first < end
        ):
            if not touched:
                begin = line
            touched.append(number)
        if touched and line >= change.old_end:
            break
        line = end
    if not touched:
        return None
    first, last = touched[0], touched[-1]
    grown = change.new_end - change.old_end
    new = _inside_class(parts[first], begin, change, lines) if first == last else None
    if new is None:
        new = _reread(parts, first, last, begin, grown, lines)
    if new is not None and _begins_empty(new) and (first or _indent(parts)):
        if not first:
            return None  # what stands before the first member belongs to the header
        first -= 1
        new = _reread(parts, first, last, begin - _length(parts[first]), grown, lines)
    return None if new is None else [*parts[:first], *new, *parts[last + 1 :]]


def _reread(parts: list[Part], first: int, last: int, begin: int, grown: int, lines: list[str]) -> list[Part] | None:
    size = sum(map(_length, parts[first : last + 1])) + grown
    return _read(lines[begin : begin + size], _indent(parts))


def _begins_empty(parts: list[Part]) -> bool:
    """Blank lines and comments belong to the unit before them."""
    return not parts or isinstance(parts[0], Unit) and not parts[0].nodes


def _inside_class(part: Part, begin: int, change: LineChange, lines: list[str]) -> list[Part] | None:
    if not isinstance(part, ClassUnits):
        return None
    body = begin + len(part.header.lines)
    if change.first < body:
        return None
    members = _spliced(part.members, body, change, lines)
    if members is None or not any(isinstance(m, ClassUnits) or m.nodes for m in members):
        return None
    return [ClassUnits(part.node, part.header, members)]


def _indent(parts: list[Part]) -> int:
    for part in parts:
        if isinstance(part, ClassUnits):
            return part.node.col_offset
        for node in part.nodes:
            return node.col_offset
    return 0


def _read(lines: list[str], indent: int) -> list[Part] | None:
    """The parts of a run of lines on their own, all statements at column `indent`; None when it is no whole run of statements."""
    wrapper = "if 1:\n" if indent else ""
    if lines and lines[-1].rstrip("\r\n").endswith("\\"):
        return None
    try:
        body = parse(wrapper + "".join(lines)).body
    except Unparsable:
        return None
    origin = 1
    if indent:
        match body:
            case [ast.If(orelse=[], body=inner)]:
                body, origin = inner, 2
            case _:
                return None
    if any(node.col_offset != indent for node in body):
        return None
    return cut(lines, body, origin)


def _length(part: Part) -> int:
    if isinstance(part, Unit):
        return len(part.lines)
    return len(part.header.lines) + sum(map(_length, part.members))


def _kept(old: list[Part], new: list[Part]) -> list[Part]:
    """`new`, with the parts at both ends that have the same text as in `old` taken from there, in the first class that differs too."""
    head = 0
    while head < min(len(old), len(new)) and _same(old[head], new[head]):
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and _same(old[-1 - tail], new[-1 - tail]):
        tail += 1
    middle = new[head : len(new) - tail]
    if middle and head < len(old) - tail:
        middle[0] = _kept_inside(old[head], middle[0])
    return [*old[:head], *middle, *old[len(old) - tail :]]


def _kept_inside(old: Part, new: Part) -> Part:
    if isinstance(old, ClassUnits) and isinstance(new, ClassUnits) and old.header.lines == new.header.lines:
        return ClassUnits(old.node, old.header, _kept(old.members, new.members))
    return new


def _same(a: Part, b: Part) -> bool:
    return [u.lines for u in leaves([a])] == [u.lines for u in leaves([b])]
