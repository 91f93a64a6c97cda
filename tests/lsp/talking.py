"""A workspace that finds the word `bad`, and a client that speaks to a server in the same process."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

from nnreuse.config.severity import Severity
from nnreuse.fixes.fix import Applicability, Fix
from nnreuse.lsp.server import create_server, protocol_of
from nnreuse.lsp.transport import messages
from nnreuse.rules.finding import Evidence, Finding, Related
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Encoding, LineChange, Source
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import Place, Unparsable, leaves
from nnreuse.workspace.analysis import Analysis
from nnreuse.workspace.workspace import TextChange, Workspace

NET = """import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1)
        self.conv2 = nn.Conv2d(64, 64, 3, padding=1)
        self.bn = nn.BatchNorm2d(64)

    def forward(self, x):
        label = "🔥"; x = self.bn(self.conv1(x))
        x = self.bn(self.conv2(x))
        return x
"""


class FakeWorkspace(Workspace):
    """`bad` is a warning with fixes, `meh` a hint, `boom` an internal error. `builds` counts the fixes that were built."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[Path, tuple[Source, FileIndex, Analysis]] = {}
        self.builds = 0

    def open(self, path: Path, text: str) -> Analysis:
        if "boom" in text:
            raise RuntimeError("boom")
        source = Source(text)
        try:
            index = FileIndex.of(source)
        except Unparsable as error:
            index = FileIndex(source, [], error)
        return self._store(path, source, index)

    def change(self, path: Path, changes: Sequence[TextChange], encoding: Encoding) -> Analysis:
        source, index, _ = self.files[path]
        for change in changes:
            if change.start is None or change.end is None:
                old, source = source, Source(change.text)
                index = index.updated(source, LineChange(0, len(old.lines), len(source.lines)))
            else:
                source, lines = source.edited(change.start, change.end, change.text, encoding)
                index = index.updated(source, lines)
        return self._store(path, source, index)

    def close(self, path: Path) -> None:
        del self.files[path]

    def current(self, path: Path) -> Analysis | None:
        return self.files[path][2] if path in self.files else None

    def source(self, path: Path) -> Source | None:
        return self.files[path][0] if path in self.files else None

    def _store(self, path: Path, source: Source, index: FileIndex) -> Analysis:
        if index.broken is None:
            analysis = Analysis(index, tuple(self._findings(index)))
        elif path in self.files:
            analysis = replace(self.files[path][2], error=index.broken)
        else:
            analysis = Analysis(index, (), index.broken)
        self.files[path] = (source, index, analysis)
        return analysis

    def _findings(self, index: FileIndex) -> list[Finding]:
        return [
            self._finding(Place(unit, Span(*match.span())), match.group())
            for unit in leaves(index.parts)
            for match in re.finditer("bad|meh", unit.text)
        ]

    def _finding(self, place: Place, word: str) -> Finding:
        severity = Severity.WARNING if word == "bad" else Severity.HINT
        fixes = (
            Fix("Never", Applicability.SAFE, lambda index: None),
            Fix("Only shown", Applicability.DISPLAY, lambda index: [Edit(Span(0, 0), "!")]),
            Fix("Better all", Applicability.SAFE, self._better_all),
            Fix("Better this", Applicability.UNSAFE, lambda index: [Edit(index.span(place), "good")]),
        )
        related = Related(Place(place.unit, Span(0, 1)), "the line begins here")
        return Finding(
            "shared-batch-norm",
            severity,
            f"`{word}`",
            place,
            "Net",
            "bn",
            (related,),
            (Evidence("e", 1, "why", place),),
            fixes,
        )

    def _better_all(self, index: FileIndex) -> list[Edit]:
        self.builds += 1
        return [Edit(Span(*match.span()), "good") for match in re.finditer("bad", index.source.text)]


