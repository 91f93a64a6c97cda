"""What git ignores: the rules of `.gitignore` files and of `.git/info/exclude`, read as git reads them, without git.

A library for these files was tried. It takes a rule for a folder (`!*/`) as a rule for what lies below it, and git does not.
Names are bytes here, as they are for git: `?` stands for one byte.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

IGNORE = ".gitignore"
_GIT = ".git"
_BOM = b"\xef\xbb\xbf"
_PLAIN = re.compile(rb"[^*?\[\\]*")
_CLASSES = {
    b"alnum": rb"a-zA-Z0-9",
    b"alpha": rb"a-zA-Z",
    b"blank": rb" \t",
    b"cntrl": rb"\x00-\x1f\x7f",
    b"digit": rb"0-9",
    b"graph": rb"\x21-\x7e",
    b"lower": rb"a-z",
    b"print": rb"\x20-\x7e",
    b"punct": rb"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
    b"space": rb"\x20\t\n\r\f\v",
    b"upper": rb"A-Z",
    b"xdigit": rb"0-9a-fA-F",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: whether it takes back, is about folders alone, is about the last name of a path alone, and what it matches."""

    takes_back: bool
    folders_only: bool
    last_name_only: bool
    pattern: re.Pattern[bytes]


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """The rules of one file, and the folder that its paths begin at."""

    folder: str
    rules: tuple[Rule, ...]

    def verdict(self, path: str, end: str) -> bool | None:
        """Whether it ignores a path in its folder (True), takes it back (False), or says nothing; `end` is "/" for a folder."""
        inside = os.fsencode(path[len(self.folder) :].lstrip(os.sep).replace(os.sep, "/"))
        name = inside.rpartition(b"/")[2]
        for rule in reversed(self.rules):
            if rule.folders_only and not end:
                continue
            if rule.pattern.fullmatch(name if rule.last_name_only else inside):
                return not rule.takes_back
        return None


@dataclass(frozen=True, slots=True)
class Ignores:
    """The files that count in a folder: those further down later, since they have the last word."""

    files: tuple[IgnoreFile, ...] = ()

    def ignores(self, path: Path, end: str) -> bool:
        """Whether a path in the folder is ignored; `end` is "/" for a folder. What lies above it is not asked."""
        absolute = os.path.abspath(path)
        verdicts = (file.verdict(absolute, end) for file in reversed(self.files))
        return next((verdict for verdict in verdicts if verdict is not None), False)

    def inside(self, folder: Path) -> "Ignores":
        """Those that count in a folder where these count in its parent; a repository of its own begins anew."""
        own = () if os.path.islink(folder / IGNORE) else _read(folder / IGNORE, folder)
        if os.path.lexists(folder / _GIT):
            return Ignores((*_read(_git_folder(folder / _GIT) / "info" / "exclude", folder), *own))
        return Ignores((*self.files, *own)) if own else self


def ignores_above(folder: Path) -> Ignores:
    """What counts in a folder's parent, if both are in one repository.

    A folder that is named is wanted: where it is ignored itself, or a folder above it, those above do not count.
    """
    here = Path(os.path.abspath(folder))
    root = next((parent for parent in (here, *here.parents) if os.path.lexists(parent / _GIT)), here)
    ignores = Ignores()
    for outer, inner in _steps(root, here):
        ignores = ignores.inside(outer)
        if ignores.ignores(inner, "/"):
            return Ignores()
    return ignores


def _steps(root: Path, folder: Path) -> Iterator[tuple[Path, Path]]:
    """Each folder from a root to a folder's parent, with the next one on the way."""
    at = root
    for name in folder.relative_to(root).parts:
        yield at, at / name
        at /= name


def _read(file: Path, folder: Path) -> tuple[IgnoreFile, ...]:
    try:
        content = file.read_bytes()
    except OSError:
        return ()
    rules = tuple(rules_of(content))
    return (IgnoreFile(os.path.abspath(folder), rules),) if rules else ()


def _git_folder(git: Path) -> Path:
    """Where a repository keeps what is not part of a commit: `.git` names another folder in worktrees and submodules."""
    with suppress(OSError):
        if git.is_file():
            git = git.parent / git.read_text(errors="replace").removeprefix("gitdir:").strip()
        return git / (git / "commondir").read_text(errors="replace").strip()
    return git


def rules_of(content: bytes) -> Iterator[Rule]:
    """The rules that the lines of a file are."""
    for line in content.removeprefix(_BOM).split(b"\n"):
        if not line.startswith(b"#"):
            yield from _rule(_without_last_spaces(line.removesuffix(b"\r")))


