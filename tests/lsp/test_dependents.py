"""What an open document says follows from other files: from their buffers while they are open, from the disk else."""

from pathlib import Path

import pytest
from talking import NET, Talk

from nnreuse.workspace.workspace import Workspace

BASE, USE = NET.split("    def forward")
SUB = f"from net import Net\n\n\nclass Sub(Net):\n    def forward{USE}"
HARMLESS = BASE.replace("BatchNorm2d(64)", "ReLU()")
PULLS = {"textDocument": {"diagnostic": {}}, "workspace": {"diagnostics": {"refreshSupport": True}}}


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    (tmp_path / "net.py").write_text(BASE)
    (tmp_path / "sub.py").write_text(SUB)
    return Talk(Workspace())


def opened(talk: Talk, path: Path, text: str, uri: str = "") -> dict[str, int]:
    document = {"uri": uri or path.as_uri(), "languageId": "python", "version": 1, "text": text}
    return published(talk.tell("textDocument/didOpen", {"textDocument": document}))


def changed(talk: Talk, path: Path, text: str) -> dict[str, int]:
    params = {"textDocument": {"uri": path.as_uri(), "version": 2}, "contentChanges": [{"text": text}]}
    return published(talk.tell("textDocument/didChange", params))


def closed(talk: Talk, path: Path, uri: str = "") -> dict[str, int]:
    return published(talk.tell("textDocument/didClose", {"textDocument": {"uri": uri or path.as_uri()}}))


def published(messages) -> dict[str, int]:
    """How many findings each file has, of those that something was published of."""
    said = [m["params"] for m in messages if m["method"] == "textDocument/publishDiagnostics"]
    return {one["uri"].rpartition("/")[2]: len(one["diagnostics"]) for one in said}


def test_a_dependency_closed_without_saving_is_what_is_on_disk(talk: Talk, tmp_path: Path) -> None:
    talk.initialize()
    assert opened(talk, tmp_path / "sub.py", SUB) == {"sub.py": 2}
    opened(talk, tmp_path / "net.py", BASE)
    assert changed(talk, tmp_path / "net.py", HARMLESS) == {"net.py": 0, "sub.py": 0}
    assert closed(talk, tmp_path / "net.py") == {"net.py": 0, "sub.py": 2}


def test_a_dependency_closed_in_the_midst_of_a_word_is_what_is_on_disk(talk: Talk, tmp_path: Path) -> None:
    talk.initialize()
    opened(talk, tmp_path / "sub.py", SUB)
    opened(talk, tmp_path / "net.py", BASE)
    changed(talk, tmp_path / "net.py", HARMLESS)
    changed(talk, tmp_path / "net.py", HARMLESS + "x = (\n")
    assert closed(talk, tmp_path / "net.py") == {"net.py": 0, "sub.py": 2}


def test_a_dependency_opened_with_an_unsaved_text_is_that_text(talk: Talk, tmp_path: Path) -> None:
    talk.initialize()
    opened(talk, tmp_path / "sub.py", SUB)
    assert opened(talk, tmp_path / "net.py", HARMLESS) == {"net.py": 0, "sub.py": 0}


def test_a_dependency_opened_and_closed_as_it_is_on_disk_concerns_nobody(talk: Talk, tmp_path: Path) -> None:
    talk.initialize()
    opened(talk, tmp_path / "sub.py", SUB)
    assert opened(talk, tmp_path / "net.py", BASE) == {"net.py": 0}
    assert closed(talk, tmp_path / "net.py") == {"net.py": 0}


