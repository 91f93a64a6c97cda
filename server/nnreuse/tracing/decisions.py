"""Decisions: what a value or a test says about which branch is taken, and the literals that hold in each arm."""

import ast
import operator
from collections.abc import Callable
from typing import Any

from nnreuse.tracing import expressions, objects, refusing, tables
from nnreuse.tracing.conditions import NOTHING, Literal, Literals
from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.values import (
    NONE,
    Class,
    Const,
    Function,
    Index,
    Instance,
    Items,
    Mapping,
    May,
    Method,
    Name,
    Opaque,
    Package,
    Partial,
    Record,
    Super,
    Value,
)

Tested = tuple[bool | None, Literals, Literals]


def truth_of(value: Value) -> bool | None:
    """Whether a value is true; None where that is not known."""
    match value:
        case Const(constant):
            return bool(constant)
        case Opaque():
            return value.truth
        case Index():
            return True if value.general and value.position > 0 else None
        case Items():
            return None if value.content.open and not value.content.items else bool(value.content.items)
        case Mapping():
            return True if value.entries else None if value.open else False
        case Instance():
            return truth_of(value.elements) if value.elements is not None else True
        case Function() | Class() | Record() | Name() | Partial() | Method() | Package() | Super():
            return True
        case May():
            truths = {truth_of(v) for _, v in value.options}
            return truths.pop() if len(truths) == 1 else None


_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def compared(m: Machine, op: ast.cmpop, left: Value, right: Value) -> bool | None:
    """What a comparison gives; None where that is not known."""
    if isinstance(op, (ast.Is, ast.IsNot)) and right == NONE:
        none: bool | None = is_none(left)
        return none if none is None else none is isinstance(op, ast.Is)
    if isinstance(left, Index) and isinstance(right, Const):
        return _index_compared(m, op, left, right)
    if isinstance(left, Const) and isinstance(right, Const):
        run = _COMPARISONS.get(type(op))
        try:
            if run is not None:
                return bool(run(left.value, right.value))
            if isinstance(op, ast.Is | ast.IsNot):
                return (left.value is right.value) is isinstance(op, ast.Is)
            if isinstance(left.value, str) and isinstance(right.value, str):
                return (left.value in right.value) is isinstance(op, ast.In)
        except TypeError:
            return None
    if isinstance(left, Const) and isinstance(op, ast.In | ast.NotIn):
        held = tables.holds(m, right, left)
        if held is not None:
            return held is isinstance(op, ast.In)
        return _contained(m, op, left, objects.elements_of(right))
    if (
        isinstance(left, Opaque)
        and isinstance(right, Opaque)
        and left.ident == right.ident
        and type(op) in _COMPARISONS
    ):
        return isinstance(op, ast.Eq | ast.LtE | ast.GtE)
    if isinstance(left, Class | Name) and isinstance(op, ast.In | ast.NotIn) and isinstance(right, Items):
        return _among(op, left, right)
    return None


def _among(op: ast.cmpop, left: Class | Name, container: Items) -> bool | None:
    """Whether a class is among classes."""
    if left in container.content.items:
        return isinstance(op, ast.In)
    plain = not container.content.open and all(isinstance(v, Class | Name | Const) for v in container.content.items)
    return isinstance(op, ast.NotIn) if plain else None


def _contained(m: Machine, op: ast.cmpop, left: Const, container: Items | Mapping | None) -> bool | None:
    if isinstance(container, Items) and not container.content.open:
        items = container.content.items
        if all(isinstance(v, Const) for v in items) or left == NONE and all(is_none(v) is False for v in items):
            return (left in items) is isinstance(op, ast.In)
    if isinstance(container, Mapping) and (left.value in container.entries or not container.open or m.intern.counting):
        return (left.value in container.entries) is isinstance(op, ast.In)
    return None


def is_none(value: Value) -> bool | None:
    """Whether a value is None; None where that is not known."""
    match value:
        case Const(constant):
            return constant is None
        case Opaque():
            return False if value.truth or value.kind else None
        case May():
            several = {is_none(v) for _, v in value.options}
            return several.pop() if len(several) == 1 else None
        case _:
            return False


