"""Program: the files that can be read, and what a name in one of them means. Imports are followed on demand.

Pure: files come from a `Library` that the workspace provides. torch itself is never read; its names stay dotted
names (`External`), and the catalog knows what they are.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from nnreuse.syntax.changes import Change
from nnreuse.syntax.index import Binding, Import
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import ClassUnits, leaves
from nnreuse.types.catalog import Catalog, ModuleFacts
from nnreuse.types.file import File
from nnreuse.types.meaning import External, FileRef, FunctionRef, Meaning, ModuleClass, ValueRef, linear, members_of
from nnreuse.types.questions import Answers, NameQuestion
from nnreuse.types.reads import Aspect, Missing, Named, OwnUse, Reads

MODULE = "torch.nn.modules.module.Module"
_DEPTH = 24


@dataclass(frozen=True, slots=True)
class Users:
    """The files that may add to a module-level value, each with the names it knows the value by, and what that follows from."""

    found: list[tuple[File, list[str]]]
    read: set[object]


class Library(Protocol):
    """Where files come from."""

    def find(self, dotted: str, importer: File | None = None) -> File | None:
        """The file of a module, as the file that imports it finds it, or None where it cannot be read."""
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
        for key in [key for key, answer in self.recalled.items() if not gone.isdisjoint(answer.read)]:
            del self.recalled[key]

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
        return self.with_heirs(gone) if change.names else gone

    def with_heirs(self, gone: set[object]) -> set[object]:
        """The same with the classes whose bases were decided by these, which are dropped, and what follows from that."""
        while untrue := [cls for cls in self.library.classes() if not gone.isdisjoint(cls.read)]:
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
            target = self.follow(file.absolute(star), depth + 1, file)
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
            return self.follow(file.absolute(node), depth + 1, file)
        if isinstance(node, ClassUnits):
            return self.class_of(file, node, node.node.name)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return FunctionRef(file, binding.unit, node)
        if isinstance(node, ast.Name | ast.Attribute):
            return self.dotted(file, node, depth + 1) or ValueRef(file, binding.unit, node)
        return ValueRef(file, binding.unit, node)

    def follow(self, dotted: str, depth: int = 0, importer: File | None = None) -> Meaning:
        """What an absolute dotted name means to a file: a name of the module before its last dot, or that module's submodule.

        As in Python, where a package binds a name that one of its modules has as well, the package's binding counts.
        """
        if depth > _DEPTH or dotted == "torch" or dotted.startswith("torch."):
            return External(dotted)
        parts = dotted.split(".")
        package = self.library.find(".".join(parts[:-1]), importer) if len(parts) > 1 else None
        if package is not None and package.package and (bound := self._bound(package, parts[-1], depth)) is not None:
            return bound
        for size in range(len(parts), 0, -1):
            name = ".".join(parts[:size])
            file = self.library.find(name, importer)
            if file is None:
                self.reads.note(Missing(name))
            else:
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
                inner = self.library.find(f"{file.module}.{name}", file) if found is None and file.package else None
                if inner is not None:
                    return FileRef(inner)
                self.reads.note(Missing(f"{file.module}.{name}"))
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
        cls.mro = linear(cls)
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
        return any(isinstance(base, External) and _may_be_module(base.dotted) for base in cls.mro) and (
            _behaves_like_module(cls)
        )


def _may_be_module(dotted: str) -> bool:
    """Whether an unread class may be a module class: none of Python's own is, and the catalog knows those of torch.

    `torch.jit` and newer names of `torch.nn` are not in every catalog. A folder may have the name of a module of Python.
    """
    top = dotted.partition(".")[0]
    if top == "torch":
        return dotted.startswith(("torch.nn.", "torch.jit."))
    own = dotted.count(".") == 1 and top in sys.stdlib_module_names or dotted.startswith("collections.abc.")
    return "." in dotted and not own


def _behaves_like_module(cls: ModuleClass) -> bool:
    """Whether a class has a `forward`, leaves the call of it to a base, and runs a base's constructor before its own lines."""
    if "forward" not in cls.members or "__init__" not in cls.members:
        return False
    return _runs_base(cls, "__init__") and (cls.find("__call__") is None or _runs_base(cls, "__call__"))


def _runs_base(cls: ModuleClass, name: str) -> bool:
    """Whether a method speaks of the same method of a base."""
    found = cls.find(name)
    return found is not None and any(_is_of_base(node, name) for node in walk(found[2]))


def _is_of_base(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Attribute(attr=attr):
            return attr == name
        case ast.Name(id="super"):
            return True
        case _:
            return False
