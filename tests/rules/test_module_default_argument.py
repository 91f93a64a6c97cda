"""Modules as default values: found where they are written, whatever holds them; the fix is refused where None has a meaning."""

import pytest
from judging import HEADER, fixed, said

RULE = "module-default-argument"
NET = """
class Net(nn.Module):
    def __init__(self, {parameters}):
        super().__init__()
        {body}

    def forward(self, x):
        return {result}
"""


def net(parameters: str, body: str = "self.act = act", result: str = "self.act(x)") -> str:
    return NET.format(parameters=parameters, body=body, result=result)


@pytest.mark.parametrize(
    "parameters",
    ["act=nn.PReLU()", "*, act=nn.PReLU()", "a, /, act=nn.PReLU(), b=1", "act: nn.Module = nn.PReLU()"],
)
def test_an_instance_with_parameters_is_found_in_every_kind_of_parameter(parameters: str) -> None:
    assert said(RULE, net(parameters)) == [("nn.PReLU()", "warning")]


@pytest.mark.parametrize(
    "parameters",
    [
        "act=nn.ReLU()",
        "act=nn.PReLU",
        "act=lambda: nn.PReLU()",
        "act=nn.BatchNorm1d(3, affine=False, track_running_stats=False)",
        "act=unknown(3)",
    ],
)
def test_a_default_that_carries_nothing_or_makes_nothing_is_silent(parameters: str) -> None:
    assert said(RULE, net(parameters)) == []


def test_a_tuple_of_instances_is_one_finding() -> None:
    text = net("acts=(nn.PReLU(), nn.PReLU())", "self.acts = nn.ModuleList(acts)", "self.acts[0](x)")
    assert said(RULE, text) == [("(nn.PReLU(), nn.PReLU())", "warning")]
    after = fixed(RULE, text)
    assert after is not None and "acts = (nn.PReLU(), nn.PReLU())\n" in after


def test_an_own_block_counts_by_what_it_holds() -> None:
    block = "class {name}(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.f = {made}\n"
    heavy = block.format(name="Heavy", made="nn.Linear(2, 2)") + block.format(name="Light", made="nn.ReLU()")
    text = heavy + net("act=Heavy(), other=Light()", "self.act, self.other = act, other")
    assert said(RULE, text) == [("Heavy()", "warning")]


def test_a_comment_that_says_so_makes_it_worth_a_look_only() -> None:
    text = net("act=nn.PReLU()").replace("()):", "()):  # shared by all blocks on purpose")
    assert said(RULE, text) == [("nn.PReLU()", "information")]


@pytest.mark.parametrize(
    ("parameter", "result"),
    [
        ("act: nn.Module = nn.PReLU()", "act: nn.Module = None"),
        ("act: Optional[nn.Module] = nn.PReLU()", "act: Optional[nn.Module] = None"),
        ("act: nn.Module | None = nn.PReLU()", "act: nn.Module | None = None"),
        ("act=nn.PReLU(\n        8,\n    )", "act=None"),
    ],
)
def test_the_annotation_and_further_lines_follow(parameter: str, result: str) -> None:
    after = fixed(RULE, net(parameter))
    assert after is not None and f"def __init__(self, {result}):" in after


def test_further_lines_keep_their_distance() -> None:
    after = fixed(RULE, net("act=nn.PReLU(\n        8,\n    )"))
    assert after is not None
    assert "        if act is None:\n            act = nn.PReLU(\n                8,\n            )\n" in after


def test_optional_is_written_where_the_file_has_it() -> None:
    after = fixed(RULE, "from typing import Optional\n" + net("act: nn.Module = nn.PReLU()"))
    assert after is not None and "act: Optional[nn.Module] = None" in after


@pytest.mark.parametrize(
    ("parameters", "body", "result"),
    [
        ("act=nn.PReLU()", "self.act = act if act else nn.ReLU()", "self.act(x)"),
        ("act=nn.PReLU()", "self.act = act", "self.act(x) if self.act is not None else x"),
        ("dim, act=nn.PReLU(dim)", "self.act = act", "self.act(x)"),
        ("act=nn.PReLU()", "self.act = act", "Net(act=None)(x)"),
    ],
)
def test_the_fix_is_refused_where_it_could_mean_something_else(parameters: str, body: str, result: str) -> None:
    assert fixed(RULE, net(parameters, body, result)) is None


def test_torch_agrees_that_each_object_has_its_own_afterwards() -> None:
    before = net("act=nn.PReLU()")
    after = fixed(RULE, before)
    assert after is not None
    for text, same in ((before, True), (after, False)):
        scope: dict[str, object] = {}
        exec(HEADER + text, scope)
        first, second = scope["Net"](), scope["Net"]()  # type: ignore[operator]
        assert (first.act is second.act) is same
        assert list(first.state_dict()) == list(second.state_dict()) == ["act.weight"]


COPIES = """
import copy

class Block(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.act = act

    def forward(self, x):
        return self.act(x)
"""


@pytest.mark.parametrize(
    "body",
    [
        "self.layers = nn.ModuleList([copy.deepcopy(act) for _ in range(3)])",
        "self.block = copy.deepcopy(Block(act))",
        "self.act = nn.PReLU() if isinstance(act, nn.PReLU) else nn.ReLU()",
        "self.act = act.__class__()",
        "self.act = nn.Tanh()",
    ],
)
def test_a_default_that_only_serves_as_a_template_is_silent(body: str) -> None:
    assert said(RULE, COPIES + net("act=nn.PReLU()", body, "x")) == []


@pytest.mark.parametrize(
    "body",
    [
        "self.block = Block(act)",
        "self.blocks = nn.Sequential(*[Block(act) for _ in range(3)])",
        "self.held = [act]",
        "self.copy, self.own = copy.deepcopy(act), act",
    ],
)
def test_a_default_that_an_object_holds_anywhere_is_a_slip(body: str) -> None:
    assert said(RULE, COPIES + net("act=nn.PReLU()", body, "x")) == [("nn.PReLU()", "warning")]
