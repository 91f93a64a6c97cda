"""From the PATHs on the command line to the files to look at, each with the settings in force where it stands."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import click

from nnreuse.cli.engine import Target
from nnreuse.config.settings import Settings
from nnreuse.config.toml import SettingsError, nearest, read, unknown_rules
from nnreuse.workspace.environment import NoInterpreter, find_interpreter
from nnreuse.workspace.files import FileProblem, discover
from nnreuse.workspace.notebook_file import SUFFIX

Change = Callable[[Settings], Settings]


def targets(paths: Iterable[str], stdin_filename: str | None, change: Change) -> tuple[list[Target], list[FileProblem]]:
    """The files the paths stand for, each once, and the paths that cannot be read. `change` is what options do."""
    in_force = SettingsByFolder(change)
    problems: list[FileProblem] = []
    found: dict[str, Target] = {}
    for path in paths:
        if path == "-":
            name = Path(stdin_filename or "-")
            found.setdefault("-", Target(name, in_force[name], sys.stdin.buffer.read()))
            continue
        for file in _files(Path(path), problems.append):
            key = os.path.abspath(file)
            if key not in found:
                found[key] = Target(file, in_force[file])
    return list(found.values()), problems


class SettingsByFolder:
    """The settings in force for a file: of the nearest settings file, what the options change, and the interpreter found."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._of_folder: dict[str, Settings] = {}
        self._of_file: dict[Path | None, Settings] = {}

    def __getitem__(self, file: Path) -> Settings:
        folder = os.path.dirname(os.path.abspath(file))
        if folder not in self._of_folder:
            self._of_folder[folder] = self._read(Path(folder))
        return self._of_folder[folder]

    def _read(self, folder: Path) -> Settings:
        try:
            origin = nearest(folder)
            if origin not in self._of_file:
                settings = read(origin) if origin else Settings()
                refuse_unknown_rules(settings, f"{origin}: ")
                self._of_file[origin] = self._change(settings)
            settings = self._of_file[origin]
            python = find_interpreter(folder, settings.python, settings.python_may_run)
            return replace(settings, python=python.path, python_may_run=python.may_run)
        except (SettingsError, NoInterpreter) as error:
            raise click.UsageError(str(error)) from None


def refuse_unknown_rules(settings: Settings, where: str) -> None:
    """Raises a usage error, with the likely spelling, where the settings name what is no rule."""
    if not settings.rules_named():
        return
    from nnreuse.rules.registry import names  # imports every rule

    for problem in unknown_rules(settings, names()):
        raise click.UsageError(f"{where}{problem.message}")


def _files(path: Path, on_problem: Callable[[FileProblem], None]) -> Iterator[Path]:
    if path.is_dir():
        yield from discover(path, on_problem, (".py", SUFFIX))
    elif not os.path.lexists(path):
        on_problem(FileProblem(path, "no such file or folder"))
    else:
        yield path
