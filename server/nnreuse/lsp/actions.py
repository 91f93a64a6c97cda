"""Code actions: which findings a request means, which fixes they offer, and the edit of the one that was chosen.

A fix is built when it is offered, once for each revision, because one that cannot be proven right must not be shown
at all; that takes milliseconds, and only where a finding is under the cursor. What a client that resolves is spared
is the edit in every reply; what it gains is the refusal of an edit that was meant for an earlier text.
"""

from dataclasses import dataclass, field
from typing import TypedDict, cast

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcContentModified

from nnreuse.fixes.fix import Applicability, Fix
from nnreuse.lsp.convert import View
from nnreuse.rules.finding import Finding
from nnreuse.syntax.edits import Edit


class ActionData(TypedDict):
    """What an action carries from codeAction to codeAction/resolve: the revision, the finding, and which of its fixes."""

    uri: str
    version: int
    rule: str
    range: list[int]
    title: str


@dataclass(slots=True)
class Built:
    """The edits of the fixes of one analysis, built on demand. Fixes are told apart by identity, so it keeps them alive."""

    view: View
    _edits: dict[int, list[Edit] | None] = field(default_factory=dict[int, list[Edit] | None])

    def edits(self, fix: Fix) -> list[Edit] | None:
        """The edits of a fix, or None where it must not be offered."""
        if fix.applicability is Applicability.DISPLAY or self.view.analysis.error is not None:
            return None
        if id(fix) not in self._edits:
            self._edits[id(fix)] = fix.build(self.view.analysis.index)
        return self._edits[id(fix)]


def offered(built: Built, version: int, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """The actions for a request; those that come out the same for several findings are offered once."""
    if not _wants_quick_fixes(params.context.only):
        return []
    actions: dict[tuple[str, tuple[Edit, ...]], lsp.CodeAction] = {}
    for finding in _meant(built.view, params):
        fixes = [(fix, edits) for fix in finding.fixes if (edits := built.edits(fix))]
        if _applies_every_action(built.view, params):
            fixes = fixes[:1]
        for number, (fix, edits) in enumerate(fixes):
            action = actions.get((fix.title, tuple(edits)))
            if action is None:
                actions[fix.title, tuple(edits)] = _action(built.view, version, finding, fix, edits, number == 0)
            else:
                action.diagnostics = [*(action.diagnostics or ()), built.view.diagnostic(finding)]
    return list(actions.values())


def resolved(built: Built, version: int, action: lsp.CodeAction) -> lsp.CodeAction:
    """The action with its edit. Raises ContentModified where its text, or the finding in it, is gone."""
    data = cast(ActionData, action.data)
    if data["version"] != version:
        raise JsonRpcContentModified(f"The file changed after “{action.title}” was offered; ask for it again.")
    for finding in built.view.analysis.findings:
        if finding.rule == data["rule"] and _flat(built.view.range(finding.place)) == data["range"]:
            for fix in finding.fixes:
                if fix.title == data["title"] and (edits := built.edits(fix)):
                    action.edit = _workspace_edit(built.view, version, edits)
                    return action
    raise JsonRpcContentModified(f"“{action.title}” is no longer offered here; ask for it again.")


def _meant(view: View, params: lsp.CodeActionParams) -> list[Finding]:
    """The findings a request is about: its diagnostics where it names any (Kate), else what its range meets (ALE)."""
    named = params.context.diagnostics
    found: list[Finding] = []
    for finding in view.analysis.findings:
        place = view.range(finding.place)
        if named:
            hit = any(diagnostic.code == finding.rule and diagnostic.range == place for diagnostic in named)
        else:
            hit = place.start <= params.range.end and params.range.start <= place.end
        if hit:
            found.append(finding)
    return found


def _applies_every_action(view: View, params: lsp.CodeActionParams) -> bool:
    """Kate's “fix this”: the whole document, one diagnostic, and all that comes back is applied, alternatives included."""
    return (
        not view.client.knows_preferred
        and len(params.context.diagnostics) == 1
        and params.range.start == lsp.Position(0, 0)
        and params.range.end.line >= len(view.source.lines) - 1
    )


def _wants_quick_fixes(
    only: "list[lsp.CodeActionKind | str] | tuple[lsp.CodeActionKind | str, ...] | None | object",
) -> bool:
    return True
