"""Session: one client, its open documents, and what is answered to each of its messages.

Handlers are synchronous and run in the order in which messages arrive: an edit is analysed and published before the
next message is looked at, so that nothing is debounced and no answer is about another revision than the client's. One
that needs to know what other files say against a fix is asked again when that is known (`lsp/obstacles.py`).
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from nnreuse.config.editor import Editor
from nnreuse.config.toml import FILES, Problem
from nnreuse.fixes.fix import Applicability
from nnreuse.lsp import actions
from nnreuse.lsp.actions import Built, Request
from nnreuse.lsp.background import Background
from nnreuse.lsp.client import Client
from nnreuse.lsp.convert import View, changes_of, position_of, problem_diagnostics
from nnreuse.lsp.diagnostics import ClosedFiles, ResultIds
from nnreuse.lsp.obstacles import Obstacles
from nnreuse.lsp.scan import Post
from nnreuse.lsp.settings import SettingsOfClient
from nnreuse.lsp.uris import path_of, uri_of
from nnreuse.lsp.watching import Known, News, news_of
from nnreuse.syntax.source import Source
from nnreuse.workspace import notebook_file
from nnreuse.workspace.analysis import Analysis
from nnreuse.workspace.configuration import ClientSettings
from nnreuse.workspace.files import comes_to
from nnreuse.workspace.library import imported_names
from nnreuse.workspace.offers import comments, repairs
from nnreuse.workspace.workspace import TextChange, Workspace, applied

log = logging.getLogger(__name__)


_LANGUAGES = frozenset({"python", "python3", ""})
_SUFFIXES = frozenset({".py", ".pyi", ".pyw"})
"""What is Python: by what the client calls it, or by its name."""


@dataclass(slots=True)
class Document:
    """An open document: its name on both sides, the client's version, and the fixes built for its analysis so far."""

    uri: str
    path: Path
    version: int
    built: Built | None = None
    result: str = ""
    """Another one whenever its diagnostics may be others."""
    told: list[lsp.Diagnostic] | None = None
    """Those that the client has."""


