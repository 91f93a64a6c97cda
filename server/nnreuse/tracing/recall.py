"""Recall: a plain function that a constructor calls gives equal arguments an equal answer, so it is run once for all classes.

Most steps of a constructor are spent in functions that only compute: what is installed, how much to pad, which name means
which class. An answer is kept where the run touched nothing but its own names. It is charged the steps that it took, so that
every bound is hit where it would be without it.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from nnreuse.syntax.units import Unit
from nnreuse.tracing.conditions import Literal
from nnreuse.tracing.machine import Machine
from nnreuse.tracing.values import (
    Class,
    Const,
    Content,
    Function,
    Instance,
    Items,
    Mapping,
    May,
    Name,
    Opaque,
    Package,
    Partial,
    Record,
    Value,
    alternatives,
)

MAX_ANSWERS = 20_000
"""Past so many, those of a program are forgotten and gathered anew."""

Code = tuple[Any, ...]
"""A value without the identities of the run that computed it."""


class _Particular(Exception):
    """A value that is of one run only: an instance, a closure, something that a call of forward gave."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run returned, and what else it did to the trace. `gave_up`: it hit its bound."""

    result: Code
    steps: int
    bound: int
    gave_up: bool
    read: frozenset[object]
    decisions: dict[ast.AST, bool]

    def holds(self, m: Machine, bound: int) -> bool:
        """Whether running it here would have come to the same end."""
        if not (bound <= self.bound if self.gave_up else self.steps < bound):
            return False
        return m.steps + (bound if self.gave_up else self.steps) < m.limit and _current(self.result)


@dataclass(eq=False, slots=True)
class _Coder:
    """Writes values down. Opaque values are numbered in the order in which they are met, arguments first."""

    m: Machine
    idents: list[int] = field(default_factory=list[int])
    given: int = -1
    """How many idents the arguments have, once they are written down."""
    containers: list[Items | Mapping] = field(default_factory=list["Items | Mapping"])

    def outside(self) -> list[Items | Mapping]:
        """The containers that others hold too: the arguments, and those of modules."""
        seen: set[int] = set()
        return [*self.containers, *(one for v in self.m.globals.values() for one in _held(v, seen))]

    def value(self, value: Value) -> Code:
        match value:
            case Const(constant, display):
                return "const", type(constant), constant, display
            case Opaque():
                return self._opaque(value)
            case Items() | Mapping():
                return self._container(value)
            case May(options):
                return "may", tuple((frozenset(map(self._literal, ls)), self.value(v)) for ls, v in options)
            case Partial(function, positional, keywords):
                return (
                    "partial",
                    self.value(function),
                    tuple(map(self.value, positional)),
                    tuple((k, self.value(v)) for k, v in keywords.items()),
                )
            case Function(file, unit, node, None, owner, None):
                return "function", file, unit, node, owner
            case Name() | Class() | Record() | Package():
                return "plain", value
            case _:
                raise _Particular

    def _opaque(self, value: Opaque) -> Code:
        m = self.m
        known = m.origins, m.intern.parameters, m.intern.shapes, m.intern.read_off, m.intern.tables
        if value.lineage or any(value.ident in places for places in known):
            raise _Particular
        return "?", self._number(value.ident), value.ident in m.intern.constructed, value.truth, value.kind

    def _number(self, ident: int) -> int | None:
        """None for an identity that no structure has: another one in every run."""
        if ident in self.idents:
            return self.idents.index(ident)
        if self.given >= 0 and ident < 0:
            return None
        self.idents.append(ident)
        return len(self.idents) - 1

    def _container(self, value: Items | Mapping) -> Code:
        if value.more or self.given >= 0 and any(value is one for one in self.outside()):
            raise _Particular
        if self.given < 0:
            self.containers.append(value)
        if isinstance(value, Mapping):
            return (
                "mapping",
                tuple((k, self.value(v)) for k, v in value.entries.items()),
                value.open,
                tuple(value.shown.items()),
            )
        if value.lineage:
            raise _Particular
        return "items", value.kind, tuple(map(self.value, value.content.items)), value.content.open, value.fields

    def _literal(self, literal: Literal) -> Code:
        return self._number(literal.subject), literal.operator, literal.value, literal.positive


def _held(value: Value, seen: set[int]) -> Iterator[Items | Mapping]:
    """The containers that are reached through a value."""
    if isinstance(value, (Const, Opaque)) or id(value) in seen:
        return
    seen.add(id(value))
    inside: list[Value] = []
    match value:
        case Items():
            yield value
            inside += value.content.items
        case Mapping():
            yield value
            inside += value.entries.values()
        case Instance():
            inside += [*value.attrs.values(), *([value.elements] if value.elements is not None else [])]
        case _:
            inside += alternatives(value) if isinstance(value, May) else []
    for one in inside:
        yield from _held(one, seen)


