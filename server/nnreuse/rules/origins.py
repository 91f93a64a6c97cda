"""Origins: the top-level code of files that decides what a module-level name holds: tables, what fills them, what is merged into them."""

import ast
from collections.abc import Iterator

from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Unit
from nnreuse.types.file import File
from nnreuse.types.meaning import FunctionRef, ModuleClass, ValueRef
from nnreuse.types.program import Program
from nnreuse.types.reads import Aspect

_MAX_DEPTH, _MAX_UNITS = 4, 80


def units_behind(program: Program, file: File, name: str) -> set[Unit]:
    """The units that make what a name holds, and those that put something into it, as far as names lead to them."""
    found: set[Unit] = set()
    queue, seen = [(file, name, 0)], {(file.path, name)}
    while queue and len(found) < _MAX_UNITS:
        where, one, depth = queue.pop(0)
        for home, unit in _units_of(program, where, one):
            found.add(unit)
            for other in dict.fromkeys(_names(unit)) if depth < _MAX_DEPTH else ():
                if (home.path, other) not in seen and other in home.index.bindings:
                    seen.add((home.path, other))
                    queue.append((home, other, depth + 1))
    program.reads.note(*found)
    return found


def _units_of(program: Program, file: File, name: str) -> Iterator[tuple[File, Unit]]:
    meaning = program.lookup(file, name)
    if isinstance(meaning, FunctionRef):
        yield meaning.file, meaning.unit
    elif isinstance(meaning, ValueRef):
        home = meaning.file
        program.reads.note(Aspect(home.path, "effects"))
        names = {name for name, binding in home.index.bindings.items() if binding.node is meaning.node}
        names |= {function for one in names for function in home.index.writers.get(one, ())}
        yield home, meaning.unit
        yield from ((home, unit) for one in names for unit, _ in home.index.effects.get(one, ()))
        yield from ((home, unit) for unit in _bound_before(home, names))
    elif isinstance(meaning, ModuleClass) and not program.is_module_class(meaning):
        yield from ((meaning.file, unit) for unit, _ in meaning.units.statements())


def _bound_before(file: File, names: set[str]) -> Iterator[Unit]:
    """The other top-level statements that bind a name."""
    if not any(file.index.bindings[name].rebound for name in names if name in file.index.bindings):
        return
    for part in (one for one in file.index.parts if isinstance(one, Unit)):
        for node in part.nodes:
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in names for t in node.targets):
                yield part


def _names(unit: Unit) -> Iterator[str]:
    for root in unit.nodes if not any(isinstance(n, ast.ClassDef) for n in unit.nodes) else ():
        yield from (n.id for n in walk(root) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))


def remembers(unit: Unit) -> bool:
    """Whether a unit is a function that gives its first answer again: `functools.cache`, `lru_cache`."""
    match unit.nodes:
        case [ast.FunctionDef(decorator_list=decorators)]:
            return any("cache" in ast.unparse(d.func if isinstance(d, ast.Call) else d) for d in decorators)
        case _:
            return False
