"""Freezing: parameters that no optimizer changes, `requires_grad=False`. Sharing them shares nothing that learns."""

from nnreuse.tracing import construction
from nnreuse.tracing.machine import Machine
from nnreuse.tracing.values import Const, Instance, Opaque, Value

_DEEP = 8


def set_grad(m: Machine, owner: Value, learns: Value) -> None:
    """`owner.requires_grad = learns`, `owner.requires_grad_(learns)`: of a module, of its `parameters()`, or of one parameter.

    What only some configurations freeze may learn.
    """
    if learns != Const(False):
        return
    if isinstance(owner, Opaque):
        whose = m.intern.parameters_of.get(owner.ident)
        if whose is None and owner.ident in m.intern.parameters and not m.path.literals:
            m.intern.frozen.add(owner.ident)
        owner = whose or owner
    if isinstance(owner, Instance) and m.path.literals <= owner.given:
        _freeze(m, owner, 0)


def _freeze(m: Machine, made: Instance, depth: int) -> None:
    construction.construct(m, made)
    made.frozen = True
    m.intern.frozen.update(construction.parameters_of(m, made))
    for part in construction.below(m, made) if depth < _DEEP else ():
        _freeze(m, part, depth + 1)


def learns(m: Machine, made: Instance) -> bool:
    """Whether an instance may own parameters that learn. What cannot be seen in full may."""
    return not made.frozen and construction.answer(m, made).learns
