"""The command `nnreuse.trace`, in a process: it answers when torch has, and nobody waits for it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from talking import NET, Process

COMMAND = "nnreuse.trace"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "net.py"
    file.write_text(NET, encoding="utf-8")
    return file


@pytest.fixture
def server(file: Path) -> Iterator[Process]:
    with Process() as running:
        yield running


def begin(server: Process, file: Path, **options: Any) -> dict[str, Any]:
    given = {"trusted": True, "python": sys.executable, **options}
    params = {"processId": None, "rootUri": file.parent.as_uri(), "capabilities": {}, "initializationOptions": given}
    answer = server.request("initialize", params)
    server.send({"method": "initialized", "params": {}})
    server.open(file.read_text(encoding="utf-8"), file.as_uri())
    return answer


def ask(server: Process, file: Path, options: str, line: int = 11) -> None:
    arguments = [file.as_uri(), {"line": line, "character": 0}, options]
    server.send({"id": 5, "method": "workspace/executeCommand", "params": {"command": COMMAND, "arguments": arguments}})


def answer(server: Process) -> dict[str, Any]:
    while (message := server.read()).get("id") != 5:
        pass
    return message


def test_others_are_served_while_a_model_is_traced_and_the_trace_is_for_people_and_programs(server, file):
    told = begin(server, file)
    assert told["capabilities"]["executeCommandProvider"]["commands"] == [COMMAND, "nnreuse.reportWrongFinding"]
    ask(server, file, "2x3x8x8 --train")
    other = {"uri": (file.parent / "other.py").as_uri(), "languageId": "python", "version": 1, "text": NET}
    server.send({"method": "textDocument/didOpen", "params": {"textDocument": other}})
    assert server.read()["params"]["uri"] == other["uri"]
    result = answer(server)["result"]
    assert "net.py:Net --input 2x3x8x8 --train, one forward in torch" in result["text"]
    rows = {row["attribute"]: (row["calls"], row["relation"], row["static"]) for row in result["rows"]}
    assert rows["bn"] == (2, "chained", "agrees")


def test_a_trace_that_is_cancelled_ends_its_process(server, file):
    file.write_text("import time\ntime.sleep(1000)\n" + NET, encoding="utf-8")
    begin(server, file)
    ask(server, file, "2x3x8x8")
    server.send({"method": "$/cancelRequest", "params": {"id": 5}})
    assert answer(server)["error"]["code"] == -32800
    assert server.request("shutdown", None) is None


@pytest.mark.parametrize(
    ("options", "line", "settings", "reason"),
    [
        ("2x3x8x8", 11, {"trusted": False}, "this workspace is not trusted"),
        ("2x3x8x8", 0, {}, "put the cursor into the one to trace"),
        ("--width 3", 11, {}, "'--width' is no option"),
        ("'2x3", 11, {}, "cannot be read"),
        ("2x4x8x8", 11, {}, "expected input[2, 4, 8, 8] to have 3 channels"),
    ],
)
def test_what_stands_in_the_way_is_the_answer(server, file, options, line, settings, reason):
    begin(server, file, **settings)
    ask(server, file, options, line)
    error = answer(server)["error"]
    assert (error["code"], reason in error["message"]) == (-32803, True)


def test_an_unsaved_file_is_not_traced(server, file):
    begin(server, file)
    file.write_text(NET + "\n", encoding="utf-8")
    ask(server, file, "2x3x8x8")
    assert "Save net.py first" in answer(server)["error"]["message"]


@pytest.mark.parametrize("arguments", [None, [], ["file:///net.py"], ["file:///net.py", {"line": "1"}], [1, 2, 3, 4]])
def test_arguments_that_are_missing_or_none_are_refused(talk, arguments):
    talk.initialize()
    params = {"command": COMMAND} if arguments is None else {"command": COMMAND, "arguments": arguments}
    error = talk.request("workspace/executeCommand", params)
    assert error["code"] == -32602
    assert error["message"].startswith("`nnreuse.trace` takes the URI of a document")


def test_options_may_be_left_out(talk):
    talk.initialize()
    arguments = ["file:///net.py", {"line": 0, "character": 0}]
    error = talk.request("workspace/executeCommand", {"command": COMMAND, "arguments": arguments})
    assert error["message"] == "Tracing runs the model's code, and this workspace is not trusted."
