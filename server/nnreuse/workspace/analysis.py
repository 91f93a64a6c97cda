"""Analysis: what is known of one revision of one file."""

from dataclasses import dataclass

from nnreuse.rules.finding import Finding
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.units import Unparsable


@dataclass(frozen=True, slots=True)
class Analysis:
    """The findings of a snapshot. Where `error` is set the text did not parse, and index and findings are the last good ones."""

    index: FileIndex
    findings: tuple[Finding, ...]
    error: Unparsable | None = None
