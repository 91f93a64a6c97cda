"""A server with a large workspace: what an edit costs while everything is looked at in the background, and after.

usage: workspace.py FOLDER FILE [--line N] [--seconds 120]
FILE is open and edited at a line all the while. Prints the latency of edits during the scan and after it, the most memory that the
server and the scan took, and how far the scan came; one that runs longer is cancelled, as a user would, and its process must end.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import Queue
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1] / "lsp"), str(Path(__file__).parents[2] / "server")]

from talking import Process, span  # noqa: E402


def _peak(process: int) -> float:
    """Megabytes; of a process that has ended none."""
    with suppress(OSError, ValueError):
        fields = Path(f"/proc/{process}/status").read_text().split()
        return int(fields[fields.index("VmHWM:") + 1]) / 1024
    return 0.0


def _children(process: int) -> list[int]:
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return []


class Watched:
    """A server with a workspace, one open file, and what has been seen of the scan."""

    def __init__(self, server: Process, folder: Path, file: Path, line: int | None) -> None:
        self.server, self.uri = server, file.absolute().as_uri()
        self.scan, self.message, self.token, self.ended = 0.0, "", "", False
        self._arrived: Queue[tuple[float, dict[str, Any]]] = Queue()
        capabilities = {"window": {"workDoneProgress": True}, "workspace": {"workspaceFolders": True}}
        root = folder.absolute().as_uri()
        server.request("initialize", {"processId": None, "rootUri": root, "capabilities": capabilities})
        threading.Thread(target=self._read, daemon=True).start()
        server.send({"method": "initialized", "params": {}})
        text = file.read_text(encoding="utf-8")
        document = {"uri": self.uri, "languageId": "python", "version": 1, "text": text}
        server.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        self._version = 1
        lines = text.split("\n")
        number = len(lines) // 2 if line is None else line
        self._at = (number, len(lines[number].encode("utf-16-le")) // 2)
        self._published()

    def _read(self) -> None:
        with suppress(StopIteration, RuntimeError, ValueError):
            while True:
                message = self.server.read()
                self._arrived.put((time.perf_counter(), message))

    def _published(self) -> float:
        while True:
            at, message = self._arrived.get(timeout=60)
            self._note(message)
            if message.get("params", {}).get("uri") == self.uri and message["params"].get("version") == self._version:
                return at

    def _note(self, message: dict[str, Any]) -> None:
        """What concerns the scan."""
        if message.get("method") == "window/workDoneProgress/create":
            self.server.send({"id": message["id"], "result": None})
        if message.get("method") == "$/progress":
            value = message["params"]["value"]
            self.token, self.message = message["params"]["token"], value.get("message") or self.message
            self.ended = value["kind"] == "end"

    def edit(self) -> float:
        """Types a blank, or takes it back; seconds until that is published."""
        self._version += 1
        end = (self._at[0], self._at[1] + self._version % 2)
        change = {"range": span(self._at, end), "text": "" if self._version % 2 else " "}
        document = {"uri": self.uri, "version": self._version}
        began = time.perf_counter()
        message = {"method": "textDocument/didChange", "params": {"textDocument": document, "contentChanges": [change]}}
        self.server.send(message)
        took = self._published() - began
        self.scan = max([self.scan, *map(_peak, _children(self.server.running.pid))])
        return took

    def settle(self, seconds: float) -> None:
        """Reads on, until the scan has ended or so long."""
        until = time.perf_counter() + seconds
        while not self.ended and (left := until - time.perf_counter()) > 0:
            with suppress(Exception):
                self._note(self._arrived.get(timeout=left)[1])


def _print(name: str, latencies: list[float]) -> None:
    ordered = sorted(latencies) or [0.0]
    p50, p95 = statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))]
    print(f"{name}: {len(latencies)} edits, p50 {p50 * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("file", type=Path)
    asked.add_argument("--line", type=int)
    asked.add_argument("--seconds", type=float, default=120)
    options = asked.parse_args()
    with tempfile.TemporaryFile() as log, Process(stderr=log) as server:
        watched = Watched(server, options.folder, options.file, options.line)
        began, during = time.perf_counter(), []
        while not watched.ended and time.perf_counter() - began < options.seconds:
            during.append(watched.edit())
            time.sleep(0.2)
        _print("while the workspace is looked at", during)
        print(f"the scan: {watched.message}, {time.perf_counter() - began:.0f} s, at most {watched.scan:.0f} MB")
        if not watched.ended:
            server.send({"method": "window/workDoneProgress/cancel", "params": {"token": watched.token}})
            watched.settle(30)
            time.sleep(1)
            print(f"cancelled: progress ended {watched.ended}, processes left {len(_children(server.running.pid))}")
        _print("after it", [watched.edit() for _ in range(60)])
        print(f"the server: at most {_peak(server.running.pid):.0f} MB")


if __name__ == "__main__":
    main()
