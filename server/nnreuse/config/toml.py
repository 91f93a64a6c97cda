"""Settings as written in `nnreuse.toml`, under `[tool.nnreuse]` in `pyproject.toml`, or by a client.

The nearest file wins, whole, over any other file; key by key over what a client says. Whatever means nothing is a
`Problem` with its key, and the rest of the file holds.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast, get_args

from nnreuse.config.settings import CheckpointCompat, Profile, Settings
from nnreuse.config.severity import Severity

Table = Mapping[str, object]
ReadText = Callable[[Path], str]
FILES = ("nnreuse.toml", "pyproject.toml")
"""The names of settings files, the stronger first."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that means nothing. `keys` lead to it, none where the whole text is no TOML; then `line` (zero-based) says where."""

    message: str
    keys: tuple[str, ...] = ()
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a table says, and what of it means nothing."""

    settings: Settings
    problems: tuple[Problem, ...] = ()


class SettingsError(Exception):
    """A settings file says something that means nothing. The message names the file and the key."""


class NoToml(Exception):
    """A settings file that cannot be read at all."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def nearest(folder: Path) -> Path | None:
    """The settings file in force for a folder. Raises SettingsError where one on the way cannot be read."""
    for parent in [folder, *folder.parents]:
        for file in (parent / name for name in FILES):
            if file.is_file() and _table_or_error(file) is not None:
                return file
    return None


def read(file: Path) -> Settings:
    """The settings of one file. Raises SettingsError."""
    reading = parse(_table_or_error(file) or {}, file.parent)
    for problem in reading.problems:
        raise SettingsError(f"{file}: {problem.message}")
    return reading.settings


def _table_or_error(file: Path) -> Table | None:
    try:
        return table(file, _read_text)
    except NoToml as error:
        raise SettingsError(f"{file}: {error}") from None


def _read_text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def table(file: Path, read_text: ReadText) -> Table | None:
    """What a file says to us; None for a `pyproject.toml` that says nothing. Raises NoToml."""
    text = ""
    try:
        text = read_text(file)
        content: Table = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise NoToml(Problem(str(error), line=_line_in(str(error), text))) from None
    if file.name == FILES[0]:
        return content
    tool = content.get("tool")
    found = cast("Table", tool).get("nnreuse") if isinstance(tool, dict) else None
    if found is not None and not isinstance(found, dict):
        raise NoToml(Problem("`tool.nnreuse` must be a table", ("tool", "nnreuse")))
    return cast("Table | None", found)


def parse(found: Table, folder: Path, base: Settings | None = None) -> Reading:
    """The settings of a table on top of others. A relative `python` starts from the folder; a bare name is looked up later."""
    settings, problems = base or Settings(), list[Problem]()
    for key, value in found.items():
        try:
            settings = _with(settings, key, value, folder)
        except _Meaningless as error:
            problems.append(Problem(error.message, (key, *error.below)))
    return Reading(settings, tuple(problems))


def line_of(text: str, keys: tuple[str, ...], pyproject: bool) -> int:
    """The zero-based line where a key stands in a settings file, or the one of its table; 0 where it cannot be found."""
    wanted = (("tool", "nnreuse") if pyproject and keys[:1] != ("tool",) else ()) + keys
    best, length, inside = 0, -1, tuple[str, ...]()
    for number, line in enumerate(_lines(text)):
        header = re.match(r"\s*\[+([^\[\]]+)\]", line)
        assigned = re.match(r"\s*([\w\-.\"' ]+?)\s*=", line)
        if header:
            at = inside = _parts(header[1])
        elif assigned:
            at = inside + _parts(assigned[1])
        else:
            continue
        if at == wanted[: len(at)] and len(at) > length:
            best, length = number, len(at)
    return best


class _Meaningless(Exception):
    def __init__(self, message: str, *below: str) -> None:
        super().__init__(message)
        self.message = message
        self.below = below


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _lines(text: str) -> list[str]:
    """The lines as an editor counts them."""
    return re.split(r"\r\n|\r|\n", text)


