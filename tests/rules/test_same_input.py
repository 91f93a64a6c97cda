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


def net(made: str, body: str) -> str:
    text = body.replace("\n", "\n        ")
    return (
        f"class Net(nn.Module):\n    def __init__(self, d):\n        super().__init__()\n        self.fc = {made}\n"
        "        self.head = nn.Linear(d, 2)\n        self.tail = nn.Linear(d, 2)\n\n"
        f"    def forward(self, x):\n        {text}\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        "a = self.head(self.fc(x))\nb = self.fc(x)\nreturn a, b",
        "top = self.fc(x).max(-1)[0]\nmean = self.fc(x).mean(-1)\nreturn top + mean",
        "logits = self.fc(x)\nprobs = torch.softmax(self.fc(x), -1)\nreturn logits, probs",
        "y = self.head(self.fc(x))\nloss = (self.fc(x) - x).pow(2).mean()\nreturn y, loss",
        "return {'logits': self.fc(x), 'probs': self.fc(x).softmax(-1)}",
    ],
)
def test_a_result_that_is_computed_again_and_used_otherwise_is_no_warning(body: str) -> None:
    for made in ("nn.Linear(d, d)", "nn.Embedding(d, d)"):
        assert "warning" not in {severity for _, severity in said("same-input-twice", net(made, body))}


@pytest.mark.parametrize(
    "body",
    [
        "q = self.fc(x)\nk = self.fc(x)\nreturn q @ k.transpose(1, 2)",
        "q = self.fc(x).view(2, 2, -1).transpose(1, 2)\nk = self.fc(x).reshape(2, 2, -1)\nreturn q @ k",
        "scale = torch.tanh(self.fc(x))\nshift = torch.tanh(self.fc(x))\nreturn scale * x + shift",
        "return self.fc(x), self.fc(x)",
    ],
)
def test_results_that_were_to_differ_are_a_slip(body: str) -> None:
    assert [severity for _, severity in said("same-input-twice", net("nn.Linear(d, d)", body))] == ["warning"]


def test_running_statistics_that_move_twice_are_a_slip() -> None:
    body = "a = self.head(self.fc(x))\nb = self.tail(self.fc(x))\nreturn a, b"
    block = "nn.Sequential(nn.Linear(d, d), nn.BatchNorm1d(d))"
    assert [severity for _, severity in said("same-input-twice", net(block, body))] == ["warning"]
