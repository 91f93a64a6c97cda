"""What is offered besides the fixes of findings: comments, refactorings, everything at once; and what an edit says of itself."""

import pytest
from talking import NET, Talk

from nnreuse.syntax.edits import Edit, apply_edits
from nnreuse.syntax.source import Encoding, Position, Source
from nnreuse.syntax.span import Span
from nnreuse.workspace.workspace import Workspace

URI = "file:///w/net.py"
ALIKE = """import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3)
        self.conv2 = nn.Conv2d(8, 8, 3)
        self.relu1 = nn.ReLU()
        self.relu2 = nn.ReLU()

    def forward(self, x):
        x = self.relu1(self.conv1(x))
        return self.relu2(self.conv2(x))
"""
LISTED = ALIKE.replace(
    """        self.conv1 = nn.Conv2d(3, 8, 3)
        self.conv2 = nn.Conv2d(8, 8, 3)
""",
    """        self.convs = nn.ModuleList([
            nn.Conv2d(3, 8, 3),
            nn.Conv2d(8, 8, 3),
        ])
""",
)
LISTED = LISTED.replace("self.conv1(", "self.convs[0](").replace("self.conv2(", "self.convs[1](")
MERGED = ALIKE.replace("        self.relu2 = nn.ReLU()\n", "").replace("relu2", "relu1")
IDLE = "x = 1  # nnreuse: ignore[shared-prelu]\n"


TWO = """import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3)
        self.conv3, self.conv4 = nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3)
        self.bn = nn.BatchNorm2d(8)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, x):
        x = self.bn(self.conv2(self.bn(self.conv1(x))))
        return self.norm(self.conv4(self.norm(self.conv3(x))))
"""


@pytest.fixture
def talk() -> Talk:
    talk = Talk(Workspace())
    talk.initialize()
    return talk


def place(text: str, needle: str) -> tuple[int, int]:
    found = Source(text).position(text.index(needle), Encoding.UTF16)
    return found.line, found.column


def offers(talk: Talk, text: str, needle: str, **context) -> dict[str, dict]:
    talk.open(text, URI)
    at = place(text, needle)
    return {action["title"]: action for action in talk.actions(at, at, comments=True, **context)}


def applied(text: str, action) -> str:
    source = Source(text)
    edits = []
    for edit in action["edit"]["changes"][URI]:
        at = [
            source.offset(Position(edit["range"][end]["line"], edit["range"][end]["character"]), Encoding.UTF16)
            for end in ("start", "end")
        ]
        edits.append(Edit(Span(*at), edit["newText"]))
    return apply_edits(text, edits)


def test_a_comment_silences_the_statement(talk):
    action = offers(talk, NET, "self.bn(self.conv1")["Ignore shared-batch-norm here"]
    text = applied(NET, action)
    line = next(line for line in text.splitlines() if "conv1(x)" in line)
    assert line.endswith("self.bn(self.conv1(x))  # nnreuse: ignore[shared-batch-norm]")
    assert talk.open(text, URI)["diagnostics"] == []
    assert not action.get("isPreferred")


def test_every_call_of_an_instance_offers_the_same_fixes(talk):
    first, second = offers(talk, NET, "self.bn(self.conv1"), offers(talk, NET, "self.bn(self.conv2")
    assert list(first) == list(second)
    split = next(title for title in first if title.startswith("Split"))
    assert applied(NET, first[split]) == applied(NET, second[split])


def test_a_list_that_stands_there_takes_the_name_in(talk):
    text = NET.replace("self.bn(self.conv2(x))", "self.bn(self.conv2(x))  # nnreuse: ignore[shared-prelu]")
    after = applied(text, offers(talk, text, "self.bn(self.conv2")["Ignore shared-batch-norm here"])
    assert "# nnreuse: ignore[shared-batch-norm, shared-prelu]" in after


def test_no_comment_is_written_into_a_string(talk):
    text = NET.replace('label = "🔥"; x = self.bn(self.conv1(x))', 'x = self.bn(self.conv1(x)) if """\n""" else x')
    assert "Ignore shared-batch-norm here" not in offers(talk, text, "self.bn(self.conv1")


def test_sharing_is_declared_where_the_module_is_defined(talk):
    text = applied(NET, offers(talk, NET, "self.bn(self.conv1")["Declare `self.bn` shared on purpose"])
    assert "self.bn = nn.BatchNorm2d(64)  # nnreuse: shared\n" in text
    assert talk.open(text, URI)["diagnostics"] == []


@pytest.mark.parametrize(
    ("needle", "title", "expected"),
    [
        ("self.relu2 =", "Use `self.relu1` for `self.relu2` too", MERGED),
        ("self.relu1(self", "Use `self.relu1` for `self.relu2` too", MERGED),
        ("self.conv2(x", "Make `conv1` to `conv2` a ModuleList, `convs`", LISTED),
    ],
)
def test_refactorings_need_no_finding(talk, needle, title, expected):
    action = offers(talk, ALIKE, needle)[title]
    assert action["kind"] == "refactor.rewrite"
    assert applied(ALIKE, action) == expected
    assert title not in offers(talk, ALIKE, needle, only=["quickfix"])


@pytest.mark.parametrize(
    "text",
    [
        ALIKE.replace("        self.relu2 = nn.ReLU()", "        self.relu2 = nn.ReLU(inplace=True)"),
        ALIKE.replace("return self.relu2(", "self.relu2 = nn.ReLU()\n        return self.relu2("),
        ALIKE + "\n\nclass Sub(Net):\n    def forward(self, x):\n        return self.relu2(x)\n",
        ALIKE + "\n\nnet = Net()\nnet.relu2.inplace = True\n",
    ],
)
def test_modules_that_may_differ_are_not_merged(talk, text):
    assert not [title for title in offers(talk, text, "self.relu1(self") if title.startswith("Use ")]


