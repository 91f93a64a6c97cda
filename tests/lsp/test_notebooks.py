"""Notebooks: cells are one program, and what is said of it is said of the cells."""

import textwrap

import pytest
from talking import Talk, span

from nnreuse.workspace.workspace import Workspace

NB = "file:///w/net.ipynb"
CELLS = [
    "%matplotlib inline\n!pip install torch\nfiles = !ls\nimport torch.nn as nn",
    "# Words\n",
    """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1)
        self.conv2 = nn.Conv2d(64, 64, 3, padding=1)
        self.bn = nn.BatchNorm2d(64)

    def forward(self, x):
        x = self.bn(self.conv1(x))
        x = self.bn(self.conv2(x))
        return x""",
    "%%time\nNet()",
    "%%bash\nfor x in *; do echo; done",
]


def cell_uri(number: int) -> str:
    return f"vscode-notebook-cell:/w/net.ipynb#c{number}"


@pytest.fixture
def talk() -> Talk:
    talk = Talk(Workspace())
    talk.initialize()
    return talk


def open_notebook(talk: Talk, languages: dict[int, str] | None = None, contents: list[str] = CELLS) -> dict[str, list]:
    """What is published then; `languages`: of code cells that are no Python."""
    kinds = [1 if number == 1 else 2 for number in range(len(CELLS))]
    cells = [{"kind": kind, "document": cell_uri(number)} for number, kind in enumerate(kinds)]
    texts = [
        {"uri": cell_uri(n), "languageId": "python" if kinds[n] == 2 else "markdown", "version": 1, "text": text}
        for n, text in enumerate(contents)
    ]
    for number, language in (languages or {}).items():
        texts[number]["languageId"] = language
    notebook = {"uri": NB, "notebookType": "jupyter-notebook", "version": 1, "cells": cells}
    return published(talk.tell("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": texts}))


def published(messages) -> dict[str, list]:
    return {m["params"]["uri"]: m["params"]["diagnostics"] for m in messages}


def changed(talk: Talk, **cells) -> dict[str, list]:
    document = {"uri": NB, "version": 2}
    params = {"notebookDocument": document, "change": {"cells": cells}}
    return published(talk.tell("notebookDocument/didChange", params))


def test_findings_stand_in_their_cell(talk):
    found = open_notebook(talk)
    assert list(found) == [cell_uri(number) for number in range(len(CELLS))]
    assert [len(each) for each in found.values()] == [0, 0, 2, 0, 0]
    assert [d["range"]["start"] for d in found[cell_uri(2)]] == [
        {"line": 8, "character": 12},
        {"line": 9, "character": 12},
    ]


def test_an_edit_of_one_cell_concerns_the_program(talk):
    open_notebook(talk)
    content = {
        "document": {"uri": cell_uri(0), "version": 2},
        "changes": [{"range": span((3, 19), (3, 21)), "text": "other"}],
    }
    assert not any(changed(talk, textContent=[content]).values())
    content = {"document": {"uri": cell_uri(0), "version": 3}, "changes": [{"text": "import torch.nn as nn\n"}]}
    assert len(changed(talk, textContent=[content])[cell_uri(2)]) == 2


@pytest.mark.parametrize(("number", "language"), [(1, "markdown"), (4, "shellscript")])
def test_what_is_typed_in_a_cell_that_is_no_code_stays_out_of_the_program(talk, number, language):
    open_notebook(talk, {number: language})
    end = (1, 0) if number == 1 else (1, len("for x in *; do echo; done"))
    content = {
        "document": {"uri": cell_uri(number), "version": 7},
        "changes": [{"range": span(end, end), "text": "these are (words"}],
    }
    document, cells = {"uri": NB, "version": 2}, {"textContent": [content]}
    sent = talk.tell("notebookDocument/didChange", {"notebookDocument": document, "change": {"cells": cells}})
    assert [len(each) for each in published(sent).values()] == [0, 0, 2, 0, 0]
    assert sent[number]["params"]["version"] == 7
    content = {"document": {"uri": cell_uri(0), "version": 2}, "changes": [{"text": "nn = None\n"}]}
    assert not any(changed(talk, textContent=[content]).values())  # a program that is none any more keeps what it had


def test_a_cell_that_is_no_python_is_left_out(talk):
    contents = [*CELLS[:3], "iters: 100 | loss: 0.47", CELLS[4]]
    assert [len(each) for each in open_notebook(talk, contents=contents).values()] == [0, 0, 2, 0, 0]


def test_a_cell_that_is_being_typed_keeps_what_was_known_of_the_others(talk):
    open_notebook(talk)
    typed = {"document": {"uri": cell_uri(0), "version": 2}, "changes": [{"text": "import torch.nn as"}]}
    assert len(changed(talk, textContent=[typed])[cell_uri(2)]) == 2
    other = {"document": {"uri": cell_uri(3), "version": 2}, "changes": [{"text": "x = 1"}]}
    assert not any(changed(talk, textContent=[other]).values())  # the first cell does not run: nobody knows nn


