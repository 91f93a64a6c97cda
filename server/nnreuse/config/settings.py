"""Settings: what a user has decided. Immutable and hashable, so that files under equal settings share one analysis."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nnreuse.config.severity import Severity

CheckpointCompat = Literal["none", "hook"]
Profile = Literal["attribution", "clarity", "fsdp", "quantization"]
"""What a model is made for, where reuse hurts that training alone does not mind."""


def _says(sentence: str, key: str = "") -> dict[str, str]:
    """Marks a setting that users write: the sentence of the schema about it, and its key where the files call it otherwise."""
    return {"says": sentence, "key": key}


@dataclass(frozen=True, slots=True)
class Settings:
    """`select` None: the rules that are on by default. `python`: the interpreter whose packages the code imports;

    `python_may_run`: the user has named it on the command line, or trusts the workspace that did.
    """

    select: frozenset[str] | None = field(
        default=None, metadata=_says("The only rules to run. Without it: those that are on by default.")
    )
    ignore: frozenset[str] = field(default=frozenset(), metadata=_says("Rules not to run."))
    profiles: frozenset[Profile] = field(
        default=frozenset(),
        metadata=_says(
            "What the models are for: rules that are off by default and matter there run too.", key="profile"
        ),
    )
    severities: frozenset[tuple[str, Severity]] = field(
        default=frozenset(), metadata=_says("The severity a rule's findings are shown with.", key="severity")
    )
    min_severity: Severity = field(
        default=Severity.INFORMATION, metadata=_says("Findings below this severity are not shown.")
    )
    checkpoint_compat: CheckpointCompat = field(
        default="none",
        metadata=_says("`hook`: fixes that rename parameters add a hook that loads old checkpoints."),
    )
    python: Path | None = field(
        default=None, metadata=_says("The Python interpreter whose installed packages the code imports.")
    )
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
