"""Modules that a function of the file makes each time forward calls it; a function that may keep what it made is silent."""

import pytest
from judging import said

RULE = "module-created-in-forward"


def net(helper: str, forward: str = "return self.out(helper(x, self.dim))", init: str = "pass") -> str:
    return (
        f"\nCACHE = {{}}\n\n{helper}\n\nclass Net(nn.Module):\n    def __init__(self, dim):\n        super().__init__()\n"
        f"        self.dim = dim\n        self.out = nn.Linear(dim, 1)\n        {init}\n\n    def forward(self, x):\n        {forward}\n"
    )


MAKES = "def helper(x, dim):\n    layer = nn.Linear(dim, dim)\n    return layer(x)"


@pytest.mark.parametrize(
    "helper, marked",
    [
        (MAKES, "nn.Linear(dim, dim)"),
        ("def helper(x, dim):\n    return nn.Sequential(nn.Linear(dim, dim))(x)", "nn.Sequential(nn.Linear(dim, dim))"),
        ("def helper(x, dim):\n    if x.dim() == 3:\n        x = nn.BatchNorm1d(dim).to(x.device)(x)\n    return x", "nn.BatchNorm1d(dim)"),
        ("def inner(dim):\n    return nn.GRU(dim, dim)\n\ndef helper(x, dim):\n    return inner(dim)(nn.ReLU()(x))", "nn.GRU(dim, dim)"),
        (("class Block(nn.Module):\n    def __init__(self, d):\n        super().__init__()\n        self.fc = nn.Linear(d, d)\n\n"
         "    def forward(self, x):\n        return self.fc(x)\n\ndef helper(x, dim):\n    return Block(dim)(x)"), "Block(dim)"),
    ],
)  # fmt: skip
def test_what_a_function_makes_in_each_call_of_forward(helper: str, marked: str) -> None:
    assert said(RULE, net(helper)) == [(marked, "warning")]


@pytest.mark.parametrize(
    "text",
    [
        net("def helper(x, dim):\n    if dim not in CACHE:\n        CACHE[dim] = nn.Linear(dim, dim)\n    return CACHE[dim](x)"),
        net("def helper(x, dim):\n    return CACHE.setdefault(dim, nn.Linear(dim, dim))(x)"),
        net("LAYER = None\n\ndef helper(x, dim):\n    global LAYER\n    LAYER = LAYER or nn.Linear(dim, dim)\n    return LAYER(x)"),
        net("@lru_cache\ndef made(dim):\n    return nn.Linear(dim, dim)\n\ndef helper(x, dim):\n    return made(dim)(x)"),
        net("def helper(x, dim):\n    return nn.ReLU()(x)"),
        net("def helper(x, dim):\n    return nn.functional.relu(x)"),
        net("def helper(dim):\n    return nn.Linear(dim, dim)", "return self.layer(x)", "self.layer = helper(dim)"),
        net("def helper(owner, dim):\n    owner.layer = nn.Linear(dim, dim)", "helper(self, 3)\n        return self.out(x)"),
    ],
)  # fmt: skip
def test_what_a_function_may_keep_or_what_carries_nothing_is_silent(text: str) -> None:
    assert [one for one in said(RULE, text) if one[1] == "warning"] == []


def test_it_is_found_once_for_all_classes_that_call_it() -> None:
    other = net(MAKES).partition("class Net")[2].replace("(nn.Module)", "class Other(nn.Module)", 1)
    assert said(RULE, net(MAKES) + "\n" + other) == [("nn.Linear(dim, dim)", "warning")]


def test_what_forward_keeps_at_its_first_call_is_no_warning() -> None:
    forward = "if self.layer is None:\n            self.layer = helper(self.dim)\n        return self.layer(x)"
    found = said(RULE, net("def helper(dim):\n    return nn.Linear(dim, dim)", forward, "self.layer = None"))
    assert [how for _, how in found] == ["information"]
