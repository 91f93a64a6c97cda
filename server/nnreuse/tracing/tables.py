"""Tables: a module-level dict that is too long to be read as a whole, one entry at a time."""

import ast

from nnreuse.tracing.machine import HELPER_STEPS, Frame, Machine
from nnreuse.tracing.values import Const, Opaque, Value
from nnreuse.types.meaning import ValueRef
from nnreuse.types.reads import Aspect


def is_written(node: ast.expr) -> bool:
    """Whether an expression is a dict whose keys stand in the text: a display, or a call of `dict`."""
    if isinstance(node, ast.Dict):
        return all(isinstance(key, ast.Constant) for key in node.keys)
    return _called(node) is not None


def _called(node: ast.expr) -> ast.Call | None:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict" and not node.args:
        return node if all(keyword.arg is not None for keyword in node.keywords) else None
    return None


def _entry(table: ast.expr, key: object) -> ast.expr | None:
    if isinstance(table, ast.Dict):
        pairs = zip(table.keys, table.values, strict=True)
        return next((v for k, v in reversed([*pairs]) if isinstance(k, ast.Constant) and k.value == key), None)
    call = _called(table)
    return next((k.value for k in call.keywords if k.arg == key), None) if call is not None else None


def entry(m: Machine, table: Value, key: Value) -> Value | None:
    """What stands in such a table under a key, or None where that is not known."""
    from nnreuse.tracing.expressions import evaluate

    found = _found(m, table, key)
    if found is None:
        return None
    ref, node = found
    if id(node) in m.globals:
        m.note_again(id(node))
    else:
        m.globals[id(node)] = m.opaque("module-level", ref.file.path, id(node))
        with m.once(HELPER_STEPS, id(node)):
            m.globals[id(node)] = evaluate(m, Frame(ref.file, ref.unit), node)
    return m.globals[id(node)]


def holds(m: Machine, table: Value, key: Value) -> bool | None:
    """Whether such a table has a key: not, where it is not written in it and no statement of its file adds to the table."""
    if _found(m, table, key) is not None:
        return True
    ref = m.intern.tables.get(table.ident) if isinstance(table, Opaque) and isinstance(key, Const) else None
    if ref is None:
        return None
    index = ref.file.index
    m.program.reads.note(Aspect(ref.file.path, "effects"))
    names = [name for name, binding in index.bindings.items() if binding.node is ref.node]
    return None if any(index.effects.get(name) or index.writers.get(name) for name in names) else False


def _found(m: Machine, table: Value, key: Value) -> tuple[ValueRef, ast.expr] | None:
    if not isinstance(table, Opaque) or not isinstance(key, Const):
        return None
    ref = m.intern.tables.get(table.ident)
    node = _entry(ref.node, key.value) if ref is not None else None
    return (ref, node) if ref is not None and node is not None else None
