"""pygls' protocol without its text store, and with an answer to every request that is not run."""

import logging
from asyncio import ensure_future
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from inspect import isawaitable
from typing import Any, cast

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInvalidRequest, JsonRpcServerNotInitialized
from pygls.protocol import LanguageServerProtocol

log = logging.getLogger(__name__)
Message = dict[str, Any]
_TRACED = {lsp.INITIALIZE: "trace", lsp.SET_TRACE: "value"}
_TRACES = [value.value for value in lsp.TraceValue]


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
        """Handles one message; one that comes out of turn or cannot be understood is logged and refused."""
        try:
            self._check_turn(message)
            structured = cast(Any, self.structure_message(self._completed(message)))
        except JsonRpcException as error:
            self.refuse(message, error)
        else:
            self.handle_message(structured)

    def _check_turn(self, message: Message) -> None:
        """Nothing but `initialize` comes first, nothing but `exit` after `shutdown`. Raises the refusal."""
        method = message.get("method")
        if message.get("jsonrpc") != self.VERSION or not isinstance(method, str | None):
            raise JsonRpcInvalidRequest("this is no message of JSON-RPC 2.0")
        if method is None or method == lsp.EXIT:
            return
        if self._shutdown:
            raise JsonRpcInvalidRequest("the server has been shut down")
        if self._workspace is None and method != lsp.INITIALIZE:
            raise JsonRpcServerNotInitialized("the server has not been initialized")
        if self._workspace is not None and method == lsp.INITIALIZE:
            raise JsonRpcInvalidRequest("the server has been initialized already")

    def _completed(self, message: Message) -> Message:
        """The message as pygls can take it: params are optional in JSON-RPC, and clients know more traces than the protocol."""
        method, params = message.get("method"), message.get("params")
        if method is not None and self.get_message_type(method) is None:
            return {"params": None, **message}
        key = _TRACED.get(method or "")
        if key and isinstance(params, dict):
            said = cast(Message, params)
            if (
                said.get(key) is not None and said[key] not in _TRACES
            ):  # VS Code's `compact`, which is shorter than `verbose`
                return {**message, "params": {**said, key: lsp.TraceValue.Messages.value}}
        return message

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
        """Answers a request with an error; notifications have no answer, and a response leaves its request without one."""
        if "method" not in message:
            self._fail(message.get("id"), error)
        elif "id" not in message:
            log.warning("dropped %s: %s", message["method"], error)
        else:
            self._send_response(message["id"], error=error.to_response_error())

    def _fail(self, request: object, error: JsonRpcException) -> None:
        """Tells whoever waits for an answer of the client that it means nothing."""
        if isinstance(request, int | str) and (waiting := self._request_futures.pop(request, None)):
            waiting.set_exception(error)

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
