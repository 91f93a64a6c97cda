"""Uses: every place of a file that speaks of one attribute of a class: `self.bn`, `net.bn`, `getattr(net, "bn")`."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from nnreuse.fixes.places import Function, called_name, is_self
from nnreuse.syntax.index import FileIndex, Import
from nnreuse.syntax.once import once
from nnreuse.syntax.tree import children, walk
from nnreuse.syntax.units import ClassUnits, Place, Unit, leaves

_SETTERS = ("setattr", "delattr", "add_module", "register_module")
_DYNAMIC = ("getattr", "setattr", "hasattr", "delattr")


@dataclass(frozen=True, slots=True)
class Use:
    """One `self.attribute` in a class; `around` are the nodes from the class's member down to the one that holds it."""

    unit: Unit
    node: ast.Attribute
    around: tuple[ast.AST, ...]

    @property
    def place(self) -> Place:
        return Place(self.unit, self.unit.span(self.node))

    @property
    def stores(self) -> bool:
        return not isinstance(self.node.ctx, ast.Load)

    @property
    def readable(self) -> bool:
        """Whether its position can be relied on: before Python 3.12 that inside an f-string cannot."""
        return not any(isinstance(node, ast.JoinedStr) for node in self.around)

    @property
    def statement(self) -> ast.stmt:
        return [node for node in self.around if isinstance(node, ast.stmt)][-1]

    @property
    def functions(self) -> list[Function]:
        """The method, and the functions in it, around the use: outermost first."""
        return [node for node in self.around if isinstance(node, Function)]


def uses(owner: ClassUnits, attribute: str) -> Iterator[Use]:
    """Every `self.attribute` of a class's own text, in no order; classes inside it are left out."""
    for unit, statement in owner.statements():
        if attribute in unit.text:
            yield from _uses_in(unit, statement).get(attribute, ())


@once
def _uses_in(unit: Unit, statement: ast.stmt) -> dict[str, list[Use]]:
    """The uses in a statement, by attribute; a file's statements are asked about many attributes."""
    found: dict[str, list[Use]] = {}
    _collect(unit, statement, (), found)
    return found


def _collect(unit: Unit, node: ast.AST, around: tuple[ast.AST, ...], found: dict[str, list[Use]]) -> None:
    if isinstance(node, ast.Attribute) and is_self(node.value):
        found.setdefault(node.attr, []).append(Use(unit, node, around))
    elif not isinstance(node, ast.ClassDef):
        around = (*around, node)
        for child in children(node):
            _collect(unit, child, around, found)


def class_of(index: FileIndex, place: Place) -> ClassUnits | None:
    """The class that a place stands in, the innermost one."""
    found = None
    for _, cls in index.classes():
        for unit, statement in cls.statements():
            if unit is place.unit and unit.span(statement).contains(place.span):
                found = cls
    return found


def set_by_name(owner: ClassUnits, attribute: str) -> bool:
    """Whether the class binds the attribute by its name, as `setattr(self, "bn", …)` does, or defines a method so called."""
    for _, statement in owner.statements():
        for node in walk(statement):
            if isinstance(node, Function | ast.ClassDef) and node.name == attribute:
                return True
            if isinstance(node, ast.Call) and called_name(node) in _SETTERS and _is_given(node, attribute):
                return True
    return False


def _is_given(call: ast.Call, text: str) -> bool:
    return any(isinstance(a, ast.Constant) and a.value == text for a in call.args)


def set_in_subclass(index: FileIndex, owner: ClassUnits, attribute: str) -> bool:
    """Whether a subclass in the file binds the attribute too: what it inherits would then call two different kinds of module."""
    return any(use.stores for cls in descendants(index, owner) for use in uses(cls, attribute))


def named_elsewhere(index: FileIndex, owner: ClassUnits, attribute: str) -> bool:
    """Whether anything but a plain `self.attribute` of the class speaks of the attribute: a string, a relative, another object."""
    if _named_in_class(owner, attribute):
        return True
    family = [*ancestors(index, owner), *descendants(index, owner)]
    if any(True for cls in family for _ in uses(cls, attribute)):
        return True
    return any(_speaks_of(node, attribute) for node in _nodes(index, attribute))


def _named_in_class(owner: ClassUnits, attribute: str) -> bool:
    for _, statement in owner.statements():
        for node in walk(statement):
            if (
                isinstance(node, ast.Constant)
                and node.value == attribute
                or isinstance(node, Function)
                and node.name == attribute
            ):
                return True
            if isinstance(node, ast.Call) and called_name(node) in _DYNAMIC and _is_dynamic(node):
                return True
        if any(isinstance(n, ast.Name) and n.id == attribute for t in _class_targets(statement) for n in walk(t)):
            return True
    return False


def _is_dynamic(call: ast.Call) -> bool:
    return len(call.args) > 1 and is_self(call.args[0]) and not isinstance(call.args[1], ast.Constant)


def _class_targets(statement: ast.stmt) -> list[ast.expr]:
    if isinstance(statement, ast.Assign):
        return statement.targets
    return [statement.target] if isinstance(statement, ast.AnnAssign) else []


def _nodes(index: FileIndex, attribute: str) -> Iterator[ast.AST]:
    """Every node of the units that have the name in their text; a class's header speaks only of its bases."""
    headers = {cls.header for _, cls in index.classes() if cls.members}
    for unit in leaves(index.parts):
        if unit not in headers and attribute in unit.text:
            for root in unit.nodes:
                yield from walk(root)


def _speaks_of(node: ast.AST, attribute: str) -> bool:
    """`net.bn`, or a string that names it as part of a path: `"layer1.bn.weight"`."""
    if isinstance(node, ast.Attribute):
        return node.attr == attribute and not is_self(node.value)
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and attribute in node.value:
        return bool(
            re.match(rf"^[\w.]*\.?(?<!\w){re.escape(attribute)}\.[\w.]*$|^[\w.]*\.{re.escape(attribute)}$", node.value)
        )
    return False


def descendants(index: FileIndex, owner: ClassUnits) -> list[ClassUnits]:
    """The classes of the file that inherit from a class, by the names of their bases."""
    return [cls for cls in _named(index).values() if cls is not owner and owner in ancestors(index, cls)]


def ancestors(index: FileIndex, owner: ClassUnits) -> list[ClassUnits]:
    """The classes of the file that a class inherits from, by the names of its bases."""
    found: list[ClassUnits] = []
    todo = [owner]
    while todo:
        for base in todo.pop().node.bases:
            cls = _class_named(index, base)
            if cls is not None and cls is not owner and cls not in found:
                found.append(cls)
                todo.append(cls)
    return found


def _class_named(index: FileIndex, base: ast.expr) -> ClassUnits | None:
    """The class of the file that a base names; `nn.Module` names none, even where the file has a class `Module`."""
    root = base
    while isinstance(root, ast.Attribute):
        root = root.value
    bound = index.bindings.get(root.id) if isinstance(root, ast.Name) else None
    return None if bound is not None and isinstance(bound.node, Import) else _named(index).get(called_name(base))


def _named(index: FileIndex) -> dict[str, ClassUnits]:
    return {cls.node.name: cls for _, cls in index.classes()}
