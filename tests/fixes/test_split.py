"""Splitting one instance into several: the definition, what sets it up, and every other use."""

import pytest
from fixing import NUMBERED, Text, assert_fix, block, net, splitting

from nnreuse.fixes.split import split

TWICE = "x = self.{}(self.conv1(x))\nreturn self.{}(self.conv2(x))"


def test_the_first_keeps_its_name() -> None:
    before = net("self.bn = nn.BatchNorm2d(64)")
    after = net("self.bn = nn.BatchNorm2d(64)\nself.bn2 = nn.BatchNorm2d(64)", TWICE.format("bn", "bn2"))
    assert_fix(before, after, splitting())


def test_all_are_renamed() -> None:
    before = net("self.bn = nn.BatchNorm2d(64)")
    after = net("self.bn1 = nn.BatchNorm2d(64)\nself.bn2 = nn.BatchNorm2d(64)", TWICE.format("bn1", "bn2"))
    assert_fix(before, after, splitting(NUMBERED))


def test_a_name_may_serve_several_sites() -> None:
    calls = "x = self.{}(x)\nx = self.{}(x)\nreturn self.{}(x)"
    before = net("self.bn = nn.BatchNorm2d(64)", calls.format("bn", "bn", "bn"))
    after = net("self.bn = nn.BatchNorm2d(64)\nself.bn2 = nn.BatchNorm2d(64)", calls.format("bn", "bn2", "bn"))
    assert_fix(before, after, splitting(("bn", "bn2", "bn")))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "self.bn: nn.Module = nn.BatchNorm2d(64)",
            "self.bn: nn.Module = nn.BatchNorm2d(64)\nself.bn2: nn.Module = nn.BatchNorm2d(64)",
            id="annotated",
        ),
        pytest.param(
            "width = rounded(64)\nself.bn = Norm(width)",
            "width = rounded(64)\nself.bn = Norm(width)\nself.bn2 = Norm(width)",
            id="a-number-for-an-argument",
        ),
        pytest.param(
            "if norm:\n    self.bn = nn.BatchNorm2d(64)\nself.act = nn.ReLU()",
            "if norm:\n    self.bn = nn.BatchNorm2d(64)\n    self.bn2 = nn.BatchNorm2d(64)\nself.act = nn.ReLU()",
            id="nested",
        ),
        pytest.param(
            "if norm:\n    self.bn = nn.BatchNorm2d(64)\nelse:\n    self.bn = None",
            "if norm:\n    self.bn = nn.BatchNorm2d(64)\n    self.bn2 = nn.BatchNorm2d(64)\n"
            "else:\n    self.bn = None\n    self.bn2 = None",
            id="both-arms",
        ),
        pytest.param(
            "self.bn = nn.BatchNorm2d(64)  # after each convolution\n# the head\nself.fc = nn.Linear(8, 8)",
            "self.bn = nn.BatchNorm2d(64)  # after each convolution\nself.bn2 = nn.BatchNorm2d(64)\n"
            "# the head\nself.fc = nn.Linear(8, 8)",
            id="comment-stays-with-the-first",
        ),
        pytest.param(
            "self.bn = nn.BatchNorm2d(\n    64,\n    eps=1e-3,  # as in the paper\n)",
            "self.bn = nn.BatchNorm2d(\n    64,\n    eps=1e-3,  # as in the paper\n)\n"
            "self.bn2 = nn.BatchNorm2d(\n    64,\n    eps=1e-3,  # as in the paper\n)",
            id="several-lines",
        ),
        pytest.param(
            "self.bn = norm(int(dim * ratio), **dd) if ratio > 0 else nn.Identity()",
            "self.bn = norm(int(dim * ratio), **dd) if ratio > 0 else nn.Identity()\n"
            "self.bn2 = norm(int(dim * ratio), **dd) if ratio > 0 else nn.Identity()",
            id="conditional-expression",
        ),
        pytest.param(
            "self.bn = nn.BatchNorm2d(64)\nnn.init.ones_(self.bn.weight)\nself.bn.eps = 1e-3",
            "self.bn = nn.BatchNorm2d(64)\nself.bn2 = nn.BatchNorm2d(64)\nnn.init.ones_(self.bn.weight)\n"
            "nn.init.ones_(self.bn2.weight)\nself.bn.eps = 1e-3\nself.bn2.eps = 1e-3",
            id="set-up-is-repeated",
        ),
        pytest.param(
            "self.bn = nn.BatchNorm2d(64)\nfor p in self.bn.parameters():\n    p.requires_grad = False",
            "self.bn = nn.BatchNorm2d(64)\nself.bn2 = nn.BatchNorm2d(64)\n"
            "for p in self.bn.parameters():\n    p.requires_grad = False\n"
            "for p in self.bn2.parameters():\n    p.requires_grad = False",
            id="set-up-in-a-loop-is-repeated",
        ),
        pytest.param(
            "self.bn = nn.BatchNorm2d(64)\nfor m in (self.conv1, self.bn):\n    nn.init.ones_(m.weight)",
            "self.bn = nn.BatchNorm2d(64)\nself.bn2 = nn.BatchNorm2d(64)\n"
            "for m in (self.conv1, self.bn, self.bn2):\n    nn.init.ones_(m.weight)",
            id="set-up-by-a-list-goes-on",
        ),
        pytest.param(
            "self.bn = nn.BatchNorm2d(64)\nlayers.append(self.bn)\nself.norm = self.bn\nprint(f'{self.bn}')",
            "self.bn = nn.BatchNorm2d(64)\nself.bn2 = nn.BatchNorm2d(64)\nlayers.append(self.bn)\nself.norm = self.bn\n"
            "print(f'{self.bn}')",
            id="other-reads-stay-with-the-first",
        ),
    ],
)
def test_constructor(before: str, after: str) -> None:
    assert_fix(net(before), net(after, TWICE.format("bn", "bn2")), splitting())


