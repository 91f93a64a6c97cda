"""Planting: a constructor puts modules into a part of its object that cannot be read: `self.model.decoder.layers = …`."""

import ast

from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.values import Instance, Items, Mapping, Opaque, Value


def planted(m: Machine, f: Frame, target: ast.Attribute | ast.Subscript, owner: Value, value: Value) -> None:
    """Notes what is put there, by its access path: the part calls it, nobody sees how often."""
    if m.phase != "constructor" or f.this is not m.root or not isinstance(m.settle(owner), Opaque):
        return
    path = _path(target)
    if path is None or "." not in path or not _hand_over(m, value, 0):
        return
    m.planted.append((path, value))


def _path(node: ast.expr) -> str | None:
    """The access path of what begins with `self`, entries written `*`; None for anything else."""
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
        case ast.Attribute(value=owner, attr=name):
            above = _path(owner)
            return f"{above}.{name}" if above else None
        case ast.Subscript(value=owner):
            above = _path(owner)
            return f"{above}.*" if above else None
        case _:
            return None


def _hand_over(m: Machine, value: Value, depth: int) -> bool:
    """Whether there are modules in a value: all of them are handed on."""
    found = False
    for _, one in m.options(value):
        inside = one.elements if isinstance(one, Instance) else one
        if isinstance(one, Instance) and one.is_module:
            one.handed_on = found = True
        if depth > 2:
            continue
        for part in _parts(inside):
            found = _hand_over(m, part, depth + 1) or found
    return found


def _parts(container: Value | None) -> list[Value]:
    if isinstance(container, Items):
        return list(container.content.items)
    return list(container.entries.values()) if isinstance(container, Mapping) else []
