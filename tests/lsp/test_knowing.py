"""What the server knows of module instances, at the places where somebody looks."""

import pytest
from talking import Talk

from nnreuse.workspace.workspace import Workspace

URI = "file:///w/net.py"
NET = """import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3)
        self.bn = nn.BatchNorm2d(8)
        self.relu = nn.ReLU()

    def forward(self, x):
        x = self.relu(self.bn(self.conv(x)))
        norm = self.bn
        x = self.relu(norm(self.conv(x)))
        return x
"""
ON = {"codeLens": True, "inlayHints": True}


@pytest.fixture
def talk() -> Talk:
    return begun()


def begun(formats=("markdown",), **options) -> Talk:
    talk = Talk(Workspace())
    capabilities = {"textDocument": {"hover": {"contentFormat": list(formats)}}}
    params = {"processId": None, "capabilities": capabilities, "initializationOptions": options}
    talk.request("initialize", params)
    talk.open(NET, URI)
    return talk


def at(text: str, occurrence: int = 0):
    """The position of the n-th occurrence of a text."""
    offset = -1
    for _ in range(occurrence + 1):
        offset = NET.index(text, offset + 1)
    line = NET.count("\n", 0, offset)
    return {"line": line, "character": offset - NET.rfind("\n", 0, offset) - 1}


def asked(talk: Talk, method: str, position, **more):
    return talk.request(f"textDocument/{method}", {"textDocument": {"uri": URI}, "position": position, **more})


def starts(ranges) -> list[tuple[int, int]]:
    return [(r["start"]["line"], r["start"]["character"]) for r in ranges]


@pytest.mark.parametrize("place", [at("self.bn"), at("BatchNorm2d"), at("self.bn", 1), at("self.bn", 2), at("norm(")])
def test_hover_answers_wherever_the_instance_stands(talk, place):
    hover = asked(talk, "hover", place)
    text = hover["contents"]["value"]
    assert hover["contents"]["kind"] == "markdown"
    assert "**`self.bn`** · `BatchNorm2d`" in text
    assert "running statistics" in text
    assert "1. line 12\n2. line 14: on what call 1 made\n" in text
    assert "It is reused (information)" in text  # the convolution is called again, too: a recursion, perhaps


def test_hover_is_silent_where_no_module_stands(talk):
    assert asked(talk, "hover", at("x):")) is None
    assert asked(talk, "hover", {"line": 400, "character": 0}) is None


def test_hover_speaks_plainly_to_those_who_read_no_markdown():
    assert asked(begun(formats=()), "hover", at("self.bn"))["contents"]["kind"] == "plaintext"


def test_highlight_and_references_follow_aliases(talk):
    expected = [at("self.bn"), at("self.bn", 1), at("self.bn", 2), at("norm(")]
    expected = [(place["line"], place["character"]) for place in expected]
    for place in (at("self.bn"), at("norm(")):
        found = asked(talk, "documentHighlight", place)
        assert starts(one["range"] for one in found) == expected
        assert [one["kind"] for one in found] == [3, 2, 2, 2]
        found = asked(talk, "references", place, context={"includeDeclaration": False})
        assert {one["uri"] for one in found} == {URI}
        assert starts(one["range"] for one in found) == expected[1:]


def test_references_lead_to_the_file_that_defines_the_instance(tmp_path):
    made, used = NET.split("    def forward")
    (tmp_path / "base.py").write_text(made)
    talk = Talk(Workspace())
    talk.initialize()
    text = f"from base import Net\n\n\nclass Sub(Net):\n    def forward{used}"
    uri = (tmp_path / "sub.py").as_uri()
    talk.open(text, uri)
    line = next(n for n, each in enumerate(text.splitlines()) if "self.conv" in each)
    place = {"line": line, "character": text.splitlines()[line].index("self.bn")}
    params = {"textDocument": {"uri": uri}, "position": place, "context": {"includeDeclaration": True}}
    found = talk.request("textDocument/references", params)
    assert [one["uri"].rpartition("/")[2] for one in found] == ["base.py", "sub.py", "sub.py", "sub.py"]


def test_references_of_what_a_class_makes_are_also_those_of_its_heirs_in_other_files(tmp_path):
    made, used = NET.split("    def forward")
    (tmp_path / "base.py").write_text(made)
    talk = Talk(Workspace())
    talk.initialize()
    sub, base = (tmp_path / "sub.py").as_uri(), (tmp_path / "base.py").as_uri()
    talk.open(f"from base import Net\n\n\nclass Sub(Net):\n    def forward{used}", sub)
    talk.open(made, base)
    params = {"textDocument": {"uri": base}, "position": at("self.bn"), "context": {"includeDeclaration": True}}
    found = talk.request("textDocument/references", params)
    assert [one["uri"].rpartition("/")[2] for one in found] == ["base.py", "sub.py", "sub.py", "sub.py"]


