"""Obstacles: what other files say against a fix, found out on a thread while edits and other requests are answered.

A handler asks as if everything were known. Where something is not, its answer is thrown away, and it is asked again once
that is known: handlers stay synchronous, and an answer is about one state of the text.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TypeVar

from pygls.exceptions import JsonRpcContentModified

from nnreuse.fixes.fix import Reach
from nnreuse.workspace.mentions import is_recent
from nnreuse.workspace.neighbours import neighbours_of

Answer = TypeVar("Answer")


class NotYet(Exception):
    """Raised by a handler that is to be asked again after `wait`, which raises JsonRpcException where that makes no sense."""

    def __init__(self, wait: Callable[[], Awaitable[None]]) -> None:
        super().__init__("the answer needs something that is not known yet")
        self.wait = wait


_Question = tuple[Reach, Path]


@dataclass(frozen=True, slots=True)
class _Found:
    obstacle: str | None
    moment: float
    """When the neighbours were as they are described."""


class Obstacles:
    """For one session. Called where messages are handled; nothing else of it changes on a thread."""

    def __init__(self) -> None:
        self._known: dict[_Question, _Found] = {}
        self._open: set[_Question] = set()
        self._read: set[Path] = set()

    def __call__(self, reach: Reach, path: Path) -> str | None:
        """The obstacle; None where there is none, or it is not known: then the question is noted. A buffer that is no file has none."""
        if not path.is_absolute():
            return None
        known = self._known.get((reach, path))
        if known is not None and is_recent(known.moment):
            return known.obstacle
        self._open.add((reach, path))
        return None

    def settled(self, answer: Callable[[], Answer], is_wanted: Callable[[], bool]) -> Answer:
        """An answer for which every obstacle is known. Raises NotYet where one is not."""
        self._open = set()
        result = answer()
        if self._open:
            raise NotYet(partial(self._find_out, self._open, is_wanted))
        return result

    def read_ahead(self, path: Path) -> None:
        """Has the neighbours of a file read, once for each folder, so that the first question need not wait for it."""
        if path.is_absolute() and path.parent not in self._read:
            self._read.add(path.parent)
            _on_thread(lambda: neighbours_of(path))

    async def _find_out(self, asked: set[_Question], is_wanted: Callable[[], bool]) -> None:
        found = await asyncio.wrap_future(_on_thread(lambda: {one: _found(*one) for one in asked}))
        recent = {one: known for one, known in self._known.items() if is_recent(known.moment)}
        self._known = recent | found
        if not is_wanted():
            raise JsonRpcContentModified("The file has changed since; ask again.")


def _found(reach: Reach, path: Path) -> _Found:
    neighbours = neighbours_of(path)
    return _Found(neighbours.obstacle(reach), neighbours.look.moment)


def _on_thread(work: Callable[[], Answer]) -> Future[Answer]:
    """What comes of some work; the end of the process does not wait for it, as it would for an executor's."""
    future = Future[Answer]()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001
            future.set_exception(error)

    Thread(target=run, name="nnreuse-neighbours", daemon=True).start()
    return future
