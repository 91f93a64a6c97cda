"""Pulled diagnostics, and those of files that are not open."""

import logging
import queue
import subprocess
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
        self.wait()
        return {
            m["params"]["uri"].rpartition("/")[2]: m["params"]["diagnostics"]
            for m in self.sent
            if m.get("method") == "textDocument/publishDiagnostics"
        }

    def wait(self) -> None:
        """Until no scan runs any more."""
        while self.request_quietly("nnreuse/status")["workspace"]["scanning"]:
            self.posted.get(timeout=60)()

    def begun(self) -> int:
        """How many whole scans have shown that they began, since the last notification."""
        progress = [m["params"]["value"] for m in self.sent if m.get("method") == "$/progress"]
        return sum(value["kind"] == "begin" for value in progress)

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


def test_what_means_nothing_in_settings_files_is_told_with_nothing_open(tmp_path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "net.py").write_text("x = 1\n")
    (tmp_path / "net.py").write_text("x = 1\n")
    for folder in (tmp_path, tmp_path / "sub"):
        (folder / "nnreuse.toml").write_text("nonsense = 1\n")
    here = Here(tmp_path)
    here.begin()
    here.tell("initialized", {})
    here.wait()
    told = [m["params"] for m in here.sent if m.get("method") == "textDocument/publishDiagnostics"]
    assert {one["uri"] for one in told if one["diagnostics"]} == {
        (folder / "nnreuse.toml").as_uri() for folder in (tmp_path, tmp_path / "sub")
    }


def test_without_a_folder_nothing_is_looked_at(tmp_path) -> None:
    here = Here(tmp_path)
    for roots in ({}, {"rootUri": None, "rootPath": None}, {"rootPath": ""}):
        here = Here(tmp_path)
        here.request("initialize", {"processId": None, "capabilities": {}, **roots})
        here.tell("initialized", {})
        assert not here.request("nnreuse/status", {})["workspace"]["scanning"], roots


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


def test_a_closed_file_that_no_scan_comes_to_is_none_of_the_workspace(here):
    (here.folder / ".gitignore").write_text("build/\n")
    (here.folder / "build").mkdir()
    (here.folder / "build" / "copy.py").write_text(NET)
    here.begin()
    here.scanned("initialized", {})
    opened(here, "build/copy.py", NET)
    document = {"uri": (here.folder / "build" / "copy.py").as_uri()}
    here.tell("textDocument/didClose", {"textDocument": document})
    assert here.request("nnreuse/status", {})["workspace"]["scanning"] is False


@pytest.mark.parametrize("name", ["stub.pyi", "win.pyw", "script"])
def test_a_closed_file_of_a_kind_that_no_scan_comes_to_is_none_of_the_workspace(here, name):
    (here.folder / name).write_text(NET)
    here.begin()
    here.scanned("initialized", {})
    opened(here, name, NET)
    here.tell("textDocument/didClose", {"textDocument": {"uri": (here.folder / name).as_uri()}})
    assert here.request("nnreuse/status", {})["workspace"]["scanning"] is False


def test_what_git_ignores_from_now_on_is_withdrawn(here):
    here.begin()
    assert here.scanned("initialized", {})["net.py"]
    (here.folder / ".gitignore").write_text("net.py\n")
    assert here.scanned("workspace/didChangeWatchedFiles", events(here, 1, ".gitignore")) == {"net.py": []}


def test_a_scan_that_dies_withdraws_nothing(here, caplog, monkeypatch):
    here.begin()
    assert here.scanned("initialized", {})["net.py"]
    real = subprocess.Popen

    def killed(*given, **named) -> subprocess.Popen:
        process = real(*given, **named)
        process.kill()
        return process

    monkeypatch.setattr("nnreuse.lsp.scan.subprocess.Popen", killed)
    settings = {"settings": {"ignore": ["shared-prelu"]}}
    assert here.scanned("workspace/didChangeConfiguration", settings) == {}
    assert "before its time" in caplog.text
    known = here.request("workspace/diagnostic", {"previousResultIds": []})
    assert [one["uri"].rpartition("/")[2] for one in known["items"]] == ["net.py"]


