"""Helpers: the plain functions of a class's own file that make modules, so that a forward which calls them makes some in each call."""

import ast

from nnreuse.syntax.once import once
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Unit
from nnreuse.tracing.machine import Machine
from nnreuse.tracing.values import Function
from nnreuse.types.meaning import External, ModuleClass


def makes_modules(m: Machine, callee: Function) -> bool:
    """Whether a function of the file of the class that is traced has a constructor call of a module class in its body.

    Functions behind a decorator may keep what they return: they are left alone.
    """
    node = callee.node
    if callee.owner is not None or callee.receiver is not None or isinstance(node, ast.Lambda) or node in m.stack:
        return False
    if m.root is None or m.root.cls is None or callee.file is not m.root.cls.file or node.decorator_list:
        return False
    candidates = _named_like_classes(callee.unit, node)
    if not candidates:
        return False
    m.program.reads.note(callee.unit)
    return any(_is_module_class(m, callee, one) for one in candidates)


def _is_module_class(m: Machine, callee: Function, name: ast.expr) -> bool:
    meaning = m.program.dotted(callee.file, name)
    if isinstance(meaning, ModuleClass):
        return m.program.is_module_class(meaning)
    return isinstance(meaning, External) and m.program.facts(meaning) is not None


@once
def _named_like_classes(unit: Unit, function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """What a function calls by a name that begins like a class's."""
    called = (node.func for node in walk(function) if isinstance(node, ast.Call))
    named = {ast.unparse(one): one for one in called if isinstance(one, ast.Name | ast.Attribute)}
    return [one for name, one in named.items() if name.rpartition(".")[2].lstrip("_")[:1].isupper()]
