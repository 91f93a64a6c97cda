"""Framing, order, and requests that are cancelled before their turn."""

import io
import json

import pytest

from nnreuse.lsp.garbage import Garbage
from nnreuse.lsp.transport import Inbox, messages, serve

HOVER = {"textDocument": {"uri": "file:///w/net.py"}, "position": {"line": 0, "character": 0}}


def frame(message: object, header: str = "Content-Length") -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **message} if isinstance(message, dict) else message).encode()
    return b"%s: %d\r\n\r\n" % (header.encode(), len(body)) + body


class Recorder(io.BytesIO):
    """A client's end that can be read after the server closed it."""

    def close(self) -> None:
        pass


def test_messages_are_read_whatever_surrounds_them():
    stream = io.BytesIO(
        frame({"id": 1})
        + b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n"
        + frame({"id": 2}, "content-length")
        + frame([1, 2])
        + b"Content-Length: 3\r\n\r\n{{{"
        + frame({"id": "🔥"})
    )
    assert [message["id"] for message in messages(stream)] == [1, 2, "🔥"]


def test_a_cancelled_request_that_waits_is_answered_but_not_run(talk):
    talk.initialize()
    talk.open("bad\n")
    talk.sent.clear()
    inbox = Inbox(talk.protocol)
    for number in (1, 2, 3):
        inbox.put({"jsonrpc": "2.0", "id": number, "method": "textDocument/hover", "params": HOVER})
    inbox.handle_next()
    for number in (1, 2):
        inbox.put({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": number}})
    for _ in range(4):
        inbox.handle_next()
    assert [(m["id"], m.get("error", {}).get("code")) for m in talk.sent] == [(1, None), (2, -32800), (3, None)]


def test_garbage_is_looked_for_only_when_nobody_waits(talk, monkeypatch):
    talk.initialize()
    garbage, looked = Garbage(), list[int]()
    monkeypatch.setattr(garbage, "look", lambda paused: looked.append(len(talk.sent)))
    inbox = Inbox(talk.protocol, garbage)
    talk.sent.clear()
    for number in (1, 2):
        inbox.put({"jsonrpc": "2.0", "id": number, "method": "textDocument/hover", "params": HOVER})
    inbox.handle_next()
    assert looked == []
    inbox.handle_next()
    assert looked == [2]  # both answers are sent by then


@pytest.mark.parametrize(("farewell", "code"), [(["shutdown", "exit"], 0), (["exit"], 1)])
def test_exit_ends_the_process_with_the_protocols_code(talk, farewell, code):
    start = frame({"id": 0, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}})
    rest = b"".join(
        frame({"method": method} if method == "exit" else {"id": 1, "method": method}) for method in farewell
    )
    with pytest.raises(SystemExit) as ended:
        serve(talk.protocol, io.BytesIO(start + rest), Recorder())
    assert ended.value.code == code


def test_a_client_that_goes_away_ends_the_session_after_what_it_sent(talk):
    writer = Recorder()
    start = {"id": 0, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}}
    document = {"uri": "file:///w/net.py", "languageId": "python", "version": 1, "text": "bad\n"}
    opened = {"method": "textDocument/didOpen", "params": {"textDocument": document}}
    serve(talk.protocol, io.BytesIO(frame(start) + frame(opened)), writer)
    answers = list(messages(io.BytesIO(writer.getvalue())))
    assert [answer.get("method", answer.get("id")) for answer in answers] == [0, "textDocument/publishDiagnostics"]


def served(talk, *sent: bytes) -> list[dict]:
    """What a client is answered, from the first message to its farewell; that ends the process in good order."""
    writer = Recorder()
    start = frame({"id": 0, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}})
    farewell = frame({"id": 99, "method": "shutdown"}) + frame({"method": "exit"})
    with pytest.raises(SystemExit) as ended:
        serve(talk.protocol, io.BytesIO(start + b"".join(sent) + farewell), writer)
    assert ended.value.code == 0
    return list(messages(io.BytesIO(writer.getvalue())))


@pytest.mark.parametrize(
    "odd",
    [
        frame({"method": "$/cancelRequest"}),
        frame({"method": "$/cancelRequest", "params": None}),
        frame({"method": "$/cancelRequest", "params": {"id": [1]}}),
        frame({"id": [1], "method": "textDocument/hover", "params": HOVER}),
        frame({"id": None, "result": 3}),
        b"Content-Length: 400000\r\n\r\n" + b"[" * 200000 + b"]" * 200000,
    ],
)
def test_a_message_that_nobody_can_use_is_logged_and_skipped(talk, caplog, odd):
    answers = served(talk, odd, frame({"id": 1, "method": "textDocument/hover", "params": HOVER}))
    assert [answer["id"] for answer in answers] == [0, 1, 99]
    assert "skipped a message" in caplog.text


@pytest.mark.parametrize("odd", [{"method": 3}, {"jsonrpc": "1.0", "method": "textDocument/hover", "params": HOVER}])
def test_a_request_that_is_none_of_the_protocol_is_answered(talk, odd):
    answers = served(talk, frame({"id": 1, **odd}))
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32600, None]


@pytest.mark.parametrize("length", [b"many", b"-1", b"9" * 30])
def test_a_length_that_means_nothing_ends_the_session_in_good_order(talk, caplog, length):
    serve(talk.protocol, io.BytesIO(b"Content-Length: %b\r\n\r\n{}" % length), Recorder())
    (said,) = (record for record in caplog.records if record.name == "nnreuse.lsp.transport")
    assert said.getMessage().startswith("cannot read from the client: ")
    assert not said.exc_info


def test_what_comes_after_shutdown_is_refused_until_exit(talk):
    talk.initialize()
    talk.request("shutdown", None)
    assert talk.request("textDocument/hover", HOVER)["code"] == -32600
    assert talk.request("shutdown", None)["code"] == -32600
    assert talk.tell("textDocument/didClose", {"textDocument": {"uri": "file:///w/net.py"}}) == []
    with pytest.raises(SystemExit) as ended:
        talk.tell("exit", None)
    assert ended.value.code == 0


def test_nothing_comes_before_initialize_which_comes_once(talk):
    assert talk.request("textDocument/hover", HOVER)["code"] == -32002
    document = {"uri": "file:///w/net.py", "languageId": "python", "version": 1, "text": "bad\n"}
    assert talk.tell("textDocument/didOpen", {"textDocument": document}) == []
    assert "capabilities" in talk.initialize()
    assert talk.initialize()["code"] == -32600
    assert len(talk.open("bad\n")["diagnostics"]) == 1


def test_a_request_of_ours_needs_no_params(talk):
    talk.initialize()
    talk.sent.clear()
    talk.protocol.receive({"jsonrpc": "2.0", "id": 7, "method": "nnreuse/status"})
    (answer,) = talk.sent
    assert answer["result"]["enabled"] is True


@pytest.mark.parametrize("trace", ["compact", 3, "off", None])
def test_a_trace_that_the_protocol_does_not_know_hinders_no_start(talk, trace):
    params = {"processId": None, "rootUri": None, "capabilities": {}, "trace": trace}
    assert "capabilities" in talk.request("initialize", params)
    talk.tell("$/setTrace", {"value": "off"})
    (heard,) = [m["method"] for m in talk.tell("$/setTrace", {"value": "compact"}) + talk.tell("initialized", {})]
    assert heard == "$/logTrace"