class Session:
    """The handlers. They speak to the client through `server`."""

    def __init__(self, workspace: Workspace, server: LanguageServer, post: Post, post_idle: Post) -> None:
        self.workspace = workspace
        self.server = server
        self.client = Client()
        self.editor = Editor()
        self.settings = SettingsOfClient(server, self._reconfigure)
        self.documents: dict[str, Document] = {}
        self.closed = ClosedFiles(server, post, workspace.configuration, self._opened, self._publish_settings_problems)
        self._told_of_settings: list[str] = []
        self._said: object = None
        """What findings follow from, as the client said it last."""
        self.obstacles = Obstacles()
        self.background = Background(workspace, self, post, post_idle, self.obstacles)
        self.revision = 0
        self.publish_notebook: Callable[[str, list[lsp.Diagnostic]], bool] | None = None
        """Publishes what was found in a notebook, for each of its cells; False for any other document."""
        self._results = ResultIds("open")
        self._begun = False
        """Whether the client has been initialized, and is not shut down: only then is anything looked at for it."""
        self._settings_files: dict[Path, tuple[Problem, ...]] = {}
        self._settings_open: dict[Path, str] = {}
        """The settings files that are open, by the client's name for them."""

    def initialize(self, params: lsp.InitializeParams) -> None:
        client = Client.of(params.capabilities)
        self.server.protocol.trace = params.trace or lsp.TraceValue.Off
        self.settings.initialize(client, params)
        self.client = self.closed.client = client  # now: nothing is asked of a client that has no answer to this

    def initialized(self, params: lsp.InitializedParams) -> None:
        self._begun = True
        if self.client.configuration:
            self._said = None  # the answer begins the scan
        self.settings.initialized(params)
        if not self.client.configuration:
            self._scan()

    def shutdown(self, params: object) -> None:
        self._begun = False
        self.closed.stop()
        self.background.stop()

    def diagnostic(self, params: lsp.DocumentDiagnosticParams) -> lsp.DocumentDiagnosticReport:
        """What a document has, or that it is what the client has already."""
        document = self.documents.get(params.text_document.uri)
        analysis = document and self.workspace.current(document.path)
        if document is None or analysis is None:
            return lsp.RelatedFullDocumentDiagnosticReport(items=[])
        if params.previous_result_id == document.result:
            return lsp.RelatedUnchangedDocumentDiagnosticReport(result_id=document.result)
        document.told = self._diagnostics(document, analysis)
        return lsp.RelatedFullDocumentDiagnosticReport(items=document.told, result_id=document.result)

    def workspace_diagnostic(self, params: lsp.WorkspaceDiagnosticParams) -> lsp.WorkspaceDiagnosticReport:
        return self.closed.reports(params.previous_result_ids, params.partial_result_token)

    def did_open(self, params: lsp.DidOpenTextDocumentParams) -> None:
        opened = params.text_document
        path = path_of(opened.uri)
        self.revision += 1
        if path.name in FILES:
            self._settings_open[path] = opened.uri
            self._settings_text(path, opened.text)
            return
        if opened.language_id not in _LANGUAGES and path.suffix not in _SUFFIXES:
            log.info("%s is %s: nothing is said of it", opened.uri, opened.language_id)
            return
        document = Document(opened.uri, path, opened.version)
        self.documents[opened.uri] = document
        self.closed.taken_up(opened.uri)
        self.closed.buffer_opened(path)
        self._publish(document, self.workspace.open(path, opened.text))
        self._publish_readers({path})
        self._publish_settings_problems()

    def did_change(self, params: lsp.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        path = path_of(uri)
        self.revision += 1
        if path in self._settings_open:
            self._settings_text(path, self._changed_settings(path, params))
            return
        document = self.documents.get(uri)
        if document is None:
            log.warning("ignored a change of %s, which is not open", uri)
            return
        document.version = params.text_document.version
        changes = changes_of(params.content_changes)
        self._publish(document, self.workspace.change(document.path, changes, self.client.encoding))
        self._publish_readers({document.path})

    def set_text(self, uri: str, text: str, version: int) -> None:
        """The whole text of a document that is open, or is now."""
        self.revision += 1
        document = self.documents.setdefault(uri, Document(uri, path_of(uri), version))
        document.version = version
        whole = [TextChange(None, None, text)]
        self._publish(document, self.workspace.change(document.path, whole, self.client.encoding))
        self._publish_readers({document.path})

    def close_text(self, uri: str) -> None:
        """A document that `set_text` opened is closed."""
        document = self.documents.pop(uri, None)
        if document is not None:
            self._close(document)

    def did_change_watched_files(self, params: lsp.DidChangeWatchedFilesParams) -> None:
        self.revision += 1
        self.happened(path_of(change.uri) for change in params.changes)

    def happened(self, paths: Iterable[Path]) -> None:
        """Looks at what is on disk now at paths that something has happened at."""
        news = news_of(paths, Known(self._known_files))
        if news.settings:
            self.workspace.configuration.reread()
            self._reanalyse()
        code = news.came | news.gone | news.changed
        if code:
            moved = self.workspace.came_or_went(news.came | news.gone)
            self._publish_readers(code, [*moved, *self.workspace.changed_on_disk(news.changed)])
        self._look_at_closed(news)

    def _known_files(self) -> set[Path]:
        return {*self.closed.known(), *self.workspace.files(), *self._settings_files}

    def _look_at_closed(self, news: News) -> None:
        """What follows on disk from what has happened there."""
        if not self._scans_now():
            return
        if news.layout:
            self.closed.scan_again(self._folders())
            return
        came = {path for path in news.came if self._is_ours(path)}
        gone = news.gone & (self.closed.known() | self._opened())
        changed = {path for path in news.changed if path.suffix != notebook_file.SUFFIX}
        if came or gone or changed:
            self.closed.happened(came, gone, changed, self._names_of_open())

    def _names_of_open(self) -> dict[Path, frozenset[str]]:
        """The words of the imports of open files."""
        sources = [(path, self.workspace.source(path)) for path in self._opened()]
        return {path: imported_names(path, source.text) for path, source in sources if source is not None}

    def did_save(self, params: lsp.DidSaveTextDocumentParams) -> None:
        document = self.documents.get(params.text_document.uri)
        analysis = document and self.workspace.current(document.path)
        if document and analysis:
            self._publish(document, analysis)
            self.closed.changed([document.path])

    def did_close(self, params: lsp.DidCloseTextDocumentParams) -> None:
        path = path_of(params.text_document.uri)
        if self._settings_open.pop(path, None) is not None:
            self._settings_text(path, None)
            return
        document = self.documents.pop(params.text_document.uri, None)
        if document is None:
            return
        if not self.client.pulls:
            self.server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(document.uri, []))
        self.closed.let_go(document.uri)
        self._close(document)
        if path not in self._opened() and self._scans_now() and path.is_file() and self._is_ours(path):
            self.closed.buffer_closed(path)

    def _close(self, document: Document) -> None:
        """Lets go of the text of a document that is open no more, unless it is open under another URI (`a b`, `a%20b`)."""
        if document.path not in self._opened():
            self.workspace.close(document.path)
            self._publish_others(self.workspace.outdated())

    def _opened(self) -> set[Path]:
        return {document.path for document in self.documents.values()}

    def code_action(self, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        document = self.documents.get(params.text_document.uri)
        built = document and self._built(document)
        if document is None or built is None or not self.editor.enable:
            return []
        path, at = document.path, position_of(params.range.start)
        traces, settings = self.workspace.traces(path), self.workspace.settings(path)
        repaired = partial(repairs, built.view.analysis, settings, edits_of=built.edits)
        request = Request(
            document.version,
            params,
            comments=lambda finding, place: comments(finding, traces, place),
            refactorings=lambda: self.workspace.refactorings(path, at, self.client.encoding),
            repairs=lambda: repaired(self._applied_to_all()),
            repairs_of=lambda rule: repaired(list(Applicability), rule=rule),
            unsafe=self.editor.unsafe_fixes,
        )
        return self.obstacles.settled(lambda: actions.offered(built, request), self._unchanged(document))

    def _applied_to_all(self) -> list[Applicability]:
        return [Applicability.SAFE, *([Applicability.UNSAFE] if self.editor.unsafe_fixes else [])]

    def resolve(self, action: lsp.CodeAction) -> lsp.CodeAction:
        if action.command is not None:
            return action  # it has no edit to be resolved
        data = actions.data_of(action)
        document = self.documents.get(data["uri"])
        built = document and self._built(document)
        if document is None or built is None:
            raise actions.stale(action)
        return self.obstacles.settled(
            lambda: actions.resolved(built, document.version, action, data), self._unchanged(document)
        )

    def _unchanged(self, document: Document) -> Callable[[], bool]:
        """Whether, later on, the document is still the one that is asked about now."""
        version = document.version
        return lambda: self.documents.get(document.uri) is document and document.version == version

    def improve(self, change: Callable[[], Iterable[Path]], everywhere: bool = False) -> None:
        """A change of what is known: publishes of the open files it names what is different then, and no more."""
        before = {document.uri: self.shown(document) for document in self.documents.values()}
        paths = set(change())
        concerned = [document for document in self.documents.values() if document.path in paths]
        different = [document.path for document in concerned if self.shown(document) != before[document.uri]]
        self._publish_others(different)
        for path in paths.difference(different):
            self.background.analysed(path)
        if paths:
            self._refresh_views()
        if paths and everywhere:
            self._scan()

    def shown(self, document: Document) -> list[lsp.Diagnostic]:
        """What a document has now."""
        analysis = self.workspace.current(document.path)
        return self._diagnostics(document, analysis) if analysis else []

    def _publish(self, document: Document, analysis: Analysis) -> None:
        self.background.analysed(document.path)
        document.result = self._results.next()
        if not self.client.pulls:
            diagnostics = document.told = self._diagnostics(document, analysis)
            if self.publish_notebook and self.publish_notebook(document.uri, diagnostics):
                return
            params = lsp.PublishDiagnosticsParams(document.uri, diagnostics, document.version)
            self.server.text_document_publish_diagnostics(params)

    def _diagnostics(self, document: Document, analysis: Analysis) -> list[lsp.Diagnostic]:
        return self._view(document, analysis).diagnostics() if self.editor.enable else []

    def view(self, document: Document) -> View | None:
        """A document as the client sees it: the same object while its analysis is."""
        built = self._built(document)
        return built.view if built is not None else None

    def _built(self, document: Document) -> Built | None:
        """The fixes of the current analysis: those already built while it is the same object, none of an earlier one."""
        analysis = self.workspace.current(document.path)
        if analysis is None:
            return None
        if document.built is None or document.built.view.analysis is not analysis:
            document.built = Built(self._view(document, analysis), document.path, self.obstacles)
        return document.built

    def _view(self, document: Document, analysis: Analysis) -> View:
        source = self.workspace.broken(document.path) or analysis.index.source
        settings = self.workspace.settings(document.path)
        return View(document.uri, analysis, source, self.client, settings, self.workspace.broken)

    def _reconfigure(self, editor: Editor, settings: ClientSettings, problems: Sequence[Problem]) -> None:
        """The client has spoken: its settings hold from now on, for what is open too. `problems`: what of its switches means nothing."""
        switched = editor != self.editor
        said = editor.enable, editor.workspace, settings
        self.editor = editor
        self.workspace.configuration.set_client(settings)
        self._tell_of_settings([*problems, *self.workspace.configuration.client_problems()])
        if said != self._said:  # else lenses, hints and the like are switched: no finding is another
            self._said = said
            self._reanalyse(everything=switched)
        elif switched:
            self._refresh_views()

    def _tell_of_settings(self, problems: list[Problem]) -> None:
        """What of the client's settings means nothing, where that is news: they stand in no file that could be marked."""
        messages = list(dict.fromkeys(problem.message for problem in problems))
        if messages and messages != self._told_of_settings:
            text = f"nnreuse: in the editor's settings, {'; '.join(messages)}"
            log.warning("%s", text)
            self.server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Warning, text))
        self._told_of_settings = messages

    def _reanalyse(self, everything: bool = False) -> None:
        changed = self.workspace.reconfigured()
        self._publish_others(self._opened() if everything else changed)
        if everything and not self.documents:  # what closed files have is pulled too
            self.refresh_diagnostics()
        self._publish_settings_problems()
        if everything:
            self._refresh_views()
        self._scan()

    def _refresh_views(self) -> None:
        """Lenses and hints are asked for when a text changes: a client has to be told that a switch did."""
        if self.client.refreshes_lenses:
            self.server.workspace_code_lens_refresh(None)
        if self.client.refreshes_hints:
            self.server.workspace_inlay_hint_refresh(None)

    def _scan(self) -> None:
        """Looks at the whole workspace, where that is wanted; what runs is superseded."""
        if self._scans_now():
            self.closed.scan(self._folders())
        elif self._begun:
            self.closed.stop()

    def _scans_now(self) -> bool:
        return self._begun and self.editor.enable and self.editor.workspace and bool(self._folders())

    def _is_ours(self, path: Path) -> bool:
        """Whether a scan comes to a path: it lies in a folder of the workspace, and nothing there says to ignore it."""
        return path.suffix == ".py" and any(comes_to(each, path) for each in self._folders())

    def _folders(self) -> list[Path]:
        return [path for path in self.settings.folders.values() if path.is_dir()]

    def _publish_others(self, paths: Iterable[Path]) -> None:
        """Of documents that the client has said nothing about: one that pulls does not know that it should."""
        wanted = set(paths)
        for document in self.documents.values():
            if document.path in wanted and (analysis := self.workspace.current(document.path)):
                self._publish(document, analysis)
        if wanted:
            self.refresh_diagnostics()

    def _publish_readers(self, changed: set[Path], known: Iterable[Path] = ()) -> None:
        """Of the other documents, those whose findings are others now, or speak of places that stand elsewhere now."""
        outdated = {*self.workspace.outdated(), *known}
        for document in self.documents.values():
            analysis = self.workspace.current(document.path)
            if document.path in changed | outdated or analysis is None or document.told is None:
                continue
            speaks = any(Path(file.path) in changed for one in analysis.findings for _, file in one.elsewhere)
            if speaks and (found := self.shown(document)) != document.told:
                document.told = found  # a client that pulls is told once, whenever it asks
                outdated.add(document.path)
        self._publish_others(outdated)

    def refresh_diagnostics(self) -> None:
        """Has a client that pulls ask anew."""
        if self.client.pulls and self.client.refreshes_diagnostics:
            self.server.workspace_diagnostic_refresh(None)

    def _settings_text(self, path: Path, text: str | None) -> None:
        self.workspace.configuration.set_buffer(path, text)
        self._settings_files.setdefault(path, ())
        self._reanalyse()

    def _changed_settings(self, path: Path, params: lsp.DidChangeTextDocumentParams) -> str:
        source = Source(self.workspace.configuration.text(path))
        for change in changes_of(params.content_changes):
            source, _ = applied(source, change, self.client.encoding)
        return source.text

    def _concerns_us(self, settings: Path) -> bool:
        """Whether a settings file is open, stands in a folder of the workspace, or may hold for one or for a file that is open."""
        below = [*self._folders(), *self._opened()]
        inside = any(settings.is_relative_to(folder) for folder in self._folders())
        return settings in self._settings_open or inside or any(each.is_relative_to(settings.parent) for each in below)

    def _publish_settings_problems(self, met: Iterable[Path] = ()) -> None:
        """What of each settings file means nothing, where that has changed. `met`: by a scan, and perhaps nowhere else so far."""
        configuration = self.workspace.configuration
        for path in {*configuration.files(), *self._settings_files, *met}:
            problems = configuration.problems(path) if self._concerns_us(path) else ()
            if problems != self._settings_files.get(path, ()):
                diagnostics = problem_diagnostics(problems)
                uri = self._settings_open.get(path) or uri_of(path)
                self.server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, diagnostics))
            self._settings_files[path] = problems
