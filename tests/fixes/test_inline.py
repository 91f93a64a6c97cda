"""A local instance constructed at each of its uses."""

import pytest
from fixing import Text, assert_fix, net

from nnreuse.fixes.inline import inline_instance


def inlining(text: Text):
    definition = text.definition("m")
    return inline_instance(definition.unit, definition, text.uses("m"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "# the layer\nm = A(dim)\nfor i in range(n):\n    self.layers.append(m)",
            "# the layer\nfor i in range(n):\n    self.layers.append(A(dim))",
        ),
        ("m = A(8)\nself.x = nn.Sequential(m, act, m)", "self.x = nn.Sequential(A(8), act, A(8))"),
        (
            "m: nn.Module = A(8)\nself.x = nn.ModuleList([m for _ in range(n)])",
            "self.x = nn.ModuleList([A(8) for _ in range(n)])",
        ),
        ("m = A(8) if deep else B()\nself.x = [m, m]", "self.x = [(A(8) if deep else B()), (A(8) if deep else B())]"),
        (
            "m = A(\n    8,  # wide\n)\nfor _ in range(n):\n    self.layers.append(m)",
            "for _ in range(n):\n    self.layers.append(A(\n        8,  # wide\n    ))",
        ),
        (
            "m = A(self.dim)\nself.layers = []\nself.a = m\nself.b = m",
            "self.layers = []\nself.a = A(self.dim)\nself.b = A(self.dim)",
        ),
    ],
)
def test_constructed_at_each_use(before: str, after: str) -> None:
    assert_fix(net(before), net(after), inlining)


@pytest.mark.parametrize(
    "init",
    [
        "m = A(8)  # shared\nself.x = [m, m]",
        "m = A(dim)\nfor dim in dims:\n    self.layers.append(m)",
        "m = A(dim)\nself.x = [m for dim in dims]",
        "m = A(dims[-1])\nfor _ in dims:\n    dims.pop()\n    self.layers.append(m)",
        "m = A(self.dim)\nself.dim = 3\nself.x = [m, m]",
        "m = A(self.cfg.dim)\nself.cfg.dim = 3\nself.x = [m, m]",
        "m = A(8)\nm = B(m)\nself.x = [m, m]",
        "m = A(8)\nself.x = lambda: m",
        "m = A(norm)\ndef make():\n    return m\nself.x = make",
        "for m in layers:\n    self.x = m\nm = A(8)",
        "if a:\n    m = A(8)\nself.x = [m, m]",
        "if a:\n    m = A(8)\n    b = 1\nself.x = [m, m]",
        "norm = Norm()\nm = A(norm)\nself.x = [m, m]",
        "m = layer\nself.x = [m, m]",
        "m = A(next(dims))\nself.x = [m, m]",
    ],
)
def test_refused(init: str) -> None:
    assert_fix(net(init), None, inlining)


def test_refused_unless_all_uses_are_given() -> None:
    text = Text(net("m = A(8)\nself.x = [m, m]"))
    definition = text.definition("m")
    assert text.fixed(inline_instance(definition.unit, definition, text.uses("m")[:1])) is None