def test_places_and_fixes_in_an_indented_cell_stand_where_its_lines_do(talk):
    contents = [*CELLS[:2], textwrap.indent(CELLS[2], "   "), *CELLS[3:]]
    found = open_notebook(talk, contents=contents)[cell_uri(2)]
    assert [d["range"]["start"] for d in found] == [{"line": line, "character": 15} for line in (8, 9)]
    params = {"textDocument": {"uri": cell_uri(2)}, "range": found[0]["range"], "context": {"diagnostics": [found[0]]}}
    action = talk.request("textDocument/codeAction", params)[0]
    assert action["diagnostics"][0]["range"] == found[0]["range"]
    edits = action["edit"]["changes"][cell_uri(2)]
    assert sorted((e["range"]["start"]["line"], e["newText"]) for e in edits) == [
        (6, "           self.bn2 = nn.BatchNorm2d(64)\n"),
        (9, "bn2"),
    ]
    place = {"textDocument": {"uri": cell_uri(2)}, "position": {"line": 8, "character": 17}}
    assert talk.request("textDocument/hover", place)["range"] == span((8, 15), (8, 22))


def test_cells_come_go_and_move(talk):
    open_notebook(talk)
    gone = {"array": {"start": 0, "deleteCount": 1, "cells": []}, "didClose": [{"uri": cell_uri(0)}]}
    assert not any(changed(talk, structure=gone).values())
    text = {"uri": cell_uri(9), "languageId": "python", "version": 1, "text": "from torch import nn"}
    new = {"array": {"start": 0, "deleteCount": 0, "cells": [{"kind": 2, "document": cell_uri(9)}]}, "didOpen": [text]}
    assert len(changed(talk, structure=new)[cell_uri(2)]) == 2


def test_fixes_and_hover_speak_of_cells(talk):
    found = open_notebook(talk)[cell_uri(2)]
    params = {
        "textDocument": {"uri": cell_uri(2)},
        "range": found[0]["range"],
        "context": {"diagnostics": [found[0]]},
    }
    action = talk.request("textDocument/codeAction", params)[0]
    assert action["title"] == "Split `self.bn` into `bn`, `bn2`"
    assert [d["range"]["start"]["line"] for d in action["diagnostics"]] == [8]
    edits = action["edit"]["changes"]
    assert list(edits) == [cell_uri(2)]
    assert sorted(edit["range"]["start"]["line"] for edit in edits[cell_uri(2)]) == [6, 9]
    place = {"textDocument": {"uri": cell_uri(2)}, "position": {"line": 8, "character": 14}}
    hover = talk.request("textDocument/hover", place)
    assert hover["range"] == span((8, 12), (8, 19))


def test_a_resolved_fix_keeps_the_diagnostics_of_its_cell(talk):
    talk.initialize(textDocument={"codeAction": {"resolveSupport": {"properties": ["edit"]}}})
    found = open_notebook(talk)[cell_uri(2)]
    params = {
        "textDocument": {"uri": cell_uri(2)},
        "range": found[0]["range"],
        "context": {"diagnostics": [found[0]]},
    }
    action = talk.request("textDocument/codeAction", params)[0]
    resolved = talk.request("codeAction/resolve", action)
    assert resolved["diagnostics"] == action["diagnostics"]
    assert list(resolved["edit"]["changes"]) == [cell_uri(2)]


def test_a_cell_is_pulled_by_itself():
    talk = Talk(Workspace())
    talk.initialize(textDocument={"diagnostic": {}})
    assert open_notebook(talk) == {}
    report = talk.request("textDocument/diagnostic", {"textDocument": {"uri": cell_uri(2)}})
    assert [d["range"]["start"]["line"] for d in report["items"]] == [8, 9]
    assert talk.request("textDocument/diagnostic", {"textDocument": {"uri": cell_uri(0)}})["items"] == []


def test_a_closed_notebook_leaves_nothing(talk):
    open_notebook(talk)
    cells = [{"uri": cell_uri(number)} for number in range(len(CELLS))]
    params = {"notebookDocument": {"uri": NB}, "cellTextDocuments": cells}
    assert not any(published(talk.tell("notebookDocument/didClose", params)).values())
    assert talk.request("nnreuse/status", {})["files"]["open"] == 0


def asked(line: int, character: int, cell: int = 2, **others) -> dict:
    return {"textDocument": {"uri": cell_uri(cell)}, "position": {"line": line, "character": character}, **others}


def test_places_of_an_instance_are_places_in_cells(talk):
    open_notebook(talk)
    found = talk.request("textDocument/documentHighlight", asked(8, 14))
    assert [one["range"] for one in found] == [span((5, 8), (5, 15)), span((8, 12), (8, 19)), span((9, 12), (9, 19))]
    found = talk.request("textDocument/references", asked(5, 14, context={"includeDeclaration": False}))
    assert [(one["uri"], one["range"]["start"]["line"]) for one in found] == [(cell_uri(2), 8), (cell_uri(2), 9)]
    assert talk.request("textDocument/documentHighlight", asked(3, 2, cell=0)) is None