def recalled(
    m: Machine,
    callee: Function,
    given: list[Value],
    names: list[str],
    bound: int,
    run: Callable[[], tuple[Value, bool]],
) -> Value:
    """The answer of a plain function, from an earlier run if there is one. `run` gives it, and whether it stayed in bounds."""
    if callee.node in m.stack:
        return run()[0]
    coder = _Coder(m)
    try:
        key = callee.node, tuple(names), tuple(map(coder.value, given)), any(not turn.exact for turn in m.turns)
        known = m.program.recalled.get(key)
    except (_Particular, TypeError):
        return run()[0]
    if any(literal.subject in coder.idents for literals in (m.path.literals, *m.path.excluded) for literal in literals):
        return run()[0]
    coder.given = len(coder.idents)
    if known is None or not known.holds(m, bound):
        value, answer = _watched(m, coder, bound, callee.unit, run)
        if answer is None:
            return value
        if len(m.program.recalled) >= MAX_ANSWERS:
            m.program.recalled.clear()
        known = m.program.recalled[key] = answer
    else:
        m.steps += known.steps
        m.program.reads.note(*known.read)
        if m.decisions is not None:
            m.decisions.update(known.decisions)
    return _Decoder(m, callee.node, coder.idents[: coder.given]).value(known.result)


def _watched(
    m: Machine, coder: _Coder, bound: int, unit: Unit, run: Callable[[], tuple[Value, bool]]
) -> tuple[Value, Answer | None]:
    """Runs it, and sees whether it did anything that a recalled answer would not do."""
    effects, steps, mark, cut = m.intern.effects, m.steps, len(m.journal), len(m.intern.cut)
    decisions, written, before = m.decisions, m.intern.written, m.intern.last_fresh
    own, m.decisions, m.intern.written = set[object](), {}, []
    try:
        with m.program.reads.into(own):
            value, within = run()
    finally:
        made, m.decisions = m.decisions, decisions
        touched, m.intern.written = m.intern.written, written
        if written is not None:
            written += touched
        if decisions is not None:
            decisions.update(made)
    if m.intern.effects != effects or any(node in m.stack for node in m.intern.cut[cut:]):
        return value, None
    if any(m.intern.lasts(ident, before) for ident in touched) or _wrote_elsewhere(m, coder, mark):
        return value, None
    try:
        return value, Answer(coder.value(value), m.steps - steps, bound, not within, frozenset({unit, *own}), made)
    except (_Particular, TypeError):
        return value, None


def _wrote_elsewhere(m: Machine, coder: _Coder, mark: int) -> bool:
    written = {id(slots) for slots, _, _ in m.journal[mark:]}
    if not written:
        return False
    return any(id(v.cell if isinstance(v, Items) else v.entries) in written for v in coder.outside())


def _current(code: object) -> bool:
    """Whether the classes in an answer are still those of their files."""
    if not isinstance(code, tuple):
        return not isinstance(code, Class) or code.cls.file.classes.get(code.cls.units) is code.cls
    return all(_current(part) for part in cast("Code", code))


@dataclass(frozen=True, slots=True)
class _Decoder:
    """Gives a written value the identities of the run at hand: equal arguments, equal answers."""

    m: Machine
    node: ast.AST
    idents: list[int]

    def value(self, code: Code) -> Value:
        match code:
            case ("const", _, constant, display):
                return Const(constant, display)
            case ("plain", value):
                return value
            case ("?", number, constructed, truth, kind):
                made = Opaque(self._ident(number), 0, truth, kind)
                if constructed:
                    self.m.intern.constructed.add(made.ident)
                return made
            case ("items", kind, items, is_open, fields):
                content = Content(tuple(map(self.value, items)), is_open)
                return Items(kind, self.m.intern.fresh(), {0: content}, fields=fields)
            case ("mapping", entries, is_open, shown):
                return Mapping(
                    self.m.intern.fresh(), {k: self.value(v) for k, v in entries}, is_open, shown=dict(shown)
                )
            case ("may", options):
                return May(tuple((frozenset(map(self._literal, ls)), self.value(v)) for ls, v in options))
            case ("partial", function, positional, keywords):
                return Partial(
                    self.value(function), tuple(map(self.value, positional)), {k: self.value(v) for k, v in keywords}
                )
            case ("function", file, unit, node, owner):
                return Function(file, unit, node, None, owner)
            case _:
                return self.m.opaque()

    def _ident(self, number: int | None) -> int:
        if number is None:
            return self.m.intern.fresh()
        if number < len(self.idents):
            return self.idents[number]
        return self.m.intern("answer", self.node, number, *self.idents)

    def _literal(self, code: Code) -> Literal:
        number, operator, value, positive = code
        return Literal(self._ident(number), operator, value, positive)
