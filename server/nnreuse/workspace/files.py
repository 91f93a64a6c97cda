"""Files on disk: which ones to look at, their text with its encoding, and writing it back with nothing else changed."""

import io
import os
import re
import tempfile
import tokenize
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nnreuse.workspace.ignoring import Ignores, ignores_above

_BOM = b"\xef\xbb\xbf"
_OF_MACOS = "._"  # beside each file of a folder that macOS copied: what its file system knew of it
_NEVER_ENTERED = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", ".tox", ".nox", ".eggs", "node_modules", "__pycache__"}
    | {".mypy_cache", ".pytest_cache", ".ruff_cache"}
)


class FileProblem(Exception):
    """A file or folder that cannot be read or written: the message says why, `path` says which."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(reason)
        self.path = path


class Undecodable(FileProblem):
    """A file that can be read, whose bytes are no text."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file's text, line ends as they are, and what writing it back needs: its encoding, and whether it has a BOM."""

    path: Path
    text: str
    encoding: str = "utf-8"
    bom: bool = False

    def encoded(self, text: str) -> bytes:
        """Another text in this file's encoding. Raises FileProblem where the encoding has no such character."""
        try:
            return (_BOM if self.bom else b"") + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise FileProblem(self.path, f"cannot be written as {self.encoding}: {error.reason}") from None


def read(path: Path) -> TextFile:
    """The text of a file. Raises FileProblem."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileProblem(path, _reason(error)) from None
    return decode(path, content)


def decode(path: Path, content: bytes) -> TextFile:
    """The text of a file's bytes, by its BOM or coding cookie (PEP 263), else as UTF-8. Raises Undecodable."""
    bom = content.startswith(_BOM)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(_head(content)).readline)
        encoding = "utf-8" if bom else encoding
        return TextFile(path, content.removeprefix(_BOM).decode(encoding), encoding, bom)
    except SyntaxError as error:
        raise Undecodable(path, f"cannot be decoded: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise Undecodable(path, f"is not {error.encoding}: {error.reason} at byte {error.start}") from None
    except (LookupError, ValueError) as error:
        raise Undecodable(path, f"cannot be decoded: {error}") from None


def write(file: TextFile, text: str) -> None:
    """Puts `text` in the file's place, all or nothing; its mode and links stay. Raises FileProblem.

    Refuses when the text that was read does not give the bytes on disk: another has edited them, or the encoding
    does not come back the same.
    """
    target = file.path.resolve()
    content = file.encoded(text)
    try:
        if target.read_bytes() != file.encoded(file.text):
            raise FileProblem(file.path, "has changed since it was read, or cannot be encoded back; left alone")
        _replace(target, content)
    except OSError as error:
        raise FileProblem(file.path, _reason(error)) from None


def discover(
    folder: Path, on_problem: Callable[[FileProblem], None], suffixes: tuple[str, ...] = (".py",)
) -> Iterator[Path]:
    """The files with these suffixes below a folder, in order of their names, without what git ignores, environments and caches.

    A folder that is named is wanted: where a `.gitignore` above it ignores the folder itself, those above do not count.
    """
    yield from _walk(folder, ignores_above(folder), on_problem, suffixes)


def comes_to(folder: Path, path: Path) -> bool:
    """Whether `discover` in a folder comes to a path, if there is a file of its kind."""
    if not path.is_relative_to(folder):
        return False
    at, ignores = folder, ignores_above(folder).inside(folder)
    for name in path.relative_to(folder).parts[:-1]:
        at /= name
        if at.is_symlink() or is_environment(at) or ignores.ignores(at, "/"):
            return False
        ignores = ignores.inside(at)
    return not path.name.startswith(_OF_MACOS) and not ignores.ignores(path, "")


def _walk(
    folder: Path, above: Ignores, on_problem: Callable[[FileProblem], None], suffixes: tuple[str, ...]
) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        on_problem(FileProblem(folder, _reason(error)))
        return
    ignores = above.inside(folder)
    for entry in entries:
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            if not is_environment(path) and not ignores.ignores(path, "/"):
                yield from _walk(path, ignores, on_problem, suffixes)
        elif _is_code(entry, suffixes) and not ignores.ignores(path, ""):
            yield path


def _is_code(entry: os.DirEntry[str], suffixes: tuple[str, ...]) -> bool:
    return entry.name.endswith(suffixes) and not entry.name.startswith(_OF_MACOS) and entry.is_file()


def is_environment(folder: Path) -> bool:
    return folder.name in _NEVER_ENTERED or os.path.exists(folder / "pyvenv.cfg")  # False where it may not be asked


def _replace(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(name, target.stat().st_mode)
        os.replace(name, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _head(content: bytes) -> bytes:
    """The first two lines, where a cookie may stand; a lone carriage return ends a line too."""
    return b"\n".join(re.split(rb"\r\n|\r|\n", content, maxsplit=2)[:2])


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def read_quietly(path: Path) -> str | None:
    """The text of a file that something imports; None where it cannot be read."""
    try:
        return read(path).text
    except FileProblem:
        return None
