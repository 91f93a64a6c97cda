"""One instance as an argument of several constructors: a slip where they keep it and nothing says that it is meant."""

import pytest
from judging import HEADER, fixed, said

RULE = "shared-between-submodules"
BLOCKS = """
import copy

class Block(nn.Module):
    def __init__(self, act, shared=None):
        super().__init__()
        self.fc, self.act, self.shared = nn.Linear(2, 2), act, shared

    def forward(self, x):
        return self.act(self.fc(x))

class Through(nn.Module):
    def __init__(self, act):
        super().__init__()
        body = [nn.Linear(2, 2)]
        body.append(Block(act))
        self.body = nn.Sequential(*body)

class Copying(Block):
    def __init__(self, act):
        super().__init__(copy.deepcopy(act))

class Using(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.size = act.num_parameters
        self.mix = nn.Linear(2, 2)
"""


def net(init: str) -> str:
    body = init.replace("\n", "\n        ")
    return (
        f"{BLOCKS}\nclass Net(nn.Module):\n    def __init__(self, n=2, share=False):\n        super().__init__()\n"
        f"        {body}\n\n    def forward(self, x):\n        return x\n"
    )


LOOP = "self.blocks = nn.ModuleList([Block(act) for _ in range(n)])"
ACT = "act = nn.PReLU()"


@pytest.mark.parametrize(
    ("init", "severity"),
    [
        (f"{ACT}\n{LOOP}", "warning"),
        (f"{ACT}\nself.blocks = nn.ModuleList()\nfor _ in range(n):\n    self.blocks.append(Block(act))", "warning"),
        (f"{ACT.replace('PReLU()', 'BatchNorm1d(2)')}\nself.a = Block(act)\nself.b = Block(act)", "warning"),
        (f"{ACT}\nself.a = Block(act)\nself.b = Block(act=act)", "warning"),
        (f"{ACT}\nself.a = Through(act)\nself.b = Block(act)", "warning"),
        ("part = Block(nn.Linear(2, 2))\nself.a = Block(part)\nself.b = Block(part)", "hint"),
        ("part = Block(nn.Linear(2, 2))\nself.blocks = nn.ModuleList([Block(part) for _ in range(n)])", "information"),
        (
            "part = Block(nn.Linear(2, 2))\nself.blocks = nn.ModuleList([Block(Block(part)) for _ in range(n)])",
            "warning",
        ),
        (
            "pos = Block(nn.Linear(2, 2))\nself.blocks = nn.ModuleList([Block(Block(pos)) for _ in range(n)])",
            "information",
        ),
        ("self.act = nn.PReLU()\nself.blocks = nn.ModuleList([Block(self.act) for _ in range(n)])", "information"),
        ("act = Using(nn.PReLU(3))\nself.blocks = nn.ModuleList([Block(act) for _ in range(n)])", "information"),
        ("act = nn.Embedding(2, 2)\nself.a = Block(act)\nself.b = Block(act)", "hint"),
    ],
)
def test_an_instance_that_several_keep_is_reported_by_its_evidence(init: str, severity: str) -> None:
    assert [level for _, level in said(RULE, net(init))] == [severity]


@pytest.mark.parametrize(
    "init",
    [
        f"{ACT}\nself.a = Block(act)",
        f"{ACT.replace('PReLU', 'ReLU')}\n{LOOP}",
        f"{ACT}\n{LOOP.replace('Block', 'Copying')}",
        f"{ACT}\n{LOOP.replace('Block', 'Using')}",
        "f = nn.TransformerEncoderLayer(2, 1)\nself.a = nn.TransformerEncoder(f, 2)\nself.b = nn.TransformerEncoder(f, 2)",
        LOOP.replace("act", "nn.PReLU()"),
        f"{ACT}\nif share:\n    self.a = Block(act)\nelse:\n    self.a = Block(act)",
        "self.blocks = nn.ModuleList([Block(nn.ReLU(), unknown) for _ in range(n)])",
    ],
)
def test_copies_and_what_is_not_kept_twice_are_silent(init: str) -> None:
    assert said(RULE, net(init)) == []


@pytest.mark.parametrize(
    "init",
    [
        "act = nn.PReLU()\nself.blocks = nn.ModuleList([Block(nn.ReLU(), shared=act) for _ in range(n)])",
        f"shared_act = nn.PReLU()\n{LOOP.replace('act', 'shared_act')}",
        f"{ACT}  # shared by all blocks\n{LOOP}",
        f"{ACT}\nif share:\n    {LOOP}",
    ],
)
def test_a_name_a_comment_and_a_flag_that_say_so_are_heard(init: str) -> None:
    assert [level for _, level in said(RULE, net(init)) if level == "warning"] == []


@pytest.mark.parametrize("init", [f"{ACT}\n{LOOP}", f"{ACT}\nself.a = Block(act)\nself.b = Block(act)"])
def test_each_gets_one_of_its_own(init: str) -> None:
    before = net(init)
    after = fixed(RULE, before)
    assert after is not None
    counts: list[int] = []
    for text in (before, after):
        scope: dict[str, object] = {}
        exec(HEADER + text, scope)
        counts.append(len(list(scope["Net"]().parameters())))  # type: ignore[operator]
    assert counts == [5, 6]


def test_no_fix_where_something_else_uses_the_instance() -> None:
    assert fixed(RULE, net(f"{ACT}\n{LOOP}\nself.act = act")) is None


def test_an_instance_of_each_pass_of_an_outer_loop_is_reported_once() -> None:
    init = f"for _ in range(3):\n    {ACT}\n    for _ in range(n):\n        self.add_module(str(n), Block(act))"
    assert len(said(RULE, net(init))) == 1


@pytest.mark.parametrize(
    "body",
    [
        "e = nn.Linear(d, d)\nfor i in range(n):\n    if sharing != 'all':\n        e = nn.Linear(d, d)\n    parts.append(Block(e))",
        "e = nn.Linear(d, d)\nfor i in range(n):\n    one = e if share == 'layers' else nn.Linear(d, d)\n    parts.append(Block(one))",
        "e = nn.Linear(d, d)\nfor i in range(n):\n    parts.append(Block(e if tie_weights else nn.Linear(d, d)))",
    ],
)
def test_a_flag_that_decides_what_is_handed_over_speaks_for_a_design(body: str) -> None:
    text = """
class Block(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)

class Net(nn.Module):
    def __init__(self, d, n, sharing, share, tie_weights):
        super().__init__()
        parts = []
BODY
        self.parts = nn.Sequential(*parts)

    def forward(self, x):
        return self.parts(x)
"""
    indented = "\n".join(" " * 8 + line for line in body.splitlines())
    found = said("shared-between-submodules", text.replace("BODY", indented))
    assert all(severity not in ("warning", "error") for _, severity in found)
