"""Which interpreter the code belongs to, and where its packages stand, without starting it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nnreuse.config.settings import Settings
from nnreuse.workspace.environment import (
    Interpreter,
    NoInterpreter,
    environment,
    environment_of,
    find_interpreter,
)
from nnreuse.workspace.project import Project

posix = pytest.mark.skipif(os.name == "nt", reason="the layout and the script are those of POSIX systems")


def virtual(folder: Path, config: str = "version = 3.12.1\n") -> Path:
    """A virtual environment with a folder of packages, whose interpreter leaves a file behind where it is started."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\ntouch "{folder}/started"\necho \'["{folder}/asked/site-packages"]\'\n')
    python.chmod(0o755)
    if config:
        (folder / "pyvenv.cfg").write_text(config)
        site_of(folder).mkdir(parents=True)
    return python


def site_of(folder: Path) -> Path:
    return folder / "lib" / "python3.12" / "site-packages"


def found(folder: Path, python: Path | None = None, **variables: str) -> Path:
    return find_interpreter(folder, python, variables=variables).path


def test_the_setting_goes_before_the_variable_before_the_folder_before_our_own(tmp_path: Path):
    chosen, active, near = (virtual(tmp_path / name) for name in ("chosen", "active", "project/.venv"))
    folder = tmp_path / "project" / "src" / "models"
    folder.mkdir(parents=True)
    assert found(folder, chosen, VIRTUAL_ENV=str(tmp_path / "active")) == chosen
    assert found(folder, VIRTUAL_ENV=str(tmp_path / "active")) == active
    assert found(folder) == near
    assert found(tmp_path) == Path(sys.executable)


def test_an_environment_that_is_gone_is_passed_over(tmp_path: Path):
    assert found(tmp_path, VIRTUAL_ENV=str(tmp_path / "gone")) == Path(sys.executable)


def test_a_folder_or_a_name_stands_for_its_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    python = virtual(tmp_path / "env")
    assert found(tmp_path, tmp_path / "env") == python
    monkeypatch.setenv("PATH", str(python.parent))
    assert found(tmp_path, Path("python")) == python


@pytest.mark.parametrize("given", ["nowhere/python", "no-such-python-at-all", "."])
def test_what_is_no_interpreter_is_refused(tmp_path: Path, given: str):
    with pytest.raises(NoInterpreter, match="no such Python interpreter"):
        find_interpreter(tmp_path, tmp_path / given if "/" in given else Path(given))


def test_only_what_the_user_named_may_be_started(tmp_path: Path):
    python = virtual(tmp_path / ".venv")
    assert not find_interpreter(tmp_path, variables={}).may_run
    assert not find_interpreter(tmp_path, python, variables={}).may_run
    assert find_interpreter(tmp_path, trusted=True, variables={}).may_run
    assert find_interpreter(tmp_path, variables={"VIRTUAL_ENV": str(tmp_path / ".venv")}).may_run


def test_packages_are_found_by_layout_without_starting_anything(tmp_path: Path):
    python = virtual(tmp_path / ".venv")
    assert environment_of(Interpreter(python, True)).search_path == (site_of(tmp_path / ".venv"),)
    assert not (tmp_path / ".venv" / "started").exists()


@posix
def test_an_interpreter_whose_layout_does_not_tell_is_asked_only_where_it_may_run(tmp_path: Path):
    python = virtual(tmp_path / "shims", config="")
    (tmp_path / "shims" / "asked" / "site-packages").mkdir(parents=True)
    assert environment_of(Interpreter(python, False)).search_path == ()
    assert not (tmp_path / "shims" / "started").exists()
    assert environment_of(Interpreter(python, True)).search_path == (tmp_path / "shims" / "asked" / "site-packages",)


