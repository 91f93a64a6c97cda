"""The request `nnreuse/status`: what a client can show of a server that is otherwise quiet."""

import os
from typing import cast

import nnreuse
from nnreuse.lsp.session import Session
from nnreuse.lsp.uris import path_of
from nnreuse.types.catalog import Catalog
from nnreuse.workspace import catalogs

STATUS = "nnreuse/status"
Answer = dict[str, object]


def status(session: Session, params: object) -> Answer:
    """The state of the server and, for the document `uri` of the params or the one opened last, what its imports are read from."""
    uri = _uri(params)
    state = session.workspace.status(path_of(uri) if uri else None)
    answer: Answer = {
        "version": nnreuse.__version__,
        "processId": os.getpid(),
        "revision": session.revision,
        "enabled": session.editor.enable,
        "trusted": session.editor.trusted,
        "files": {"open": state.open_files, "read": state.files},
        "workspace": session.closed.state,
        "cache": {"traces": state.traces, "catalogs": catalogs.size()},
        "interpreter": str(state.interpreter) if state.interpreter else None,
        "interpreterMayRun": state.may_run,
        "torch": {"version": state.torch[0], "path": str(state.torch[1])} if state.torch else None,
        "catalog": {
            "source": "shipped" if state.catalog is Catalog.shipped() else "refreshed",
            "torch": state.catalog.torch,
            "classes": len(list(state.catalog)),
            "refreshing": session.background.refreshing,
        },
        "settingsFiles": [str(file) for file in state.settings_files],
    }
    return {**answer, "lines": _lines(answer)}


def _lines(answer: Answer) -> list[str]:
    """The answer for people, so that no client has to know what it is made of. The version is said when a server starts."""
    said = {"torch": "not found", **{key: value for key, value in answer.items() if value is not None}}
    return [f"{key}: {_words(value)}" for key, value in said.items() if key != "version"]


def _words(value: object) -> str:
    match value:
        case dict():
            parts = cast("dict[str, object]", value).items()
            return ", ".join(f"{key} {_words(part)}" for key, part in parts if part is not None) or "none"
        case list():
            return ", ".join(_words(part) for part in cast("list[object]", value)) or "none"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _uri(params: object) -> str | None:
    """pygls gives the params of a request it does not know as a named tuple."""
    found: object = getattr(params, "uri", None) or getattr(getattr(params, "textDocument", None), "uri", None)
    return found if isinstance(found, str) else None
