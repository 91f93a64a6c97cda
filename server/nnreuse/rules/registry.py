"""Registry: the rules are the files of this package that define `check`, which judges one class, or `check_file`.

Their names are the file names in kebab case. `ABOUT_SHARING = False` says that a note `shared` has nothing to do with a rule,
`PROFILES = frozenset({"quantization"})` that it is off unless the settings name one of these.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from types import ModuleType
from typing import cast

import nnreuse.rules
from nnreuse.config.settings import Profile, Settings
from nnreuse.rules.context import Context, FileContext
from nnreuse.rules.finding import Finding

Check = Callable[[Context], Iterator[Finding]]
CheckFile = Callable[[FileContext], Iterator[Finding]]


@cache
def _modules() -> dict[str, ModuleType]:
    found: dict[str, ModuleType] = {}
    for info in pkgutil.iter_modules(nnreuse.rules.__path__):
        module = importlib.import_module(f"nnreuse.rules.{info.name}")
        if hasattr(module, "check") or hasattr(module, "check_file"):
            found[info.name.replace("_", "-")] = module
    return found


def names() -> list[str]:
    """The names of all rules, in alphabetical order."""
    return sorted(_modules())


def judges_classes(name: str) -> bool:
    """Whether a rule judges classes, not files. Raises KeyError."""
    return hasattr(_modules()[name], "check")


@lru_cache(maxsize=16)
def checks(settings: Settings) -> tuple[list[Check], list[CheckFile]]:
    """How the rules that are to run judge a class, and how they judge a file after all others, in the order of their names."""
    run = [_modules()[name] for name in names() if enabled(name, settings)]
    of_classes, of_files = ([getattr(one, how, None) for one in run] for how in ("check", "check_file"))
    return [one for one in of_classes if one is not None], [one for one in of_files if one is not None]


def is_about_sharing(name: str) -> bool:
    """Whether a note `shared` answers a rule's findings. Raises KeyError."""
    return bool(getattr(_modules()[name], "ABOUT_SHARING", True))


def enabled(name: str, settings: Settings) -> bool:
    """Whether a rule is to run: those with `PROFILES` unasked in these only. Raises KeyError."""
    profiles = cast("frozenset[Profile]", getattr(_modules()[name], "PROFILES", frozenset[Profile]()))
    return settings.enabled(name, by_default=not profiles or not profiles.isdisjoint(settings.profiles))


def documentation(name: str) -> str:
    """A rule's docstring. Raises KeyError."""
    return _modules()[name].__doc__ or ""
