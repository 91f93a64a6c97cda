"""Drift: where the lines of a text are in a later one, whatever was typed in between, and in however many places."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise


class Drift:
    """From the last text that was Python to the newest. Lines are the same where they say the same, and stand in the same order."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        shorter = min(len(old), len(new))
        head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
        tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
        ends = [(head, head), (len(old) - tail, len(new) - tail)]
        self._head, (self._old_tail, self._new_tail) = head, ends[1]
        self._pairs = list(_filled(old, new, [(head - 1, head - 1), *_anchors(old, new, *ends), ends[1]]))
        self._old = [one for one, _ in self._pairs]
        self._new = [other for _, other in self._pairs]

    def after(self, line: int) -> int | None:
        """Where an old line is now; None for one that is no longer there."""
        return self._mapped(line, self._head, self._old_tail, self._new_tail, self._old, self._new)

    def before(self, line: int) -> int | None:
        """Where a new line was; None for one that has been written since."""
        return self._mapped(line, self._head, self._new_tail, self._old_tail, self._new, self._old)

    def near(self, line: int) -> int:
        """Where an old line is now, or what was written in its place."""
        known = self.after(line)
        if known is not None:
            return known
        at = bisect_right(self._old, line)
        old, new = self._pairs[at - 1] if at else (self._head - 1, self._head - 1)
        end = self._new[at] if at < len(self._new) else self._new_tail
        return max(min(new + line - old, end - 1), new + 1)

    @staticmethod
    def _mapped(line: int, head: int, tail: int, other_tail: int, lines: list[int], others: list[int]) -> int | None:
        if line < head:
            return line
        if line >= tail:
            return line - tail + other_tail
        at = bisect_left(lines, line)
        return others[at] if at < len(lines) and lines[at] == line else None


def _anchors(
    old: Sequence[str], new: Sequence[str], first: tuple[int, int], last: tuple[int, int]
) -> list[tuple[int, int]]:
    """Pairs of lines that both texts have just once between these, the most that stand in the same order in both."""
    ours, theirs = old[first[0] : last[0]], new[first[1] : last[1]]
    counted, also = Counter(ours), Counter(theirs)
    where = {line: first[0] + n for n, line in enumerate(ours) if counted[line] == also[line] == 1}
    pairs = [(where[line], first[1] + n) for n, line in enumerate(theirs) if line in where]
    ends: list[int] = []
    best: list[tuple[int, int]] = []
    before: list[int] = []
    for number, (one, _) in enumerate(pairs):
        length = bisect_left(ends, one)
        before.append(best[length - 1][1] if length else -1)
        ends[length : length + 1] = [one]
        best[length : length + 1] = [(one, number)]
    chain: list[tuple[int, int]] = []
    at = best[-1][1] if best else -1
    while at >= 0:
        chain.append(pairs[at])
        at = before[at]
    return chain[::-1]


def _filled(old: Sequence[str], new: Sequence[str], anchors: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The anchors but for the outer two, and the equal lines directly after and before each."""
    for (one, other), (end, other_end) in pairwise(anchors):
        room = min(end - one, other_end - other) - 1
        down = next((n for n in range(room) if old[one + 1 + n] != new[other + 1 + n]), room)
        yield from ((one + 1 + n, other + 1 + n) for n in range(down))
        room -= down
        up = next((n for n in range(room) if old[end - 1 - n] != new[other_end - 1 - n]), room)
        yield from ((end - n, other_end - n) for n in range(up, 0, -1))
        if (end, other_end) != anchors[-1]:
            yield end, other_end
