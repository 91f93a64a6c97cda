"""Attributes given a second module: a slip where nothing can have used the first; the fix is the name that was meant."""

import pytest
from judging import HEADER, fixed, said

RULE = "overwritten-module"
FIRST, SECOND = "self.fc = nn.Linear(2, 4)", "self.fc = nn.Linear(4, 2)"


def net(init: str, forward: str = "return self.fc(x)", rest: str = "") -> str:
    body = init.replace("\n", "\n        ")
    return (
        f"\nclass Net(nn.Module):\n    def __init__(self, wide=False):\n        super().__init__()\n"
        f"        {body}\n\n    def forward(self, x):\n        {forward}\n{rest}"
    )


@pytest.mark.parametrize(
    "init",
    [
        f"{FIRST}\n{SECOND}",
        f"{FIRST}\nself.act = nn.ReLU()\n{SECOND}",
        f"if wide:\n    {FIRST}\n{SECOND}",
        f"if wide:\n    {FIRST}\n    {SECOND}",
    ],
)
def test_what_is_replaced_unread_is_lost(init: str) -> None:
    assert said(RULE, net(init)) == [("self.fc", "warning")]


@pytest.mark.parametrize(
    "init",
    [
        f"{FIRST}\nif wide:\n    {SECOND}",
        f"if wide:\n    {FIRST}\nelse:\n    {SECOND}",
        f"{FIRST}\nself.fc = nn.Sequential(self.fc, nn.ReLU())",
        f"{FIRST}\nprint(self.fc.weight.shape)\n{SECOND}",
        f"{FIRST}\nself.reset()\n{SECOND}",
        f"{FIRST}\nprepare(self)\n{SECOND}",
        f"fc = nn.Linear(2, 4)\nself.fc = fc\nself.other = fc\n{SECOND}",
        f"self.fc = self.other = nn.Linear(2, 4)\n{SECOND}",
        "self.fc = nn.Sequential()\nself.fc = nn.Sequential(nn.Linear(2, 2))",
        "self.fc = nn.ReLU()\nself.fc = nn.ReLU()",
    ],
)
def test_what_may_be_used_or_is_a_default_or_carries_nothing_is_silent(init: str) -> None:
    assert said(RULE, net(init)) == []


HELPERS = """
    def make(self, i, o):
        return nn.Sequential(nn.Linear(i, o), nn.BatchNorm1d(o))

    def wrapped(self, i, o):
        return self.make(i, o)

    def stacked(self, i, o):
        return nn.Sequential(self.fc, nn.Linear(i, o))

    def counted(self, i, o):
        return nn.Linear(self.width, o)

    @property
    def width(self):
        return self.fc.out_features
"""


@pytest.mark.parametrize(
    "init",
    [
        "self.fc = self.make(2, 4)\nself.fc = self.make(4, 2)",
        "self.fc = self.make(2, 4)\nself.act = nn.ReLU()\nself.fc = self.make(2, 4)",
        "self.fc = self.wrapped(2, 4)\nself.fc = nn.Sequential(nn.Linear(4, 2))",
        "self.fc = self.make(2, 4)\nself.register_buffer('scale', torch.ones(1))\nself.fc = self.wrapped(4, 2)",
        "if not wide:\n    self.fc = self.make(2, 4)\nself.act = nn.ReLU()\nif not wide:\n    self.fc = self.make(4, 2)",
        "if wide:\n    self.fc = nn.Linear(2, 4)\nif wide:\n    self.fc = nn.Linear(4, 2)\n    nn.init.zeros_(self.fc.weight)",
        "if wide:\n    self.fc = nn.Linear(2, 4)\nelse:\n    self.fc = nn.Linear(2, 2)\nif wide:\n    self.fc = nn.Linear(4, 2)",
    ],
)
def test_what_a_method_makes_or_equal_conditions_replace_is_lost(init: str) -> None:
    assert said(RULE, net(init, rest=HELPERS)) == [("self.fc", "warning")]


@pytest.mark.parametrize(
    "init",
    [
        "self.fc = self.make(2, 4)\nself.fc = self.stacked(4, 2)",
        "self.fc = self.make(2, 4)\nself.fc = self.counted(4, 2)",
        "self.fc = self.make(2, 4)\nself.apply(print)\nself.fc = self.make(4, 2)",
        "if wide:\n    self.fc = self.make(2, 4)\nif not wide:\n    self.fc = self.make(4, 2)",
        "if wide:\n    self.fc = self.make(2, 4)\n    self.fcs = [self.fc]\nif wide:\n    self.fc = self.make(4, 2)",
        "self.fc = self.make(2, 4)\nif wide:\n    self.fc = self.make(4, 2)",
    ],
)
def test_what_a_method_reads_or_other_conditions_replace_is_silent(init: str) -> None:
    assert said(RULE, net(init, rest=HELPERS)) == []


