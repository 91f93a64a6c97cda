"""Library: modules found on disk or in open buffers, by the same search path the user's interpreter would use, each read once."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Source
from nnreuse.syntax.units import Unparsable
from nnreuse.types.file import File
from nnreuse.types.meaning import ModuleClass


class DiskLibrary:
    """Reads `package/module.py` and `package/__init__.py` below the roots, then below the folders of installed packages.

    Files that do not parse count as absent. `buffers`: what holds instead of what is on disk, by absolute path.
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
        self._by_name: dict[str, File | None] = {}
        self._by_path: dict[str, File] = {}

    def add_root(self, root: Path) -> bool:
        """Another folder to look into, after the known ones; False where it is one of them."""
        if root in self._roots:
            return False
        self._roots.append(root)
        self._by_name = {name: file for name, file in self._by_name.items() if file is not None}
        return True

    def asked(self, dotted: str) -> bool:
        """Whether somebody has asked for a module of this name."""
        return dotted in self._by_name

    def lacks(self, dotted: str) -> bool:
        """Whether somebody has asked for a module of this name, and none was found."""
        return dotted in self._by_name and self._by_name[dotted] is None

    def leads_to(self, dotted: str, path: Path) -> bool:
        """Whether the search for a name would come to a path, if there were a file."""
        return path in [candidate for root in self.search_path for candidate in _candidates(root, dotted)]

    @property
    def search_path(self) -> list[Path]:
        """The folders that imports lead to, in order."""
        return [*self._roots, *self._installed]

    def find(self, dotted: str) -> File | None:
        if dotted in self._by_name:
            return self._by_name[dotted]
        found = self._find(dotted)
        self._by_name[dotted] = found
        return found

    def _find(self, dotted: str) -> File | None:
        top = dotted.partition(".")[0]
        if not dotted or any(not part for part in dotted.split(".")):
            return None
        for root in [*self._roots, *(folder for folder, names in self._installed.items() if top in names)]:
            for candidate in _candidates(root, dotted):
                if str(candidate) in self._by_path:
                    return self._by_path[str(candidate)]
                if candidate in self._buffers or candidate.is_file():
                    return self._load(candidate, dotted)
        return None

    def _load(self, path: Path, dotted: str) -> File | None:
        index = self._buffers.get(path) or self._parsed(path)
        return self.put(path, dotted, index) if index is not None else None

    def _parsed(self, path: Path) -> FileIndex | None:
        text = self._read(path)
        try:
            return FileIndex.of(Source(text)) if text is not None else None
        except Unparsable:
            return None

    def put(self, path: Path, dotted: str, index: FileIndex) -> File:
        """The file at a path, with this index from now on."""
        file = self._by_path.get(str(path))
        if file is None:
            file = File(str(path), dotted, path.name == "__init__.py", index)
        file.index = index
        self._by_path[str(path)] = file
        if dotted in self._by_name:
            self._by_name[dotted] = file
        return file

    def drop(self, file: File) -> bool:
        """Forgets a file; False where somebody has asked for it by its name, and may hold it."""
        if self.asked(file.module):
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

    @property
    def size(self) -> int:
        """How many files are read."""
        return len(self._by_path)

    def known(self, path: Path) -> File | None:
        return self._by_path.get(str(path))


def _candidates(root: Path, dotted: str) -> tuple[Path, Path]:
    relative = dotted.replace(".", "/")
    return root / relative / "__init__.py", root / f"{relative}.py"


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
