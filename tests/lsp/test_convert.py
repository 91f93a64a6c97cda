"""Our shapes in the protocol's: positions in every encoding, diagnostics, changes, edits, capabilities and URIs."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from nnreuse.config.settings import Settings
from nnreuse.config.severity import Severity
from nnreuse.lsp.client import Client
from nnreuse.lsp.convert import View, changes_of, edits_to
from nnreuse.lsp.uris import path_of
from nnreuse.rules.finding import Evidence, Finding, Related
from nnreuse.syntax.edits import Edit, apply_edits
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Encoding, Position, Source
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import Place, Unparsable
from nnreuse.workspace.analysis import Analysis
from nnreuse.workspace.workspace import TextChange

TEXT = """import torch

class Net:
    def forward(self, x):
        s = "🔥é"; x = self.bn(x)
        return self.bn(x)
"""
URI = "file:///w/net.py"


def flat(found: lsp.Range) -> tuple[int, int, int, int]:
    return found.start.line, found.start.character, found.end.line, found.end.character


def view_of(text: str, client: Client, now: str | None = None) -> View:
    """A view of `text`; where `now` is given, of a later text that does not parse."""
    index = FileIndex.of(Source(text))
    error = None if now is None else Unparsable("no", 0)
    return View(URI, Analysis(index, (), error), index.source if now is None else Source(now), client, Settings())


@pytest.mark.parametrize(("encoding", "column"), [(Encoding.UTF8, 22), (Encoding.UTF16, 19), (Encoding.UTF32, 18)])
def test_a_place_after_other_than_ascii_is_counted_in_the_clients_units(place_of, encoding: Encoding, column: int):
    view = view_of(TEXT, Client(encoding))
    place = place_of(view.analysis.index, "x = self.bn(x)")
    assert flat(view.range(place)) == (4, column, 4, column + 14)


def test_a_range_costs_no_pass_over_the_text(place_of):
    view = view_of(TEXT, Client())
    view.range(place_of(view.analysis.index, "return self.bn"))
    assert "starts" not in vars(view.source)


def test_a_diagnostic_says_where_what_and_how_to_read_more(place_of):
    view = view_of(TEXT, Client(related_information=True))
    place, other = (place_of(view.analysis.index, needle) for needle in ("return self.bn", "self.bn(x)"))
    finding = Finding(
        "shared-batch-norm",
        Severity.ERROR,
        "message",
        place,
        "Net",
        "bn",
        related=(Related(other, "the first call"),),
        evidence=(Evidence("b", 2, "because of this", other),),
    )
    diagnostic = view.diagnostic(finding)
    assert flat(diagnostic.range) == (5, 8, 5, 22)
    assert (diagnostic.source, diagnostic.code, diagnostic.message) == ("nnreuse", "shared-batch-norm", "message")
    assert diagnostic.code_description is not None
    assert diagnostic.code_description.href.endswith("/shared-batch-norm.md")
    assert diagnostic.data == {"owner": "Net", "attribute": "bn"}
    related = list(diagnostic.related_information or ())
    assert [(one.message, one.location.uri) for one in related] == [("the first call; because of this", URI)]
    assert flat(related[0].location.range) == (4, 23, 4, 33)


def test_other_calls_are_hints_that_point_back(place_of) -> None:
    view = view_of(TEXT, Client(related_information=True))
    place, other = (place_of(view.analysis.index, needle) for needle in ("return self.bn", "self.bn(x)"))
    related = (Related(other, "call 1", "call"), Related(place, "beside"))
    finding = Finding("shared-batch-norm", Severity.WARNING, "message", place, "Net", "bn", related=related)
    main, pointer = view.diagnostics_of(finding)
    assert (main.severity, pointer.severity) == (lsp.DiagnosticSeverity.Warning, lsp.DiagnosticSeverity.Hint)
    assert flat(pointer.range) == (4, 23, 4, 33) and pointer.code == main.code
    assert [one.location.range for one in pointer.related_information or ()] == [main.range]


def test_related_information_is_for_those_who_can_show_it(place_of):
    view = view_of(TEXT, Client())
    place = place_of(view.analysis.index, "self.bn")
    finding = Finding("r", Severity.WARNING, "m", place, "Net", "bn", (Related(place, "there"),))
    assert view.diagnostic(finding).related_information is None


@pytest.mark.parametrize(
    ("severity", "expected"), list(zip(Severity, reversed(lsp.DiagnosticSeverity), strict=True)), ids=str
)
def test_severities_keep_their_order(place_of, severity: Severity, expected: lsp.DiagnosticSeverity):
    view = view_of(TEXT, Client())
    finding = Finding("r", severity, "m", place_of(view.analysis.index, "self.bn"), "Net", "bn")
    assert view.diagnostic(finding).severity == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("(\n" + TEXT, (6, 8, 6, 22)),
        (TEXT.replace("import torch", "import torch ("), (5, 8, 5, 22)),
        (TEXT.replace("        return self.bn(x)\n", "        return self.bn(x"), (5, 8, 5, 22)),
        (TEXT.replace("        return self.bn(x)\n", "        ret(\n"), (5, 8, 5, 12)),
        ("(", (0, 1, 0, 1)),
        ("", (0, 0, 0, 0)),
    ],
    ids=["line added above", "rewritten above", "rewritten itself", "shortened itself", "nearly all gone", "all gone"],
)
def test_findings_stay_beside_their_code_while_the_text_does_not_parse(place_of, now: str, expected: tuple[int, ...]):
    view = view_of(TEXT, Client(), now)
    assert flat(view.range(place_of(view.analysis.index, "return self.bn"))) == expected


@given(st.text(st.sampled_from("ab🔥\n"), max_size=12))
def test_a_drifted_position_is_always_inside_the_text(now: str):
    view = view_of("aaa\nbbb\n", Client(), now)
    (unit, *_) = view.analysis.index.first_lines
    assert unit.lines == ["aaa\n"]
    line, character, _, _ = flat(view.range(Place(unit, Span(0, 3))))
    lines = now.split("\n")
    assert line < len(lines)
    assert character <= len(lines[line].encode("utf-16-le")) // 2


def test_edits_are_in_the_clients_units():
    source = Source(TEXT)
    at = TEXT.index("x = self")
    (edit,) = edits_to([Edit(Span(at, at + 1), "y")], source, Encoding.UTF16)
    assert (flat(edit.range), edit.new_text) == ((4, 19, 4, 20), "y")


@given(st.text(st.sampled_from("a🔥é\r\n\f"), max_size=16), st.data(), st.sampled_from(Encoding))
def test_a_client_that_applies_the_edit_gets_our_text(text: str, data: st.DataObject, encoding: Encoding):
    whole = [n for n in range(len(text) + 1) if not (text[:n].endswith("\r") and text[n:].startswith("\n"))]
    start, end = sorted((data.draw(st.sampled_from(whole)), data.draw(st.sampled_from(whole))))
    edit = Edit(Span(start, end), "new")
    (sent,) = edits_to([edit], Source(text), encoding)
    one, other = (Position(at.line, at.character) for at in (sent.range.start, sent.range.end))
    assert Source(text).edited(one, other, sent.new_text, encoding)[0].text == apply_edits(text, [edit])


def test_a_change_without_a_range_is_the_whole_text():
    part = lsp.TextDocumentContentChangePartial(lsp.Range(lsp.Position(1, 2), lsp.Position(3, 4)), "a")
    whole = lsp.TextDocumentContentChangeWholeDocument("b")
    assert changes_of([part, whole]) == [
        TextChange(Position(1, 2), Position(3, 4), "a"),
        TextChange(None, None, "b"),
    ]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["utf-8", "utf-16"], Encoding.UTF8),
        (["ucs-2", "utf-32"], Encoding.UTF32),
        (["ucs-2"], Encoding.UTF16),
        (None, Encoding.UTF16),
    ],
)
def test_the_client_chooses_the_encoding(offered: list[str] | None, chosen: Encoding):
    assert (
        Client.of(lsp.ClientCapabilities(general=lsp.GeneralClientCapabilities(position_encodings=offered))).encoding
        is chosen
    )


def test_a_client_that_declares_nothing_gets_the_plainest_form():
    assert Client.of(lsp.ClientCapabilities()) == Client()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX paths")
def test_a_file_has_its_path():
    assert path_of("file:///w/a%20b/n%C3%A9t.py") == Path("/w/a b/nét.py")


def test_buffers_that_are_no_files_have_paths_of_their_own():
    paths = [
        path_of(uri) for uri in ("untitled:Untitled-1", "untitled:/w/net.py", "untitled:/w//net.py", "git:/w/net.py")
    ]
    assert len(set(paths)) == 4
    assert not any(path.is_absolute() or path.exists() for path in paths)
