"""From a multiplied list to a comprehension."""

import ast

import pytest
from fixing import Text, assert_fix, net

from nnreuse.fixes.comprehension import repeat_name, repeat_to_comprehension
from nnreuse.fixes.writing import Build
from nnreuse.syntax.units import Place


def product(text: Text) -> Place:
    """The first product of the text, the outermost where several begin there; else the first sum."""
    found = [(place, node) for place, node in text.nodes() if isinstance(node, ast.BinOp)]
    products = [place for place, node in found if isinstance(node.op, ast.Mult)] or [place for place, _ in found]
    return min(products, key=lambda place: (text.index.span(place).start, -place.span.end))


def repeating(text: Text) -> Build:
    return repeat_to_comprehension(product(text))


def naming(text: Text) -> Build:
    return repeat_name(product(text))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[A(8)] * n", "[A(8) for _ in range(n)]"),
        ("n * [A(8)]", "[A(8) for _ in range(n)]"),
        ("[A(8), ] * (n - 1)", "[A(8) for _ in range(n - 1)]"),
        ("nn.ModuleList((A(8),) * n)", "nn.ModuleList([A(8) for _ in range(n)])"),
        ("(A(8),) * n + (B(),)", "tuple(A(8) for _ in range(n)) + (B(),)"),
        ("nn.Sequential(*[A(8)] * len(dims))", "nn.Sequential(*[A(8) for _ in range(len(dims))])"),
        ("[A(8), nn.ReLU()] * n", "[m for _ in range(n) for m in (A(8), nn.ReLU())]"),
        ("(A(8), A(m)) * n", "tuple(layer for _ in range(n) for layer in (A(8), A(m)))"),
        ("[A(_)] * _", "[A(_) for _i in range(_)]"),
        ("sizes[0] * [A(8)]", "[A(8) for _ in range(sizes[0])]"),
        ("nn.ModuleList[A(8)] * n", "nn.ModuleList([A(8) for _ in range(n)])"),
        ("nn.Sequential[A(8)] * n", "nn.Sequential(*[A(8) for _ in range(n)])"),
        ("[Block(self.norm)] * n", "[Block(self.norm) for _ in range(n)]"),
        (
            "nn.ModuleList(\n    [\n        # deep, wide\n        A(8),  # one, two\n    ] * n,\n)",
            "nn.ModuleList(\n    [\n        # deep, wide\n        A(8) for _ in range(n)  # one, two\n    ],\n)",
        ),
        (
            "nn.ModuleList(\n    [A(\n        8,  # wide\n    )]\n    * n\n)",
            "nn.ModuleList(\n    [A(\n        8,  # wide\n    ) for _ in range(n)]\n)",
        ),
        (
            "[\n    A(8),  # first\n    B(8),\n] * n",
            "[m for _ in range(n) for m in (\n    A(8),  # first\n    B(8),\n)]",
        ),
    ],
)
def test_each_position_has_its_own(before: str, after: str) -> None:
    assert_fix(
        net(f"self.norm = Norm()\nself.x = {before}  # é"), net(f"self.norm = Norm()\nself.x = {after}  # é"), repeating
    )


@pytest.mark.parametrize(
    "init",
    [
        "self.x = [layer] * n",
        "self.x = [A(8), layer] * n",
        "self.x = [*layers, A(8)] * n",
        "self.x = [A(8)] * a * b",
        "self.x = [super().make(8)] * n",
        "self.x = [A(next(dims))] * n",
        "norm = Norm()\nself.x = [Block(norm)] * n",
        "layers = [Norm()]\nself.x = [nn.Sequential(*layers)] * n",
        "self.x = nn.ModuleList(\n    [A(8)]  # deep\n    * n\n)",
        "self.x = [A(8)] + [B()]",
    ],
)
def test_refused(init: str) -> None:
    assert_fix(net(init), None, repeating)


def test_refused_where_the_comprehension_would_be_multiplied_again() -> None:
    inner = "[A(8)] * a"
    assert_fix(net(f"self.x = {inner} * b"), None, lambda text: repeat_to_comprehension(text.places(inner)[0]))


def test_refused_in_a_class_body_where_names_would_be_lost() -> None:
    assert_fix("class Net(nn.Module):\n    width = 8\n    layers = [A(width)] * 3\n", None, repeating)
    assert_fix("layers = [A(width)] * 3\n", "layers = [A(width) for _ in range(3)]\n", repeating)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "# one layer\nlayer = A(8)\nself.x = nn.ModuleList([layer] * n)",
            "# one layer\nself.x = nn.ModuleList([A(8) for _ in range(n)])",
        ),
        (
            "layer = A(\n    8,\n)\nif deep:\n    self.x = [layer] * n",
            "if deep:\n    self.x = [A(\n        8,\n    ) for _ in range(n)]",
        ),
    ],
)
def test_a_name_gives_way_to_its_constructor(before: str, after: str) -> None:
    assert_fix(net(before), net(after), naming)


@pytest.mark.parametrize(
    "init",
    [
        "layer = A(8)  # shared\nself.x = [layer] * n",
        "layer = A(8)\nself.x = [layer] * n\nself.y = layer",
        "layer = A(dim)\ndim = 4\nself.x = [layer] * n",
        "layer = A(8)\nif b:\n    layer = B(8)\nself.x = [layer] * n",
        "if a:\n    layer = A(8)\nself.x = [layer] * n",
        "layer = make\nself.x = [layer] * n",
        "self.x = [layer] * n",
    ],
)
def test_a_name_that_is_more_than_that_stays(init: str) -> None:
    assert_fix(net(init), None, naming)
