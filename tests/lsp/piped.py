"""A client that speaks to a real server process through pipes, and waits for what it expects."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

SERVER = Path(__file__).parents[2] / "server"
_SECONDS = 240
"""A bound for the machine that is slow or busy; nothing waits so long where all is well."""


class Piped:
    """One server process. `log` holds its standard error once it has ended."""

    def __init__(self, settings: dict[str, object], variables: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nnreuse", "server", "--log-level", "info"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(SERVER), **variables},
        )
        self.log = ""
        self.seen: list[dict[str, Any]] = []
        self._news: Queue[dict[str, Any]] = Queue()
        self._ids = 0
        self._errors = Thread(target=self._read_log, daemon=True)
        Thread(target=self._read, daemon=True).start()
        self._errors.start()
        options = {"settings": settings}
        self.request(
            "initialize", {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": options}
        )
        self.tell("initialized", {})

    def tell(self, method: str, params: object) -> None:
        self._write({"method": method, "params": params})

    def request(self, method: str, params: object) -> Any:
        self._ids += 1
        self._write({"id": self._ids, "method": method, "params": params})
        return self.until(lambda message: message.get("id") == self._ids)["result"]

    def open(self, path: Path, text: str) -> None:
        document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def published(self) -> set[str]:
        """The codes of the next diagnostics that are published."""
        message = self.until(lambda message: message.get("method") == "textDocument/publishDiagnostics")
        return {one["code"] for one in message["params"]["diagnostics"]}

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            message = self._news.get(timeout=_SECONDS)
            self.seen.append(message)
            if wanted(message):
                return message

    def quiet_until(self, condition: Callable[[dict[str, Any]], bool]) -> int:
        """How many diagnostics are published until the status fulfils a condition."""
        before = len(self.seen)
        while not condition(self.request("nnreuse/status", {})):
            self.process.poll()
        return sum(message.get("method") == "textDocument/publishDiagnostics" for message in self.seen[before:])

    def end(self) -> int:
        """Says goodbye, and returns the exit code."""
        self.request("shutdown", None)
        self.tell("exit", None)
        code = self.process.wait(_SECONDS)
        self._errors.join(_SECONDS)
        return code

    def _write(self, message: dict[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while header := self.process.stdout.readline():
            length = int(header.partition(b":")[2])
            while self.process.stdout.readline().strip():
                pass
            self._news.put(json.loads(self.process.stdout.read(length)))

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        self.log = self.process.stderr.read().decode(errors="replace")
