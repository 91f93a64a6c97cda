"""The rules offer a list for a module that every pass of a loop calls, and nothing is found in what it makes."""

import pytest
from repairing import fixes, model

TEXT = """
class Net(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(4, 4, 3) for _ in range(depth)])
        self.bn = nn.BatchNorm2d(4)

    def forward(self, x):
        {loop}
        return x
"""
TITLE = "Give each pass of the loop its own: `self.bns`"


@pytest.mark.parametrize(
    "loop",
    [
        "for conv in self.convs:\n            x = self.bn(conv(x))",
        "for i in range(3):\n            x = self.bn(self.convs[i](x))",
    ],
)
def test_a_list_is_offered_and_mends_it(loop: str) -> None:
    fixed = fixes(model(TEXT.format(loop=loop)))[TITLE]
    assert fixed is not None and "self.bns" in fixed
    assert fixes(fixed) == {}


def test_no_list_where_a_method_with_the_loop_is_called_twice() -> None:
    text = model(TEXT.format(loop="x = self.go(self.go(x))"))
    text += (
        "\n    def go(self, x):\n        for conv in self.convs:\n            x = self.bn(conv(x))\n        return x\n"
    )
    assert TITLE not in fixes(text)
