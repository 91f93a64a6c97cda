"""Analysis: what is known of one revision of one file."""

from dataclasses import dataclass, replace
from pathlib import Path

from nnreuse.config.settings import Settings
from nnreuse.rules.finding import Finding
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.units import Unparsable


@dataclass(frozen=True, slots=True)
class Analysis:
    """The findings of a snapshot. Where `error` is set the text did not parse, and index and findings are the last good ones."""

    index: FileIndex
    findings: tuple[Finding, ...]
    error: Unparsable | None = None
    reads: frozenset[Path] = frozenset()
    """The other files that the findings follow from, where the file is not an open one."""

    def shown(self, settings: Settings) -> list[Finding]:
        """The findings a user wants to see, in text order, with the severities of the settings."""
        wanted = [
            replace(finding, severity=settings.severity(finding.rule, finding.severity))
            if settings.severities
            else finding
            for finding in self.findings
            if settings.enabled(finding.rule)
        ]
        return [finding for finding in wanted if settings.shows(finding.severity)]