def test_files_that_come_where_no_scan_looks_begin_none(here):
    here.begin()
    here.scanned("initialized", {})
    (here.folder / ".venv").mkdir()
    (here.folder / ".venv" / "new.py").write_text(NET)
    here.tell("workspace/didChangeWatchedFiles", events(here, 1, ".venv/new.py"))
    assert here.request("nnreuse/status", {})["workspace"]["scanning"] is False


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


def opening(here: Here, name: str, text: str):
    return {"textDocument": {"uri": (here.folder / name).as_uri(), "languageId": "python", "version": 1, "text": text}}


def closing(here: Here, name: str):
    return {"textDocument": {"uri": (here.folder / name).as_uri()}}


def events(here: Here, kind: int, *names: str):
    return {"changes": [{"uri": (here.folder / name).as_uri(), "type": kind} for name in names]}


def workspace_report(here: Here, *previous) -> dict[str, dict]:
    """The items, by file; `previous` are items of earlier reports, whose result ids the client has kept."""
    known = [{"uri": item["uri"], "value": item["resultId"]} for item in previous]
    items = here.request("workspace/diagnostic", {"previousResultIds": known})["items"]
    return {item["uri"].rpartition("/")[2]: item for item in items}


def test_the_scan_does_not_speak_of_a_file_that_was_opened_meanwhile(here):
    here.begin()
    here.tell("initialized", {})
    assert here.scanned("textDocument/didOpen", opening(here, "net.py", "x = 1\n")) == {"net.py": []}
    assert here.scanned("workspace/didChangeConfiguration", {"settings": {"minSeverity": "hint"}}) == {"net.py": []}


def test_a_later_scan_does_not_take_an_open_file_for_one_that_is_gone(here):
    here.begin()
    here.tell("initialized", {})
    assert len(here.scanned("textDocument/didOpen", opening(here, "net.py", NET))["net.py"]) == 2
    changed = here.scanned("workspace/didChangeConfiguration", {"settings": {"minSeverity": "warning"}})
    assert len(changed["net.py"]) == 2


@pytest.mark.parametrize("scans", [False, True])
def test_a_file_that_is_closed_and_opened_again_at_once_is_its_buffer(here, scans):
    here.begin()
    here.scanned("initialized", {})
    opened(here, "net.py", NET)
    if scans:  # what is closed meanwhile waits
        here.tell("workspace/didChangeConfiguration", {"settings": {"minSeverity": "hint"}})
    here.tell("textDocument/didClose", closing(here, "net.py"))
    assert here.scanned("textDocument/didOpen", opening(here, "net.py", "x = 1\n")) == {"net.py": []}


def test_a_report_of_the_workspace_leaves_out_open_documents(here):
    here.begin(**PULLS)
    here.tell("initialized", {})
    here.scanned("textDocument/didOpen", opening(here, "net.py", NET))
    assert workspace_report(here) == {}
    here.scanned("textDocument/didClose", closing(here, "net.py"))
    assert len(workspace_report(here)["net.py"]["items"]) == 2


def test_a_file_that_was_mended_while_it_was_open_has_nothing_in_the_next_report(here):
    here.begin(**PULLS)
    here.scanned("initialized", {})
    before = workspace_report(here)["net.py"]
    opened(here, "net.py", NET)
    (here.folder / "net.py").write_text("x = 1\n")
    change = {"textDocument": {"uri": before["uri"], "version": 2}, "contentChanges": [{"text": "x = 1\n"}]}
    here.tell("textDocument/didChange", change)
    here.tell("textDocument/didSave", closing(here, "net.py"))
    here.tell("textDocument/didClose", closing(here, "net.py"))
    assert workspace_report(here, before) == {}  # not known yet
    here.wait()
    after = workspace_report(here, before)["net.py"]
    assert (after["kind"], after["items"]) == ("full", [])
    assert workspace_report(here, after) == {}


