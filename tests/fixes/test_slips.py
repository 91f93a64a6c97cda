"""Whatever slips a class has: a rule's fix gives Python, removes its finding, brings no other, and is done when it is done."""

import ast
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from repairing import HEADER

from nnreuse.config.settings import Settings
from nnreuse.config.severity import Severity
from nnreuse.rules.finding import Finding
from nnreuse.syntax.edits import apply_edits
from nnreuse.workspace.analysis import Analysis
from nnreuse.workspace.project import Project

NORMS = ("nn.BatchNorm2d(8)", "nn.GroupNorm(\n            2,  # groups é𝄞\n            8,\n        )", "nn.PReLU()")
COMMENTS = ("", "  # after the layer", "  # é𝄞")
SHAPES = ("chain", "helper", "loop", "indexed")


@dataclass(frozen=True)
class Model:
    """`calls` says which norm each layer's result goes through."""

    norm: str
    calls: tuple[int, ...]
    idle: bool
    listed: str
    shape: str
    comment: str
    setup: bool
    subclass: bool
    ending: str
    tabs: bool

    def text(self) -> str:
        count = len(self.calls)
        norms = sorted({*self.calls, *([max(self.calls) + 1] if self.idle else [])})
        init = [f"self.fc{n} = nn.Conv2d(8, 8, 3, padding=1){self.comment}" for n in range(count)]
        init += [f"self.norm{'' if n == 0 else n} = {self.norm}" for n in norms]
        init += ["nn.init.ones_(self.norm.weight)"] * (self.setup and 0 in norms)
        init += [f"self.layers = nn.ModuleList({self.listed})"] * bool(self.listed)
        names = ["norm" if n == 0 else f"norm{n}" for n in self.calls]
        lines = [f"x = self.{name}(self.fc{n}(x)){self.comment}" for n, name in enumerate(names)]
        helper: list[str] = []
        if self.shape == "helper":
            helper, lines = [*lines, "return x"], ["x = self.go(x)"]
        elif self.shape in ("loop", "indexed") and self.listed:
            first, *rest = names
            loop = ["for layer in self.layers:", f"    x = self.{first}(layer(x)){self.comment}"]
            if self.shape == "indexed":
                loop = [
                    "for i in range(len(self.layers)):",
                    f"    x = self.{first}(self.layers[i](x)){self.comment}",
                ]
            lines = [*loop, *(line for line, name in zip(lines, names, strict=True) if name in rest and name != first)]
        elif self.listed:
            lines += ["for layer in self.layers:", "    x = layer(x)"]
        body = ["class Net(nn.Module):", "    def __init__(self):", "        super().__init__()"]
        body += ["        " + line for line in init]
        body += ["", "    def go(self, x):", *("        " + line for line in helper)] if helper else []
        body += [
            "",
            "    # What it does.",
            "    def forward(self, x):",
            *("        " + line for line in [*lines, "return x"]),
        ]
        if self.subclass:
            body += ["", "", "class Sub(Net):", "    def other(self, x):", "        return self.norm2 if x else x"]
        text = HEADER + "\n".join(body) + "\n"
        return (text.replace("    ", "\t") if self.tabs else text).replace("\n", self.ending)


models = st.builds(
    Model,
    st.sampled_from(NORMS),
    st.lists(st.integers(0, 2), min_size=2, max_size=4).map(tuple),
    st.booleans(),
    st.sampled_from(["", "[nn.Conv2d(8, 8, 1)] * 3", "nn.Conv2d(8, 8, 1) for _ in range(3)"]),
    st.sampled_from(SHAPES),
    st.sampled_from(COMMENTS),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)


def analysed(text: str, given_settings: Settings) -> Analysis:
    analysis = Project(given_settings).check(Path("model.py"), text)
    assert analysis.error is None
    return analysis


def spoken(analysis: Analysis) -> list[Finding]:
    """The findings that people see."""
    return [f for f in analysis.findings if f.severity.rank >= Severity.INFORMATION.rank]


@settings(max_examples=30, deadline=None)
@given(models, st.sampled_from(["none", "hook"]))
def test_every_fix_of_every_finding(slip: Model, compat: str) -> None:
    text = slip.text()
    chosen = replace(Settings(), checkpoint_compat="hook" if compat == "hook" else "none")
    before = analysed(text, chosen)
    # Where a twin is no longer idle, what else is shared is called by its own rule: it was found before all the same.
    known = {(f.owner, f.attribute) for f in before.findings}
    done: set[str] = set()
    for finding in spoken(before):
        for fix in finding.fixes:
            edits = fix.edits(before.index)
            if edits is None or (fixed := apply_edits(text, edits)) in done:
                continue
            done.add(fixed)
            deletes = fix.title.startswith("Delete")
            _assert_sound(text, fixed, slip, deletes)
            after = analysed(fixed, chosen)
            about = finding.rule, finding.owner, finding.attribute
            left = [f for f in spoken(after) if (f.rule, f.owner, f.attribute) == about]
            same = [f for f in spoken(before) if (f.rule, f.owner, f.attribute) == about]
            assert not left or (finding.rule == "unused-twin" and len(left) < len(same)), fix.title
            assert all((f.owner, f.attribute) in known for f in spoken(after)), fix.title
            again = [one.edits(after.index) for f in spoken(after) for one in f.fixes if one.title == fix.title]
            assert not any(again), fix.title


def _assert_sound(text: str, fixed: str, slip: Model, deletes: bool) -> None:
    ast.parse(fixed)
    comments = [line.split("#", 1)[1] for line in text.replace("\r", "\n").split("\n") if "#" in line]
    # The comment on a line that is deleted goes with it.
    assert all(fixed.count(comment) >= text.count(comment) - deletes for comment in comments)
    if slip.ending != "\n":
        assert "\n" not in fixed.replace(slip.ending, "")
