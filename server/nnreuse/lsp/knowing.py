"""What is known of module instances, where somebody looks: hover, highlight, references, lenses, inlay hints, completion."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from lsprotocol import types as lsp

from nnreuse.lsp.convert import position_of, range_of
from nnreuse.lsp.session import Document, Session
from nnreuse.lsp.uris import uri_of
from nnreuse.rules import hover, registry
from nnreuse.rules.reuse import call_sites, own_units
from nnreuse.rules.subjects import Occurrence, Subject, repeated
from nnreuse.syntax.comments import comment_at
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import column_in
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Call

SHOW_CALLS = "nnreuse.showCalls"
_KINDS = {
    "call": lsp.DocumentHighlightKind.Read,
    "mention": lsp.DocumentHighlightKind.Read,
    "definition": lsp.DocumentHighlightKind.Write,
}
_NOTE = re.compile(r"#\s*nnreuse:\s*(?:(?P<word>[\w-]*)|(?P<kind>ignore|ignore-file)\s*\[(?P<list>[^\]]*))$")
_WORDS = {
    "shared": ("shared", "The sharing of this module is meant."),
    "ignore": ("ignore[", "These rules, or all, are not wanted at this statement."),
    "ignore-file": ("ignore-file[", "These rules, or all, are not wanted in this file."),
}
_Asked = lsp.HoverParams | lsp.DocumentHighlightParams | lsp.ReferenceParams


class Knowing:
    """The handlers. Each answers nothing where its switch is off."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def hover(self, params: lsp.HoverParams, said: Callable[[lsp.Location], str] | None = None) -> lsp.Hover | None:
        """`said`: how a place of the document itself is called, where that is not by its line."""
        subject = self._subject("hover", params)
        if subject is None:
            return None
        kind = lsp.MarkupKind.Markdown if self._session.client.markdown else lsp.MarkupKind.PlainText
        shown = self._range(subject.trace.cls.file.index, subject.place)

        def place_of(call: Call) -> str:
            at = self._location(Occurrence(call.file, call.site, "call"))
            if at.uri != params.text_document.uri:
                return f"{Path(call.file.path).name}, line {at.range.start.line + 1}"
            return said(at) if said is not None else f"line {at.range.start.line + 1}"

        return lsp.Hover(lsp.MarkupContent(kind, hover.explain(subject, place_of)), shown)

    def highlight(self, params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight] | None:
        subject = self._subject("highlight", params)
        if subject is None:
            return None
        return [
            lsp.DocumentHighlight(self._range(one.file.index, one.place), _KINDS[one.role])
            for one in self._occurrences(params, subject)
            if one.file is subject.trace.cls.file
        ]

    def references(self, params: lsp.ReferenceParams) -> list[lsp.Location] | None:
        subject = self._subject("references", params)
        if subject is None:
            return None
        wanted = params.context.include_declaration
        return [self._location(one) for one in self._occurrences(params, subject) if wanted or one.role != "definition"]

    def code_lens(self, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        document = self._document("code_lens", params.text_document.uri)
        return list(self._lenses(document)) if document else []

    def inlay_hint(self, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        document = self._document("inlay_hints", params.text_document.uri)
        if document is None:
            return []
        hints = (hint for one in self._repeated(document) for hint in self._numbers(one))
        found = [hint for hint in hints if params.range.start <= hint.position <= params.range.end]
        return list({(hint.position.line, hint.position.character): hint for hint in found}.values())

    def completion(self, params: lsp.CompletionParams) -> lsp.CompletionList | None:
        document = self._document("completion", params.text_document.uri)
        source = document and self._session.workspace.source(document.path)
        if source is None or params.position.line >= len(source.lines):
            return None
        position = source.position(source.offset(position_of(params.position), self._session.client.encoding))
        line = source.lines[position.line]
        if not _NOTE.search(line[: position.column]):  # which costs less than the tokens of a file
            return None
        begins = comment_at(source.lines, position.line, position.column)
        note = None if begins is None else _NOTE.search(line[begins : position.column])
        if note is None:
            return None
        typed = note["word"] if note["list"] is None else note["list"].rpartition(",")[2].lstrip()
        start, end = (
            lsp.Position(position.line, column_in(line, column, self._session.client.encoding))
            for column in (position.column - len(typed), position.column)
        )
        written = lsp.Range(start, end)
        items = list(_words(written)) if note["list"] is None else list(_rules(note["list"], written))
        return lsp.CompletionList(is_incomplete=False, items=items)

    def _lenses(self, document: Document) -> Iterator[lsp.CodeLens]:
        for one in self._repeated(document):
            where = self._range(one.trace.cls.file.index, one.place)
            calls = [Occurrence(call.file, call.site, "call") for call in call_sites(one.calls)]
            locations = [self._location(each) for each in calls]
            command = lsp.Command(
                title=_title(one), command=SHOW_CALLS, arguments=[document.uri, where.start, locations]
            )
            yield lsp.CodeLens(where, command)

    def _numbers(self, one: Subject) -> Iterator[lsp.InlayHint]:
        sites = call_sites(one.calls)
        units = own_units(one.trace)
        for number, call in enumerate(sites):
            if len(sites) > 1 and call.unit in units:
                end = self._range(call.file.index, call.site).end
                names = ", ".join(f"self.{path}" for path in one.trace.paths_of(one.instance))
                tip = f"Call {number + 1} of the {len(sites)} of {names}"
                yield lsp.InlayHint(end, f"#{number + 1} of {len(sites)}", padding_left=True, tooltip=tip)

    def _repeated(self, document: Document) -> list[Subject]:
        return list(repeated(self._session.workspace.last_traces(document.path)))

    def _document(self, feature: str, uri: str) -> Document | None:
        return self._session.documents.get(uri) if self._session.editor.knows(feature) else None

    def _subject(self, feature: str, params: _Asked) -> Subject | None:
        document = self._document(feature, params.text_document.uri)
        if document is None:
            return None
        position = position_of(params.position)
        return self._session.workspace.subject(document.path, position, self._session.client.encoding)

    def _occurrences(self, params: _Asked, subject: Subject) -> list[Occurrence]:
        document = self._session.documents[params.text_document.uri]
        return self._session.workspace.occurrences(document.path, subject)

    def _location(self, one: Occurrence) -> lsp.Location:
        return lsp.Location(self._uri(Path(one.file.path)), self._range(one.file.index, one.place))

    def _uri(self, path: Path) -> str:
        """The client's own spelling where the file is open."""
        opened = (document.uri for document in self._session.documents.values() if document.path.absolute() == path)
        return next(opened, None) or uri_of(path)

    def _range(self, index: FileIndex, place: Place) -> lsp.Range:
        """Where a place is: in a text that is no Python for the moment, beside its code all the same."""
        for document in self._session.documents.values():
            view = self._session.view(document)
            if view is not None and view.analysis.index is index:
                return view.range(place)
        return range_of(place, index, self._session.client.encoding, None, ())


def _title(one: Subject) -> str:
    """“3 calls · shared weights”."""
    sites, carried = call_sites(one.calls), one.trace.carries(one.instance)
    counted = f"{len(sites)} calls" if len(sites) > 1 else f"{len(one.calls)} calls at one place"
    if carried.running_stats:
        shared = "shared running statistics"
    elif carried.parameters:
        shared = "shared weights"
    elif carried.other_state:
        shared = "shared state"
    else:
        shared = "stateless" if carried.parameters is False else "what it carries is not known"
    return f"{counted} · {shared}"


def _words(written: lsp.Range) -> Iterator[lsp.CompletionItem]:
    for word, (text, says) in _WORDS.items():
        yield _item(word, lsp.CompletionItemKind.Keyword, says, lsp.TextEdit(written, text))


def _rules(listed: str, written: lsp.Range) -> Iterator[lsp.CompletionItem]:
    """The rules that the list does not name yet."""
    named = {name.strip() for name in listed.split(",")[:-1]}
    for rule in registry.names():
        if rule not in named:
            summary = registry.documentation(rule).strip().splitlines()[0]
            yield _item(rule, lsp.CompletionItemKind.EnumMember, summary, lsp.TextEdit(written, rule))


def _item(label: str, kind: lsp.CompletionItemKind, detail: str, edit: lsp.TextEdit) -> lsp.CompletionItem:
    """An item that says what it replaces: editors in which `-` ends a word would replace less than what is typed."""
    return lsp.CompletionItem(label, kind=kind, detail=detail, text_edit=edit)
