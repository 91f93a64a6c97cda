"""Registry: the rules are the files of this package that define `check`; their names are the file names in kebab case."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from types import ModuleType
from typing import cast

import nnreuse.rules
from nnreuse.rules.context import Context
from nnreuse.rules.finding import Finding

Check = Callable[[Context], Iterator[Finding]]


@cache
def _modules() -> dict[str, ModuleType]:
    found: dict[str, ModuleType] = {}
    for info in pkgutil.iter_modules(nnreuse.rules.__path__):
        module = importlib.import_module(f"nnreuse.rules.{info.name}")
        if hasattr(module, "check"):
            found[info.name.replace("_", "-")] = module
    return found


def names() -> list[str]:
    """The names of all rules, in alphabetical order."""
    return sorted(_modules())


def check_of(name: str) -> Check:
    """A rule's check. Raises KeyError."""
    return cast(Check, _modules()[name].check)


def documentation(name: str) -> str:
    """A rule's docstring. Raises KeyError."""
    return _modules()[name].__doc__ or ""