def test_a_client_that_pulls_is_told_that_other_documents_changed(talk: Talk, tmp_path: Path) -> None:
    def sent(method: str, **params) -> list[str]:
        return [m["method"] for m in talk.tell(f"textDocument/{method}", params)]

    talk.initialize(**PULLS)
    sub, net = ((tmp_path / name).as_uri() for name in ("sub.py", "net.py"))
    opened(talk, tmp_path / "sub.py", SUB)
    document = {"uri": net, "languageId": "python", "version": 1, "text": HARMLESS}
    assert sent("didOpen", textDocument=document) == ["workspace/diagnostic/refresh"]
    assert talk.request("textDocument/diagnostic", {"textDocument": {"uri": sub}})["items"] == []
    text = {"textDocument": {"uri": net, "version": 2}, "contentChanges": [{"text": BASE}]}
    assert sent("didChange", **text) == ["workspace/diagnostic/refresh"]
    assert len(talk.request("textDocument/diagnostic", {"textDocument": {"uri": sub}})["items"]) == 2
    text = {"textDocument": {"uri": sub, "version": 2}, "contentChanges": [{"text": "x = 1\n"}]}
    assert sent("didChange", **text) == []


def test_a_file_open_under_two_uris_stays_open_until_both_are_closed(talk: Talk, tmp_path: Path) -> None:
    talk.initialize()
    path = tmp_path / "a b.py"
    plain = f"file://{tmp_path}/a b.py"
    opened(talk, path, NET)
    opened(talk, path, NET, plain)
    assert closed(talk, path, plain) == {"a b.py": 0}
    assert talk.request("nnreuse/status", {})["files"]["open"] == 1
    line = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
    change = {"textDocument": {"uri": path.as_uri(), "version": 2}, "contentChanges": [{"range": line, "text": "\n"}]}
    assert published(talk.tell("textDocument/didChange", change)) == {"a%20b.py": 2}
    closed(talk, path)
    assert talk.request("nnreuse/status", {})["files"]["open"] == 0


@pytest.mark.parametrize("typed", ["", "x = (\n"])
def test_files_that_come_leave_open_files_what_other_buffers_make_of_them(
    talk: Talk, tmp_path: Path, typed: str
) -> None:
    talk.initialize()
    opened(talk, tmp_path / "sub.py", SUB)
    opened(talk, tmp_path / "net.py", BASE)
    assert changed(talk, tmp_path / "net.py", HARMLESS) == {"net.py": 0, "sub.py": 0}
    changed(talk, tmp_path / "net.py", HARMLESS + typed)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "__init__.py").touch()
    event = {"uri": (tmp_path / "inner" / "__init__.py").as_uri(), "type": 1}
    assert published(talk.tell("workspace/didChangeWatchedFiles", {"changes": [event]}))["sub.py"] == 0


def test_a_file_that_comes_and_that_nobody_asks_for_has_no_open_file_analysed_anew(talk: Talk, tmp_path: Path) -> None:
    talk.initialize()
    opened(talk, tmp_path / "sub.py", SUB)
    (tmp_path / "unrelated.py").write_text(SUB)
    event = {"uri": (tmp_path / "unrelated.py").as_uri(), "type": 1}
    assert published(talk.tell("workspace/didChangeWatchedFiles", {"changes": [event]})) == {}


def test_files_under_other_settings_see_each_others_buffers(talk: Talk, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "inner" / "__init__.py").touch()
    (inner / "nnreuse.toml").write_text('min-severity = "hint"\n')
    talk.initialize()
    assert opened(talk, inner / "sub.py", SUB) == {"sub.py": 2}
    opened(talk, tmp_path / "net.py", BASE)
    assert changed(talk, tmp_path / "net.py", HARMLESS) == {"net.py": 0, "sub.py": 0}
    assert closed(talk, tmp_path / "net.py") == {"net.py": 0, "sub.py": 2}


def test_references_lead_to_files_under_other_settings(talk: Talk, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "nnreuse.toml").write_text('min-severity = "hint"\n')
    (inner / "__init__.py").touch()
    talk.initialize()
    opened(talk, inner / "sub.py", SUB)
    opened(talk, tmp_path / "net.py", BASE)
    line = next(n for n, each in enumerate(BASE.splitlines()) if "BatchNorm2d" in each)
    place = {"line": line, "character": BASE.splitlines()[line].index("self.")}
    params = {"textDocument": {"uri": (tmp_path / "net.py").as_uri()}, "position": place}
    found = talk.request("textDocument/references", {**params, "context": {"includeDeclaration": True}})
    assert {one["uri"].rpartition("/")[2] for one in found} == {"net.py", "sub.py"}


