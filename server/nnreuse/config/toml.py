"""Settings as written in `nnreuse.toml` or under `[tool.nnreuse]` in `pyproject.toml`; the nearest file wins, whole."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

from nnreuse.config.settings import CheckpointCompat, Settings
from nnreuse.config.severity import Severity

Table = Mapping[str, object]

_KEYS = ["checkpoint-compat", "ignore", "min-severity", "python", "select", "severity"]


class SettingsError(Exception):
    """A settings file says something that means nothing. The message names the file and the key."""


def nearest(folder: Path) -> Path | None:
    """The settings file in force for a folder. Raises SettingsError where one on the way cannot be read."""
    for parent in [folder, *folder.parents]:
        own = parent / "nnreuse.toml"
        if own.is_file():
            return own
        project = parent / "pyproject.toml"
        if project.is_file() and _table(project) is not None:
            return project
    return None


def read(file: Path) -> Settings:
    """The settings of one file. Raises SettingsError."""
    return parse(_table(file) or {}, file)


def parse(table: Table, file: Path) -> Settings:
    """The settings of a table. Raises SettingsError.

    A relative `python` starts from the file's folder; a bare name that is not there is looked up as in a shell.
    """
    settings = Settings()
    for key, value in table.items():
        settings = _with(settings, key, value, file)
    return settings


def _table(file: Path) -> Table | None:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file}: {error}") from None
    if file.name == "nnreuse.toml":
        return content
    table: object = cast("Table", content.get("tool", {})).get("nnreuse")
    if table is not None and not isinstance(table, dict):
        raise SettingsError(f"{file}: `tool.nnreuse` must be a table")
    return cast("Table | None", table)


def _with(settings: Settings, key: str, value: object, file: Path) -> Settings:
    where = f"{file}: `{key}`"
    match key:
        case "select":
            return replace(settings, select=_names(value, where))
        case "ignore":
            return replace(settings, ignore=_names(value, where))
        case "severity":
            return replace(settings, severities=_severities(value, where))
        case "min-severity":
            return replace(settings, min_severity=_severity(value, where))
        case "checkpoint-compat":
            if value not in get_args(CheckpointCompat):
                raise SettingsError(f'{where} must be "none" or "hook"')
            return replace(settings, checkpoint_compat=cast("CheckpointCompat", value))
        case "python":
            if not isinstance(value, str):
                raise SettingsError(f"{where} must be the path of an interpreter")
            beside = file.parent / Path(value).expanduser()
            by_name = len(Path(value).parts) == 1 and not beside.exists()
            return replace(settings, python=Path(value) if by_name else beside)
        case _:
            raise SettingsError(f"{file}: unknown key `{key}`; known are {', '.join(_KEYS)}")


def _names(value: object, where: str) -> frozenset[str]:
    if isinstance(value, list):
        names = [name for name in cast("list[object]", value) if isinstance(name, str)]
        if len(names) == len(cast("list[object]", value)):
            return frozenset(names)
    raise SettingsError(f"{where} must be a list of rule names")


def _severities(value: object, where: str) -> frozenset[tuple[str, Severity]]:
    if not isinstance(value, dict):
        raise SettingsError(f"{where} must be a table of rule names and severities")
    return frozenset(
        (rule, _severity(level, f"{where}.{rule}")) for rule, level in cast("dict[str, object]", value).items()
    )


def _severity(value: object, where: str) -> Severity:
    try:
        return Severity(value)
    except ValueError:
        raise SettingsError(f"{where} must be one of {', '.join(level.value for level in Severity)}") from None
