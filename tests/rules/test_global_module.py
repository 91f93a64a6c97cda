"""Modules made at module level: found where a class takes them, alone or from a registry; copies are left alone."""

import pytest
from judging import HEADER, fixed, said

RULE = "global-module"


def net(before: str, init: str, forward: str = "return self.act(x)") -> str:
    return (
        f"\n{before}\n\nclass Net(nn.Module):\n    def __init__(self, name='p'):\n        super().__init__()\n"
        f"        {init}\n\n    def forward(self, x):\n        {forward}\n"
    )


REGISTRY = "ACTS = {'r': nn.ReLU(), 'p': nn.PReLU(), 's': nn.SiLU()}"


@pytest.mark.parametrize(
    ("before", "init", "marked"),
    [
        ("ACT = nn.PReLU()", "self.act = ACT", "ACT"),
        ("ACT: nn.Module = nn.PReLU()", "self.act = nn.Sequential(nn.Linear(2, 2), ACT)", "ACT"),
        (REGISTRY, "self.act = ACTS[name]", "ACTS[name]"),
        (REGISTRY, "self.act = ACTS['p']", "ACTS['p']"),
        (REGISTRY, "self.act = ACTS.get(name)", "ACTS.get(name)"),
        (REGISTRY, "self.acts = nn.ModuleDict(ACTS)", "ACTS"),
    ],
)
def test_what_a_class_takes_from_module_level_is_found(before: str, init: str, marked: str) -> None:
    assert said(RULE, net(before, init)) == [(marked, "warning")]


def test_what_forward_calls_without_keeping_it_is_found() -> None:
    assert said(RULE, net("ACT = nn.PReLU()", "pass", "return ACT(x)")) == [("ACT", "warning")]


@pytest.mark.parametrize(
    ("before", "init"),
    [
        ("ACT = nn.ReLU()", "self.act = ACT"),
        ("ACT = nn.PReLU", "self.act = ACT()"),
        ("import copy\nACT = nn.PReLU()", "self.act = copy.deepcopy(ACT)"),
        (f"import copy\n{REGISTRY}", "self.act = copy.deepcopy(ACTS[name])"),
        ("ACTS = {'r': nn.ReLU(), 's': nn.SiLU()}", "self.act = ACTS[name]"),
        ("ACTS = {'r': nn.ReLU, 'p': nn.PReLU}", "self.act = ACTS[name]()"),
        ("ACT = nn.PReLU()", "ACT = nn.PReLU(); self.act = ACT"),
        ("def make():\n    return nn.PReLU()", "self.act = make()"),
    ],
)
def test_what_is_made_for_each_object_or_carries_nothing_is_silent(before: str, init: str) -> None:
    assert said(RULE, net(before, init)) == []


def test_a_comment_that_says_so_makes_it_worth_a_look_only() -> None:
    text = net("ACT = nn.PReLU()", "self.act = ACT  # shared by all models")
    assert said(RULE, text) == [("ACT", "information")]


def test_a_lone_instance_is_made_where_it_was_taken() -> None:
    after = fixed(RULE, net("ACT = nn.PReLU(8)", "self.act = ACT"))
    assert after is not None and "ACT = nn.PReLU(8)\n" in after and "self.act = nn.PReLU(8)\n" in after


@pytest.mark.parametrize(
    ("before", "init", "forward"),
    [
        (REGISTRY, "self.act = ACTS[name]", "return self.act(x)"),
        (REGISTRY.replace("ACTS", "_ACTS"), "self.act = _ACTS[name]", "return self.act(x), list(_ACTS)"),
        (REGISTRY.replace("ACTS", "_ACTS"), "self.act = _ACTS.get(name)", "return self.act(x)"),
        ("n = 8\nACT = nn.PReLU(n)", "n = 9; self.act = ACT", "return self.act(x)"),
        ("LINEAR = nn.Linear(1, 1)\nACT = nn.Sequential(LINEAR)", "self.act = ACT", "return self.act(x)"),
    ],
)
def test_the_fix_is_refused_where_others_may_rely_on_the_name(before: str, init: str, forward: str) -> None:
    assert fixed(RULE, net(before, init, forward)) is None


def test_torch_agrees_that_each_object_has_its_own_afterwards() -> None:
    before = net(REGISTRY.replace("ACTS", "_ACTS"), "self.act = _ACTS[name]")
    after = fixed(RULE, before)
    assert after is not None
    for text, same in ((before, True), (after, False)):
        scope: dict[str, object] = {}
        exec(HEADER + text, scope)
        first, second = scope["Net"](), scope["Net"]()  # type: ignore[operator]
        assert (first.act is second.act) is same
        assert list(first.state_dict()) == ["act.weight"]


