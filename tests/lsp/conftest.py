"""Fixtures of the language server's tests."""

from collections.abc import Callable

import pytest
from talking import FakeWorkspace, Talk, span

from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import Place, Unit, leaves


@pytest.fixture
def talk() -> Talk:
    return Talk(FakeWorkspace())


@pytest.fixture
def place_of() -> Callable[[FileIndex, str], Place]:
    """Where a text stands in an index, as a place in its unit."""

    def find(index: FileIndex, needle: str) -> Place:
        unit: Unit
        for unit in leaves(index.parts):
            at = unit.text.find(needle)
            if at >= 0:
                return Place(unit, Span(at, at + len(needle)))
        raise AssertionError(needle)

    return find


@pytest.fixture
def as_span() -> Callable[[tuple[int, int], tuple[int, int]], dict[str, dict[str, int]]]:
    return span
