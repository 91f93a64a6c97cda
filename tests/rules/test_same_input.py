"""Identical inputs are one value: what a method makes of other arguments is another."""

import pytest
from judging import said

NET = """
class Net(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc = nn.Linear(d, d)

    def forward(self, x):
        return self.fc({first}) @ self.fc({second})
"""


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("x", "x", True),
        ("x.mean(dim=2)", "x.mean(dim=2)", True),
        ("x.mean(dim=2)", "x.mean(dim=3)", False),
        ("x.mean(2)", "x.mean(3)", False),
        ("x", "x + 1", False),
    ],
)
def test_arguments_tell_values_apart(first: str, second: str, same: bool) -> None:
    assert bool(said("same-input-twice", NET.format(first=first, second=second))) is same


def test_equal_results_under_a_flag_that_shares_are_a_hint() -> None:
    text = """
    class Net(nn.Module):
        def __init__(self, d, share_thetas=False):
            super().__init__()
            if share_thetas:
                self.back = self.forth = nn.Linear(d, d)
            else:
                self.back, self.forth = nn.Linear(d, d), nn.Linear(d, d)

        def forward(self, x):
            return self.back(x), self.forth(x)
    """
    assert {severity for _, severity in said("same-input-twice", text)} == {"hint"}


LOOP = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(6)])

    def forward(self, x):
        for i, layer in enumerate(self.layers):
            x = {sum}
        return x
"""


def test_two_expressions_that_meet_in_one_pass_only_are_no_slip() -> None:
    assert said("same-input-twice", LOOP.format(sum="self.layers[i // 2](x) + layer(x)")) == []


def test_two_expressions_that_meet_in_every_pass_are_a_slip() -> None:
    found = said("same-input-twice", LOOP.format(sum="layer(x) * self.fc(x) + self.fc(x)"))
    assert found == [("self.fc", "warning")]