def test_a_file_that_is_gone_has_nothing_in_the_next_report(here):
    here.begin(**PULLS)
    here.scanned("initialized", {})
    before = workspace_report(here)["net.py"]
    (here.folder / "net.py").unlink()
    here.scanned("workspace/didChangeWatchedFiles", events(here, 3, "net.py"))
    after = workspace_report(here, before)["net.py"]
    assert after["items"] == []
    assert workspace_report(here, after) == {}


def test_a_result_id_means_one_report_of_one_server(here):
    def ids(talk: Here) -> set[str]:
        talk.begin(**PULLS)
        talk.scanned("initialized", {})
        of_workspace = workspace_report(talk)["net.py"]["resultId"]
        opened(talk, "net.py", NET)
        return {of_workspace, pulled(talk)["resultId"]}

    assert len(ids(here) | ids(Here(here.folder))) == 4


def test_a_file_that_changes_while_a_scan_runs_is_looked_at_after_it(here):
    here.begin(window={"workDoneProgress": True})
    here.tell("initialized", {})
    while not here.begun():
        here.posted.get(timeout=60)()
    (here.folder / "net.py").write_text("x = 1\n")
    published = here.scanned("workspace/didChangeWatchedFiles", events(here, 2, "net.py"))
    assert (published.get("net.py", []), here.begun()) == ([], 0)
    assert here.scanned("workspace/didChangeWatchedFiles", events(here, 2, "net.py", "fine.py")) == {}
    assert here.begun() == 0


def test_files_that_come_while_a_scan_runs_are_looked_at_when_it_has_ended(here):
    here.begin(window={"workDoneProgress": True})
    here.tell("initialized", {})
    while not here.begun():
        here.posted.get(timeout=60)()
    for name in ("one.py", "two.py", "three.py"):
        (here.folder / name).write_text(NET)
        here.tell("workspace/didChangeWatchedFiles", events(here, 1, name))
        state = here.request("nnreuse/status", {})["workspace"]
        assert (state["scanning"], state["files"]) == (True, 3)
    here.wait()
    assert here.begun() == 0  # no whole scan
    state = here.request_quietly("nnreuse/status")["workspace"]
    assert (state["files"], state["findings"]) == (6, 8)


def test_what_reads_a_file_that_changed_on_disk_is_looked_at_again(here):
    made, used = NET.split("    def forward")
    (here.folder / "net.py").write_text(made)
    (here.folder / "sub.py").write_text(f"from net import Net\n\n\nclass Sub(Net):\n    def forward{used}")
    here.begin()
    here.scanned("initialized", {})
    (here.folder / "net.py").write_text(made.replace("BatchNorm2d(64)", "ReLU()"))
    assert here.scanned("workspace/didChangeWatchedFiles", events(here, 2, "net.py")) == {"sub.py": []}


def test_a_changed_file_that_no_scan_looks_at_is_not_looked_at(here):
    (here.folder / ".venv").mkdir()
    (here.folder / ".venv" / "lib.py").write_text(NET)
    here.begin()
    assert "lib.py" not in here.scanned("initialized", {})
    assert here.scanned("workspace/didChangeWatchedFiles", events(here, 2, ".venv/lib.py")) == {}


def test_a_client_that_refuses_to_show_progress_hears_no_more_of_it(here, caplog):
    here.begin(window={"workDoneProgress": True})
    here.tell("initialized", {})
    while not (asked := [m for m in here.sent if m.get("method") == "window/workDoneProgress/create"]):
        here.posted.get(timeout=60)()
    here.answer_error(asked[0]["id"], -32601)
    here.sent.clear()
    here.wait()
    assert [m for m in here.sent if m.get("method") == "$/progress"] == []
    assert "Traceback" not in caplog.text


def test_what_happens_in_a_scan_is_in_the_log(here, tmp_path):
    (here.folder / "bytes.py").write_bytes(b"x = '\xff'\n")
    handler = logging.FileHandler(tmp_path / "server.log", encoding="utf-8")
    root = logging.getLogger()
    level = root.level
    root.handlers.insert(0, handler)
    root.setLevel(logging.INFO)
    try:
        here.begin()
        here.scanned("initialized", {})
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()
    assert "bytes.py" in (tmp_path / "server.log").read_text()
