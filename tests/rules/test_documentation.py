"""Each rule's docstring is its specification: the bad example is found where the carets are, and the fix gives the fixed one."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from nnreuse.config.settings import Settings
from nnreuse.rules import pages, registry
from nnreuse.syntax.edits import apply_edits
from nnreuse.workspace.project import Project

HEADINGS = ["What it does", "Why it matters", "Example", "Fixed", "Fix safety", "When to ignore"]
MARKS = re.compile(r"^ *#[ ^-]*[\^-] *$")
Spans = set[tuple[str, int, int, int]]


def block(rule: str, heading: str) -> str:
    match = re.search(rf"## {heading}\n```python\n(.*?)```", registry.documentation(rule), re.DOTALL)
    assert match, f"{rule} has no example under {heading}"
    return match.group(1)


def marked(text: str) -> tuple[str, Spans]:
    """The example without its lines of marks, and what they mark: `^` the finding, `-` other calls; line, first column, end column."""
    lines: list[str] = []
    spans: Spans = set()
    for line in text.splitlines():
        if MARKS.match(line):
            spans |= {(one[0][0], len(lines) - 1, *one.span()) for one in re.finditer(r"\^+|-+", line)}
        else:
            lines.append(line)
    return "\n".join(lines) + "\n", spans


def found(rule: str, text: str):
    """What one rule says; one about notes needs the others, whose findings the notes silence."""
    settings = Settings(select=frozenset([rule])) if registry.judges_classes(rule) else Settings()
    analysis = Project(settings).check(Path("example.py"), text)
    assert analysis.error is None
    return replace(analysis, findings=tuple(f for f in analysis.findings if f.rule == rule))


def spans_of(analysis) -> Spans:
    spans: Spans = set()
    for finding in analysis.findings:
        for place in finding.calls:
            span = analysis.index.span(place)
            start, end = analysis.index.source.position(span.start), analysis.index.source.position(span.end)
            spans.add(("^" if place == finding.place else "-", start.line, start.column, end.column))
    return spans


@pytest.mark.parametrize("rule", registry.names())
def test_page_has_the_fixed_headings(rule: str) -> None:
    headings = re.findall(r"^## (.*)$", pages.page(rule), re.MULTILINE)
    assert headings == HEADINGS


@pytest.mark.parametrize("rule", registry.names())
def test_bad_example_is_reported_exactly_at_its_marks(rule: str) -> None:
    text, expected = marked(block(rule, "Example"))
    assert expected
    analysis = found(rule, text)
    assert spans_of(analysis) == expected
    assert all(one.severity.rank >= Settings().min_severity.rank for one in analysis.findings), (
        "a reader who tries it sees it"
    )


@pytest.mark.parametrize("rule", [name for name in registry.names() if registry.judges_classes(name)])
def test_evidence_says_why_and_points_at_code(rule: str) -> None:
    text, _ = marked(block(rule, "Example"))
    analysis = found(rule, text)
    for finding in analysis.findings:
        assert finding.evidence
        for one in finding.evidence:
            span = analysis.index.span(one.place)
            assert one.kind and one.sentence and text[span.start : span.end].strip()


@pytest.mark.parametrize("rule", registry.names())
def test_first_fix_gives_the_fixed_example_and_silence(rule: str) -> None:
    text, _ = marked(block(rule, "Example"))
    fixed, _ = marked(block(rule, "Fixed"))
    analysis = found(rule, text)
    edits = analysis.findings[0].fixes[0].edits(analysis.index)
    assert edits is not None
    assert apply_edits(text, edits) == fixed
    assert not found(rule, fixed).findings
    assert _all_that_is_said(fixed) <= _all_that_is_said(text), "a fix brings up nothing new"


def _all_that_is_said(text: str) -> Counter[str]:
    analysis = Project(Settings()).check(Path("example.py"), text)
    return Counter(finding.rule for finding in analysis.shown(Settings()))