def _without_last_spaces(line: bytes) -> bytes:
    """A line without the spaces at its end; one behind a backslash is part of it."""
    kept = line.rstrip(b" ")
    escaped = (len(kept) - len(kept.rstrip(b"\\"))) % 2 == 1
    return line[: len(kept) + 1] if escaped else kept


def _rule(line: bytes) -> Iterable[Rule]:
    takes_back = line.startswith(b"!")
    text = line.removeprefix(b"!") if takes_back else line
    folders_only = text.endswith(b"/")
    text = text.removesuffix(b"/")
    last_name_only = b"/" not in text
    expression = _expression(text, b"." if last_name_only else b"[^/]")
    if not text or expression is None:
        return
    yield Rule(takes_back, folders_only, last_name_only, re.compile(expression, re.DOTALL))


def _expression(glob: bytes, any_byte: bytes) -> bytes | None:
    """What a glob matches, as a regular expression; None where it matches nothing."""
    plain = _PLAIN.match(glob)
    at = plain.end() if plain else 0
    found = [re.escape(glob[:at].removeprefix(b"/"))]
    begin = at  # git compares what is plain first: two stars that follow it stand at a beginning
    while at < len(glob):
        part = _part(glob, at, begin, any_byte)
        if part is None:
            return None
        at, expression = part
        found.append(expression)
    return b"".join(found)


def _part(glob: bytes, at: int, begin: int, any_byte: bytes) -> tuple[int, bytes] | None:
    """Where the part of a glob ends that begins at a place, and its expression; None where nothing matches it."""
    sign = glob[at : at + 1]
    if sign == b"*":
        return _stars(glob, at, begin, any_byte)
    if sign == b"?":
        return at + 1, any_byte
    if sign == b"[":
        return _bracket(glob, at + 1, any_byte)
    if sign == b"\\":
        return (at + 2, re.escape(glob[at + 1 : at + 2])) if at + 1 < len(glob) else None
    return at + 1, re.escape(sign)


def _stars(glob: bytes, at: int, begin: int, any_byte: bytes) -> tuple[int, bytes]:
    end = at
    while glob[end : end + 1] == b"*":
        end += 1
    after = glob[end : end + 2]
    alone = (at == begin or glob[at - 1 : at] == b"/") and (after[:1] in (b"", b"/") or after == b"\\/")
    if end - at == 1 or not alone:
        return end, any_byte + b"*"
    return (end + 1, b"(?:.*/)?") if after[:1] == b"/" else (end, b".*")


def _bracket(glob: bytes, at: int, any_byte: bytes) -> tuple[int, bytes] | None:
    """A set of bytes, from behind its `[`: its end and its expression; None where it does not end or names no class."""
    negated = glob[at : at + 1] in (b"!", b"^")
    at += negated
    found: list[bytes] = []
    before = b""
    first = True
    while first or glob[at : at + 1] != b"]":
        first = False
        item = _item(glob, at, before)
        if item is None:
            return None
        at, before, expression = item
        found.append(expression)
    members = b"".join(found)
    chosen = b"[%s%s]" % (b"^" if negated else b"", members) if members else (b"." if negated else b"(?!)")
    return at + 1, chosen if any_byte == b"." else b"(?!/)" + chosen


def _item(glob: bytes, at: int, before: bytes) -> tuple[int, bytes, bytes] | None:
    """One item of a set: its end, the byte that a range may begin with behind it, and its expression."""
    sign = glob[at : at + 1]
    if sign == b"[" and glob[at + 1 : at + 2] == b":":
        end = glob.find(b"]", at + 2)
        if end < 0:
            return None
        if end > at + 2 and glob[end - 1 : end] == b":":
            named = _CLASSES.get(glob[at + 2 : end - 1])
            return None if named is None else (end + 1, b"", named)
    if sign == b"-" and before and glob[at + 1 : at + 2] not in (b"", b"]"):
        last = _byte(glob, at + 1)
        if last is None:
            return None
        return last[0], b"", b"%s-%s" % (_hex(before), _hex(last[1])) if before <= last[1] else b""
    one = _byte(glob, at)
    return None if one is None else (one[0], one[1], _hex(one[1]))


def _byte(glob: bytes, at: int) -> tuple[int, bytes] | None:
    """The byte at a place, a backslash before it taken off, and where it ends; None at the end of the glob."""
    at += glob[at : at + 1] == b"\\"
    return (at + 1, glob[at : at + 1]) if at < len(glob) else None


def _hex(byte: bytes) -> bytes:
    return rb"\x%02x" % byte[0]
