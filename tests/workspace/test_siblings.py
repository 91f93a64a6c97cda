"""Imports of a module's neighbours: the file beside the importer, whatever else is read, and in whatever order."""

from itertools import permutations
from pathlib import Path

import pytest

from nnreuse.config.settings import Settings
from nnreuse.workspace.library import neighbours
from nnreuse.workspace.project import Project

BLOCK = """
import torch.nn as nn
class Mix(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
    def forward(self, x):
        return self.norm(x)
"""
PLAIN = BLOCK.replace("nn.BatchNorm1d(4)", "nn.ReLU()")
NET = """
import torch.nn as nn
from modules import Mix
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix, self.fc = Mix(), nn.Linear(4, 4)
    def forward(self, x):
        return self.mix(self.fc(self.mix(x)))
"""


def tree(root: Path, files: dict[str, str]) -> dict[str, Path]:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return {name: root / name for name in files}


def said(paths: list[Path]) -> dict[Path, list[str]]:
    """The rules that speak of each file, read one after the other by one project."""
    project = Project(Settings())
    return {path: [one.rule for one in project.check(path, path.read_text()).findings] for path in paths}


def test_each_file_finds_its_own_neighbour_in_every_order(tmp_path: Path) -> None:
    files = tree(tmp_path, {"aaa/modules.py": PLAIN, "aaa/net.py": NET, "one/modules.py": BLOCK, "one/net.py": NET})
    for order in permutations(files.values()):
        found = said(list(order))
        assert found[files["one/net.py"]] and not found[files["aaa/net.py"]]
    assert said([files["one/net.py"]])[files["one/net.py"]]


def test_a_folder_without_init_finds_what_stands_above(tmp_path: Path) -> None:
    files = tree(tmp_path, {"pyproject.toml": "", "modules.py": BLOCK, "models/net.py": NET, "other/modules.py": PLAIN})
    net = files["models/net.py"]
    assert said([net])[net] == said([files["other/modules.py"], files["modules.py"], net])[net] != []


def test_a_script_in_a_package_finds_what_stands_beside_it_last(tmp_path: Path) -> None:
    package = {"pyproject.toml": "", "pkg/__init__.py": "", "pkg/net.py": NET, "pkg/modules.py": BLOCK}
    net = tree(tmp_path / "a", package)["pkg/net.py"]
    assert said([net])[net]
    net = tree(tmp_path / "b", {**package, "modules.py": PLAIN})["pkg/net.py"]
    assert not said([net])[net]


@pytest.mark.parametrize("mark", [".git", "setup.py", "pyproject.toml"])
def test_nothing_is_looked_for_above_the_top_of_a_project(tmp_path: Path, mark: str) -> None:
    (tmp_path / "top" / "deep").mkdir(parents=True)
    (tmp_path / "top" / "src").mkdir()
    (tmp_path / "top" / mark).touch()
    top = tmp_path / "top"
    assert neighbours(top / "deep").first == (top / "deep", top, top / "src")
