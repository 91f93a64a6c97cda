"""Pulled diagnostics, and those of files that are not open."""

import queue
from collections.abc import Callable
from pathlib import Path

import pytest
from talking import NET, Talk

from nnreuse.workspace.workspace import Workspace

PULLS = {"textDocument": {"diagnostic": {}}, "workspace": {"diagnostics": {"refreshSupport": True}}}


class Here(Talk):
    """A client in the same process that waits for what the background brings."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Workspace())
        self.posted: queue.Queue = queue.Queue()
        self.protocol.run_soon = self.posted.put
        self.folder = folder

    def begin(self, **capabilities) -> None:
        folders = [{"uri": self.folder.as_uri(), "name": "w"}]
        params = {"processId": None, "capabilities": capabilities, "workspaceFolders": folders}
        self.request("initialize", params)

    def scanned(self, method: str, params) -> dict[str, list]:
        """What is published for each file from a notification to the end of the scan that it causes."""
        return self.scanned_after(lambda: self.tell(method, params))

    def scanned_after(self, happens: Callable[[], object]) -> dict[str, list]:
        happens()
        while self.request_quietly("nnreuse/status")["workspace"]["scanning"]:
            self.posted.get(timeout=60)()
        return {
            m["params"]["uri"].rpartition("/")[2]: m["params"]["diagnostics"]
            for m in self.sent
            if m.get("method") == "textDocument/publishDiagnostics"
        }

    def request_quietly(self, method: str):
        kept = list(self.sent)
        try:
            return self.request(method, {})
        finally:
            self.sent[:0] = kept


@pytest.fixture
def here(tmp_path) -> Here:
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "fine.py").write_text("x = 1\n")
    (tmp_path / "broken.py").write_text("x = (\n")
    return Here(tmp_path)


def pulled(here: Here, previous=None):
    uri = (here.folder / "net.py").as_uri()
    return here.request("textDocument/diagnostic", {"textDocument": {"uri": uri}, "previousResultId": previous})


def opened(here: Here, name: str, text: str):
    document = {"uri": (here.folder / name).as_uri(), "languageId": "python", "version": 1, "text": text}
    return here.tell("textDocument/didOpen", {"textDocument": document})


def test_a_client_that_pulls_is_not_pushed_to(here):
    here.begin(**PULLS)
    assert opened(here, "net.py", NET) == []
    report = pulled(here)
    assert (report["kind"], len(report["items"])) == ("full", 2)
    assert pulled(here, report["resultId"]) == {"kind": "unchanged", "resultId": report["resultId"]}
    change = {"text": "x = 1\n"}
    document = {"uri": (here.folder / "net.py").as_uri(), "version": 2}
    assert here.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [change]}) == []
    after = pulled(here, report["resultId"])
    assert (after["kind"], after["items"]) == ("full", [])
    assert after["resultId"] != report["resultId"]


def test_a_document_that_is_not_open_has_nothing_to_pull(here):
    here.begin(**PULLS)
    assert pulled(here)["items"] == []


def test_settings_that_change_have_the_client_pull_again(here):
    here.begin(**PULLS)
    opened(here, "net.py", NET)
    before = pulled(here)["resultId"]
    sent = here.tell("workspace/didChangeConfiguration", {"settings": {"ignore": ["shared-batch-norm"]}})
    assert [m["method"] for m in sent] == ["workspace/diagnostic/refresh"]
    assert pulled(here, before)["items"] == []


def test_files_that_are_not_open_are_found_and_pushed(here):
    here.begin()
    published = here.scanned("initialized", {})
    assert {name: len(found) for name, found in published.items()} == {"net.py": 2}
    (here.folder / "net.py").write_text("x = 1\n")
    changes = [{"uri": (here.folder / "net.py").as_uri(), "type": 2}]
    assert here.scanned("workspace/didChangeWatchedFiles", {"changes": changes}) == {"net.py": []}


def test_a_client_that_cannot_say_its_settings_has_its_files_looked_at(here):
    here.begin(workspace={"configuration": True})
    (ask,) = here.tell("initialized", {})
    refused = {"jsonrpc": "2.0", "id": ask["id"], "error": {"code": -32601, "message": "no such method"}}
    published = here.scanned_after(lambda: here.protocol.receive(refused))
    assert len(published["net.py"]) == 2


def test_the_only_folder_of_an_old_client_is_looked_at(here):
    here.request("initialize", {"processId": None, "capabilities": {}, "rootPath": str(here.folder)})
    assert len(here.scanned("initialized", {})["net.py"]) == 2


def test_a_file_that_is_gone_loses_its_findings(here):
    here.begin()
    here.scanned("initialized", {})
    (here.folder / "net.py").unlink()
    changes = [{"uri": (here.folder / "net.py").as_uri(), "type": 3}]
    assert here.scanned("workspace/didChangeWatchedFiles", {"changes": changes}) == {"net.py": []}


def test_the_workspace_is_pulled_in_parts_and_then_only_what_changed(here):
    here.begin(**PULLS)
    assert here.scanned("initialized", {}) == {}
    report = here.request("workspace/diagnostic", {"previousResultIds": [], "partialResultToken": "t"})
    assert report == {"items": []}
    (part,) = [m["params"] for m in here.sent if m.get("method") == "$/progress"]
    (item,) = part["value"]["items"]
    assert (part["token"], item["uri"], len(item["items"])) == ("t", (here.folder / "net.py").as_uri(), 2)
    known = [{"uri": item["uri"], "value": item["resultId"]}]
    assert here.request("workspace/diagnostic", {"previousResultIds": known}) == {"items": []}


def test_a_closed_file_is_looked_at_again(here):
    here.begin()
    here.scanned("initialized", {})
    opened(here, "net.py", "x = 1\n")
    document = {"uri": (here.folder / "net.py").as_uri()}
    published = here.scanned("textDocument/didClose", {"textDocument": document})
    assert len(published["net.py"]) == 2


def test_what_reads_a_saved_file_is_looked_at_again(here):
    made, used = NET.split("    def forward")
    (here.folder / "net.py").write_text(made)
    (here.folder / "sub.py").write_text(f"from net import Net\n\n\nclass Sub(Net):\n    def forward{used}")
    here.begin()
    assert {name: len(found) for name, found in here.scanned("initialized", {}).items()} == {"sub.py": 2}
    text = made.replace("BatchNorm2d(64)", "ReLU()")
    opened(here, "net.py", text)
    (here.folder / "net.py").write_text(text)
    document = {"uri": (here.folder / "net.py").as_uri()}
    assert here.scanned("textDocument/didSave", {"textDocument": document})["sub.py"] == []


@pytest.mark.parametrize("switch", ["workspace", "enable"])
def test_switched_off_nothing_is_scanned_and_what_was_found_goes(here, switch):
    here.begin()
    here.scanned("initialized", {})
    off = here.scanned("workspace/didChangeConfiguration", {"settings": {switch: False}})
    assert off == {"net.py": []}
    assert len(here.scanned("workspace/didChangeConfiguration", {"settings": {switch: True}})["net.py"]) == 2


def test_the_scan_shows_progress_and_can_be_cancelled(here):
    here.begin(window={"workDoneProgress": True})
    here.scanned("initialized", {})
    (create,) = [m for m in here.sent if m.get("method") == "window/workDoneProgress/create"]
    kinds = [m["params"]["value"]["kind"] for m in here.sent if m.get("method") == "$/progress"]
    assert (kinds[0], kinds[-1]) == ("begin", "end")
    here.tell("workspace/didChangeConfiguration", {"settings": {"minSeverity": "hint"}})
    while not any(m.get("method") == "$/progress" for m in here.sent):
        here.posted.get(timeout=60)()
    token = next(m["params"]["token"] for m in here.sent if m.get("method") == "$/progress")
    assert token != create["params"]["token"]
    here.tell("window/workDoneProgress/cancel", {"token": token})
    state = here.request("nnreuse/status", {})["workspace"]  # whatever file it was in the middle of
    assert (state["scanning"], state["done"] < state["files"]) == (False, True)
