"""A module in a loop becomes a list: how loops and definitions are rewritten, when that is refused, and what torch says of it."""

from typing import Any

import pytest
from fixing import Text, assert_fix, net

from nnreuse.fixes.each_pass import one_for_each_pass
from nnreuse.fixes.writing import Build

HEADER = "import torch\nfrom torch import nn\n\n\n"
CONVS = "super().__init__()\nself.convs = nn.ModuleList([nn.Conv2d(4, 4, 3) for _ in range(n)])\n"
DEFINED = "self.bn = nn.BatchNorm2d(4)"
LISTED = "self.bns = nn.ModuleList([nn.BatchNorm2d(4) for _ in range({})])"


def making(text: Text) -> Build:
    return one_for_each_pass(text.definition("self.bn"), text.calls("self.bn")[0], "bn", "bns")


def module(init: str, forward: str) -> str:
    return HEADER + net(init, forward).replace("__init__(self)", "__init__(self, n=3)")


@pytest.mark.parametrize(
    "before, after, count",
    [
        (
            "for conv in self.convs:\n    x = self.bn(conv(x))  # in turn",
            "for conv, bn in zip(self.convs, self.bns):\n    x = bn(conv(x))  # in turn",
            "len(self.convs)",
        ),
        (
            "for i, conv in enumerate(self.convs):\n    x = self.bn(conv(x))",
            "for i, conv in enumerate(self.convs):\n    x = self.bns[i](conv(x))",
            "len(self.convs)",
        ),
        (
            "for conv, s in zip(self.convs, x):\n    y = self.bn(conv(s))",
            "for conv, s, bn in zip(self.convs, x, self.bns):\n    y = bn(conv(s))",
            "len(self.convs)",
        ),
        (
            "for i in range(len(self.convs)):\n    x = self.bn(self.convs[i](x))",
            "for i in range(len(self.convs)):\n    x = self.bns[i](self.convs[i](x))",
            "len(self.convs)",
        ),
        (
            "for i in range(3):\n    x = self.bn(self.convs[i](x))",
            "for i in range(3):\n    x = self.bns[i](self.convs[i](x))",
            "3",
        ),
    ],
)
def test_each_pass_calls_its_own(before: str, after: str, count: str) -> None:
    expected = module(CONVS + LISTED.format(count), after)
    assert_fix(module(CONVS + DEFINED, before), expected, making)


def test_a_list_that_is_built_later_is_waited_for() -> None:
    loop = "for conv in self.convs:\n    x = self.bn(conv(x))"
    built = "self.convs = nn.ModuleList()\nfor _ in range(n):\n    self.convs.append(nn.Conv2d(4, 4, 3))\n"
    after = "for conv, bn in zip(self.convs, self.bns):\n    x = bn(conv(x))"
    assert_fix(
        module(f"{DEFINED}\n{built}self.n = n", loop),
        module(f"{built}{LISTED.format('len(self.convs)')}\nself.n = n", after),
        making,
    )


@pytest.mark.parametrize(
    "init, forward",
    [
        (CONVS + DEFINED, "for y in x:\n    y = self.bn(y)"),
        (CONVS + DEFINED, "while True:\n    x = self.bn(x)"),
        (CONVS + DEFINED, "for _ in range(2):\n    for conv in self.convs:\n        x = self.bn(conv(x))"),
        (CONVS + DEFINED, "for i in range(3):\n    i = 0\n    x = self.bn(x)"),
        (CONVS + DEFINED, "for i in range(1, 3):\n    x = self.bn(x)"),
        (CONVS + DEFINED, "for conv in self.convs:\n    x = self.bn(conv(x))\nreturn self.bn.weight"),
        (CONVS + "self.bn = make(self.norm)\nself.norm = nn.ReLU()", "for i in range(n):\n    x = self.bn(x)"),
        (CONVS + "self.bn = nn.Dropout(random())", "for conv in self.convs:\n    x = self.bn(conv(x))"),
        (CONVS + DEFINED + "\nself.bns = 1", "for conv in self.convs:\n    x = self.bn(conv(x))"),
        ("p = 1\nself.bn = nn.BatchNorm2d(p)\np = 2\n" + CONVS, "for conv in self.convs:\n    x = self.bn(conv(x))"),
    ],
)
def test_refused(init: str, forward: str) -> None:
    assert_fix(module(init, forward), None, making)


def test_old_checkpoints_load_with_the_hook() -> None:
    torch = pytest.importorskip("torch")
    loop = "for conv in self.convs:\n    x = self.bn(conv(x))\nreturn x"
    text = Text(module(CONVS + DEFINED, loop))
    build = one_for_each_pass(text.definition("self.bn"), text.calls("self.bn")[0], "bn", "bns", checkpoint=True)
    fixed = text.fixed(build)
    assert fixed is not None
    models: list[Any] = []
    for source in (text.text, fixed):
        scope: dict[str, Any] = {"__name__": "built"}
        exec(source, scope)
        models.append(scope["Net"]())
    old, new = models
    x = torch.randn(2, 4, 9, 9)
    old(x)
    new.load_state_dict(old.state_dict(), strict=True)
    assert torch.equal(old.eval()(x), new.eval()(x))
    assert len({bn.weight.data_ptr() for bn in new.bns}) == 3