def test_other_uses_follow_the_first_name() -> None:
    before = net("self.bn = nn.BatchNorm2d(64)\nself.norm = self.bn\nnn.init.ones_(self.bn.weight)")
    after = net(
        "self.bn1 = nn.BatchNorm2d(64)\nself.bn2 = nn.BatchNorm2d(64)\nself.norm = self.bn1\n"
        "nn.init.ones_(self.bn1.weight)\nnn.init.ones_(self.bn2.weight)",
        TWICE.format("bn1", "bn2"),
    )
    assert_fix(before, after, splitting(NUMBERED))


def test_given_constructors_replace_the_text() -> None:
    before = net("self.bn = nn.BatchNorm2d(64)  # wide")
    after = net("self.bn = nn.BatchNorm2d(64)  # wide\nself.bn2 = nn.BatchNorm2d(32)", TWICE.format("bn", "bn2"))
    assert_fix(before, after, splitting(expressions=["nn.BatchNorm2d(64)", "nn.BatchNorm2d(32)"]))


def test_a_definition_on_the_last_line_of_a_file() -> None:
    before = block("""
        class Net(nn.Module):
            def forward(self, x):
                return self.bn(self.bn(x))

            def __init__(self):
                self.bn = Norm()""")
    after = block("""
        class Net(nn.Module):
            def forward(self, x):
                return self.bn(self.bn2(x))

            def __init__(self):
                self.bn = Norm()
                self.bn2 = Norm()""")
    assert_fix(before, after, splitting())


