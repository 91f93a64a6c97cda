"""The command line with the fake engine, run in this process."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result
from fake_engine import FakeEngine

from nnreuse.cli.main import nnreuse

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs `nnreuse` in an empty folder; two rules are known."""
    registry = SimpleNamespace(names=lambda: ["shared-batch-norm", "shared-prelu"])
    monkeypatch.setitem(sys.modules, "nnreuse.rules.registry", registry)
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str, stdin: bytes | None = None, color: bool = False) -> Result:
        return CliRunner().invoke(nnreuse, arguments, input=stdin, color=color, obj=FakeEngine)

    return invoke
