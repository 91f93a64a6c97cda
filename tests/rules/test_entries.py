"""What is written to one entry of something unknown says nothing of its other entries."""

import pytest
from judging import said

RULE = "shared-layer-norm"


def block(forward: str, arguments: str = "xs, i=None, j=None") -> str:
    body = forward.replace("\n", "\n        ")
    return (
        "class Block(nn.Module):\n    def __init__(self, d):\n        super().__init__()\n"
        "        self.norm = nn.LayerNorm(d)\n        self.fc = nn.Linear(d, d)\n        self.head = nn.Linear(d, d)\n\n"
        f"    def forward(self, {arguments}):\n        {body}\n        return xs\n"
    )


@pytest.mark.parametrize(
    "forward",
    [
        "xs[0] = self.norm(self.fc(xs[0]))\nxs[1] = self.norm(self.fc(xs[1]))",
        "xs['q'] = self.norm(self.fc(xs['q']))\nxs['k'] = self.norm(self.fc(xs['k']))",
        "xs[i] = self.norm(self.fc(xs[i]))\nxs[j] = self.norm(self.fc(xs[j]))",
        "for k in i:\n    xs[k] = self.norm(self.fc(xs[k]))\nxs['last'] = self.norm(self.fc(xs['last']))",
        "ys = list(xs)\nys[i] = self.norm(self.fc(ys[i]))\nys[j] = self.norm(self.fc(ys[j]))",
        "xs.ndata['a'] = self.norm(self.fc(xs.ndata['a']))\nxs.ndata['b'] = self.norm(self.fc(xs.ndata['b']))",
    ],
)
def test_other_entries_are_no_chain(forward: str) -> None:
    assert {severity for _, severity in said(RULE, block(forward))} <= {"hint"}


@pytest.mark.parametrize(
    "forward",
    [
        "xs[0] = self.norm(xs[0])\nxs[0] = self.fc(xs[0])\nxs[0] = self.norm(xs[0])",
        "xs['q'] = self.norm(xs['q'])\nxs['q'] = self.fc(xs['q'])\nxs['q'] = self.norm(xs['q'])",
        "xs[i] = self.norm(xs[i])\nxs[i] = self.fc(xs[i])\nxs[i] = self.norm(xs[i])",
        "xs[0] = self.norm(xs[0])\nxs = self.fc(xs)\nxs = self.norm(xs)",
        "xs[:, 0:4] = self.norm(xs[:, 0:4])\nxs[:, 2:8] = self.norm(self.fc(xs[:, 2:8]))",
    ],
)
def test_one_entry_or_the_whole_is_a_chain(forward: str) -> None:
    assert [severity for _, severity in said(RULE, block(forward, "xs, i"))] == ["warning"]


def test_two_loops_over_one_list_are_a_chain() -> None:
    forward = (
        "for k in range(len(xs)):\n    xs[k] = self.norm(self.fc(xs[k]))\n"
        "for k in range(len(xs)):\n    xs[k] = self.norm(self.head(xs[k]))"
    )
    found = said(RULE, block(forward))
    assert len(found) == 1 and "hint" not in {severity for _, severity in found}
