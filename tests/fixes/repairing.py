"""Applying fixes to source text, for tests."""

import textwrap
from pathlib import Path

from nnreuse.config.settings import Settings
from nnreuse.syntax.edits import apply_edits
from nnreuse.workspace.project import Project

HEADER = "import torch\nimport torch.nn as nn\n\n\n"


def fixes(text: str) -> dict[str, str | None]:
    """What each offered fix makes of a text, by title; None where it is not to be had."""
    analysis = Project(Settings()).check(Path("model.py"), text)
    assert analysis.error is None
    offered: dict[str, str | None] = {}
    for finding in analysis.findings:
        for fix in finding.fixes:
            edits = fix.edits(analysis.index)
            offered[fix.title] = None if edits is None else apply_edits(text, edits)
    return offered


def model(body: str) -> str:
    return HEADER + textwrap.dedent(body).lstrip("\n")
