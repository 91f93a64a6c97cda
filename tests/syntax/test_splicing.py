"""Edits that leave a text no Python, and edits that mend it: judged by the units they touch, as Python judges the whole text."""

import random

import pytest
from random_edits import Client, is_python, messages, text_of

from nnreuse.syntax import index as indexing
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Encoding, LineChange, Position, Source

TEXT = """import torch

class Net:
    def one(self, x):
        return x

    def two(self, x):
        if x:
            return x
        return 0
"""


def _edited(source: Source, index: FileIndex, old: str, new: str) -> tuple[Source, FileIndex]:
    at = source.text.index(old)
    source, change = source.edited(source.position(at), source.position(at + len(old)), new, Encoding.UTF32)
    return source, index.updated(source, change)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return x\n\n", "return self.one(\n\n"),
        ("return x\n\n", "return x)\n\n"),
        ("return x\n\n", "y = = x\n\n"),
        ("return x\n\n", "return 'x\n\n"),
        ("if x:\n", "if x\n"),
    ],
)
def test_what_no_text_around_can_mend_is_seen_without_reading_the_file(old, new, monkeypatch) -> None:
    source = Source(TEXT)
    index = FileIndex.of(source)
    monkeypatch.setattr(indexing, "parse", lambda text: pytest.fail("the whole file was read"))
    edited, broken = _edited(source, index, old, new)
    assert not is_python(edited.text) and broken.broken is not None
    mended, again = _edited(edited, broken, new, old)
    assert mended.text == TEXT and again.broken is None
    kept = [one is other for one, other in zip(index.parts, again.parts, strict=True)]
    assert kept == [True, False]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("        return 0\n", "        else:\n            return 0\n"),
        ("        return 0\n", "    return 0\n"),
        ("        return x\n\n", "        '''\n\n"),
        ("import torch\n", "import torch \\\n"),
        ("    def one(self, x):\n        return x\n", "    def one(self, x):\n"),
    ],
)
def test_what_the_text_around_decides_is_judged_as_python_does(old, new) -> None:
    source = Source(TEXT)
    edited, index = _edited(source, FileIndex.of(source), old, new)
    assert (index.broken is None) == is_python(edited.text)


def test_of_a_last_line_that_goes_nothing_is_left_to_judge() -> None:
    source = Source("a = 1; b = 2\na = 1; b = 2\nimport torch.nn as nn\n")
    edited, index = _edited(source, FileIndex.of(source), "import torch.nn as nn\n", "")
    assert index.broken is None and edited.text == "a = 1; b = 2\na = 1; b = 2\n"


def test_after_any_edits_a_text_is_called_python_where_python_says_so() -> None:
    for seed in range(250):
        pick = random.Random(seed)
        client = Client(text_of(pick), "utf-32")
        source = Source(client.text)
        index = FileIndex.of(source)
        for changes in messages(pick, client, 5):
            for one in changes:
                if "range" in one:
                    start, end = (Position(at["line"], at["character"]) for at in one["range"].values())
                    source, lines = source.edited(start, end, one["text"], Encoding.UTF32)
                else:
                    lines, source = LineChange(0, len(source.lines), 0), Source(one["text"])
                    lines = LineChange(0, lines.old_end, len(source.lines))
                index = index.updated(source, lines)
            assert (index.broken is None) == is_python(client.text), f"seed {seed}"
