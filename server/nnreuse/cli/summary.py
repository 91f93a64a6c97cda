"""Summary: the line that ends a run: how many findings there are, in how many files, and how many have a fix."""

from collections import Counter
from collections.abc import Iterable, Iterator

from nnreuse.cli.record import Record
from nnreuse.config.severity import Severity


class Summary:
    """Counts records as they pass by: one for each instance."""

    def __init__(self) -> None:
        self._severities: Counter[Severity] = Counter()
        self._files: set[str] = set()
        self._with_fix = 0

    def over(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            self._severities[record.severity] += 1
            self._files.add(record.filename)
            self._with_fix += bool(record.repairs)
            yield record

    @property
    def total(self) -> int:
        return self._severities.total()

    def line(self, files: int, repairs: bool) -> str:
        """“6 findings in 2 files, 5 with a fix: 5 warnings, 1 information.” `repairs`: whether fixes were looked for."""
        if not self.total:
            return f"No findings in {_counted(files, 'file')}."
        found = f"{_counted(self.total, 'finding')} in {_counted(len(self._files), 'file')}"
        fixes = f", {self._with_fix or 'none'} with a fix" if repairs else ""
        counts = [_of(self._severities[one], one) for one in reversed(Severity) if self._severities[one]]
        return f"{found}{fixes}: {', '.join(counts)}."


def _of(number: int, severity: Severity) -> str:
    return f"{number} {severity.value}" if severity is Severity.INFORMATION else _counted(number, severity.value)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
