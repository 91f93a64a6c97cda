"""A fix is not offered where another file of the project stands in its way, and the finding says which."""

from pathlib import Path

import pytest

from nnreuse.config.settings import Settings
from nnreuse.workspace import files, mentions
from nnreuse.workspace.neighbours import edits_of, refusal
from nnreuse.workspace.project import Project

MODEL = """import torch.nn as nn


class Net(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.conv1 = nn.Conv2d(d, d, 3)
        self.conv2 = nn.Conv2d(d, d, 3)
        self.bn = nn.BatchNorm2d(d)

    def forward(self, x):
        return self.bn(self.conv2(self.bn(self.conv1(x))))
"""
HEIR = "from {base} import Net\n\n\nclass Own(Net):\n    def __init__(self, d):\n        super().__init__(d)\n        {line}\n"


def offered(folder: Path, model: str = MODEL, **others: str) -> tuple[list[str], str | None]:
    """The titles of the fixes of the model, beside these files, and why there is none."""
    package = folder / "pkg"
    package.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text("")
    (package / "__init__.py").write_text("from pkg.model import Net\n")
    for name, text in others.items():
        (folder / f"{name}.py").write_text(text)
    path = package / "model.py"
    path.write_text(model)
    analysis = Project(Settings()).check(path, model)
    fixes = analysis.findings[0].fixes
    titles = [fix.title for fix in fixes if edits_of(fix, analysis.index, path)]
    return titles, refusal(fixes, analysis.index, path)


ALL = [
    "Split `self.bn` into `bn`, `bn2`",
    "Split `self.bn` into `bn1`, `bn2`",
    "Split `self.bn` into `bn`, `bn2`, loading old checkpoints",
]


def test_a_project_that_does_not_speak_of_it_is_no_obstacle(tmp_path: Path) -> None:
    heir = HEIR.format(base="pkg.model", line="self.other = nn.ReLU()")
    assert offered(tmp_path, heir=heir, apart="class Own:\n    bn2 = 1\n") == (ALL, None)


@pytest.mark.parametrize("base", ["pkg.model", "pkg", ".pkg.model"])
@pytest.mark.parametrize("line", ["self.bn2 = nn.ReLU()", "self.bn = nn.Identity()", "self.x = self.bn2"])
def test_a_subclass_elsewhere_that_binds_or_uses_a_name_refuses_the_split(tmp_path: Path, base: str, line: str) -> None:
    titles, reason = offered(tmp_path, heir=HEIR.format(base=base, line=line))
    assert titles == []
    assert reason is not None and reason.startswith("`Own` in heir.py has a `self.bn")


def test_a_subclass_of_a_subclass_counts(tmp_path: Path) -> None:
    first = HEIR.format(base="pkg", line="pass")
    second = "import first\n\n\nclass Last(first.Own):\n    def bn2(self):\n        return 1\n"
    assert offered(tmp_path, first=first, second=second) == ([], "`Last` in second.py has a `self.bn2` of its own")


def test_a_subclass_of_a_subclass_in_its_file_or_in_the_models_counts(tmp_path: Path) -> None:
    last = "\n\nclass Last(Own):\n    def bn2(self):\n        return 1\n"
    heir = HEIR.format(base="pkg", line="pass") + last
    assert offered(tmp_path, heir=heir) == ([], "`Last` in heir.py has a `self.bn2` of its own")
    model, heir = MODEL + "\n\nclass Own(Net):\n    pass\n", "from pkg.model import Own\n" + last
    assert offered(tmp_path / "other", model, heir=heir) == ([], "`Last` in heir.py has a `self.bn2` of its own")


@pytest.mark.parametrize("line", ["print(make().bn.weight)", "KEYS = ['backbone.bn.weight']", "getattr(x, 'bn')"])
def test_code_elsewhere_that_reads_the_attribute_refuses_its_new_name_alone(tmp_path: Path, line: str) -> None:
    assert offered(tmp_path, train=line) == ([ALL[0], ALL[2]], None)


def test_a_class_of_the_same_name_elsewhere_is_another_one(tmp_path: Path) -> None:
    apart = "class Net:\n    pass\n\n\nclass Own(Net):\n    def f(self):\n        self.bn2 = 1\n"
    assert offered(tmp_path, apart=apart) == (ALL, None)


def test_what_changes_on_disk_is_seen_at_the_next_look_and_nothing_else_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, read = [0.0], list[str]()
    monkeypatch.setattr(mentions, "monotonic", lambda: now[0])
    monkeypatch.setattr(mentions, "read_quietly", lambda path: read.append(path.name) or files.read_quietly(path))
    assert offered(tmp_path, heir="", apart="") == (ALL, None)
    heir = HEIR.format(base="pkg", line="self.bn2 = nn.ReLU()")
    (tmp_path / "heir.py").write_text(heir)
    read.clear()
    now[0] += mentions.KEPT
    titles, reason = offered(tmp_path)
    assert (titles, reason) == ([], "`Own` in heir.py has a `self.bn2` of its own")
    assert "heir.py" in read and "apart.py" not in read
    (tmp_path / "heir.py").unlink()
    now[0] += mentions.KEPT
    assert offered(tmp_path) == (ALL, None)


def test_a_folder_of_too_many_files_is_not_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heir = HEIR.format(base="pkg", line="self.bn2 = nn.ReLU()")
    monkeypatch.setattr(mentions, "MAX_FILES", 2)
    assert offered(tmp_path, heir=heir) == (ALL, None)


def test_a_text_without_a_file_has_no_neighbours() -> None:
    analysis = Project(Settings()).check(Path("untitled.py"), MODEL)
    assert edits_of(analysis.findings[0].fixes[0], analysis.index, None)
