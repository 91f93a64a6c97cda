"""Plain containers that hide modules on purpose are no warnings; those that only look like them are."""

import pytest
from judging import fixed, said

RULE = "unregistered-module"

NET = """
import itertools

def load(path):
    part = nn.Linear(4, 4)
    part.load_state_dict(torch.load(path))
    return part

def frozen(path):
    part = nn.Linear(4, 4)
    part.eval()
    return part

class Greedy(nn.Linear):
    def __init__(self):
        super().__init__(4, 4)
        self.opt = torch.optim.SGD(self.parameters(), lr=0.1)

class Net(nn.Module):
    def __init__(self, n=2, paths=()):
        super().__init__()
        self.main = nn.Linear(4, 4)
        {init}

    def forward(self, x):
        return [part(x) for part in self.parts]
"""

PARTS = "self.parts = [nn.Linear(4, 4) for _ in range(n)]"


def loud(init: str, method: str = "") -> list[str]:
    return [severity for _, severity in said(RULE, NET.format(init=init.replace("\n", "\n        ")) + method)]


@pytest.mark.parametrize(
    "init",
    [
        "self.parts = [load(path).eval() for path in paths]",
        "self.parts = [frozen(path) for path in paths]",
        PARTS + "\nfor part in self.parts:\n    part.eval()",
        "self.parts = []\nfor path in paths:\n    part = load(path)\n    part.requires_grad_(False).eval()\n    self.parts.append(part)",
        "self.parts = [nn.BatchNorm1d(n, affine=False) for _ in range(n)]",
        "self.parts = [Greedy() for _ in range(n)]",
    ],
)
def test_what_is_not_trained_here_is_worth_a_look(init: str) -> None:
    assert set(loud(init)) <= {"information"}


@pytest.mark.parametrize(
    "method",
    [
        "\n    def parameters(self, recurse=True):\n        for part in self.parts:\n            yield from part.parameters()\n",
        "\n    def to(self, device):\n        self.parts = [part.to(device) for part in self.parts]\n        return super().to(device)\n",
        "\n    def trainable_params(self):\n        return itertools.chain(*(part.parameters() for part in self.parts))\n",
        "\n    def configure_optimizers(self):\n        return [torch.optim.Adam(part.parameters()) for part in self.parts]\n",
        "\nnet = Net()\nopt = torch.optim.AdamW([p for part in net.parts for p in part.parameters()], lr=1e-3)\n",
    ],
)
def test_what_the_code_hands_on_itself_is_a_hint(method: str) -> None:
    assert loud(PARTS, method) == ["hint"]


@pytest.mark.parametrize(
    ("init", "method"),
    [
        (PARTS, ""),
        (
            PARTS,
            "\n    def init_parameters(self):\n        for part in self.parts:\n            print(list(part.parameters()))\n",
        ),
        (
            PARTS,
            "\n    def reset_params(self):\n        for part in self.parts:\n            part.reset_parameters()\n",
        ),
        (PARTS, "\nnet = Net()\nnet.eval()\nopt = torch.optim.Adam(net.parameters())\n"),
        ("self.main.eval()\n" + PARTS, ""),
        ("self.parts = [load(path) for path in paths]", ""),
        ("self.parts = [nn.BatchNorm1d(n) for _ in range(n)]", ""),
        ("self.parts = [nn.Linear(4, 4).cuda() for _ in range(n)]", ""),
    ],
)
def test_what_only_looks_like_it_is_a_slip(init: str, method: str) -> None:
    assert loud(init, method) == ["warning"]


COMMA = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = {made}
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.conv(x))
"""


@pytest.mark.parametrize(
    "made", ["nn.Linear(2, 2),", "(nn.Linear(2, 2),)", "(\n            nn.Linear(2, 2),\n        )"]
)
def test_a_comma_at_the_end_makes_a_tuple_that_cannot_be_called(made: str) -> None:
    assert [severity for _, severity in said(RULE, COMMA.format(made=made))] == ["warning"]
    assert fixed(RULE, COMMA.format(made=made)) == COMMA.format(made="nn.Linear(2, 2)")


def test_a_plain_list_and_a_dict_of_registered_modules_are_two_views() -> None:
    init = "self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)\nself.parts = [self.a, self.b]\nself.by_name = {'a': self.a, 'b': self.b}"
    text = NET.format(init=init.replace("\n", "\n        "))
    assert said("same-instance-twice", text) == said(RULE, text) == []
