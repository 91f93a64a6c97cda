"""Code actions: which findings a request means, which fixes they offer, and the edit of the one that was chosen.

A fix is built when it is offered, once for each revision, because one that cannot be proven right must not be shown
at all; that takes milliseconds, and only where a finding is under the cursor. What a client that resolves is spared
is the edit in every reply; what it gains is the refusal of an edit that was meant for an earlier text.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TypedDict, cast

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcContentModified, JsonRpcInvalidParams

from nnreuse.fixes.fix import Applicability, Fix
from nnreuse.lsp.convert import View, edits_to
from nnreuse.rules.finding import Finding
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.units import Place
from nnreuse.workspace.neighbours import Obstacles, against, refusal

FIX_ALL = "source.fixAll.nnreuse"
REPORT = "nnreuse.reportWrongFinding"
"""The command behind the last action: `lsp/reporting.py` runs it."""
_REWRITE = lsp.CodeActionKind.RefactorRewrite
_TRAINS = "trains"
_MENU = 20
"""So many findings have their fixes and comments offered at once."""


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
    path: Path
    obstacles: Obstacles
    serial: int = field(default_factory=count().__next__)
    """Tells it from what was built for other analyses of the same text."""
    _others: dict[tuple[str, tuple[Edit, ...]], Fix] = field(default_factory=dict[tuple[str, tuple[Edit, ...]], Fix])
    """What was offered besides the fixes of findings, for `codeAction/resolve` to find again."""
    _edits: dict[int, list[Edit] | None] = field(default_factory=dict[int, list[Edit] | None])
    _kept: list[Fix] = field(default_factory=list[Fix])
    _comments: dict[tuple[int, Place], list[Fix]] = field(default_factory=dict[tuple[int, Place], list[Fix]])

    def edits(self, fix: Fix) -> list[Edit] | None:
        """The edits of a fix, or None where it must not be offered."""
        if fix.applicability is Applicability.DISPLAY or self.view.analysis.error is not None:
            return None
        if id(fix) not in self._edits:
            self._edits[id(fix)] = fix.edits(self.view.analysis.index)
            self._kept.append(fix)
        edits = self._edits[id(fix)]
        return None if edits and against(fix, self.path, self.obstacles) else edits

    def number(self, fix: Fix, edits: list[Edit]) -> list[int]:
        """What tells a fix that is no finding's from all others; the same one for the same edits."""
        key = fix.title, tuple(edits)
        self._others.setdefault(key, fix)
        return [self.serial, list(self._others).index(key)]

    def other(self, data: ActionData) -> Fix | None:
        """The fix with a number; None where it was given for another analysis."""
        others = list(self._others.values())
        match data["range"]:
            case [serial, number] if serial == self.serial and 0 <= number < len(others):
                return others[number] if others[number].title == data["title"] else None
            case _:
                return None

    def comments(self, finding: Finding, place: Place, make: Callable[[Finding, Place], Iterable[Fix]]) -> list[Fix]:
        """The comments that silence a finding at one of its places, the same ones each time: they too are built once."""
        key = id(finding), place
        if key not in self._comments:
            self._comments[key] = list(make(finding, place))
        return self._comments[key]

    def refusal(self, finding: Finding) -> str | None:
        """Why none of a finding's fixes is offered, where that can be said."""
        return refusal(finding.fixes, self.view.analysis.index, self.path, self.obstacles)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for: the range it means, its diagnostics, the kinds it wants, and what may be done besides fixes."""

    version: int
    params: lsp.CodeActionParams
    comments: Callable[[Finding, Place], Iterable[Fix]] = lambda _finding, _place: ()
    refactorings: Callable[[], Iterable[Fix]] = lambda: ()
    repairs: Callable[[], tuple[list[Edit], list[Fix]]] = lambda: ([], [])
    """All repairs that are asked for together, and the fixes they are."""
    repairs_of: Callable[[str], tuple[list[Edit], list[Fix]]] = lambda _: ([], [])
    """All repairs of one rule's findings, whatever they change, and the fixes they are."""
    unsafe: bool = False
    """Whether `repairs` change what trains as well."""

    def wants(self, kind: str, unasked: bool = True) -> bool:
        """Whether a kind, or one that it belongs to, is asked for; `unasked`: without any wish too."""
        only = self.params.context.only
        if not only:
            return unasked
        return any(asked in ("", kind) or kind.startswith(f"{asked}.") for asked in only)


def offered(built: Built, request: Request) -> list[lsp.CodeAction]:
    """The actions for a request: fixes, the preferred ones marked, then comments, refactorings, and what fixes everything."""
    found: list[lsp.CodeAction] = []
    if request.wants(lsp.CodeActionKind.QuickFix):
        found += _fixes(built, request)
        if not _applies_every_action(built.view, request.params):
            found += _of_one_rule(built, request)
            found += _comments(built, request)
            found += _reports(built, request)
    if request.wants(_REWRITE) and not _applies_every_action(built.view, request.params):
        offered = {action.title for action in found}
        for fix in request.refactorings():
            if fix.title not in offered and (edits := built.edits(fix)):
                found.append(_other(built, request, fix, edits, _REWRITE))
    if request.wants(FIX_ALL, unasked=False):
        edits, fixes = request.repairs()
        if edits:
            title = "Fix all" if request.unsafe else "Fix all that keeps behaviour"
            fix = Fix(title, _together(fixes), lambda _: edits)
            found.append(_other(built, request, fix, edits, FIX_ALL))
    return found


