"""Modules that forward constructs: found wherever forward leads; made in the constructor where the sizes are known there."""

import pytest
import torch
from judging import HEADER, analysis, fixed, said

RULE = "module-created-in-forward"


def net(forward: str, init: str = "self.dim = dim", rest: str = "") -> str:
    return (
        f"\nclass Net(nn.Module):\n    def __init__(self, dim=4):\n        super().__init__()\n"
        f"        {init}\n\n    def forward(self, x):\n        {forward}\n{rest}"
    )


@pytest.mark.parametrize(
    ("forward", "marked"),
    [
        ("return nn.Linear(4, 2)(x)", "nn.Linear(4, 2)"),
        ("fc = nn.Linear(4, 2); return fc(x)", "nn.Linear(4, 2)"),
        ("return nn.BatchNorm1d(4, affine=False)(x)", "nn.BatchNorm1d(4, affine=False)"),
        ("return self.head(x)", "nn.Linear(x.shape[1], 2)"),
        ("return nn.Sequential(nn.Linear(4, 2), nn.ReLU())(x)", "nn.Sequential(nn.Linear(4, 2), nn.ReLU())"),
        ("self.fc = nn.Linear(4, 2); return self.fc(x)", "nn.Linear(4, 2)"),
    ],
)
def test_a_module_that_lives_for_one_call_is_a_slip(forward: str, marked: str) -> None:
    rest = "\n    def head(self, x):\n        return nn.Linear(x.shape[1], 2)(x)\n" if "head" in forward else ""
    assert said(RULE, net(forward, rest=rest)) == [(marked, "warning")]


@pytest.mark.parametrize(
    "forward",
    [
        "return nn.ReLU()(x)",
        "return nn.Upsample(scale_factor=2)(x)",
        "return nn.LayerNorm(4, elementwise_affine=False)(x)",
        "return self.cached()(x)",
        "return x",
    ],
)
def test_what_carries_nothing_or_may_be_kept_is_silent(forward: str) -> None:
    rest = "\n    @memoised\n    def cached(self):\n        return nn.Linear(4, 4)\n"
    assert said(RULE, net(forward, rest=rest)) == []


@pytest.mark.parametrize(
    "forward",
    [
        "return nn.LayerNorm(x.shape[1:])(x)",
        "conv = nn.Linear(4, 4); conv.weight.data = x; return conv(x)",
        "if not hasattr(self, 'fc'): self.fc = nn.Linear(x.shape[1], 2)\n        return self.fc(x)",
    ],
)
def test_functional_use_and_lazy_construction_are_worth_a_look_only(forward: str) -> None:
    assert [severity for _, severity in said(RULE, net(forward))] == ["information"]


@pytest.mark.parametrize(
    ("forward", "made", "used"),
    [
        ("return nn.Linear(self.dim, 2)(x)", "self.linear = nn.Linear(self.dim, 2)", "return self.linear(x)"),
        ("fc = nn.Linear(4, 2)\n        return fc(x)", "self.fc = nn.Linear(4, 2)", "fc = self.fc"),
    ],
)
def test_it_is_made_once_and_trains(forward: str, made: str, used: str) -> None:
    after = fixed(RULE, net(forward))
    assert after is not None and f"        self.dim = dim\n        {made}\n\n" in after and used in after
    scope: dict[str, object] = {}
    exec(HEADER + after, scope)
    model = scope["Net"]()  # type: ignore[operator]
    assert len(list(model.parameters())) == 2
    assert torch.equal(model(torch.ones(1, 4)), model(torch.ones(1, 4)))


def test_two_of_a_kind_get_two_names() -> None:
    found = analysis(RULE, net("return nn.Linear(4, 4)(nn.Linear(4, 4)(x))"))
    assert len({finding.fixes[0].title for finding in found.findings}) == 2


def test_a_taken_name_is_not_used_again() -> None:
    after = fixed(RULE, net("return nn.Linear(4, 4)(self.linear(x))", "self.linear = nn.Linear(4, 4)"))
    assert after is not None and "self.linear2 = nn.Linear(4, 4)\n" in after


@pytest.mark.parametrize(
    ("forward", "init"),
    [
        ("return nn.Linear(x.shape[1], 2)(x)", "pass"),
        ("dim = 3; return nn.Linear(dim, 2)(x)", "pass"),
        ("return nn.Linear(dim, 2)(x)", "pass"),
        ("for _ in x: x = nn.Linear(4, 4)(x)\n        return x", "pass"),
        ("return nn.Linear(self.dim, 2)(x)", "self.dim = dim if dim else 3; self.dim = 4"),
        ("return nn.Linear(self.dim, 2)(x)", "pass\n        if dim:\n            self.dim = dim"),
        ("return nn.Linear(self.size(), 2)(x)", "pass"),
    ],
)
def test_no_fix_where_the_sizes_are_not_known_in_the_constructor(forward: str, init: str) -> None:
    assert fixed(RULE, net(forward, init)) is None


WRAPPER = """
class Over(nn.Module):
    def __init__(self, module, own=False):
        super().__init__()
        self.module = module
        self.scale = nn.Linear(4, 4) if own else nn.Identity()

    def forward(self, x):
        return self.scale(self.module(x.flatten(0, 1)))
"""


@pytest.mark.parametrize(
    ("forward", "severities"),
    [
        ("return Over(self.fc)(x)", []),
        (
            "layer = self.fc\n        for _ in range(x.dim() - 2):\n            layer = Over(layer)\n        return layer(x)",
            [],
        ),
        ("return Over(self.fc, own=True)(x)", ["warning"]),
        ("return Over(nn.Linear(4, 4))(x)", ["warning"]),
    ],
)
def test_a_wrapper_brings_nothing_of_its_own(forward: str, severities: list[str]) -> None:
    text = WRAPPER + net(forward, init="self.fc = nn.Linear(4, 4)")
    assert [severity for _, severity in said(RULE, text)] == severities