class Talk:
    """A client in the same process: what it sends is handled before it goes on."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.protocol = protocol_of(create_server(workspace))
        self.protocol.set_writer(self, include_headers=False)
        self.sent: list[dict[str, Any]] = []
        self.version = 0

    def write(self, data: bytes) -> None:
        self.sent.append(json.loads(data))

    def close(self) -> None:
        pass

    def request(self, method: str, params: object) -> Any:
        """The answer's `result`, or its `error` as it is."""
        self.sent.clear()
        asyncio.run(self._handled({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}))
        (answer,) = (message for message in self.sent if message.get("id") == 7)
        return answer["error"] if "error" in answer else answer.get("result")

    async def _handled(self, message: dict[str, Any]) -> None:
        """Until what a handler waits for is there too."""
        self.protocol.receive(message)
        while waiting := asyncio.all_tasks() - {cast(Any, asyncio.current_task())}:
            await asyncio.wait(waiting)

    def tell(self, method: str, params: object) -> list[dict[str, Any]]:
        """What the server sends because of a notification."""
        self.sent.clear()
        self.protocol.receive({"jsonrpc": "2.0", "method": method, "params": params})
        return list(self.sent)

    def initialize(self, **capabilities: object) -> Any:
        return self.request("initialize", {"processId": None, "rootUri": None, "capabilities": capabilities})

    def open(self, text: str, uri: str = "file:///w/net.py") -> dict[str, Any]:
        """The diagnostics that opening a document brings."""
        self.version = 1
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        return self._published("didOpen", {"textDocument": document})

    def edit(
        self, start: tuple[int, int], end: tuple[int, int], text: str, uri: str = "file:///w/net.py"
    ) -> dict[str, Any]:
        """The diagnostics that an incremental edit brings."""
        self.version += 1
        change = {"range": span(start, end), "text": text}
        document = {"uri": uri, "version": self.version}
        return self._published("didChange", {"textDocument": document, "contentChanges": [change]})

    def actions(
        self,
        start: tuple[int, int],
        end: tuple[int, int],
        diagnostics: Sequence[object] = (),
        uri: str = "file:///w/net.py",
        comments: bool = False,
        **context: object,
    ) -> list[dict[str, Any]]:
        params = {
            "textDocument": {"uri": uri},
            "range": span(start, end),
            "context": {"diagnostics": list(diagnostics), **context},
        }
        found = self.request("textDocument/codeAction", params)
        found = found and [action for action in found if not action.get("command")]  # test_reporting.py asks for those
        return [action for action in found if comments or not action["title"].startswith("Ignore ")]

    def answer(self, request: object, result: object) -> list[dict[str, Any]]:
        """What the server sends because of an answer to its request."""
        self.sent.clear()
        self.protocol.receive({"jsonrpc": "2.0", "id": request, "result": result})
        return list(self.sent)

    def answer_error(self, request: object, code: int) -> list[dict[str, Any]]:
        """What the server sends because its request is refused."""
        self.sent.clear()
        self.protocol.receive({"jsonrpc": "2.0", "id": request, "error": {"code": code, "message": "no"}})
        return list(self.sent)

    def _published(self, event: str, params: object) -> dict[str, Any]:
        (message,) = self.tell(f"textDocument/{event}", params)
        assert message["method"] == "textDocument/publishDiagnostics"
        return message["params"]


class Process:
    """A client of a server in a process of its own."""

    def __init__(self, *options: str, stderr: Any = subprocess.DEVNULL, command: Sequence[str] | None = None) -> None:
        """Of our server with these options, or of another one's command."""
        command = command or [sys.executable, "-m", "nnreuse", "server", *options]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "server")}
        self.running = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=environment
        )
        assert self.running.stdout is not None
        self._messages = messages(cast(BinaryIO, self.running.stdout))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.running.kill()
        self.running.communicate()

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.running.stdin is not None
        self.running.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.running.stdin.flush()

    def read(self) -> dict[str, Any]:
        return next(self._messages)

    def request(self, method: str, params: object) -> Any:
        """The answer's `result`; what is sent before it is not looked at."""
        self.send({"id": 7, "method": method, "params": params})
        return next(message for message in self._messages if message.get("id") == 7)["result"]

    def initialize(self, **capabilities: object) -> Any:
        answer = self.request("initialize", {"processId": None, "rootUri": None, "capabilities": capabilities})
        self.send({"method": "initialized", "params": {}})
        return answer

    def tell(self, method: str, params: object) -> list[dict[str, Any]]:
        """What the server sends because of a notification: it answers in order."""
        self.send({"method": method, "params": params})
        self.send({"id": 8, "method": "nnreuse/status", "params": {}})
        found: list[dict[str, Any]] = []
        while (message := self.read()).get("id") != 8:
            found.append(message)
        return found

    def open(self, text: str, uri: str) -> dict[str, Any]:
        """What is published because a document is opened."""
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        (message,) = self.tell("textDocument/didOpen", {"textDocument": document})
        return message["params"]


def span(start: tuple[int, int], end: tuple[int, int]) -> dict[str, dict[str, int]]:
    one, other = ({"line": line, "character": character} for line, character in (start, end))
    return {"start": one, "end": other}
