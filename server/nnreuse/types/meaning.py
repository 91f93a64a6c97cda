"""Meanings: what a name can stand for. A class is a meaning as long as it keeps its members: its code may be another meanwhile."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import ClassUnits, Unit
from nnreuse.types.file import File
from nnreuse.types.reads import Aspect, OwnUse, Reads

_LOOKING = frozenset("callable getattr hasattr id isinstance issubclass iter len next repr str super type".split())
_ANYTHING = "*"
_WAYS_TO_SET = frozenset(("setattr", "__setattr__", "__dict__", "vars"))


@dataclass(frozen=True, slots=True)
class External:
    """A name that no readable file defines, `torch.nn.Linear` for example."""

    dotted: str


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """A function of a file, at module level."""

    file: File
    unit: Unit
    node: ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class ValueRef:
    """The value of a module-level assignment."""

    file: File
    unit: Unit
    node: ast.expr


@dataclass(frozen=True, slots=True)
class FileRef:
    """A module object."""

    file: File


@dataclass(eq=False)
class ModuleClass:
    """A class definition of a readable file, whether or not it turns out to be a module class."""

    file: File
    name: str
    units: ClassUnits
    members: dict[str, tuple[Unit, ast.stmt]]
    reads: Reads
    bases: "list[ModuleClass | External]" = field(default_factory=list["ModuleClass | External"])
    mro: "list[ModuleClass | External]" = field(default_factory=list["ModuleClass | External"])
    heirs: "list[ModuleClass]" = field(default_factory=list["ModuleClass"])
    assignments: dict[str, list[object]] = field(default_factory=dict[str, list[object]])
    """By attribute: what the methods assign to `self`, once someone has asked."""
    read: set[object] = field(default_factory=set[object])
    """What decides which its bases are."""

    def drop(self) -> "list[ModuleClass]":
        """Forgets the class and those that inherit from it, in whatever file, and returns them: they are resolved anew when asked for."""
        self.file.classes.pop(self.units, None)
        self._leave_bases()
        heirs, self.heirs = self.heirs, []
        return [self, *(gone for heir in heirs for gone in heir.drop())]

    def family(self) -> "list[ModuleClass]":
        """The class and those that inherit from it."""
        return [self, *(one for heir in self.heirs for one in heir.family())]

    def forget_bodies(self) -> bool:
        """Derives anew what follows from the bodies of its methods, inherited ones too; whether `called` or `may_set` say otherwise."""
        self.assignments.clear()
        before: tuple[frozenset[str], frozenset[str]] | None = self.__dict__.pop("_own_use", None)
        return before is not None and before != self._own_use

    def unlink(self) -> None:
        """Forgets how the class hangs together with others, and with itself: it would last until it is collected."""
        self._leave_bases()
        for held in (self.bases, self.mro, self.heirs, self.members, self.assignments):
            held.clear()

    def _leave_bases(self) -> None:
        for base in self.bases:
            if isinstance(base, ModuleClass) and self in base.heirs:
                base.heirs.remove(self)

    @property
    def called(self) -> frozenset[str]:
        """The attributes that methods of the class, inherited ones included, call as `self.name(...)`."""
        self.reads.note(OwnUse(self))
        return self._own_use[0]

    def may_set(self, attribute: str) -> bool:
        """Whether an object may have an attribute set while it is made: by a method, by whoever a method hands it to, or as a field."""
        self.reads.note(OwnUse(self))
        return attribute in self._own_use[1] or _ANYTHING in self._own_use[1]

    @cached_property
    def _own_use(self) -> tuple[frozenset[str], frozenset[str]]:
        called, written = set[str](), set[str]()
        for cls in self.mro:
            if isinstance(cls, ModuleClass):
                for _, member in cls.units.statements():
                    if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and _hands_itself_on(member):
                        written.add(_ANYTHING)
                    for node in walk(member):
                        match node:
                            case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name)):
                                called.add(name)
                            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.AnnAssign(target=ast.Name(id=name)):
                                written.add(name)
                            case ast.Attribute(attr=name) | ast.Name(id=name) if name in _WAYS_TO_SET:
                                written.add(_ANYTHING)
                            case _:
                                pass
        return frozenset(called), frozenset(written)

    @property
    def qualified(self) -> str:
        return f"{self.file.module}.{self.name}"

    def find(self, member: str, after: "ModuleClass | None" = None) -> "tuple[ModuleClass, Unit, ast.stmt] | None":
        """The definition of a member along the MRO, past `after` where given (as `super()` looks it up)."""
        self.reads.note(self)
        chain = self.mro
        if after is not None and after in chain:
            chain = chain[chain.index(after) + 1 :]
        for cls in chain:
            if isinstance(cls, ModuleClass) and member in cls.members:
                unit, node = cls.members[member]
                self.reads.note(unit)
                return cls, unit, node
        return None

    def bodies(self) -> list[Unit]:
        """The units of its own members."""
        return [unit for unit, _ in self.members.values()]

    def statements(self) -> Iterator[ast.stmt]:
        """All that stands in its body."""
        self.reads.note(self, *self.bodies())
        return (node for _, node in self.units.statements())

    @property
    def surroundings(self) -> FileIndex:
        """Its file as it is: who looks around in it has looked at everything."""
        self.reads.note(Aspect(self.file.path, "text"))
        return self.file.index


Meaning = ModuleClass | External | FunctionRef | ValueRef | FileRef


def _hands_itself_on(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method does anything with its object but to look at it, and at its attributes."""
    named = [*method.args.posonlyargs, *method.args.args]
    if not named:
        return method.args.vararg is not None
    nodes = walk(method)
    harmless = [node.value for node in nodes if isinstance(node, ast.Attribute)]
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _LOOKING:
            harmless += node.args
    looked_at = {id(node) for node in harmless}
    return any(isinstance(node, ast.Name) and node.id == named[0].arg and id(node) not in looked_at for node in nodes)


def members_of(units: ClassUnits) -> dict[str, tuple[Unit, ast.stmt]]:
    """The members of a class definition by name, each with the unit it stands in."""
    members: dict[str, tuple[Unit, ast.stmt]] = {}
    for unit, node in units.statements():
        _collect(members, unit, node)
    return members


def _collect(members: dict[str, tuple[Unit, ast.stmt]], unit: Unit, node: ast.stmt) -> None:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            if not any(_is_overload(d) for d in node.decorator_list):
                members[name] = unit, node
        case ast.Assign(targets=targets):
            for target in targets:
                if isinstance(target, ast.Name):
                    members[target.id] = unit, node
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
            members[name] = unit, node
        case ast.If(body=body, orelse=orelse):
            for inner in [*body, *orelse]:
                _collect(members, unit, inner)
        case _:
            return


def _is_overload(decorator: ast.expr) -> bool:
    name = decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
    return name in ("overload", "_overload_method", "setter", "deleter")


def linear(cls: ModuleClass) -> list[ModuleClass | External]:
    """The MRO of a class whose bases are known: depth first, the last of duplicates kept.

    That is Python's order for every hierarchy without a conflict of monotonicity.
    """
    seen: list[ModuleClass | External] = [cls]
    for base in cls.bases:
        seen += base.mro if isinstance(base, ModuleClass) else [base]
    last: list[ModuleClass | External] = []
    for one in reversed(seen):
        if one not in last:
            last.append(one)
    return last[::-1]
