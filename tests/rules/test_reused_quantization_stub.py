"""Modules that quantization gives an observer, at several places of one forward; torch shows that the observer mixes them."""

import warnings

import pytest
import torch
from judging import HEADER, fixed, said

RULE = "reused-quantization-stub"


def net(made: str, forward: str, rest: str = "") -> str:
    body = forward.replace("\n", "\n        ")
    return (
        "from torch.ao.quantization import QuantStub, DeQuantStub, MinMaxObserver, FakeQuantize\n"
        "from torch.ao.nn.quantized import FloatFunctional\n"
        f"\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.q = {made}\n"
        f"\n    def forward(self, x, y):\n        {body}\n{rest}"
    )


@pytest.mark.parametrize(
    ("made", "forward", "marked"),
    [
        ("QuantStub()", "return self.q(x), self.q(y)", "self.q"),
        ("MinMaxObserver()", "return self.q(self.q(x) + y)", "self.q"),
        ("FakeQuantize()", "x = self.q(x)\nreturn self.q(x + y)", "self.q"),
        ("FloatFunctional()", "return self.q.mul(self.q.add(x, y), y)", "self.q"),
        ("nn.quantized.FloatFunctional()", "x = self.q.add(x, y)\nreturn self.q.cat([x, y])", "self.q"),
    ],
)
def test_two_places_share_one_observer(made: str, forward: str, marked: str) -> None:
    assert said(RULE, net(made, forward)) == [(marked, "warning")]


@pytest.mark.parametrize(
    ("made", "forward"),
    [
        ("QuantStub()", "return self.q(x + y)"),
        ("DeQuantStub()", "return self.q(x), self.q(y)"),
        ("nn.ReLU()", "return self.q(x), self.q(y)"),
        ("QuantStub()", "if self.training:\n    return self.q(x)\nreturn self.q(y)"),
        ("FloatFunctional()", "if self.training:\n    return self.q.add(x, y)\nreturn self.q.mul(x, y)"),
        ("FloatFunctional()", "if self.training:\n    x = self.q.add(x, y)\nelse:\n    x = self.q.mul(x, y)\nreturn x"),
        ("FloatFunctional()", "return self.q.add(x, y) if self.training else self.q.mul(x, y)"),
        ("FloatFunctional()", "return self.q.add(x, y), self.q.training"),
    ],
)
def test_one_place_at_a_time_and_what_has_no_observer_are_silent(made: str, forward: str) -> None:
    assert said(RULE, net(made, forward)) == []


def test_what_this_rule_reports_is_not_reported_as_shared_parameters() -> None:
    assert said("shared-parameters", net("MinMaxObserver()", "return self.q(self.q(x) + y)")) == []


def test_torch_gives_each_place_its_own_scale_afterwards() -> None:
    before = net("QuantStub()", "return self.q(x), self.q(y)")
    after = fixed(RULE, before)
    assert after is not None and "return self.q(x), self.q2(y)" in after
    ranges: list[float] = []
    for text in (before, after):
        scope: dict[str, object] = {}
        exec(HEADER + text, scope)
        model = scope["Net"]().eval()  # type: ignore[operator]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.qconfig = torch.ao.quantization.get_default_qconfig("qnnpack")
            torch.ao.quantization.prepare(model, inplace=True)
        model(torch.linspace(-1, 1, 9), torch.linspace(-200, 200, 9))
        ranges.append(float(model.q.activation_post_process.max_val))
    assert ranges[0] > 100 and ranges[1] < 2
