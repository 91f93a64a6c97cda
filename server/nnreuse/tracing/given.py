"""Given: what a caller gives to the constructor of the class that is traced."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from nnreuse.syntax.units import Unit
from nnreuse.tracing.expressions import evaluate
from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.values import Instance, Value
from nnreuse.types.file import File
from nnreuse.types.meaning import ModuleClass

_STEPS = 600
_MODULE = "torch.nn.modules.module.Module"


@dataclass(frozen=True, slots=True)
class Argument:
    """The argument of a parameter: a constructor call in the code around the caller, or else some module, of a class if that is known."""

    parameter: str
    file: File
    unit: Unit
    made: ast.Call | None
    cls: ModuleClass | None = None


def given_values(m: Machine, arguments: Iterable[Argument]) -> dict[str, Value]:
    """The modules among the arguments, each made here; what else they are stays unknown."""
    found: dict[str, Value] = {}
    for one in arguments:
        value = _value(m, one)
        if isinstance(value, Instance) and value.is_module:
            found[one.parameter] = value
    m.creations.clear()
    m.placements.clear()
    m.repetitions.clear()
    return found


def _value(m: Machine, argument: Argument) -> Value:
    if argument.made is None:
        return _some_module(m, argument.cls)
    m.program.reads.note(argument.unit)
    with m.bounded(_STEPS):
        return m.settle(evaluate(m, Frame(argument.file, argument.unit), argument.made))
    return m.opaque()


def _some_module(m: Machine, cls: ModuleClass | None) -> Instance:
    ident = m.intern.fresh()
    if cls is None:
        return Instance(ident, None, None, None, None, (m.opaque(),), external=_MODULE, constructed=True)
    m.program.reads.note(cls)
    return Instance(ident, cls, m.program.facts(cls), None, cls.file, keywords={"**": m.opaque()})
