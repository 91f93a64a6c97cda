"""Sizes: when two feature sizes certainly differ, whatever the constructor's parameters are. A size is a positive integer."""

from fractions import Fraction
from typing import cast

from nnreuse.tracing.machine import Machine
from nnreuse.tracing.values import Const, Opaque, Value

Terms = dict[tuple[int, ...], Fraction]
"""A polynomial: the idents of the unknowns that each term multiplies, and its coefficient."""
_DEEPEST = 12


def as_size(value: Value | None) -> Value | None:
    """A value that may be compared as a size: an integer, or an unknown. None for everything else."""
    if isinstance(value, Opaque):
        return value
    return value if isinstance(value, Const) and type(value.value) is int else None


def differ(m: Machine, one: Value, other: Value) -> bool:
    """Whether two sizes are never equal: `d` and `2 * d`, `d` and `d + 1`, `d` and `d // 2`, `64` and `32`."""
    if one is other:
        return False
    if isinstance(one, Const) and isinstance(other, Const):
        return one.value != other.value
    if m.ident(one) == m.ident(other):
        return False
    known = m.intern.structures()
    a, b = _terms(m, known, one), _terms(m, known, other)
    return _apart(a, b) or _halved(known, a, b) or _halved(known, b, a)


def _apart(a: Terms, b: Terms) -> bool:
    """Whether they differ by a number, or one is a multiple of the other."""
    difference = _sum(a, b, -1)
    if set(difference) == {()}:
        return True
    ratios = {b[term] / a[term] for term in a} if a.keys() == b.keys() and a else {Fraction(1)}
    return len(ratios) == 1 and ratios != {Fraction(1)}


def _halved(known: list[object], a: Terms, b: Terms) -> bool:
    """Whether `b` is `a // n`, for a number n of at least two."""
    match next(iter(b)) if len(b) == 1 else ():
        case (ident,) if b[ident,] == 1:
            match _structure(known, ident):
                case ("op", "FloorDiv", int(left), int(right)):
                    divisor = _number(known, right)
                    return divisor is not None and divisor >= 2 and a == _of(known, left, 0)
                case _:
                    return False
        case _:
            return False


def _terms(m: Machine, known: list[object], value: Value) -> Terms:
    return {(): Fraction(cast("int", value.value))} if isinstance(value, Const) else _of(known, m.ident(value), 0)


def _of(known: list[object], ident: int, depth: int) -> Terms:
    """The polynomial that a structure stands for; whatever is no sum or product is an unknown of its own."""
    match _structure(known, ident) if depth < _DEEPEST else None:
        case ("const", "int", int(number)):
            return {(): Fraction(number)} if number else {}
        case ("op", "Add", int(left), int(right)):
            return _sum(_of(known, left, depth + 1), _of(known, right, depth + 1), 1)
        case ("op", "Sub", int(left), int(right)):
            return _sum(_of(known, left, depth + 1), _of(known, right, depth + 1), -1)
        case ("op", "Mult", int(left), int(right)):
            return _product(_of(known, left, depth + 1), _of(known, right, depth + 1))
        case _:
            return {(ident,): Fraction(1)}


def _structure(known: list[object], ident: int) -> object:
    """What an ident stands for; a fresh one, which is negative, for nothing that is known."""
    return known[ident - 1] if ident > 0 else None


def _number(known: list[object], ident: int) -> int | None:
    match _structure(known, ident):
        case ("const", "int", int(number)):
            return number
        case _:
            return None


def _sum(a: Terms, b: Terms, sign: int) -> Terms:
    total = dict(a)
    for term, factor in b.items():
        total[term] = total.get(term, Fraction(0)) + sign * factor
    return {term: factor for term, factor in total.items() if factor}


def _product(a: Terms, b: Terms) -> Terms:
    total: Terms = {}
    for x, p in a.items():
        for y, q in b.items():
            term = tuple(sorted((*x, *y)))
            total[term] = total.get(term, Fraction(0)) + p * q
    return total
