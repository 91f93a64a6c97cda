"""What one rule says about a text, and what its fixes make of it."""

import textwrap
from pathlib import Path

from nnreuse.config.settings import Settings
from nnreuse.syntax.edits import apply_edits
from nnreuse.workspace.analysis import Analysis
from nnreuse.workspace.project import Project

HEADER = "import torch\nimport torch.nn as nn\n"


def analysis(rule: str, body: str) -> Analysis:
    found = Project(Settings(select=frozenset([rule]))).check(Path("model.py"), HEADER + textwrap.dedent(body))
    assert found.error is None
    return found


def said(rule: str, body: str) -> list[tuple[str, str]]:
    """What is marked, and how severely, in text order."""
    found = analysis(rule, body)
    return [(f.place.text, f.severity.value) for f in found.findings]


def fixed(rule: str, body: str, number: int = 0) -> str | None:
    """The body after one fix of the first finding; None where it is not to be had. A fix must silence what it fixes."""
    found = analysis(rule, body)
    edits = found.findings[0].fixes[number].edits(found.index)
    if edits is None:
        return None
    text = apply_edits(HEADER + textwrap.dedent(body), edits)
    after = Project(Settings(select=frozenset([rule]))).check(Path("model.py"), text)
    assert after.error is None and len(after.findings) < len(found.findings)
    return text.removeprefix(HEADER)
