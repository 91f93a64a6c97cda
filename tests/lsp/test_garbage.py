"""When the server looks for garbage among old objects: not because a file was read, but because much has died."""

import gc
from collections.abc import Iterator

import pytest

from nnreuse.lsp.garbage import Garbage


class Node:
    """Garbage, once nobody holds it, that only a collection finds."""

    def __init__(self) -> None:
        self.me = self


def aged(count: int) -> list[Node]:
    """So many objects that have become old."""
    made = [Node() for _ in range(count)]
    gc.collect(1)
    return made


@pytest.fixture
def collections() -> Iterator[list[str]]:
    """The full collections since the start of the test."""
    seen: list[str] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            seen.append(phase)

    gc.collect()
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(1_000, 2, 1_000_000)
    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_what_a_first_file_leaves_is_not_looked_through(collections: list[str]) -> None:
    garbage, kept = Garbage(), aged(20_000)
    garbage.look(paused=False)
    assert not collections and kept


def test_few_objects_are_looked_through_whenever_some_have_become_old(collections: list[str]) -> None:
    garbage, kept = Garbage(), aged(20_000)
    garbage.look(paused=False)
    for number in (1, 2):
        aged(2_000)
        garbage.look(paused=False)
        garbage.look(paused=False)
        assert len(collections) == number and kept


def test_many_objects_are_looked_through_in_a_pause_or_when_many_more_have_become_old(
    collections: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnreuse.lsp.garbage.CHEAP", 0)
    garbage, kept = Garbage(), aged(20_000)
    garbage.look(paused=False)
    aged(2_000)
    garbage.look(paused=False)
    assert not collections
    garbage.look(paused=True)
    assert len(collections) == 1
    garbage.look(paused=True)
    aged(4_000)
    garbage.look(paused=False)
    assert len(collections) == 2 and kept