def test_lenses_and_hints_stay_beside_their_code_while_something_is_half_typed() -> None:
    talk = begun(**ON)
    everything = {"range": {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}}
    before = [asked(talk, "codeLens", {}), asked(talk, "inlayHint", everything, **everything)]
    talk.edit((0, 0), (0, 0), "half = (\n", URI)
    lenses, hints = asked(talk, "codeLens", {}), asked(talk, "inlayHint", everything, **everything)
    for earlier, now in zip(
        before, ([one["range"]["start"] for one in lenses], [one["position"] for one in hints]), strict=True
    ):
        places = [one["range"]["start"] if "range" in one else one["position"] for one in earlier]
        assert places and now == [{**place, "line": place["line"] + 1} for place in places]


def test_an_instance_is_known_beside_what_is_half_typed() -> None:
    talk = begun()
    row = at("norm =")["line"]
    talk.edit((row, 0), (row, 0), "        x = self.conv(\n", URI)
    assert "1. line 12\n2. line 15: on" in asked(talk, "hover", at("self.bn"))["contents"]["value"]
    alias = at("norm(")
    below = {**alias, "line": alias["line"] + 1}
    assert asked(talk, "hover", below)["range"]["start"] == below
    assert asked(talk, "hover", {"line": row, "character": 14}) is None
    found = starts(one["range"] for one in asked(talk, "documentHighlight", at("self.bn", 1)))
    expected = [
        (place["line"] + (place["line"] >= row), place["character"])
        for place in (at("self.bn"), at("self.bn", 1), at("self.bn", 2), alias)
    ]
    assert found == expected


def test_an_instance_is_known_between_two_places_that_are_half_typed() -> None:
    talk = begun(**ON)
    row = at("norm =")["line"]
    talk.edit((row, 0), (row, 0), "        x = self.conv(\n", URI)
    talk.edit((1, 0), (1, 0), "import os\nimport re\n", URI)
    between = at("self.bn", 1)
    below = {**between, "line": between["line"] + 2}
    text = asked(talk, "hover", below)["contents"]["value"]
    assert "1. line 14\n2. line 17: on" in text
    (lens, *_) = [one for one in asked(talk, "codeLens", {}) if "weights" in one["command"]["title"]]
    assert lens["range"]["start"]["line"] in (at("self.conv")["line"] + 2, at("self.bn")["line"] + 2)


def test_an_instance_is_known_where_a_client_sends_whole_texts() -> None:
    talk = begun()
    params = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [{"text": NET + "x = (\n"}]}
    talk.tell("textDocument/didChange", params)
    assert asked(talk, "hover", at("self.bn", 1)) is not None


def test_hover_on_a_constructor_inside_a_container_is_about_what_it_makes() -> None:
    talk = Talk(Workspace())
    talk.initialize(textDocument={"hover": {"contentFormat": ["plaintext"]}})
    text = NET.replace("nn.ReLU()", "nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))")
    talk.open(text, URI)
    line = at("self.relu")["line"]
    for name in ("Sequential", "Linear", "BatchNorm1d"):
        place = {"line": line, "character": text.splitlines()[line].index(name)}
        assert f"`{name}`" in asked(talk, "hover", place)["contents"]["value"].splitlines()[0]


def test_a_lens_says_what_the_calls_share_and_where_they_are():
    lenses = asked(begun(**ON), "codeLens", {})
    titles = {lens["range"]["start"]["line"]: lens["command"]["title"] for lens in lenses}
    assert titles == {
        6: "2 calls · shared weights",
        7: "2 calls · shared running statistics",
        8: "2 calls · stateless",
    }
    command = lenses[1]["command"]
    uri, position, locations = command["arguments"]
    assert (command["command"], uri, position["line"]) == ("nnreuse.showCalls", URI, 7)
    assert starts(one["range"] for one in locations) == [(11, 22), (13, 22)]


def test_inlay_hints_count_the_calls_of_the_range():
    talk = begun(**ON)
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
    hints = asked(talk, "inlayHint", {}, range=whole)
    at_norm = {"line": 13, "character": 26}
    assert [hint["label"] for hint in hints if hint["position"] == at_norm] == ["#2 of 2"]
    assert len(hints) == 6
    first = {"start": {"line": 11, "character": 0}, "end": {"line": 12, "character": 0}}
    assert {hint["label"] for hint in asked(talk, "inlayHint", {}, range=first)} == {"#1 of 2"}


