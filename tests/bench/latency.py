"""From an edit to its diagnostics, and where the time goes: `python tests/bench/latency.py FILE...`. Prints, and asserts nothing.

A blank is typed at the end of a line and taken back, again and again: in the middle line, in `forward` of a class with a finding (of
the longest class where there is none), and in the first import. For each place the medians of our server, of `ruff server` where it
is installed and of a bare pygls server, in turns in one run; then what each step takes inside: applying the edit, reading the unit
that it touches, tracing, the rules; and what libcst would take to parse that unit, which is the floor with pygls' share.
"""

import argparse
import ast
import gc
import shutil
import statistics
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "lsp"), str(Path(__file__).parents[2] / "server")]

import libcst  # noqa: E402
from talking import Process, span  # noqa: E402

from nnreuse.config.settings import Settings  # noqa: E402
from nnreuse.syntax.index import FileIndex  # noqa: E402
from nnreuse.syntax.source import Encoding, Position, Source  # noqa: E402
from nnreuse.workspace.project import Project  # noqa: E402

_BARE = [sys.executable, str(Path(__file__).with_name("bare.py"))]


@dataclass(frozen=True)
class Spot:
    """Where is typed: the end of a line, counted from 0, in UTF-16 code units."""

    name: str
    line: int
    column: int


def spots(path: Path, text: str) -> Iterator[Spot]:
    lines = text.split("\n")

    def at(name: str, line: int) -> Spot:
        return Spot(name, line, len(lines[line].encode("utf-16-le")) // 2)

    yield at("the middle line", len(lines) // 2)
    tree = ast.parse(text)
    line = _in_forward(path, tree, text)
    if line is not None:
        yield at("in a forward", line)
    imported = next((node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)), None)
    if imported is not None:
        yield at("an import", (imported.end_lineno or 1) - 1)


def _in_forward(path: Path, tree: ast.Module, text: str) -> int | None:
    """The last line of `forward` of a class with a finding; of the longest class where none has one."""
    found = {finding.owner for finding in Project(Settings()).check(path, text).findings}
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    classes.sort(key=lambda node: (node.name in found, (node.end_lineno or 0) - node.lineno), reverse=True)
    for node in classes:
        forwards = [f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "forward"]
        if forwards:  # the last: those before it are overloads
            return (forwards[-1].body[-1].end_lineno or 1) - 1
    return None


class Editor:
    """A client of one server with one open file."""

    def __init__(self, server: Process, path: Path, text: str) -> None:
        self._server, self._uri, self._version = server, path.absolute().as_uri(), 1
        server.initialize(textDocument={"publishDiagnostics": {"relatedInformation": True}})
        document = {"uri": self._uri, "languageId": "python", "version": 1, "text": text}
        server.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        self._published()

    def _published(self) -> None:
        while True:
            message = self._server.read()
            if "id" in message and "method" in message:
                self._server.send({"id": message["id"], "result": None})
            params = message.get("params") or {}
            if message.get("method") == "textDocument/publishDiagnostics" and params["uri"] == self._uri:
                return

    def edit(self, spot: Spot) -> float:
        """Types a blank, or takes it back; milliseconds until that is published."""
        self._version += 1
        start, end = (spot.line, spot.column), (spot.line, spot.column + self._version % 2)
        change = {"range": span(start, end), "text": "" if self._version % 2 else " "}
        document = {"uri": self._uri, "version": self._version}
        began = time.perf_counter()
        params = {"textDocument": document, "contentChanges": [change]}
        self._server.send({"method": "textDocument/didChange", "params": params})
        self._published()
        return (time.perf_counter() - began) * 1000


def inside(path: Path, text: str, spot: Spot, edits: int) -> dict[str, float]:
    """The median milliseconds of each step of an edit, in this process."""
    project, source = Project(Settings()), Source(text)
    index = FileIndex.of(source)
    project.analyse(path, index)
    spent: dict[str, list[float]] = {}

    def step(name: str, run: Callable[[], object]) -> None:
        began = time.perf_counter()
        run()
        spent.setdefault(name, []).append((time.perf_counter() - began) * 1000)

    for number in range(edits):
        at, typed = Position(spot.line, spot.column), Position(spot.line, spot.column + number % 2)
        old, old_index = source, index
        source, change = old.edited(at, typed, "" if number % 2 else " ", Encoding.UTF16)
        index = old_index.updated(source, change)
        step("text", lambda old=old, at=at, typed=typed: old.edited(at, typed, " ", Encoding.UTF16))
        step("reading", lambda old_index=old_index, source=source, change=change: old_index.updated(source, change))
        step("tracing", lambda index=index: project.traces(project.file(path, index)))
        step("rules", lambda index=index: project.analyse(path, index))
        project.prepare()  # as the server does, when nobody waits
    for _ in range(edits):
        step("libcst of the unit", lambda: libcst.parse_module(_unit_at(index, spot.line)))
    return {name: statistics.median(times) for name, times in spent.items()}


def _unit_at(index: FileIndex, line: int) -> str:
    """The text of the unit that holds a line, on its own: what a server that reads with libcst would parse for an edit."""
    found = next(unit for unit, first in index.first_lines.items() if first <= line < first + len(unit.lines))
    text = textwrap.dedent(found.text)
    return text if found.nodes and text.strip() and not isinstance(found.nodes[0], ast.ClassDef) else "pass\n"


def measure(path: Path, edits: int) -> None:
    text = path.read_text(encoding="utf-8")
    print(f"{path.name}: {text.count(chr(10))} lines, {edits} edits at each place, medians in ms")
    ruff = shutil.which("ruff") or shutil.which("ruff", path=str(Path(sys.executable).parent))
    commands = {"nnreuse": None, "ruff": [ruff, "server"] if ruff else [], "bare pygls": _BARE}
    with ExitStack() as running:
        editors = {
            name: Editor(running.enter_context(Process(command=command)), path, text)
            for name, command in commands.items()
            if command != []
        }
        for spot in spots(path, text):
            spent: dict[str, list[float]] = {name: [] for name in editors}
            for _ in range(edits):
                for name, editor in editors.items():
                    spent[name].append(editor.edit(spot))
            figures = [f"{name} {statistics.median(times):.1f}" for name, times in spent.items()]
            steps = [f"{name} {median:.2f}" for name, median in inside(path, text, spot, edits).items()]
            print(f"  {spot.name + ', line ' + str(spot.line + 1):28} {', '.join(figures)}; inside: {', '.join(steps)}")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("files", nargs="+", type=Path)
    asked.add_argument("--edits", type=int, default=60)
    options = asked.parse_args()
    gc.set_threshold(25_000, 4, 1_000_000)  # as the server does
    for path in options.files:
        measure(path, options.edits)


if __name__ == "__main__":
    main()
