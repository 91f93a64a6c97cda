"""What the tracer follows, construct by construct: it says what torch does when it runs the same class."""

import textwrap
from collections.abc import Iterator

import pytest
from agreement import disagreements
from constructs import CONSTRUCTS, Construct
from torch_truth import watching

_HEADER = """\
import copy
import functools
from collections import OrderedDict
from functools import partial, reduce

import torch
from torch import nn

"""


@pytest.fixture(scope="module", autouse=True)
def _watching() -> Iterator[None]:
    with watching():
        yield


def _source(one: Construct) -> str:
    def body(text: str, columns: int) -> str:
        return textwrap.indent(text.strip(), " " * columns)

    return (
        f"{_HEADER}{one.before}\nclass Net({one.bases}):\n"
        f"    def __init__(self{one.parameters}):\n        super().__init__()\n{body(one.init, 8)}\n\n"
        f"    def forward(self, {one.arguments}):\n{body(one.forward, 8)}\n\n{body(one.methods, 4)}\n"
    )


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_the_facts_are_those_of_torch(name: str) -> None:
    one = CONSTRUCTS[name]
    found = disagreements(_source(one), "Net")
    assert [line for line in found if not (one.wraps and "} in torch, (" in line)] == []
