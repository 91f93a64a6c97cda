"""Modules that nothing calls: reported where all that could reach them is seen, and silent wherever that is in doubt."""

import pytest
from judging import fixed, said

RULE = "uncalled-module"


def net(
    init: str = "self.idle = nn.Linear(2, 2)",
    forward: str = "return self.fc(x)",
    rest: str = "",
    base: str = "nn.Module",
) -> str:
    body = init.replace("\n", "\n        ")
    return (
        f"\nclass Net({base}):\n    def __init__(self, deep=True):\n        super().__init__()\n        self.fc = nn.Linear(2, 2)\n"
        f"        {body}\n\n    def forward(self, x):\n        {forward}\n{rest}"
    )


def test_what_nothing_speaks_of_is_worth_a_look() -> None:
    assert said(RULE, net()) == [("self.idle", "information")]


FLAG = "self.deep = deep\nif deep:\n    self.used = nn.Linear(2, 2)\n    self.idle = nn.Linear(2, 2)"


@pytest.mark.parametrize(
    "forward",
    [
        "x = self.fc(x)\n        if self.deep:\n            x = self.used(x)\n        return x",
        "return self.used(self.fc(x)) if self.deep else self.fc(x)",
        "if not self.deep:\n            return self.fc(x)\n        return self.used(x)",
    ],
)
def test_what_only_a_flag_makes_is_worth_a_look_where_its_neighbours_are_called(forward: str) -> None:
    assert said(RULE, net(FLAG, forward)) == [("self.idle", "information")]


def test_what_a_flag_makes_for_others_is_silent() -> None:
    assert said(RULE, net(FLAG)) == []
    assert said(RULE, net(FLAG.replace("if deep", "self.used = nn.Linear(2, 2)\nif deep", 1))) == []


def test_another_class_with_an_attribute_of_that_name_changes_nothing() -> None:
    other = net("self.idle = nn.Linear(2, 2)", "return self.idle(self.fc(x))").replace("Net", "Other")
    assert said(RULE, net(rest=other)) == [("self.idle", "information")]


@pytest.mark.parametrize(
    "text",
    [
        net("self.idle = nn.ReLU()"),
        net("if deep:\n    self.idle = nn.Linear(2, 2)"),
        net(rest="\n    def encode(self, x):\n        return self.idle(x)\n"),
        net(rest="\n    def training_step(self, x):\n        return self.idle(x)\n"),
        net(rest="\nclass Sub(Net):\n    def forward(self, x):\n        return self.idle(x)\n"),
        net(rest="\nclass User(nn.Module):\n    def forward(self, x):\n        return Net().idle(x)\n"),
        net(rest="\nNAMES = ['net.idle.weight']\n"),
        net("self.idle = nn.Linear(2, 2)\nhook = 'idle'"),
        net("self.idle = nn.Linear(2, 2)\nself.fc.weight = self.idle.weight"),
        net("self.idle = nn.Linear(2, 2)\nself.idle.register_forward_hook(print)"),
        net("self.idle = nn.Linear(2, 2)\nunknown(self)"),
        net("self.idle = nn.Linear(2, 2)\ndel self.idle"),
        net(forward="return unknown(self, x)"),
        net(forward="return [m(x) for m in self.children()]"),
        net(forward="return getattr(self, x.name)(self.fc(x))"),
        net(forward="return self._modules[x](self.fc(x))"),
        net(forward="raise NotImplementedError"),
        net(base="unread.Base"),
        net("idle = nn.Linear(2, 2)\nself.idle = idle\nself.more = unknown(idle)"),
        net("self.idle = None\nself.idle = nn.Linear(2, 2)"),
    ],
)
def test_in_doubt_it_is_silent(text: str) -> None:
    assert said(RULE, text) == []


def test_an_idle_twin_is_left_to_the_rule_for_twins() -> None:
    assert said(RULE, net(forward="return self.fc(self.fc(x))")) == []


def test_the_definition_goes_and_nothing_else() -> None:
    assert fixed(RULE, net()) == net().replace("        self.idle = nn.Linear(2, 2)\n", "")
