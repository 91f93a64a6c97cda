"""Patience: whether what a constructor's methods were given up over is worth running them to their ends.

A method that makes no module for long is given up at first. It is run to its end where the class lacks something that the
method, or one that it leads to, may have set.
"""

import ast
from collections import deque
from collections.abc import Iterator

from nnreuse.syntax.once import once
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Unit
from nnreuse.tracing.machine import Machine
from nnreuse.types.meaning import FunctionRef, ModuleClass
from nnreuse.types.program import Program
from nnreuse.types.refinement import is_assigned

Definition = ast.FunctionDef | ast.AsyncFunctionDef
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def may_have_missed_all(m: Machine, cls: ModuleClass) -> bool:
    """Whether the methods that were given up may have made the modules of a class: elements, or all that it has."""
    assert m.root is not None
    return m.root.elements is not None


def lacks_something(m: Machine, cls: ModuleClass) -> bool:
    """Whether an attribute is called that the methods that were given up may have set."""
    called = {m.origins.get(ident, "").partition(".")[0] for ident in m.unknowns}
    lacking = (called & m.unset) | m.read_as_none
    if not any(is_assigned(cls, name) for name in lacking):
        return False
    reached = set(_reached(m.program, cls, m.given_up))
    return any(is_assigned(cls, name, reached) for name in lacking)


def is_whole_elsewhere(cls: ModuleClass) -> bool:
    """Whether a class inherits its constructor from another file."""
    constructor = cls.find("__init__")
    return constructor is None or constructor[0].file is not cls.file


def _reached(program: Program, cls: ModuleClass, start: list[FunctionRef]) -> Iterator[Definition]:
    """The functions that may run when some methods of a class do: by the names that stand in them."""
    methods: dict[str, list[FunctionRef]] = {}
    for owner in (one for one in cls.mro if isinstance(one, ModuleClass)):
        for name, (unit, member) in owner.members.items():
            if isinstance(member, _DEFINITIONS):
                methods.setdefault(name, []).append(FunctionRef(owner.file, unit, member))
    queue, seen = deque(start), set[ast.AST]()
    while queue:
        ref = queue.popleft()
        if ref.node in seen:
            continue
        seen.add(ref.node)
        program.reads.note(ref.unit)
        yield ref.node
        for name in _names(ref.unit, ref.node):
            queue.extend(
                methods.get(name, ()) if name is not None else (one for several in methods.values() for one in several)
            )
        for name in _given_the_object(ref.unit, ref.node):
            meaning = program.lookup(ref.file, name)
            if isinstance(meaning, FunctionRef):
                queue.append(meaning)


@once
def _names(unit: Unit, function: Definition) -> list[str | None]:
    """The names of methods that a function may call; None where a name is computed and called."""
    found: dict[str | None, None] = {}
    for node in walk(function):
        match node:
            case (
                ast.Attribute(attr=name)
                | ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_])
            ):
                found[name] = None
            case ast.Call(func=ast.Call(func=ast.Name(id="getattr"))):
                found[None] = None
            case _:
                pass
    return list(found)


@once
def _given_the_object(unit: Unit, function: Definition) -> list[str]:
    """The plain functions that are given the object whose method a function is."""
    first = [a.arg for a in (*function.args.posonlyargs, *function.args.args)][:1]
    found: list[str] = []
    for node in walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            given = [*node.args, *(k.value for k in node.keywords)]
            if any(isinstance(one, ast.Name) and [one.id] == first for one in given):
                found.append(node.func.id)
    return found
