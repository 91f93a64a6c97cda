"""The line that ends a run counts findings, files and fixes in words."""

from types import SimpleNamespace
from typing import cast

from nnreuse.cli.record import Record
from nnreuse.cli.summary import Summary
from nnreuse.config.severity import Severity


def line(*severities: Severity) -> str:
    summary = Summary()
    found = [SimpleNamespace(severity=one, filename="a.py", repairs=()) for one in severities]
    assert len(list(summary.over(cast(list[Record], found)))) == len(found)
    return summary.line(3, repairs=True)


def test_one_is_counted_otherwise_than_several() -> None:
    assert line() == "No findings in 3 files."
    assert line(Severity.WARNING) == "1 finding in 1 file, none with a fix: 1 warning."
    several = line(Severity.WARNING, Severity.WARNING, Severity.INFORMATION, Severity.INFORMATION, Severity.ERROR)
    assert several == "5 findings in 1 file, none with a fix: 1 error, 2 warnings, 2 information."
