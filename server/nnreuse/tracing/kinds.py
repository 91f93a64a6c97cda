"""Kinds: what `isinstance` and `callable` say of a value."""

import ast

from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.values import (
    Class,
    Const,
    Function,
    Instance,
    Items,
    Mapping,
    May,
    Method,
    Name,
    Opaque,
    Package,
    Partial,
    Value,
)
from nnreuse.types.meaning import External, ModuleClass
from nnreuse.types.program import MODULE

_CONSTANTS: dict[str, type] = {
    "builtins.str": str,
    "builtins.int": int,
    "builtins.float": float,
    "builtins.bool": bool,
    "numbers.Number": int | float,  # type: ignore[dict-item]
}
_ABSTRACT = frozenset(
    f"{module}.{name}"
    for module in ("typing", "collections.abc")
    for name in ("Callable", "Iterable", "Sequence", "Collection", "Mapping")
)
_HASHABLE = frozenset(["typing.Hashable", "collections.abc.Hashable"])
_LISTS = {"builtins.list": "list", "builtins.tuple": "tuple", "builtins.set": "set"}
_DICTIONARIES = frozenset(["builtins.dict", "collections.OrderedDict"])
"""What `isinstance` says of a dictionary, whether `dict` or a class of one's own that inherits from one of these."""
_BARE = ("typing.", "abc.")
"""Bases that make nobody a list, a dictionary or a string."""


def is_instance(
    m: Machine, f: Frame, node: ast.Call, positional: tuple[Value, ...], keywords: dict[str, Value]
) -> Value:
    """`isinstance(value, kind)`: known for constants, containers, classes, functions and instances of known class."""
    if len(positional) != 2:
        return m.opaque()
    value = m.settle(positional[0])
    known = _is_instance(m, value, m.settle(positional[1]))
    return Const(known) if known is not None else m.opaque("isinstance", *(m.ident(v) for v in positional))


def is_callable(
    m: Machine, f: Frame, node: ast.Call, positional: tuple[Value, ...], keywords: dict[str, Value]
) -> Value:
    """`callable(value)`."""
    value = m.settle(positional[0]) if positional else m.opaque()
    known = _callable(value)
    return Const(known) if known is not None else m.opaque("callable", m.ident(value))


def _callable(value: Value) -> bool | None:
    match value:
        case Class() | Function() | Partial() | Method():
            return True
        case Name(external):
            return True if external.dotted.startswith(("torch.nn.", "builtins.")) else None
        case Instance():
            return True if value.is_module else None
        case Const() | Items() | Mapping() | Package():
            return False
        case _:
            return None


def _is_instance(m: Machine, value: Value, kind: Value) -> bool | None:
    if isinstance(kind, Items) and kind.kind in ("tuple", "star"):
        several = {_is_instance(m, value, m.settle(k)) for k in kind.content.items}
        return True if True in several else None if None in several else False
    if isinstance(value, Instance):
        return False if _is_plain(value) and _is_abstract(kind) else _of_class(m, value, kind)
    if not isinstance(kind, Name | Class):
        return None
    dotted = kind.external.dotted if isinstance(kind, Name) else ""
    if dotted in _HASHABLE:
        return _hashable(value)
    if dotted in _ABSTRACT and not isinstance(value, Instance):
        return _callable(value) if dotted.endswith("Callable") else _iterable(value, dotted.rsplit(".", 1)[-1])
    match value:
        case Const(constant):
            return isinstance(constant, _CONSTANTS[dotted]) if dotted in _CONSTANTS else False
        case Opaque(kind=str(annotated)):
            return dotted == f"builtins.{annotated}" if dotted in _CONSTANTS or dotted in _LISTS else None
        case Items():
            return _LISTS.get(dotted) == value.kind if value.kind in _LISTS.values() else None
        case Mapping():
            return dotted in _DICTIONARIES
        case Class() | Function() | Partial() | Name():
            return _of_callable(m, value, dotted)
        case _:
            return None


def _is_plain(value: Instance) -> bool:
    """Whether an object's class, and all its bases, are classes of readable files that define no way to go through it."""
    if value.cls is None or value.is_module:
        return False
    known = all(isinstance(cls, ModuleClass) or cls.dotted == "builtins.object" for cls in value.cls.mro)
    return known and not any(value.cls.find(name) for name in ("__iter__", "__getitem__", "__len__", "__call__"))


def _is_abstract(kind: Value) -> bool:
    return isinstance(kind, Name) and kind.external.dotted in _ABSTRACT


def _hashable(value: Value) -> bool | None:
    match value:
        case Mapping():
            return False
        case Items():
            return value.kind == "tuple"
        case Opaque() | May():
            return None
        case _:
            return True


def _iterable(value: Value, name: str) -> bool | None:
    match value:
        case Items():
            return name != "Mapping"
        case Mapping():
            return name != "Sequence"
        case Const(constant):
            return isinstance(constant, str) and name != "Mapping"
        case Class() | Function() | Partial() | Name() | Method():
            return False
        case _:
            return None


def _of_callable(m: Machine, value: Class | Function | Partial | Name, dotted: str) -> bool | None:
    if dotted in _CONSTANTS or dotted in _LISTS or dotted in ("builtins.dict", MODULE, "torch.nn.Module"):
        return False
    if isinstance(value, Name):
        if m.program.catalog.find(value.external.dotted) is None:
            return None
        return dotted == "builtins.type"
    if dotted == "builtins.type":
        return isinstance(value, Class)
    if dotted == "functools.partial":
        return isinstance(value, Partial)
    if dotted in ("types.FunctionType", "types.LambdaType"):
        return isinstance(value, Function)
    return None


def _of_builtin(dotted: str) -> bool:
    return dotted in _CONSTANTS or dotted in _LISTS or dotted in ("builtins.dict", "builtins.type")


def _inherits(cls: ModuleClass, builtin: str) -> bool | None:
    """Whether a class that is no module inherits from a builtin one; None where a base cannot be read."""
    bases = {base.dotted for base in cls.mro if isinstance(base, External) and not base.dotted.startswith(_BARE)}
    bases = {base if "." in base else f"builtins.{base}" for base in bases}
    if builtin in bases or builtin == "builtins.dict" and bases & _DICTIONARIES:
        return True
    readable = all(base.startswith("builtins.") or base in _DICTIONARIES for base in bases)
    return False if readable else None


def _of_class(m: Machine, value: Instance, kind: Value) -> bool | None:
    if value.type_name is None or not value.complete:
        return None
    if isinstance(kind, Name) and _of_builtin(kind.external.dotted):
        return False if value.cls is None or value.is_module else _inherits(value.cls, kind.external.dotted)
    if isinstance(kind, Class) and value.cls is not None:
        return kind.cls in value.cls.mro
    facts = m.program.catalog.find(kind.external.dotted) if isinstance(kind, Name) else None
    if facts is None or value.facts is None:
        return None
    return facts.name == value.facts.name or facts.name in value.facts.bases
