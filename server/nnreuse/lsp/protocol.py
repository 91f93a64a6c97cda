"""pygls' protocol without its text store, and with an answer to every request that is not run."""

from asyncio import ensure_future
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from inspect import isawaitable
from typing import Any, cast

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol

Message = dict[str, Any]


class Protocol(LanguageServerProtocol):
    """Takes decoded messages. pygls reads them itself otherwise, one at a time, so that no cancellation can overtake."""

    run_soon: Callable[[Callable[[], None]], object] | None = None
    """Has something run between two messages, from any thread. Set by whoever runs the loop."""

    def post(self, work: Callable[[], None]) -> None:
        """Has work of another thread done where messages are handled; nowhere, before and after the loop runs."""
        if self.run_soon is not None:
            self.run_soon(work)

    is_idle: Callable[[], bool] | None = None
    """Whether no message waits. Set by whoever runs the loop."""

    def post_idle(self, work: Callable[[], None]) -> None:
        """Has work done between two messages, or not at all where one waits by then."""
        self.post(lambda: work() if self.is_idle is None or self.is_idle() else None)

    def receive(self, message: Message) -> None:
        """Handles one message; one that cannot be understood is logged by pygls and refused here."""
        try:
            structured = cast(Any, self.structure_message(message))
        except JsonRpcException as error:
            self.refuse(message, error)
        else:
            self.handle_message(structured)

    def _send_handler_result(self, future: Future[Any], *, msg_id: int | str) -> None:
        """Answers a request; where its handler has left something to do, when that is done, or cancelled."""
        if future.cancelled() or future.exception() is not None or not isawaitable(rest := future.result()):
            super()._send_handler_result(future, msg_id=msg_id)
            return
        waiting = cast("Future[Any]", ensure_future(rest))
        self._request_futures[msg_id] = waiting
        waiting.add_done_callback(partial(self._send_handler_result, msg_id=msg_id))

    def is_running(self, request: int | str) -> bool:
        """Whether a request is being answered by a handler that waits for something."""
        return request in self._request_futures

    def refuse(self, message: Message, error: JsonRpcException) -> None:
        """Answers a request with an error; notifications and responses have no answer."""
        if "id" in message and "method" in message:
            self._send_response(message["id"], error=error.to_response_error())

    def forget_text_store(self) -> None:
        """Stops pygls from keeping a second copy of every text, joined again at each edit, its lines cut at form feeds."""
        builtin = cast("dict[str, Callable[..., Any]]", self.fm.builtin_features)  # pyright: ignore[reportUnknownMemberType]
        for method in (lsp.TEXT_DOCUMENT_DID_OPEN, lsp.TEXT_DOCUMENT_DID_CHANGE, lsp.TEXT_DOCUMENT_DID_CLOSE):
            del builtin[method]
        for method in (
            lsp.NOTEBOOK_DOCUMENT_DID_OPEN,
            lsp.NOTEBOOK_DOCUMENT_DID_CHANGE,
            lsp.NOTEBOOK_DOCUMENT_DID_CLOSE,
        ):
            builtin.pop(method, None)
