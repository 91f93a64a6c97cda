"""Shapes met in public projects, in our own code: slips are warnings, designs are not."""

import textwrap
from pathlib import Path

import pytest

from nnreuse.config.settings import Settings
from nnreuse.workspace.project import Project


def model(init: str, forward: str, head: str = "") -> str:
    init, forward = (textwrap.indent(textwrap.dedent(text).strip(), " " * 8) for text in (init, forward))
    return f"""import torch
import torch.nn as nn
{textwrap.dedent(head)}
class Net(nn.Module):
    def __init__(self, d, n, share_head=False):
        super().__init__()
{init}

    def forward(self, x, y):
{forward}
"""


def loud(text: str) -> set[str]:
    analysis = Project(Settings()).check(Path("model.py"), text)
    assert analysis.error is None
    return {finding.rule for finding in analysis.findings if finding.severity.value in ("warning", "error")}


CONVS = "self.conv1, self.conv2 = nn.Conv2d(d, d, 3), nn.Conv2d(d, d, 3)\n"
BLOCK = """
class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc = nn.Linear(d, d)

    def forward(self, x):
        return self.fc(x)

"""
SLIPS = {
    "one batch norm for two convolutions": (
        model(CONVS + "self.bn = nn.BatchNorm2d(d)", "x = self.bn(self.conv1(x))\nreturn self.bn(self.conv2(x))"),
        "shared-batch-norm",
    ),
    "one batch norm for convolutions of each level": (
        model(
            "self.convs = nn.ModuleList([nn.Conv2d(d, d, 3) for _ in range(n)])\nself.bn = nn.BatchNorm2d(d)",
            "return [self.bn(conv(f)) for conv, f in zip(self.convs, x)]",
        ),
        "shared-batch-norm",
    ),
    "blocks multiplied": (
        model("self.m = nn.Sequential(*[Block(d)] * n)", "return self.m(x)", BLOCK),
        "repeated-instance",
    ),
    "layers of two kinds multiplied": (
        model("self.m = nn.Sequential(*[nn.Linear(d, d), nn.ReLU()] * 10)", "return self.m(x)"),
        "repeated-instance",
    ),
    "one PReLU through a bottleneck": (
        model(CONVS + "self.act = nn.PReLU()", "x = self.act(self.conv1(x))\nreturn self.act(self.conv2(x))"),
        "shared-prelu",
    ),
    "a linear that runs again on its own result": (
        model("self.fc = nn.Linear(d, d)", "x = torch.relu(self.fc(x))\nreturn self.fc(x)"),
        "shared-parameters",
    ),
    "the twin left idle": (
        model(
            CONVS + "self.norm1 = nn.BatchNorm2d(d)\nself.norm2 = nn.BatchNorm2d(d)",
            "x = self.norm1(self.conv1(x))\nreturn self.norm1(self.conv2(x))",
        ),
        "unused-twin",
    ),
}
DESIGNS = {
    "a head called for every level": model("self.conv = nn.Conv2d(d, d, 3)", "return [self.conv(f) for f in x]"),
    "an update block that refines": model(
        "self.update = nn.GRUCell(d, d)", "h = x\nfor _ in range(n):\n    h = self.update(y, h)\nreturn h"
    ),
    "convolutions shared and norms per level": model(
        "self.conv = nn.Conv2d(d, d, 3)\nself.bns = nn.ModuleList([nn.BatchNorm2d(d) for _ in range(n)])",
        "return [bn(self.conv(f)) for bn, f in zip(self.bns, x)]",
    ).replace("self.conv = nn.Conv2d(d, d, 3)", "self.conv = nn.Conv2d(d, d, 3)  # shared by all levels"),
    "one layer applied n times": model(
        "self.layer = Block(d)", "for _ in range(12):\n    x = self.layer(x)\nreturn x", BLOCK
    ),
    "one embedding held by encoder and decoder": model(
        "self.shared = nn.Embedding(9, d)\nself.encoder = Part(self.shared)\nself.decoder = Part(self.shared)",
        "return self.encoder(x) + self.decoder(y)",
        """
        class Part(nn.Module):
            def __init__(self, embed):
                super().__init__()
                self.embed = embed

            def forward(self, x):
                return self.embed(x)

        """,
    ),
    "a named head multiplied under a flag": model(
        "head = nn.Linear(d, d)\nif share_head:\n    self.m = nn.ModuleList([head] * n)\n"
        "else:\n    self.m = nn.ModuleList([nn.Linear(d, d) for _ in range(n)])",
        "return [m(x) for m in self.m]",
    ),
    "a siamese encoder": model("self.encoder = Block(d)", "return self.encoder(x) - self.encoder(y)", BLOCK),
    "one dropout": model(
        "self.drop = nn.Dropout(0.5)\nself.a, self.b = nn.Linear(d, d), nn.Linear(d, d)",
        "return self.drop(self.b(self.drop(self.a(x))))",
    ),
    "one norm whose result feeds both branches": model(
        "self.norm = nn.LayerNorm(d)\nself.a, self.b = nn.Linear(d, d), nn.Linear(d, d)",
        "h = self.norm(x)\nreturn x + self.a(h) + self.b(h)",
    ),
    "gradient gating": model(
        "self.conv = nn.Linear(d, d)", "for _ in range(n):\n    x = torch.tanh(self.conv(x))\nreturn x"
    ),
}


@pytest.mark.parametrize("case", SLIPS)
def test_slips_are_warnings(case: str) -> None:
    text, rule = SLIPS[case]
    assert rule in loud(text)


@pytest.mark.parametrize("case", DESIGNS)
def test_designs_are_left_alone(case: str) -> None:
    assert loud(DESIGNS[case]) == set()
