"""Class bodies: what a class body constructs moves into the constructor, so that each object makes its own."""

import ast
from collections.abc import Iterator

from nnreuse.fixes.construction import is_plain_construction
from nnreuse.fixes.inline import written_at
from nnreuse.fixes.places import Function, is_self, statement_at
from nnreuse.fixes.uses import class_of
from nnreuse.fixes.writing import Build, Lines, below, current, lines_of, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import ClassUnits, Place, leaves


def into_constructor(definition: Place) -> Build:
    """`act = E` of a class body becomes `self.act = E` under `super().__init__()`.

    None where anything but `self.act` in the class speaks of it, or E would mean something else there.
    """

    def build(index: FileIndex) -> list[Edit] | None:
        statement = statement_at(definition) if current(index, [definition]) else None
        owner = class_of(index, definition)
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or owner is None or statement.value is None:
            return None
        name, constructor = _target(statement), constructor_of(owner)
        if name is None or constructor is None or not _is_movable(owner, statement.value, constructor[0]):
            return None
        lines, under = lines_of(index, definition), lines_of(index, constructor[1])
        if lines is None or under is None or not _is_own(index, owner, name):
            return None
        head = definition.text[: definition.unit.span(statement.value).start - definition.span.start]
        text = f"self.{head}{written_at(definition, constructor[1], statement.value)}{_comment(definition)}"
        return proven(index, [Edit(_with_blank_lines(index, lines), ""), below(index, under, [text])])

    return build


def _target(statement: ast.Assign | ast.AnnAssign) -> str | None:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else None


def constructor_of(owner: ClassUnits) -> tuple[Function, Place] | None:
    """The class's own constructor, and the statement in it that runs Module's."""
    for unit, node in owner.statements():
        if isinstance(node, Function) and node.name == "__init__" and [a.arg for a in node.args.args[:1]] == ["self"]:
            for statement in node.body:
                if isinstance(statement, ast.Expr) and _runs_super(statement.value):
                    return node, Place(unit, unit.span(statement))
    return None


def _runs_super(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__")):
            return True
        case _:
            return False


def _is_movable(owner: ClassUnits, value: ast.expr, constructor: Function) -> bool:
    """Whether a value constructs modules, from names that mean the same in the constructor: not the body's, not its locals."""
    made = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
    if not made or not all(map(is_plain_construction, made)):
        return False
    read = {node.id for node in walk(value) if isinstance(node, ast.Name)}
    bound = {a.arg for a in walk(constructor.args) if isinstance(a, ast.arg)}
    bound |= {n.id for n in walk(constructor) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for _, statement in owner.statements():
        bound |= {statement.name} if isinstance(statement, Function | ast.ClassDef) else _names_of(statement, ast.Store)
    return not read & bound


def _names_of(statement: ast.stmt, context: type[ast.expr_context]) -> set[str]:
    return {n.id for n in walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, context)}


def _is_own(index: FileIndex, owner: ClassUnits, name: str) -> bool:
    """Whether only `self.name` of this class, never bound, speaks of the attribute in the file."""
    own = set(leaves([owner]))
    for _, statement in owner.statements():
        if not isinstance(statement, Function) and name in _names_of(statement, ast.Load):
            return False
    for unit in (u for u in index.first_lines if name in u.text):
        for node in (n for root in _roots(index, unit.nodes) for n in walk(root)):
            if isinstance(node, ast.Attribute) and node.attr == name:
                if unit not in own or not is_self(node.value) or not isinstance(node.ctx, ast.Load):
                    return False
            elif isinstance(node, ast.Constant) and node.value == name:
                return False
    return sum(name in _names_of(s, ast.Store) for _, s in owner.statements() if not isinstance(s, Function)) == 1


def _roots(index: FileIndex, nodes: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a unit; of a class's header, whose node is the whole class, none: its members are units themselves."""
    cut = {id(cls.node) for _, cls in index.classes() if cls.members}
    return (node for node in nodes if id(node) not in cut)


def _comment(definition: Place) -> str:
    """What stands after a statement on its last line."""
    row, column = definition.unit.row(definition.span.end)
    return definition.unit.lines[row][column:].rstrip()


def _with_blank_lines(index: FileIndex, lines: Lines) -> Span:
    """The lines of a statement, and the blank ones below it where it is the first of its class."""
    text, (start, end) = index.source.text, (lines.span.start, lines.span.end)
    above = text[:start].rstrip("\r\n")
    if above.endswith(":"):
        while text[end:].startswith(("\r", "\n")):
            end += 2 if text[end:].startswith("\r\n") else 1
    return Span(start, end)
