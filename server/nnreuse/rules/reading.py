"""Reading: whether code of a class may read one of its attributes, the methods that it calls included."""

import ast

from nnreuse.fixes.places import Function, is_self
from nnreuse.syntax.once import once
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Unit
from nnreuse.types.meaning import ModuleClass
from nnreuse.types.refinement import is_assigned

_SETTING = frozenset("add_module register_module register_buffer register_parameter".split())
_BY_OTHER_MEANS = frozenset("__dict__ _modules vars getattr locals".split())


def may_read(cls: ModuleClass, node: ast.AST, name: str) -> bool:
    """Whether an expression may read `self.name`: itself, by a method that it calls, or by what it hands `self` to."""
    return _may_read(cls, node, name, set())


def _may_read(cls: ModuleClass, node: ast.AST, name: str, seen: set[str]) -> bool:
    match node:
        case ast.Attribute(value=owner, attr=attribute, ctx=ast.Load()) if is_self(owner):
            return attribute == name or attribute in _BY_OTHER_MEANS or _member_may_read(cls, attribute, name, seen)
        case ast.Call(func=ast.Attribute(value=owner, attr=method)) if is_self(owner):
            return _method_may_read(cls, method, name, seen)
        case ast.Call(args=args, keywords=keywords):
            return any(map(is_self, [*args, *(keyword.value for keyword in keywords)]))
        case _:
            return False


def _method_may_read(cls: ModuleClass, method: str, name: str, seen: set[str]) -> bool:
    """Whether a method may read the attribute. One of torch's may look at all of them, unless it only adds one."""
    if method in _SETTING:
        return False
    return _member_may_read(cls, method, name, seen) if cls.find(method) is not None else not is_assigned(cls, method)


def _member_may_read(cls: ModuleClass, member: str, name: str, seen: set[str]) -> bool:
    """Whether a method or a property of the class may read the attribute when it runs."""
    found = cls.find(member)
    if member in seen or found is None or not isinstance(found[2], Function):
        return False
    seen.add(member)
    return any(_may_read(cls, node, name, seen) for node in _nodes(found[1], found[2]))


@once
def _nodes(unit: Unit, function: ast.stmt) -> list[ast.AST]:
    return list(walk(function))