def _line_in(message: str, text: str) -> int | None:
    """The line that tomllib's message names; for the end of the document, the last one on which something stands."""
    if "(at end of document)" in message:
        return len(_lines(text.rstrip())) - 1
    found = re.search(r"at line (\d+)", message)
    return int(found[1]) - 1 if found else None


def _with(settings: Settings, key: str, value: object, folder: Path) -> Settings:
    reader = _READERS.get(key)
    if reader is None:
        known = f"known are {', '.join(sorted(_READERS))}"
        raise _Meaningless(f"unknown key `{key}`{near(key, _READERS, known)}")
    return reader(settings, value, folder)


def _names(value: object, key: str) -> frozenset[str]:
    if isinstance(value, list):
        names = [name for name in cast("list[object]", value) if isinstance(name, str)]
        if len(names) == len(cast("list[object]", value)):
            return frozenset(names)
    raise _Meaningless(f"`{key}` must be a list of rule names")


def _select(settings: Settings, value: object, folder: Path) -> Settings:
    return replace(settings, select=_names(value, "select"))


def _ignore(settings: Settings, value: object, folder: Path) -> Settings:
    return replace(settings, ignore=_names(value, "ignore"))


def _profiles(settings: Settings, value: object, folder: Path) -> Settings:
    known = get_args(Profile)
    if not isinstance(value, list) or not all(name in known for name in cast("list[object]", value)):
        raise _Meaningless(f"`profile` must be a list of {', '.join(known)}")
    return replace(settings, profiles=frozenset(cast("list[Profile]", value)))


def _severities(settings: Settings, value: object, folder: Path) -> Settings:
    if not isinstance(value, dict):
        raise _Meaningless("`severity` must be a table of rule names and severities")
    pairs = cast("dict[str, object]", value).items()
    return replace(
        settings, severities=frozenset((rule, _severity(level, f"severity.{rule}", rule)) for rule, level in pairs)
    )


def _severity(value: object, key: str, *below: str) -> Severity:
    try:
        return Severity(value)
    except ValueError:
        levels = ", ".join(level.value for level in Severity)
        raise _Meaningless(f"`{key}` must be one of {levels}", *below) from None


def _min_severity(settings: Settings, value: object, folder: Path) -> Settings:
    return replace(settings, min_severity=_severity(value, "min-severity"))


def _checkpoint_compat(settings: Settings, value: object, folder: Path) -> Settings:
    if value not in get_args(CheckpointCompat):
        raise _Meaningless('`checkpoint-compat` must be "none" or "hook"')
    return replace(settings, checkpoint_compat=cast("CheckpointCompat", value))


def _python(settings: Settings, value: object, folder: Path) -> Settings:
    if not isinstance(value, str):
        raise _Meaningless("`python` must be the path of an interpreter")
    beside = folder / Path(value).expanduser()
    by_name = len(Path(value).parts) == 1 and not beside.exists()
    return replace(settings, python=Path(value) if by_name else beside)


_READERS: dict[str, Callable[[Settings, object, Path], Settings]] = {
    "select": _select,
    "ignore": _ignore,
    "profile": _profiles,
    "severity": _severities,
    "min-severity": _min_severity,
    "checkpoint-compat": _checkpoint_compat,
    "python": _python,
}


TABLES = frozenset({"severity"})
"""The keys whose values are tables themselves."""


def keys() -> frozenset[str]:
    """Under which names a settings file may say something."""
    return frozenset(_READERS)


def unknown_rules(settings: Settings, known: Iterable[str]) -> list[Problem]:
    """A problem for each name in the settings that is no rule, with the likely spelling."""
    rules = set(known)
    written = [(("select", name), name) for name in settings.select or ()] + [
        (("ignore", name), name) for name in settings.ignore
    ]
    written += [(("severity", name), name) for name, _ in settings.severities]
    return [
        Problem(f"no rule is called `{name}`{near(name, rules)}", keys)
        for keys, name in sorted(written)
        if name not in rules
    ]


def near(name: str, known: Iterable[str], otherwise: str = "`nnreuse rule` lists them") -> str:
    """The rest of a message about a name that nothing has."""
    from difflib import get_close_matches  # only for this message

    found = get_close_matches(name, list(known), 1)
    return f"; do you mean `{found[0]}`?" if found else f"; {otherwise}"
