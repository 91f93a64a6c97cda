"""A trace as text: what a person needs to see why its facts are what they are."""

from pathlib import Path

from nnreuse.config.settings import Settings
from nnreuse.workspace.project import Project

_MODEL = """\
import torch.nn as nn
class Net(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Linear(2, 2)
        self.bn = nn.BatchNorm1d(2)
        self.seq = nn.Sequential(nn.ReLU())
        self.idle = nn.ReLU()
    def _norm(self, x):
        return self.bn(x)
    def forward(self, x):
        for _ in range(2):
            x = self.a(x)
        x = self._norm(x)
        if self.flag:
            return self.seq(x)
        return self._norm(self._norm(x))
"""


def explained(text: str, name: str = "Net") -> list[str]:
    project = Project(Settings())
    project.admit(Path("model.py"), text)
    lines = project.explain(Path("model.py"), name)
    assert lines is not None
    return lines


def test_each_call_has_its_line_its_lineage_and_the_pass_it_belongs_to():
    text = "\n".join(explained(_MODEL))
    assert "#1 a: line 14, self.a(...)\n         its input depends on no earlier call" in text
    assert "pass 2 of the loop in line 13" in text
    assert "#3 bn: line 11, self.bn(...) in _norm\n       its input depends on #1, #2" in text


def test_members_of_a_sequential_are_indented_below_its_call_and_name_its_branch():
    lines = explained(_MODEL)
    at = next(n for n, line in enumerate(lines) if " seq: " in line)
    assert lines[at + 2].strip() == "where self.flag is true"
    assert lines[at + 3].startswith("      #5 seq.*: line 17")


def test_calls_of_one_instance_say_how_they_relate():
    lines = [line.strip() for line in explained(_MODEL)]
    assert "the same instance as #1, chained to it" in lines
    assert "unless an earlier branch has left" in lines


def test_what_is_held_is_listed_with_what_it_carries_and_how_often_it_is_called():
    lines = [line.strip() for line in explained(_MODEL)]
    bn = "bn  torch.nn.modules.batchnorm.BatchNorm1d: parameters and running statistics"
    assert f"{bn}; called several times, chained, on some paths" in lines
    assert "idle  torch.nn.modules.activation.ReLU: carries nothing; called never" in lines


def test_what_was_not_followed_is_said():
    text = _MODEL.replace("x = self._norm(x)", "x = somewhere(self, x)")
    assert explained(text)[1].strip().startswith("not everything was followed")


def test_a_class_that_is_not_there_is_none():
    project = Project(Settings())
    project.admit(Path("model.py"), _MODEL)
    assert project.explain(Path("model.py"), "Other") is None
    assert project.explain(Path("other.py"), "Net") is None