def test_links_and_editable_installs_are_followed_and_no_line_is_run(tmp_path: Path):
    python = virtual(tmp_path / "env")
    site = site_of(tmp_path / "env")
    for source in ("plain", "src/hooked", "single"):
        (tmp_path / source).mkdir(parents=True)
    (site / "a.pth").write_text(f"# a comment\n\n{tmp_path / 'plain'}\n{tmp_path / 'gone'}\nimport os; os.abort()\n")
    (site / "b.pth").write_text("import __editable___b_finder; __editable___b_finder.install()\n")
    mapping = {"hooked": str(tmp_path / "src" / "hooked"), "one": str(tmp_path / "single" / "one.py"), "other": "/x/y"}
    (site / "__editable___b_finder.py").write_text(f"MAPPING: dict[str, str] = {mapping!r}\n")
    assert environment_of(Interpreter(python, False)).search_path == (
        site,
        tmp_path / "plain",
        tmp_path / "src",
        tmp_path / "single",
    )


def test_system_packages_come_after_those_of_the_environment_that_includes_them(tmp_path: Path):
    base = virtual(tmp_path / "base")
    config = f"home = {base.parent}\ninclude-system-site-packages = true\nversion = 3.12.1\n"
    python = virtual(tmp_path / "env", config)
    sites = environment_of(Interpreter(python, False)).search_path
    assert sites == (site_of(tmp_path / "env"), site_of(tmp_path / "base"))


def test_our_own_packages_are_where_our_own_interpreter_finds_them():
    asked = subprocess.run(
        [sys.executable, "-c", "import click; print(click.__file__)"], capture_output=True, text=True
    )
    assert any(
        Path(asked.stdout.strip()).is_relative_to(folder)
        for folder in environment_of(Interpreter(Path(sys.executable), False)).search_path
    )


def test_torch_is_found_and_its_version_read_without_importing_it(tmp_path: Path):
    python = virtual(tmp_path / "env")
    torch = site_of(tmp_path / "env") / "torch"
    assert environment(tmp_path, python).torch is None
    torch.mkdir()
    (torch / "version.py").write_text(
        "from typing import Optional\n__all__ = ['__version__']\n__version__ = '9.1.0+cpu'\n"
    )
    assert environment(tmp_path, python).torch == ("9.1.0+cpu", torch)


USER = """
import blocks
from blocks import Renamed, shadow
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.direct, self.renamed, self.deep = blocks.Block(), Renamed(), blocks.inner.deep.Deep()
        self.torch = shadow.Linear(1, 1)

    def forward(self, x):
        return self.direct(x) + self.renamed(x) + self.deep(x) + self.torch(x)
"""
PACKAGE = {
    "__init__.py": "from .inner.deep import Deep as Block\nfrom . import inner\nfrom .inner import *\nimport torch.nn as shadow\n",
    "inner/__init__.py": "from blocks.inner.deep import Other as Renamed\n",
    "inner/deep.py": "from torch import nn\nclass Deep(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.norm = nn.BatchNorm1d(2)\nclass Other(Deep): pass\n",
}


def test_imports_into_installed_packages_are_followed_and_torch_is_the_catalogs(tmp_path: Path):
    python = virtual(tmp_path / "env")
    for name, text in PACKAGE.items():
        file = site_of(tmp_path / "env") / "blocks" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (site_of(tmp_path / "env") / "torch").mkdir()
    (site_of(tmp_path / "env") / "torch" / "__init__.py").write_text("nn = None\n")
    project = Project(Settings(), environment_of(Interpreter(python, False)))
    project.admit(tmp_path / "model.py", USER)
    rows = {row["attribute"]: row for row in project.facts(tmp_path / "model.py")}
    assert {name: row["type"] for name, row in rows.items()} == {
        "direct": "blocks.inner.deep.Deep",
        "renamed": "blocks.inner.deep.Other",
        "deep": "blocks.inner.deep.Deep",
        "torch": "torch.nn.modules.linear.Linear",
    }
    assert rows["renamed"]["running_stats"] is True
    project.admit(tmp_path / "other.py", "import blocks.missing.name\n" + USER)
    assert project.facts(tmp_path / "other.py")
