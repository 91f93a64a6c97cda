"""Fields: what the generated constructor of a dataclass or named tuple sets."""

import ast
from collections.abc import Iterator

from nnreuse.syntax.units import Unit
from nnreuse.tracing import calls
from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.values import Function, Instance, Value
from nnreuse.types.meaning import External, ModuleClass


def assign_fields(
    m: Machine,
    made: Instance,
    positional: tuple[Value, ...],
    keywords: dict[str, Value],
    after: ModuleClass | None = None,
) -> None:
    """Sets the fields of an object from arguments and defaults, `after` a class of its MRO where `super()` asks."""
    assert made.cls is not None
    chain = made.cls.mro[made.cls.mro.index(after) + 1 :] if after in made.cls.mro else made.cls.mro
    fields = {name: (owner, unit, default) for cls in reversed(chain) for name, owner, unit, default in _fields(cls)}
    made.attrs.update({name: value for name, value in keywords.items() if name != "**"})
    for number, (name, (cls, unit, default)) in enumerate(fields.items()):
        if number < len(positional):
            made.attrs[name] = positional[number]
        elif name not in keywords:
            made.attrs[name] = _default(m, cls, unit, default) if default is not None else m.opaque()
    found = made.cls.find("__post_init__") if fields else None
    if found is not None and isinstance(found[2], calls.DEFINITIONS):
        calls.enter(m, Function(found[0].file, found[1], found[2], None, found[0], made), (), {}, None)


def _fields(cls: ModuleClass | External) -> Iterator[tuple[str, ModuleClass, Unit, ast.expr | None]]:
    """The annotated names in the body of a dataclass or named tuple, in order."""
    if not isinstance(cls, ModuleClass):
        return
    marks = [_last(d) for d in cls.units.node.decorator_list] + [_last(b) for b in cls.units.node.bases]
    if not {"dataclass", "NamedTuple"} & set(marks):
        return
    for unit, node in cls.units.statements():
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, cls, unit, node.value


def _last(node: ast.expr) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _default(m: Machine, cls: ModuleClass, unit: Unit, default: ast.expr) -> Value:
    from nnreuse.tracing.expressions import evaluate

    if isinstance(default, ast.Call) and _last(default) == "field":
        given = {keyword.arg: keyword.value for keyword in default.keywords}
        if "default" not in given:
            factory = given.get("default_factory")
            return m.items("list", []) if isinstance(factory, ast.Name) and factory.id == "list" else m.opaque()
        default = given["default"]
    return evaluate(m, Frame(cls.file, unit, owner=cls), default)
