"""Which methods of a class without `forward` are run."""

from pathlib import Path

from traced import HEADER

from nnreuse.config.settings import Settings
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Source
from nnreuse.workspace.project import Project

BASE = """
class Base(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
    def encode(self, x):
        return self.encoder(x)
"""


def entries(tmp_path: Path, cls: str) -> list[str]:
    (tmp_path / "base.py").write_text(HEADER + BASE)
    project, path = Project(Settings()), tmp_path / "model.py"
    file = project.file(path, FileIndex.of(Source(f"{HEADER}from base import Base\n{cls}")))
    return project.traces(file)[-1].entries


def test_what_a_class_without_modules_inherits_whole_from_another_file_is_run_there(tmp_path: Path) -> None:
    assert entries(tmp_path, "class Mine(Base):\n    def step(self, x):\n        return x\n") == ["step"]


def test_inherited_methods_of_a_class_with_modules_are_run(tmp_path: Path) -> None:
    init = "    def __init__(self):\n        super().__init__(None)\n        self.encoder = nn.Linear(2, 2)\n"
    assert entries(tmp_path, f"class Mine(Base):\n{init}") == ["encode"]


def test_a_constructor_of_its_own_may_take_modules(tmp_path: Path) -> None:
    init = "    def __init__(self, encoder):\n        super().__init__(None)\n        self.encoder = encoder\n"
    assert entries(tmp_path, f"class Mine(Base):\n{init}") == ["encode"]
