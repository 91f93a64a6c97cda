"""Arithmetic: functions of numbers and truths, carried out where all arguments are constants."""

import ast
import math
from collections.abc import Callable, Iterable
from typing import cast

from nnreuse.tracing import objects
from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.values import Const, Items, Value

Positional = tuple[Value, ...]
Keywords = dict[str, Value]
Model = Callable[[Machine, Frame, ast.Call, Positional, Keywords], Value]


def pure(m: Machine, name: str, positional: Positional) -> Value:
    """The result of something without side effects: equal arguments, equal result."""
    lineage = 0
    for value in positional:
        lineage |= m.lineage(value)
    return m.opaque("pure", name, *(m.ident(v) for v in positional), lineage=lineage)


def _folded(run: Callable[..., object]) -> Model:
    def model(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
        given = None if keywords else _constants(m, positional)
        try:
            result = run(*given) if given is not None else None
        except (TypeError, ValueError, ArithmeticError):
            return m.opaque()
        return Const(result) if isinstance(result, bool | int | float) else pure(m, run.__name__, positional)

    return model


def _constants(m: Machine, positional: Positional) -> list[object] | None:
    """The arguments as Python values, a closed list as one; None where something is unknown."""
    values = [m.settle(v) for v in positional]
    if len(values) == 1 and isinstance(values[0], Items):
        if values[0].content.open:
            return None
        inner = _constants(m, values[0].content.items)
        return None if inner is None else [inner]
    constants = [v.value for v in values if isinstance(v, Const)]
    return constants if len(constants) == len(values) else None


def total(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    """`sum`: of modules' outputs it joins lineages."""
    given = _constants(m, positional[:1]) if len(positional) == 1 and not keywords else None
    numbers = given[0] if given else None
    if isinstance(numbers, list) and all(isinstance(n, int | float) for n in cast("list[object]", numbers)):
        return Const(sum(cast("list[float]", numbers)))
    lineage = 0
    for value in positional:
        lineage |= m.lineage(value)
    return m.opaque(lineage=lineage)


def _quantified(run: Callable[[Iterable[object]], bool]) -> Model:
    """`any` and `all`: one element may settle them."""

    def model(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
        from nnreuse.tracing.decisions import truth_of

        content = objects.as_content(m, positional[0]) if positional else None
        if content is None or content.open:
            return pure(m, run.__name__, positional)
        truths = [truth_of(m.settle(v)) for v in content.items]
        settled = run is any
        if settled in truths:
            return Const(settled)
        return Const(not settled) if None not in truths else pure(m, run.__name__, positional)

    return model


MODELS: dict[str, Model] = {
    "builtins.any": _quantified(any),
    "builtins.all": _quantified(all),
    **{f"builtins.{run.__name__}": _folded(run) for run in (max, min, abs, round, bool, float)},
    **{f"math.{run.__name__}": _folded(run) for run in (math.ceil, math.floor, math.sqrt, math.log, math.log2)},
}
