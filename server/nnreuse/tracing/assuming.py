"""Assuming: what a parameter is taken to be that nobody gives, where how a class is used is counted."""

import ast
from collections.abc import Iterator

from nnreuse.syntax.units import Unit
from nnreuse.tracing import objects
from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.values import Function, Instance, Mapping, Value
from nnreuse.types.file import File
from nnreuse.types.meaning import ModuleClass
from nnreuse.types.refinement import one_class


def assumed(m: Machine, callee: Function, parameter: ast.arg) -> Instance | None:
    """An object of the plain class that a parameter is annotated with, built with its defaults: a configuration, say.

    A parameter without annotation is taken for the attribute of its name that its class, or a base, declares.
    """
    for file, unit, annotation in _annotations(callee, parameter):
        meaning = _plain_class(m, file, annotation)
        if meaning is not None:
            if meaning not in m.intern.assumed:
                m.intern.assumed[meaning] = _built(m, file, unit, annotation, meaning)
            return m.intern.assumed[meaning]
    return None


def called(m: Machine, callee: Function, parameter: ast.arg) -> Instance | None:
    """An object of the plain class that a parameter is annotated with, where objects of that class can be called.

    What is called matters for whom it calls in turn; of other objects nothing is assumed, as their values decide.
    """
    annotation = parameter.annotation
    meaning = _plain_class(m, callee.file, annotation) if annotation is not None else None
    if annotation is None or meaning is None:
        return None
    m.program.reads.note(meaning)
    if meaning.find("__call__") is None:
        return None
    return _built(m, callee.file, callee.unit, annotation, meaning)


def _plain_class(m: Machine, file: File, annotation: ast.expr) -> ModuleClass | None:
    node = one_class(annotation)
    meaning = m.program.dotted(file, node) if node is not None else None
    return meaning if isinstance(meaning, ModuleClass) and not m.program.is_module_class(meaning) else None


def _built(m: Machine, file: File, unit: Unit, annotation: ast.expr, cls: ModuleClass) -> Instance:
    rest: dict[str, Value] = {"**": Mapping(m.intern.fresh(), {}, True)}
    return objects.allocate(m, Frame(file, unit), annotation, cls, None, (), rest)


def _annotations(callee: Function, parameter: ast.arg) -> Iterator[tuple[File, Unit, ast.expr]]:
    if parameter.annotation is not None:
        yield callee.file, callee.unit, parameter.annotation
        return
    for owner in callee.owner.mro if callee.owner is not None else ():
        if isinstance(owner, ModuleClass):
            yield from ((owner.file, *found) for found in _declared(owner, parameter.arg))


def _declared(owner: ModuleClass, name: str) -> Iterator[tuple[Unit, ast.expr]]:
    for unit, node in owner.units.statements():
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            yield unit, node.annotation
