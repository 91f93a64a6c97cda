"""Each feature in a real process, asked for by clients that declare what real editors declare."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

SERVER = Path(__file__).parents[2] / "server"
CLIENTS = ["visual-studio-code", "neovim@v0.7.0", "neovim@v0.11.0", "emacs"]
NET = """import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, 3)
        self.conv2 = nn.Conv2d(8, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.relu1 = nn.ReLU()
        self.relu2 = nn.ReLU()

    def forward(self, x):
        x = self.relu1(self.norm(self.conv1(x)))
        x = self.relu2(self.norm(self.conv2(x)))
        return x
"""
CALLS = [lsp.Position(13, 24), lsp.Position(14, 24)]
pytestmark = pytest.mark.asyncio


@dataclass
class Editor:
    """A client with a model file open in it."""

    client: LanguageClient
    uri: str
    pulls: bool
    resolves: bool

    @property
    def document(self) -> lsp.TextDocumentIdentifier:
        return lsp.TextDocumentIdentifier(self.uri)

    def show(self, text: str) -> None:
        item = lsp.TextDocumentItem(self.uri, "python", 1, text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))

    def change(self, text: str) -> None:
        document = lsp.VersionedTextDocumentIdentifier(2, self.uri)
        change = lsp.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, [change]))

    async def diagnostics(self) -> list[lsp.Diagnostic]:
        """As this client comes by them."""
        if self.pulls:
            report = await self.client.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(self.document))
            assert isinstance(report, lsp.RelatedFullDocumentDiagnosticReport)
            return list(report.items)
        await self.client.wait_for_notification(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        return list(self.client.diagnostics[self.uri])

    async def actions(self, where: lsp.Range, *diagnostics: lsp.Diagnostic, only=None) -> list[lsp.CodeAction]:
        """Complete ones, whenever this client gets their edits."""
        context = lsp.CodeActionContext(list(diagnostics), only)
        params = lsp.CodeActionParams(self.document, where, context)
        found = [
            a for a in await self.client.text_document_code_action_async(params) or () if isinstance(a, lsp.CodeAction)
        ]
        if not self.resolves:
            return found
        return [action if action.edit else await self.client.code_action_resolve_async(action) for action in found]


@pytest_lsp.fixture(
    params=CLIENTS,
    config=ClientServerConfig(
        server_command=[sys.executable, "-m", "nnreuse", "server", "--stdio"],
        server_env={**os.environ, "PYTHONPATH": str(SERVER)},
    ),
)
async def client(request, lsp_client: LanguageClient):
    lsp_client.feature(lsp.CLIENT_REGISTER_CAPABILITY)(lambda params: None)
    capabilities = client_capabilities(request.param)
    options = {"codeLens": True, "inlayHints": True}
    await lsp_client.initialize_session(
        lsp.InitializeParams(capabilities, initialization_options=options, workspace_folders=[])
    )
    yield
    await lsp_client.shutdown_session()


@pytest.fixture
def editor(client: LanguageClient, tmp_path: Path) -> Editor:
    declared = client.capabilities.text_document if client.capabilities else None
    assert declared is not None
    resolves = declared.code_action is not None and declared.code_action.resolve_support is not None
    made = Editor(client, (tmp_path / "net.py").as_uri(), declared.diagnostic is not None, resolves)
    made.show(NET)
    return made


async def test_the_shared_norm_is_marked_at_both_calls(editor: Editor):
    found = await editor.diagnostics()
    assert [(one.code, one.range.start.line) for one in found] == [("shared-batch-norm", 13), ("shared-batch-norm", 14)]


async def test_the_quick_fix_splits_it(editor: Editor):
    first, _ = await editor.diagnostics()
    actions = await editor.actions(first.range, first)
    preferred = [one for one in actions if one.is_preferred]
    assert [one.kind for one in preferred] == [lsp.CodeActionKind.QuickFix]
    edit = preferred[0].edit
    assert edit is not None
    assert "BatchNorm2d(8)" in str(edit)


async def test_comments_and_declarations_are_offered_as_well(editor: Editor):
    first, _ = await editor.diagnostics()
    titles = {one.title for one in await editor.actions(first.range, first)}
    assert any("nnreuse: ignore" in title or "Ignore" in title for title in titles), titles
    assert any("shared" in title for title in titles), titles


async def test_stateless_twins_are_merged_where_nothing_is_marked(editor: Editor):
    await editor.diagnostics()
    twin = lsp.Position(9, 14)
    actions = await editor.actions(lsp.Range(twin, twin), only=[lsp.CodeActionKind.Refactor])
    assert "Use `self.relu1` for `self.relu2` too" in [one.title for one in actions]
    assert all(one.edit for one in actions)


async def test_all_that_keeps_behaviour_is_fixed_at_once(editor: Editor):
    await editor.diagnostics()
    editor.change("x = 1  # nnreuse: ignore[shared-batch-norm]\n" + NET)
    top = lsp.Position(0, 0)
    (action,) = await editor.actions(lsp.Range(top, top), only=["source.fixAll"])
    assert (action.kind, action.edit is not None) == ("source.fixAll.nnreuse", True)


async def test_hover_says_what_it_carries(editor: Editor):
    hover = await editor.client.text_document_hover_async(lsp.HoverParams(editor.document, CALLS[0]))
    assert hover is not None
    assert isinstance(hover.contents, lsp.MarkupContent)
    assert "running statistics" in hover.contents.value


async def test_its_places_are_highlighted_and_referred_to(editor: Editor):
    where = lsp.DocumentHighlightParams(editor.document, CALLS[0])
    marked = await editor.client.text_document_document_highlight_async(where)
    context = lsp.ReferenceContext(include_declaration=True)
    found = await editor.client.text_document_references_async(lsp.ReferenceParams(context, editor.document, CALLS[0]))
    assert [one.range.start.line for one in marked or ()] == [8, 13, 14]
    assert [one.range.start.line for one in found or ()] == [8, 13, 14]


async def test_a_lens_counts_its_calls(editor: Editor):
    lenses = await editor.client.text_document_code_lens_async(lsp.CodeLensParams(editor.document))
    titles = [lens.command.title for lens in lenses or () if lens.command]
    assert any(title.startswith("2 calls") for title in titles), titles


async def test_hints_number_its_calls(editor: Editor):
    whole = lsp.Range(lsp.Position(0, 0), lsp.Position(16, 0))
    hints = await editor.client.text_document_inlay_hint_async(lsp.InlayHintParams(editor.document, whole))
    assert [hint.label for hint in hints or () if hint.position.line in (13, 14)] == ["#1 of 2", "#2 of 2"]


async def test_rule_names_are_completed_in_a_comment(editor: Editor):
    await editor.diagnostics()
    editor.change("# nnreuse: ignore[shared-b\n" + NET)
    found = await editor.client.text_document_completion_async(
        lsp.CompletionParams(editor.document, lsp.Position(0, 26))
    )
    items = found.items if isinstance(found, lsp.CompletionList) else found or ()
    assert "shared-batch-norm" in [item.label for item in items]


async def test_a_cell_of_a_notebook_is_judged(editor: Editor, tmp_path: Path):
    cell = "vscode-notebook-cell:/net.ipynb#c0"
    notebook = lsp.NotebookDocument(
        (tmp_path / "net.ipynb").as_uri(), "jupyter-notebook", 1, [lsp.NotebookCell(lsp.NotebookCellKind.Code, cell)]
    )
    await editor.diagnostics()
    texts = [lsp.TextDocumentItem(cell, "python", 1, "%time\n" + NET)]
    editor.client.notebook_document_did_open(lsp.DidOpenNotebookDocumentParams(notebook, texts))
    editor.uri = cell
    assert [one.range.start.line for one in await editor.diagnostics()] == [14, 15]