@pytest.mark.parametrize(
    "init",
    [
        "self.bn = layer",
        "layer = nn.BatchNorm2d(64)\nself.bn = Block(layer)",
        "layers = []\nlayers.append(conv_bn(3, 8))\nself.bn = nn.Sequential(*layers)",
        "layers = [conv_bn(3, 8), nn.ReLU()]\nself.bn = nn.Sequential(*layers)",
        "self.conv = nn.Conv2d(8, 8, 3)\nself.bn = spectral_norm(self.conv)",
        "sizes = iter(dims)\nself.bn = Norm(sizes)",
        "sizes = (2 * d for d in dims)\nself.bn = Norm(sizes)",
        "self.bn = nn.BatchNorm2d(next(dims))",
        "self.bn = nn.BatchNorm2d(dims.pop())",
        "self.bn = nn.BatchNorm2d(width := 64)",
        "self.bn = registry.get(name)",
        "self.bn = self.norm = nn.BatchNorm2d(64)",
        "self.bn, self.act = nn.BatchNorm2d(64), nn.ReLU()",
        "if norm: self.bn = nn.BatchNorm2d(64)",
        "self.bn = nn.BatchNorm2d(64); self.act = nn.ReLU()",
        "self.bn = nn.BatchNorm2d(64)\nif sync: self.bn = convert(self.bn)",
        "self.bn = nn.BatchNorm2d(64)\nif init: nn.init.ones_(self.bn.weight)",
        "self.bn = nn.BatchNorm2d(64)\nsetattr(self, 'bn', nn.Identity())",
        "self.bn = nn.BatchNorm2d(64)\ndel self.bn",
        "self.bn = nn.BatchNorm2d(64)\nself.bn2 = nn.BatchNorm2d(64)",
        "self.bn = nn.BatchNorm2d(64)\nself.add_module('bn2', nn.BatchNorm2d(64))",
    ],
)
def test_refused(init: str) -> None:
    assert_fix(net(init), None, splitting())


@pytest.mark.parametrize(
    "rest",
    [
        "\nclass Wide(Net):\n    def __init__(self):\n        super().__init__()\n        self.bn = nn.LayerNorm(8)\n",
        "\n    def fuse(self):\n        self.bn = nn.Identity()\n",
    ],
)
def test_refused_where_the_attribute_is_bound_again(rest: str) -> None:
    assert_fix(net("self.bn = nn.BatchNorm2d(64)") + rest, None, splitting())


@pytest.mark.parametrize(
    "rest",
    [
        "\n    def norm(self):\n        return getattr(self, 'bn')\n",
        "\n    def norm(self, name):\n        return getattr(self, name)\n",
        "\n    bn: nn.Module\n",
        "\n\ndef freeze(net):\n    net.bn.eval()\n",
        "\n\nclass Wide(Net):\n    def norm(self):\n        return self.bn\n",
        "\n\nKEYS = ['layer1.bn.weight']\n",
    ],
)
def test_what_speaks_of_the_name_elsewhere_allows_the_first_to_keep_it_only(rest: str) -> None:
    before = net("self.bn = nn.BatchNorm2d(64)") + rest
    after = net("self.bn = nn.BatchNorm2d(64)\nself.bn2 = nn.BatchNorm2d(64)", TWICE.format("bn", "bn2")) + rest
    assert_fix(before, after, splitting())
    assert_fix(before, None, splitting(NUMBERED))


def test_the_same_attribute_of_an_unrelated_class_does_not_matter() -> None:
    rest = "\n\nclass Other(nn.Module):\n    def forward(self, x):\n        return self.bn(x)\n"
    after = net("self.bn1 = nn.BatchNorm2d(64)\nself.bn2 = nn.BatchNorm2d(64)", TWICE.format("bn1", "bn2"))
    text = Text(net("self.bn = nn.BatchNorm2d(64)") + rest)
    sites = text.calls("self.bn")[:2]
    assert text.fixed(split(text.cls(), "bn", text.definition("self.bn"), sites, NUMBERED)) == after + rest


def test_a_text_that_has_moved_on_is_refused() -> None:
    text = Text(net("self.bn = nn.BatchNorm2d(64)"))
    build = splitting()(text)
    assert build(Text(text.text + "\n").index) is None


def test_positions_count_code_points() -> None:
    before = net("self.bn = nn.BatchNorm2d(64)", "x = f('é𝄞', self.bn(x)); y = self.bn('𝄞', x)")
    after = net(
        "self.bn1 = nn.BatchNorm2d(64)\nself.bn2 = nn.BatchNorm2d(64)", "x = f('é𝄞', self.bn1(x)); y = self.bn2('𝄞', x)"
    )
    assert_fix(before, after, splitting(NUMBERED))