def test_the_second_equal_definition_under_equal_conditions_goes() -> None:
    second = "        if wide:\n            self.fc = nn.Linear(2, 2)\n            nn.init.zeros_(self.fc.weight)\n"
    before = net("if wide:\n    self.fc = nn.Linear(2, 2)").replace(
        "\n\n    def forward", "\n" + second + "\n    def forward"
    )
    assert fixed(RULE, before) == before.replace(second, second.replace("            self.fc = nn.Linear(2, 2)\n", ""))


def test_a_subclass_may_replace_what_its_base_made() -> None:
    sub = f"\nclass Sub(Net):\n    def __init__(self):\n        super().__init__()\n        {SECOND}\n"
    assert said(RULE, net(FIRST, rest=sub)) == []


def test_the_name_that_forward_misses_is_given() -> None:
    before = net("self.fc1 = nn.Linear(2, 4)\nself.fc1 = nn.Linear(4, 2)", "return self.fc2(self.fc1(x))")
    after = fixed(RULE, before)
    assert after is not None
    assert after == before.replace("self.fc1 = nn.Linear(4, 2)", "self.fc2 = nn.Linear(4, 2)")
    scope: dict[str, object] = {}
    exec(HEADER + after, scope)
    assert len(list(scope["Net"]().parameters())) == 4  # type: ignore[operator]


def test_a_name_that_is_bound_elsewhere_is_not_given() -> None:
    init = "self.fc1 = nn.Linear(2, 4)\nself.fc1 = nn.Linear(4, 2)\nself.fc2 = nn.Linear(2, 2)"
    before = net(init, "return self.fc2(self.fc1(x))")
    assert fixed(RULE, before) == before.replace("        self.fc1 = nn.Linear(2, 4)\n", "")


@pytest.mark.parametrize(
    "init",
    [
        f"{FIRST}  # wide\n{SECOND}",
        f"self.fc = nn.Linear(2, next(sizes))\n{SECOND}",
        f"if wide:\n    {FIRST}\n{SECOND}",
    ],
)
def test_a_line_with_more_to_it_is_not_deleted(init: str) -> None:
    assert fixed(RULE, net(init)) is None


LAYERS = "self.layers = [nn.Linear(2, 4)]\n"


@pytest.mark.parametrize(
    "init",
    [
        f"{LAYERS}for _ in range(wide):\n    self.layers = [nn.Linear(4, 4)]\nself.layers = nn.ModuleList(self.layers)",
        f"{LAYERS}self.layers = [nn.Linear(4, 4)]\nself.layers = nn.ModuleList(self.layers)",
        f"{LAYERS}self.act = nn.ReLU()\nself.layers = [nn.Linear(4, 4) for _ in range(wide)]\nself.net = nn.Sequential(*self.layers)",
        "for i in range(wide):\n    self.layers = [nn.Linear(i, i)]\nself.net = nn.Sequential(*self.layers)",
        "self.blocks = nn.ModuleList()\nfor i in range(wide):\n    self.layers = nn.Linear(i, i)\n    self.blocks.append(nn.ReLU())",
    ],
)
def test_what_a_list_or_a_pass_of_a_loop_held_is_lost(init: str) -> None:
    assert said(RULE, net(init, "return x")) == [("self.layers", "warning")]


@pytest.mark.parametrize(
    "init",
    [
        "self.layers = []\nself.layers = [nn.Linear(4, 4)]\nself.net = nn.Sequential(*self.layers)",
        f"{LAYERS}self.layers = [*self.layers, nn.Linear(4, 4)]\nself.net = nn.Sequential(*self.layers)",
        f"{LAYERS}self.one = nn.Sequential(*self.layers)\nself.layers = [nn.Linear(4, 4)]\nself.net = nn.Sequential(*self.layers)",
        f"{LAYERS}if wide:\n    self.layers = [nn.Linear(4, 4)]\nself.net = nn.Sequential(*self.layers)",
        f"if wide:\n    {LAYERS}else:\n    self.layers = [nn.Linear(4, 4)]\nself.net = nn.Sequential(*self.layers)",
        "self.layers = [nn.ReLU()]\nself.layers = [nn.Linear(4, 4)]\nself.net = nn.Sequential(*self.layers)",
        "self.nets = nn.ModuleList()\nfor i in range(wide):\n    self.layers = [nn.Linear(i, i)]\n    self.nets += self.layers",
        "for i in range(wide):\n    if i == 2:\n        self.fc = nn.Linear(i, i)",
        "for i in range(wide):\n    self.fc = nn.Linear(i, i)\n    if i:\n        break",
        "for i in range(wide):\n    self.fc = nn.Linear(i, i)\n    self.add_module(f'fc{i}', self.fc)",
        "for i in range(1):\n    self.fc = nn.Linear(i, i)",
    ],
)  # fmt: skip
def test_lists_that_are_read_or_replaced_in_some_runs_are_silent(init: str) -> None:
    assert said(RULE, net(init, "return x")) == []