def test_lens_and_hints_are_quiet_unless_asked_for_and_the_master_switch_silences_all():
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
    for options in ({}, {**ON, "knowledge": False}, {**ON, "enable": False}):
        talk = begun(**options)
        assert asked(talk, "codeLens", {}) == []
        assert asked(talk, "inlayHint", {}, range=whole) == []
        assert (asked(talk, "hover", at("self.bn")) is None) == bool(options)


@pytest.mark.parametrize("switch", ["hover", "highlight", "references", "completion"])
def test_each_switch_silences_its_own(switch):
    talk = begun(**{switch: False})
    methods = {"hover": "hover", "highlight": "documentHighlight", "references": "references"}
    for name, method in methods.items():
        answer = asked(talk, method, at("self.bn"), context={"includeDeclaration": True})
        assert (answer is None) == (name == switch)


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ("x = 1  # nnreuse: ", {"shared", "ignore", "ignore-file"}),
        ("x = (  # nnreuse: ign", {"shared", "ignore", "ignore-file"}),
        ("x = 1  # 🔥 nnreuse: ", None),
        ("x = 1  # nnreuse: ignore[", "shared-batch-norm"),
        ("x = 1  # 🔥 # nnreuse: ignore[unused-twin, ", "shared-batch-norm"),
        ("x = 'a nnreuse: ", None),
        ("x = 'a # nnreuse: ", None),
        ("x = (('a'  # nnreuse: ", {"shared", "ignore", "ignore-file"}),
        ("x = 'a' b # nnreuse: ", {"shared", "ignore", "ignore-file"}),
        ("x[", None),
    ],
)
def test_comments_are_completed(talk, line, labels):
    talk.open(line + "\n", "file:///w/other.py")
    position = {"line": 0, "character": len(line.encode("utf-16-le")) // 2}
    params = {"textDocument": {"uri": "file:///w/other.py"}, "position": position}
    found = talk.request("textDocument/completion", params)
    names = {item["label"] for item in found["items"]} if found else None
    if isinstance(labels, str):
        assert names and labels in names
        assert "unused-twin" not in names or "unused-twin" not in line
    else:
        assert names == labels


def completed(talk, text: str, uri: str = "file:///w/other.py"):
    """What is offered at the `|` of a text."""
    head, _, tail = text.partition("|")
    talk.open(head + tail, uri)
    lines = head.split("\n")
    position = {"line": len(lines) - 1, "character": len(lines[-1].encode("utf-16-le")) // 2}
    found = talk.request("textDocument/completion", {"textDocument": {"uri": uri}, "position": position})
    return {item["label"]: item["textEdit"] for item in found["items"]} if found else {}


@pytest.mark.parametrize(
    ("line", "label", "result"),
    [
        ("x = 1  # nnreuse: ignore[shared-b|", "shared-batch-norm", "x = 1  # nnreuse: ignore[shared-batch-norm"),
        ("x = '🔥'  # nnreuse: ignore[a, shared-b|]", "shared-prelu", "x = '🔥'  # nnreuse: ignore[a, shared-prelu]"),
        ("x = '🔥'  # nnreuse:ignore-f|", "ignore-file", "x = '🔥'  # nnreuse:ignore-file["),
        ("x = 1  # nnreuse: |", "shared", "x = 1  # nnreuse: shared"),
    ],
)
def test_what_is_completed_takes_the_place_of_all_that_is_typed(talk, line, label, result):
    edit = completed(talk, f"import torch\n{line}\n")[label]
    span = edit["range"]
    assert (span["start"]["line"], span["end"]["line"]) == (1, 1)
    start, end = (2 * span[at]["character"] for at in ("start", "end"))
    text = line.replace("|", "").encode("utf-16-le")
    assert text[:start].decode("utf-16-le") + edit["newText"] + text[end:].decode("utf-16-le") == result


@pytest.mark.parametrize(
    ("text", "completes"),
    [
        ("x = 'see # nnreuse: |'\n", False),
        ('"""\nUse # nnreuse: ignore[|\n"""\ny = (\n', False),
        ('"""\nUse it\n"""\ny = (  # nnreuse: |\nz =\n', True),
        ("if x:\n        y = 1\n    z = 2  # nnreuse: |\n", True),
        ("def f(:\n    x = )  # nnreuse: |\n", True),
        ('y = """half\n\nz = 2  # nnreuse: |\n', True),
        ("x = 1  # nnreuse: |", True),
        ("x = '# nnreuse: ignore['  # nnreuse: ignore[|", True),
    ],
)
def test_only_comments_are_completed_be_the_code_half_typed(talk, text, completes):
    assert bool(completed(talk, text)) == completes
