"""Other files are read on a thread: nothing waits for it but the request that asks, and that is answered about its own text."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from talking import NET, Talk

from nnreuse.lsp.transport import Inbox
from nnreuse.workspace import mentions, neighbours
from nnreuse.workspace.workspace import Workspace

SPLIT = "Split `self.bn` into `bn`, `bn2`"
HEIR = "from net import Net\n\n\nclass Own(Net):\n    bn2 = 1\n\n    def f(self):\n        return self.bn2\n"
CALL = {"line": 11, "character": 27}
PLACES = {"call": CALL, "import": {"line": 0, "character": 0}}


class Disk:
    """What is read goes on when it is let go."""

    def __init__(self) -> None:
        self.free = Event()

    def neighbours_of(self, path: Path) -> neighbours.Neighbours:
        self.free.wait()
        return neighbours.neighbours_of(path)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr("nnreuse.lsp.obstacles.neighbours_of", disk.neighbours_of)
    return disk


@pytest.fixture
def uri(tmp_path: Path) -> str:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "net.py").write_text(NET, encoding="utf-8")
    return (tmp_path / "net.py").as_uri()


@pytest.fixture
def talk(uri: str) -> Talk:
    talk = Talk(Workspace())
    talk.initialize(textDocument={"codeAction": {"disabledSupport": True}})
    talk.open(NET, uri)
    return talk


def asking(uri: str, place: str = "call") -> dict[str, Any]:
    at = {"start": PLACES[place], "end": PLACES[place]}
    params = {"textDocument": {"uri": uri}, "range": at, "context": {"diagnostics": []}}
    return {"jsonrpc": "2.0", "id": 7, "method": "textDocument/codeAction", "params": params}


def answered_after(talk: Talk, message: dict[str, Any], meanwhile: Callable[[], object]) -> Any:
    """The answer to a request that waits while something else happens."""

    async def run() -> None:
        talk.protocol.receive(message)
        waiting = asyncio.all_tasks() - {asyncio.current_task()}
        assert len(waiting) == 1
        await asyncio.sleep(0)  # the request goes on until it waits
        meanwhile()
        await asyncio.wait(waiting)

    asyncio.run(run())
    (answer,) = (one for one in talk.sent if one.get("id") == 7)
    return answer


def titles(actions: list[dict[str, Any]]) -> list[str]:
    return [action["title"] for action in actions if "disabled" not in action]


def test_an_edit_is_published_while_a_code_action_waits_for_other_files(talk: Talk, disk: Disk, uri: str) -> None:
    def edit() -> None:
        assert talk.open("x = 1\n", uri.replace("net.py", "other.py"))["version"] == 1
        disk.free.set()

    assert SPLIT in titles(answered_after(talk, asking(uri), edit)["result"])


def test_a_request_that_waits_while_its_document_changes_is_to_be_asked_again(talk: Talk, disk: Disk, uri: str) -> None:
    def edit() -> None:
        assert talk.edit((0, 0), (0, 0), "\n", uri)["version"] == 2
        disk.free.set()

    assert answered_after(talk, asking(uri), edit)["error"]["code"] == -32801


def test_a_request_that_waits_can_be_cancelled(talk: Talk, disk: Disk, uri: str) -> None:
    inbox = Inbox(talk.protocol)

    def cancel() -> None:
        inbox.put({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 7}})
        inbox.handle_next()

    assert answered_after(talk, asking(uri), cancel)["error"]["code"] == -32800
    disk.free.set()


def test_a_cancellation_that_comes_while_the_handler_runs_is_not_lost(
    talk: Talk, disk: Disk, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, receive = Inbox(talk.protocol), talk.protocol.receive

    def overtaken(message: dict[str, Any]) -> None:
        if message.get("id") == 7:
            inbox.put({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 7}})
        receive(message)

    monkeypatch.setattr(talk.protocol, "receive", overtaken)
    assert answered_after(talk, asking(uri), inbox.handle_next)["error"]["code"] == -32800
    disk.free.set()


def test_what_needs_no_other_file_is_answered_at_once(talk: Talk, disk: Disk, uri: str) -> None:
    talk.sent.clear()
    talk.protocol.receive(asking(uri, "import"))  # no loop runs here: nothing could wait
    assert [one["result"] for one in talk.sent] == [[]]
    disk.free.set()
    found = talk.request("textDocument/codeAction", asking(uri)["params"])
    disk.free.clear()
    talk.sent.clear()
    talk.protocol.receive(asking(uri))  # what is known is not asked about again
    assert [titles(one["result"]) for one in talk.sent] == [titles(found)]


def test_what_changes_on_disk_is_seen_by_a_later_request(
    talk: Talk, uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(mentions, "monotonic", lambda: now[0])
    assert SPLIT in titles(talk.request("textDocument/codeAction", asking(uri)["params"]))
    (tmp_path / "heir.py").write_text(HEIR)
    now[0] += mentions.KEPT
    found = talk.request("textDocument/codeAction", asking(uri)["params"])
    assert SPLIT not in titles(found)
    assert [one["disabled"]["reason"] for one in found if "disabled" in one] == [
        "`Own` in heir.py has a `self.bn2` of its own"
    ]


def test_an_internal_error_on_the_thread_is_told_once_and_the_server_goes_on(
    talk: Talk, uri: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(path: Path) -> neighbours.Neighbours:
        raise RuntimeError(path.name)

    monkeypatch.setattr("nnreuse.lsp.obstacles.neighbours_of", broken)
    told = list[list[str]]()
    for _ in range(2):
        assert talk.request("textDocument/codeAction", asking(uri)["params"]) is None
        told.append([one["params"]["message"] for one in talk.sent if one.get("method") == "window/showMessage"])
    assert [len(each) for each in told] == [1, 0]
    logged = [one.getMessage() for one in caplog.records if one.name == "nnreuse"]
    assert len(logged) == 2 and all(
        one.startswith("internal error in textDocument/codeAction of file:") for one in logged
    )
    assert talk.edit((0, 0), (0, 0), "\n", uri)["version"] == 2
