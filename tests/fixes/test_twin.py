"""Calling the module that was meant, and deleting the one that nothing calls."""

import pytest
from fixing import Making, Text, assert_fix, net

from nnreuse.fixes.twin import call_instead, delete_definition

INIT = "self.bn1 = nn.BatchNorm2d(64)\nself.bn2 = nn.BatchNorm2d(64)"


def calling(number: int, old: str = "bn1", new: str = "bn2") -> Making:
    return lambda text: call_instead(text.calls(f"self.{old}")[number], old, new)


def deleting(target: str = "self.bn2") -> Making:
    return lambda text: delete_definition(text.definition(target))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return self.bn1(x, self.bn1)", "return self.bn2(x, self.bn1)"),
        ("return self . bn1 (x)  # bn1", "return self . bn2 (x)  # bn1"),
        ("return '𝄞', self.bn1(x)", "return '𝄞', self.bn2(x)"),
    ],
)
def test_exactly_the_name_changes(before: str, after: str) -> None:
    assert_fix(net(INIT, before), net(INIT, after), calling(0))


def test_another_name_is_not_touched() -> None:
    assert_fix(
        net(INIT, "return self.xbn1(x)"), None, lambda text: call_instead(text.calls("self.xbn1")[0], "bn1", "bn2")
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{INIT}\nself.act = nn.ReLU()", "self.bn1 = nn.BatchNorm2d(64)\nself.act = nn.ReLU()"),
        ("# both\nself.bn2 = nn.BatchNorm2d(64)  # second\nself.a = 1", "# both\nself.a = 1"),
        ("self.a = 1\nself.bn2 = nn.BatchNorm2d(\n    64,  # wide\n)\nself.b = 1", "self.a = 1\nself.b = 1"),
        ("if deep:\n    self.a = 1\n    self.bn2 = nn.BatchNorm2d(64)", "if deep:\n    self.a = 1"),
    ],
)
def test_a_definition_goes_with_its_lines(before: str, after: str) -> None:
    assert_fix(net(before, "return x"), net(after, "return x"), deleting())


@pytest.mark.parametrize(
    "init",
    [
        "if deep:\n    self.bn2 = nn.BatchNorm2d(64)",
        "self.a = 1; self.bn2 = nn.BatchNorm2d(64)",
        "self.a = 1; \\\n        self.bn2 = nn.BatchNorm2d(64)",
        "self.a = 1\nself.bn2 = self.bn3 = nn.BatchNorm2d(64)",
        "self.bn2 = nn.BatchNorm2d(64)\nnn.init.ones_(self.bn2.weight)",
        "self.bn2 = nn.BatchNorm2d(64)\nself.names = ['bn2']",
        "self.bn2 = nn.BatchNorm2d(64)\ngetattr(self, name)",
    ],
)
def test_a_definition_that_is_needed_stays(init: str) -> None:
    assert_fix(net(init, "return x"), None, deleting())


def test_a_definition_that_another_object_is_asked_for_stays() -> None:
    rest = "\n\ndef zero(model):\n    for m in model.blocks:\n        nn.init.zeros_(m.bn2.weight)\n"
    assert_fix(net(INIT, "return x") + rest, None, deleting())


def test_a_stale_place_is_refused() -> None:
    text = Text(net(INIT, "return self.bn1(self.bn1(x))"))
    assert calling(0)(text)(Text(text.text).index) is None
    assert deleting()(text)(Text(text.text).index) is None
