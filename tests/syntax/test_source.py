"""The text store and the index, under random edits: what is kept equals what is read anew."""

from hypothesis import given, settings
from hypothesis import strategies as st

from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Encoding, Position, Source, split_lines
from nnreuse.syntax.units import Unparsable, leaves

TEXTS = st.text(st.sampled_from("ab \r\n\x0c\u2028é🔥"), max_size=40)
ENCODINGS = st.sampled_from(list(Encoding))
PIECES = [
    "import torch.nn as nn\n",
    "x = '🔥'\n",
    "class A(nn.Module):\n    def __init__(self):\n        self.a = 1\n\n    def forward(self, x):\n        return x\n",
    "class B(A):\n    '''doc'''\n    y = 1\n    def f(self): pass\n",
    "def g(a, b):\n    return a\n\n\n",
    "# comment\n\x0c\n",
    "if True:\n    z = 3\nelse:\n    z = 4\n",
    "a = 1; b = 2\n",
    "t = '''\nlong\n'''\n",
]
INSERTS = [
    "",
    "\n",
    " ",
    "x",
    "    ",
    "'''",
    "(",
    ")",
    "\\",
    ":",
    "#",
    "pass\n",
    "    def h(self): return 1\n",
    "class C:\n    q = 1\n",
]


def units(index: FileIndex) -> list[str]:
    return [unit.text for unit in leaves(index.parts)]


@given(TEXTS)
def test_lines_end_at_line_ends_and_nothing_else(text: str) -> None:
    lines = split_lines(text)
    assert "".join(lines) == text
    assert all(line.rstrip("\r\n").find("\n") < 0 and line for line in lines)
    assert [line.rstrip("\r\n") for line in lines] == text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[
        : len(lines)
    ]


@given(TEXTS, ENCODINGS, st.data())
def test_an_offset_that_is_a_place_for_a_cursor_comes_back(text: str, encoding: Encoding, data: st.DataObject) -> None:
    source = Source(text)
    offset = data.draw(st.integers(0, len(text)))
    back = source.offset(source.position(offset, encoding), encoding)
    inside_a_line_end = offset and text[offset - 1] == "\r" and text[offset : offset + 1] == "\n"
    assert back == offset or (inside_a_line_end and back == offset - 1)


@given(TEXTS, TEXTS, ENCODINGS, st.data())
def test_an_edit_gives_the_edited_text_and_tells_the_lines_it_touched(
    text: str, new: str, encoding: Encoding, data: st.DataObject
) -> None:
    source = Source(text)
    start, end = sorted((data.draw(st.integers(0, len(text))), data.draw(st.integers(0, len(text)))))
    first, last = source.position(start, encoding), source.position(end, encoding)
    start, end = source.offset(first, encoding), source.offset(last, encoding)
    edited, change = source.edited(first, last, new, encoding)
    assert edited.text == text[:start] + new + text[end:]
    assert edited.lines == split_lines(edited.text)
    assert edited.lines[: change.first] == source.lines[: change.first]
    assert edited.lines[change.new_end :] == source.lines[change.old_end :]
    assert change.new_end - change.old_end == len(edited.lines) - len(source.lines)


def test_a_position_past_the_end_is_the_end() -> None:
    assert Source("ab\n").offset(Position(9, 9)) == 3
    assert Source("ab").offset(Position(0, 9)) == 2


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6), st.data())
def test_an_index_kept_through_edits_equals_one_made_anew(pieces: list[str], data: st.DataObject) -> None:
    source = Source("".join(pieces))
    index = FileIndex.of(source)
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(source.text)))
        end = min(len(source.text), start + data.draw(st.sampled_from([0, 0, 0, 1, 4, 30])))
        new = data.draw(st.sampled_from(INSERTS))
        source, change = source.edited(source.position(start), source.position(end), new, Encoding.UTF32)
        index = index.updated(source, change)
        try:
            fresh = FileIndex.of(source)
        except Unparsable:
            assert index.broken is not None
            continue
        assert index.broken is None
        assert units(index) == units(fresh)
        assert index.bindings.keys() == fresh.bindings.keys()
        assert [name for name, _ in index.classes()] == [name for name, _ in fresh.classes()]
