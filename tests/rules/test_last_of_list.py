"""The last entry of a list that a loop fills is another one in each pass."""

import pytest
from judging import said

WRAP = (
    "class Wrap(nn.Module):\n    def __init__(self, m):\n        super().__init__()\n        self.m = m\n\n"
    "    def forward(self, x):\n        return self.m(x)\n\n"
)


def net(init: str) -> str:
    body = init.replace("\n", "\n        ")
    return (
        f"{WRAP}class Net(nn.Module):\n    def __init__(self, n, d, widths):\n        super().__init__()\n        {body}\n"
        "        self.blocks = nn.ModuleList(blocks)\n\n"
        "    def forward(self, x):\n        for block in self.blocks:\n            x = block(x)\n        return x\n"
    )


RULES = ("shared-between-submodules", "repeated-instance", "same-instance-twice")


@pytest.mark.parametrize(
    "init",
    [
        "layers, blocks = [], []\nfor i in range(n):\n    layers.append(nn.Linear(d, d))\n    blocks.append(Wrap(layers[-1]))",
        (
            "self.fcs, blocks = nn.ModuleList(), []\ni = 0\nwhile i < n:\n    self.fcs.append(nn.Linear(d, d))\n"
            "    blocks.append(Wrap(self.fcs[-1]))\n    i += 1"
        ),
        (
            "layers, blocks = [], []\nfor w in widths:\n    layers += [nn.Linear(w, w), nn.BatchNorm1d(w)]\n"
            "    blocks.append(nn.Sequential(layers[-1], nn.ReLU()))"
        ),
        (
            "layers, blocks = [], []\nfor i in range(n):\n    for w in widths:\n        layers.append(nn.Linear(w, w))\n"
            "    blocks.append(Wrap(layers[-1]))"
        ),
        (
            "layers, blocks = [], []\nfor i in range(n):\n    layers.append(nn.Linear(d, d))\n"
            "    blocks.append(Wrap(layers[len(layers) - 1]))"
        ),
        (
            "layers, blocks = [], []\nfor w in widths:\n    if w == d:\n        layers.append(nn.Linear(d, d))\n    else:\n"
            "        layers.append(nn.Linear(w, d))\n    blocks.append(Wrap(layers[-1]))"
        ),
        (
            "blocks = []\nfor i in range(n):\n    blocks.append(nn.ModuleList([nn.Linear(d, d)]))\n    blocks[-1].append(nn.Linear(d, d))\n"
            "    self.add_module(f'tail{i}', blocks[-1])"
        ),
    ],
)
def test_the_last_one_is_another_in_each_pass(init: str) -> None:
    for rule in RULES:
        assert {severity for _, severity in said(rule, net(init))} <= {"information"}
    assert said("repeated-instance", net(init)) == []


def test_the_last_one_of_a_list_that_the_loop_does_not_fill_is_one_for_all() -> None:
    init = "layers, blocks = [], []\nlayers.append(nn.Linear(d, d))\nfor i in range(n):\n    blocks.append(Wrap(layers[-1]))"
    assert said("shared-between-submodules", net(init)) == [("layers[-1]", "warning")]


def test_a_constant_that_picks_from_a_list_is_no_list_of_one() -> None:
    body = (
        "class Net(nn.Module):\n    def __init__(self, n, d):\n        super().__init__()\n        self.fcs = nn.ModuleList()\n"
        "        for _ in range(n):\n            self.fcs.append(nn.Linear(d, d))\n\n"
        "    def forward(self, x, n):\n        for fc in self.fcs:\n            x = fc(x)\n"
        "        for _ in range(n):\n            x = self.fcs[-1](x)\n        return x\n"
    )
    assert {severity for _, severity in said("shared-parameters", body)} <= {"hint"}
