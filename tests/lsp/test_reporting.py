"""“Report a wrong finding…”: the action names a command, the command writes a report for the user to read and opens it."""

from pathlib import Path
from typing import Any

import pytest
from talking import NET, Talk

from nnreuse.lsp.actions import REPORT
from nnreuse.workspace.workspace import Workspace

CELL = "vscode-notebook-cell:/w/net.ipynb#c0"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NNREUSE_CACHE_DIR", str(tmp_path))
    return tmp_path


def opened(**capabilities: object) -> Talk:
    talk = Talk(Workspace())
    talk.initialize(**capabilities)
    document = {"uri": "file:///w/net.py", "languageId": "python", "version": 1, "text": NET}
    talk.tell("textDocument/didOpen", {"textDocument": document})
    return talk


def action(talk: Talk, uri: str = "file:///w/net.py", line: int = 11) -> dict[str, Any]:
    at = {"line": line, "character": 30}
    params = {"textDocument": {"uri": uri}, "range": {"start": at, "end": at}, "context": {"diagnostics": []}}
    (found,) = [one for one in talk.request("textDocument/codeAction", params) if one.get("command")]
    return found


def test_the_command_writes_a_report_without_the_names_of_the_code(cache: Path):
    talk = opened()
    offered = action(talk)
    assert (offered["title"], offered["command"]["command"]) == ("Report a wrong finding…", REPORT)
    asked = {"command": REPORT, "arguments": offered["command"]["arguments"]}
    report = talk.request("workspace/executeCommand", asked)
    assert "shared-batch-norm" in report["text"] and "Net" not in report["text"] and "conv1" not in report["text"]
    assert (cache / "reports" / "wrong-finding.md").read_text(encoding="utf-8") == report["text"]


def test_an_action_that_only_names_a_command_is_resolved_as_it_is():
    talk = opened(textDocument={"codeAction": {"resolveSupport": {"properties": ["edit"]}}})
    offered = action(talk)
    assert talk.request("codeAction/resolve", offered) == offered


def test_a_finding_in_a_cell_can_be_reported():
    talk = Talk(Workspace())
    talk.initialize()
    notebook = {"uri": "file:///w/net.ipynb", "notebookType": "jupyter-notebook", "version": 1}
    notebook["cells"] = [{"kind": 2, "document": CELL}]  # type: ignore[assignment]
    text = {"uri": CELL, "languageId": "python", "version": 1, "text": NET}
    talk.tell("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": [text]})
    asked = {"command": REPORT, "arguments": action(talk, CELL)["command"]["arguments"]}
    assert "shared-batch-norm" in talk.request("workspace/executeCommand", asked)["text"]


def test_a_finding_that_is_gone_and_arguments_that_mean_nothing_are_refused():
    talk = opened()
    for arguments in (["file:///w/net.py", "shared-batch-norm", [0, 0, 0, 1]], ["file:///w/net.py"], []):
        answer = talk.request("workspace/executeCommand", {"command": REPORT, "arguments": arguments})
        assert "gone" in answer["message"] or "takes the URI" in answer["message"] or "no longer" in answer["message"]
