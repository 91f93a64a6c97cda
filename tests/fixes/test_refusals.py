"""A fix that cannot be proven right says why, in the terms of the code."""

import textwrap
from pathlib import Path

import pytest

from nnreuse.config.settings import Settings
from nnreuse.fixes.fix import unfixed
from nnreuse.workspace.project import Project

TWICE = "return self.bn(self.conv2(self.bn(self.conv1(x))))"
CONVS = "self.conv1, self.conv2 = nn.Conv2d(d, d, 3), nn.Conv2d(d, d, 3)\n"


def reason(init: str, forward: str = TWICE, rest: str = "") -> str | None:
    """Why the first finding of a class has no fix."""
    body, calls = (textwrap.indent(text, " " * 8) for text in (init, forward))
    text = (
        "import torch\nimport torch.nn as nn\n\n\nclass Net(nn.Module):\n"
        f"    def __init__(self, d, n, norm=nn.BatchNorm2d, sizes=()):\n        super().__init__()\n{body}\n\n"
        f"    def forward(self, x):\n{calls}\n{rest}"
    )
    analysis = Project(Settings()).check(Path("model.py"), text)
    found = [one for one in analysis.findings if one.rule not in ("module-default-argument", "uncalled-module")]
    return unfixed(found[0].fixes, analysis.index)


@pytest.mark.parametrize(
    ("init", "said"),
    [
        ("self.bn = nn.BatchNorm2d(next(sizes))", "may do more than construct"),
        ("norm = nn.BatchNorm2d(d)\nself.bn = nn.Sequential(norm)", "which the new instances would still share"),
        (
            "self.bn = nn.BatchNorm2d(d)\nsetattr(self, 'bn', nn.BatchNorm2d(d))",
            "bound in more than one way",
        ),
        ("self.bn = nn.BatchNorm2d(d); n = n + 1", "holds other code as well"),
    ],
)
def test_a_split_that_is_refused_says_why(init: str, said: str) -> None:
    assert said in (reason(CONVS + init) or "")


def test_a_subclass_that_binds_the_attribute_is_named() -> None:
    rest = "\n\nclass Other(Net):\n    def __init__(self, d):\n        super().__init__(d, 1)\n        self.bn = nn.BatchNorm2d(1)\n"
    assert "a subclass binds `self.bn` too" in (reason(CONVS + "self.bn = nn.BatchNorm2d(d)", rest=rest) or "")


def test_a_size_that_only_forward_knows_is_named() -> None:
    assert "`width` is known only when `forward` runs" in (
        reason("self.d = d", "width = x.shape[1]\nreturn nn.Linear(width, 1)(x)") or ""
    )


def test_a_local_with_another_use_is_named() -> None:
    init = "layer = nn.Linear(d, d)\nself.m = nn.ModuleList([layer] * n)\nprint(layer)"
    assert "`layer` is used for something else as well" in (
        reason(init, "for one in self.m:\n    x = one(x)\nreturn x") or ""
    )


def test_where_a_fix_is_offered_nothing_is_said() -> None:
    assert reason(CONVS + "self.bn = nn.BatchNorm2d(d)") is None
