"""Cells become one program, and edits of that become edits of the cells."""

import ast

import pytest

from nnreuse.syntax.edits import Edit, apply_edits
from nnreuse.syntax.notebook import cell_edits, program_of
from nnreuse.syntax.source import Position
from nnreuse.syntax.span import Span

CELLS = ["class A:\n    x = 1", "", "%time y = 2\nz = 3"]


def edit(before: str, content: str, length: int = 0) -> dict[int, list[Edit]] | None:
    program = program_of(CELLS)
    at = program.text.index(before)
    return cell_edits(CELLS, program, [Edit(Span(at, at + length), content)])


def test_a_place_is_that_of_its_cell():
    assert edit("3", "4", 1) == {2: [Edit(Span(16, 17), "4")]}


def test_what_goes_on_with_a_block_belongs_to_the_cell_before():
    assert edit("\npass", "    y = 2\n") == {0: [Edit(Span(18, 18), "\n    y = 2")]}


def test_lines_that_were_no_python_are_not_edited():
    assert edit("pass", "x", 4) is None


def test_cells_in_other_languages_are_not_edited():
    assert edit("\npass", "y = 2\n") is None


def test_an_edit_over_two_cells_is_refused():
    assert edit("x = 1", "", len("x = 1\n\npass")) is None


@pytest.mark.parametrize("bad", ["x = (", "1: 2 | 3", "if x:", "  a\nb\n c", "'''"])
def test_a_cell_that_is_no_python_is_left_out_unless_it_is_being_typed(bad: str):
    cells = ["x = 1", bad, "y = 2"]
    program = program_of(cells)
    assert [number for number, _ in program.left_out] == [1]
    assert program.text.split() == ["x", "=", "1", "y", "=", "2"]
    assert program.starts == program_of(["x = 1", "\n" * (bad.count("\n") + 1), "y = 2"]).starts
    assert program_of(cells, {1}).text.count(bad[-1]) >= 1 and not program_of(cells, {1}).left_out
    assert cell_edits(cells, program, [Edit(Span(6, 6), "z = 3\n")]) is None


INDENTED = ["x = 1", "\n  class A:\n      a = 1\n\n      b = 2\n  y = 3"]


@pytest.mark.parametrize(
    ("before", "length", "content", "wanted"),
    [
        ("1\n\n    b", 1, "7", "\n  class A:\n      a = 7\n\n      b = 2\n  y = 3"),
        ("    b = 2", 0, "    c = 4\n", "\n  class A:\n      a = 1\n\n      c = 4\n      b = 2\n  y = 3"),
        ("    b = 2", 10, "", "\n  class A:\n      a = 1\n\n  y = 3"),
        ("\n    b", 0, "    c = 4\n", "\n  class A:\n      a = 1\n      c = 4\n\n      b = 2\n  y = 3"),
        (
            "2",
            1,
            "[\n        2,\n\n    ]",
            "\n  class A:\n      a = 1\n\n      b = [\n          2,\n\n      ]\n  y = 3",
        ),
        ("z", 0, "    c = 4\n", "\n  class A:\n      a = 1\n\n      b = 2\n  y = 3\n      c = 4"),
    ],
)
def test_an_edit_of_an_indented_cell_is_indented(before: str, length: int, content: str, wanted: str):
    cells = [*INDENTED, "z"]
    program = program_of(cells)
    at = program.text.index(before)
    edits = cell_edits(cells, program, [Edit(Span(at, at + length), content)])
    assert edits is not None
    assert apply_edits(INDENTED[1], edits[1]) == wanted


def test_a_place_in_an_indented_cell_is_there_and_back():
    program = program_of(INDENTED)
    assert program.text == "x = 1\n\nclass A:\n    a = 1\n\n    b = 2\ny = 3\n"
    assert program.in_cell(Position(3, 4)) == (1, Position(2, 6))
    assert program.in_cell(Position(0, 4)) == (0, Position(0, 4))
    assert program.moved_from(1, Position(2, 6)) == Position(3, 4)
    assert program.moved_from(1, Position(2, 1)) == Position(3, 0)


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        ("!pip install \\\n   torch\nx = 1\n", "pass\n\nx = 1\n"),
        ("a.b = !ls\nc[0] = %who\nd: list = !ls\nx == !y\n", "a.b = None\nc[0] = None\nd: list = None\nx == !y\n"),
        ("np.load*?\nf[0]?\n?\n??g\n/f 1\n>>> x\n", "pass\n" * 6),
        ("if x:\n    %time f()\n    # %c\n\n    y = 2\n!ls\n", "if x:\n    pass\n    # %c\n\n    y = 2\npass\n"),
        ("%%bash\nls\n", "\n\n"),
        ("%%time\nx = 1", "pass\nx = 1\n"),
    ],
)
def test_what_only_ipython_understands_does_nothing(cell: str, plain: str) -> None:
    assert program_of([cell], {0}).text == plain


@pytest.mark.parametrize("magic", ["", "%matplotlib inline\n", "files = !ls\n"])
@pytest.mark.parametrize(
    "python",
    [
        "x = (\n    a\n    % b\n)\n",
        "y = f(\n    'bad %s'\n    % n\n)\n",
        "h = '''\n%s\n!ls\n''' % 3\n",
        "z = a \\\n    % b\n",
        "class A:\n    b = [\n        1\n        % 2,\n    ]\n",
    ],
)
def test_what_goes_on_with_a_statement_is_python(python: str, magic: str) -> None:
    text = program_of([python + magic + python]).text
    assert text.startswith(python) and text.endswith(python)
    ast.parse(text)