def _together(fixes: list[Fix]) -> Applicability:
    """Of several fixes applied at once: unsafe where one is."""
    unsafe = any(one.applicability is Applicability.UNSAFE for one in fixes)
    return Applicability.UNSAFE if unsafe else Applicability.SAFE


def _fixes(built: Built, request: Request) -> list[lsp.CodeAction]:
    """The fixes of the findings that are meant; what several findings share is offered once."""
    view, actions = built.view, dict[tuple[str, tuple[Edit, ...]], lsp.CodeAction]()
    preferred_only = _applies_every_action(view, request.params)
    for meant in _meant(view, request.params):
        finding = meant.finding
        fixes = [(fix, edits) for fix in finding.fixes if (edits := built.edits(fix))]
        if not fixes and view.client.shows_disabled and (reason := built.refusal(finding)):
            actions[finding.fixes[0].title, ()] = _disabled(meant, reason)
        for fix, edits in fixes[:1] if preferred_only else fixes:
            same = fix.title, tuple(edits)
            if same in actions:
                actions[same].diagnostics = [*(actions[same].diagnostics or ()), *meant.diagnostics]
            else:
                actions[same] = _action(view, request.version, meant, fix, edits)
            if fix is fixes[0][0]:
                actions[same].is_preferred = True
    return sorted(actions.values(), key=lambda action: not action.is_preferred)


def _of_one_rule(built: Built, request: Request) -> Iterator[lsp.CodeAction]:
    """Everything that the rules of the findings that are meant would have done in the file, where that is more than one thing."""
    view = built.view
    for rule in dict.fromkeys(meant.finding.rule for meant in _meant(view, request.params)):
        if sum(finding.rule == rule for finding in view.analysis.findings) < 2:
            continue  # before anything is built
        edits, fixes = request.repairs_of(rule)
        if len(fixes) > 1:
            fix = Fix(f"Fix all {len(fixes)} `{rule}` in this file", _together(fixes), lambda _, edits=edits: edits)
            yield _other(built, request, fix, edits, lsp.CodeActionKind.QuickFix)


def _disabled(meant: "_Meant", reason: str) -> lsp.CodeAction:
    return lsp.CodeAction(
        title=meant.finding.fixes[0].title,
        kind=lsp.CodeActionKind.QuickFix,
        diagnostics=meant.diagnostics,
        disabled=lsp.CodeActionDisabled(reason),
    )


def _comments(built: Built, request: Request) -> Iterator[lsp.CodeAction]:
    seen: set[tuple[str, tuple[Edit, ...]]] = set()
    for meant in _meant(built.view, request.params):
        for fix in built.comments(meant.finding, meant.place, request.comments):
            edits = built.edits(fix)
            if edits and (fix.title, tuple(edits)) not in seen:
                seen.add((fix.title, tuple(edits)))
                action = _other(built, request, fix, edits, lsp.CodeActionKind.QuickFix)
                action.diagnostics = meant.diagnostics
                yield action


def _reports(built: Built, request: Request) -> list[lsp.CodeAction]:
    """A report on each rule's finding, for the user to read: the command opens it, and nothing is sent."""
    view = built.view
    if view.analysis.error is not None:
        return []  # the text has changed since
    by_rule = {meant.finding.rule: meant for meant in reversed(_meant(view, request.params))}
    found: list[lsp.CodeAction] = []
    for rule, meant in sorted(by_rule.items()):
        title = f"Report a wrong finding ({rule})…" if len(by_rule) > 1 else "Report a wrong finding…"
        arguments = [view.uri, rule, _flat(view.range(meant.finding.place))]
        command = lsp.Command(title=title, command=REPORT, arguments=arguments)
        found.append(
            lsp.CodeAction(title, kind=lsp.CodeActionKind.QuickFix, diagnostics=meant.diagnostics, command=command)
        )
    return found


def resolved(built: Built, version: int, action: lsp.CodeAction, data: ActionData) -> lsp.CodeAction:
    """The action with its edit. Raises ContentModified where its text, or the finding in it, is gone."""
    if data["version"] != version:
        raise stale(action)
    if not data["rule"]:
        fix = built.other(data)
        edits = built.edits(fix) if fix is not None else None
        if fix is None or not edits:
            raise stale(action)
        action.edit = _workspace_edit(built.view, version, fix, edits)
        return action
    for finding in built.view.analysis.findings:
        if finding.rule == data["rule"] and _flat(built.view.range(finding.place)) == data["range"]:
            for fix in finding.fixes:
                if fix.title == data["title"] and (edits := built.edits(fix)):
                    action.edit = _workspace_edit(built.view, version, fix, edits)
                    return action
    raise stale(action)


