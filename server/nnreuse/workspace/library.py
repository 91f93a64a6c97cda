"""Library: modules found on disk or in open buffers, as the file that imports them would find them, each read once."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Source
from nnreuse.syntax.units import Unparsable
from nnreuse.types.file import File
from nnreuse.types.meaning import ModuleClass

TOPS = (".git", ".hg", "pyproject.toml", "setup.py", "setup.cfg")
"""What stands in the top folder of a project."""
_DOTS = re.compile(r"\bfrom\b[ \t]*(\.+)")
_REST = re.compile(r"[ \t]*(?:\([^)]*\)|(?:[^\n\\]|\\\r?\n)*)")
"""What stands behind the word `import`: names in parentheses, or up to the end of the line."""
_WORD = re.compile(r"\w+")
_LEVELS = 3
"""So far up a file's imports are looked for where nothing marks the top."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Where the imports of the files of one folder are looked for, beside what is installed.

    `first`: the folder of their top-level package, and those above it. `last`: what a script would find that is run where it stands.
    """

    first: tuple[Path, ...]
    last: tuple[Path, ...]


class DiskLibrary:
    """Reads `package/module.py` and `package/__init__.py` near the file that imports them, then below the folders of installed packages.

    Whoever asks for no file's sake looks below the roots. Files that do not parse count as absent. `buffers`: what holds instead
    of what is on disk, by absolute path.
    """

    def __init__(
        self,
        roots: list[Path],
        read: Callable[[Path], str | None],
        installed: Sequence[Path] = (),
        buffers: Mapping[Path, FileIndex] | None = None,
    ) -> None:
        self._buffers: Mapping[Path, FileIndex] = {} if buffers is None else buffers
        self._roots = roots
        self._installed = {folder: _packages(folder) for folder in installed}
        self._read = read
        self._by_name: dict[str, dict[Path | None, File | None]] = {}
        self._by_path: dict[str, File] = {}
        self._named: set[str] = set()
        self._near: dict[Path, Neighbours] = {}
        self._tops: dict[tuple[Path, str], bool] = {}

    def add_root(self, root: Path) -> bool:
        """Another folder to look into, after the known ones; False where it is one of them."""
        if root in self._roots:
            return False
        self._roots.append(root)
        self._tops.clear()
        for name, found in self._by_name.items():
            self._by_name[name] = {home: file for home, file in found.items() if file is not None}
        return True

    def asked(self, dotted: str) -> bool:
        """Whether somebody has asked for a module of this name."""
        return dotted in self._by_name

    def lacks(self, dotted: str) -> bool:
        """Whether somebody has asked for a module of this name, and none was found."""
        return None in self._by_name.get(dotted, {}).values()

    def leads_to(self, dotted: str, path: Path) -> bool:
        """Whether the search for a name would come to a path, if there were a file."""
        near = [folder for one in self._near.values() for folder in (*one.first, *one.last)]
        return path in [candidate for root in (*self.search_path, *near) for candidate in _candidates(root, dotted)]

    @property
    def search_path(self) -> list[Path]:
        """The folders that imports lead to, in order."""
        return [*self._roots, *self._installed]

    def find(self, dotted: str, importer: File | None = None) -> File | None:
        """The file of a module, as `importer` finds it: near itself first, whatever else is known."""
        home = Path(importer.path).parent if importer is not None else None
        known = self._by_name.setdefault(dotted, {})
        if home not in known:
            found = known[home] = self._find(dotted, home)
            if found is not None:
                self._named.add(found.path)
        return known[home]

    def _find(self, dotted: str, home: Path | None) -> File | None:
        top = dotted.partition(".")[0]
        if not dotted or any(not part for part in dotted.split(".")):
            return None
        for root in self._places(top, home):
            for candidate in _candidates(root, dotted):
                if str(candidate) in self._by_path:
                    return self._by_path[str(candidate)]
                if candidate in self._buffers or candidate.is_file():
                    return self._load(candidate)
        return None

    def _places(self, top: str, home: Path | None) -> Iterator[Path]:
        """The folders to look into for a top-level name, in order."""
        near = self._neighbours(home) if home is not None else Neighbours(tuple(self._roots), ())
        yield from (root for root in near.first if self._has(root, top))
        yield from (folder for folder, names in self._installed.items() if top in names)
        yield from (root for root in near.last if self._has(root, top))

    def _neighbours(self, home: Path) -> Neighbours:
        if home not in self._near:
            self._near[home] = neighbours(home)
        return self._near[home]

    def _has(self, root: Path, top: str) -> bool:
        """Whether a folder may hold a top-level module or package."""
        known = self._tops.get((root, top))
        if known is None:
            place = root / top
            buffered = any(path.is_relative_to(place) or path == root / f"{top}.py" for path in self._buffers)
            known = buffered or place.is_dir() or (root / f"{top}.py").is_file()
            self._tops[root, top] = known
        return known

    def _load(self, path: Path) -> File | None:
        index = self._buffers.get(path) or self._parsed(path)
        return self._put(path, module_name(path)[0], index) if index is not None else None

    def _parsed(self, path: Path) -> FileIndex | None:
        text = self._read(path)
        try:
            return FileIndex.of(Source(text)) if text is not None else None
        except Unparsable:
            return None

    def put(self, path: Path, dotted: str, index: FileIndex) -> File:
        """The file at a path, with this index from now on. Who has asked for its name looks for it anew."""
        file = self._put(path, dotted, index)
        self._tops.clear()
        if dotted in self._by_name:
            self._by_name[dotted] = {}
        return file

    def _put(self, path: Path, dotted: str, index: FileIndex) -> File:
        file = self._by_path.get(str(path))
        if file is None:
            file = File(str(path), dotted, path.name == "__init__.py", index)
        file.index = index
        self._by_path[str(path)] = file
        return file

    def drop(self, file: File) -> bool:
        """Forgets a file; False where somebody has asked for it by its name, and may hold it."""
        if file.path in self._named or self.asked(file.module):
            return False
        self._by_path.pop(file.path, None)
        return True

    def classes(self) -> Iterator[ModuleClass]:
        """Those that are known of all files."""
        return (cls for file in list(self._by_path.values()) for cls in list(file.classes.values()))

    def forget_classes(self) -> None:
        """Has every class made anew when it is next asked for."""
        for file in self._by_path.values():
            file.classes.clear()

    def concerned_by(self, path: Path) -> bool:
        """Whether a file that comes or goes may be what somebody has asked for, or would now come before that."""
        if str(path) in self._by_path or path.name == "__init__.py":
            return True
        if any(path.is_relative_to(folder) for folder in self._installed):
            return True
        return any(name.rpartition(".")[2] == path.stem for name in self._by_name)

    def forget_places(self) -> None:
        """Has the folders be looked at anew where the next name is looked for."""
        self._tops.clear()
        self._near = {home: neighbours(home) for home in self._near}

    @property
    def files(self) -> list[Path]:
        """The files that are read."""
        return [Path(name) for name in self._by_path]

    @property
    def size(self) -> int:
        """How many files are read."""
        return len(self._by_path)

    def known(self, path: Path) -> File | None:
        return self._by_path.get(str(path))


def _candidates(root: Path, dotted: str) -> tuple[Path, Path]:
    relative = dotted.replace(".", "/")
    return root / relative / "__init__.py", root / f"{relative}.py"


def neighbours(home: Path) -> Neighbours:
    """Where the imports of a folder's files are looked for. It follows from where they stand alone, not from what else is read."""
    inner, root = list[Path](), home
    while (root / "__init__.py").is_file():
        inner.append(root)
        root = root.parent
    first = [root]
    while not _is_top(first[-1]) and len(first) <= _LEVELS and first[-1].parent not in (first[-1], Path.home()):
        first.append(first[-1].parent)
    sources = first[-1] / "src"
    return Neighbours((*first, sources) if sources.is_dir() and sources not in first else tuple(first), tuple(inner))


