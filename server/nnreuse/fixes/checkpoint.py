"""Checkpoints: the pre-hook with which a model whose shared module was split loads what was saved before.

Measured with torch 2.13: a module-level function registered with `register_load_state_dict_pre_hook` loads old checkpoints
strictly, nested, after deepcopy and pickling; with `assign=True` every copy but the first must be a clone, or they alias again.
"""

import ast
import re
from collections.abc import Iterator, Sequence

from nnreuse.fixes.places import called_name
from nnreuse.fixes.uses import ancestors, uses
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import ClassUnits, leaves

_REGISTER = "register_load_state_dict_pre_hook"
_OWN = frozenset(
    f"_load_from_state_dict load_state_dict state_dict _save_to_state_dict _version {_REGISTER} _{_REGISTER} "
    "register_state_dict_pre_hook _register_state_dict_hook register_state_dict_post_hook".split()
)
_PREFIX = "_load_shared_"
# The extra state of a module may be anything; tensors alone are cloned.
_CLONED = 'value.clone() if hasattr(value, "clone") else value'
_WHERE = (
    "",
    "    `load_state_dict` runs this; transformers' `from_pretrained`, distributed checkpoints and TorchScript do not:",
    "    convert files for them with `nnreuse migrate`.",
    '    """',
)


def loads_its_own_way(index: FileIndex, owner: ClassUnits, attribute: str) -> bool:
    """Whether a class or an ancestor in its file already takes part in loading; an earlier split's hook for others does not count."""
    return any(
        not _is_ours(index, node, attribute)
        for cls in [owner, *ancestors(index, owner)]
        for _, statement in cls.statements()
        if not _passes_on(statement, attribute)
        for node in _taking_part(statement)
    )


def _passes_on(statement: ast.stmt, attribute: str) -> bool:
    """`_version = 2`, and a `_load_from_state_dict` that ends in torch's own, which runs the hook after all that was done before."""
    match statement:
        case ast.Assign(targets=[ast.Name(id="_version")]):
            return True
        case ast.FunctionDef(name="_load_from_state_dict", body=[*_, ast.Expr(value=ast.Call(func=called))]):
            inner = list(walk(statement))
            texts = [n.value for n in inner if isinstance(n, ast.Constant) and isinstance(n.value, str)]
            leaves_early = any(isinstance(n, ast.Return) for n in inner)
            ends = ast.unparse(called) == "super()._load_from_state_dict"
            return ends and not leaves_early and not any(attribute in text for text in texts)
        case _:
            return False


def _taking_part(statement: ast.stmt) -> Iterator[ast.AST]:
    calls = [node for node in walk(statement) if isinstance(node, ast.Call)]
    # `self.encoder.load_state_dict(…)` loads another module; what matters is what the class does to itself.
    functions = {id(call.func) for call in calls if called_name(call) in ("load_state_dict", "state_dict")}
    for node in walk(statement):
        name = getattr(node, "attr", None) or getattr(node, "name", None) or getattr(node, "id", None)
        if name in _OWN and id(node) not in functions:
            yield next((call for call in calls if call.func is node), node)


def _is_ours(index: FileIndex, node: ast.AST, attribute: str) -> bool:
    """A registration that an earlier split wrote, unless it is about the attribute, when the order of the two would matter."""
    if not isinstance(node, ast.Call) or len(node.args) != 1 or not isinstance(node.args[0], ast.Name):
        return False
    name = node.args[0].id
    binding = index.bindings.get(name)
    if not name.startswith(_PREFIX) or binding is None:
        return False
    return not re.search(rf"""["}}]{re.escape(attribute)}[".]""", binding.unit.text)


def hook_name(index: FileIndex, owner: ClassUnits, attribute: str) -> str:
    """A module-level name that is free, and stays so when other classes of the file are split at the same time."""
    name = _PREFIX + attribute
    if any(cls is not owner for _, cls in index.classes() if any(True for _ in uses(cls, attribute))):
        qualified = next((name for name, cls in index.classes() if cls is owner), owner.node.name)
        name += "_of_" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\.", "_", qualified).lower()
    while re.search(rf"\b{re.escape(name)}\b", index.source.text):
        name += "_"
    return name


def registration(name: str) -> str:
    return f"self.{_REGISTER}({name})"


def hook(index: FileIndex, owner: ClassUnits, attribute: str, names: Sequence[str], ending: str) -> Edit:
    """The function, inserted above the class and the comment that belongs to it. Where the old name goes, its entries are moved."""
    source = _source(hook_name(index, owner, attribute), attribute, list(dict.fromkeys(names)))
    return _inserted(index, owner, source, ending)


def _inserted(index: FileIndex, owner: ClassUnits, source: list[str], ending: str) -> Edit:
    at, above = _above(index, owner)
    step = "\t" if any(line.startswith("\t") for line in owner.header.lines + _body(owner)) else "    "
    lines = ["", ""] if above.strip() else []
    lines += [line.replace("    ", step) if line.startswith("    ") else line for line in source]
    return Edit(Span(at, at), ending.join([*lines, "", "", ""]))


def hook_for_each(index: FileIndex, owner: ClassUnits, attribute: str, plural: str, ending: str) -> Edit:
    """The function for a module that has become a list: each of the list gets what the one had."""
    source = [
        f"def {hook_name(index, owner, attribute)}(module, state_dict, prefix, *_):",
        f'    """Load checkpoints saved when all of `{plural}` were one module, `{attribute}`.',
        *_WHERE,
        f'    shared = prefix + "{attribute}."',
        "    for key in [key for key in state_dict if key.startswith(shared)]:",
        "        value = state_dict.pop(key)",
        f"        for number in range(len(module.{plural})):",
        f'            entry = f"{{prefix}}{plural}.{{number}}.{{key[len(shared) :]}}"',
        f"            state_dict.setdefault(entry, {_CLONED})",
    ]
    return _inserted(index, owner, source, ending)


def _body(owner: ClassUnits) -> list[str]:
    return [line for part in owner.members for unit in leaves([part]) for line in unit.lines]


def _source(name: str, old: str, new: list[str]) -> list[str]:
    moved = old not in new
    first = new[0] if moved else old
    copies = [n for n in new if n != first]
    return [
        f"def {name}(module, state_dict, prefix, *_):",
        f'    """Load checkpoints saved when {_listed([first, *copies])} were one module, `{old}`.',
        *_WHERE,
        f'    shared = prefix + "{old}."',
        "    for key in [key for key in state_dict if key.startswith(shared)]:",
        f"        value = state_dict{'.pop(key)' if moved else '[key]'}",
        "        entry = key[len(shared) :]",
        *([f'        state_dict.setdefault(prefix + "{first}." + entry, value)'] if moved else []),
        *(line for copy in copies for line in _copy(copy)),
    ]


def _copy(name: str) -> list[str]:
    return [f'        state_dict.setdefault(prefix + "{name}." + entry, {_CLONED})']


def _listed(names: list[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return ", ".join(quoted[:-1]) + " and " + quoted[-1]


def _above(index: FileIndex, owner: ClassUnits) -> tuple[int, str]:
    """The offset above the top-level statement around a class and its comment, and the line before it."""
    top = next(part for part in index.parts if owner.header in leaves([part]))
    row = index.first_lines[leaves([top])[0]]
    lines = index.source.lines
    while (
        row > 0 and lines[row - 1].startswith("#") and not (row <= 2 and re.match(r"#!|#.*coding[:=]", lines[row - 1]))
    ):
        row -= 1
    return index.source.starts[row], lines[row - 1] if row else ""
