"""The request `nnreuse/status`: what a client can show of a server that is otherwise quiet."""

import os

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
    return {
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


def _uri(params: object) -> str | None:
    """pygls gives the params of a request it does not know as a named tuple."""
    found: object = getattr(params, "uri", None) or getattr(getattr(params, "textDocument", None), "uri", None)
    return found if isinstance(found, str) else None
