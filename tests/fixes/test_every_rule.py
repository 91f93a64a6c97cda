"""Every fix of every rule, in every dress: tabs, line ends, comments anywhere, other code around. It gives Python, its finding
goes and no other comes, nothing outside its edits changes, comments stay, and it is not offered twice."""

import ast
import io
import re
import tokenize
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnreuse.config.settings import Settings
from nnreuse.config.severity import Severity
from nnreuse.fixes.fix import Fix
from nnreuse.rules import registry
from nnreuse.rules.finding import Finding
from nnreuse.syntax.edits import apply_edits
from nnreuse.workspace.analysis import Analysis
from nnreuse.workspace.project import Project

_MARKS = re.compile(r"^ *#[ ^-]*[\^-] *\n", re.MULTILINE)
_ABOVE = ("", '"""Ein Modell: é𝄞."""\n', "# -*- coding: utf-8 -*-\nTEXT = 'é𝄞'\n\n\ndef helper(x):\n    return x\n\n\n")
_BELOW = ("", "\n\nif __name__ == '__main__':\n    print('é𝄞')\n", "\n\nclass Last(nn.Module):\n    pass\n")


@dataclass(frozen=True)
class Dress:
    """How the text of an example is written."""

    ending: str
    tabs: bool
    beside: bool
    over: bool
    above: str
    below: str

    def on(self, example: str) -> str:
        lines: list[str] = []
        for number, line in enumerate(example.splitlines()):
            indentation = line[: len(line) - len(line.lstrip())]
            plain = bool(line.strip()) and not line.rstrip().endswith(("(", ",", "[", "{", "\\")) and "#" not in line
            if self.over and plain and line.lstrip()[0] not in ")]}.":
                lines.append(f"{indentation}# over {number}: é𝄞")
            lines.append(f"{line}  # beside {number}: é𝄞" if self.beside and plain else line)
        text = self.above + "\n".join(lines) + "\n" + self.below
        return (text.replace("    ", "\t") if self.tabs else text).replace("\n", self.ending)


dresses = st.builds(
    Dress,
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from(_ABOVE),
    st.sampled_from(_BELOW),
)


def example(rule: str) -> str:
    match = re.search(r"## Example\n```python\n(.*?)```", registry.documentation(rule), re.DOTALL)
    assert match is not None
    return _MARKS.sub("", match.group(1))


def spoken(text: str, given_settings: Settings) -> tuple[Analysis, list[Finding]]:
    analysis = Project(given_settings).check(Path("model.py"), text)
    assert analysis.error is None
    return analysis, [f for f in analysis.shown(given_settings) if f.severity.rank >= Severity.INFORMATION.rank]


def about(findings: list[Finding]) -> Counter[tuple[str, str | None]]:
    return Counter((finding.rule, finding.owner) for finding in findings)


def comments(text: str) -> Counter[str]:
    tokens = tokenize.generate_tokens(io.StringIO(re.sub(r"\r\n?", "\n", text)).readline)
    return Counter(token.string for token in tokens if token.type == tokenize.COMMENT)


@pytest.mark.parametrize("rule", [name for name in registry.names() if registry.judges_classes(name)])
@settings(max_examples=8, deadline=None)
@given(dress=dresses, compat=st.sampled_from(["none", "hook"]))
def test_every_fix(rule: str, dress: Dress, compat: str) -> None:
    chosen = replace(Settings(), select=frozenset([rule]), checkpoint_compat=compat)  # type: ignore[arg-type]
    text = dress.on(example(rule))
    analysis, findings = spoken(text, chosen)
    assert [finding for finding in findings if finding.rule == rule], "the example is found in any dress"
    everything = about(spoken(text, replace(chosen, select=None))[1])
    done: set[str] = set()
    for finding in findings:
        for fix in finding.fixes:
            edits = fix.edits(analysis.index)
            if edits is None or (fixed := apply_edits(text, edits)) in done:
                continue
            done.add(fixed)
            ast.parse(fixed)
            assert _kept(text, fixed, fix), fix.title
            after, left = spoken(fixed, chosen)
            assert about(left)[rule, finding.owner] < about(findings)[rule, finding.owner], fix.title
            assert about(spoken(fixed, replace(chosen, select=None))[1]) <= everything, fix.title
            again = [one.edits(after.index) for other in left for one in other.fixes if one.title == fix.title]
            assert all(edits is None or finding_of(other) != finding_of(finding) for other in left for edits in again)


def finding_of(finding: Finding) -> tuple[str, str | None, str | None, str]:
    return finding.rule, finding.owner, finding.attribute, finding.place.text


def _kept(text: str, fixed: str, fix: Fix) -> bool:
    """Whether every comment is there; where a statement is deleted, the comment on its lines may go with it."""
    gone = comments(text) - comments(fixed)
    ending = next((end for end in ("\r\n", "\r") if end in text), "\n")
    same_ends = ending == "\n" or "\n" not in fixed.replace(ending, "")
    return same_ends and (not gone or fix.title.startswith(("Delete", "Remove")) and sum(gone.values()) <= 2)
