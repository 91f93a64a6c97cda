"""Units: a file cut into whole statements, so that an edit costs the unit it touches and not the file.

A unit is a top-level statement, the header of a class, or a member of a class, together with the blank lines and
comments after it; the units of a file tile its text. Python's own parser reads them (8-12 times faster than libcst,
which reads a unit only when a fix is about to write it; ARCHITECTURE.md has the measurement). A unit knows positions
relative to itself only, so that what is derived from it stays true when the text above it grows.
"""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nnreuse.syntax.once import once
from nnreuse.syntax.span import Span

Positioned = ast.expr | ast.stmt | ast.alias | ast.arg | ast.keyword


@dataclass(eq=False, slots=True)
class Unit:
    """Whole lines of a file and the statements they hold. `origin` is the line number its first line has in `nodes`."""

    lines: list[str]
    nodes: list[ast.stmt]
    origin: int
    _starts: list[int] = field(default_factory=list[int])
    _classes: dict[ast.ClassDef, "ClassUnits"] = field(default_factory=dict[ast.ClassDef, "ClassUnits"])
    _places: "dict[ast.AST, Place]" = field(default_factory=dict[ast.AST, "Place"])
    kept: dict[tuple[object, ...], Any] = field(default_factory=dict[tuple[object, ...], Any])

    @property
    def text(self) -> str:
        return "".join(self.lines)

    @property
    def is_silent(self) -> bool:
        """Whether it does nothing when it runs: a docstring, or comments alone."""
        return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in self.nodes)

    def place(self, node: Positioned) -> "Place":
        """The place of a node of this unit: one object, however often it is asked for."""
        known = self._places.get(node)
        if known is None:
            known = self._places[node] = Place(self, self.span(node))
        return known

    def span(self, node: Positioned) -> Span:
        """Where a node of this unit stands, in code points from the unit's beginning."""
        end_line, end_column = node.end_lineno, node.end_col_offset
        assert end_line is not None and end_column is not None
        return Span(self._offset(node.lineno, node.col_offset), self._offset(end_line, end_column))

    def segment(self, node: ast.expr | ast.stmt) -> str:
        """The source text of a node."""
        span = self.span(node)
        return self.text[span.start : span.end]

    def class_inside(self, node: ast.ClassDef) -> "ClassUnits":
        """A class whose members are not units of their own, because it stands inside another statement, or on one line."""
        if node not in self._classes:
            self._classes[node] = ClassUnits(node, self, [])
        return self._classes[node]

    def _offset(self, lineno: int, utf8_column: int) -> int:
        if not self._starts:
            self._starts.append(0)
            for line in self.lines:
                self._starts.append(self._starts[-1] + len(line))
        row = lineno - self.origin
        line = self.lines[row]
        column = utf8_column
        if not line.isascii():
            column = len(line.encode("utf-8", "surrogatepass")[:utf8_column].decode("utf-8", "surrogatepass"))
        return self._starts[row] + column

    def row(self, offset: int) -> tuple[int, int]:
        """The zero-based line and code-point column of an offset in the unit."""
        self._offset(self.origin, 0)
        row = 0
        while row + 1 < len(self._starts) - 1 and self._starts[row + 1] <= offset:
            row += 1
        return row, offset - self._starts[row]


@dataclass(eq=False, slots=True)
class ClassUnits:
    """A class definition: the unit of its header, and the units of its members, nested classes among them."""

    node: ast.ClassDef
    header: Unit
    members: list["Unit | ClassUnits"]
    kept: dict[tuple[object, ...], Any] = field(default_factory=dict[tuple[object, ...], Any])

    def statements(self) -> Iterator[tuple[Unit, ast.stmt]]:
        """The statements of the class body, each with the unit it stands in; nested classes left out."""
        if not self.members:
            yield from ((self.header, node) for node in self.node.body if not isinstance(node, ast.ClassDef))
        for member in self.members:
            if isinstance(member, Unit):
                yield from ((member, node) for node in member.nodes)

    @property
    def docstring(self) -> str:
        """Its documentation, as it is now: `node` is as old as the header. Empty where it has none."""
        first = next(self.statements(), None)
        match first:
            case (_, ast.Expr(value=ast.Constant(value=str(text)))):
                return text
            case _:
                return ""


Part = Unit | ClassUnits


@dataclass(frozen=True, slots=True)
class Place:
    """A range of code points inside a unit: an absolute position once the file says where the unit stands."""

    unit: Unit
    span: Span

    @property
    def text(self) -> str:
        return self.unit.text[self.span.start : self.span.end]


class Unparsable(Exception):
    """The text is not Python. Carries what Python says and where (zero-based line)."""

    def __init__(self, message: str, line: int, may_be_mended_around: bool = False) -> None:
        super().__init__(message)
        self.line = line
        self.may_be_mended_around = may_be_mended_around
        """Whether other text before or behind it can make it Python."""


def is_python(text: str) -> bool:
    """Whether a text parses as it stands."""
    try:
        parse(text)
    except Unparsable:
        return False
    return True


def parse(text: str) -> ast.Module:
    """Python's tree of a text; the gate before libcst too, which crashes on texts that this refuses. Raises Unparsable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        message = error.msg or "invalid syntax"
        around = isinstance(error, IndentationError) or "triple-quoted" in message
        raise Unparsable(message, max((error.lineno or 1) - 1, 0), around) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unparsable(str(error) or "too deeply nested", 0) from None


def cut(lines: list[str], body: list[ast.stmt], origin: int) -> list[Part]:
    """The parts that tile `lines`, whose first line has number `origin` in `body`. A part before the first statement is empty."""
    starts = [(_first_line(group[0]), group) for group in _by_line(body)]
    if not starts:
        return [Unit(lines, [], origin)] if lines else []
    parts: list[Part] = []
    if starts[0][0] > origin:
        parts.append(Unit(lines[: starts[0][0] - origin], [], origin))
    for (start, group), end in zip(starts, [*(start for start, _ in starts[1:]), origin + len(lines)], strict=True):
        parts.append(_part(lines[start - origin : end - origin], group, start))
    return parts


def _part(lines: list[str], group: list[ast.stmt], start: int) -> Part:
    node = group[0]
    if len(group) > 1 or not isinstance(node, ast.ClassDef) or _first_line(node.body[0]) <= node.lineno:
        return Unit(lines, group, start)
    first = _first_line(node.body[0])
    header = Unit(lines[: first - start], [node], start)
    return ClassUnits(node, header, cut(lines[first - start :], node.body, first))


def _by_line(body: list[ast.stmt]) -> list[list[ast.stmt]]:
    """Statements that share a line (`a = 1; b = 2`) belong to one unit."""
    groups: list[list[ast.stmt]] = []
    for statement in body:
        if groups and _first_line(statement) <= (groups[-1][-1].end_lineno or 0):
            groups[-1].append(statement)
        else:
            groups.append([statement])
    return groups


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", None)
    return min([node.lineno, *(d.lineno for d in decorators)]) if decorators else node.lineno


def leaves(parts: list[Part]) -> list[Unit]:
    """The units in text order."""
    units: list[Unit] = []
    for part in parts:
        if isinstance(part, Unit):
            units.append(part)
        else:
            units += units_of(part)
    return units


@once
def units_of(cls: ClassUnits) -> list[Unit]:
    """The units of a class in text order, its header first."""
    return [cls.header, *leaves(cls.members)]
