"""The article's example in a real process: found at both calls, split, silent."""

import os
import sys
from pathlib import Path

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities
from talking import NET

from nnreuse.syntax.source import Encoding, Position, Source

SERVER = Path(__file__).parents[2] / "server"
SECOND = "        self.bn2 = nn.BatchNorm2d(64)\n"
SPLIT = {
    "Split `self.bn` into `bn`, `bn2`": NET.replace("BatchNorm2d(64)\n", "BatchNorm2d(64)\n" + SECOND).replace(
        "self.bn(self.conv2", "self.bn2(self.conv2"
    ),
    "Split `self.bn` into `bn1`, `bn2`": NET.replace("self.bn = ", "self.bn1 = ")
    .replace("BatchNorm2d(64)\n", "BatchNorm2d(64)\n" + SECOND)
    .replace("self.bn(self.conv1", "self.bn1(self.conv1")
    .replace("self.bn(self.conv2", "self.bn2(self.conv2"),
}


@pytest_lsp.fixture(
    config=ClientServerConfig(
        server_command=[sys.executable, "-m", "nnreuse", "server", "--stdio"],
        server_env={**os.environ, "PYTHONPATH": str(SERVER)},
    )
)
async def client(lsp_client: LanguageClient):
    lsp_client.feature(lsp.CLIENT_REGISTER_CAPABILITY)(lambda params: None)
    # VS Code's capabilities: UTF-16, resolves edits, checks versions.
    await lsp_client.initialize_session(
        lsp.InitializeParams(capabilities=client_capabilities("visual-studio-code"), workspace_folders=[])
    )
    yield
    await lsp_client.shutdown_session()


async def opened(client: LanguageClient, uri: str, text: str) -> list[lsp.Diagnostic]:
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "python", 1, text)))
    await client.wait_for_notification(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    return list(client.diagnostics[uri])


async def offered(client: LanguageClient, uri: str, diagnostic: lsp.Diagnostic) -> dict[str, lsp.CodeAction]:
    found = await client.text_document_code_action_async(
        lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), diagnostic.range, lsp.CodeActionContext([diagnostic]))
    )
    return {action.title: action for action in found or () if isinstance(action, lsp.CodeAction)}


def applied(text: str, action: lsp.CodeAction, version: int) -> str:
    """The text after the action, as a client with UTF-16 positions applies it."""
    assert action.edit is not None and action.edit.document_changes is not None
    (change,) = action.edit.document_changes
    assert isinstance(change, lsp.TextDocumentEdit)
    assert change.text_document.version == version
    source = Source(text)
    for edit in sorted(change.edits, key=lambda e: (e.range.start.line, e.range.start.character), reverse=True):
        assert isinstance(edit, lsp.TextEdit | lsp.AnnotatedTextEdit)
        start, end = (Position(at.line, at.character) for at in (edit.range.start, edit.range.end))
        source, _ = source.edited(start, end, edit.new_text, Encoding.UTF16)
    return source.text


@pytest.mark.asyncio
async def test_the_shared_batch_norm_is_found_at_both_calls(client: LanguageClient, tmp_path: Path):
    diagnostics = await opened(client, (tmp_path / "net.py").as_uri(), NET)
    first, second = sorted(diagnostics, key=lambda diagnostic: diagnostic.range.start.line)
    assert {first.code, second.code} == {"shared-batch-norm"}
    assert {first.source, second.source} == {"nnreuse"}
    # The flame is two UTF-16 units.
    column = NET.splitlines()[11].index("self.bn") + 1
    assert first.range == lsp.Range(lsp.Position(11, column), lsp.Position(11, column + 7))
    assert second.range == lsp.Range(lsp.Position(12, 12), lsp.Position(12, 19))


@pytest.mark.asyncio
@pytest.mark.parametrize("title", SPLIT)
async def test_splitting_gives_the_expected_file_and_silence(client: LanguageClient, tmp_path: Path, title: str):
    uri = (tmp_path / "net.py").as_uri()
    diagnostics = await opened(client, uri, NET)
    for diagnostic in diagnostics:
        action = await client.code_action_resolve_async((await offered(client, uri, diagnostic))[title])
        text = applied(NET, action, version=1)
        assert text == SPLIT[title]
    client.text_document_did_change(
        lsp.DidChangeTextDocumentParams(
            lsp.VersionedTextDocumentIdentifier(2, uri), [lsp.TextDocumentContentChangeWholeDocument(SPLIT[title])]
        )
    )
    await client.wait_for_notification(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    assert list(client.diagnostics[uri]) == []
