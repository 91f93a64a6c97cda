"""Traces of source text, for tests."""

import textwrap
from pathlib import Path

from nnreuse.config.settings import Settings
from nnreuse.workspace.project import Project

HEADER = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"


def facts(body: str) -> dict[str, dict[str, object]]:
    """The facts of the last class of a text, by attribute."""
    project, path = Project(Settings()), Path("model.py")
    project.admit(path, HEADER + textwrap.dedent(body))
    rows = project.facts(path)
    last = rows[-1]["class"]
    return {str(row["attribute"]): row for row in rows if row["class"] == last}


def calls(body: str) -> dict[str, object]:
    """How often each attribute of the last class is called."""
    return {attribute: row["calls"] for attribute, row in facts(body).items()}
