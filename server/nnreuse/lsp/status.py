"""The request `nnreuse/status`: what a client can show of a server that is otherwise quiet."""

import os

import nnreuse
from nnreuse.lsp.session import Session
from nnreuse.lsp.uris import path_of
from nnreuse.types.catalog import Catalog
from nnreuse.workspace import catalogs
from nnreuse.workspace.workspace import Status as State

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
        "workspace": _workspace(session),
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
    return {**answer, "lines": _lines(session, state)}


def _lines(session: Session, state: State) -> list[str]:
    """The answer for people, so that no client has to know what it is made of. The version is said when a server starts."""
    runs = "" if state.may_run else ", which is not run"
    refreshing = ", being asked of your torch" if session.background.refreshing else ""
    source = "shipped with nnreuse" if state.catalog is Catalog.shipped() else "read from your torch"
    kept = catalogs.size()
    switches = [
        (not session.editor.enable, "Switched off by the setting nnreuse.enable"),
        (not session.editor.trusted, "Not trusted: nothing in the workspace is run"),
    ]
    return [
        *(line for said, line in switches if said),
        f"torch: {state.torch[0]} in {state.torch[1]}" if state.torch else "torch: not found",
        f"Interpreter: {state.interpreter}{runs}" if state.interpreter else "Interpreter: none",
        f"Facts of modules: {source}, torch {state.catalog.torch}, {len(list(state.catalog))} classes{refreshing}",
        f"Files: {state.open_files} open, {state.files} read; revision {session.revision}",
        f"Workspace: {_said_of_workspace(session)}",
        f"Kept: traces of {state.traces} classes; {kept['files']} catalogs of modules, {round(kept['bytes'] / 1e6, 1)} MB on disk",
        f"Settings files: {', '.join(map(str, state.settings_files)) or 'none'}",
        f"Process: {os.getpid()}",
    ]


def _workspace(session: Session) -> Answer:
    """Of all files, open or not; while a scan runs, how far it is."""
    state = session.closed.state
    documents = list(session.documents.values())
    return {
        "scanning": state.scanning,
        "done": state.done,
        "files": state.files if state.scanning else state.files + len(documents),
        "findings": state.findings + sum(len(session.shown(document)) for document in documents),
        "secondsAgo": None if state.ago is None else round(state.ago),
    }


def _said_of_workspace(session: Session) -> str:
    """“370 files, 22 findings, 10 s ago”, or why there is nothing to say."""
    state = _workspace(session)
    found = f"{_counted(state['files'], 'file')}, {_counted(state['findings'], 'finding')}"
    if state["scanning"]:
        return f"{state['done']} of {state['files']} files looked at so far"
    if not session.editor.workspace:
        return f"{found} (open files only, by the setting nnreuse.workspace)"
    if not session.settings.folders:
        return f"{found} (open files only, since no folder is open)"
    return f"{found}, {_said_ago(session.closed.state.ago)}"


def _counted(number: object, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _said_ago(seconds: float | None) -> str:
    if seconds is None:
        return "not looked at to the end"
    if seconds < 60:
        return f"{round(seconds)} s ago"
    return f"{round(seconds / 60)} min ago" if seconds < 3600 else f"{round(seconds / 3600)} h ago"


def _uri(params: object) -> str | None:
    """pygls gives the params of a request it does not know as a named tuple."""
    found: object = getattr(params, "uri", None) or getattr(getattr(params, "textDocument", None), "uri", None)
    return found if isinstance(found, str) else None
