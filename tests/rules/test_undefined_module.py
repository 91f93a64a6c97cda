"""Attributes that are called and set nowhere: an error where every run calls them; silent wherever something may set them."""

import pytest
from judging import analysis, fixed, said

RULE = "undefined-module"
FORWARD = "return self.norm2(self.norm1(self.fc(x)))"


def net(
    init: str = "self.nrom1 = nn.LayerNorm(2)\nself.norm2 = nn.LayerNorm(2)",
    forward: str = FORWARD,
    rest: str = "",
    base: str = "nn.Module",
    head: str = "",
) -> str:
    init, forward = (text.replace("\n", "\n        ") for text in (init, forward))
    return (
        f"{head}\nclass Net({base}):\n    def __init__(self, deep=True, n=2):\n        super().__init__()\n        self.deep = deep\n"
        f"        self.fc = nn.Linear(2, 2)\n        {init}\n\n    def forward(self, x):\n        {forward}\n{rest}"
    )


@pytest.mark.parametrize(
    "init, forward, marked",
    [
        ("self.nrom1 = nn.LayerNorm(2)\nself.norm2 = nn.LayerNorm(2)", FORWARD, "self.norm1"),
        ("self.conv1 = nn.Linear(2, 2)\nself.lift2 = nn.Linear(2, 2)", "return self.lift2(self.lift1(self.fc(x)))", "self.lift1"),
        ("self.out_projection = nn.Linear(2, 2)", "return self.out_proj(self.fc(x))", "self.out_proj"),
        ("self.relu_in = nn.ReLU()", "return self.relu_inn(self.fc(x))", "self.relu_inn"),
        ("self.layers = nn.Sequential(nn.Linear(2, 2))", "return self.layer(self.fc(x))", "self.layer"),
    ],
)  # fmt: skip
def test_what_every_run_calls_and_nothing_sets_raises(init: str, forward: str, marked: str) -> None:
    assert said(RULE, net(init, forward)) == [(marked, "error")]


@pytest.mark.parametrize(
    "init, forward",
    [
        ("if deep:\n    self.nrom = nn.LayerNorm(2)", "x = self.fc(x)\nif self.deep:\n    x = self.norm(x)\nreturn x"),
        ("self.nrom = nn.LayerNorm(2)", "x = self.fc(x)\nif x.dim() == 3:\n    x = self.norm(x)\nreturn x"),
        ("self.nrom = nn.LayerNorm(2)", "x = self.fc(x)\nfor part in x:\n    x = self.norm(part)\nreturn x"),
    ],
)
def test_what_some_runs_call_is_a_warning(init: str, forward: str) -> None:
    assert said(RULE, net(init, forward)) == [("self.norm", "warning")]


@pytest.mark.parametrize(
    "init",
    [
        "self.register_buffer('scale', torch.ones(2))",
        "self.add_module('extra', nn.ReLU())",
        "self.act = eval('nn.ReLU')()",
        "setattr(self, 'extra', nn.ReLU())",
    ],
)
def test_what_is_registered_under_another_name_changes_nothing(init: str) -> None:
    made = "self.nrom1 = nn.LayerNorm(2)\nself.norm2 = nn.LayerNorm(2)"
    assert said(RULE, net(f"{init}\n{made}")) == [("self.norm1", "error")]


def test_one_finding_marks_each_place_that_calls_it() -> None:
    twice = "return self.norm1(self.norm2(self.norm1(self.fc(x))))"
    (finding,) = analysis(RULE, net(forward=twice)).findings
    assert [place.text for place in finding.calls] == ["self.norm1", "self.norm1"]