@pytest.mark.parametrize("typed", ["\n\n\n", "\n\n\nx = (\n"])
@pytest.mark.parametrize("pulls", [False, True])
def test_places_in_another_open_file_move_with_its_lines(talk: Talk, tmp_path: Path, pulls: bool, typed: str) -> None:
    capabilities = {"publishDiagnostics": {"relatedInformation": True}}
    talk.initialize(
        **(
            {**PULLS, "textDocument": {**PULLS["textDocument"], **capabilities}}
            if pulls
            else {"textDocument": capabilities}
        )
    )
    sub, net = (tmp_path / "sub.py").as_uri(), (tmp_path / "net.py").as_uri()
    opened(talk, tmp_path / "sub.py", SUB)
    opened(talk, tmp_path / "net.py", BASE)
    before = talk.request("textDocument/diagnostic", {"textDocument": {"uri": sub}}) if pulls else {}
    params = {"textDocument": {"uri": net, "version": 2}}
    changes = [{"range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}, "text": typed}]
    sent = talk.tell("textDocument/didChange", {**params, "contentChanges": changes})
    if pulls:
        assert [m["method"] for m in sent] == ["workspace/diagnostic/refresh"]
        asked = {"textDocument": {"uri": sub}, "previousResultId": before["resultId"]}
        found = talk.request("textDocument/diagnostic", asked)["items"]
    else:
        found = [m["params"]["diagnostics"] for m in sent if m["params"].get("uri") == sub][-1]
    made = next(n for n, each in enumerate(BASE.splitlines()) if "BatchNorm2d" in each)
    lines = {
        one["location"]["range"]["start"]["line"]
        for each in found
        for one in each["relatedInformation"]
        if one["location"]["uri"] == net
    }
    assert lines == {made + typed.count("\n")}


def test_a_module_of_the_same_name_elsewhere_is_another_one(talk: Talk, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "nnreuse.toml").write_text('min-severity = "hint"\n')
    (other / "net.py").write_text(HARMLESS)
    talk.initialize()
    assert opened(talk, tmp_path / "sub.py", SUB) == {"sub.py": 2}
    assert opened(talk, other / "net.py", HARMLESS) == {"net.py": 0}
    assert changed(talk, tmp_path / "sub.py", SUB + "\n") == {"sub.py": 2}


def test_what_is_typed_into_an_empty_file_reaches_those_that_import_it(talk: Talk, tmp_path: Path) -> None:
    talk.initialize()
    (tmp_path / "net.py").write_text("")
    assert opened(talk, tmp_path / "sub.py", SUB) == {"sub.py": 0}
    opened(talk, tmp_path / "net.py", "")
    assert changed(talk, tmp_path / "net.py", BASE) == {"net.py": 0, "sub.py": 2}
    assert changed(talk, tmp_path / "net.py", "") == {"net.py": 0, "sub.py": 0}
    assert changed(talk, tmp_path / "net.py", BASE) == {"net.py": 0, "sub.py": 2}


@pytest.mark.parametrize("before", [None, "x = (\n"])
def test_a_new_file_reaches_those_that_missed_it(talk: Talk, tmp_path: Path, before: str | None) -> None:
    talk.initialize()
    (tmp_path / "net.py").unlink()
    if before is not None:
        (tmp_path / "net.py").write_text(before)
    assert opened(talk, tmp_path / "sub.py", SUB) == {"sub.py": 0}
    assert opened(talk, tmp_path / "net.py", BASE) == {"net.py": 0, "sub.py": 2}


def test_places_in_a_file_that_is_opened_with_other_lines_are_where_they_are(talk: Talk, tmp_path: Path) -> None:
    talk.initialize(textDocument={"publishDiagnostics": {"relatedInformation": True}})
    opened(talk, tmp_path / "sub.py", SUB)
    assert opened(talk, tmp_path / "net.py", "\n\n" + BASE) == {"net.py": 0, "sub.py": 2}
