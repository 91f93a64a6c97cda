"""Fix: one proposed change of a file, and how far it may be trusted."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex


class Applicability(Enum):
    """ruff's three words: `safe` keeps behaviour, `unsafe` changes what trains, `display` is shown only."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True)
class Migration:
    """What a fix means for checkpoints: entries of `attribute` go to each of `names`, in modules that hold `beside` too."""

    cls: str
    attribute: str
    names: tuple[str, ...]
    beside: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fix:
    """An alternative a finding offers. `build` makes its edits on the text of an index, or None where they cannot be proven right.

    Edits are in code points of the file. Building is left until someone asks (codeAction/resolve, --fix, json output).
    Without a `migration` old checkpoints load as they are, or it is not known what becomes of them.
    """

    title: str
    applicability: Applicability
    build: Callable[[FileIndex], list[Edit] | None]
    migration: Migration | None = None
