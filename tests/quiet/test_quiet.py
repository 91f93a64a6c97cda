"""On good production code there is next to nothing to say, and a change of what is said shows as a diff."""

import importlib.util
import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = Path(os.environ.get("NNREUSE_BENCH", HERE.parent.parent / "build" / "bench-data")).absolute()
LINES_FOR_A_WARNING = 50_000


def _module():
    spec = importlib.util.spec_from_file_location("quiet_summary", HERE / "summary.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_warnings_are_next_to_none() -> None:
    warnings = [line for line in (HERE / "findings.txt").read_text().splitlines() if line.startswith(("warn", "err"))]
    assert len(warnings) * LINES_FOR_A_WARNING <= 280_000


def test_findings_are_those_that_were_read() -> None:
    quiet = _module()
    if not all((ROOT / library).is_dir() for library in quiet.LIBRARIES):
        pytest.skip("`make test` installs the sources of torchvision, timm and ultralytics")
    assert quiet.summary(ROOT) == (HERE / "findings.txt").read_text().splitlines(), (
        "read what is new, then `make quiet`"
    )
