"""Checkpoints: the pre-hook with which a model whose shared module was split loads what was saved before.

Measured with torch 2.13: a module-level function registered with `register_load_state_dict_pre_hook` loads old checkpoints
strictly, nested, after deepcopy and pickling; with `assign=True` each copy after the first must be a clone.
"""

import ast
from collections.abc import Sequence

from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.units import ClassUnits

_OWN = ("_load_from_state_dict", "_version", "register_load_state_dict_pre_hook", "_register_load_state_dict_pre_hook")


def loads_its_own_way(owner: ClassUnits) -> bool:
    """Whether a class already takes part in loading, so that a hook of ours might run against it."""
    for _, statement in owner.statements():
        for node in ast.walk(statement):
            name = getattr(node, "attr", None) or getattr(node, "name", None) or getattr(node, "id", None)
            if name in _OWN:
                return True
    return False


def hook_name(index: FileIndex, attribute: str) -> str:
    """A module-level name that is free."""
    name = f"_load_shared_{attribute}"
    while name in index.bindings:
        name += "_"
    return name


def hook_source(name: str, old: str, new: Sequence[str], ending: str) -> str:
    """The function, two blank lines after it. Where the old name goes, its entries are moved; else they are copied."""
    copies = [n for n in dict.fromkeys(new) if n != old]
    take = "state_dict[key]" if old in new else "state_dict.pop(key)"
    listed = ", ".join(f'"{n}"' for n in copies) + ("," if len(copies) == 1 else "")
    lines = [
        f"def {name}(module, state_dict, prefix, *_):",
        f'    """Loads checkpoints saved when `{old}` was one shared module: each module split from it starts with its values."""',
        f'    shared = prefix + "{old}."',
        "    for key in [key for key in state_dict if key.startswith(shared)]:",
        f"        value = {take}",
        f"        for name in ({listed}):",
        '            state_dict.setdefault(f"{prefix}{name}.{key[len(shared):]}", value.clone())',
        "",
        "",
        "",
    ]
    return ending.join(lines)
