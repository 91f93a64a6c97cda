"""Code actions: which fixes a client is offered where, and the workspace edit of each.

Clients differ: Kate sends the whole document as range and one diagnostic, ALE a small range and no diagnostics. So a
non-empty context is matched by range and code, else the range decides; neither `source` nor `data` is relied on.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lsprotocol import types as lsp

from nnreuse.fixes.fix import Fix
from nnreuse.lsp import convert
from nnreuse.rules.finding import Finding
from nnreuse.syntax.source import Encoding
from nnreuse.workspace.analysis import Analysis


@dataclass(frozen=True, slots=True)
class Client:
    """What the client can do."""

    encoding: Encoding = Encoding.UTF16
    related: bool = False
    lazy_edits: bool = False
    versioned_edits: bool = False


def offered(analysis: Analysis, params: lsp.CodeActionParams, client: Client) -> Iterator[tuple[Finding, int, Fix]]:
    """The findings a request is about, each fix with its number; a fix that two findings share is offered once."""
    seen: set[str] = set()
    for finding in analysis.findings:
        if not _asked_for(analysis, finding, params, client):
            continue
        for number, fix in enumerate(finding.fixes):
            if fix.title not in seen:
                seen.add(fix.title)
                yield finding, number, fix


def _asked_for(analysis: Analysis, finding: Finding, params: lsp.CodeActionParams, client: Client) -> bool:
    where = convert.range_of(analysis.index, finding.place, client.encoding)
    if params.context.diagnostics:
        return any(d.code == finding.rule and d.range == where for d in params.context.diagnostics)
    return convert.touches(where, params.range)


def action(
    uri: str, version: int | None, analysis: Analysis, finding: Finding, number: int, client: Client
) -> lsp.CodeAction | None:
    """One code action. Its edit is built at once, because a fix that cannot be proven right must not be offered at all;
    clients that resolve lazily get it on `codeAction/resolve`, built anew and refused if the text has changed."""
    fix = finding.fixes[number]
    where = convert.range_of(analysis.index, finding.place, client.encoding)
    edit = workspace_edit(uri, version, analysis, fix, client)
    if edit is None:
        return None
    return lsp.CodeAction(
        title=fix.title,
        kind=lsp.CodeActionKind.QuickFix,
        diagnostics=[convert.diagnostic(analysis.index, uri, finding, client.encoding, client.related)],
        is_preferred=number == 0,
        edit=None if client.lazy_edits else edit,
        data={
            "uri": uri,
            "version": version,
            "rule": finding.rule,
            "line": where.start.line,
            "character": where.start.character,
            "fix": number,
        },
    )


def workspace_edit(
    uri: str, version: int | None, analysis: Analysis, fix: Fix, client: Client
) -> lsp.WorkspaceEdit | None:
    """The edit of a fix, with the document's version where the client understands it."""
    edits = fix.build(analysis.index)
    if not edits:
        return None
    converted = [convert.text_edit(analysis.index, edit, client.encoding) for edit in edits]
    if not client.versioned_edits:
        return lsp.WorkspaceEdit(changes={uri: converted})
    document = lsp.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
    return lsp.WorkspaceEdit(document_changes=[lsp.TextDocumentEdit(document, list(converted))])


def find(analysis: Analysis, data: dict[str, object], client: Client) -> Fix | None:
    """The fix that an unresolved action stands for."""
    for finding in analysis.findings:
        start = convert.range_of(analysis.index, finding.place, client.encoding).start
        if (finding.rule, start.line, start.character) == (data.get("rule"), data.get("line"), data.get("character")):
            number = data.get("fix")
            return finding.fixes[number] if isinstance(number, int) and number < len(finding.fixes) else None
    return None
