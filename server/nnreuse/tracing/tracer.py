"""The tracer's entry: one module class in, its Trace out."""

import ast
from contextlib import suppress

from nnreuse.syntax.units import Unit
from nnreuse.tracing import attributes, calls, construction, objects
from nnreuse.tracing.conditions import Path
from nnreuse.tracing.machine import CONSTRUCTOR_STEPS, FORWARD_STEPS, Interner, Machine, OutOfBounds
from nnreuse.tracing.trace import Trace
from nnreuse.tracing.values import Class, Function, Instance, Items, Mapping, Value, alternatives
from nnreuse.types.program import ModuleClass, Program

_MAX_HELD = 4_000


def trace(program: Program, cls: ModuleClass) -> Trace:
    """Interprets the constructor and the entry points of a class. Total: user code never makes it raise."""
    m = Machine(program, Interner(), CONSTRUCTOR_STEPS)
    this = Instance(m.intern.fresh(), cls, None, None, cls.file, constructed=True)
    m.root = this
    objects.note_read(m, cls)
    result = Trace(cls, this, m.calls, m.definitions, m.repetitions, m.creations, m.collections)
    try:
        construction.run_constructor(m, this, (), {})
    except RecursionError:
        m.complete = False
    _run_body(m, cls)
    seen = _run_entries(m, this, cls)
    result.complete = m.complete and not m.escaped
    result.held = held_under(m, this)
    result.carries = lambda instance: construction.carries(m, instance)
    result.parts = lambda instance: construction.parts(m, instance)
    result.entries = seen
    result.read = m.intern.read
    return result


def _run_body(m: Machine, cls: ModuleClass) -> None:
    """What the class body itself constructs."""
    for name, (_, node) in cls.members.items():
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if value is not None and any(isinstance(inner, ast.Call) for inner in ast.walk(value)):
            with suppress(OutOfBounds, RecursionError):
                attributes.get(m, Class(cls), name)


def _run_entries(m: Machine, this: Instance, cls: ModuleClass) -> list[str]:
    """`forward`, or the public methods of a class that has none."""
    run: list[str] = []
    for name in _entries(cls):
        found = cls.find(name)
        if found is None or not isinstance(found[2], calls.DEFINITIONS):
            continue
        run.append(name)
        _run_entry(m, this, found[0], found[1], found[2])
    return run


def _run_entry(
    m: Machine, this: Instance, owner: ModuleClass, unit: Unit, node: ast.FunctionDef | ast.AsyncFunctionDef
) -> None:
    m.phase, m.path, m.turns, m.steps, m.limit = node.name, Path(), (), 0, FORWARD_STEPS
    mark = len(m.journal)
    try:
        calls.enter(m, Function(owner.file, unit, node, None, owner, this), (), {}, None)
    except (OutOfBounds, RecursionError):
        m.complete = False
        m.stack.clear()
    m.rewind(mark)


def _entries(cls: ModuleClass) -> list[str]:
    forward = cls.find("forward")
    if forward is not None:
        return ["forward"]
    names = [
        n
        for c in cls.mro
        if isinstance(c, ModuleClass)
        for n, (_, s) in c.members.items()
        if isinstance(s, calls.DEFINITIONS)
    ]
    return [n for n in dict.fromkeys(names) if not n.startswith("_")][:12]


def held_under(m: Machine, this: Instance) -> dict[str, list[Instance]]:
    """Every access path of the class, and the instances found there: names made in loops and integer indices written `*`."""
    held: dict[str, list[Instance]] = {}
    queue: list[tuple[str, Value, tuple[int, ...]]] = [("", this, ())]
    visited = 0
    while queue and visited < _MAX_HELD:
        visited += 1
        path, value, above = queue.pop(0)
        for one in alternatives(value):
            if isinstance(one, Instance) and one.ident not in above:
                if path and one.is_module:
                    held.setdefault(path, []).append(one)
                if one.is_module:
                    queue += [(p, v, (*above, one.ident)) for p, v in _below(path, one)]
            elif isinstance(one, Items | Mapping) and path.count(".") < 3:
                plain = path if "(unregistered)" in path else f"{path}(unregistered)"
                queue += [(f"{plain}.{name}", v, above) for name, v in _elements(one)]
    for ident, instance in m.unknowns.items():
        held.setdefault(m.origins.get(ident, "*"), []).append(instance)
    return held


def _below(path: str, owner: Instance) -> list[tuple[str, Value]]:
    prefix = f"{path}." if path else ""
    rows = [(prefix + owner.shown.get(k, k), v) for k, v in owner.attrs.items() if not k.startswith("<")]
    if owner.elements is not None:
        rows += [(prefix + name, v) for name, v in _elements(owner.elements)]
    return rows


def _elements(container: Items | Mapping) -> list[tuple[str, Value]]:
    if isinstance(container, Items):
        return [("*", v) for v in (*container.content.items, *container.more.values())]
    rows = [(_shown(container, k), v) for k, v in container.entries.items()]
    return [*rows, *(("*", v) for v in container.more.values())]


def _shown(container: Mapping, key: object) -> str:
    name = container.shown.get(key, str(key))
    return "*" if name.isdigit() else name
