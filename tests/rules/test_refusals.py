"""Flags that raise when they are given together: the calls under them exclude each other."""

import pytest
from judging import said

RULE = "shared-batch-norm"


def block(check: str, first: str = "self.pre", second: str = "self.post", given: str = "pre=False, post=True") -> str:
    body = check.replace("\n", "\n        ")
    return (
        "def refuse(a, b):\n    if a and b:\n        raise ValueError\n\n"
        f"class Block(nn.Module):\n    def __init__(self, d, {given}):\n        super().__init__()\n        {body}\n"
        "        self.pre, self.post = pre, post\n        self.bn = nn.BatchNorm1d(d)\n        self.fc = nn.Linear(d, d)\n\n"
        f"    def forward(self, x):\n        if {first}:\n            x = self.bn(x)\n        x = self.fc(x)\n"
        f"        if {second}:\n            x = self.bn(x)\n        return x\n"
    )


@pytest.mark.parametrize(
    "check",
    [
        "if pre and post:\n    raise ValueError('one of them')",
        "assert not (pre and post)",
        "assert not pre or not post, 'one of them'",
        "if pre:\n    if post:\n        raise NotImplementedError",
        "if pre:\n    assert not post",
        "refuse(pre, post)",
        "assert pre ^ post",
        "assert pre != post",
        "if pre == post:\n    raise ValueError",
        "if (pre and post) or d is None:\n    raise ValueError",
    ],
)
def test_flags_that_raise_together_exclude_each_other(check: str) -> None:
    assert said(RULE, block(check)) == []


@pytest.mark.parametrize(
    ("check", "first", "second"),
    [
        ("assert pre in ('a', 'b')", "self.pre == 'a'", "self.pre != 'a'"),
        ("if pre == 'a' and post:\n    raise ValueError", "self.pre == 'a'", "self.post"),
        ("if pre > 0 and post:\n    raise ValueError", "self.pre > 0", "self.post"),
        ("assert not (pre is None and post is None) and not (pre and post)", "self.pre", "self.post"),
        ("self.a = pre == 'a'; self.b = pre == 'b'", "self.a", "self.b"),
        ("self.off = not pre", "self.pre", "self.off"),
    ],
)
def test_tests_of_all_sorts_are_told_apart(check: str, first: str, second: str) -> None:
    assert said(RULE, block(check, first, second, "pre, post")) == []


def test_what_forward_refuses_counts_in_forward() -> None:
    body = (
        "class Block(nn.Module):\n    def __init__(self, d):\n        super().__init__()\n"
        "        self.bn = nn.BatchNorm1d(d)\n        self.fc = nn.Linear(d, d)\n\n"
        "    def forward(self, x=None, y=None):\n        if (x is None) == (y is None):\n            raise ValueError\n"
        "        if x is not None:\n            x = self.bn(x)\n        x = self.fc(x)\n"
        "        if y is not None:\n            x = self.bn(x)\n        return x\n"
    )
    assert said(RULE, body) == []


@pytest.mark.parametrize(
    ("check", "given"),
    [
        ("pass", "pre=False, post=True"),
        ("if not pre and not post:\n    raise ValueError", "pre=False, post=True"),
        ("try:\n    refuse(pre, post)\nexcept ValueError:\n    pass", "pre=False, post=True"),
        ("for _ in range(d):\n    refuse(pre, post)", "pre=False, post=True"),
        ("assert pre != post", "pre, post"),
    ],
)
def test_flags_that_may_hold_together_are_still_told(check: str, given: str) -> None:
    assert [severity for _, severity in said(RULE, block(check, given=given))] == ["information"]


def test_a_choice_that_is_complete_makes_the_second_call_certain() -> None:
    check = "if pre not in ('a', 'b'):\n    raise ValueError"
    body = block(check, "self.pre == 'a'", "True", "pre, post").replace(
        "        x = self.fc(x)", "        elif self.pre == 'b':\n            x = self.bn(x)\n        x = self.fc(x)"
    )
    assert "warning" in {severity for _, severity in said(RULE, body)}


def test_definitions_under_such_flags_do_not_overwrite_each_other() -> None:
    body = block("refuse(pre, post)\nif pre:\n    self.net = nn.Linear(d, d)\nif post:\n    self.net = nn.Linear(d, 2)")
    assert said("overwritten-module", body) == []
