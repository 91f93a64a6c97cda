"""Settings: what a user has decided. Immutable and hashable, so that files under equal settings share one analysis."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nnreuse.config.severity import Severity

CheckpointCompat = Literal["none", "hook"]


@dataclass(frozen=True, slots=True)
class Settings:
    """`select` None: the rules that are on by default. `python`: the interpreter whose packages the code imports;

    `python_may_run`: the user has named it on the command line, or trusts the workspace that did.
    """

    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    severities: frozenset[tuple[str, Severity]] = frozenset()
    min_severity: Severity = Severity.INFORMATION
    checkpoint_compat: CheckpointCompat = "none"
    python: Path | None = None
    python_may_run: bool = False

    def enabled(self, rule: str, by_default: bool = True) -> bool:
        """Whether a rule is to run; `by_default` is what it does unasked."""
        if rule in self.ignore:
            return False
        return by_default if self.select is None else rule in self.select

    def severity(self, rule: str, found: Severity) -> Severity:
        """The severity a finding is shown with: the user's for that rule, else what the evidence gave."""
        return dict(self.severities).get(rule, found)

    def shows(self, severity: Severity) -> bool:
        """Whether a finding of that severity is printed."""
        return severity.rank >= self.min_severity.rank

    def rules_named(self) -> frozenset[str]:
        """Every rule the user wrote down, for a check of the spelling."""
        return (self.select or frozenset()) | self.ignore | {rule for rule, _ in self.severities}
