"""Configuration: the settings in force for each file, from the client, the files on disk and the buffers that hold newer ones.

Never raises: what means nothing is kept as a problem of its file, and the rest holds. A settings file that is no TOML
at the moment, since somebody is typing it, keeps what it said last.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from nnreuse.config import toml
from nnreuse.config.settings import Settings
from nnreuse.config.toml import NoToml, Problem, Reading, Table
from nnreuse.rules import registry
from nnreuse.workspace.environment import NoInterpreter, find_interpreter

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a client says of the analysis: for everything, and for single workspace folders; and whether it trusts them."""

    everywhere: Table
    folders: Mapping[Path, Table]
    trusted: bool = False


class Configuration:
    """Answers which settings hold for a file; what was read stays read until `reread`."""

    def __init__(self, client: ClientSettings | None = None) -> None:
        self._client = client or ClientSettings({}, {})
        self._buffers: dict[Path, str] = {}
        self._last_good: dict[Path, Table | None] = {}
        self._tables: dict[Path, Table | None] = {}
        self._folders: dict[Path, Settings] = {}
        self._problems: dict[Path, tuple[Problem, ...]] = {}
        self._broken: dict[Path, Problem] = {}
        """Why a file says nothing: what it said last holds."""

    @property
    def trusted(self) -> bool:
        return self._client.trusted

    def __getitem__(self, file: Path) -> Settings:
        folder = Path(os.path.abspath(file)).parent
        if folder not in self._folders:
            self._folders[folder] = self._of_folder(folder)
        return self._folders[folder]

    def set_client(self, client: ClientSettings) -> None:
        """What the client says from now on."""
        self._client = client
        self._folders.clear()

    def set_buffer(self, file: Path, text: str | None) -> None:
        """The text of a settings file that is open; None once the file on disk holds again."""
        if text is None:
            self._buffers.pop(file, None)
        else:
            self._buffers[file] = text
        self.reread()

    def reread(self) -> None:
        """Forgets what was read: files have changed."""
        self._tables.clear()
        self._folders.clear()
        self._problems.clear()
        self._broken.clear()

    def problems(self, file: Path) -> tuple[Problem, ...]:
        """What of a settings file means nothing, each with the line where it stands."""
        said = self._table(file)
        found = self._problems.get(file, ())
        if file in self._broken:  # what else is wrong is known of an older text
            found = (self._broken[file],)
        elif said is not None:
            reading = self._reading(said, file.parent)
            found += reading.problems
        return tuple(replace(one, line=self._line(file, one)) for one in found)

    def text(self, file: Path) -> str:
        """The newest text of a settings file. Raises OSError and ValueError."""
        return self._buffers[file] if file in self._buffers else file.read_text(encoding="utf-8")

    def client_problems(self) -> list[Problem]:
        """What of the client's settings means nothing."""
        tables = [self._client.everywhere, *self._client.folders.values()]
        found = [problem for said in tables for problem in self._reading(said, Path()).problems]
        for folder, said in (self._client.folders or {Path.home(): {}}).items():  # a path in them starts at the folder
            wanted = toml.parse(said, folder, toml.parse(self._client.everywhere, folder).settings).settings
            try:
                find_interpreter(folder, wanted.python, self.trusted)
            except NoInterpreter as error:
                found.append(Problem(str(error), ("python",)))
        return list(dict.fromkeys(found))

    def files(self) -> list[Path]:
        """The settings files that have been looked for and found, those that cannot be read among them."""
        return sorted(file for file, said in self._tables.items() if said is not None or file in self._broken)

    def _of_folder(self, folder: Path) -> Settings:
        base = toml.parse(self._client.everywhere, self._root(folder)).settings
        for root in sorted(self._client.folders, key=lambda each: len(each.parts)):
            if folder.is_relative_to(root):
                base = toml.parse(self._client.folders[root], root, base).settings
        file = self._nearest(folder)
        if file is not None:
            base = toml.parse(self._table(file) or {}, file.parent, base).settings
        return self._with_interpreter(base, folder, file)

    def _with_interpreter(self, settings: Settings, folder: Path, file: Path | None) -> Settings:
        """The settings with the interpreter found; where the one they name does not exist, the one found without it."""
        try:
            python = find_interpreter(folder, settings.python, self.trusted)
        except NoInterpreter as error:
            log.warning("%s", error)
            if file is not None and "python" in (self._table(file) or {}):
                self._add_problem(file, Problem(str(error), ("python",)))
            python = find_interpreter(folder, None, self.trusted)
        return replace(settings, python=python.path, python_may_run=python.may_run)

    def _root(self, folder: Path) -> Path:
        """The workspace folder a folder is in: relative paths in the client's settings start there."""
        inside = [root for root in self._client.folders if folder.is_relative_to(root)]
        return max(inside, key=lambda root: len(root.parts), default=folder)

    def _nearest(self, folder: Path) -> Path | None:
        for parent in [folder, *folder.parents]:
            for file in (parent / name for name in toml.FILES):
                if self._table(file) is not None:
                    return file
        return None

    def _table(self, file: Path) -> Table | None:
        if file not in self._tables:
            self._tables[file] = self._read(file)
        return self._tables[file]

    def _read(self, file: Path) -> Table | None:
        if file not in self._buffers and not file.is_file():
            self._last_good.pop(file, None)  # what comes under its name is another file
            return None
        try:
            self._last_good[file] = toml.table(file, self.text)
        except NoToml as error:
            self._broken[file] = error.problem
        return self._last_good.get(file)

    def _add_problem(self, file: Path, problem: Problem) -> None:
        known = self._problems.get(file, ())
        if problem not in known:
            self._problems[file] = (*known, problem)

    def _reading(self, said: Table, folder: Path) -> Reading:
        reading = toml.parse(said, folder)
        return replace(reading, problems=(*reading.problems, *toml.unknown_rules(reading.settings, registry.names())))

    def _line(self, file: Path, problem: Problem) -> int:
        if problem.line is not None:
            return problem.line
        try:
            return toml.line_of(self.text(file), problem.keys, file.name == "pyproject.toml")
        except (OSError, ValueError):
            return 0
