"""What a client is told: diagnostics, code actions, hover, refusals."""

import logging

import pytest
from talking import NET, Talk

from nnreuse.workspace.workspace import Workspace

URI = "file:///w/net.py"
RESOLVES = {
    "textDocument": {
        "codeAction": {"isPreferredSupport": True, "resolveSupport": {"properties": ["edit"]}},
        "publishDiagnostics": {"relatedInformation": True},
    },
    "workspace": {"workspaceEdit": {"documentChanges": True}},
}


def columns(published) -> list[tuple[int, int, int]]:
    return [
        (d["range"]["start"]["line"], d["range"]["start"]["character"], d["range"]["end"]["character"])
        for d in published["diagnostics"]
    ]


def titles(actions) -> list[str]:
    return [action["title"] for action in actions]


def test_the_capabilities_are_announced(talk):
    capabilities = talk.initialize(general={"positionEncodings": ["utf-8", "utf-16"]})["capabilities"]
    assert capabilities["positionEncoding"] == "utf-8"
    assert capabilities["textDocumentSync"] == {"openClose": True, "change": 2, "save": True}
    assert capabilities["codeActionProvider"] == {
        "codeActionKinds": ["quickfix", "refactor.rewrite", "source.fixAll.nnreuse"],
        "resolveProvider": True,
    }
    assert capabilities["hoverProvider"]


def test_opening_publishes_what_is_found_but_no_hints(talk):
    talk.initialize()
    published = talk.open("x = 1\ny = bad; z = meh\n")
    assert (published["uri"], published["version"]) == (URI, 1)
    assert columns(published) == [(1, 4, 7)]


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 12), ("utf-16", 10), ("utf-32", 9)])
def test_columns_are_in_the_encoding_that_was_agreed(talk, encoding, column):
    talk.initialize(general={"positionEncodings": [encoding]})
    assert columns(talk.open('s = "🔥"; bad\n')) == [(0, column, column + 3)]
    assert columns(talk.edit((0, column), (0, column), " ")) == [(0, column + 1, column + 4)]


def test_every_edit_is_answered_even_where_nothing_changes(talk):
    talk.initialize()
    before = talk.open("x = bad\n")
    after = talk.edit((0, 7), (0, 7), " ")
    assert after["version"] == 2
    assert after["diagnostics"] == before["diagnostics"]


def test_an_edit_below_a_form_feed_lands_on_its_line(talk):
    talk.initialize()
    talk.open("a = 1\n\f\nb = 2\nc = 3\n")
    assert columns(talk.edit((2, 4), (2, 5), "bad")) == [(2, 4, 7)]


