"""A Source edits like a plain string, in every encoding, and knows which lines an edit left alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnreuse.syntax.source import Encoding, LineChange, Position, Source, column_in, split_lines

# Few characters, and those that matter: every line end, the separators that are none, one to four UTF-8 bytes.
TEXT = st.text(st.sampled_from("ab \n\r\f\x85\u2028é€🔥"), max_size=24) | st.lists(
    st.sampled_from(["a", "🔥", "\r\n", "\r", "\n", "\f", "\u2028"]), max_size=16
).map("".join)
ENCODINGS = st.sampled_from(Encoding)
WIDTHS = {
    Encoding.UTF8: lambda text: len(text.encode("utf-8")),
    Encoding.UTF16: lambda text: len(text.encode("utf-16-le")) // 2,
    Encoding.UTF32: len,
}


def lines_of(text: str) -> list[str]:
    """Line by line without the code under test."""
    return [line for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", text) if line]


def offset_of(text: str, position: Position, encoding: Encoding) -> int:
    """What LSP says a position means, spelled out: character by character, no further than the line's end."""
    lines = lines_of(text)
    if position.line >= len(lines):
        return len(text)
    before = sum(map(len, lines[: position.line]))
    content = lines[position.line].rstrip("\r\n")
    fitting = [n for n in range(len(content) + 1) if WIDTHS[encoding](content[:n]) <= position.column]
    return before + fitting[-1]


POSITIONS = st.builds(Position, st.integers(0, 12), st.integers(0, 30))


@given(TEXT)
def test_lines_are_those_of_python_and_lsp(text: str):
    assert split_lines(text) == lines_of(text)
    assert "".join(split_lines(text)) == text
    assert Source(text).text == Source(lines=split_lines(text)).text == text


@given(TEXT, POSITIONS, ENCODINGS)
def test_an_offset_is_what_the_protocol_says(text: str, position: Position, encoding: Encoding):
    assert Source(text).offset(position, encoding) == offset_of(text, position, encoding)


@given(TEXT, ENCODINGS, st.data())
def test_positions_round_trip(text: str, encoding: Encoding, data: st.DataObject):
    offset = data.draw(st.integers(0, len(text)))
    inside_line_end = text[:offset].endswith("\r") and text[offset:].startswith("\n")
    at_line_end_character = offset < len(text) and text[offset] == "\n" and inside_line_end
    source = Source(text)
    back = source.offset(source.position(offset, encoding), encoding)
    assert back == (offset - 1 if at_line_end_character else offset)


@given(TEXT, POSITIONS, POSITIONS, TEXT, ENCODINGS)
def test_an_edit_is_the_edit_of_a_plain_string(text: str, one: Position, other: Position, new: str, encoding: Encoding):
    start, end = sorted((one, other))
    a, b = offset_of(text, start, encoding), offset_of(text, end, encoding)
    source, _ = Source(text).edited(one, other, new, encoding)
    assert source.text == text[:a] + new + text[b:]
    assert source.lines == lines_of(source.text)


@given(TEXT, POSITIONS, POSITIONS, TEXT, ENCODINGS)
def test_lines_outside_the_change_are_unchanged(
    text: str, one: Position, other: Position, new: str, encoding: Encoding
):
    before = Source(text)
    after, change = before.edited(one, other, new, encoding)
    assert 0 <= change.first <= change.old_end <= len(before.lines)
    assert change.first <= change.new_end <= len(after.lines)
    assert before.lines[: change.first] == after.lines[: change.first]
    assert before.lines[change.old_end :] == after.lines[change.new_end :]


@given(TEXT, st.lists(st.tuples(POSITIONS, POSITIONS, TEXT), max_size=6), ENCODINGS)
def test_a_series_of_edits_does_not_drift(text: str, edits: list[tuple[Position, Position, str]], encoding: Encoding):
    source = Source(text)
    for one, other, new in edits:
        start, end = sorted((one, other))
        a, b = offset_of(text, start, encoding), offset_of(text, end, encoding)
        text = text[:a] + new + text[b:]
        source, _ = source.edited(one, other, new, encoding)
    assert source.text == text


@pytest.mark.parametrize(("encoding", "column"), [(Encoding.UTF8, 5), (Encoding.UTF16, 3), (Encoding.UTF32, 2)])
def test_a_column_counts_units_of_the_encoding(encoding: Encoding, column: int):
    assert column_in("a🔥b", 2, encoding) == column
    assert Source("a🔥b").offset(Position(0, column), encoding) == 2


def test_a_form_feed_ends_no_line():
    source, change = Source("a\f\nb\n").edited(Position(1, 0), Position(1, 1), "c", Encoding.UTF16)
    assert source.text == "a\f\nc\n"
    assert change == LineChange(1, 2, 2)


def test_an_edit_touches_only_its_own_line():
    before = Source("a\nb\nc\n")
    after, change = before.edited(Position(1, 1), Position(1, 1), "x", Encoding.UTF16)
    assert change == LineChange(1, 2, 2)
    assert after.lines[0] is before.lines[0]
    assert after.lines[2] is before.lines[2]


def test_typing_a_newline_after_a_carriage_return_makes_one_line_end():
    source, change = Source("a\rb").edited(Position(1, 0), Position(1, 0), "\n", Encoding.UTF16)
    assert source.lines == ["a\r\n", "b"]
    assert change == LineChange(0, 2, 2)
