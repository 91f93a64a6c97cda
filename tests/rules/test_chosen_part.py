"""An own block whose activation a name chooses: what is said of it is what the default, or the name that is given, makes."""

import pytest
from judging import said

BLOCKS = {
    "if/elif": (
        "        if kind == 'relu':\n            self.f = nn.ReLU()\n"
        "        elif kind == 'prelu':\n            self.f = nn.PReLU()\n"
    ),
    "a table of instances": "        self.f = {'relu': nn.ReLU(), 'prelu': nn.PReLU(), 'elu': nn.ELU()}[kind]\n",
    "a table of classes": "        self.f = TABLE[kind]()\n",
    "an expression": "        self.f = nn.PReLU() if kind == 'prelu' else nn.ReLU()\n",
    "a helper": "        self.f = helper(kind)\n",
    "inside a Sequential": "        self.f = nn.Sequential(helper(kind), nn.Dropout(0.1))\n",
}
TABLE = "TABLE = {'relu': nn.ReLU, 'prelu': nn.PReLU, 'tanh': nn.Tanh}\n\n"
HELPER = (
    "def helper(kind):\n    if kind == 'relu':\n        return nn.ReLU()\n    elif kind == 'prelu':\n        return nn.PReLU()\n"
    "    raise ValueError(kind)\n\n"
)


def net(block: str, given: str, parameter: str = "") -> str:
    return (
        f"{TABLE}{HELPER}class Act(nn.Module):\n    def __init__(self, kind='relu'):\n        super().__init__()\n{BLOCKS[block]}\n"
        "    def forward(self, x):\n        return self.f(x)\n\n"
        f"class Net(nn.Module):\n    def __init__(self, d{parameter}):\n        super().__init__()\n        self.act = Act({given})\n"
        "        self.a = nn.Linear(d, d)\n        self.b = nn.Linear(d, d)\n\n"
        "    def forward(self, x):\n        return self.act(self.b(self.act(self.a(x))))\n"
    )


@pytest.mark.parametrize("block", BLOCKS)
def test_the_default_decides(block: str) -> None:
    assert said("shared-parameters", net(block, "", "")) == []
    assert said("shared-parameters", net(block, "act", ", act='relu'")) == []
    assert said("shared-parameters", net(block, "act", ", act='prelu'")) == [("self.act", "warning")]
    assert said("shared-parameters", net(block, "'prelu'")) == [("self.act", "warning")]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_name_that_nobody_knows_is_no_warning(block: str) -> None:
    assert said("shared-parameters", net(block, "act", ", act")) == [("self.act", "hint")]


def test_a_block_that_holds_more_is_told_as_before() -> None:
    body = net("if/elif", "act", ", act='relu'").replace(
        "        super().__init__()\n        if",
        "        super().__init__()\n        self.scale = nn.Linear(4, 4)\n        if",
    )
    assert said("shared-parameters", body) == [("self.act", "warning")]


@pytest.mark.parametrize(("parameter", "loud"), [("act", False), ("act='relu'", False), ("act='prelu'", True)])
def test_positions_of_a_list_are_judged_alike(parameter: str, loud: bool) -> None:
    body = (
        net("if/elif", "''").partition("class Net")[0]
        + f"class Net(nn.Module):\n    def __init__(self, d, n, {parameter}):\n        super().__init__()\n        act = Act(act)\n"
        "        layers = []\n        for _ in range(n):\n            layers += [nn.Linear(d, d), act]\n"
        "        self.layers = nn.Sequential(*layers)\n\n    def forward(self, x):\n        return self.layers(x)\n"
    )
    assert said("repeated-instance", body) == ([("act", "warning")] if loud else [])
