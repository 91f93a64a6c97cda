"""Reads: what an answer follows from, written down while it is worked out, so that only its own causes make it untrue.

Noted are units whose code was looked at; classes, for which members they and their bases have, not for what their methods do; and,
as the classes below say, what names mean, what files say as a whole, and what all the methods of a class do together.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Named:
    """What a module-level name of a file means."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Missing:
    """That no file can be read as a module of a name."""

    dotted: str


@dataclass(frozen=True, slots=True)
class OwnUse:
    """What the methods of a class do with its attributes: which they call, which they set."""

    cls: object


@dataclass(frozen=True, slots=True)
class Aspect:
    """What a file says as a whole: what it imports, what from it imports all, what its statements write to, its whole text."""

    path: str
    of: Literal["imports", "stars", "effects", "text"]


class Reads:
    """Where what is looked at is noted: the innermost answer that is being worked out, if any."""

    def __init__(self) -> None:
        self._open: set[object] | None = None

    def note(self, *seen: object) -> None:
        if self._open is not None:
            self._open.update(seen)

    @contextmanager
    def into(self, own: set[object]) -> Generator[None]:
        """Within it everything is noted in `own`; whoever asked has read the same, and gets it at the end."""
        around, self._open = self._open, own
        try:
            yield
        finally:
            self._open = around
            if around is not None:
                around |= own
