"""The tracer's entry: one module class in, its Trace out."""

import ast
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from nnreuse.syntax.tree import walk
from nnreuse.tracing import again, attributes, calls, construction, freezing, objects, refusing
from nnreuse.tracing.conditions import Path
from nnreuse.tracing.given import Argument, given_values
from nnreuse.tracing.holding import held_under
from nnreuse.tracing.machine import CONSTRUCTOR_STEPS, FORWARD_STEPS, Interner, Machine, OutOfBounds
from nnreuse.tracing.patience import is_whole_elsewhere, lacks_something, may_have_missed_all
from nnreuse.tracing.trace import Trace
from nnreuse.tracing.values import Class, Function, Instance
from nnreuse.types.meaning import ModuleClass
from nnreuse.types.program import Program

Known = TypeVar("Known")
MAX_ENTRIES = 12
"""So many methods are run of a class without `forward`. They share the steps that it might take."""


@dataclass(frozen=True, slots=True)
class Start:
    """A machine that has run the constructor of a class, and what that has read: good for one trace, while that stays true."""

    machine: Machine
    read: set[object]


def trace(program: Program, cls: ModuleClass, start: Start | None = None) -> Trace:
    """Interprets the constructor, unless it has been run, and the entry points of a class. Total: user code never makes it raise."""
    read = start.read if start is not None else set[object]()
    with program.reads.into(read):
        m, result = _traced(program, cls, start.machine if start is not None else None)
    return _answering(program, m, result, read)


def trace_given(program: Program, cls: ModuleClass, arguments: Iterable[Argument]) -> Trace:
    """The trace of a class that a caller builds with these arguments."""
    read = set[object]()
    with program.reads.into(read):
        m = _constructed(program, cls, patient=False, arguments=arguments)
        result = _run(m, cls)
    return _answering(program, m, result, read)


def _answering(program: Program, m: Machine, result: Trace, read: set[object]) -> Trace:
    result.read, result.answered = read, m.answered
    result.carries = _noting(program, read, lambda instance: construction.carries(m, instance))
    result.chooses = _noting(program, read, lambda instance: construction.answer(m, instance).chooses)
    result.owns = _noting(program, read, lambda instance: construction.owns(m, instance))
    result.learns = _noting(program, read, lambda instance: freezing.learns(m, instance))
    result.parts = _noting(program, read, lambda instance: construction.parts(m, instance))
    return result


def start(program: Program, last: Trace) -> Start:
    """Runs the constructor of a class ahead of its next trace, which is told what the last one was asked."""
    read = set[object]()
    with program.reads.into(read):
        begun = Start(_constructed(program, last.cls, patient=False), read)
    begun.machine.remembered = dict(last.answered)
    begun.read.update(*(answer.read for answer in last.answered.values()))
    return begun


def _traced(program: Program, cls: ModuleClass, begun: Machine | None) -> tuple[Machine, Trace]:
    m = begun or _constructed(program, cls, patient=False)
    if m.given_up and may_have_missed_all(m, cls):
        m = _constructed(program, cls, patient=True)
    result = _run(m, cls)
    if m.given_up and lacks_something(m, cls):
        m = _constructed(program, cls, patient=True)
        result = _run(m, cls)
    return m, result


def _constructed(program: Program, cls: ModuleClass, patient: bool, arguments: Iterable[Argument] = ()) -> Machine:
    """A machine that has run the constructor. `patient`: the methods that make no modules to their ends as well."""
    m = Machine(program, Interner(), CONSTRUCTOR_STEPS)
    m.patient = patient
    this = m.root = Instance(m.intern.fresh(), cls, None, None, cls.file, constructed=True)
    program.reads.note(cls)
    try:
        construction.run_constructor(m, this, (), given_values(m, arguments))
    except RecursionError:
        m.complete = False
    _run_body(m, cls)
    return m


def _run(m: Machine, cls: ModuleClass) -> Trace:
    this = m.root
    assert this is not None
    if this.elements is not None:
        objects.admit_others(m, this.elements)
        attributes.remember(m, this, "")
    result = Trace(
        cls, this, m.calls, m.definitions, m.repetitions, m.placements, m.creations, m.collections, m.stores, m.clashes
    )
    result.entries = _run_entries(m, this, cls)
    refusing.bar(m)
    result.spreads = m.spreads
    result.again, result.presumed = m.again, m.intern.presumed
    result.within_bounds = m.complete
    result.complete = m.complete and not m.escaped
    result.held = held_under(m, this)
    return result


def _noting(program: Program, read: set[object], ask: Callable[[Instance], Known]) -> Callable[[Instance], Known]:
    """A question that may run more code: what is read for the answer, the trace has read."""

    def asked(instance: Instance) -> Known:
        with program.reads.into(read):
            return ask(instance)

    return asked


def _run_body(m: Machine, cls: ModuleClass) -> None:
    """What the class body itself constructs."""
    for name, (_, node) in cls.members.items():
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if value is not None and any(isinstance(inner, ast.Call) for inner in walk(value)):
            with suppress(OutOfBounds, RecursionError):
                attributes.get(m, Class(cls), name)


def _run_entries(m: Machine, this: Instance, cls: ModuleClass) -> list[str]:
    """`forward`, or the public methods of a class that has none."""
    run: list[str] = []
    names = _entries(cls, not m.creations and is_whole_elsewhere(cls))
    m.complete = m.complete and len(names) <= MAX_ENTRIES
    names = names[:MAX_ENTRIES]
    for name in names:
        found = _definition(cls, name)
        if found is not None:
            run.append(name)
            _run_entry(m, replace(found, receiver=this), FORWARD_STEPS // len(names))
    return run


def _definition(cls: ModuleClass, name: str) -> Function | None:
    """The method of a name, which may be another name of one: `forward = forward_features`."""
    found = cls.find(name)
    if found is not None and isinstance(found[2], ast.Assign) and isinstance(found[2].value, ast.Name):
        found = cls.find(found[2].value.id)
    if found is None or not isinstance(found[2], calls.DEFINITIONS):
        return None
    return Function(found[0].file, found[1], found[2], None, found[0])


def _run_entry(m: Machine, entry: Function, steps: int) -> None:
    m.phase, m.path, m.turns, m.steps, m.limit = calls.function_name(entry), Path(), (), 0, steps
    mark, begun = len(m.journal), again.mark(m)
    try:
        calls.enter(m, entry, (), {}, None)
        if again.has_left_something(m, begun):
            m.again[m.phase] = again.run_again(m, entry, steps)
    except (OutOfBounds, RecursionError):
        m.complete = False
        m.stack.clear()
    m.rewind(mark)


def _entries(cls: ModuleClass, is_bare: bool) -> list[str]:
    """The methods to run. `is_bare`: what other files say of a class is told for the classes that they define."""
    forward = cls.find("forward")
    if forward is not None:
        return ["forward"]
    names = [
        n
        for c in cls.mro
        if isinstance(c, ModuleClass) and not (is_bare and c.file is not cls.file)
        for n, (_, s) in c.members.items()
        if isinstance(s, calls.DEFINITIONS)
    ]
    return [n for n in dict.fromkeys(names) if not n.startswith("_")]
