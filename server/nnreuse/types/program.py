"""Program: the files that can be read, and what a name in one of them means. Imports are followed on demand.

Pure: files come from a `Library` that the workspace provides. torch itself is never read; its names stay dotted
names (`External`), and the catalog knows what they are.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from nnreuse.syntax.changes import Change
from nnreuse.syntax.index import Binding, FileIndex, Import
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import ClassUnits, Unit, leaves
from nnreuse.types.catalog import Catalog, ModuleFacts
from nnreuse.types.file import File
from nnreuse.types.questions import Answers, NameQuestion
from nnreuse.types.reads import Aspect, Named, OwnUse, Reads

MODULE = "torch.nn.modules.module.Module"
_DEPTH = 24
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
        """Derives anew what follows from the bodies of its methods, inherited ones included; whether `called` or `sets` say otherwise."""
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

    def sets(self, attribute: str) -> bool:
        """Whether a method of the class, an inherited one included, may set an attribute: of any object, or by a name it works out."""
        self.reads.note(OwnUse(self))
        return attribute in self._own_use[1] or not self._own_use[1].isdisjoint(_WAYS_TO_SET)

    @cached_property
    def _own_use(self) -> tuple[frozenset[str], frozenset[str]]:
        called, written = set[str](), set[str]()
        for cls in self.mro:
            if isinstance(cls, ModuleClass):
                for node in (inner for _, member in cls.members.values() for inner in walk(member)):
                    match node:
                        case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name)):
                            called.add(name)
                        case ast.Attribute(attr=name, ctx=ast.Store()):
                            written.add(name)
                        case ast.Attribute(attr=name) | ast.Name(id=name) if name in _WAYS_TO_SET:
                            written.add(name)
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


@dataclass(frozen=True, slots=True)
class Users:
    """The files that may add to a module-level value, each with the names it knows the value by, and what that follows from."""

    found: list[tuple[File, list[str]]]
    read: set[object]


class Library(Protocol):
    """Where files come from."""

    def find(self, dotted: str) -> File | None:
        """The file of a module, or None where it cannot be read."""
        ...

    def classes(self) -> "Iterator[ModuleClass]":
        """Those that are known of all files."""
        ...


class Program:
    """Answers what names mean, across files."""

    def __init__(self, library: Library, catalog: Catalog) -> None:
        self.library = library
        self.catalog = catalog
        self.reads = Reads()
        self.recalled: dict[object, Any] = {}
        """What the tracer keeps from one class for the next: answers of plain functions, by function and arguments."""
        self._resolving: set[tuple[str, str]] = set()
        self.answers = Answers()
        self.registering: dict[tuple[ast.expr, str], Users] = {}
        """By a module-level value and the file that reads it: the other files that may add to it."""
        self.imported: dict[tuple[str, str], list[File]] = {}
        """By file and top-level package: the files of the package that its imports lead to."""
        self.local_names: dict[tuple[ast.expr, str], list[str]] = {}
        """By a module-level value and another file: the names under which that file may write to it."""

    def forget_registering(self) -> None:
        """Drops what is known of who adds to whose tables: an import, a name or a file is new."""
        self.registering.clear()
        self.imported.clear()
        self.local_names.clear()

    def forget(self, gone: set[object]) -> None:
        """Drops what was kept by reading any of these."""
        self.recalled = {key: answer for key, answer in self.recalled.items() if gone.isdisjoint(answer.read)}

    def changed(self, file: File, change: Change) -> set[object]:
        """What is no longer as it was noted in `reads`, now that a file has changed. Its classes are those of its new index afterwards."""
        gone: set[object] = {Aspect(file.path, "text"), *change.units, *(Named(file.path, n) for n in change.names)}
        gone |= {Aspect(file.path, of) for of in ("imports", "stars", "effects") if getattr(change, of)}
        for units, cls in list(file.classes.items()):
            if units not in file.classes:
                continue  # it has gone with a base
            if units in change.classes:
                gone |= self._moved(cls, change.classes[units])
            elif not file.has(units):
                gone.update(cls.drop())
        while change.names and (untrue := [cls for cls in self.library.classes() if not gone.isdisjoint(cls.read)]):
            gone.update(dropped for cls in untrue for dropped in cls.drop())
        return gone

    def _moved(self, cls: ModuleClass, units: ClassUnits) -> set[object]:
        """Gives a class its new units, which have the same members; what else its methods do now."""
        del cls.file.classes[cls.units]
        cls.units, cls.members = units, members_of(units)
        cls.file.classes[units] = cls
        return {OwnUse(one) for one in cls.family() if one.forget_bodies()}

    def leave(self, files: list[File]) -> None:
        """Drops what is kept for files that nothing imports: nothing but themselves has led to it."""
        paths = {file.path for file in files}
        self.forget({part for file in files for part in (*leaves(file.index.parts), *file.classes.values())})
        self.registering = {key: users for key, users in self.registering.items() if key[1] not in paths}
        self.imported = {key: found for key, found in self.imported.items() if key[0] not in paths}
        for file in files:
            for cls in file.classes.values():
                cls.unlink()
            file.classes.clear()

    def lookup(self, file: File, name: str, depth: int = 0) -> Meaning | None:
        """What a module-level name of a file means; None for builtins and names nothing binds."""
        if depth > _DEPTH:
            return None
        self.reads.note(Named(file.path, name))
        binding = file.index.bindings.get(name)
        if binding is not None:
            return self._meaning(file, binding, depth)
        self.reads.note(Aspect(file.path, "stars"))
        for star in file.index.star_imports:
            target = self.follow(file.absolute(star), depth + 1)
            if isinstance(target, FileRef) and target.file is not file:
                found = self.lookup(target.file, name, depth + 1)
                if found is not None:
                    return found
            elif isinstance(target, External) and self.catalog.find(f"{target.dotted}.{name}"):
                return External(f"{target.dotted}.{name}")
        return None

    def _meaning(self, file: File, binding: Binding, depth: int) -> Meaning:
        node = binding.node
        if isinstance(node, Import):
            return self.follow(file.absolute(node), depth + 1)
        if isinstance(node, ClassUnits):
            return self.class_of(file, node, node.node.name)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return FunctionRef(file, binding.unit, node)
        if isinstance(node, ast.Name | ast.Attribute):
            return self.dotted(file, node, depth + 1) or ValueRef(file, binding.unit, node)
        return ValueRef(file, binding.unit, node)

    def follow(self, dotted: str, depth: int = 0) -> Meaning:
        """What an absolute dotted name means: a name of the module before its last dot, or that module's submodule.

        As in Python, where a package binds a name that one of its modules has as well, the package's binding counts.
        """
        if depth > _DEPTH or dotted == "torch" or dotted.startswith("torch."):
            return External(dotted)
        parts = dotted.split(".")
        package = self.library.find(".".join(parts[:-1])) if len(parts) > 1 else None
        if package is not None and package.package and (bound := self._bound(package, parts[-1], depth)) is not None:
            return bound
        for size in range(len(parts), 0, -1):
            file = self.library.find(".".join(parts[:size]))
            if file is not None:
                return self._descend(file, parts[size:], depth) or External(dotted)
        return External(dotted)

    def _bound(self, package: File, name: str, depth: int) -> Meaning | None:
        """What a package's `__init__` binds a name to; None for its submodules, imported by `from . import name` as well."""
        self.reads.note(Named(package.path, name))
        key, binding = (package.path, name), package.index.bindings.get(name)
        if binding is None or key in self._resolving:
            return None
        self._resolving.add(key)
        try:
            return self._meaning(package, binding, depth + 1)
        finally:
            self._resolving.discard(key)

    def refined(self, external: External) -> Meaning:
        """An external name that stands for a class: what it means by an answer, asked for where its package can be read."""
        dotted = external.dotted
        top = dotted.partition(".")[0]
        if top in (dotted, "torch") or self.catalog.find(dotted) or self.library.find(top) is None:
            return external
        answer = self.answers.about(NameQuestion(dotted))
        return self.follow(answer) if answer else external

    def _descend(self, file: File, rest: list[str], depth: int) -> Meaning | None:
        meaning: Meaning | None = FileRef(file)
        for name in rest:
            meaning = self.member(meaning, name, depth) if meaning else None
        return meaning

    def member(self, meaning: Meaning, name: str, depth: int = 0) -> Meaning | None:
        """The attribute of a module, a class or an external name."""
        match meaning:
            case FileRef(file):
                found = self.lookup(file, name, depth + 1)
                inner = self.library.find(f"{file.module}.{name}") if found is None and file.package else None
                if inner is not None:
                    return FileRef(inner)
                self.reads.note(Named(file.path, "__getattr__"))
                if found is None and "__getattr__" in file.index.bindings:
                    return External(f"{file.module}.{name}")
                return found
            case External(dotted):
                return External(f"{dotted}.{name}")
            case ModuleClass():
                return self.nested(meaning, name)
            case _:
                return None

    def nested(self, cls: ModuleClass, name: str) -> ModuleClass | None:
        """A class defined in the body of another."""
        self.reads.note(cls)
        for member in cls.units.members:
            if isinstance(member, ClassUnits) and member.node.name == name:
                return self.class_of(cls.file, member, f"{cls.name}.{name}")
        return None

    def dotted(self, file: File, node: ast.expr, depth: int = 0) -> Meaning | None:
        """What a name or a chain of attributes means at module level."""
        match node:
            case ast.Name(id=name):
                return self.lookup(file, name, depth)
            case ast.Attribute(value=value, attr=attr):
                base = self.dotted(file, value, depth)
                return self.member(base, attr, depth) if base else None
            case ast.Subscript(value=value):
                return self.dotted(file, value, depth)
            case _:
                return None

    def class_of(self, file: File, units: ClassUnits, name: str) -> ModuleClass:
        """The class that a definition makes, its bases resolved."""
        known = file.classes.get(units)
        if known is not None:
            return known
        cls = ModuleClass(file, name, units, members_of(units), self.reads)
        file.classes[units] = cls
        with self.reads.into(cls.read):
            cls.bases += [base for node in units.node.bases if (base := self._base(file, node)) is not None]
        for base in cls.bases:
            if isinstance(base, ModuleClass):
                base.heirs.append(cls)
        cls.mro = _linear(cls)
        return cls

    def _base(self, file: File, node: ast.expr) -> ModuleClass | External | None:
        meaning = self.dotted(file, node)
        if isinstance(meaning, ValueRef) and isinstance(node, ast.Name | ast.Attribute):
            names = [name for name, binding in meaning.file.index.bindings.items() if binding.node is meaning.node]
            meaning = External(f"{meaning.file.module}.{names[0]}") if names else None
        if isinstance(meaning, External):
            meaning = self.refined(meaning)
        if meaning is None and isinstance(node, ast.Name | ast.Attribute):
            return External(ast.unparse(node))
        return meaning if isinstance(meaning, ModuleClass | External) else None

    def facts(self, cls: ModuleClass | External) -> ModuleFacts | None:
        """The catalog's facts of a torch class, or of the nearest torch ancestor of a user class."""
        chain = cls.mro if isinstance(cls, ModuleClass) else [cls]
        for ancestor in chain:
            if isinstance(ancestor, External):
                facts = self.catalog.find(ancestor.dotted)
                if facts is not None:
                    return facts
        return None

    def is_module_class(self, cls: ModuleClass) -> bool:
        """Whether a class is a module class: a torch ancestor says so, or an unreadable base and what the class does."""
        self.reads.note(cls)
        if self.facts(cls) is not None:
            return True
        unread = [c for c in cls.mro if isinstance(c, External) and "." in c.dotted]
        return bool(unread) and _behaves_like_module(cls)


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


def _linear(cls: ModuleClass) -> list[ModuleClass | External]:
    """Depth first, the last of duplicates kept: Python's order for every hierarchy without a conflict of monotonicity."""
    seen: list[ModuleClass | External] = [cls]
    for base in cls.bases:
        seen += base.mro if isinstance(base, ModuleClass) else [base]
    last: list[ModuleClass | External] = []
    for one in reversed(seen):
        if one not in last:
            last.append(one)
    return last[::-1]


def _behaves_like_module(cls: ModuleClass) -> bool:
    return "forward" in cls.members and "__init__" in cls.members
