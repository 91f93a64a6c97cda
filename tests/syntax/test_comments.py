"""Comments are read from tokens, and know the statement they speak about."""

import pytest

from nnreuse.syntax.comments import comments_containing
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Source

TEXT = """\
# note 1 above the import
import a  # note 2 behind
s = "# note not a comment"
# note 3

class A:
    # note 4
    @d(
        1)  # note 5
    def f(self):  # note 6
        call(
            1,  # note 7
            # note 8
            2,
        )  # note 9

    # note 10
# note 11
"""
EXPECTED = [[1], [1], [5], [7, 8, 9], [8], [7, 8, 9], [11], [12, 13], [10, 11, 12, 13, 14], [], []]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_each_comment_speaks_about_its_statement_or_the_one_below(ending: str) -> None:
    index = FileIndex.of(Source(TEXT.replace("\n", ending)))
    found = list(comments_containing(index, "note"))
    assert [comment.text[:6] for comment in found] == ["# note"] * 11
    assert [list(comment.rows) for comment in found] == EXPECTED


def test_other_comments_are_not_looked_at() -> None:
    assert list(comments_containing(FileIndex.of(Source("x = 1  # other\n")), "note")) == []