_PAST: dict[type[ast.cmpop], bool] = {
    ast.Eq: False,
    ast.NotEq: True,
    ast.Gt: True,
    ast.GtE: True,
    ast.Lt: False,
    ast.LtE: False,
}
"""What an index that is at least one more than a constant says of it."""
_REACHED: dict[type[ast.cmpop], bool] = {ast.GtE: True, ast.Lt: False}
"""What an index that is at least a constant says of it."""


def _index_compared(m: Machine, op: ast.cmpop, left: Index, right: Const) -> bool | None:
    """An index in its first pass is its start; later on it is known to be at least as far as its pass."""
    if left.base != m.intern("range", "from", "constant") or not isinstance(right.value, int):
        return None
    if not left.general:
        return bool(_COMPARISONS[type(op)](left.position, right.value)) if type(op) in _COMPARISONS else None
    if left.position < 1:
        return None
    past = right.value < left.position
    return _PAST.get(type(op)) if past else _REACHED.get(type(op)) if right.value == left.position else None


def test(m: Machine, f: Frame, node: ast.expr) -> Tested:
    """What a test decides: its truth where known, and the literals that hold when it is true, and when it is false.

    There are literals beside a known truth where only the path of control decides it.
    """
    truth, yes, no = _tested(m, f, node)
    if truth is None and not m.possible(yes):
        truth = False
    elif truth is None and not m.possible(no):
        truth = True
    return truth, yes, no


def _tested(m: Machine, f: Frame, node: ast.expr) -> Tested:
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            truth, yes, no = _tested(m, f, operand)
            return (None if truth is None else not truth), no, yes
        case ast.BoolOp(op=op, values=values):
            return _bool_test(m, f, isinstance(op, ast.And), values)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compare_test(m, op, expressions.evaluate(m, f, left), expressions.evaluate(m, f, right))
        case ast.NamedExpr():
            return value_test(m, expressions.evaluate(m, f, node), "truth", None)
        case _:
            return value_test(m, expressions.evaluate(m, f, node), "truth", None)


def _bool_test(m: Machine, f: Frame, conjunction: bool, nodes: list[ast.expr]) -> Tested:
    parts: list[Tested] = []
    outer = m.path
    try:
        for node in nodes:
            parts.append(test(m, f, node))
            truth, yes, no = parts[-1]
            if truth is not None and truth is not conjunction:
                break
            m.path = m.path.under(yes if conjunction else no)
    finally:
        m.path = outer
    if any(truth is (not conjunction) for truth, _, _ in parts):
        return (not conjunction), NOTHING, NOTHING
    parts = [p for p in parts if p[0] is None]
    if not parts:
        return conjunction, NOTHING, NOTHING
    if len(parts) == 1:
        return parts[0]
    all_of: Literals = NOTHING
    for _, yes, no in parts:
        all_of |= yes if conjunction else no
    together, otherwise = _whole(m, all_of)
    return (None, together, otherwise) if conjunction else (None, otherwise, together)


def _whole(m: Machine, all_of: Literals) -> tuple[Literals, Literals]:
    """What holds where all of these hold, and where not all of them do."""
    whole = Literal(m.intern("whole", all_of), "test", all_of, True)
    return all_of | {whole}, frozenset([whole.negated()])


_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.NotEq: ast.Eq,
    ast.NotIn: ast.In,
    ast.GtE: ast.Lt,
    ast.LtE: ast.Gt,
    ast.IsNot: ast.Is,
}


