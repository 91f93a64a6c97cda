"""Neighbours: whether another file of the project stands in the way of a fix, because it speaks of what the fix moves.

A fix is proven on its own file. A subclass elsewhere may bind the same attribute, or have a use of its own for a new name;
anything elsewhere may read an attribute that is to go. Words are compared first: only files with such subclasses are parsed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nnreuse.fixes.fix import Fix, Reach, unfixed
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.workspace.library import module_name
from nnreuse.workspace.mentions import Class, Folder, Look, Mentions

_MARKS = (".git", "pyproject.toml", "setup.py", "setup.cfg")

Obstacles = Callable[[Reach, Path], str | None]
"""What stands in the way of a fix with this reach in this file, as the end of a sentence."""


def obstacle(reach: Reach, path: Path) -> str | None:
    """What stands in another file. Reads the project where it has not been looked at lately."""
    return neighbours_of(path).obstacle(reach)


def edits_of(fix: Fix, index: FileIndex, path: Path | None, obstacles: Obstacles = obstacle) -> list[Edit] | None:
    """The edits of a fix that no neighbour stands in the way of. `path` None: the text is no file, and has no neighbours."""
    edits = fix.edits(index)
    return None if edits and against(fix, path, obstacles) else edits


def against(fix: Fix, path: Path | None, obstacles: Obstacles = obstacle) -> str | None:
    """What stands in the way of a fix that could be built."""
    return None if fix.reach is None or path is None else obstacles(fix.reach, path)


def refusal(fixes: Sequence[Fix], index: FileIndex, path: Path | None, obstacles: Obstacles = obstacle) -> str | None:
    """Why none of a finding's fixes is offered; None where one is, or nothing can be said."""
    reason = unfixed(fixes, index)
    if reason is not None:
        return reason
    reasons = [against(fix, path, obstacles) for fix in fixes if fix.edits(index)]
    return next(iter(reasons), None) if all(reasons) else None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The other files of a file's project, as they were at one look."""

    path: Path
    look: Look

    def obstacle(self, reach: Reach) -> str | None:
        return self._in_heirs(reach) or self._in_readers(reach)

    def _in_heirs(self, reach: Reach) -> str | None:
        """A subclass, or one of a subclass, in whatever file, that binds or uses what it must not."""
        known = {reach.cls}
        heirs = {(self.path, reach.cls)}
        grown = True
        while grown:
            grown = False
            for file in self.look.files or ():
                for cls in () if file.bases.isdisjoint(known) else _new_heirs(file, known, heirs):
                    name = _clash(cls, reach)
                    if name is not None and file.path != self.path:
                        return f"`{cls.name}` in {file.path.name} has a `self.{name}` of its own"
                    known.add(cls.name)
                    grown = True
        return None

    def _in_readers(self, reach: Reach) -> str | None:
        """Code that reads, on any object, an attribute that is to go, or writes its name as a part of a path."""
        for name in sorted(reach.gone):
            for file in self.look.files or ():
                if name in file.read and file.path != self.path:
                    return f"{file.path.name} speaks of `{name}`, which would no longer be there"
        return None


def _new_heirs(file: Mentions, known: set[str], heirs: set[tuple[Path, str]]) -> list[Class]:
    """The classes of a file with a base among the known ones or the file's own heirs, that were no heirs before."""
    found: list[Class] = []
    for cls in file.classes:
        inherits = not cls.bases.isdisjoint(known) or any((file.path, base) in heirs for base in cls.own_bases)
        if inherits and (file.path, cls.name) not in heirs:
            heirs.add((file.path, cls.name))
            found.append(cls)
    return found


def _clash(cls: Class, reach: Reach) -> str | None:
    """The name that a subclass has a use of its own for."""
    mine = cls.used & (reach.new | reach.gone) | cls.bound & (reach.new | reach.kept)
    return min(mine, default=None)


def neighbours_of(path: Path) -> Neighbours:
    """Those below the folder that is marked as a project, or else, or where they are too many, below that of its own package."""
    path = path.absolute()
    root, own = _root(path), module_name(path)[1]
    look = _folder(root).look() if root is not None else None
    return Neighbours(path, look if look is not None and look.files is not None else _folder(own).look())


def _root(path: Path) -> Path | None:
    """The nearest folder above that is marked as a project, below the home folder: what marks that is about something else."""
    home = Path.home()
    for folder in path.parents:
        if folder == home or folder in home.parents:
            return None
        if any((folder / mark).exists() for mark in _MARKS):
            return folder
    return None


@lru_cache(maxsize=8)
def _folder(path: Path) -> Folder:
    """A folder, with what was seen of it: a run, or a server, asks about few of them many times."""
    return Folder(path)
