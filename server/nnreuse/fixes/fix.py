"""Fix: one proposed change of a file, and how far it may be trusted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from weakref import ref

from nnreuse.fixes.writing import Build, Refused
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex


class Applicability(Enum):
    """ruff's three words: `safe` keeps behaviour, `unsafe` changes what trains, `display` is shown only."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True)
class Each:
    """A module that becomes the list `name`, one for each that `of` holds, or `count`. `moved`: it stands behind what it counts."""

    name: str
    of: str | None
    count: int | None
    moved: bool


@dataclass(frozen=True, slots=True)
class Migration:
    """What a fix means for checkpoints: entries of `attribute` go to each of `names`, in modules that hold `beside` too."""

    cls: str
    attribute: str
    names: tuple[str, ...]
    beside: tuple[str, ...]
    each: Each | None = None
    """Where the attribute becomes a list, in place of `names`."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The attributes of a class that a fix makes, goes on to bind, and takes away: other files may speak of them."""

    cls: str
    new: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fix:
    """An alternative a finding offers. `build` makes its edits on the text of an index, or None where they cannot be proven right.

    Edits are in code points of the file. Building is left until someone asks (codeAction/resolve, --fix, json output).
    Without a `migration` old checkpoints load as they are, or it is not known what becomes of them.
    """

    title: str
    applicability: Applicability
    build: Build
    migration: Migration | None = None
    reach: Reach | None = None
    """What of it other files may notice; None: nothing."""
    _last: list[tuple["ref[FileIndex]", list[Edit] | None, str | None]] = field(
        default_factory=list[tuple["ref[FileIndex]", list[Edit] | None, str | None]], compare=False, repr=False
    )
    """What it came to on the text that was asked about last: many ask, and it is built once."""

    def edits(self, index: FileIndex) -> list[Edit] | None:
        """The edits, or None where they cannot be proven right."""
        edits, _ = self._built(index)
        return list(edits) if edits is not None else None

    def refusal(self, index: FileIndex) -> str | None:
        """Why there are no edits, where that can be said."""
        return self._built(index)[1]

    def _built(self, index: FileIndex) -> tuple[list[Edit] | None, str | None]:
        for of, edits, reason in self._last:
            if of() is index:
                return edits, reason
        try:
            edits, reason = self.build(index), None
        except Refused as refusal:
            edits, reason = None, str(refusal)
        self._last[:] = [(ref(index), edits, reason)]
        return edits, reason


def renaming(cls: str, attribute: str, names: Iterable[str]) -> Reach:
    """The reach of a fix after which an attribute is these."""
    after, before = frozenset(names), frozenset([attribute])
    return Reach(cls, after - before, after & before, before - after)


def unfixed(fixes: Sequence[Fix], index: FileIndex) -> str | None:
    """Why none of a finding's fixes can be had; None where one can, or nothing can be said."""
    reasons: list[str] = []
    for fix in fixes:
        if fix.edits(index):
            return None
        reasons += [reason] if (reason := fix.refusal(index)) else []
    return reasons[0] if reasons else None


def refused(reason: str) -> Build:
    """What stands for a fix that is known not to be had."""

    def build(_: FileIndex) -> None:
        raise Refused(reason)

    return build
