"""Imports a module that is listed in `sys.modules` only when it is whole.

attrs gives the methods of a class a copy of all names of the listed module that the class is made in, so that the strings in the
annotations of `__init__` can be looked up there. For lsprotocol's 554 classes these copies take 10 MB and a tenth of the import,
and nobody looks: cattrs reads the fields, whose types lsprotocol itself resolves by a table of its own.
"""

import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec, module_from_spec


def import_unlisted(name: str) -> None:
    """Imports a submodule. One that cannot be imported without being listed is left to the usual import."""
    parent, _, child = name.rpartition(".")
    spec = find_spec(name)
    if name in sys.modules or spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    with suppress(Exception):
        spec.loader.exec_module(module)
        if sys.modules.setdefault(name, module) is module:
            setattr(import_module(parent), child, module)
