"""Notes in comments: what each silences, what it leaves, and what is said of notes that do nothing."""

import textwrap
from pathlib import Path

import pytest

from nnreuse.config.settings import Settings
from nnreuse.syntax.edits import apply_edits
from nnreuse.workspace.project import Project

NET = """\
import torch.nn as nn
{top}

class Net(nn.Module):
    {above}
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3)
        self.conv2 = nn.Conv2d(8, 8, 3)
        {before}
        self.bn = nn.BatchNorm2d(8){definition}

    def forward(self, x):
        x = self.bn(self.conv1(x)){first}
        {between}
        return self.bn(
            self.conv2(x){inner}
        ){last}
"""
BN = ("shared-batch-norm", "x = self.bn")
ONE = ["shared-batch-norm"]


def net(**notes: str) -> str:
    places = dict.fromkeys(("top", "above", "before", "definition", "first", "between", "inner", "last"), "")
    return NET.format(**{**places, **notes})


def found(text: str, settings: Settings | None = None) -> list[str]:
    analysis = Project(settings or Settings()).check(Path("model.py"), text)
    assert analysis.error is None
    return [finding.rule for finding in analysis.findings]


def test_without_notes_the_instance_is_found() -> None:
    assert found(net()) == ONE


@pytest.mark.parametrize(
    "note", ["# nnreuse: shared", "#nnreuse:shared: one set of statistics", "# x  # nnreuse: shared"]
)
def test_shared_at_the_definition_silences_every_call(note: str) -> None:
    assert found(net(definition="  " + note)) == []
    assert found(net(before=note)) == []


def test_shared_where_something_else_is_defined_silences_nothing() -> None:
    text = net().replace("nn.Conv2d(8, 8, 3)", "nn.Conv2d(8, 8, 3)  # nnreuse: shared")
    assert sorted(found(text)) == [*ONE, "stale-shared-note"]


@pytest.mark.parametrize("rules", ["[shared-batch-norm]", "[shared-prelu, shared-batch-norm]", ""])
@pytest.mark.parametrize("place", ["first", "between", "inner", "last"])
def test_ignore_at_any_call_silences_the_instance(rules: str, place: str) -> None:
    result = found(net(**{place: f"  # nnreuse: ignore{rules} it is meant".lstrip(" " * (place == "between"))}))
    expected = ONE if place == "inner" else []  # `inner` is a line on which nothing is found
    assert [rule for rule in result if rule == BN[0]] == expected


@pytest.mark.parametrize("note", ["  # nnreuse: ignore[shared-batch-norm]", "  # nnreuse: ignore", "  # noqa"])
def test_notes_at_the_definition_and_at_several_calls_are_all_in_use(note: str) -> None:
    assert found(net(definition=note)) == []
    assert found(net(first=note, last=note)) == []
    assert found(net(definition=note, first=note, last=note)) == []


def test_ignore_of_another_rule_leaves_the_finding_and_is_unused() -> None:
    assert found(net(first="  # nnreuse: ignore[shared-prelu]")) == ["unused-suppression", "shared-batch-norm"]


def test_ignore_file_silences_everywhere() -> None:
    assert found(net(top="# nnreuse: ignore-file[shared-batch-norm]")) == []
    assert found(net(top="# nnreuse: ignore-file")) == []


@pytest.mark.parametrize(
    ("comment", "silent"), [("# noqa", 1), ("# NOQA", 1), ("# noqa: E501", 0), ("# noqa : F401", 0)]
)
def test_noqa_counts_only_without_codes_and_is_never_called_unused(comment: str, silent: int) -> None:
    assert found(net(first=f"  {comment}")) == ONE[silent:]
    assert found(net(above=comment)) == ONE


def test_a_note_in_a_string_is_no_note() -> None:
    assert found(net(top='TEXT = "# nnreuse: ignore-file[shared-batch-norm]"')) == ONE
    assert found(net(top='"""\n# nnreuse: ignore-file\n"""')) == ONE


def test_a_note_above_a_method_speaks_about_its_header_with_its_decorators() -> None:
    text = textwrap.dedent("""
        import torch.nn as nn

        class Net(nn.Module):
            size = 3

            # nnreuse: ignore[module-default-argument]
            @wrapped
            def __init__(self, act=nn.PReLU()):
                super().__init__()
                self.act = act
        """)
    assert found(text) == []
    assert found(text.replace("ignore[module-default-argument]", "shared")) == []


def test_a_note_at_an_inherited_definition_counts_in_the_subclass() -> None:
    text = net(definition="  # nnreuse: shared") + textwrap.dedent("""

        class Other(Net):
            def forward(self, x):
                return self.bn(self.conv2(self.bn(self.conv1(x))))
        """)
    assert found(text) == []
    assert found(text.replace("  # nnreuse: shared", "")) == ONE * 2


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("# nnreuse: ignore[shared-batchnorm]", "no rule is called `shared-batchnorm`"),
        ("# nnreuse: shraed", "this note does nothing"),
        ("# nnreuse: ignore[shared-prelu]", "`shared-prelu` has no finding"),
    ],
)
def test_notes_that_do_nothing_are_reported(note: str, said: str) -> None:
    analysis = Project(Settings()).check(Path("model.py"), net(above=note))
    messages = [f.message for f in analysis.findings if f.rule == "unused-suppression"]
    assert len(messages) == 1 and said in messages[0]


def test_what_is_turned_off_cannot_be_judged_unused() -> None:
    text = net(above="# nnreuse: ignore[shared-prelu]")
    assert "unused-suppression" not in found(text, Settings(ignore=frozenset(["shared-prelu"])))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1  # nnreuse: ignore[shared-prelu] why", "x = 1"),
        ("x = 1  # type: ignore  # nnreuse: ignore[shared-prelu]", "x = 1  # type: ignore"),
        ("x = 1  # nnreuse: ignore[shared-prelu]  # pragma: no cover", "x = 1  # pragma: no cover"),
        ("# nnreuse: ignore[shared-prelu]\nx = 1", "x = 1"),
        ("    # nnreuse: ignore[shared-prelu]\nx = 1", "x = 1"),
        ("x = 1  # nnreuse: ignore[ unused-twin,shared-prelu ] why", "x = 1  # nnreuse: ignore[shared-prelu] why"),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_deleting_a_note_leaves_the_code_and_other_comments(before: str, after: str, ending: str) -> None:
    text = before.replace("\n", ending) + ending
    analysis = Project(Settings()).check(Path("model.py"), text)
    edits = analysis.findings[0].fixes[0].edits(analysis.index)
    assert edits is not None and apply_edits(text, edits) == after.replace("\n", ending) + ending


def test_shared_says_nothing_about_what_is_no_sharing() -> None:
    text = textwrap.dedent("""
        import torch.nn as nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = [nn.Linear(8, 8), nn.Linear(8, 8)]  # nnreuse: shared

            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return x
        """)
    assert "unregistered-module" in found(text)
