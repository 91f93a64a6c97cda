"""Instances that a name chooses: a warning where a default or a caller asks for the name, else worth a look, and the name is said."""

import pytest
from judging import analysis, said

RULE = "shared-prelu"
NET = """
ACTIVATIONS = {{"relu": nn.ReLU, "prelu": nn.PReLU, "gelu": nn.GELU}}
MAKERS = {{"relu": lambda: nn.ReLU(), "prelu": lambda: nn.PReLU()}}

def make(name):
    name = name.lower()
    if name == "relu":
        return nn.ReLU()
    elif name in ("prelu", "p-relu"):
        return nn.PReLU()
    raise ValueError(name)

class Net(nn.Module):
    def __init__(self, act{default}, flag=False):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(4, 4), nn.Linear(4, 4)
        self.act = {made}

    def forward(self, x):
        return self.act(self.fc2(self.act(self.fc1(x))))
"""
MADE = [
    "make(act)",
    "ACTIVATIONS[act]()",
    "MAKERS[act]()",
    "nn.PReLU() if act == 'prelu' else nn.ReLU()",
    "nn.PReLU() if act.strip() == 'prelu' else nn.Identity()",
]


def severities(made: str, default: str, rest: str = "") -> set[str]:
    return {severity for _, severity in said(RULE, NET.format(made=made, default=default) + rest)}


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("default", ["", "='relu'", "=None"])
def test_one_of_many_that_nobody_asks_for_is_a_hint(made: str, default: str) -> None:
    found = analysis(RULE, NET.format(made=made, default=default)).findings
    assert {one.severity.value for one in found} == {"hint"}
    assert all("prelu'` is asked for" in one.message or "p-relu'` is asked" in one.message for one in found)


@pytest.mark.parametrize("made", MADE)
def test_what_the_default_asks_for_is_a_slip(made: str) -> None:
    assert severities(made, "='prelu'") == {"warning"}


@pytest.mark.parametrize("call", ["Net('prelu')", "Net(act='prelu')", "nn.Sequential(Net('PReLU'))"])
def test_what_a_caller_asks_for_is_a_slip(call: str) -> None:
    assert severities("make(act)", "='relu'", f"\nnet = {call}\n") == {"warning"}


@pytest.mark.parametrize(
    "made", ["nn.PReLU() if flag else nn.ReLU()", "nn.PReLU() if act == 'one' else nn.PReLU(4)", "nn.PReLU()"]
)
def test_a_flag_is_no_name_and_where_every_choice_matters_the_name_does_not(made: str) -> None:
    assert severities(made, "='relu'") == {"warning"}


TABLE = """
ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh, "silu": nn.SiLU, "prelu": nn.PReLU}

def activation_of(name):
    return ACTIVATIONS[name.lower()]()

class Block(nn.Module):
    def __init__(self, d, act):
        super().__init__()
        self.fc, self.act = nn.Linear(d, d), act

    def forward(self, x):
        return self.act(self.fc(x))

class Net(nn.Module):
    def __init__(self, d, activation="relu"):
        super().__init__()
        act = activation_of(activation)
        self.first, self.second = Block(d, act), Block(d, act)
        self.fc1, self.fc2 = nn.Linear(d, d), nn.Linear(d, d)
        self.act = activation_of(activation)

    def forward(self, x):
        x = self.second(self.first(x))
        return self.act(self.fc2(self.act(self.fc1(x))))
"""


@pytest.mark.parametrize("rule", ["shared-prelu", "shared-between-submodules"])
def test_what_one_entry_of_a_table_of_classes_would_make_is_no_warning(rule: str) -> None:
    assert all(severity not in ("warning", "error") for _, severity in said(rule, TABLE))
