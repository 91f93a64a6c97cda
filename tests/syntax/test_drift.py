"""Where lines are after any edits: the same lines, in the same order."""

from hypothesis import given
from hypothesis import strategies as st

from nnreuse.syntax.drift import Drift

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "    d\n", "e\n"]), max_size=14)
TEXT = [f"line {number}\n" if number % 3 else "\n" for number in range(20)]


@given(LINES, LINES)
def test_lines_that_are_still_there_say_the_same_in_the_same_order(old: list[str], new: list[str]) -> None:
    drift = Drift(old, new)
    pairs = [(line, now) for line in range(len(old)) if (now := drift.after(line)) is not None]
    assert all(old[line] == new[now] and drift.before(now) == line for line, now in pairs)
    assert [now for _, now in pairs] == sorted({now for _, now in pairs})
    assert len(pairs) == sum(drift.before(line) is not None for line in range(len(new)))
    assert all(0 <= drift.near(line) <= len(new) for line in range(len(old)))


@given(LINES)
def test_a_text_that_is_as_it_was_has_its_lines_where_they_were(text: list[str]) -> None:
    drift = Drift(text, list(text))
    assert [drift.after(line) for line in range(len(text))] == list(range(len(text)))


def test_lines_between_edits_far_apart_are_where_they_are() -> None:
    new = [*TEXT[:2], "x = (\n", *TEXT[2:9], *TEXT[10:16], "y\n", "z\n", *TEXT[16:]]
    drift = Drift(TEXT, new)
    assert [drift.after(line) for line in (0, 1, 2, 8, 10, 15, 16, 19)] == [0, 1, 3, 9, 10, 15, 18, 21]
    assert (drift.after(9), drift.near(9), drift.before(2), drift.before(16)) == (None, 10, None, None)
