"""The command `nnreuse.reportWrongFinding`: writes a report for the user to read and to paste, and opens it. Nothing is sent."""

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from nnreuse.lsp.actions import REPORT
from nnreuse.lsp.session import Session
from nnreuse.lsp.uris import uri_of
from nnreuse.workspace import cache
from nnreuse.workspace.wrong_finding import report_of


class Reporting:
    """For one session. The arguments of the command: a document, a rule, and the range of its finding as four numbers."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def report(self, uri: str, rule: str, at: tuple[int, int]) -> dict[str, object]:
        """The report as `text`, and the `uri` of the file that has it, or None. Raises JsonRpcException where the finding is gone."""
        document = self._session.documents.get(uri)
        view = self._session.view(document) if document is not None else None
        for finding in view.analysis.findings if view is not None and view.analysis.error is None else ():
            assert view is not None
            found = view.range(finding.place)
            if finding.rule == rule and at == (found.start.line, found.start.character):
                text = report_of(finding, view.analysis.index)
                return {"text": text, "uri": self._shown(text)}
        raise JsonRpcException("The finding is no longer there: ask for the action again.", _FAILED)

    def _shown(self, text: str) -> str | None:
        """Writes the report into the user's cache folder, and has the client open it, or say where it is."""
        file = cache.folder("reports") / "wrong-finding.md"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            self._say(f"nnreuse could not write {file}: {error.strerror}")
            return None
        if self._session.client.shows_documents:
            self._session.server.window_show_document(lsp.ShowDocumentParams(uri_of(file), take_focus=True))
        else:
            self._say(f"nnreuse wrote the report to {file}. Read it, and paste it where you want: nothing was sent.")
        return uri_of(file)

    def _say(self, text: str) -> None:
        self._session.server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, text))


_FAILED = lsp.LSPErrorCodes.RequestFailed.value


def report_arguments(arguments: tuple[object, ...]) -> tuple[str, str, tuple[int, int]]:
    """The arguments of the command, as its action has them. Raises JsonRpcInvalidParams."""
    match arguments:
        case (str(uri), str(rule), [int(line), int(character), int(), int()]):
            return uri, rule, (line, character)
        case _:
            raise JsonRpcInvalidParams(f"`{REPORT}` takes the URI of a document, a rule and a range as four numbers")