def stale(action: lsp.CodeAction) -> JsonRpcContentModified:
    """The refusal of an action that was offered for an earlier text."""
    return JsonRpcContentModified(f"The file has changed since “{action.title}” was offered; ask for it again.")


def data_of(action: lsp.CodeAction) -> ActionData:
    """What we attached to an action. Raises InvalidParams where that did not come back."""
    data: object = action.data
    if isinstance(data, dict):
        found = cast("dict[str, object]", data)
        texts = all(isinstance(found.get(key), str) for key in ("uri", "rule", "title"))
        if texts and isinstance(found.get("version"), int) and isinstance(found.get("range"), list):
            return cast("ActionData", found)
    raise JsonRpcInvalidParams("This code action was not offered by nnreuse.")


@dataclass(frozen=True, slots=True)
class _Meant:
    """A finding that a request is about: at which of its calls, and the diagnostics that are marked there."""

    finding: Finding
    place: Place
    diagnostics: list[lsp.Diagnostic]


def _meant(view: View, params: lsp.CodeActionParams) -> list[_Meant]:
    """The findings a request is about: its diagnostics where it names any of ours (Kate), else what its range meets (ALE).

    Each once, at whichever of its calls. Of a selection that meets many, the first: nobody reads a menu of hundreds, and each has
    edits to be proven.
    """
    named = {(one.code, *_flat(one.range)) for one in params.context.diagnostics}
    placed = [(finding, view.marked(finding)) for finding in view.analysis.findings]
    found = [(f, [at for at in marks if (f.rule, *_flat(at[1])) in named]) for f, marks in placed]
    if not any(marks for _, marks in found) and not (named and _applies_every_action(view, params)):
        found = [(f, [at for at in marks if _meet(at[1], params.range)]) for f, marks in placed]
    meant = [(finding, marks) for finding, marks in found if marks][:_MENU]
    return [_Meant(finding, marks[0][0], _diagnostics_at(view, finding, marks)) for finding, marks in meant]


def _meet(one: lsp.Range, other: lsp.Range) -> bool:
    return one.start <= other.end and other.start <= one.end


def _diagnostics_at(view: View, finding: Finding, marks: list[tuple[Place, lsp.Range]]) -> list[lsp.Diagnostic]:
    ranges = {tuple(_flat(at)) for _, at in marks}
    return [one for one in view.diagnostics_of(finding) if tuple(_flat(one.range)) in ranges]


def _applies_every_action(view: View, params: lsp.CodeActionParams) -> bool:
    """Kate's “fix this”: the whole document, one diagnostic, and all that comes back is applied, alternatives included."""
    return (
        not view.client.knows_preferred
        and len(params.context.diagnostics) == 1
        and params.range.start == lsp.Position(0, 0)
        and params.range.end.line >= len(view.source.lines) - 1
    )


def _action(view: View, version: int, meant: _Meant, fix: Fix, edits: list[Edit]) -> lsp.CodeAction:
    at = _flat(view.range(meant.finding.place))
    data = ActionData(uri=view.uri, version=version, rule=meant.finding.rule, range=at, title=fix.title)
    return lsp.CodeAction(
        title=fix.title,
        kind=lsp.CodeActionKind.QuickFix,
        diagnostics=meant.diagnostics,
        edit=None if view.client.resolves_edits else _workspace_edit(view, version, fix, edits),
        data=data,
    )


def _other(
    built: Built, request: Request, fix: Fix, edits: list[Edit], kind: lsp.CodeActionKind | str
) -> lsp.CodeAction:
    """An action that is no finding's: it is found again by its number among those of one analysis."""
    view = built.view
    data = ActionData(uri=view.uri, version=request.version, rule="", range=built.number(fix, edits), title=fix.title)
    edit = None if view.client.resolves_edits else _workspace_edit(view, request.version, fix, edits)
    return lsp.CodeAction(title=fix.title, kind=kind, edit=edit, data=data)


def _workspace_edit(view: View, version: int, fix: Fix, edits: list[Edit]) -> lsp.WorkspaceEdit:
    """The edit with the revision it is meant for, and with what it changes, where the client can show that."""
    converted = edits_to(edits, view.analysis.index.source, view.client.encoding)
    if not view.client.document_changes:
        return lsp.WorkspaceEdit(changes={view.uri: converted})
    document = lsp.OptionalVersionedTextDocumentIdentifier(uri=view.uri, version=version)
    if not view.client.annotates_changes or fix.applicability is not Applicability.UNSAFE:
        return lsp.WorkspaceEdit(document_changes=[lsp.TextDocumentEdit(document, list(converted))])
    annotated = [lsp.AnnotatedTextEdit(_TRAINS, one.range, one.new_text) for one in converted]
    said = lsp.ChangeAnnotation("Changes what trains", needs_confirmation=False, description=fix.title)
    changed = lsp.TextDocumentEdit(document, annotated)
    return lsp.WorkspaceEdit(document_changes=[changed], change_annotations={_TRAINS: said})


def _flat(found: lsp.Range) -> list[int]:
    return [found.start.line, found.start.character, found.end.line, found.end.character]
