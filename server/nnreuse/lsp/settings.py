"""Where settings come from on the protocol's side: what the client says, when it says so, and which files to watch for more.

A client that can be asked is asked, for every workspace folder; else `initializationOptions` and the payload of
`workspace/didChangeConfiguration` hold. What it cannot be told anew stays as it was.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls import uris
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from nnreuse.config import editor
from nnreuse.config.editor import Editor
from nnreuse.config.toml import Problem, Table
from nnreuse.lsp.client import Client
from nnreuse.lsp.uris import path_of
from nnreuse.workspace.configuration import ClientSettings

log = logging.getLogger(__name__)
_SECTION = "nnreuse"
_WATCHED = ("**/*.py", "**/*.ipynb", "**/nnreuse.toml", "**/pyproject.toml", "**/.gitignore")
_COMES_OR_GOES = lsp.WatchKind.Create | lsp.WatchKind.Delete
"""Of everything else: of a folder that is renamed or deleted VS Code tells, of the files in it not."""

Apply = Callable[[Editor, ClientSettings, Sequence[Problem]], None]
Answers = Sequence[object] | None


class SettingsOfClient:
    """Collects what the client says, and hands the whole of it to `apply` whenever it changes."""

    def __init__(self, server: LanguageServer, apply: Apply) -> None:
        self._server = server
        self._apply = apply
        self._client = Client()
        self._options: Table = {}
        self._said: Table = {}
        self._of_folders: dict[Path, Table] = {}
        self.folders: dict[str, Path] = {}

    def initialize(self, client: Client, params: lsp.InitializeParams) -> None:
        """Takes the options and the folders. Raises nothing; nonsense is reported by `apply`."""
        self._client = client
        self.folders = {uri: path_of(uri) for uri in _roots(params)}
        self._options = editor.of_client(params.initialization_options)
        self._tell()

    def initialized(self, params: lsp.InitializedParams) -> None:
        registrations: list[lsp.Registration] = []
        if self._client.registers_configuration:
            options = {"section": _SECTION}
            registrations.append(lsp.Registration("configuration", lsp.WORKSPACE_DID_CHANGE_CONFIGURATION, options))
        if self._client.watches_files:
            watchers = [lsp.FileSystemWatcher(glob) for glob in _WATCHED]
            watchers.append(lsp.FileSystemWatcher("**/*", _COMES_OR_GOES))
            watched = lsp.DidChangeWatchedFilesRegistrationOptions(watchers)
            registrations.append(lsp.Registration("files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, watched))
        if registrations:
            self._server.client_register_capability(lsp.RegistrationParams(registrations))
        self._ask()

    def did_change_configuration(self, params: lsp.DidChangeConfigurationParams) -> None:
        if self._client.configuration:
            self._ask()
        else:
            self._of_folders.clear()
            self._hold(params.settings)

    def did_change_folders(self, params: lsp.DidChangeWorkspaceFoldersParams) -> None:
        for folder in params.event.removed:
            self.folders.pop(folder.uri, None)
        self.folders |= {folder.uri: path_of(folder.uri) for folder in params.event.added}
        self._of_folders = {path: said for path, said in self._of_folders.items() if path in self.folders.values()}
        self._tell()
        self._ask()

    def _ask(self) -> None:
        """Asks the client for the settings of everything, and of each folder."""
        if not self._client.configuration:
            return
        uris = list(self.folders)
        items = [lsp.ConfigurationItem(section=_SECTION)]
        items += [lsp.ConfigurationItem(scope_uri=uri, section=_SECTION) for uri in uris]

        def answered(answers: Answers) -> None:
            everywhere, *scoped = [editor.of_client(answer) for answer in answers or [None]]
            self._of_folders = {
                self.folders[uri]: said for uri, said in zip(uris, scoped, strict=False) if said and uri in self.folders
            }
            self._hold(everywhere)

        # Not as pygls' callback: that one is never called where the client answers with an error.
        asked = self._server.workspace_configuration(lsp.ConfigurationParams(items))
        asked.add_done_callback(_guarded(answered, refused=self._tell))

    def _hold(self, said: object) -> None:
        self._said = editor.of_client(said)
        self._tell()

    def _tell(self) -> None:
        # On top of the options: a client without the section answers with nothing.
        said = {key: value for key, value in self._said.items() if value is not None}
        switches, everywhere, problems = editor.split({**self._options, **said})
        folders: dict[Path, dict[str, object]] = {}
        for path, of_folder in self._of_folders.items():
            _, folders[path], odd = editor.split(of_folder)
            problems += odd
        for path in self.folders.values():
            folders.setdefault(path, {})
        self._apply(switches, ClientSettings(everywhere, folders, switches.trusted), problems)


def _roots(params: lsp.InitializeParams) -> list[str]:
    """The folders, as the newest of the three ways says that a client uses."""
    if params.workspace_folders:
        return [folder.uri for folder in params.workspace_folders]
    # Of no path at all, pygls makes that of the whole disk.
    root = params.root_uri or (uris.from_fs_path(params.root_path) if params.root_path else None)
    return [root] if root else []


def _guarded(answered: Callable[[Answers], None], refused: Callable[[], None]) -> Callable[[Future[Any]], None]:
    """The guard of an answer: pygls would lose what it raises. Without an answer, what is known holds; a shutdown cancels."""

    def run(answer: Future[Any]) -> None:
        if answer.cancelled():
            return
        try:
            answered(answer.result())
        except JsonRpcException as error:
            log.warning("the client does not say its settings, those known hold: %s", error)
            refused()
        except Exception:
            log.exception("internal error in the answer to workspace/configuration")

    return run
