"""A server of pygls that knows nothing: it keeps the text and publishes an empty list. What no server on pygls goes below."""

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

server = LanguageServer("bare", "1")


@server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
def opened(server: LanguageServer, params: lsp.DidOpenTextDocumentParams) -> None:
    server.text_document_publish_diagnostics(
        lsp.PublishDiagnosticsParams(params.text_document.uri, [], params.text_document.version)
    )


@server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
def changed(server: LanguageServer, params: lsp.DidChangeTextDocumentParams) -> None:
    document = server.workspace.get_text_document(params.text_document.uri)
    server.text_document_publish_diagnostics(
        lsp.PublishDiagnosticsParams(document.uri, [], params.text_document.version)
    )


if __name__ == "__main__":
    server.start_io()
