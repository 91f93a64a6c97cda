"""Once: what is derived from an object that does not change is kept by that object, and ends with it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar


class Keeping(Protocol):
    """An object with room for what is derived from it, by function and arguments."""

    @property
    def kept(self) -> dict[tuple[object, ...], Any]: ...


_Of = TypeVar("_Of", bound=Keeping)
_Given = ParamSpec("_Given")
_Derived = TypeVar("_Derived")


def once(derive: Callable[Concatenate[_Of, _Given], _Derived]) -> Callable[Concatenate[_Of, _Given], _Derived]:
    """A function that is computed once for each object and equal further arguments; to be called without keywords."""

    @wraps(derive)
    def kept(of: _Of, /, *given: _Given.args, **named: _Given.kwargs) -> _Derived:
        key = (derive, given)
        known = of.kept
        if key not in known:
            assert not named
            known[key] = derive(of, *given, **named)
        return known[key]

    return kept
