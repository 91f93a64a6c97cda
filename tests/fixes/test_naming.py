"""Names for new attributes."""

import pytest
from fixing import Text

from nnreuse.fixes.naming import free_names, numbered_names


def owner(body: str = "pass"):
    return Text(f"class Net:\n    def f(self):\n        {body}\n").cls()


@pytest.mark.parametrize(
    ("attribute", "kept", "numbered"),
    [
        ("bn", ["bn2", "bn3"], ["bn1", "bn2"]),
        ("norm1", ["norm2", "norm3"], ["norm1", "norm2"]),
        ("layer_1", ["layer_2", "layer_3"], ["layer_1", "layer_2"]),
        ("fc512", ["fc512_2", "fc512_3"], ["fc512_1", "fc512_2"]),
        ("conv2d", ["conv2d_2", "conv2d_3"], ["conv2d_1", "conv2d_2"]),
        ("conv_3x3", ["conv_3x3_2", "conv_3x3_3"], ["conv_3x3_1", "conv_3x3_2"]),
    ],
)
def test_what_a_person_would_choose(attribute: str, kept: list[str], numbered: list[str]) -> None:
    assert free_names(owner(), attribute, 2, ()) == kept
    assert numbered_names(owner(), attribute, 2, ()) == numbered


@pytest.mark.parametrize(
    "body",
    ["self.bn2 = 1", "getattr(self, 'bn2')", "x.bn2()", "bn2: int = 3", "def bn2(self): pass"],
)
def test_a_name_the_class_uses_is_taken(body: str) -> None:
    assert free_names(owner(body), "bn", 1, ()) == ["bn3"]


def test_names_given_are_taken() -> None:
    assert free_names(owner(), "norm1", 1, {"norm2"}) == ["norm3"]
    assert numbered_names(owner(), "bn", 2, {"bn1"}) == ["bn2", "bn3"]


@pytest.mark.parametrize(
    ("made", "expected"),
    [("f'bn{i}'", "bn_2"), ("'bn%d' % i", "bn_2"), ("f'bn{name}'", "bn2"), ("'bn' + str(i)", "bn2")],
)
def test_names_that_the_class_makes_are_avoided_where_they_can_be(made: str, expected: str) -> None:
    body = f"getattr(self, {made})"
    assert free_names(owner(body), "norm", 1, ()) == ["norm2"]
    assert free_names(owner(body), "bn", 1, ()) == [expected]