def test_lenses_and_hints_stand_in_their_cell(talk):
    talk.initialize()
    talk.tell("workspace/didChangeConfiguration", {"settings": {"nnreuse": {"codeLens": True, "inlayHints": True}}})
    open_notebook(talk)
    (lens,) = talk.request("textDocument/codeLens", {"textDocument": {"uri": cell_uri(2)}})
    assert lens["range"]["start"]["line"] == 5
    uri, where, locations = lens["command"]["arguments"]
    assert (uri, where["line"]) == (cell_uri(2), 5)
    assert [(one["uri"], one["range"]["start"]["line"]) for one in locations] == [(cell_uri(2), 8), (cell_uri(2), 9)]
    whole = {"textDocument": {"uri": cell_uri(2)}, "range": span((0, 0), (10, 16))}
    hints = talk.request("textDocument/inlayHint", whole)
    assert [(one["position"]["line"], one["label"]) for one in hints] == [(8, "#1 of 2"), (9, "#2 of 2")]
    assert talk.request("textDocument/codeLens", {"textDocument": {"uri": cell_uri(3)}}) == []
    other = {"textDocument": {"uri": cell_uri(3)}, "range": span((0, 0), (1, 5))}
    assert talk.request("textDocument/inlayHint", other) == []


def test_rule_names_are_completed_in_cells(talk):
    open_notebook(talk)
    text = "x = 1  # nnreuse: ignore[shared-ba"
    content = {"document": {"uri": cell_uri(3), "version": 2}, "changes": [{"text": text}]}
    changed(talk, textContent=[content])
    items = talk.request("textDocument/completion", asked(0, len(text), cell=3))["items"]
    assert items[0]["textEdit"]["range"]["end"] == {"line": 0, "character": len(text)}
    assert "shared-batch-norm" in {one["label"] for one in items}


def test_hover_names_the_cells_lines(talk: Talk) -> None:
    open_notebook(talk)
    params = {"textDocument": {"uri": cell_uri(2)}, "position": {"line": 5, "character": 16}}
    assert "1. cell 3, line 9\n" in talk.request("textDocument/hover", params)["contents"]["value"]


def test_hover_answers_beside_a_cell_that_is_half_typed(talk: Talk) -> None:
    open_notebook(talk)
    change = {"range": span((1, 0), (1, 0)), "text": "x = (\n"}
    changed(talk, textContent=[{"document": {"uri": cell_uri(3), "version": 2}, "changes": [change]}])
    params = {"textDocument": {"uri": cell_uri(2)}, "position": {"line": 5, "character": 16}}
    assert talk.request("textDocument/hover", params) is not None


def test_a_client_that_pulls_is_told_that_other_cells_have_changed() -> None:
    talk = Talk(Workspace())
    talk.initialize(textDocument={"diagnostic": {}}, workspace={"diagnostics": {"refreshSupport": True}})
    open_notebook(talk)

    def typed(number: int, text: str) -> list[str]:
        change = {"range": span((0, 0), (0, 0)), "text": text}
        content = [{"document": {"uri": cell_uri(number), "version": 2}, "changes": [change]}]
        params = {"notebookDocument": {"uri": NB, "version": 2}, "change": {"cells": {"textContent": content}}}
        return [m["method"] for m in talk.tell("notebookDocument/didChange", params)]

    assert typed(3, "# words\n") == []
    assert typed(0, "# words\n") == []
    assert typed(0, "# nnreuse: ignore-file[shared-batch-norm]\n") == ["workspace/diagnostic/refresh"]


def test_a_client_that_pulls_is_told_that_closed_and_deleted_cells_have_nothing() -> None:
    talk = Talk(Workspace())
    talk.initialize(textDocument={"diagnostic": {}})

    def report(**previous: str) -> dict[str, int]:
        known = [{"uri": cell_uri(int(number[1:])), "value": value} for number, value in previous.items()]
        items = talk.request("workspace/diagnostic", {"previousResultIds": known})["items"]
        ids.update({one["uri"]: one["resultId"] for one in items})
        return {one["uri"]: len(one["items"]) for one in items}

    ids: dict[str, str] = {}
    open_notebook(talk)
    assert report() == {}
    gone = {"array": {"start": 2, "deleteCount": 1, "cells": []}, "didClose": [{"uri": cell_uri(2)}]}
    changed(talk, structure=gone)
    assert report() == {cell_uri(2): 0}
    cells = [{"uri": cell_uri(number)} for number in (0, 1, 3, 4)]
    talk.tell("notebookDocument/didClose", {"notebookDocument": {"uri": NB}, "cellTextDocuments": cells})
    assert report() == {cell_uri(number): 0 for number in range(len(CELLS))}
    known = {f"c{number}": ids[cell_uri(number)] for number in range(len(CELLS))}
    assert report(**known) == {}
    open_notebook(talk)
    assert report() == {}