def test_several_changes_in_one_message_apply_one_after_the_other(talk, as_span):
    talk.initialize()
    talk.open("a\n")
    changes = [{"text": "b\nc\n"}, {"range": as_span((1, 0), (1, 1)), "text": "bad"}]
    document = {"uri": URI, "version": 2}
    (message,) = talk.tell("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
    assert columns(message["params"]) == [(1, 0, 3)]


def test_saving_publishes_again(talk):
    talk.initialize()
    published = talk.open("bad\n")
    (message,) = talk.tell("textDocument/didSave", {"textDocument": {"uri": URI}})
    assert message["params"] == published


def test_closing_clears_the_diagnostics(talk):
    talk.initialize()
    talk.open("bad\n")
    (message,) = talk.tell("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert message["params"] == {"uri": URI, "diagnostics": []}
    assert talk.actions((0, 0), (0, 3)) == []


def test_text_that_does_not_parse_keeps_its_findings_in_place_and_offers_no_edit(talk):
    talk.initialize()
    talk.open("x = 1\ny = bad\n")
    assert columns(talk.edit((0, 5), (0, 5), "\nz = (")) == [(2, 4, 7)]
    assert talk.actions((2, 4), (2, 7)) == []
    assert columns(talk.edit((1, 5), (1, 5), ")")) == [(2, 4, 7)]
    assert titles(talk.actions((2, 4), (2, 7))) == ["Better all", "Better this"]


def test_a_change_of_a_document_that_is_not_open_is_ignored(talk, as_span, caplog):
    talk.initialize()
    change = {"range": as_span((0, 0), (0, 0)), "text": "x"}
    assert (
        talk.tell("textDocument/didChange", {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [change]})
        == []
    )
    assert "not open" in caplog.text


def test_a_change_of_a_settings_file_that_is_not_open_is_ignored_too(talk):
    talk.initialize()
    document = {"uri": "file:///w/gone/nnreuse.toml", "version": 2}
    assert talk.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": "a = 1"}]}) == []


def test_a_settings_file_has_the_clients_name(talk):
    talk.initialize()
    uri = "file:///w/a+b@(x)/nnreuse.toml"
    document = {"uri": uri, "languageId": "toml", "version": 1, "text": "nonsense = 1\n"}
    (told,) = talk.tell("textDocument/didOpen", {"textDocument": document})
    assert told["params"]["uri"] == uri


def test_of_what_is_no_python_nothing_is_said(talk):
    talk.initialize()
    document = {
        "uri": "file:///w/site.yaml",
        "languageId": "yaml",
        "version": 1,
        "text": "x: 1  # nnreuse: ignore[foo]\n",
    }
    assert talk.tell("textDocument/didOpen", {"textDocument": document}) == []
    document = {**document, "uri": "file:///w/sage.py", "languageId": "sagemath"}
    assert talk.tell("textDocument/didOpen", {"textDocument": document}) != []


def test_an_untitled_buffer_is_a_document_like_any_other(talk):
    talk.initialize()
    uri = "untitled:Untitled-1"
    assert talk.open("bad\n", uri)["uri"] == uri
    assert columns(talk.edit((0, 0), (0, 0), "x = ", uri)) == [(0, 4, 7)]
    (first, _) = talk.actions((0, 4), (0, 4), uri=uri)
    assert list(first["edit"]["changes"]) == [uri]


def test_without_diagnostics_the_range_says_what_is_meant(talk):
    talk.initialize()
    talk.open("x = 1\ny = bad\nz = bad\n")
    assert talk.actions((0, 0), (0, 5)) == []
    (everywhere, here) = talk.actions((1, 5), (1, 5))
    assert [len(action["edit"]["changes"][URI]) for action in (everywhere, here)] == [2, 1]
    assert here["edit"]["changes"][URI][0]["range"]["start"] == {"line": 1, "character": 4}


def test_a_cursor_at_the_end_of_the_finding_is_on_it(talk):
    talk.initialize()
    talk.open("y = bad\n")
    assert talk.actions((0, 7), (0, 7))
    assert talk.actions((0, 3), (0, 3)) == []


def test_with_diagnostics_they_say_what_is_meant(talk):
    talk.initialize(**RESOLVES)
    first, second = talk.open("y = bad\nz = bad\n")["diagnostics"]
    (_, this) = talk.actions((0, 0), (2, 0), [second])
    assert this["diagnostics"] == [second]
    assert this["data"]["range"] == [1, 4, 1, 7]
    stripped = {"range": first["range"], "code": first["code"], "message": ""}
    assert this["title"] in titles(talk.actions((0, 0), (2, 0), [stripped]))
    foreign = {**first, "code": "F401"}
    assert this["title"] in titles(talk.actions((1, 4), (1, 7), [foreign]))  # then the range does


def test_a_client_that_applies_whatever_it_gets_is_given_one_action(talk):
    talk.initialize()
    first, _ = talk.open("y = bad\nz = bad\n")["diagnostics"]
    assert titles(talk.actions((0, 0), (2, 0), [first])) == ["Better all"]


def test_a_fix_that_two_findings_share_is_offered_once(talk):
    talk.initialize(**RESOLVES)
    published = talk.open("y = bad, bad\n")
    actions = talk.actions((0, 0), (0, 12))
    assert titles(actions) == ["Better all", "Better this", "Better this"]
    assert actions[0]["diagnostics"] == published["diagnostics"]
    assert [action.get("isPreferred", False) for action in actions] == [True, False, False]
    assert {action["kind"] for action in actions} == {"quickfix"}


@pytest.mark.parametrize(("only", "count"), [([], 2), (["quickfix"], 2), ([""], 3), (["source.fixAll", "refactor"], 1)])
def test_only_the_kinds_that_are_asked_for_are_offered(talk, only, count):
    talk.initialize()
    talk.open("y = bad\n")
    assert len(talk.actions((0, 4), (0, 4), only=only)) == count


def test_a_client_that_resolves_gets_the_edit_with_its_version_when_it_asks(talk, as_span):
    talk.initialize(**RESOLVES)
    talk.open("y = bad\n")
    talk.edit((0, 0), (0, 0), "x = ")
    (action, _) = talk.actions((0, 8), (0, 8))
    assert "edit" not in action
    resolved = talk.request("codeAction/resolve", action)
    (change,) = resolved["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": URI, "version": 2}
    assert change["edits"] == [{"range": as_span((0, 8), (0, 11)), "newText": "good"}]


def test_a_fix_is_built_once_for_each_revision(talk):
    talk.initialize(**RESOLVES)
    talk.open("y = bad\n")
    for _ in range(3):
        (action, _) = talk.actions((0, 4), (0, 4))
        talk.request("codeAction/resolve", action)
    assert talk.workspace.builds == 1
    talk.edit((0, 0), (0, 0), "x = ")
    talk.actions((0, 8), (0, 8))
    assert talk.workspace.builds == 2


def test_an_action_for_an_earlier_text_is_refused(talk, caplog):
    talk.initialize(**RESOLVES)
    talk.open("y = bad\n")
    (action, _) = talk.actions((0, 4), (0, 4))
    talk.edit((0, 7), (0, 7), " ")
    error = talk.request("codeAction/resolve", action)
    assert error["code"] == -32801
    assert "changed" in error["message"]
    (action, _) = talk.actions((0, 4), (0, 4))
    talk.tell("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert talk.request("codeAction/resolve", action)["code"] == -32801
    assert not [message for message in talk.sent if message.get("method") == "window/showMessage"]


def test_an_action_of_somebody_else_is_refused(talk):
    talk.initialize(**RESOLVES)
    assert talk.request("codeAction/resolve", {"title": "x", "data": {"uri": URI}})["code"] == -32602
    assert talk.request("codeAction/resolve", {"title": "x"})["code"] == -32602
    odd = {"uri": [URI], "version": 1, "rule": "r", "range": [], "title": "t"}
    assert talk.request("codeAction/resolve", {"title": "x", "data": odd})["code"] == -32602


def test_an_internal_error_is_logged_each_time_and_shown_once(talk, caplog):
    talk.initialize()
    document = {"uri": URI, "languageId": "python", "version": 3, "text": "boom"}
    (shown,) = talk.tell("textDocument/didOpen", {"textDocument": document})
    assert (shown["method"], shown["params"]["type"]) == ("window/showMessage", 1)
    assert talk.tell("textDocument/didOpen", {"textDocument": document}) == []
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 2
    assert f"didOpen of {URI} version 3" in errors[0].getMessage()
    assert errors[0].exc_info
    assert columns(talk.open("bad\n")) == [(0, 0, 3)]


def test_a_request_that_cannot_be_understood_is_answered(talk):
    talk.initialize()
    assert talk.request("textDocument/hover", {"position": "here"})["code"] == -32602
    assert talk.request("textDocument/nothing", {})["code"] == -32601


def test_a_client_that_traces_is_told_what_was_handled(talk):
    talk.initialize()
    assert [message["method"] for message in talk.tell("$/setTrace", {"value": "verbose"})] == []
    talk.sent.clear()
    document = {"uri": URI, "languageId": "python", "version": 1, "text": "x = 1\n"}
    sent = talk.tell("textDocument/didOpen", {"textDocument": document})
    (trace,) = [message["params"] for message in sent if message["method"] == "$/logTrace"]
    assert trace["message"].startswith("textDocument/didOpen: ")
    assert URI in trace["verbose"]
    talk.tell("$/setTrace", {"value": "off"})
    assert len(talk.tell("textDocument/didOpen", {"textDocument": document})) == 1


def test_a_place_in_another_file_is_told_with_that_file(tmp_path) -> None:
    """What a base class of another file defines is where a reader has to look."""
    base, sub = tmp_path / "base.py", tmp_path / "sub.py"
    init, _, forward = NET.partition("    def forward")
    base.write_text(init.replace("class Net", "class Base"), encoding="utf-8")
    talk = Talk(Workspace())
    talk.initialize(textDocument={"publishDiagnostics": {"relatedInformation": True}})
    text = f"from base import Base\n\n\nclass Sub(Base):\n    def forward{forward}"
    found = talk.open(text, sub.as_uri())["diagnostics"]
    places = {one["location"]["uri"] for each in found for one in each["relatedInformation"]}
    assert places == {base.as_uri(), sub.as_uri()}
