"""Progress: a bar on standard error while files are looked at; on a terminal only, and only where it takes long."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar

import click

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

Each = TypeVar("Each")
_PATIENCE = 1.0
"""Seconds before the bar appears: a short run shows none."""
_CLEAR = "\r\x1b[2K"


class Progress(Protocol):
    """What a run tells of how far it is."""

    def over(self, answers: Iterable[Each]) -> Iterator[Each]:
        """The answers as they come, each counted."""
        ...

    def hide(self) -> None:
        """Makes room for a text; the bar comes again with the next answer."""
        ...


class Silent:
    """Shows nothing."""

    def over(self, answers: Iterable[Each]) -> Iterator[Each]:
        return iter(answers)

    def hide(self) -> None:
        pass


class Bar:
    """A bar of `total` steps."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._begun = time.monotonic()
        self._done = 0
        self._bar: ProgressBar[int] | None = None

    def over(self, answers: Iterable[Each]) -> Iterator[Each]:
        for answer in answers:
            self._step()
            yield answer
        self.hide()

    def hide(self) -> None:
        if self._bar is not None:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()

    def _step(self) -> None:
        self._done += 1
        if self._bar is not None:
            self._bar.update(1)
        elif time.monotonic() - self._begun > _PATIENCE and self._done < self._total:
            self._bar = click.progressbar(length=self._total, label="Checking", show_pos=True, file=sys.stderr)
            self._bar.update(self._done)


def progress_of(total: int, *, wanted: bool) -> Progress:
    """A bar for a run over several files, where somebody sees it."""
    return Bar(total) if wanted and total > 1 and sys.stderr.isatty() else Silent()
