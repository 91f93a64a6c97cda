"""A long day of a server: files opened, edited and closed, again and again.

usage: soak.py FOLDER [--opens 2000] [--edits 20000] [--files 100]
Each file is opened in turn, edited, and closed; every round makes the same edits in the same files, so that what the last thousand
edits cost can be compared with the first thousand's. Prints both, the memory after each round, and what the log has to say.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "lsp"), str(Path(__file__).parents[2] / "server")]

from talking import Process, span  # noqa: E402

_TYPED = (" ", "  # 🔥", "(", "\n", "x", '"""', "\n        pass\n", ", ")
_WARM_UP = 2
"""Rounds after which memory must not grow: the first reads what the files import."""


@dataclass
class Soaked:
    """What a run measured: seconds of each edit, megabytes after each round, and the log's errors."""

    latencies: list[float] = field(default_factory=list[float])
    memory: list[float] = field(default_factory=list[float])
    errors: list[str] = field(default_factory=list[str])
    open_files: int = 0
    end: float = 0
    """Seconds from `exit` to the end of the process."""

    def growth(self) -> float:
        """How much larger memory became after the warm-up, as a part of what it was then."""
        warm = self.memory[_WARM_UP - 1]
        return max(self.memory[_WARM_UP - 1 :]) / warm - 1


def soak(files: list[Path], opens: int, edits: int) -> Soaked:
    """Opens and edits so many times, in rounds over the files, in one server."""
    found = Soaked()
    with tempfile.TemporaryFile("w+") as log, Process("--log-level", "info", stderr=log) as server:
        server.initialize(textDocument={"publishDiagnostics": {"relatedInformation": True}})
        for number in range(opens):
            share = edits * (number + 1) // opens - edits * number // opens
            _visit(server, files[number % len(files)], share, found)
            if number % len(files) == len(files) - 1:
                found.memory.append(_megabytes(server.running.pid))
        found.open_files = server.request("nnreuse/status", {})["files"]["open"]
        server.request("shutdown", None)
        server.send({"method": "exit"})
        found.end = _wait(server)
        log.seek(0)
        found.errors = [line for line in log if "ERROR" in line or "Traceback" in line]
    return found


def _visit(server: Process, path: Path, edits: int, found: Soaked) -> None:
    """Opens a file, types something and takes it back, until so many edits are made, and closes it."""
    text = path.read_text(encoding="utf-8")
    server.open(text, path.as_uri())
    lines = text.split("\n")
    pick = random.Random(path.name)
    for version in range(2, 2 + edits):
        if version % 2 == 0:
            line = pick.randrange(len(lines))
            at = (line, len(lines[line].encode("utf-16-le")) // 2)
            typed = pick.choice(_TYPED)
            change = {"range": span(at, at), "text": typed}
        else:
            rows = typed.count("\n")
            last = len(typed.rpartition("\n")[2].encode("utf-16-le")) // 2
            change = {"range": span(at, (at[0] + rows, last if rows else at[1] + last)), "text": ""}
        began = time.perf_counter()
        document = {"uri": path.as_uri(), "version": version}
        server.send(
            {"method": "textDocument/didChange", "params": {"textDocument": document, "contentChanges": [change]}}
        )
        published = server.read()
        found.latencies.append(time.perf_counter() - began)
        assert published["params"].get("version") == version, published
    server.tell("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})


def _wait(server: Process) -> float:
    began = time.perf_counter()
    server.running.wait(60)
    return time.perf_counter() - began


def _megabytes(process: int) -> float:
    fields = Path(f"/proc/{process}/status").read_text().split()
    return int(fields[fields.index("VmRSS:") + 1]) / 1024


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("folder", type=Path)
    for name, default in (("opens", 2000), ("edits", 20000), ("files", 100)):
        asked.add_argument(f"--{name}", type=int, default=default)
    options = asked.parse_args()
    every = sorted(options.folder.rglob("*.py"))
    files = random.Random(1).sample(every, min(options.files, len(every)))
    found = soak([file.absolute() for file in files], options.opens, options.edits)
    thousand = min(1000, len(found.latencies) // 2)
    for name, part in (("first", found.latencies[:thousand]), ("last", found.latencies[-thousand:])):
        ordered = sorted(part)
        p50, p95 = statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))]
        print(
            f"{name:>5} {thousand} edits: p50 {p50 * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms, mean {statistics.mean(part) * 1000:.1f} ms"
        )
    print("memory after each round, MB:", " ".join(f"{each:.0f}" for each in found.memory))
    print(f"growth after {_WARM_UP} rounds: {found.growth():.1%}; files left open: {found.open_files}")
    print(f"ended {found.end:.2f} s after exit; errors logged: {len(found.errors)}")
    print(*found.errors[:20], sep="")


if __name__ == "__main__":
    main()