def _is_top(folder: Path) -> bool:
    return any((folder / name).exists() for name in TOPS)


def _packages(folder: Path) -> frozenset[str]:
    """The names that can be imported from a folder of installed packages."""
    try:
        return frozenset(name.removesuffix(".py") for name in os.listdir(folder))
    except OSError:
        return frozenset()


def module_name(path: Path) -> tuple[str, Path]:
    """The dotted name of a file, and the folder its top-level package stands in."""
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts) or path.parent.name, folder


def name_of(path: Path) -> str:
    """The last part of the name by which a file is imported."""
    return path.parent.name if path.name == "__init__.py" else path.stem


def imported_names(path: Path, text: str) -> frozenset[str]:
    """Every word that stands in an import of a text: a file whose `name_of` is none of them is not imported there.

    More words than that do no harm. The text need not be Python.
    """
    found: set[str] = set()
    at = text.find("import")
    while at >= 0:
        start = text.rfind("\n", 0, at)
        while start > 0 and text[start - 1] == "\\":
            start = text.rfind("\n", 0, start)
        before = text[start + 1 : at]
        names = _REST.match(text, at + len("import"))
        found.update(_WORD.findall(before), _WORD.findall(names[0] if names else ""))
        for dots in _DOTS.findall(before):
            found.update(parent.name for parent in list(path.parents)[len(dots) - 1 : len(dots)])
        at = text.find("import", at + 1)
    return frozenset(found)
