"""What a constructor puts into a part that cannot be read, `self.model.decoder.layers = …`: the same slips as in its own lists."""

import pytest
from judging import said

RULE = "repeated-instance"


def net(init: str, made: str = "unread.make_model(d)") -> str:
    body = init.replace("\n", "\n        ")
    return (
        "import copy\nimport unread\n\nclass Net(nn.Module):\n    def __init__(self, d, n):\n        super().__init__()\n"
        f"        self.model = {made}\n        {body}\n\n    def forward(self, x):\n        return self.model(x)\n"
    )


@pytest.mark.parametrize(
    "init, marked",
    [
        ("self.model.decoder.layers = nn.ModuleList([nn.Linear(d, d)] * n)", "[nn.Linear(d, d)] * n"),
        ("part = nn.Linear(d, d)\nself.model.decoder.layers = nn.ModuleList([part for _ in range(n)])", "part"),
        (
            "part = nn.Linear(d, d)\nlayers = nn.ModuleList()\nfor _ in range(n):\n    layers.append(part)\nself.model.body = layers",
            "part",
        ),
        ("part = nn.Linear(d, d)\nfor i in range(n):\n    self.model.encoder.layers[i] = part", "part"),
        ("self.model.head = nn.Sequential(*[nn.Linear(d, d)] * n)", "[nn.Linear(d, d)] * n"),
    ],
)
def test_one_instance_at_every_place_of_a_part(init: str, marked: str) -> None:
    assert said(RULE, net(init)) == [(marked, "warning")]


@pytest.mark.parametrize(
    "init",
    [
        "self.model.decoder.layers = nn.ModuleList([nn.Linear(d, d) for _ in range(n)])",
        "part = nn.Linear(d, d)\nself.model.decoder.layers = nn.ModuleList([copy.deepcopy(part) for _ in range(n)])",
        "self.model.decoder.layers = nn.ModuleList([nn.ReLU()] * n)",
        "for i in range(n):\n    self.model.encoder.layers[i] = nn.Linear(d, d)",
        "self.model.fc = nn.Identity()",
    ],
)
def test_fresh_instances_are_silent(init: str) -> None:
    assert said(RULE, net(init)) == []


def test_what_is_put_there_is_not_said_to_be_idle() -> None:
    init = "self.model.head = nn.Linear(d, d)\nself.head = self.model.head"
    assert said("uncalled-module", net(init)) == []
