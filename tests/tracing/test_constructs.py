"""What the tracer follows, construct by construct: it says what torch does when it runs the same class."""

from collections.abc import Iterator

import pytest
from agreement import disagreements
from constructs import CONSTRUCTS, source
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


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_the_facts_are_those_of_torch(name: str) -> None:
    one = CONSTRUCTS[name]
    found = disagreements(_HEADER + source(one, "Net"), "Net")
    assert [line for line in found if not (one.wraps and "} in torch, (" in line)] == []
