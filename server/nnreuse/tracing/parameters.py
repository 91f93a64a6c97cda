"""Parameters: how many learnable numbers an instance has, where constants say so."""

from nnreuse.tracing.values import Const, Instance, Items, Mapping, Value
from nnreuse.types.catalog import UNKNOWN
from nnreuse.types.parameter_counts import parameter_count


def count_of(made: Instance) -> int | None:
    """The number for one of torch's layers, or a container of such; None where an argument is no constant, or a class is not torch's.

    A layer that stands in a container twice counts once, as in `parameters()`.
    """
    if made.cls is not None or made.facts is None or made.adds_state:
        return None
    if made.facts.container is not None:
        return _inside(made.elements)
    defaults = {parameter.name: parameter.default for parameter in made.facts.parameters_in_order}
    given = made.facts.bind([_plain(v) for v in made.positional], {k: _plain(v) for k, v in made.keywords.items()})
    return parameter_count(made.facts.name, defaults | given)


def _inside(elements: Items | Mapping | None) -> int | None:
    values: list[Value] = []
    match elements:
        case Items() if not elements.content.open:
            values = list(elements.content.items)
        case Mapping() if not elements.open:
            values = list(elements.entries.values())
        case _:
            return None
    total = 0
    for one in {id(value): value for value in values}.values():
        count = count_of(one) if isinstance(one, Instance) and one.is_module else None
        if count is None and not (isinstance(one, Instance) and _has_none(one)):
            return None
        total += count or 0
    return total


def _has_none(made: Instance) -> bool:
    return made.cls is None and made.facts is not None and made.facts.by_default.parameters is False


def _plain(value: Value) -> object:
    match value:
        case Const(constant):
            return constant
        case Items(kind="tuple" | "list") if not value.content.open:
            return tuple(map(_plain, value.content.items))
        case _:
            return UNKNOWN
