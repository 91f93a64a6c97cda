"""The server as editors meet it: a real process on stdio, in UTF-16, with a character outside the basic plane on the line."""

import os
import sys
from pathlib import Path

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pytest_lsp import ClientServerConfig, LanguageClient

SERVER = Path(__file__).resolve().parents[2] / "server"
URI = "file:///work/model.py"
TEXT = """import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3)
        self.conv2 = nn.Conv2d(64, 64, 3)
        self.bn = nn.BatchNorm2d(64)

    def forward(self, x):
        label = "🔥"; x = self.bn(self.conv1(x))
        x = self.bn(self.conv2(x))
        return x
"""
FIXED = (
    TEXT.replace('"🔥"; x = self.bn(', '"🔥"; x = self.bn1(')
    .replace("        x = self.bn(self.conv2", "        x = self.bn2(self.conv2")
    .replace(
        "        self.bn = nn.BatchNorm2d(64)\n",
        "        self.bn1 = nn.BatchNorm2d(64)\n        self.bn2 = nn.BatchNorm2d(64)\n",
    )
)


@pytest_lsp.fixture(
    config=ClientServerConfig(
        server_command=[sys.executable, "-m", "nnreuse", "server", "--stdio"],
        server_env={**os.environ, "PYTHONPATH": str(SERVER)},
    )
)
async def client(lsp_client: LanguageClient):
    lazy = lsp.ClientCodeActionResolveOptions(properties=["edit"])
    await lsp_client.initialize_session(
        lsp.InitializeParams(
            capabilities=lsp.ClientCapabilities(
                text_document=lsp.TextDocumentClientCapabilities(
                    publish_diagnostics=lsp.PublishDiagnosticsClientCapabilities(related_information=True),
                    code_action=lsp.CodeActionClientCapabilities(resolve_support=lazy),
                ),
                workspace=lsp.WorkspaceClientCapabilities(
                    workspace_edit=lsp.WorkspaceEditClientCapabilities(document_changes=True)
                ),
            )
        )
    )
    yield
    await lsp_client.shutdown_session()


async def opened(client: LanguageClient, text: str = TEXT) -> list[lsp.Diagnostic]:
    document = lsp.TextDocumentItem(uri=URI, language_id="python", version=1, text=text)
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(document))
    await client.wait_for_notification(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    return list(client.diagnostics[URI])


async def changed(
    client: LanguageClient, version: int, *changes: lsp.TextDocumentContentChangeEvent
) -> list[lsp.Diagnostic]:
    document = lsp.VersionedTextDocumentIdentifier(version=version, uri=URI)
    client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, list(changes)))
    await client.wait_for_notification(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    return list(client.diagnostics[URI])


def inserted(line: int, column: int, text: str) -> lsp.TextDocumentContentChangePartial:
    at = lsp.Position(line, column)
    return lsp.TextDocumentContentChangePartial(lsp.Range(at, at), text)


async def offered(
    client: LanguageClient, at: lsp.Range, diagnostics: list[lsp.Diagnostic]
) -> dict[str, lsp.CodeAction]:
    params = lsp.CodeActionParams(lsp.TextDocumentIdentifier(URI), at, lsp.CodeActionContext(diagnostics))
    found = await client.text_document_code_action_async(params)
    return {action.title: action for action in found or [] if isinstance(action, lsp.CodeAction)}


def applied(text: str, edits: list[lsp.TextEdit]) -> str:
    """The text after edits whose columns are in UTF-16, as a client applies them."""
    lines = text.splitlines(keepends=True)

    def offset(at: lsp.Position) -> int:
        before = "".join(lines[: at.line]).encode("utf-16-le")
        return len(before) + 2 * at.character

    data = text.encode("utf-16-le")
    for edit in sorted(edits, key=lambda e: offset(e.range.start), reverse=True):
        data = data[: offset(edit.range.start)] + edit.new_text.encode("utf-16-le") + data[offset(edit.range.end) :]
    return data.decode("utf-16-le")


def edits_of(action: lsp.CodeAction) -> list[lsp.TextEdit]:
    assert action.edit is not None and action.edit.document_changes
    [change] = action.edit.document_changes
    assert isinstance(change, lsp.TextDocumentEdit)
    return [edit for edit in change.edits if isinstance(edit, lsp.TextEdit)]


@pytest.mark.asyncio
async def test_both_calls_of_the_shared_batch_norm_are_reported_in_utf16(client: LanguageClient) -> None:
    first, second = await opened(client)
    column = 8 + len('label = "') + 2 + len('"; x = ')
    assert first.range == lsp.Range(lsp.Position(11, column), lsp.Position(11, column + len("self.bn")))
    assert second.range == lsp.Range(lsp.Position(12, 12), lsp.Position(12, 19))
    assert {d.code for d in (first, second)} == {"shared-batch-norm"}
    assert first.code_description and first.code_description.href.endswith("shared-batch-norm.md")
    assert second.range in [r.location.range for r in first.related_information or []]


@pytest.mark.asyncio
async def test_split_into_bn1_and_bn2_gives_the_expected_file_and_silence(client: LanguageClient) -> None:
    diagnostics = await opened(client)
    action = (await offered(client, diagnostics[0].range, diagnostics[:1]))["Split `self.bn` into `bn1`, `bn2`"]
    assert action.edit is None
    edits = edits_of(await client.code_action_resolve_async(action))
    assert applied(TEXT, edits) == FIXED
    assert await changed(client, 2, lsp.TextDocumentContentChangeWholeDocument(FIXED)) == []


@pytest.mark.asyncio
async def test_the_first_fix_is_preferred_and_a_range_alone_finds_it_too(client: LanguageClient) -> None:
    diagnostics = await opened(client)
    found = await offered(client, lsp.Range(diagnostics[1].range.start, diagnostics[1].range.start), [])
    assert [title for title, action in found.items() if action.is_preferred] == ["Split `self.bn` into `bn`, `bn2`"]


@pytest.mark.asyncio
async def test_a_fix_offered_for_an_older_text_is_refused(client: LanguageClient) -> None:
    diagnostics = await opened(client)
    action = next(iter((await offered(client, diagnostics[0].range, diagnostics[:1])).values()))
    await changed(client, 2, inserted(0, 0, "import torch\n"))
    with pytest.raises(JsonRpcException, match="changed"):
        await client.code_action_resolve_async(action)


@pytest.mark.asyncio
async def test_half_typed_code_keeps_the_last_findings_and_offers_no_edit(client: LanguageClient) -> None:
    diagnostics = await opened(client)
    assert len(await changed(client, 2, inserted(13, 16, " + x.abs().sum("))) == 2
    assert await offered(client, diagnostics[0].range, diagnostics[:1]) == {}
    assert len(await changed(client, 3, inserted(13, 16 + len(" + x.abs().sum("), ")"))) == 2
    assert await offered(client, diagnostics[0].range, [])


@pytest.mark.asyncio
async def test_hover_answers_whether_the_module_may_be_reused(client: LanguageClient) -> None:
    await opened(client)
    hover = await client.text_document_hover_async(
        lsp.HoverParams(lsp.TextDocumentIdentifier(URI), lsp.Position(12, 15))
    )
    assert hover is not None and isinstance(hover.contents, lsp.MarkupContent)
    assert "running statistics" in hover.contents.value and "May I reuse it?" in hover.contents.value


@pytest.mark.asyncio
async def test_closing_takes_the_findings_back(client: LanguageClient) -> None:
    await opened(client)
    client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(URI)))
    await client.wait_for_notification(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    assert list(client.diagnostics[URI]) == []
