"""Twins of one configuration: made side by side under a flag, one called twice and the other not there."""

import pytest
from judging import fixed, said

RULE = "unused-twin"


def two(
    made: str, called: str, otherwise: str, other: str = "self.a = nn.Linear(2, 2)\nself.b = nn.Linear(2, 2)"
) -> str:
    def block(text: str) -> str:
        return text.replace("\n", "\n            ")

    return (
        "\nclass Two(nn.Module):\n    def __init__(self, kind='x'):\n        super().__init__()\n        self.kind = kind\n"
        f"        if kind == 'x':\n            {block(made)}\n        else:\n            {block(other)}\n\n"
        "    def forward(self, x, y):\n        if self.kind == 'x':\n"
        f"            {block(called)}\n        else:\n            {block(otherwise)}\n"
    )


MADE = "self.a = nn.Linear(2, 2)\nself.b = nn.Linear(2, 2)"
TWICE, EACH = "return self.a(x) + self.a(y)", "return self.a(x) + self.b(y)"


@pytest.mark.parametrize(
    "text",
    [
        two(MADE, TWICE, EACH),
        two(MADE, "x = self.a(x)\ny = self.a(y)\nreturn x - y", "return self.b(self.a(x))"),
        two("self.a = nn.GRU(2, 2)\nself.b = nn.GRU(2, 2)", TWICE, EACH),
    ],
)
def test_the_twin_that_is_idle_where_both_are_made(text: str) -> None:
    assert said(RULE, text) == [("self.a", "warning")]


@pytest.mark.parametrize(
    "text",
    [
        two(MADE, EACH, EACH),
        two("self.a = nn.Linear(2, 2)", TWICE, EACH),
        two("self.a = nn.Linear(2, 2)\nself.b = nn.Linear(2, 3)", TWICE, EACH),
        two(MADE, "return self.a(x) + self.a(y) + self.b.weight", EACH),
        two(MADE, "return self.a(x) + self.a(y) + unknown(self.b, x)", EACH),
        two("self.a = nn.ReLU()\nself.b = nn.ReLU()", TWICE, EACH),
    ],
)
def test_what_is_used_there_or_is_not_equal_is_silent(text: str) -> None:
    assert said(RULE, text) == []


def test_two_ways_to_call_what_is_always_made_are_a_choice() -> None:
    assert (
        said(
            RULE,
            f"""
class Two(nn.Module):
    def __init__(self, share=False):
        super().__init__()
        self.share = share
        self.a = nn.Linear(2, 2)
        self.b = nn.Linear(2, 2)

    def forward(self, x, y):
        if self.share:
            {TWICE}
        {EACH}
""",
        )
        == []
    )


def test_the_idle_one_is_called() -> None:
    assert fixed(RULE, two(MADE, TWICE, EACH)) == two(MADE, EACH, EACH)


def test_an_equal_module_of_another_name_is_no_twin_of_a_configuration() -> None:
    text = """
class Net(nn.Module):
    def __init__(self, d, wide):
        super().__init__()
        self.wide = wide
        self.cross = nn.Linear(d, d)
        self.out_cross = nn.Linear(d, d)

    def forward(self, x, y):
        if self.wide:
            return self.out_cross(x)
        return self.cross(x), self.cross(y)
"""
    assert all(severity == "hint" for _, severity in said("shared-parameters", text))


def test_modules_of_two_domains_that_each_arm_has_of_its_own_are_no_twins() -> None:
    text = """
class Net(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.domain1, self.domain2 = nn.Linear(d, d), nn.Linear(d, d)
        self.fc = nn.Linear(d, d)

    def forward(self, x, label):
        both = self.fc(x)
        if label == "a":
            return self.domain1(x), self.domain1(both)
        return self.domain2(x), self.domain2(both)
"""
    assert all(severity == "hint" for _, severity in said("shared-parameters", text))