def test_parameters_are_never_merged(talk):
    text = ALIKE.replace("nn.ReLU()", "nn.PReLU()")
    assert not [title for title in offers(talk, text, "self.relu1(self") if title.startswith("Use ")]


def test_a_stateless_instance_that_is_reused_can_be_split_all_the_same(talk):
    found = offers(talk, MERGED, "self.relu1(self.conv1")
    titles = [title for title, action in found.items() if action["kind"] == "refactor.rewrite" and "Split" in title]
    assert applied(MERGED, found[titles[0]]) == ALIKE


def test_all_safe_fixes_come_at_once_and_only_when_asked_for(talk):
    text = IDLE * 2 + NET
    assert "Fix all that keeps behaviour" not in offers(talk, text, "x = 1")
    (action,) = offers(talk, text, "import", only=["source.fixAll"]).values()
    assert action["kind"] == "source.fixAll.nnreuse"
    assert applied(text, action) == "x = 1\nx = 1\n" + NET


def test_an_edit_that_changes_what_trains_says_so():
    talk = Talk(Workspace())
    edits = {"documentChanges": True, "changeAnnotationSupport": {}}
    talk.initialize(
        workspace={"workspaceEdit": edits},
        textDocument={"codeAction": {"resolveSupport": {"properties": ["edit"]}}},
    )
    for title, annotated in (("Split `self.bn` into `bn`, `bn2`", True), ("Ignore shared-batch-norm here", False)):
        action = offers(talk, NET, "self.bn(self.conv1")[title]
        assert "edit" not in action
        edit = talk.request("codeAction/resolve", action)["edit"]
        (change,) = edit["documentChanges"]
        assert change["textDocument"]["version"] == 1
        assert all(("annotationId" in one) == annotated for one in change["edits"])
        assert ("changeAnnotations" in edit) == annotated
    talk.edit((0, 0), (0, 0), "\n")
    assert talk.request("codeAction/resolve", action)["code"] == -32801


@pytest.mark.parametrize(("capabilities", "tags"), [({}, None), ({"tagSupport": {"valueSet": [1]}}, [1])])
def test_a_comment_that_may_go_is_faded_for_those_who_can(capabilities, tags):
    talk = Talk(Workspace())
    talk.initialize(textDocument={"publishDiagnostics": capabilities})
    (found,) = talk.open("x = 1  # nnreuse: ignore[shared-prelu]\n")["diagnostics"]
    assert (found["code"], found.get("tags")) == ("unused-suppression", tags)


def test_all_findings_of_one_rule_are_fixed_at_once(talk: Talk) -> None:
    found = offers(talk, TWO, "self.bn(self.conv2")
    fixed = applied(TWO, found["Fix all 2 `shared-batch-norm` in this file"])
    assert "return self.norm2(self.conv4(self.norm(self.conv3(x))))" in fixed
    assert "x = self.bn2(self.conv2(self.bn(self.conv1(x))))" in fixed


def test_one_finding_is_not_offered_to_be_fixed_with_all(talk: Talk) -> None:
    assert not [title for title in offers(talk, NET, "self.bn(") if title.startswith("Fix all")]


def test_an_action_of_an_earlier_analysis_of_the_same_text_is_refused() -> None:
    """Else the number that it is found by would mean another action by then."""
    talk = Talk(Workspace())
    talk.initialize(textDocument={"codeAction": {"resolveSupport": {"properties": ["edit"]}}})
    action = offers(talk, NET, "self.bn(self.conv1")["Declare `self.bn` shared on purpose"]
    talk.tell("workspace/didChangeConfiguration", {"settings": {"nnreuse": {"ignore": ["shared-prelu"]}}})
    offers(talk, NET, "nn.BatchNorm2d")
    assert talk.request("codeAction/resolve", action)["code"] == -32801
    for number in (-1, 99):
        other = {**action, "data": {**action["data"], "range": [action["data"]["range"][0], number]}}
        assert talk.request("codeAction/resolve", other)["code"] == -32801


def test_of_a_selection_with_many_findings_the_first_are_offered(talk: Talk) -> None:
    text = NET + "".join(NET.partition("class Net")[2].join(("\n\nclass N" + str(n), "")) for n in range(20))
    assert len(talk.open(text)["diagnostics"]) == 42
    actions = talk.actions((0, 0), (len(text.splitlines()), 0), [])
    assert len({str(one["diagnostics"]) for one in actions if one.get("diagnostics")}) <= 20


def test_fix_all_says_that_it_changes_what_trains() -> None:
    talk = Talk(Workspace())
    talk.initialize(workspace={"workspaceEdit": {"documentChanges": True, "changeAnnotationSupport": {}}})
    talk.tell("workspace/didChangeConfiguration", {"settings": {"nnreuse": {"unsafeFixes": True}}})
    (action,) = offers(talk, TWO, "import", only=["source.fixAll"]).values()
    assert action["edit"]["changeAnnotations"]


def test_fix_all_changes_what_trains_where_the_editor_says_so(talk: Talk) -> None:
    assert not offers(talk, TWO, "import", only=["source.fixAll"])
    talk.tell("workspace/didChangeConfiguration", {"settings": {"nnreuse": {"unsafeFixes": True}}})
    (action,) = offers(talk, TWO, "import", only=["source.fixAll"]).values()
    assert "self.norm2" in applied(TWO, action)
