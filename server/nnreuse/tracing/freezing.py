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
    made.frozen = made.cls is None
    m.intern.frozen.update(_parameters(m, made))
    for part in construction.below(m, made) if depth < _DEEP else ():
        _freeze(m, part, depth + 1)


def _parameters(m: Machine, made: Instance) -> list[int]:
    values = [one for one in made.attrs.values() if isinstance(one, Opaque)]
    return [one.ident for one in values if one.ident in m.intern.parameters]


def learns(m: Machine, made: Instance, depth: int = 0) -> bool:
    """Whether an instance may own parameters that learn. What cannot be seen in full may."""
    if not made.is_module or depth > _DEEP:
        return made.is_module
    construction.construct(m, made)
    if not made.complete or _own_learn(m, made):
        return True
    return any(learns(m, part, depth + 1) for part in construction.below(m, made))


def _own_learn(m: Machine, made: Instance) -> bool:
    if construction.own(m, made).parameters is False or made.frozen:
        return False
    facts = m.program.facts(made.cls) if made.cls is not None else made.facts
    own = _parameters(m, made)
    inherits = facts is not None and not facts.container and not facts.name.endswith(".Module")
    return inherits or not own or any(ident not in m.intern.frozen for ident in own)