def _compare_test(m: Machine, op: ast.cmpop, left: Value, right: Value) -> Tested:
    known = compared(m, op, left, right)
    if known is not None:
        return known, NOTHING, NOTHING
    if isinstance(op, (ast.Is, ast.IsNot)) and right == NONE:
        truth, yes, no = value_test(m, left, "is None", None)
        return (truth, yes, no) if isinstance(op, ast.Is) else (None if truth is None else not truth, no, yes)
    if isinstance(op, (ast.Eq, ast.NotEq)):
        literal = _equality(m, left, right)
        yes, no = frozenset([literal]), frozenset([literal.negated()])
        return (None, yes, no) if isinstance(op, ast.Eq) else (None, no, yes)
    if isinstance(op, (ast.In, ast.NotIn)) and isinstance(right, Items) and (any_of := _one_of(m, left, right)):
        yes, no = any_of
        return (None, yes, no) if isinstance(op, ast.In) else (None, no, yes)
    base = _OPPOSITE.get(type(op), type(op))
    literal = Literal(m.intern("compare", base.__name__, m.ident(left), m.ident(right)), "truth", None, True)
    yes, no = frozenset([literal]), frozenset([literal.negated()])
    return (None, yes, no) if base is type(op) else (None, no, yes)


def note_test(m: Machine, op: ast.cmpop, left: Value, right: Value, result: Opaque) -> None:
    """A comparison is kept as a value: a test of that value later says what the comparison says."""
    truth, yes, _ = _compare_test(m, op, left, right)
    if truth is None and len(yes) == 1:
        m.intern.tests[result.ident] = yes


def note_opposite(m: Machine, value: Value, result: Opaque) -> None:
    """`not value` is kept as a value."""
    _, yes, no = value_test(m, value, "truth", None)
    if len(yes) == len(no) == 1:
        m.intern.tests[result.ident] = no


def _equality(m: Machine, left: Value, right: Value) -> Literal:
    """`left == right`. The index of a pass is equal to one and the same value in one pass at most."""
    if (
        isinstance(left, Const)
        and not isinstance(right, Const)
        or isinstance(right, Index)
        and not isinstance(left, Index)
    ):
        left, right = right, left
    if isinstance(left, Index):
        if isinstance(right, Const) and isinstance(right.value, int):
            return Literal(left.base, "==", right.value - left.position, True)
        return Literal(m.intern("pass", left.base, m.ident(right)), "==", left.position, True)
    if isinstance(right, Const):
        return Literal(m.ident(left), "==", right.value, True)
    subject = m.intern("compare", "Eq", *sorted((m.ident(left), m.ident(right))))
    refusing.agree(m, left, right, subject)
    return Literal(subject, "truth", None, True)


def _one_of(m: Machine, value: Value, container: Items) -> tuple[Literals, Literals] | None:
    """`value in ("a", "b")`: what holds where it is one of these, and where it is none."""
    items = container.content.items
    if container.content.open or not items or isinstance(value, Const) or not all(isinstance(v, Const) for v in items):
        return None
    equal = frozenset(_equality(m, value, one) for one in items)
    if len(equal) == 1:
        return equal, frozenset(x.negated() for x in equal)
    none, some = _whole(m, frozenset(x.negated() for x in equal))
    return some, none


def value_test(m: Machine, value: Value, kind: str, constant: object) -> Tested:
    """Tests a value's truth, or whether it is None. A value that is one of a few follows the literals of its options."""
    decide = truth_of if kind == "truth" else is_none
    if isinstance(value, May):
        options = [(decide(v), ls) for ls, v in m.options(value)]
        truths = {truth for truth, _ in options}
        if len(truths) == 1 and None not in truths:
            return truths.pop(), NOTHING, NOTHING
        if None not in truths:
            return None, _arm(m, value, options, True), _arm(m, value, options, False)
    truth = decide(value)
    if truth is not None:
        return truth, NOTHING, NOTHING
    known = m.intern.tests.get(m.ident(value)) if kind == "truth" else None
    yes = known if known is not None else frozenset([Literal(m.ident(value), kind, constant, True)])
    return None, yes, frozenset(x.negated() for x in yes)


def _arm(m: Machine, value: May, options: list[tuple[bool | None, Literals]], wanted: bool) -> Literals:
    own = [ls for truth, ls in options if truth is wanted]
    if len(own) == 1 and own[0]:
        return own[0]
    return frozenset([Literal(m.intern("option", m.ident(value)), "truth", None, wanted)])
