"""Making: what the rules about construction have in common: what an instance carries, is called, and where it was written."""

import ast

from nnreuse.fixes.places import Function, chain
from nnreuse.rules.finding import Evidence
from nnreuse.rules.reuse import comments_at, under_sharing_flag
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Trace
from nnreuse.tracing.values import Instance

_DISPLAYS = ast.Tuple | ast.List | ast.Set | ast.Dict


def carries_something(trace: Trace, instance: Instance) -> bool:
    """Whether an instance certainly owns parameters or state, so that it matters who else has it."""
    carried = trace.carries(instance)
    return bool(carried.parameters or carried.running_stats or carried.other_state)


def kind_of(instance: Instance) -> str:
    """The class name of an instance, as a message says it."""
    return (instance.type_name or "module").rsplit(".", 1)[-1]


def name_of(trace: Trace, instance: Instance) -> str | None:
    """The first access path of an instance."""
    paths = trace.paths_of(instance)
    return paths[0].replace("(unregistered)", "") if paths else None


def in_function(place: Place) -> bool:
    """Whether a place stands in the body of a function, or in its arguments."""
    return any(isinstance(node, Function | ast.Lambda) for node in chain(place))


def said_to_be_shared(*places: Place) -> list[Evidence]:
    """The evidence of comments that say that sharing is meant."""
    return [
        Evidence("said", -6, "a comment says that sharing is meant", place)
        for place in places
        if under_sharing_flag(comments_at(place))
    ][:1]