@pytest.mark.parametrize(
    "text",
    [
        net(rest="\n    def norm1(self, x):\n        return x\n"),
        net(rest="\n    @property\n    def norm1(self):\n        return self.norm2\n"),
        net(rest="\n    norm1 = nn.functional.relu\n"),
        net(rest="\n    norm1: nn.Module\n"),
        net(rest="\n    def build(self):\n        self.norm1 = nn.LayerNorm(2)\n"),
        net(rest="\n    def __getattr__(self, name):\n        return super().__getattr__(name)\n"),
        net(rest="\n    def prepare(self):\n        raise NotImplementedError\n"),
        net(rest="\nclass Sub(Net):\n    def norm1(self, x):\n        return x\n"),
        net(rest="\nclass Sub(Net):\n    def __init__(self):\n        super().__init__()\n        self.norm1 = nn.ReLU()\n"),
        net(rest="\nclass Way:\n    def norm1(self, x):\n        return x\n\nclass Both(Net, Way):\n    pass\n"),
        net(rest="\nnet = Net()\nnet.norm1 = nn.ReLU()\n"),
        net(rest="\nsetattr(Net(), 'norm1', nn.ReLU())\n"),
        net("self.nrom1 = nn.LayerNorm(2)\nself.norm2 = nn.LayerNorm(2)\nself.add_module('norm1', nn.ReLU())"),
        net("self.nrom1 = nn.LayerNorm(2)\nself.norm2 = nn.LayerNorm(2)\nfor i in range(n):\n    self.add_module(f'norm{i}', nn.ReLU())"),
        net("self.nrom1 = nn.LayerNorm(2)\nself.norm2 = nn.LayerNorm(2)\nfor i in range(n):\n    setattr(self, 'norm%d' % i, nn.ReLU())"),
        net("self.nrom1 = nn.LayerNorm(2)\nself.norm2 = nn.LayerNorm(2)\nself.__dict__.update(n)"),
        net("self.nrom1 = nn.LayerNorm(2)\nself.norm2 = nn.LayerNorm(2)\nunknown(self)"),
        net("self.nrom1 = nn.LayerNorm(2)\nself.norm2 = nn.LayerNorm(2)\nfor i in n:\n    self.add_module('norm' + str(i), None)"),
        net("self.nrom1 = nn.LayerNorm(2)\nself.norm2 = nn.LayerNorm(2)\nfor i in range(n):\n    exec(f'self.norm{i} = nn.ReLU()')"),
        net("self.nrom1 = nn.LayerNorm(2)\nself.norm2 = nn.LayerNorm(2)\nfor k, v in n.items():\n    object.__setattr__(self, k, v)"),
        net("self.nrom1 = nn.LayerNorm(2)\nself.norm2 = nn.LayerNorm(2)\nself.register_buffer('norm1', torch.ones(2))"),
        net(forward="try:\n    x = self.norm1(x)\nexcept AttributeError:\n    pass\nreturn self.norm2(self.fc(x))"),
        net(base="unread.Base"),
        net(base="nn.Conv2d"),
        net(base="Base", head="\nclass Base(nn.Module):\n    def norm1(self, x):\n        return x\n"),
        net(forward="if hasattr(self, 'norm1'):\n    x = self.norm1(x)\nreturn self.norm2(self.fc(x))"),
        net("self.encoder = nn.Linear(2, 2)", "return self.encode(self.fc(x))"),
        net("self.text_embedding = nn.Linear(2, 2)", "return self.embed_text(self.fc(x))"),
        net("self.classifier = nn.Linear(2, 2)", "return self.classify(self.fc(x))"),
        net("self.other = nn.Linear(2, 2)", "return self.log(self.fc(x))"),
        net("self.norm2 = nn.LayerNorm(2)"),
    ],
)  # fmt: skip
def test_what_may_be_set_or_brought_by_others_is_silent(text: str) -> None:
    assert said(RULE, text) == []


def test_the_idle_module_is_not_said_to_be_uncalled_as_well() -> None:
    assert said("uncalled-module", net()) == []


def test_the_module_gets_the_name_that_is_called_or_is_called_by_its_own() -> None:
    assert fixed(RULE, net()) == net().replace("nrom1", "norm1")
    assert fixed(RULE, net(), 1) == net().replace("self.norm1(", "self.nrom1(")
