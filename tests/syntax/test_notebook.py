"""Cells become one program, and edits of that become edits of the cells."""

import ast

import pytest

from nnreuse.syntax.edits import Edit
from nnreuse.syntax.notebook import cell_edits, program_of
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
    assert program_of([cell]).text == plain


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
