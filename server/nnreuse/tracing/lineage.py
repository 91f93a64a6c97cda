"""Lineages: which calls a value depends on, and on which arms it does.

A lineage is a bit set. Its low bits are calls; each higher bit is a merge, whose lineage depends on the arm that control came by.
"""

from collections.abc import Callable, Sequence

from nnreuse.tracing.conditions import NOTHING, Literals, contradict

MAX_CALLS = 600
MAX_MERGES = 300
MAX_EXPANDED = 100
_CALLS = (1 << MAX_CALLS) - 1
Arms = Sequence[tuple[Literals, int]]


class Lineages:
    """The merges of one trace. Past a bound, lineages that differ are united: more than is so, never less."""

    def __init__(self) -> None:
        self._merges: list[Arms] = []
        self._known: dict[Arms, int] = {}

    def merged(self, arms: Arms) -> int:
        """The lineage of a value that has one of several, each under its literals."""
        united = 0
        for _, lineage in arms:
            united |= lineage
        if all(lineage == united or not literals for literals, lineage in arms) or len(self._merges) >= MAX_MERGES:
            return united
        arms = tuple(arms)
        if arms not in self._known:
            self._known[arms] = 1 << (MAX_CALLS + len(self._merges))
            self._merges.append(arms)
        return self._known[arms]

    def calls(self, lineage: int, possible: Callable[[Literals], bool]) -> int:
        """The calls in a lineage, without those on arms that cannot lead to where `possible` is asked."""
        if lineage <= _CALLS:
            return lineage
        seen: set[tuple[int, Literals]] = set()
        found, queue = 0, [(lineage, NOTHING)]
        while queue:
            bits, literals = queue.pop()
            found |= bits & _CALLS
            bits >>= MAX_CALLS
            while bits:
                lowest = bits & -bits
                bits ^= lowest
                number = lowest.bit_length() - 1
                if (number, literals) in seen:
                    continue
                seen.add((number, literals))
                for arm, inner in self._merges[number]:
                    if len(seen) > MAX_EXPANDED:
                        queue.append((inner, NOTHING))
                    elif not contradict(arm, literals) and possible(arm | literals):
                        queue.append((inner, arm | literals))
        return found
