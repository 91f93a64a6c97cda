"""Entries: what is written to single entries of something unknown, `feats[i] = norm(feats[i])`; its others stay what they are.

An entry is known by its key: by a constant, the index of a pass, or a value that nobody has calculated with. What is written under
another key, a mask or a slice say, may lie anywhere.
"""

from dataclasses import dataclass
from typing import cast

from nnreuse.tracing.machine import Machine
from nnreuse.tracing.values import Const, Index, Opaque, Value

_CALCULATED = frozenset(("op", "unary", "not", "compare", "index+", "index//"))


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in the entries that were written to; the other ones are those of `base`, with its lineage."""

    base: int
    lineage: int
    entries: dict[object, Value]


def write(m: Machine, owner: Opaque, key: Value, value: Value) -> None:
    """`owner[key] = value`: from now on it is another value."""
    known = m.intern.entries.get(owner.ident, Written(owner.ident, owner.lineage, {}))
    where = _where(m, key)
    owner.lineage |= m.lineage(value)
    m.intern.wrote(owner.ident)
    owner.ident = m.intern.fresh()
    if where is not None:
        m.intern.entries[owner.ident] = Written(known.base, known.lineage, {**known.entries, where: value})


def read(m: Machine, owner: Value, key: Value) -> Value | None:
    """`owner[key]`, where the entry was written to, or another one; None where nothing was, or nobody knows."""
    known = m.intern.entries.get(owner.ident) if isinstance(owner, Opaque) else None
    where = _where(m, key) if known is not None else None
    if known is None or where is None:
        return None
    if where in known.entries:
        return known.entries[where]
    if any(_may_be_equal(where, other) for other in known.entries):
        return None
    return m.opaque("[]", known.base, m.ident(key), lineage=known.lineage | m.lineage(key))


def _where(m: Machine, key: Value) -> object | None:
    match key:
        case Const(int() | str() as constant):
            return type(constant).__name__, constant
        case Index(base=base, position=position):
            return "index", base, position
        case Opaque(ident=ident) if is_plain(m, key):
            return "value", ident
        case _:
            return None


def is_plain(m: Machine, key: Opaque) -> bool:
    """Whether a key is a value as it was given, or read from somewhere."""
    if key.ident <= 0:
        return key.ident in m.intern.arguments
    structure = cast("tuple[object, ...]", m.intern.structures()[key.ident - 1])
    return bool(structure) and structure[0] not in _CALCULATED


def _may_be_equal(one: object, other: object) -> bool:
    """Whether two constants may name one entry all the same: counted from the front and from the back."""
    match one, other:
        case ("int", int() as a), ("int", int() as b):
            return (a < 0) is not (b < 0)
        case _:
            return False
