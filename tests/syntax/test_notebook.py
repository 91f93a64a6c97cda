"""Edits of a program become edits of the cells it was made from."""

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
