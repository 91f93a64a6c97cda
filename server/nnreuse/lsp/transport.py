"""Bytes to messages: a thread reads ahead of the handling, so that a cancelled request that still waits is not run.

pygls reads a message only when the one before it is done, and so meets a cancellation after it has run the request
(its issue 517). A handler that has begun is not interrupted; what it then waits for, a process or a thread, is not waited for any more.
"""

import asyncio
import gc
import json
import logging
import reprlib
from collections import deque
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any, BinaryIO, cast

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcRequestCancelled
from pygls.io_ import StdoutWriter

from nnreuse.lsp.garbage import PAUSE, Garbage
from nnreuse.lsp.protocol import Message, Protocol

log = logging.getLogger(__name__)

_SETTLED = 5
"""Seconds after which a client has what it waited for at the start."""


class Inbox:
    """Messages that were read and wait to be handled, in order. `put` is called by the reader's thread."""

    def __init__(self, protocol: Protocol, garbage: Garbage | None = None) -> None:
        self._protocol = protocol
        self._garbage = garbage or Garbage()
        self._waiting: deque[Message] = deque()
        self._requests: set[int | str] = set()

    def put(self, message: Message) -> None:
        """Adds a message; a cancellation of a request that waits takes effect at once. What nobody can answer is skipped."""
        if not _is_usable(message):
            log.warning("skipped a message whose id is neither a number nor a text: %s", reprlib.repr(message))
            return
        if message.get("method") == lsp.CANCEL_REQUEST:
            request = message["params"]["id"]
            if request in self._requests:
                self._requests.discard(request)
                return
        if "id" in message and "method" in message:
            self._requests.add(message["id"])
        self._waiting.append(message)

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    def handle_next(self) -> None:
        """Handles one message, if one waits. When none waits any more, there is time for garbage."""
        if self._waiting:
            self._handle(self._waiting.popleft())
        if not self._waiting:
            self._garbage.look(paused=False)

    def _handle(self, message: Message) -> None:
        if "id" in message and "method" in message:
            if message["id"] not in self._requests:
                self._protocol.refuse(message, JsonRpcRequestCancelled())
                return
            self._requests.discard(message["id"])
        elif message.get("method") == lsp.CANCEL_REQUEST and not self._protocol.is_running(message["params"]["id"]):
            return  # it has been answered
        self._protocol.receive(message)


def serve(protocol: Protocol, reader: BinaryIO, writer: BinaryIO, settled: Callable[[], None] = lambda: None) -> None:
    """Serves one client until it says exit (raises SystemExit with the protocol's exit code) or goes away.

    `settled` is called when the start is over, and at the end.
    """
    protocol.set_writer(StdoutWriter(writer))
    try:
        asyncio.run(_serve(protocol, reader, settled))
    finally:
        settled()
        gc.freeze()  # the process ends: it need not look through everything once more, which takes seconds


async def _serve(protocol: Protocol, reader: BinaryIO, settled: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    garbage, gone = Garbage(), asyncio.Event()
    inbox = Inbox(protocol, garbage)
    pause = loop.call_later(PAUSE, garbage.look, True)
    protocol.run_soon, protocol.is_idle = loop.call_soon_threadsafe, lambda: inbox.is_empty
    loop.call_later(_SETTLED, settled)

    def handle() -> None:
        nonlocal pause
        pause.cancel()
        inbox.handle_next()
        pause = loop.call_later(PAUSE, garbage.look, True)

    def read() -> None:
        try:
            for message in messages(reader):
                inbox.put(message)
                loop.call_soon_threadsafe(handle)
                if message.get("method") == lsp.EXIT:
                    return  # `exit` ends the process; a thread blocked in a read would stand in the way
        except (OSError, ValueError, OverflowError, MemoryError) as error:  # the last two: a length that cannot be
            log.error("cannot read from the client: %s", error or type(error).__name__)
        loop.call_soon_threadsafe(gone.set)

    Thread(target=read, name="lsp-reader", daemon=True).start()
    await gone.wait()


def messages(reader: BinaryIO) -> Iterator[Message]:
    """The messages of a stream; a body that is no JSON object is logged and skipped. Raises ValueError for a bad header."""
    length = 0
    while header := reader.readline():
        name, _, value = header.partition(b":")
        if name.strip().lower() == b"content-length":
            length = _length(value)
        elif not header.strip() and length:
            body, length = reader.read(length), 0
            message = _decoded(body)
            if message is not None:
                yield message


def _length(value: bytes) -> int:
    if not value.strip().isdigit():
        raise ValueError(f"the header Content-Length says {value.strip()[:40]!r}")
    return int(value)


def _is_usable(message: Message) -> bool:
    """Whether a message can be told from others: by an id, where it has one, and by the one it cancels."""
    if message.get("method") == lsp.CANCEL_REQUEST:
        params: Any = message.get("params")
        return isinstance(params, dict) and _is_id(cast(Message, params).get("id"))
    return "id" not in message or _is_id(message["id"])


def _is_id(said: object) -> bool:
    return isinstance(said, int | str)


def _decoded(body: bytes) -> Message | None:
    try:
        message: Any = json.loads(body)
    except (ValueError, RecursionError):  # it is no JSON, or nested deeper than anybody means
        message = None
    if not isinstance(message, dict):
        log.warning("skipped a message that is no JSON object: %r", body[:200])
        return None
    return cast(Message, message)
