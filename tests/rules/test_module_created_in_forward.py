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
        ("fc = nn.Linear(4, 2); fc = fc.to(x.device); return fc(x)", "nn.Linear(4, 2)"),
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
    assert len({finding.fixes[-1].title for finding in found.findings}) == 2


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


LAZY = [
    "if self.fc is None:\n            self.fc = nn.Linear(x.shape[1], 2).to(x.device)\n        return self.fc(x)",
    (
        "if not self.built:\n            self.fc: nn.Module = nn.Linear(x.shape[1], 2).cuda()\n            self.built = True\n"
        "        return self.fc(x)"
    ),
    "if self.fc is None:\n            self.build(x)\n        return self.fc(x)",
    (
        "try:\n            x = self.late(x)\n        except AttributeError:\n            self.late = nn.Linear(x.shape[1], 2)\n"
        "        return self.late(x)"
    ),
    (
        "if getattr(self, 'late', None) is None:\n            self.add_module('late', nn.Linear(x.shape[1], 2))\n"
        "        return self.late(x)"
    ),
    (
        "if 'late' not in self._modules:\n            self.late = nn.Sequential(nn.Linear(x.shape[1], 2), nn.ReLU())\n"
        "        return self.late(x)"
    ),
    "if len(self.layers) == 0:\n            self.layers.append(nn.Linear(x.shape[1], 2))\n        return self.layers[0](x)",
    "return self.given(x)(x)",
]
LAZY_INIT = "self.fc, self.built, self.layers, self.cache = None, False, nn.ModuleList(), {}"
LAZY_REST = """
    def build(self, x):
        self.fc = nn.Linear(x.shape[1], 2)

    def given(self, x):
        if self.fc is not None:
            return self.fc
        self.fc = nn.Linear(x.shape[1], 2)
        return self.fc
"""


@pytest.mark.parametrize("forward", LAZY)
def test_what_the_next_call_finds_is_made_once(forward: str) -> None:
    (finding,) = analysis(RULE, net(forward, LAZY_INIT, LAZY_REST)).findings
    assert finding.severity.value == "information" and "at the first call" in finding.message
    assert fixed(RULE, net(forward, LAZY_INIT, LAZY_REST)) is None


@pytest.mark.parametrize(
    "forward",
    [
        (
            "if x.shape[1] not in self.cache:\n            self.cache[x.shape[1]] = nn.Linear(x.shape[1], 2)\n"
            "        return self.cache[x.shape[1]](x)"
        ),
        (
            "try:\n            layer = self.cache[x.shape[1]]\n        except KeyError:\n"
            "            layer = self.cache[x.shape[1]] = nn.Linear(x.shape[1], 2)\n        return layer(x)"
        ),
        "return self.cache.setdefault(x.shape[1], nn.Linear(x.shape[1], 2))(x)",
        "while len(self.layers) < x.shape[0]:\n            self.layers.append(nn.Linear(4, 4))\n        return self.layers[0](x)",
    ],
)
def test_what_a_cache_keeps_is_not_made_by_each_call(forward: str) -> None:
    (finding,) = analysis(RULE, net(forward, LAZY_INIT)).findings
    assert finding.severity.value == "information" and "and kept" in finding.message


@pytest.mark.parametrize(
    "forward",
    [
        "self.fc = nn.Linear(x.shape[1], 2).to(x.device)\n        return self.fc(x)",
        "self.build(x)\n        return self.fc(x)",
        "if self.fc is None:\n            fc = nn.Linear(x.shape[1], 2)\n        return fc(x)",
        "if not self.built:\n            self.fc = nn.Linear(x.shape[1], 2)\n        return self.fc(x)",
    ],
)
def test_what_each_call_makes_anew_is_a_slip_although_it_is_kept(forward: str) -> None:
    assert [severity for _, severity in said(RULE, net(forward, LAZY_INIT, LAZY_REST))] == ["warning"]
