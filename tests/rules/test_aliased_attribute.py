"""One instance under two attributes that are both used; the fix constructs a second one where that gives the same thing."""

import pytest
from judging import HEADER, fixed, said

RULE = "aliased-attribute"


def net(init: str, forward: str = "return self.b(self.a(x))") -> str:
    body = init.replace("\n", "\n        ")
    return (
        f"\nclass Net(nn.Module):\n    def __init__(self, dim=4, share=False):\n        super().__init__()\n"
        f"        {body}\n\n    def forward(self, x):\n        {forward}\n"
    )


ALIAS = "self.a = nn.Linear(dim, dim)\nself.b = self.a"


@pytest.mark.parametrize(
    ("init", "marked"),
    [
        (ALIAS, "self.a"),
        ("self.a = self.b = nn.Linear(4, 4)", "self.a = self.b = nn.Linear(4, 4)"),
        ("self.a = nn.Sequential(nn.Linear(4, 4))\nself.b = self.a", "self.a"),
    ],
)
def test_two_names_that_are_both_used_are_worth_a_look(init: str, marked: str) -> None:
    assert said(RULE, net(init)) == [(marked, "information")]


@pytest.mark.parametrize(
    ("init", "forward"),
    [
        (ALIAS, "return self.a(x)"),
        (ALIAS.replace("Linear(dim, dim)", "ReLU()"), "return self.b(self.a(x))"),
        (
            "self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)\nself.b.weight = self.a.weight",
            "return self.b(self.a(x))",
        ),
        ("self.a = nn.Linear(4, 4)\nself.b = unknown(self.a)", "return self.b(self.a(x))"),
        (f"{ALIAS}  # the two are tied", "return self.b(self.a(x))"),
        (
            f"{ALIAS.splitlines()[0]}\nif share:\n    self.b = self.a\nelse:\n    self.b = nn.Linear(4, 4)",
            "return self.b(self.a(x))",
        ),
    ],
)
def test_an_idle_name_a_tie_and_a_sharing_flag_are_silent(init: str, forward: str) -> None:
    assert [severity for _, severity in said(RULE, net(init, forward)) if severity != "hint"] == []


@pytest.mark.parametrize(
    ("init", "result"),
    [
        (ALIAS, "self.a = nn.Linear(dim, dim)\n        self.b = nn.Linear(dim, dim)\n"),
        ("self.a = self.b = nn.Linear(4, 4)", "self.a = nn.Linear(4, 4)\n        self.b = nn.Linear(4, 4)\n"),
        (
            "self.a = nn.Sequential(\n    nn.Linear(4, 4),  # in\n)\nself.b = self.a",
            "self.b = nn.Sequential(\n            nn.Linear(4, 4),  # in\n        )\n",
        ),
    ],
)
def test_the_second_name_gets_an_instance_of_its_own(init: str, result: str) -> None:
    before = net(init)
    after = fixed(RULE, before)
    assert after is not None and result in after
    counts: list[int] = []
    for text in (before, after):
        scope: dict[str, object] = {}
        exec(HEADER + text, scope)
        counts.append(len(list(scope["Net"]().parameters())))  # type: ignore[operator]
    assert counts == [2, 4]


@pytest.mark.parametrize(
    "init",
    [
        "self.a = nn.ModuleList([nn.Linear(4, 4)])\nself.a.append(nn.Linear(4, 4))\nself.b = self.a",
        "self.a = nn.Linear(dim, dim)\ndim = 8\nself.b = self.a",
        "self.a = nn.Linear(dim, dim)\nself.setup()\nself.b = self.a",
        "inner = nn.Linear(4, 4)\nself.a = nn.Sequential(inner)\nself.b = self.a",
        "for _ in range(2):\n    self.a = nn.Linear(4, 4)\nself.b = self.a",
        "self.a = self.b = nn.Linear(4, 4)  # both",
    ],
)
def test_no_fix_where_the_constructor_would_make_something_else(init: str) -> None:
    assert fixed(RULE, net(init)) is None


@pytest.mark.parametrize(
    "init",
    [
        ALIAS + "\nself.b = nn.Linear(dim, dim)",
        ALIAS + "\nself.a = nn.Linear(dim, dim)",
        "self.a = self.b = nn.Linear(dim, dim)\nself.a = nn.Linear(dim, dim)",
    ],
)
def test_a_name_that_is_given_another_instance_later_is_no_alias(init: str) -> None:
    assert said(RULE, net(init)) == []


def test_a_name_that_may_be_given_another_instance_may_be_an_alias() -> None:
    assert said(RULE, net(ALIAS + "\nif share:\n    self.b = nn.Linear(dim, dim)")) == [("self.a", "information")]
