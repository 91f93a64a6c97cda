"""What language servers say they can do: a table in Markdown, made from their own answers.

usage: capabilities.py NAME=COMMAND … (a command is split at spaces)
Each server is started as an editor would start it, told of a client that can do everything, and asked with `initialize`; what it
registers within two seconds after `initialized` counts too. A cell says yes where the capability is there, and what it declares
where that tells more.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[2] / "server")]

from nnreuse.lsp.transport import messages  # noqa: E402

_DYNAMIC = {"dynamicRegistration": True}
_CLIENT: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-8", "utf-16", "utf-32"]},
    "workspace": {
        "configuration": True,
        "workspaceFolders": True,
        "applyEdit": True,
        "diagnostics": {"refreshSupport": True},
        "didChangeWatchedFiles": _DYNAMIC,
        "didChangeConfiguration": _DYNAMIC,
        "workspaceEdit": {"documentChanges": True, "changeAnnotationSupport": {}},
    },
    "notebookDocument": {"synchronization": {}},
    "window": {"workDoneProgress": True},
    "textDocument": {
        "synchronization": {"didSave": True},
        "publishDiagnostics": {"relatedInformation": True, "codeDescriptionSupport": True, "dataSupport": True},
        "diagnostic": {**_DYNAMIC, "relatedDocumentSupport": True},
        "semanticTokens": {**_DYNAMIC, "requests": {}, "tokenTypes": [], "tokenModifiers": [], "formats": []},
        "codeAction": {
            "codeActionLiteralSupport": {
                "codeActionKind": {"valueSet": ["quickfix", "refactor", "source.fixAll", "source"]}
            },
            "resolveSupport": {"properties": ["edit"]},
            "dataSupport": True,
            "isPreferredSupport": True,
        },
        **dict.fromkeys(("hover", "definition", "references", "documentHighlight", "codeLens", "inlayHint"), _DYNAMIC),
        **dict.fromkeys(("completion", "rename", "formatting", "callHierarchy"), _DYNAMIC),
    },
}


class Server:
    """One server, from `initialize` to what it registers."""

    def __init__(self, command: list[str]) -> None:
        self._running = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._arrived: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._running.stdout is not None
        for message in messages(self._running.stdout):  # type: ignore[arg-type]
            self._arrived.put(message)

    def _send(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._running.stdin is not None
        self._running.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._running.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Its `InitializeResult`; dynamic registrations are under `registered`, by method."""
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder).as_uri()
            params = {"processId": os.getpid(), "rootUri": root, "capabilities": _CLIENT}
            self._send(id=1, method="initialize", params={**params, "workspaceFolders": [{"uri": root, "name": "w"}]})
            while (message := self._arrived.get(timeout=60)).get("id") != 1 or "method" in message:
                pass
            self._send(method="initialized", params={})
            registered = {one["method"]: one.get("registerOptions") or {} for one in self._registrations()}
            self._running.kill()
            self._running.wait()
        assert "result" in message, message
        return {**message["result"], "registered": registered}

    def _registrations(self) -> Iterator[dict[str, Any]]:
        until = time.monotonic() + 2
        while (left := until - time.monotonic()) > 0:
            try:
                message = self._arrived.get(timeout=left)
            except queue.Empty:
                return
            if "id" in message and "method" in message:
                asked = message["params"].get("items", []) if message["method"] == "workspace/configuration" else []
                self._send(id=message["id"], result=[{} for _ in asked] or None)
            if message.get("method") == "client/registerCapability":
                yield from message["params"]["registrations"]


Row = Callable[[dict[str, Any]], object]


def _has(key: str, method: str = "") -> Row:
    """Whether a capability is declared, or its method registered."""
    return lambda answer: bool(answer["capabilities"].get(key)) or method in answer["registered"]


def _option(key: str, option: str, method: str = "") -> Row:
    def find(answer: dict[str, Any]) -> object:
        for options in (answer["capabilities"].get(key), answer["registered"].get(method)):
            if isinstance(options, dict) and options.get(option):
                return options[option]
        return False

    return find


def _kinds(answer: dict[str, Any]) -> str:
    found = _option("codeActionProvider", "codeActionKinds")(answer)
    return ", ".join(f"`{kind}`" for kind in found) if isinstance(found, list) else ""


def _sync(answer: dict[str, Any]) -> str:
    sync = answer["capabilities"].get("textDocumentSync")
    kind = sync.get("change") if isinstance(sync, dict) else sync
    return {1: "whole text", 2: "incremental"}.get(kind or 0, "")


ROWS: dict[str, Row] = {
    "Version": lambda answer: answer.get("serverInfo", {}).get("version", "not said"),
    "Text sync": _sync,
    "Position encoding taken, of UTF-8, UTF-16, UTF-32": lambda a: a["capabilities"].get(
        "positionEncoding", "utf-16, unsaid"
    ),
    "Pull diagnostics (`textDocument/diagnostic`)": _has("diagnosticProvider", "textDocument/diagnostic"),
    "… of the whole workspace": _option("diagnosticProvider", "workspaceDiagnostics", "textDocument/diagnostic"),
    "Notebooks (`notebookDocument/*`)": _has("notebookDocumentSync"),
    "Code actions": _has("codeActionProvider"),
    "… of kinds": _kinds,
    "… resolved when chosen": _option("codeActionProvider", "resolveProvider"),
    "Hover": _has("hoverProvider", "textDocument/hover"),
    "Highlights": _has("documentHighlightProvider", "textDocument/documentHighlight"),
    "References": _has("referencesProvider", "textDocument/references"),
    "Code lenses": _has("codeLensProvider", "textDocument/codeLens"),
    "Inlay hints": _has("inlayHintProvider", "textDocument/inlayHint"),
    "Completion": _has("completionProvider", "textDocument/completion"),
    "Definitions": _has("definitionProvider", "textDocument/definition"),
    "Rename": _has("renameProvider", "textDocument/rename"),
    "Symbols of a document": _has("documentSymbolProvider", "textDocument/documentSymbol"),
    "Formatting": _has("documentFormattingProvider", "textDocument/formatting"),
    "Semantic tokens": _has("semanticTokensProvider", "textDocument/semanticTokens"),
    "Call hierarchy": _has("callHierarchyProvider", "textDocument/prepareCallHierarchy"),
    "Several workspace folders": lambda a: (
        (a["capabilities"].get("workspace") or {}).get("workspaceFolders", {}).get("supported")
    ),
    "Watches files": lambda a: "workspace/didChangeWatchedFiles" in a["registered"],
    "Commands": _option("executeCommandProvider", "commands"),
}


def _cell(value: object) -> str:
    if isinstance(value, list):
        return str(len(value))
    return value if isinstance(value, str) else "yes" if value else "no"


def table(servers: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The lines of the table, a column for each server."""
    yield f"| | {' | '.join(servers)} |"
    yield "|---" * (len(servers) + 1) + "|"
    for name, row in ROWS.items():
        yield f"| {name} | {' | '.join(_cell(row(answer)) for answer in servers.values())} |"


def main() -> None:
    commands = dict(each.split("=", 1) for each in sys.argv[1:])
    print(*table({name: Server(command.split()).answer() for name, command in commands.items()}), sep="\n")


if __name__ == "__main__":
    main()
