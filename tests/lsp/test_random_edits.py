"""After any edits, what is published is what a fresh server says of the same text.

NNREUSE_SEQUENCES is how many sequences are tried, NNREUSE_SEED the number of the first, or `random`.
"""

import json
import os
import random
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from random_edits import Client, messages, text_of
from talking import Process, Talk

from nnreuse.lsp.client import Client as Capabilities
from nnreuse.lsp.convert import View
from nnreuse.syntax.source import Encoding, Source
from nnreuse.syntax.units import is_python
from nnreuse.workspace.workspace import TextChange, Workspace

_SEQUENCES = int(os.environ.get("NNREUSE_SEQUENCES", "150"))
_GIVEN = os.environ.get("NNREUSE_SEED", "5000")
_SEED = random.randrange(10**9) if _GIVEN == "random" else int(_GIVEN)
_PARTS = 10
_CAPABILITIES = {"textDocument": {"publishDiagnostics": {"relatedInformation": True}}}


class Sequence:
    """A document that is edited through a server, and analyses that were never told of an edit."""

    def __init__(self, seed: int, encoding: str) -> None:
        self.pick = random.Random(seed)
        self.path = Path(f"/w/net{seed}.py")
        self.client = Client(text_of(self.pick), encoding)
        self.capabilities = Capabilities(Encoding(encoding), related_information=True)
        self.good: str | None = None
        self.history: list[object] = [self.client.text]

    def run(self, talk: "Talk | Process") -> None:
        """Raises AssertionError with all that was sent where the two disagree."""
        self._compare(talk, talk.open(self.client.text, self.path.as_uri()))
        for version, changes in enumerate(messages(self.pick, self.client, self.pick.randint(1, 4)), 2):
            self.history.append(changes)
            document = {"uri": self.path.as_uri(), "version": version}
            sent = talk.tell("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
            (published,) = [m["params"] for m in sent if m["method"] == "textDocument/publishDiagnostics"]
            assert published["version"] == version, self.history
            self._compare(talk, published)
        talk.tell("textDocument/didClose", {"textDocument": {"uri": self.path.as_uri()}})

    def _compare(self, talk: "Talk | Process", published: dict[str, Any]) -> None:
        if isinstance(talk, Talk):
            source = talk.workspace.source(self.path)
            assert source is not None and source.lines == Source(self.client.text).lines, json.dumps(self.history)
        expected = _converter().unstructure(self._expected(), list)
        assert published["diagnostics"] == expected, f"{json.dumps(self.history)}\n{published}\n{expected}"

    def _expected(self) -> list[Any]:
        """Of a fresh analysis; while the text is no Python, of one that saw the last text that was, and then this."""
        fresh, text = Workspace(), self.client.text
        analysis = fresh.open(self.path, text)
        if is_python(text):
            self.good = text
        elif self.good is not None:
            fresh = Workspace()
            fresh.open(self.path, self.good)
            analysis = fresh.change(self.path, [TextChange(None, None, text)], self.capabilities.encoding)
        source = fresh.source(self.path)
        assert source is not None
        view = View(self.path.as_uri(), analysis, source, self.capabilities, fresh.settings(self.path))
        return view.diagnostics()


@cache
def _converter() -> Any:
    return Talk(Workspace()).protocol._converter


def _run(talks: "dict[str, Talk] | dict[str, Process]", seeds: Iterable[int]) -> None:
    for seed in seeds:
        encoding = tuple(talks)[seed % len(talks)]
        try:
            Sequence(seed, encoding).run(talks[encoding])
        except AssertionError as error:
            raise AssertionError(f"NNREUSE_SEED={seed}: {error}") from None


@pytest.mark.parametrize("part", range(_PARTS))
def test_edits_leave_the_diagnostics_of_a_fresh_server(part: int) -> None:
    talks = {}
    for encoding in ("utf-8", "utf-16", "utf-32"):
        talks[encoding] = Talk(Workspace())
        talks[encoding].initialize(general={"positionEncodings": [encoding]}, **_CAPABILITIES)
    _run(talks, range(_SEED + part, _SEED + _SEQUENCES, _PARTS))
    assert all(talk.request("nnreuse/status", {})["files"]["open"] == 0 for talk in talks.values())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_so_they_do_in_a_process(encoding) -> None:
    with Process() as process:
        process.initialize(general={"positionEncodings": [encoding]}, **_CAPABILITIES)
        _run({encoding: process}, range(_SEED, _SEED + max(10, _SEQUENCES // 20)))
