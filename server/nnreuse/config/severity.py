"""The four severities, strongest last, and what each promises (see docs/rules)."""

from enum import Enum


class Severity(Enum):
    """An error cannot work, a warning is a slip, information is worth a look, a hint is knowledge."""

    HINT = "hint"
    INFORMATION = "information"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 (hint) to 3 (error), for comparisons."""
        return list(Severity).index(self)
