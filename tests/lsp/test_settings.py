"""Settings in the language server: from the client, from files and from the buffers that hold newer ones."""

import json
import sys
from pathlib import Path

import pytest
from talking import NET, Talk

from nnreuse.workspace.workspace import Workspace

OFF = '[tool.nnreuse]\nignore = ["shared-batch-norm"]\n'
ASKED = {"workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}}}


@pytest.fixture
def talk() -> Talk:
    return Talk(Workspace())


def severities(messages, uri: str) -> list[int]:
    """Of the last diagnostics sent for a document."""
    published = [m["params"] for m in messages if m.get("method") == "textDocument/publishDiagnostics"]
    return [d["severity"] for d in [p for p in published if p["uri"] == uri][-1]["diagnostics"]]


def net_in(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.py").write_text(NET)
    return (folder / "net.py").as_uri()


def opened(talk: Talk, uri: str, text: str = NET, language: str = "python"):
    document = {"uri": uri, "languageId": language, "version": 1, "text": text}
    return talk.tell("textDocument/didOpen", {"textDocument": document})


def test_the_nearest_file_holds(talk, tmp_path):
    (tmp_path / "pyproject.toml").write_text(OFF)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "nnreuse.toml").write_text('[severity]\nshared-batch-norm = "error"\n')
    talk.initialize()
    for folder, expected in ((tmp_path, []), (tmp_path / "a", []), (tmp_path / "b", [4, 1])):
        uri = net_in(folder)
        assert severities(opened(talk, uri), uri) == expected


def test_a_file_is_stronger_than_the_client_key_by_key(talk, tmp_path):
    (tmp_path / "nnreuse.toml").write_text('[severity]\nshared-batch-norm = "error"\n')
    options = {"ignore": ["shared-batch-norm"], "severity": {"shared-batch-norm": "hint"}}
    talk.request("initialize", {"processId": None, "capabilities": {}, "initializationOptions": options})
    uri = net_in(tmp_path)
    assert severities(opened(talk, uri), uri) == []
    talk.tell("workspace/didChangeConfiguration", {"settings": {"nnreuse": {"ignore": []}}})
    assert severities(talk.sent, uri) == [4, 1]


@pytest.mark.parametrize("said", [{"minSeverity": "error"}, {"nnreuse": {"min-severity": "error"}}])
def test_what_the_client_changes_holds_at_once(talk, tmp_path, said):
    talk.initialize()
    uri = net_in(tmp_path)
    assert severities(opened(talk, uri), uri) == [4, 2]
    assert severities(talk.tell("workspace/didChangeConfiguration", {"settings": said}), uri) == []
    assert severities(talk.tell("workspace/didChangeConfiguration", {"settings": {}}), uri) == [4, 2]


def test_a_client_that_can_be_asked_is_asked_for_each_folder(talk, tmp_path):
    one, other = net_in(tmp_path / "one"), net_in(tmp_path / "other")
    folders = [{"uri": (tmp_path / name).as_uri(), "name": name} for name in ("one", "other")]
    talk.request("initialize", {"processId": None, "capabilities": ASKED, "workspaceFolders": folders})
    opened(talk, one)
    opened(talk, other)
    register, ask = talk.tell("initialized", {})
    assert register["params"]["registrations"][0]["method"] == "workspace/didChangeConfiguration"
    assert [item.get("scopeUri") for item in ask["params"]["items"]] == [None, *(f["uri"] for f in folders)]
    answer = [{"codeLens": True}, {"ignore": ["shared-batch-norm"]}, {"minSeverity": "hint"}]
    messages = talk.answer(ask["id"], answer)
    assert severities(messages, one) == []
    assert severities(messages, other) == [4, 2]


@pytest.mark.parametrize("answer", ["an error", 3])
def test_a_client_that_does_not_answer_what_it_is_asked_keeps_its_settings(talk, tmp_path, caplog, answer):
    uri = net_in(tmp_path)
    options = {"minSeverity": "error"}
    params = {"processId": None, "capabilities": ASKED, "initializationOptions": options, "rootUri": tmp_path.as_uri()}
    talk.request("initialize", params)
    opened(talk, uri)
    ask = talk.tell("initialized", {})[-1]
    if isinstance(answer, str):
        talk.answer_error(ask["id"], -32601)
    else:
        talk.answer(ask["id"], answer)
    assert "the client does not say its settings" in caplog.text
    assert severities(opened(talk, uri), uri) == []


def test_the_master_switch_clears_and_restores_the_findings(talk, tmp_path):
    talk.initialize()
    uri = net_in(tmp_path)
    opened(talk, uri)
    assert severities(talk.tell("workspace/didChangeConfiguration", {"settings": {"enable": False}}), uri) == []
    assert severities(talk.tell("workspace/didChangeConfiguration", {"settings": {"enable": True}}), uri) == [4, 2]


def test_a_switch_makes_the_client_ask_again_for_lenses_and_hints(talk, tmp_path):
    views = {"codeLens": {"refreshSupport": True}, "inlayHint": {"refreshSupport": True}}
    talk.initialize(workspace=views)
    opened(talk, net_in(tmp_path))
    told = talk.tell("workspace/didChangeConfiguration", {"settings": {"nnreuse": {"codeLens": True}}})
    asked = {message["method"] for message in told}
    assert {"workspace/codeLens/refresh", "workspace/inlayHint/refresh"} <= asked


def test_a_settings_file_is_reread_when_it_changes_on_disk(talk, tmp_path):
    talk.initialize()
    uri = net_in(tmp_path)
    opened(talk, uri)
    file = tmp_path / "pyproject.toml"
    file.write_text(OFF)
    change = {"changes": [{"uri": file.as_uri(), "type": 1}]}
    assert severities(talk.tell("workspace/didChangeWatchedFiles", change), uri) == []
    file.unlink()
    assert severities(talk.tell("workspace/didChangeWatchedFiles", change), uri) == [4, 2]


def test_a_settings_file_in_a_buffer_holds_as_it_is_typed(talk, tmp_path):
    talk.initialize()
    uri = net_in(tmp_path)
    file = tmp_path / "nnreuse.toml"
    file.write_text("")
    opened(talk, uri)
    assert severities(opened(talk, file.as_uri(), 'ignore = ["shared-batch-norm"]\n', "toml"), uri) == []
    half = {"range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}, "text": "= ["}
    document = {"uri": file.as_uri(), "version": 2}
    messages = talk.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [half]})
    # What it said last holds on, and the one message is about the file itself.
    (problem,) = messages[0]["params"]["diagnostics"]
    assert (messages[0]["params"]["uri"], problem["range"]["start"]["line"]) == (file.as_uri(), 0)
    messages = talk.tell("textDocument/didClose", {"textDocument": {"uri": file.as_uri()}})
    assert severities(messages, uri) == [4, 2]


@pytest.mark.parametrize(
    ("name", "text", "line", "word"),
    [
        ("nnreuse.toml", "\nslect = []\n", 1, "`select`"),
        ("nnreuse.toml", '[severity]\n\nshared-prelu = "loud"\n', 2, "severity.shared-prelu"),
        ("pyproject.toml", "[tool.ruff]\nignore = 3\n[tool.nnreuse]\nselect=[]\nignore = 3\n", 4, "ignore"),
        ("pyproject.toml", '[tool.nnreuse]\nignore = ["shared-batchnorm"]\n', 1, "`shared-batch-norm`"),
        ("pyproject.toml", '[tool.nnreuse.severity]\nshared-batchnorm = "hint"\n', 1, "`shared-batch-norm`"),
        ("pyproject.toml", "tool.nnreuse.x = 1\n", 0, "`x`"),
        ("nnreuse.toml", 'python = "no/such/python"\n', 0, "no/such/python"),
        ("nnreuse.toml", "ignore = [\n\n] ]\n", 2, "line 3"),
        ("nnreuse.toml", 'python = "python"\r\nignore = [\r\n', 1, "end of document"),
    ],
)
def test_what_means_nothing_is_reported_where_it_stands(talk, tmp_path, name, text, line, word):
    (tmp_path / name).write_text(text)
    talk.initialize()
    messages = opened(talk, net_in(tmp_path))
    (found,) = [m["params"] for m in messages if m["params"]["uri"].endswith(name)]
    (diagnostic,) = found["diagnostics"]
    assert diagnostic["range"]["start"]["line"] == line
    assert word in diagnostic["message"]


def test_what_a_deleted_settings_file_said_is_forgotten(talk, tmp_path):
    talk.initialize()
    uri = net_in(tmp_path)
    file = tmp_path / "nnreuse.toml"
    file.write_text('ignore = ["shared-batch-norm"]\n')
    assert severities(opened(talk, uri), uri) == []
    change = {"changes": [{"uri": file.as_uri(), "type": 3}]}
    file.unlink()
    assert severities(talk.tell("workspace/didChangeWatchedFiles", change), uri) == [4, 2]
    file.write_text("ignore = [\n")
    talk.tell("workspace/didChangeWatchedFiles", change)
    assert severities(opened(talk, uri), uri) == [4, 2]


@pytest.mark.parametrize("trusted", [False, True])
def test_an_interpreter_of_the_workspace_is_started_only_where_it_is_trusted(talk, tmp_path, trusted):
    python = tmp_path / "tools" / "python"
    python.parent.mkdir()
    python.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\necho '[]'\n")
    python.chmod(0o755)
    (tmp_path / "nnreuse.toml").write_text('python = "tools/python"\n')
    options = {"trusted": trusted}
    talk.request("initialize", {"processId": None, "capabilities": {}, "initializationOptions": options})
    opened(talk, net_in(tmp_path))
    assert (tmp_path / "started").exists() == trusted


def test_the_status_says_what_the_server_works_with(talk, tmp_path):
    site = tmp_path / ".venv" / "lib" / "python3.12" / "site-packages" / "torch"
    site.mkdir(parents=True)
    (site / "version.py").write_text("__version__ = '2.9.1'\n")
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("version = 3.12.1\n")
    (tmp_path / ".venv" / "bin").mkdir()
    (tmp_path / ".venv" / "bin" / "python").write_text("")
    talk.initialize()
    assert talk.request("nnreuse/status", {})["files"] == {"open": 0, "read": 0}
    uri = net_in(tmp_path)
    opened(talk, uri)
    found = talk.request("nnreuse/status", {"uri": uri})
    assert found["files"] == {"open": 1, "read": 1}
    assert found["torch"] == {"version": "2.9.1", "path": str(site)}
    assert found["interpreter"] == str(tmp_path / ".venv" / "bin" / "python")
    assert (found["trusted"], found["interpreterMayRun"], found["cache"]["traces"]) == (False, False, 1)
    interpreter = tmp_path / ".venv" / "bin" / "python"
    told = {
        f"torch: 2.9.1 in {site}",
        f"Interpreter: {interpreter}, which is not run",
        "Not trusted: nothing in the workspace is run",
        f"Files: 1 open, 1 read; revision {found['revision']}",
        "Settings files: none",
    }
    assert told < set(found["lines"])
    json.dumps(found)


def test_another_open_file_is_judged_anew_when_what_it_imports_changes(talk, tmp_path):
    talk.initialize()
    base = (tmp_path / "base.py").as_uri()
    made = NET.split("    def forward")[0]
    used = "from base import Net\n\n\nclass Sub(Net):\n    def forward" + NET.split("    def forward")[1]
    (tmp_path / "base.py").write_text(made)
    uri = (tmp_path / "sub.py").as_uri()
    (tmp_path / "sub.py").write_text(used)
    opened(talk, base, made)
    assert len(severities(opened(talk, uri, used), uri)) == 2
    line = next(n for n, text in enumerate(made.splitlines()) if "BatchNorm2d" in text)
    place = {"line": line, "character": made.splitlines()[line].index("64")}
    change = {"range": {"start": place, "end": place}, "text": "affine=False, track_running_stats=False, num_features="}
    document = {"uri": base, "version": 2}
    messages = talk.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
    assert severities(messages, uri) == []


def told(messages) -> list[str]:
    """What the user is shown."""
    return [m["params"]["message"] for m in messages if m.get("method") == "window/showMessage"]


def test_what_means_nothing_in_the_settings_of_a_client_is_shown_once(talk):
    talk.initialize()
    said = {"settings": {"nnreuse": {"selct": [], "codeLens": 3}}}
    (message,) = told(talk.tell("workspace/didChangeConfiguration", said))
    assert "`codeLens` must be true or false" in message and "`selct`" in message and "`select`" in message
    assert not told(talk.tell("workspace/didChangeConfiguration", said))
    assert not told(talk.tell("workspace/didChangeConfiguration", {"settings": {"nnreuse": {}}}))
    assert told(talk.tell("workspace/didChangeConfiguration", said)) == [message]


@pytest.mark.parametrize("own", [{}, {"nnreuse": {"ignore": ["shared-prelu"]}}])
def test_what_a_client_says_to_other_servers_is_not_for_us(talk, own):
    talk.initialize()
    said = {"pylsp": {"plugins": {}}, "python": {"analysis": {}}, **own}
    assert not told(talk.tell("workspace/didChangeConfiguration", {"settings": said}))


def test_nothing_is_asked_of_a_client_before_it_has_been_answered(talk):
    refresh = {"refreshSupport": True}
    workspace = {"codeLens": refresh, "inlayHint": refresh, "diagnostics": refresh}
    capabilities = {"workspace": workspace, "textDocument": {"diagnostic": {}}}
    params = {
        "processId": None,
        "capabilities": capabilities,
        "initializationOptions": {"codeLens": True, "enable": False},
    }
    talk.request("initialize", params)
    assert [m for m in talk.sent if "method" in m] == []


def test_a_client_hears_of_the_names_that_it_may_use(talk, tmp_path):
    folder = {"uri": tmp_path.as_uri(), "name": "w"}
    talk.request("initialize", {"processId": None, "capabilities": {}, "workspaceFolders": [folder]})
    said = {"settings": {"nnreuse": {"hoover": True, "code_lens": True, "python": "/nonexistent/python"}}}
    (message,) = told(talk.tell("workspace/didChangeConfiguration", said))
    assert (
        "`hoover`; do you mean `hover`?" in message and "/nonexistent/python" in message and "code_lens" not in message
    )


def test_an_interpreter_that_stands_in_the_folder_is_no_mistake(talk, tmp_path):
    folder = {"uri": tmp_path.as_uri(), "name": "w"}
    talk.request("initialize", {"processId": None, "capabilities": {}, "workspaceFolders": [folder]})
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    said = {"settings": {"nnreuse": {"python": "env/bin/python"}}}
    assert not told(talk.tell("workspace/didChangeConfiguration", said))


def test_of_a_file_that_is_no_toml_nothing_is_said_but_that(talk, tmp_path):
    talk.initialize()
    (tmp_path / "nnreuse.toml").write_text("selct = []\n")
    uri, settings = net_in(tmp_path), (tmp_path / "nnreuse.toml").as_uri()
    assert problems(opened(talk, uri), settings) == [(0, "unknown key `selct`; do you mean `select`?")]
    document = {"uri": settings, "languageId": "toml", "version": 1, "text": "selct = []\n"}
    talk.tell("textDocument/didOpen", {"textDocument": document})
    changes = [{"text": "\n\nselct = [\n"}]
    params = {"textDocument": {"uri": settings, "version": 2}, "contentChanges": changes}
    (one,) = problems(talk.tell("textDocument/didChange", params), settings)
    assert "unknown key" not in one[1]


def test_what_is_said_of_the_settings_of_a_folder_goes_with_it(talk, tmp_path):
    folder = {"uri": tmp_path.as_uri(), "name": "w"}
    talk.request("initialize", {"processId": None, "capabilities": {}, "workspaceFolders": [folder]})
    (tmp_path / "nnreuse.toml").write_text("selct = []\n")
    settings, uri = (tmp_path / "nnreuse.toml").as_uri(), net_in(tmp_path)
    assert problems(opened(talk, uri), settings)
    talk.tell("textDocument/didClose", {"textDocument": {"uri": uri}})
    removed = {"event": {"added": [], "removed": [folder]}}
    assert problems(talk.tell("workspace/didChangeWorkspaceFolders", removed), settings) == []


def problems(messages, uri: str) -> list[tuple[int, str]]:
    """What was last published of a settings file: lines and messages."""
    found = [m["params"] for m in messages if m.get("method") == "textDocument/publishDiagnostics"]
    last = [one for one in found if one["uri"] == uri][-1]
    return [(one["range"]["start"]["line"], one["message"]) for one in last["diagnostics"]]
