"""Environment: the interpreter whose packages the code imports, and the folders where these stand.

The folders are read off the file system: `pyvenv.cfg`, the usual places, `.pth` files, editable installs. An interpreter
whose layout does not tell is asked, isolated, and only where the user has named it or trusts the workspace.
"""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which

_SECONDS = 10
_NAMES = ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe")
_VERSION = re.compile(r"3\.\d+")
_PRINT_PATH = "import json, sys; print(json.dumps(sys.path))"


class NoInterpreter(Exception):
    """What was given as an interpreter is none. The message says which."""


@dataclass(frozen=True, slots=True)
class Environment:
    """`search_path`: the folders of installed packages, in order. `may_run`: whether the interpreter may be started."""

    interpreter: Path
    search_path: tuple[Path, ...]
    may_run: bool

    @property
    def torch(self) -> tuple[str, Path] | None:
        """The version of the torch that is installed, and its folder, without importing it."""
        for folder in self.search_path:
            version = _torch_version(folder / "torch" / "version.py")
            if version is not None:
                return version, folder / "torch"
        return None


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python interpreter. `may_run`: the user has named it or trusts who did, so it may be started."""

    path: Path
    may_run: bool


def environment(folder: Path, python: Path | None = None, trusted: bool = False) -> Environment:
    """The environment of the code in a folder; see `find_interpreter`. Raises NoInterpreter where `python` is none."""
    return environment_of(find_interpreter(folder, python, trusted))


def find_interpreter(
    folder: Path, python: Path | None = None, trusted: bool = False, variables: Mapping[str, str] = os.environ
) -> Interpreter:
    """`python` where given, else that of `VIRTUAL_ENV`, of the nearest `.venv` or `venv` upwards, or the one that runs us.

    `trusted` False: what a workspace can name (`python` in its settings, its `.venv`) may not be started. Raises
    NoInterpreter where `python` is none.
    """
    if python is not None:
        return Interpreter(_executable(python), trusted)
    active = variables.get("VIRTUAL_ENV")
    if active and (found := interpreter_in(Path(active))):
        return Interpreter(found, True)
    for parent in [folder, *folder.parents]:
        for name in (".venv", "venv"):
            if found := interpreter_in(parent / name):
                return Interpreter(found, trusted)
    return Interpreter(Path(sys.executable), True)


def environment_of(interpreter: Interpreter) -> Environment:
    """What is installed for an interpreter. Read anew each time: packages come and go."""
    path = Path(os.path.abspath(interpreter.path))
    sites = _sites(path)
    if not sites and interpreter.may_run:
        sites = [folder for folder in _ask(path) if folder.name in ("site-packages", "dist-packages")]
    return Environment(path, tuple(_linked(sites)), interpreter.may_run)


def interpreter_in(folder: Path) -> Path | None:
    """The interpreter of a virtual environment, or of another installation that has a folder of its own."""
    return next((folder / name for name in _NAMES if (folder / name).is_file()), None)


def _executable(python: Path) -> Path:
    """The interpreter a user means: its path, its folder, or a name to be looked up as a shell does."""
    found = interpreter_in(python) if python.is_dir() else python if python.is_file() else None
    if found is None and len(python.parts) == 1:
        looked_up = which(str(python))
        found = Path(looked_up) if looked_up else None
    if found is None:
        raise NoInterpreter(f"{python}: there is no such Python interpreter")
    return found


def _sites(interpreter: Path) -> list[Path]:
    """The folders of packages that the place of an interpreter implies; none where it does not tell."""
    for folder in (interpreter.parent, interpreter.parent.parent):
        if (folder / "pyvenv.cfg").is_file():
            return _sites_of_virtual(folder)
    real = interpreter.resolve()
    version = _VERSION.search(real.name)
    prefix = real.parent if real.name == "python.exe" else real.parent.parent
    return _below(prefix, version[0] if version else None)


def _sites_of_virtual(folder: Path) -> list[Path]:
    written = dict(_assignments(_text(folder / "pyvenv.cfg")))
    version = _VERSION.match(written.get("version", written.get("version_info", "")))
    sites = _below(folder, version[0] if version else None)
    if written.get("include-system-site-packages", "").lower() == "true" and "home" in written:
        base = interpreter_in(Path(written["home"]).parent)
        sites += _sites(base) if base and base.parent.parent != folder else []
    return sites


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, found, value = line.partition("=")
        if found:
            yield name.strip().lower(), value.strip()


def _below(prefix: Path, version: str | None) -> list[Path]:
    """Where a prefix keeps packages: CPython's places on each system, and Debian's."""
    versions = [f"python{version}"] if version else sorted({path.name for path in prefix.glob("lib/python3.*")})
    if len(versions) > 1:
        return []
    named = [Path(lib, name, "site-packages") for name in versions for lib in ("lib", "lib64")]
    debian = [Path("local", "lib", name, "dist-packages") for name in versions] + [Path("lib/python3/dist-packages")]
    found: dict[Path, Path] = {}
    for place in [Path("Lib/site-packages"), *named, *debian]:
        if (prefix / place).is_dir():
            found.setdefault((prefix / place).resolve(), prefix / place)  # lib64 is often lib
    return list(found.values())


def _ask(interpreter: Path) -> list[Path]:
    """The interpreter's own search path: isolated, so that nothing in the current folder or the variables is run."""
    command = [str(interpreter), "-I", "-c", _PRINT_PATH]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS, check=True)
        return [Path(entry) for entry in json.loads(done.stdout) if entry]
    except (OSError, subprocess.SubprocessError, ValueError):
        return []


def _linked(sites: list[Path]) -> Iterator[Path]:
    """The folders, each followed by those its `.pth` files add."""
    seen: set[Path] = set()
    for site in sites:
        for folder in [site, *(added for pth in sorted(site.glob("*.pth")) for added in _added(site, pth))]:
            if folder not in seen and folder.is_dir():
                seen.add(folder)
                yield folder


def _added(site: Path, pth: Path) -> Iterator[Path]:
    for line in _text(pth).splitlines():
        line = line.strip()
        if line.startswith(("import ", "import\t")):
            yield from _editable(site, line)
        elif line and not line.startswith("#"):
            yield Path(os.path.normpath(site / line))


def _editable(site: Path, line: str) -> Iterator[Path]:
    """An editable install by import hook: setuptools writes `MAPPING = {package: folder}` into the module it imports."""
    name = re.match(r"import\s+(__editable__\w+)", line)
    try:
        tree = ast.parse(_text(site / f"{name[1]}.py")) if name else None
    except (SyntaxError, ValueError):
        return
    for node in tree.body if tree else []:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(node, ast.AnnAssign) and isinstance(target, ast.Name) and target.id == "MAPPING" and node.value:
            yield from _roots(node.value)


def _roots(mapping: ast.expr) -> Iterator[Path]:
    """The folders from which the packages of a mapping are found under their names."""
    pairs = zip(mapping.keys, mapping.values, strict=True) if isinstance(mapping, ast.Dict) else ()
    for key, value in pairs:
        if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
            package, folder = str(key.value).split("."), Path(str(value.value).removesuffix(".py"))
            if folder.parts[-len(package) :] == tuple(package):
                yield folder.parents[len(package) - 1]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ""


def _torch_version(file: Path) -> str | None:
    found = re.search(r"^__version__\s*=\s*['\"]([^'\"]+)", _text(file), re.MULTILINE)
    return found[1] if found else None
