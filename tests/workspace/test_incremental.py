"""What an edit leaves standing is what a fresh analysis says: traces and findings, of the file that is edited and of those that read it.

The programs are the tracer's constructs, several in a file and spread over two. NNREUSE_SEQUENCES is how many sequences of edits
are tried (a tenth of it here), NNREUSE_SEED the number of the first.
"""

import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from constructs import CONSTRUCTS, source
from random_edits import is_python

from nnreuse.syntax.source import Encoding, Source
from nnreuse.workspace.explanation import explain
from nnreuse.workspace.workspace import TextChange, Workspace

_SEQUENCES = max(40, int(os.environ.get("NNREUSE_SEQUENCES", "400")) // 10)
_SEED = int(os.environ.get("NNREUSE_SEED", "7000"))
_EDITS = 6
_PARTS = 10
_BLOCKS, _NET = Path("/w/blocks.py"), Path("/w/net.py")
_HEADER = (
    "import copy\nimport functools\nfrom collections import OrderedDict\nfrom functools import partial, reduce\n\n"
    "import torch\nfrom torch import nn\n\n"
)
_NAMES = (
    "self.a",
    "self.b",
    "self.l",
    "nn.Linear",
    "nn.LayerNorm",
    "nn.BatchNorm1d",
    "nn.PReLU",
    "nn.ReLU",
    "x",
    "flag",
)


def _texts(pick: random.Random) -> dict[Path, str]:
    """Two files: classes, and classes that inherit from, hold and call them."""
    few = [CONSTRUCTS[name] for name in pick.sample(sorted(CONSTRUCTS), 4)]
    blocks = _HEADER + "WIDTH = 2\n\n" + source(few[0], "A") + source(few[1], "B")
    uses = pick.choice(("from blocks import A, B, WIDTH\n", "from blocks import *\n", "import blocks\n"))
    held = "blocks." if uses == "import blocks\n" else ""
    net = _HEADER + uses + source(few[2], "C") + source(few[3], "D")
    net += (
        f"class Heir({held}A):\n    def extra(self, x):\n        return self.a(x)\n\n\n"
        f"class Whole(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a = {held}A()\n"
        f"        self.b = {held}B()\n        self.c = nn.Linear({held}WIDTH, {held}WIDTH)\n        self.d = C()\n\n"
        "    def forward(self, x):\n        x = self.c(self.a(x))\n        return self.d(self.b(self.a(x)))\n"
    )
    return {_BLOCKS: blocks, _NET: net}


def _edited(pick: random.Random, text: str) -> str:
    """The text after one edit, which mostly leaves it Python."""
    lines = text.splitlines(keepends=True)
    number = pick.randrange(len(lines))
    match pick.choice(("name", "name", "number", "delete", "repeat", "swap", "comment", "break", "member")):
        case "name":
            words = list(re.finditer("|".join(map(re.escape, _NAMES)), text))
            word = pick.choice(words)
            return text[: word.start()] + pick.choice(_NAMES) + text[word.end() :]
        case "number":
            digits = list(re.finditer(r"\b\d\b", text))
            digit = pick.choice(digits)
            return text[: digit.start()] + str(pick.randint(0, 3)) + text[digit.end() :]
        case "delete":
            del lines[number]
        case "repeat":
            lines.insert(number, lines[number])
        case "swap":
            other = pick.randrange(len(lines))
            lines[number], lines[other] = lines[other], lines[number]
        case "comment":
            lines[number] = lines[number].rstrip("\n") + pick.choice(("  # nnreuse: shared\n", "  # said\n"))
        case "break":
            lines[number] = lines[number].rstrip("\n") + "(\n"
        case _:
            starts = [n for n, line in enumerate(lines) if line.startswith("    def ")]
            at = pick.choice(starts)
            lines[at:at] = ["    def more(self, x):\n", "        return self.a(self.a(x))\n", "\n"]
    return "".join(lines)


def _change(old: str, new: str) -> TextChange:
    """The one change that leads from a text to another."""
    head = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    least = min(len(old), len(new)) - head
    tail = next((n for n in range(least) if old[-1 - n] != new[-1 - n]), least)
    source = Source(old)
    return TextChange(source.position(head), source.position(len(old) - tail), new[head : len(new) - tail])


def _said(workspace: Workspace) -> Iterator[str]:
    """All that is known of both files, as text."""
    for path in (_BLOCKS, _NET):
        analysis = workspace.current(path)
        assert analysis is not None
        for one in analysis.findings:
            yield f"{path.name} {analysis.index.span(one.place)} {one.rule} {one.severity} {one.message}"
        for trace in workspace.traces(path):
            yield from explain(trace)


def _fresh(texts: dict[Path, str]) -> Workspace:
    workspace = Workspace()
    for path, text in texts.items():
        workspace.open(path, text)
    return workspace


def _run(seed: int) -> int:
    pick = random.Random(seed)
    texts = _texts(pick)
    workspace, compared = _fresh(texts), 0
    list(_said(workspace))  # asks what instances carry: more is read
    made = [texts]
    for _ in range(_EDITS):
        path = pick.choice((_BLOCKS, _NET))
        new = pick.choice(made)[path] if pick.random() < 0.2 else _edited(pick, texts[path])
        workspace.change(path, [_change(texts[path], new)], Encoding.UTF32)
        workspace.outdated()
        if pick.random() < 0.7:
            workspace.prepare(path)
        texts = {**texts, path: new}
        made.append(texts)
        if all(map(is_python, texts.values())):
            compared += 1
            expected, found = list(_said(_fresh(texts))), list(_said(workspace))
            said = "\n".join(f"- {a}\n+ {b}" for a, b in zip(expected, found, strict=False) if a != b)
            assert found == expected, (
                f"NNREUSE_SEED={seed}: after {compared} edits\n{said}\n{texts[_BLOCKS]}\n{texts[_NET]}"
            )
    return compared


@pytest.mark.parametrize("part", range(_PARTS))
def test_after_any_edits_traces_and_findings_are_those_of_a_fresh_analysis(part: int) -> None:
    seeds = range(_SEED + part, _SEED + _SEQUENCES, _PARTS)
    assert sum(map(_run, seeds)) > len(seeds)  # most edits leave Python


def test_a_class_whose_base_goes_in_the_same_message_goes_with_it() -> None:
    net = "class Net(Block):\n    def forward(self, x):\n        return self.a(x)\n"
    block = "class Block(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a = nn.PReLU()\n\n\n"
    texts = {_BLOCKS: "x = 1\n", _NET: f"{_HEADER}{block}{net}"}
    workspace = _fresh(texts)
    list(_said(workspace))
    between = texts[_NET].replace("    def __init__", "    width = 2\n\n    def __init__")
    other = {**texts, _NET: between.replace("self.a(x)", "self.a(self.a(x))")}
    changes = [_change(texts[_NET], between), _change(between, other[_NET])]
    workspace.change(_NET, changes, Encoding.UTF32)
    assert list(_said(workspace)) == list(_said(_fresh(other)))


@pytest.mark.parametrize(
    ("before", "after"), [("nn.ReLU()", "nn.PReLU()"), ("nn.PReLU()", "nn.Tanh()"), ("", "nn.PReLU()")]
)
def test_a_finding_that_follows_from_a_caller_follows_the_caller(before: str, after: str) -> None:
    body = "        self.net = nn.Sequential(*[act for _ in range(n)])\n"
    block = f"class Block(nn.Module):\n    def __init__(self, act, n):\n        super().__init__()\n{body}\n\n"
    top = "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        "
    calls = [f"self.a = Block({given}, 3)" if given else "self.a = None" for given in (before, after)]
    texts, other = ({_BLOCKS: "x = 1\n", _NET: f"{_HEADER}{block}{top}{call}\n"} for call in calls)
    workspace = _fresh(texts)
    said = list(_said(workspace))
    workspace.change(_NET, [_change(texts[_NET], other[_NET])], Encoding.UTF32)
    assert list(_said(workspace)) == list(_said(_fresh(other))) != said
