"""What has happened on disk. Clients say it in different ways; the disk says what is true now.

VS Code tells of a folder that is renamed or deleted, and not of the files in it. Neovim does the same on Linux. watchman tells of
files and folders, in any order. A file that is deleted and made again may be “changed”, and so may a folder. So an event only
says where to look.
"""

import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from nnreuse.config.toml import FILES
from nnreuse.workspace.files import is_environment
from nnreuse.workspace.ignoring import IGNORE
from nnreuse.workspace.library import TOPS

_SUFFIXES = (".py", ".ipynb")
_LAYOUT = frozenset({IGNORE, "pyvenv.cfg", *TOPS})
"""What says where a scan goes and where imports begin."""
_NOISE = frozenset({".git", ".hg", "__pycache__", "node_modules"})
_MOST = 2000
"""So many entries of a new folder are listed where messages are handled. Of a bigger one a whole scan is asked for."""


@dataclass(slots=True)
class News:
    """What is different on disk: files that have come, that are gone, and that may have another text."""

    came: set[Path] = field(default_factory=set[Path])
    gone: set[Path] = field(default_factory=set[Path])
    changed: set[Path] = field(default_factory=set[Path])
    settings: bool = False
    """Whether files of settings are among them."""
    layout: bool = False
    """Whether what is ignored, or where imports begin, may be another: then everything is looked at anew."""


class Known:
    """The files that are known, found by the folder they are in."""

    def __init__(self, files: Callable[[], Iterable[Path]]) -> None:
        self._list = files

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(map(str, self._list()))

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._files)

    def __contains__(self, path: Path) -> bool:
        return str(path) in self._files

    def below(self, folder: Path) -> Iterator[Path]:
        """The known files in a folder, and in those that it has or had."""
        start = str(folder) + os.sep
        for name in self._sorted[bisect_left(self._sorted, start) :]:
            if not name.startswith(start):
                return
            yield Path(name)


def news_of(paths: Iterable[Path], known: Known) -> News:
    """What has become of the paths that events name, and of all that is in them, if they are or were folders."""
    news = News()
    for path in paths:
        if not _NOISE.isdisjoint(path.parts):
            continue
        if path.is_dir():
            _note_folder(path, known, news)
        elif _is_relevant(path) or path.exists():
            _note(path, known, news)
        else:
            for file in known.below(path):
                _note(file, known, news)
    return news


def _note_folder(folder: Path, known: Known, news: News) -> None:
    if is_environment(folder):
        return
    listed = list(_below(folder, _MOST))
    news.layout |= len(listed) >= _MOST
    for path in {*(path for path in listed if _is_relevant(path)), *known.below(folder)}:
        _note(path, known, news)


def _note(path: Path, known: Known, news: News) -> None:
    name = path.name
    news.settings |= name in FILES
    news.layout |= name in _LAYOUT
    if not name.endswith(_SUFFIXES):
        return
    if not path.is_file():
        news.gone.add(path)
    elif path in known:
        news.changed.add(path)
    else:
        news.came.add(path)


def _is_relevant(path: Path) -> bool:
    name = path.name
    return name.endswith(_SUFFIXES) or name in FILES or name in _LAYOUT


def _below(folder: Path, most: int) -> Iterator[Path]:
    """So many entries in a folder and those below it, without what is never looked at."""
    waiting = [folder]
    while waiting and most > 0:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries[:most]:
            most -= 1
            path = Path(entry.path)
            yield path
            if entry.is_dir(follow_symlinks=False) and not is_environment(path):
                waiting.append(path)
