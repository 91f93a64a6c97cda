"""Fixes as before and after: only what must change changes, and what cannot be proven right is not offered."""

import pytest
from repairing import fixes, model

KEEP, NUMBER = "Split `self.bn` into `bn`, `bn2`", "Split `self.bn` into `bn1`, `bn2`"
HOOK = "Split `self.bn` into `bn`, `bn2`, loading old checkpoints"


def net(init: str, forward: str = "x = self.bn(self.a(x))\nreturn self.bn(self.b(x))", extra: str = "") -> str:
    def block(text: str) -> str:
        return "".join(f"        {line}\n" for line in text.splitlines())

    return model(
        "class Net(nn.Module):\n    def __init__(self, dim=8, it=None):\n        super().__init__()\n"
        "        self.a = nn.Linear(8, 8)\n        self.b = nn.Linear(8, 8)\n"
        f"{block(init)}\n    def forward(self, x):\n{block(forward)}{extra}"
    )


SPLIT = "x = self.bn(self.a(x))\nreturn self.bn2(self.b(x))"


@pytest.mark.parametrize(
    ("init", "expected"),
    [
        ("self.bn = nn.BatchNorm1d(dim)", "self.bn = nn.BatchNorm1d(dim)\nself.bn2 = nn.BatchNorm1d(dim)"),
        (
            "self.bn = nn.BatchNorm1d(dim)  # why",
            "self.bn = nn.BatchNorm1d(dim)  # why\nself.bn2 = nn.BatchNorm1d(dim)",
        ),
        (
            "self.bn = nn.BatchNorm1d(\n    dim,  # features\n    eps=1e-3,\n)",
            (
                "self.bn = nn.BatchNorm1d(\n    dim,  # features\n    eps=1e-3,\n)\n"
                "self.bn2 = nn.BatchNorm1d(\n    dim,  # features\n    eps=1e-3,\n)"
            ),
        ),
        (
            "self.bn = nn.BatchNorm1d(dim)\nnn.init.ones_(self.bn.weight)",
            (
                "self.bn = nn.BatchNorm1d(dim)\nself.bn2 = nn.BatchNorm1d(dim)\n"
                "nn.init.ones_(self.bn.weight)\nnn.init.ones_(self.bn2.weight)"
            ),
        ),
    ],
)
def test_splitting_adds_the_same_construction_below(init: str, expected: str) -> None:
    assert fixes(net(init))[KEEP] == net(expected, SPLIT)


def test_numbering_renames_every_plain_use() -> None:
    extra = "\n    def freeze(self):\n        self.bn.requires_grad_(False)\n"
    found = fixes(net("self.bn = nn.BatchNorm1d(dim)", extra=extra))[NUMBER]
    assert found == net(
        "self.bn1 = nn.BatchNorm1d(dim)\nself.bn2 = nn.BatchNorm1d(dim)",
        "x = self.bn1(self.a(x))\nreturn self.bn2(self.b(x))",
        extra.replace("self.bn.", "self.bn1."),
    )


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("indent", ["    ", "\t"])
def test_line_ends_and_indentation_stay(ending: str, indent: str) -> None:
    before = net("self.bn = nn.BatchNorm1d(dim)").replace("    ", indent).replace("\n", ending)
    after = net("self.bn = nn.BatchNorm1d(dim)\nself.bn2 = nn.BatchNorm1d(dim)", SPLIT)
    assert fixes(before)[KEEP] == after.replace("    ", indent).replace("\n", ending)


def test_a_name_that_is_taken_is_left_out() -> None:
    init = "self.bn = nn.BatchNorm1d(dim)\nself.bn2 = 3"
    assert "Split `self.bn` into `bn`, `bn3`" in fixes(net(init))


@pytest.mark.parametrize(
    "constructor", ["nn.BatchNorm1d(next(it))", "nn.BatchNorm1d(n := dim)", "nn.Sequential(layer, nn.BatchNorm1d(dim))"]
)
def test_what_cannot_be_constructed_twice_is_not_split(constructor: str) -> None:
    assert fixes(net(f"layer = nn.Linear(8, 8)\nself.bn = {constructor}"))[KEEP] is None


def test_a_name_used_as_text_is_not_renamed() -> None:
    offered = fixes(
        net("self.bn = nn.BatchNorm1d(dim)", extra='\n    def norm(self):\n        return getattr(self, "bn")\n')
    )
    assert offered[NUMBER] is None
    assert offered[KEEP] is not None


def test_a_class_that_loads_its_own_way_gets_no_second_hook() -> None:
    extra = "\n    def _load_from_state_dict(self, *args):\n        super()._load_from_state_dict(*args)\n"
    assert fixes(net("self.bn = nn.BatchNorm1d(dim)", extra=extra))[HOOK] is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[nn.Linear(8, 8)] * dim", "[nn.Linear(8, 8) for _ in range(dim)]"),
        ("[nn.Linear(8, 8)] * (dim - 1)", "[nn.Linear(8, 8) for _ in range(dim - 1)]"),
        ("(nn.Linear(8, 8),) * dim", "[nn.Linear(8, 8) for _ in range(dim)]"),
        (
            "[\n            nn.Linear(8, 8)\n        ] * dim",
            "[\n            nn.Linear(8, 8)\n         for _ in range(dim)]",
        ),
    ],
)
def test_a_multiplication_becomes_a_comprehension(before: str, after: str) -> None:
    forward = "for layer in self.layers:\n    x = layer(x)\nreturn x"
    text = net(f"self.layers = nn.ModuleList({before})", forward)
    found = fixes(text)["Make a fresh instance for each position"]
    assert found is not None
    assert "".join(found.split()) == "".join(net(f"self.layers = nn.ModuleList({after})", forward).split())


def test_a_named_layer_moves_into_the_list_that_repeats_it() -> None:
    forward = "for layer in self.layers:\n    x = layer(x)\nreturn x"
    found = fixes(net("one = nn.Linear(8, 8)\nself.layers = nn.ModuleList([one] * dim)", forward))
    expected = net("self.layers = nn.ModuleList([nn.Linear(8, 8) for _ in range(dim)])", forward)
    assert found["Make a fresh instance for each position"] == expected


def test_every_fix_leaves_no_finding_of_its_own_behind() -> None:
    fixed = fixes(net("self.bn = nn.BatchNorm1d(dim)"))[KEEP]
    assert fixed is not None
    assert not fixes(fixed)
