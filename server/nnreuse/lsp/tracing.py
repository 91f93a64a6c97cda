"""The command `nnreuse.trace`: the class at a position, called once by the user's torch. It takes seconds, and nobody waits."""

import ast
import asyncio
from pathlib import Path

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from nnreuse.lsp.convert import position_of
from nnreuse.lsp.session import Session
from nnreuse.lsp.uris import path_of
from nnreuse.tracing.usage import Usage
from nnreuse.workspace import dynamic, facts
from nnreuse.workspace.apart import Apart
from nnreuse.workspace.files import read_quietly

TRACE = "nnreuse.trace"


class Tracing:
    """For one session. The arguments of the command: a document, a position in a class, and options in one line."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._running: set[Apart] = set()

    async def trace(self, uri: str, position: lsp.Position, options: str = "") -> dict[str, object]:
        """The trace as `text` for people and as `rows`. Raises JsonRpcException with the reason where there is none."""
        try:
            path = path_of(uri)
            interpreter = self._interpreter(path)
            model = dynamic.Model(path, self._class_at(path, position), dynamic.options_of(options))
            traced = await self._traced(model, interpreter)
        except dynamic.NoTrace as error:
            raise JsonRpcException(str(error), lsp.LSPErrorCodes.RequestFailed.value) from None
        static = [row for one in self._session.workspace.traces(path) for row in facts.rows(one, Usage())]
        compared = dynamic.compared(traced, static)
        return {
            "text": "\n".join(dynamic.lines(traced, static)) + "\n",
            "rows": [{**row, "static": said} for row, said in compared],
        }

    def stop(self) -> None:
        """Ends what runs."""
        for running in list(self._running):
            running.cancel()

    async def _traced(self, model: dynamic.Model, interpreter: Path) -> dynamic.DynamicTrace:
        running = Apart()
        self._running.add(running)
        try:
            return await asyncio.to_thread(dynamic.dynamic_trace, model, interpreter, running, folder=model.file.parent)
        finally:
            self._running.discard(running)
            running.cancel()

    def _interpreter(self, path: Path) -> Path:
        settings = self._session.workspace.settings(path)
        if not self._session.editor.trusted:
            raise dynamic.NoTrace("Tracing runs the model's code, and this workspace is not trusted.")
        if settings.python is None or not settings.python_may_run:
            raise dynamic.NoTrace("No Python interpreter is known to run the model with: name one in the settings.")
        return settings.python

    def _class_at(self, path: Path, position: lsp.Position) -> str:
        """The innermost module class around a position. What is saved is what runs, so it has to be what is seen."""
        source = self._session.workspace.source(path)
        if source is None or source.text != read_quietly(path):
            raise dynamic.NoTrace(f"Save {path.name} first: the saved file is what torch runs.")
        names = {one.cls.name for one in self._session.workspace.traces(path)}
        line = position_of(position).line + 1
        body = ast.parse(source.text).body if names else []
        around = [name for name in _classes_around(body, line, "") if name in names]
        if not around:
            raise dynamic.NoTrace("No module class is here: put the cursor into the one to trace.")
        return around[-1]


def trace_arguments(arguments: tuple[object, ...]) -> tuple[str, lsp.Position, str]:
    """The arguments of the command as a client sends them, options being optional. Raises JsonRpcInvalidParams."""
    match arguments:
        case (str(uri), {"line": int(line), "character": int(character)}):
            return uri, lsp.Position(line, character), ""
        case (str(uri), {"line": int(line), "character": int(character)}, str(options)):
            return uri, lsp.Position(line, character), options
        case _:
            says = "takes the URI of a document, a position and, where wanted, options in one text"
            raise JsonRpcInvalidParams(f"`{TRACE}` {says}")


def _classes_around(body: list[ast.stmt], line: int, prefix: str) -> list[str]:
    """The qualified names of the classes around a line, the outermost first."""
    for node in body:
        if isinstance(node, ast.ClassDef) and node.lineno <= line <= (node.end_lineno or line):
            name = prefix + node.name
            return [name, *_classes_around(node.body, line, name + ".")]
    return []