def test_the_list_is_added_to() -> None:
    before = net(
        f"{LAYERS}for _ in range(wide):\n    self.layers = [nn.Linear(4, 4)]\nself.layers = nn.ModuleList(self.layers)",
        "return x",
    )
    assert fixed(RULE, before) == before.replace(
        "    self.layers = [nn.Linear(4, 4)]", "    self.layers += [nn.Linear(4, 4)]"
    )


@pytest.mark.parametrize(
    "init",
    [
        "part = [nn.Linear(2, 4)]\nfor _ in range(wide):\n    part = [nn.Linear(4, 4)]\nself.net = nn.Sequential(*part)",
        "part = [nn.Linear(2, 4)]\nself.act = nn.ReLU()\npart = [nn.Linear(4, 4)]\nself.net = nn.Sequential(*part)",
        "part = []\nfor i in range(wide):\n    part = [nn.Linear(i, i), nn.ReLU()]\nself.net = nn.Sequential(*part)",
    ],
)
def test_what_a_local_list_held_is_lost(init: str) -> None:
    assert said(RULE, net(init, "return x")) == [("part", "warning")]


@pytest.mark.parametrize(
    "init",
    [
        "part = [nn.Linear(2, 4)]\nfor _ in range(wide):\n    part.append(nn.Linear(4, 4))\nself.net = nn.Sequential(*part)",
        "part = [nn.Linear(2, 4)]\nfor _ in range(wide):\n    part = part + [nn.Linear(4, 4)]\nself.net = nn.Sequential(*part)",
        "part = [nn.Linear(2, 4)]\nfor _ in range(wide):\n    part = [*part, nn.Linear(4, 4)]\nself.net = nn.Sequential(*part)",
        "part = [nn.Linear(2, 4)]\nself.a = nn.Sequential(*part)\npart = [nn.Linear(4, 4)]\nself.b = nn.Sequential(*part)",
        "self.nets = nn.ModuleList()\nfor i in range(wide):\n    part = [nn.Linear(i, i)]\n    self.nets.append(nn.Sequential(*part))",
        "part = [nn.Linear(2, 4)]\nif wide:\n    part = [nn.Linear(4, 4)]\nself.net = nn.Sequential(*part)",
        "for i in range(wide):\n    part = [nn.Linear(i, i)]\n    if i == 3:\n        break\nself.net = nn.Sequential(*part)",
    ],
)
def test_local_lists_that_are_read_first_are_silent(init: str) -> None:
    assert said(RULE, net(init, "return x")) == []


def test_a_module_of_another_kind_may_be_a_replacement() -> None:
    init = "self.norm = nn.BatchNorm1d(4)\nself.fc = nn.Linear(4, 4)\nself.norm = nn.InstanceNorm1d(4, affine=True)"
    assert [severity for _, severity in said(RULE, net(init))] == ["hint"]


@pytest.mark.parametrize(
    "init",
    [
        "if wide:\n    self.fc = nn.Linear(2, 4)\nelse:\n    self.fc = nn.Linear(2, 2)\nself.fc = nn.Conv1d(2, 4, 1)",
        "if wide:\n    self.fc = nn.GroupNorm(2, 4, eps=1e-3)\nself.fc = nn.GroupNorm(2, 4)",
    ],
)
def test_a_branch_that_has_no_effect_is_a_slip(init: str) -> None:
    assert {severity for _, severity in said(RULE, net(init))} == {"warning"}


TWICE = "if wide:\n    self.fc = nn.LayerNorm(4)\nelse:\n    self.fc = None\n"


def test_a_branch_that_stands_twice_is_worth_a_look_and_a_line_that_does_is_a_slip() -> None:
    assert [severity for _, severity in said(RULE, net(TWICE + TWICE))] == ["information"]
    assert [severity for _, severity in said(RULE, net("self.fc = nn.LayerNorm(4)\n" * 2))] == ["warning"]


def test_a_container_that_each_pass_makes_of_a_growing_list_loses_nothing() -> None:
    init = "parts = []\nfor i in range(3):\n    parts.append(nn.Linear(4, 4))\n    self.fc = nn.Sequential(*parts)"
    assert said(RULE, net(init)) == []


def test_a_second_one_that_says_more_may_be_a_correction() -> None:
    init = "self.fc = nn.Embedding(9, 4)\nself.act = nn.ReLU()\nself.fc = nn.Embedding(9, 4, padding_idx=0)"
    assert [severity for _, severity in said(RULE, net(init))] == ["hint"]
