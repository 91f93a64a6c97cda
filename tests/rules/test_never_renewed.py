"""Lists that a loop goes on filling and adds in every pass: each position holds what those before it hold."""

import pytest
from judging import HEADER, fixed, said

RULE = "repeated-instance"


def net(init: str) -> str:
    body = init.replace("\n", "\n        ")
    return (
        "\nclass Net(nn.Module):\n    def __init__(self, dims, depth):\n        super().__init__()\n"
        f"        self.stages = nn.ModuleList()\n        {body}\n\n"
        "    def forward(self, x):\n        for stage in self.stages:\n            x = stage(x)\n        return x\n"
    )


FILLED = "part = []\nfor d in dims:\n    part.append(nn.Linear(d, d))\n"
INNER = "for d in dims:\n    for _ in range(depth):\n        {fill}\n    self.stages.append({added})"


@pytest.mark.parametrize(
    "init, marked",
    [
        (f"part = nn.ModuleList()\n{INNER.format(fill='part.append(nn.Linear(d, d))', added='part')}", "part"),
        (f"self.part = nn.ModuleList()\n{INNER.format(fill='self.part.append(nn.Linear(d, d))', added='self.part')}", "self.part"),
        (f"part = []\n{INNER.format(fill='part.append(nn.Linear(d, d))', added='nn.Sequential(*part)')}", "nn.Sequential(*part)"),
        (f"part = []\n{INNER.format(fill='part += [nn.Linear(d, d)]', added='nn.ModuleList(part)')}", "nn.ModuleList(part)"),
        (f"{FILLED}    self.stages.append(nn.Sequential(*part))", "nn.Sequential(*part)"),
    ],
)  # fmt: skip
def test_what_is_never_renewed_is_a_slip(init: str, marked: str) -> None:
    assert said(RULE, net(init)) == [(marked, "warning")]


@pytest.mark.parametrize(
    "init",
    [
        "for d in dims:\n    part = []\n    for _ in d:\n        part += [nn.Linear(d, d)]\n    self.stages.append(nn.Sequential(*part))",
        f"{FILLED}    self.stages.append(nn.Sequential(*part))\n    part = []",
        f"{FILLED}    self.stages.append(nn.Sequential(*part))\n    part.clear()",
        f"{FILLED}    if d:\n        self.stages.append(nn.Sequential(*part))\n        part = []",
        "part = []\nfor d in dims:\n    part.append(nn.ReLU())\n    self.stages.append(nn.Sequential(*part))",
        f"{FILLED}self.stages.append(nn.Sequential(*part))",
        f"{FILLED}    self.stages.append(copy.deepcopy(nn.Sequential(*part)))",
    ],
)  # fmt: skip
def test_what_is_renewed_or_carries_nothing_is_silent(init: str) -> None:
    assert said(RULE, "import copy\n" + net(init)) == []


def test_a_comment_that_says_so_makes_it_no_warning() -> None:
    init = f"{FILLED}    self.stages.append(nn.Sequential(*part))  # prefixes, weights are shared"
    assert [how for _, how in said(RULE, net(init))] == ["hint"]


def test_it_is_made_anew_in_every_pass() -> None:
    init = f"part = []\n{INNER.format(fill='part.append(nn.Linear(d, d))', added='nn.Sequential(*part)')}"
    after = fixed(RULE, net(init))
    assert after is not None
    scope: dict[str, object] = {}
    exec(HEADER + after, scope)
    assert [len(stage) for stage in scope["Net"]((2, 2, 2), 2).stages] == [2, 2, 2]  # type: ignore[operator]


def test_a_list_that_is_used_after_the_loop_is_left_where_it_is() -> None:
    init = f"part = []\n{INNER.format(fill='part.append(nn.Linear(d, d))', added='nn.Sequential(*part)')}\nself.count = len(part)"
    assert fixed(RULE, net(init)) is None
