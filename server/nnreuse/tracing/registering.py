"""Registering: what the statements and decorators of files put into a module-level list, dict or object.

Python has run them all before a model is built. Those of the file that defines the object run when someone reads it; where they
leave its tables empty and another file reads it, those of the files that its package and that reader import run as well.
"""

import ast
from collections import deque
from collections.abc import Iterator

from nnreuse.syntax.effects import Effect
from nnreuse.syntax.index import Import
from nnreuse.tracing.machine import Frame, Machine, OutOfBounds
from nnreuse.tracing.values import Class, Function, Instance, Items, Mapping, Value
from nnreuse.types.file import File
from nnreuse.types.meaning import FileRef, FunctionRef, ValueRef
from nnreuse.types.program import Users
from nnreuse.types.reads import Aspect

_STEPS = 600
"""Steps that one statement or decorator may take."""
_TOTAL, _SPENT = 4_000, 8_000
"""Steps that all of one object's may take, and all objects' of one trace; past it they keep what they have got."""
_FILES = 120
"""Files that are searched for what fills an object that its own file leaves empty."""


def fill(m: Machine, ref: ValueRef, value: Value, reader: File) -> None:
    """Runs what fills a module-level value. `m` is not charged for it."""
    from nnreuse.tracing import construction

    if not _fillable(value) or m.intern.registered > _SPENT:
        return
    names = {name for name, binding in ref.file.index.bindings.items() if binding.node is ref.node}
    m.program.reads.note(Aspect(ref.file.path, "effects"))
    inner = Machine(m.program, m.intern, _TOTAL, m.depth)
    inner.globals = m.globals
    if isinstance(value, Instance):
        construction.construct(inner, value)
    _run_all(inner, ref.file, _filling(ref.file, names))
    if _is_empty(value):
        m.intern.shared_tables.add(id(ref.node))
        m.intern.effects += 1
    if _is_empty(value) and reader is not ref.file:
        users = _users(m, ref, names, reader)
        m.program.reads.note(*users.read)
        for file, local in users.found:
            _run_all(inner, file, [e for name in local for e in file.index.effects.get(name, ())])
    m.creations += inner.creations
    m.intern.registered += inner.steps


def _fillable(value: Value) -> bool:
    if isinstance(value, Instance):
        return not value.is_module and value.cls is not None
    return isinstance(value, Mapping) or isinstance(value, Items) and value.kind != "tuple"


def _is_empty(value: Value) -> bool:
    """Whether a table, or each table that an object holds, has nothing in it."""
    match value:
        case Mapping():
            return not value.entries
        case Instance():
            tables = [v for v in value.attrs.values() if isinstance(v, Mapping)]
            return bool(tables) and not any(table.entries for table in tables)
        case _:
            return False


def _filling(file: File, names: set[str]) -> list[Effect]:
    writing = {function for name in names for function in file.index.writers.get(name, ())}
    found = [effect for name in (names | writing) for effect in file.index.effects.get(name, ())]
    order = file.index.first_lines
    once = {id(node): (unit, node) for unit, node in found}
    return sorted(once.values(), key=lambda e: (order.get(e[0], 0), e[1].lineno))


def _users(m: Machine, ref: ValueRef, names: set[str], reader: File) -> Users:
    """The other files that name the object or a function that writes to it."""
    key = ref.node, reader.path
    known = m.program.registering.get(key)
    if known is None:
        own = set[object]()
        with m.program.reads.into(own):
            found = list(_searched(m, ref, names, reader))
        known = m.program.registering[key] = Users(found, own)
    return known


def _searched(m: Machine, ref: ValueRef, names: set[str], reader: File) -> Iterator[tuple[File, list[str]]]:
    writing = {function for name in names for function in ref.file.index.writers.get(name, ())}
    for file in _imported(m, ref.file, reader):
        m.program.reads.note(Aspect(file.path, "imports"), Aspect(file.path, "effects"))
        key = ref.node, file.path
        local = m.program.local_names.get(key)
        if local is None:
            local = m.program.local_names[key] = _local_names(m, ref, writing, file)
        if local:
            yield file, local


def _local_names(m: Machine, ref: ValueRef, writing: set[str], file: File) -> list[str]:
    local: list[str] = []
    for name in file.index.effects:
        binding = file.index.bindings.get(name)
        if binding is not None and isinstance(binding.node, Import):
            meaning = m.program.lookup(file, name)
            writes = isinstance(meaning, FunctionRef) and meaning.node.name in writing and meaning.file is ref.file
            if writes or isinstance(meaning, ValueRef) and meaning.node is ref.node:
                local.append(name)
    return local


def _imported(m: Machine, home: File, reader: File) -> Iterator[File]:
    """The files of the same top-level package that the reader and the packages around the object import, nearest first."""
    top = home.module.partition(".")[0]
    parts = home.module.split(".")
    packages = [
        m.program.library.find(".".join(parts[:size]), home) for size in range(len(parts) - (not home.package), 0, -1)
    ]
    queue = deque([reader, *(one for one in packages if one is not None)])
    seen = {home.path}
    while queue and len(seen) <= _FILES:
        file = queue.popleft()
        if file.path in seen and file is not home:
            continue
        if file is not home:
            seen.add(file.path)
            yield file
        if file.package or file is reader:
            queue.extend(found for found in _imports(m, file, top) if found.path not in seen)


def _imports(m: Machine, file: File, top: str) -> list[File]:
    """The files of a top-level package that a file's imports lead to, in order."""
    known = m.program.imported.get((file.path, top))
    if known is None:
        bound = [b.node for b in file.index.bindings.values() if isinstance(b.node, Import)]
        dotted = dict.fromkeys(file.absolute(one) for one in (*bound, *file.index.star_imports))
        found = (_file(m, file, name) for name in dotted if name.partition(".")[0] == top)
        known = m.program.imported[file.path, top] = [*dict.fromkeys(one for one in found if one is not None)]
    return known


def _file(m: Machine, importer: File, dotted: str) -> File | None:
    meaning = m.program.follow(dotted, importer=importer)
    if isinstance(meaning, FileRef):
        return meaning.file
    return m.program.library.find(dotted.rpartition(".")[0], importer)


def _run_all(m: Machine, file: File, found: list[Effect]) -> None:
    for unit, node in found:
        try:
            with m.bounded(_STEPS):
                _run(m, Frame(file, unit), node)
        except (OutOfBounds, RecursionError):
            m.stack.clear()
            return


def _run(m: Machine, f: Frame, node: ast.stmt) -> None:
    from nnreuse.tracing import calls, statements
    from nnreuse.tracing.expressions import evaluate

    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        statements.execute(m, f, node)
        return
    made = _defined(m, f, node)
    for decorator in reversed(node.decorator_list if made is not None else []):
        call = ast.copy_location(ast.Call(decorator, [], []), decorator)
        calls.invoke(m, f, call, evaluate(m, f, decorator), (made,) if made is not None else (), {})


def _defined(m: Machine, f: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Value | None:
    if not isinstance(node, ast.ClassDef):
        return Function(f.file, f.unit, node, None)
    binding = f.file.index.bindings.get(node.name)
    if binding is None or isinstance(binding.node, Import):
        return None
    for name, units in f.file.index.classes():
        if units.node is node:
            return Class(m.program.class_of(f.file, units, name))
    return None
