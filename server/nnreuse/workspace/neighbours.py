"""Neighbours: whether another file of the project stands in the way of a fix, because it speaks of what the fix moves.

A fix is proven on its own file. A subclass elsewhere may bind the same attribute, or have a use of its own for a new name;
anything elsewhere may read an attribute that is to go. Words are compared first: only files in which they all occur are parsed.
"""

import ast
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nnreuse.fixes.fix import Fix, Reach, unfixed
from nnreuse.fixes.places import is_self
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.tree import walk
from nnreuse.workspace.files import FileProblem, decode, discover
from nnreuse.workspace.library import module_name

_MARKS = (".git", "pyproject.toml", "setup.py", "setup.cfg")
KEPT = 10.0
"""Seconds, at most, for which the texts of a project are not read again."""
MAX_FILES = 10_000
"""Of a project with more files only those of the file's own top-level package are looked through, or none where it has as many."""


def edits_of(fix: Fix, index: FileIndex, path: Path | None) -> list[Edit] | None:
    """The edits of a fix that no neighbour stands in the way of. `path` None: the text is no file, and has no neighbours."""
    edits = fix.edits(index)
    return None if edits and path is not None and obstacle(fix, path) else edits


def refusal(fixes: Sequence[Fix], index: FileIndex, path: Path | None) -> str | None:
    """Why none of a finding's fixes is offered; None where one is, or nothing can be said."""
    reason = unfixed(fixes, index)
    if reason is not None or path is None or any(edits_of(fix, index, path) for fix in fixes):
        return reason
    return next((found for fix in fixes if fix.edits(index) and (found := obstacle(fix, path))), None)


def obstacle(fix: Fix, path: Path) -> str | None:
    """What stands in the way of a fix in another file, as the end of a sentence."""
    if fix.reach is None:
        return None
    others = _others(path.absolute())
    return _in_heirs(fix.reach, path.absolute(), others) or _in_readers(fix.reach, others)


@dataclass(frozen=True, slots=True)
class _Other:
    path: Path
    content: bytes

    def has(self, *words: str) -> bool:
        """Whether one of the names stands in it as a word; decoding waits until one does."""
        return any(
            re.search(rb"\b%b\b" % name, self.content) for name in map(str.encode, words) if name in self.content
        )

    def may_inherit(self, names: set[str]) -> bool:
        """Whether it says of some class that it has a base of one of the names."""
        if not any(name.encode() in self.content for name in names):
            return False
        known = b"|".join(sorted(re.escape(name).encode() for name in names))
        return re.search(rb"\bclass\s+\w+\s*\([^)]*\b(?:%b)\b" % known, self.content) is not None

    @property
    def text(self) -> str:
        with suppress(FileProblem):
            return decode(self.path, self.content).text
        return ""


def _others(path: Path) -> list[_Other]:
    """The other files of a file's project: below the folder that is marked as one, or else of its top-level package."""
    own, moment = module_name(path)[1], int(time.monotonic() / KEPT)
    root = _root(path)
    everyone = _read(root, moment) if root is not None else None
    if everyone is None:
        everyone = _read(own, moment) or []
    return [other for other in everyone if other.path != path]


def _root(path: Path) -> Path | None:
    """The nearest folder above that is marked as a project, below the home folder: what marks that is about something else."""
    home = Path.home()
    for folder in path.parents:
        if folder == home or folder in home.parents:
            return None
        if any((folder / mark).exists() for mark in _MARKS):
            return folder
    return None


@lru_cache(maxsize=1)
def _read(folder: Path, _: int) -> list[_Other] | None:
    """The files of a folder, kept for a moment: one request, or one run, asks for many fixes."""
    found: list[_Other] = []
    for number, other in enumerate(discover(folder.absolute(), lambda _: None)):
        if number >= MAX_FILES:
            return None
        with suppress(OSError):
            found.append(_Other(other, other.read_bytes()))
    return found


def _in_heirs(reach: Reach, path: Path, others: list[_Other]) -> str | None:
    """A subclass, or one of a subclass, in a file that imports its base, that binds or uses what it must not."""
    modules = {_module(path): {reach.cls}}
    grown = True
    while grown:
        grown = False
        for other in others:
            known = {name for names in modules.values() for name in names}
            tree = _parsed(other) if other.may_inherit(known) else None
            for cls in _heirs(tree, modules) if tree is not None else ():
                name = _clash(cls, reach)
                if name is not None:
                    return f"`{cls.name}` in {other.path.name} has a `self.{name}` of its own"
                names = modules.setdefault(_module(other.path), set())
                grown |= cls.name not in names
                names.add(cls.name)
    return None


def _module(path: Path) -> str:
    return path.parent.name if path.name == "__init__.py" else path.stem


def _parsed(other: _Other) -> ast.Module | None:
    try:
        return ast.parse(other.text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _heirs(tree: ast.Module, modules: dict[str, set[str]]) -> Iterator[ast.ClassDef]:
    """The classes of a file whose base comes, by an import, from one of the modules, whoever passes it on."""
    imported = dict[str, str]()
    for node in walk(tree):
        if isinstance(node, ast.ImportFrom):
            imported.update({one.asname or one.name: one.name for one in node.names})
            if any(one.name == "*" for one in node.names):
                imported.update({name: name for names in modules.values() for name in names})
    known = {name for names in modules.values() for name in names}
    own = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    for node in walk(tree):
        for base in node.bases if isinstance(node, ast.ClassDef) else ():
            match base:
                case ast.Name(id=name):
                    comes = imported.get(name) in known and name not in own
                case ast.Attribute(attr=name):
                    comes = name in known
                case _:
                    comes = False
            if comes and isinstance(node, ast.ClassDef):
                yield node
                break


def _clash(cls: ast.ClassDef, reach: Reach) -> str | None:
    """The name that a subclass has a use of its own for."""
    for node in walk(cls):
        if isinstance(node, ast.Attribute) and is_self(node.value):
            stored = not isinstance(node.ctx, ast.Load)
            if node.attr in reach.new | reach.gone or stored and node.attr in reach.kept:
                return node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in reach.new | reach.kept:
            return node.name
    return None


def _in_readers(reach: Reach, others: list[_Other]) -> str | None:
    """Code that reads, on any object, an attribute that is to go, or writes its name as a part of a path."""
    for name in sorted(reach.gone):
        read = re.compile(rf"(?<!\bself)\.{re.escape(name)}\b|[\"'](?:[\w.]*\.)?{re.escape(name)}(?:\.[\w.]*)?[\"']")
        for other in others:
            if other.has(name) and read.search(other.text):
                return f"{other.path.name} speaks of `{name}`, which would no longer be there"
    return None