TABLES = "MORE = {'p': nn.PReLU(), 's': nn.SiLU()}\nBASE = {'r': nn.ReLU()}\n"


@pytest.mark.parametrize(
    ("before", "taken"),
    [
        (f"{TABLES}ACTS = {{**BASE, **MORE}}", "ACTS[name]"),
        (f"{TABLES}ACTS = BASE | MORE", "ACTS[name]"),
        (f"{TABLES}BASE = {{**BASE, **MORE}}", "BASE[name]"),
        (f"{TABLES}BASE.update(MORE)", "BASE[name]"),
        (
            "ACTS = {}\ndef put(key, value):\n    ACTS[key] = value\nput('p', nn.PReLU())\nput('r', nn.ReLU())",
            "ACTS[name]",
        ),
        (f"{TABLES}def get(name):\n    return MORE[name]", "get(name)"),
        ("import functools\n@functools.lru_cache(None)\ndef get(name):\n    return nn.PReLU()", "get(name)"),
        (
            "from functools import cache\n@cache\ndef get(name):\n    return nn.PReLU() if name else nn.ReLU()",
            "get(name)",
        ),
    ],
)
def test_a_table_that_is_merged_or_filled_and_a_getter_give_one_instance_to_all(before: str, taken: str) -> None:
    assert said(RULE, net(before, f"self.act = {taken}")) == [(taken, "warning")]
    assert said(RULE, net(before.replace("PReLU", "Tanh"), f"self.act = {taken}")) == []
    assert said(RULE, net(f"import copy\n{before}", f"self.act = copy.deepcopy({taken})")) == []


@pytest.mark.parametrize(
    "before",
    [
        "ACTS = {'p': nn.PReLU, 'r': nn.ReLU}\ndef get(name):\n    return ACTS[name]()",
        "import copy\nACTS = {'p': nn.PReLU(), 'r': nn.ReLU()}\ndef get(name):\n    return copy.deepcopy(ACTS[name])",
        "def get(name):\n    return {'p': nn.PReLU(), 'r': nn.ReLU()}[name]",
    ],
)
def test_a_getter_that_makes_a_fresh_one_is_silent(before: str) -> None:
    assert said(RULE, net(before, "self.act = get(name)")) == []


@pytest.mark.parametrize(("body", "severity"), [("return made.eval()", "information"), ("return made", "warning")])
def test_a_trained_module_that_a_cache_gives_to_all_is_worth_a_look_only(body: str, severity: str) -> None:
    text = f"""
from functools import cache

@cache
def teacher(size):
    made = nn.Linear(size, size)
    {body}

class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.teacher = teacher(size)

    def forward(self, x):
        return self.teacher(x)
"""
    assert [loud for _, loud in said("global-module", text)] == [severity]


NAMED = [
    "ACTS = {'relu': nn.ReLU(), 'tanh': nn.Tanh(), 'prelu': nn.PReLU()}\n",
    "ACTS = nn.ModuleDict([['relu', nn.ReLU()], ['tanh', nn.Tanh()], ['prelu', nn.PReLU()]])\n",
    "ACTS = {}\ndef register(name, one):\n    ACTS[name] = one\nregister('relu', nn.ReLU())\nregister('prelu', nn.PReLU())\n",
    "ACTS = {'relu': nn.ReLU()}\nACTS['prelu'] = nn.PReLU()\n",
]
ASKS = (
    "\nclass Net(nn.Module):\n    def __init__(self, act={default}):\n        super().__init__()\n        self.act = ACTS[act]\n\n"
    "    def forward(self, x):\n        return self.act(x)\n"
)


@pytest.mark.parametrize("table", NAMED)
def test_an_entry_that_nobody_asks_for_is_no_warning(table: str) -> None:
    assert {severity for _, severity in said("global-module", table + ASKS.format(default="'relu'"))} <= {"information"}


@pytest.mark.parametrize("table", NAMED)
def test_an_entry_that_the_default_asks_for_is_a_warning(table: str) -> None:
    assert {severity for _, severity in said("global-module", table + ASKS.format(default="'prelu'"))} == {"warning"}


@pytest.mark.parametrize("table", NAMED)
def test_an_entry_that_a_caller_asks_for_is_a_warning(table: str) -> None:
    text = table + ASKS.format(default="'relu'") + "\nnet = Net('prelu')\n"
    assert {severity for _, severity in said("global-module", text)} == {"warning"}
