"""Ways through forward of which one run takes one: what is called in each is called once."""

import pytest
from judging import said


def net(forward: str, init: str = "pass") -> str:
    body, init = forward.replace("\n", "\n        "), init.replace("\n", "\n        ")
    return (
        "class Net(nn.Module):\n    def __init__(self, d, mode):\n        super().__init__()\n"
        f"        self.bn = nn.BatchNorm1d(d)\n        self.fc = nn.Linear(d, d)\n        self.mode = mode\n        {init}\n\n"
        "    def forward_a(self, x):\n        return self.bn(self.fc(x))\n\n    def forward_b(self, x):\n        return self.bn(x)\n\n"
        f"    def forward(self, x, mode='a', *args):\n        {body}\n"
    )


@pytest.mark.parametrize(
    "forward",
    [
        "match mode:\n    case 'a':\n        return self.bn(x)\n    case 'b':\n        return self.bn(self.fc(x))",
        "try:\n    return self.bn(self.fc(x))\nexcept RuntimeError:\n    x = x.cpu()\nreturn self.bn(x)",
        "try:\n    y = self.bn(self.fc(x))\nexcept RuntimeError:\n    y = self.bn(x)\nreturn y",
        "while True:\n    if mode:\n        y = self.bn(x)\n        break\n    y = self.bn(self.fc(x))\n    break\nreturn y",
        "return getattr(self, f'forward_{self.mode}')(x)",
        "return getattr(self, mode)(x, *args)",
        "return {'a': self.forward_a, 'b': self.forward_b}[mode](x)",
        "fn = self.forward_a if mode else self.forward_b\nreturn fn(x)",
        "fn = {'a': lambda z: self.bn(self.fc(z)), 'b': lambda z: self.bn(z)}.get(mode)\nreturn fn(x)",
    ],
)
def test_one_way_is_one_call(forward: str) -> None:
    assert said("shared-batch-norm", net(forward)) == []


def test_a_call_before_what_is_tried_meets_the_one_behind() -> None:
    forward = (
        "x = self.bn(x)\ntry:\n    x = self.fc(x)\nexcept RuntimeError:\n    x = self.fc(x.cpu())\nreturn self.bn(x)"
    )
    assert len(said("shared-batch-norm", net(forward))) == 1


def test_a_head_that_goes_through_its_list_for_each_level_holds_no_layer_twice() -> None:
    body = (
        "class Head(nn.Module):\n    def __init__(self, d, n):\n        super().__init__()\n"
        "        self.convs = nn.ModuleList([nn.Conv2d(d, d, 3) for _ in range(n)])\n\n"
        "    def one(self, x):\n        for conv in self.convs:\n            x = conv(x)\n        return x\n\n"
        "    def forward(self, feats):\n        return [self.one(x) for x in feats]\n"
    )
    assert {severity for _, severity in said("shared-parameters", body)} <= {"hint"}
    loop = body.replace(
        "return [self.one(x) for x in feats]",
        "outs = []\n        for x in feats:\n            outs.append(self.one(x))\n        return outs",
    )
    assert {severity for _, severity in said("shared-parameters", loop)} <= {"hint"}


def test_a_layer_that_a_loop_over_time_picks_by_an_outer_index_holds_no_position_twice() -> None:
    body = (
        "class Net(nn.Module):\n    def __init__(self, d, n):\n        super().__init__()\n"
        "        self.cells = nn.ModuleList([nn.Linear(d, d) for _ in range(n)])\n        self.n = n\n\n"
        "    def step(self, j, x, h):\n        return torch.tanh(self.cells[j](torch.cat([x, h], 1)))\n\n"
        "    def forward(self, x, h):\n        for j in range(self.n):\n            for t in range(x.size(1)):\n"
        "                h = self.step(j, x[:, t], h)\n        return h\n"
    )
    assert {severity for _, severity in said("shared-parameters", body)} <= {"hint"}
