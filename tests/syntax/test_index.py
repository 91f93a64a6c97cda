"""The index under random edits: what is kept equals what is read anew."""

from hypothesis import given, settings
from hypothesis import strategies as st

from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Encoding, Source
from nnreuse.syntax.units import Unparsable, leaves

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


def test_classes_on_one_line_and_under_a_condition_are_bound_to_the_class_that_is_listed():
    index = FileIndex.of(Source("class A(B): pass\nif x:\n    class C(A): pass\nelse:\n    C = None\n"))
    listed = dict(index.classes())
    assert index.bindings["A"].node is listed["A"]
    assert index.bindings["C"].node is listed["C"]
