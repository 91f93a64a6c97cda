"""Blocks that are told at each call what to do, as RevIN is: normalise first, undo it last."""

import pytest
from judging import said

NET = """
class Reversible(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))

    def forward(self, x, mode="norm", again=False):
        return x * self.weight if mode == "norm" else x / self.weight

class Net(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.layer = Reversible(d)
        self.fc = nn.Linear(d, d)

    def forward(self, x):
        x = self.layer(x{first})
        x = self.fc(x)
        return self.layer(x{second})
"""


@pytest.mark.parametrize(
    ("first", "second", "severity"),
    [
        (', "norm"', ', "denorm"', "hint"),
        (', mode="norm"', ', mode="denorm"', "hint"),
        (', "norm"', ', "norm"', "warning"),
        ("", "", "warning"),
        ("", ', "denorm"', "warning"),
    ],
)
def test_a_block_that_is_told_what_to_do_is_meant_to_be_called_again(first: str, second: str, severity: str) -> None:
    found = said("shared-parameters", NET.format(first=first, second=second))
    assert [loud for _, loud in found] == [severity]
