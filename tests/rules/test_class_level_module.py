"""Modules made in a class body: found though nothing reads them; moved where only `self.act` speaks of them."""

import pytest
from judging import HEADER, fixed, said

RULE = "class-level-module"


def net(body: str, init: str = "super().__init__()", forward: str = "return self.act(x)", rest: str = "") -> str:
    return (
        f"\nclass Net(nn.Module):\n    {body}\n\n    def __init__(self, dim=8):\n        {init}\n\n"
        f"    def forward(self, x):\n        {forward}\n{rest}"
    )


@pytest.mark.parametrize(
    ("body", "marked"),
    [
        ("act = nn.PReLU()", "nn.PReLU()"),
        ("act: nn.Module = nn.BatchNorm1d(8)", "nn.BatchNorm1d(8)"),
        ("acts = [nn.PReLU(), nn.ReLU()]", "[nn.PReLU(), nn.ReLU()]"),
        ("acts = {'p': nn.PReLU(), 'r': nn.ReLU()}", "{'p': nn.PReLU(), 'r': nn.ReLU()}"),
    ],
)
def test_what_carries_something_is_found(body: str, marked: str) -> None:
    assert said(RULE, net(body)) == [(marked, "warning")]


@pytest.mark.parametrize(
    "body",
    ["act = nn.ReLU()", "act = nn.PReLU", "acts = {'p': nn.PReLU}", "def act(self, x, f=lambda: nn.PReLU()): f()"],
)
def test_what_carries_nothing_or_makes_nothing_is_silent(body: str) -> None:
    assert said(RULE, net(body)) == []


def test_the_statement_moves_with_its_comment_and_annotation() -> None:
    after = fixed(RULE, net("act: nn.Module = nn.PReLU(\n        8\n    )  # per channel"))
    assert after is not None
    assert "class Net(nn.Module):\n    def __init__" in after
    assert "__init__()\n        self.act: nn.Module = nn.PReLU(\n            8\n        )  # per channel\n" in after


@pytest.mark.parametrize(
    "text",
    [
        net("act = nn.PReLU()", rest="\nNet.act = None\n"),
        net("act = nn.PReLU()", rest="\nclass Sub(Net):\n    act = nn.ReLU()\n    def f(self): return self.act\n"),
        net("act = nn.PReLU()\n    other = act"),
        net("act = nn.PReLU()", forward="return getattr(self, 'act')(x)"),
        net("act = nn.PReLU()", init="super().__init__()\n        self.act = nn.ReLU()"),
        net("n = 8\n    act = nn.PReLU(n)"),
        net("act = nn.PReLU(dim)"),
        net("act = nn.PReLU()", init="nn.Module.__init__(self)"),
    ],
)
def test_the_fix_is_refused_where_others_speak_of_it_or_it_would_mean_something_else(text: str) -> None:
    assert fixed(RULE, text) is None


def test_torch_registers_it_only_afterwards() -> None:
    before = net("act = nn.PReLU()")
    after = fixed(RULE, before)
    assert after is not None
    for text, names in ((before, []), (after, ["act.weight"])):
        scope: dict[str, object] = {}
        exec(HEADER + text, scope)
        first, second = scope["Net"](), scope["Net"]()  # type: ignore[operator]
        assert [name for name, _ in first.named_parameters()] == names
        assert (first.act is second.act) is (not names)
