"""Mentions: the names that the files of a folder speak of, gathered when a file is first seen, and again when it has changed.

Texts are not kept: the names take a tenth of their memory, and to ask all files about one is to look into a set each.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from sys import intern
from threading import Lock
from time import monotonic

from nnreuse.fixes.places import is_self
from nnreuse.syntax.tree import walk
from nnreuse.workspace.files import discover, read_quietly

KEPT = 10.0
"""Seconds for which a folder is not looked at again."""
MAX_FILES = 10_000
"""A folder with more files is not looked through."""

_BASES = re.compile(r"class\s+\w+\s*\(([^)]*)")
_READ = re.compile(r"\.(?<!\bself\.)(\w+)")
_QUOTED = re.compile(r"[\"']([\w.]+)(?=[\"'])")
_Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Class:
    """What of a class decides whether an heir it is, and whether it minds. Bases are names as the modules that define them say."""

    name: str
    bases: frozenset[str]
    own_bases: frozenset[str]
    """Those of its own file."""
    used: frozenset[str]
    """The attributes of `self` it speaks of."""
    bound: frozenset[str]
    """Of these the ones it assigns or deletes, and its methods."""


class Mentions:
    """What one file speaks of, at one revision; nothing where it cannot be decoded."""

    def __init__(self, path: Path, stamp: _Stamp) -> None:
        text = read_quietly(path) or ""
        self.path = path
        self.stamp = stamp
        self.bases = _interned(word for bases in _BASES.findall(text) for word in re.findall(r"\w+", bases))
        """Words that stand where a class names its bases."""
        parts = (part for dotted in set(_QUOTED.findall(text)) for part in dotted.split("."))
        self.read = _interned({*_READ.findall(text), *parts})
        """Attributes of anything but `self`, and the parts of quoted paths."""

    @cached_property
    def classes(self) -> list[Class]:
        """Its classes; none where it does not parse. This reads it once more: few files are ever asked."""
        try:
            tree = ast.parse(read_quietly(self.path) or "")
        except (SyntaxError, ValueError, RecursionError):
            return []
        return list(_classes(tree))


@dataclass(frozen=True, slots=True)
class Look:
    """The files of a folder as they were at a moment (`time.monotonic`); None: they are too many."""

    files: tuple[Mentions, ...] | None
    moment: float


class Folder:
    """May be asked by several threads: one looks, the others wait for what it sees."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._last: Look | None = None

    def look(self) -> Look:
        """Its files as they are now, or were a moment ago."""
        with self._lock:
            if self._last is None or not is_recent(self._last.moment):
                files = self._files()
                self._last = Look(files, monotonic())
            return self._last

    def _files(self) -> tuple[Mentions, ...] | None:
        paths = list(islice(discover(self._path, lambda _: None), MAX_FILES + 1))
        if len(paths) > MAX_FILES:
            return None
        known = {one.path: one for one in self._last.files or ()} if self._last else {}
        return tuple(_current(paths, known))


def is_recent(moment: float) -> bool:
    """Whether what was seen then need not be looked at again."""
    return monotonic() - moment < KEPT


def _current(paths: list[Path], known: dict[Path, Mentions]) -> Iterator[Mentions]:
    for path in paths:
        with suppress(OSError):
            stat = path.stat()
            stamp = stat.st_mtime_ns, stat.st_size
            last = known.get(path)
            yield last if last and last.stamp == stamp else Mentions(path, stamp)


def _interned(words: Iterable[str]) -> frozenset[str]:
    """The words; a word that stands in many files is kept once."""
    return frozenset(map(intern, words))


def _classes(tree: ast.Module) -> Iterator[Class]:
    nodes = walk(tree)
    own = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    imported = {one.asname or one.name: one.name for one in _imported(nodes)}
    of_torch = _names_of_torch(nodes)
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            bases = [base for base in node.bases if _root(base) not in of_torch]
            named = {base.id for base in bases if isinstance(base, ast.Name)}
            others = {imported.get(name, name if "*" in imported else "") for name in named - own} - {""}
            dotted = {base.attr for base in bases if isinstance(base, ast.Attribute)}
            used, bound = _attributes(node)
            yield Class(node.name, frozenset(others | dotted), frozenset(named & own), used, bound)


def _imported(nodes: list[ast.AST]) -> Iterator[ast.alias]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield from node.names


def _names_of_torch(nodes: list[ast.AST]) -> frozenset[str]:
    """The names that a file gives to torch, and to what it imports from there: `nn.Module` is no class of the project."""
    found = [
        (alias.asname or alias.name.split(".")[0], alias.name)
        for node in nodes
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    found += [
        (alias.asname or alias.name, node.module or "")
        for node in nodes
        if isinstance(node, ast.ImportFrom) and not node.level
        for alias in node.names
    ]
    return frozenset(name for name, module in found if module.split(".")[0] == "torch")


def _root(base: ast.expr) -> str:
    """The first name of a dotted one; empty where a base is no name."""
    while isinstance(base, ast.Attribute):
        base = base.value
    return base.id if isinstance(base, ast.Name) else ""


def _attributes(cls: ast.ClassDef) -> tuple[frozenset[str], frozenset[str]]:
    """The attributes of `self` that a class speaks of, and those that it binds."""
    used, bound = set[str](), set[str]()
    for node in walk(cls):
        if isinstance(node, ast.Attribute) and is_self(node.value):
            used.add(node.attr)
            if not isinstance(node.ctx, ast.Load):
                bound.add(node.attr)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            bound.add(node.name)
    return _interned(used), _interned(bound)
