"""What is written like a design that is published is no warning; where the code itself shows that two were meant, it stays one."""

import textwrap

import pytest
from judging import said

BLOCK = """
class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.bn0, self.bn1, self.bn2 = nn.BatchNorm2d(d), nn.BatchNorm2d(d), nn.BatchNorm2d(d)
        self.conv1, self.conv2, self.conv3 = nn.Conv2d(d, d, 3), nn.Conv2d(d, d, 3), nn.Conv2d(d, d, 3)
        self.slope = nn.PReLU(d)
        self.slope_in = nn.PReLU()
        self.norm = nn.LayerNorm(d)
        self.fc = nn.Linear(d, d)

    def forward(self, x):
"""


def severities(rule: str, forward: str, attribute: str, block: str = BLOCK) -> set[str]:
    text = block + textwrap.indent(textwrap.dedent(forward).strip(), " " * 8) + "\n"
    return {severity for what, severity in said(rule, text) if what == f"self.{attribute}"}


@pytest.mark.parametrize(
    "forward",
    [
        "y = self.bn2(self.conv2(self.slope(self.bn1(self.conv1(self.bn0(x))))))\ny += x\nreturn self.slope(y)",
        "y = self.slope(self.conv1(x))\ny = self.conv2(y) + x\nreturn self.slope(y)",
        "y = self.slope(self.conv1(x))\nreturn self.slope(x + self.conv2(y))",
        "y = self.conv2(self.slope(self.conv1(x)))\ny = torch.add(y, x)\ny = self.slope(y)\nreturn y",
        "y = self.conv2(self.slope(self.conv1(x)))\nreturn self.slope(y.add_(x))",
    ],
)
def test_a_slope_that_also_ends_its_residual_block_is_worth_a_look(forward: str) -> None:
    assert severities("shared-prelu", forward, "slope") == {"information"}


@pytest.mark.parametrize(
    "forward",
    [
        "y = self.slope_in(self.conv1(x))\ny = self.slope(self.conv2(y))\ny = self.conv3(y) + x\nreturn self.slope(y)",
        "y = self.slope(self.conv1(self.slope_in(x)))\nreturn self.slope(x + self.conv2(y))",
        "y = self.slope(self.conv1(x))\nreturn self.slope(self.conv2(y))",
    ],
)
def test_a_slope_is_a_slip_beside_another_of_its_own_and_along_a_chain(forward: str) -> None:
    assert severities("shared-prelu", forward, "slope") == {"warning"}


@pytest.mark.parametrize(
    "forward",
    [
        "x = self.norm(x)\npooled = x[:, 0]\nreturn x, self.norm(pooled)",
        "x = self.norm(x)\nreturn x, self.norm(x.mean(1))",
        "return self.norm(self.norm(x))",
        "x = self.norm(x).relu()\nreturn self.norm(x)",
        "hidden = self.norm(x)\nfirst = hidden[:, 0, :]\nfirst = self.norm(first)\nreturn hidden, first",
    ],
)
def test_a_norm_of_its_own_result_is_a_hint(forward: str) -> None:
    assert severities("shared-layer-norm", forward, "norm") == {"hint"}


@pytest.mark.parametrize(
    ("forward", "severity"),
    [
        ("x = self.fc(x)\nreturn self.fc(x)", "warning"),
        ("x = self.fc(x)\nx = torch.relu(x)\nx = self.fc(x)\nreturn x", "warning"),
        ("y = self.fc(x)\ny = y + x\ny *= 2\nreturn self.fc(y)", "warning"),
        ("s = {}\ns['a'] = self.fc(x)\nreturn self.fc(s['a'])", "warning"),
        ("x = self.fc(x)\nreturn self.fc(x[:, 0])", "hint"),
        ("x = self.fc(x)\npooled = x.mean(1, keepdim=True)\nreturn self.fc(pooled)", "hint"),
        ("x = self.fc(x)\nbest = torch.max(x, 1)[0]\nreturn self.fc(best)", "hint"),
    ],
)
def test_a_layer_is_a_slip_on_all_of_its_result_and_not_on_a_part(forward: str, severity: str) -> None:
    assert severities("shared-parameters", forward, "fc") == {severity}


OWN_NORM = """
class Norm(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.float()).to(x.dtype)

class Net(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.norm = Norm(d)

    def forward(self, x):
"""


def test_a_batch_norm_of_its_own_result_is_a_slip() -> None:
    text = (
        "class Net(nn.Module):\n    def __init__(self, d):\n        super().__init__()\n        self.bn = nn.BatchNorm1d(d)\n\n"
        "    def forward(self, x):\n        return self.bn(self.bn(x))\n"
    )
    assert [severity for _, severity in said("shared-batch-norm", text)] == ["warning"]


def test_a_norm_of_an_own_class_is_a_norm() -> None:
    forward = "x = self.norm(x)\nreturn x, self.norm(x)"
    assert severities("shared-parameters", forward, "norm", OWN_NORM) == {"hint"}


DROPPED = """
class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(d)
        {dropped}
        self.bn2 = nn.BatchNorm2d(d)
        self.conv1 = nn.Conv2d(d, d, 3)

    def forward(self, x):
"""


@pytest.mark.parametrize(
    ("dropped", "severity"),
    [
        ("# self.conv2 = nn.Conv2d(d, d, 3)", "hint"),
        ("# two convolutions", "warning"),
        ("# self.fc = None", "warning"),
    ],
)
def test_a_sibling_that_is_commented_out_was_dropped_on_purpose(dropped: str, severity: str) -> None:
    block = DROPPED.format(dropped=dropped)
    forward = "x = self.bn1(self.conv1(x)).relu()\nreturn self.bn2(self.conv1(x))"
    assert severities("shared-parameters", forward, "conv1", block) == {severity}


def test_a_slope_beside_an_idle_one_is_a_slip() -> None:
    two = "self.slope1, self.slope2 = nn.PReLU(), nn.PReLU()"
    block = BLOCK.replace("self.slope = nn.PReLU(d)", two).replace("self.slope_in = nn.PReLU()", "pass")
    forward = "y = self.conv2(self.slope1(self.conv1(x)))\nreturn self.slope1(y + x)"
    assert severities("shared-prelu", forward, "slope1", block) == {"warning"}
