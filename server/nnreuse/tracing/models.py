"""Models of what the tracer does not enter: torch's classes and wrappers, Python's builtins, methods of containers."""

import ast
import re
from collections.abc import Callable

from nnreuse.tracing import calls, objects
from nnreuse.tracing.iteration import Iteration, counted, iterate
from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.values import (
    NONE,
    Class,
    Const,
    Content,
    Function,
    Index,
    Instance,
    Items,
    Mapping,
    May,
    Name,
    Opaque,
    Partial,
    Super,
    Value,
)
from nnreuse.types.program import External

_CLASS_NAME = re.compile(r"[A-Z]\w+$")
Positional = tuple[Value, ...]
Keywords = dict[str, Value]
Model = Callable[[Machine, Frame, ast.Call, Positional, Keywords], Value]


def call_external(
    m: Machine, f: Frame, node: ast.Call, external: External, positional: Positional, keywords: Keywords
) -> Value:
    """A function or class that is not read: torch's, Python's, or anyone's."""
    dotted = external.dotted
    model = _MODELS.get(dotted) or _MODELS.get(_SAME.get(dotted, ""))
    if model is not None:
        return model(m, f, node, positional, keywords)
    facts = m.program.catalog.find(dotted)
    if facts is not None:
        return objects.allocate(m, f, node, None, facts, positional, keywords)
    function = m.program.catalog.function(dotted)
    if function is not None and function.returns_argument:
        return _returned(m, positional, keywords, function.adds_state)
    last = dotted.rsplit(".", 1)[-1]
    if last.startswith("checkpoint") and positional:
        return _checkpoint(m, f, node, positional, keywords)
    if last in ("DataParallel", "DistributedDataParallel"):
        return positional[0] if positional else m.opaque()
    if m.phase == "constructor" and _CLASS_NAME.match(last):
        made = objects.allocate(m, f, node, None, None, positional, keywords)
        made.external, made.is_module, made.constructed = dotted, True, True
        return made
    if last.startswith(("is_", "has_")) or dotted.startswith("math."):
        return _pure(m, dotted, positional)
    return calls.unknown(m, positional, keywords)


def _pure(m: Machine, name: str, positional: Positional) -> Value:
    lineage = 0
    for value in positional:
        lineage |= m.lineage(value)
    return m.opaque("pure", name, *(m.ident(v) for v in positional), lineage=lineage)


def _returned(m: Machine, positional: Positional, keywords: Keywords, adds_state: bool) -> Value:
    given = positional[0] if positional else next(iter(keywords.values()), m.opaque())
    for _, one in m.options(given):
        if isinstance(one, Instance) and adds_state:
            one.adds_state = True
    return given


def _checkpoint(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    return calls.call_with(m, f, node, positional[0], positional[1:])


def _checkpoint_sequential(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    functions = positional[0] if positional else keywords.get("functions", m.opaque())
    value = positional[2] if len(positional) > 2 else keywords.get("input", m.opaque())
    for one in objects.as_content(m, functions).items:
        value = calls.call_with(m, f, node, one, (value,))
    return value


def _functional_call(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    given = positional[2:] if len(positional) > 2 else tuple(keywords.values())
    return calls.call_with(m, f, node, positional[0], given) if positional else m.opaque()


def _transparent(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    return next(iter((*positional, *keywords.values())), m.opaque())


def _deepcopy(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    def fresh(value: Value) -> Value:
        match value:
            case Instance():
                return objects.copied(m, value)
            case Items():
                return m.items(value.kind, [fresh(v) for v in value.content.items], value.content.open)
            case May():
                return May(tuple((ls, fresh(v)) for ls, v in value.options))
            case _:
                return value

    return fresh(m.settle(positional[0])) if positional else m.opaque()


def _partial(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    return Partial(positional[0], positional[1:], keywords) if positional else m.opaque()


def _map(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    from nnreuse.tracing.statements import Flow, run_passes

    if len(positional) < 2:
        return m.opaque()
    made = m.items("list", [])
    iterations = [iterate(m, p, node) for p in positional[1:]]
    shortest = min(iterations, key=lambda one: one.passes)
    state = {"number": 0}

    def body(value: Value) -> Flow:
        number = state["number"]
        state["number"] += 1
        arguments = (value, *(one.value(number) for one in iterations[1:]))
        objects.append(m, made, calls.call_with(m, f, node, positional[0], arguments))
        return Flow.NEXT

    first = iterations[0]
    run_passes(m, node, type(first)(shortest.passes, first.exact, first.value), body)
    return made


def _reduce(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    if len(positional) < 2:
        return m.opaque()
    content = objects.as_content(m, positional[1])
    values = [*positional[2:3], *content.items]
    result = values[0] if values else m.opaque()
    for value in values[1:]:
        result = calls.call_with(m, f, node, positional[0], (result, value))
    return result


def _range(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    values = [m.settle(v) for v in positional]
    start: Value = values[0] if len(values) > 1 else Const(0)
    stop = values[0] if len(values) == 1 else values[1] if len(values) > 1 else m.opaque()
    step = values[2] if len(values) > 2 else Const(1)
    by = step.value if isinstance(step, Const) and isinstance(step.value, int) and step.value else 1
    length = None
    if isinstance(start, Const) and isinstance(stop, Const) and isinstance(step, Const):
        try:
            length = len(range(start.value, stop.value, by))  # type: ignore[arg-type]
        except TypeError:
            length = None
    if by < 0 and length is None:
        start = m.opaque("down", m.ident(start))
    return counted(m, start, by, length, m.ident(stop))


def _enumerate(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    if not positional:
        return m.opaque()
    given, begin = (*positional, keywords.get("start", Const(0)))[:2]
    start = m.settle(begin)
    iteration = iterate(m, given, node)
    numbers = counted(m, start, 1, None, 0)
    if iteration.exact and isinstance(start, Const) and isinstance(start.value, int):
        numbers = m.items("range", [Const(start.value + k) for k in range(iteration.passes)])
    return _paired(m, [iterate(m, numbers, node), iteration], iteration.exact, iteration.passes)


def _paired(m: Machine, iterations: list[Iteration], exact: bool, passes: int) -> Items:
    size = passes if exact else 3
    rows: list[Value] = []
    for k in range(size):
        parts = [one.value(min(k, one.passes - 1) if one.exact and one.passes else k) for one in iterations]
        rows.append(m.items("tuple", parts))
    return m.items("list", rows, unfinished=not exact)


def _zip(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    iterations = [iterate(m, p, node) for p in positional]
    exact = [one for one in iterations if one.exact]
    if not iterations:
        return m.opaque()
    passes = min(one.passes for one in exact) if exact else 2
    return _paired(m, iterations, bool(exact), passes)


def _reversed(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    if not positional:
        return m.opaque()
    content = objects.as_content(m, positional[0])
    return m.items("list", content.items[::-1], content.open)


def _list(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    if not positional:
        return m.items("list", [])
    given = m.settle(positional[0])
    content = objects.as_content(m, given)
    made = m.items("list", content.items, content.open)
    if isinstance(given, Opaque):
        made.ident, made.lineage = m.intern("list", given.ident), given.lineage
    return made


def _tuple(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    made = _list(m, f, node, positional, keywords)
    if isinstance(made, Items):
        made.kind = "tuple"
    return made


def _dict(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    made = Mapping(m.intern.fresh(), {})
    if positional:
        objects.update(m, made, positional[0])
    for key, value in keywords.items():
        made.entries[key] = value
    return made


def _len(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    value = m.settle(positional[0]) if positional else NONE
    container = objects.elements_of(value)
    if isinstance(container, Items) and not container.content.open:
        return Const(len(container.content.items))
    if isinstance(container, Mapping) and not container.open:
        return Const(len(container.entries))
    return m.opaque("len", m.ident(value))


def _isinstance(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    if len(positional) == 2:
        known = _is_instance(m, m.settle(positional[0]), m.settle(positional[1]))
        if known is not None:
            return Const(known)
    return _pure(m, "isinstance", positional)


def _is_instance(m: Machine, value: Value, kind: Value) -> bool | None:
    if isinstance(kind, Items) and kind.kind == "tuple":
        several = {_is_instance(m, value, k) for k in kind.content.items}
        return True if True in several else None if None in several else False
    if not isinstance(value, Instance) or value.type_name is None or not value.complete:
        return None
    if isinstance(kind, Class) and value.cls is not None:
        return kind.cls in value.cls.mro
    facts = m.program.catalog.find(kind.external.dotted) if isinstance(kind, Name) else None
    if facts is None or value.facts is None:
        return None
    return facts.name == value.facts.name or facts.name in value.facts.bases


def _getattr(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    from nnreuse.tracing import attributes

    if len(positional) < 2:
        return m.opaque()
    owner, name = m.settle(positional[0]), m.settle(positional[1])
    if isinstance(name, Const) and isinstance(name.value, str):
        return attributes.get(m, owner, name.value)
    found = m.opaque("getattr", m.ident(owner), m.ident(name))
    if owner is m.root:
        m.origins.setdefault(found.ident, "*")
    return found


def _setattr(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    from nnreuse.tracing.statements import assign_attribute

    if len(positional) == 3:
        assign_attribute(m, f, positional[0], _key(m, positional[1]), positional[2], node)
    return NONE


def _key(m: Machine, name: Value) -> Value:
    name = m.settle(name)
    if isinstance(name, Index):
        return Const(str(name.position), "*")
    return Const(str(name.value), name.display) if isinstance(name, Const) else name


def _parameter(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    made = m.opaque()
    m.intern.parameters.add(made.ident)
    return made


def _isolated(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    return m.opaque()


def _chain(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    contents = [objects.as_content(m, p) for p in positional]
    return m.items("list", [v for c in contents for v in c.items], any(c.open for c in contents))


def _str(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    value = m.settle(positional[0]) if positional else Const("")
    if isinstance(value, Index):
        return Const(str(value.position), "*")
    return Const(str(value.value), value.display) if isinstance(value, Const) else _pure(m, "str", positional)


def _number(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    value = m.settle(positional[0]) if positional else Const(0)
    if isinstance(value, Index):
        return value
    if isinstance(value, Const) and isinstance(value.value, int | float | bool):
        return Const(int(value.value))
    return _pure(m, "number", positional)


def _sum(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    lineage = 0
    for value in positional:
        lineage |= m.lineage(value)
    return m.opaque(lineage=lineage)


def _type(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    value = m.settle(positional[0]) if positional else NONE
    return Class(value.cls) if isinstance(value, Instance) and value.cls else _pure(m, "type", positional)


def _next(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    return objects.element(m, positional[0], 0) if positional else m.opaque()


_MODELS: dict[str, Model] = {
    "builtins.range": _range,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.reversed": _reversed,
    "builtins.list": _list,
    "builtins.sorted": _list,
    "builtins.set": _list,
    "builtins.iter": _list,
    "builtins.tuple": _tuple,
    "builtins.dict": _dict,
    "builtins.len": _len,
    "builtins.isinstance": _isinstance,
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.map": _map,
    "builtins.str": _str,
    "builtins.int": _number,
    "builtins.sum": _sum,
    "builtins.type": _type,
    "builtins.next": _next,
    "builtins.print": _isolated,
    "collections.OrderedDict": _dict,
    "copy.deepcopy": _deepcopy,
    "copy.copy": _deepcopy,
    "functools.partial": _partial,
    "functools.reduce": _reduce,
    "itertools.chain": _chain,
    "torch.compile": _transparent,
    "torch.jit.script": _transparent,
    "torch.jit.ignore": _transparent,
    "torch.jit.trace": _transparent,
    "torch.nn.parallel.DataParallel": _transparent,
    "torch.nn.DataParallel": _transparent,
    "torch.nn.parallel.DistributedDataParallel": _transparent,
    "torch.func.functional_call": _functional_call,
    "torch.nn.utils.stateless.functional_call": _functional_call,
    "torch.nn.Parameter": _parameter,
    "torch.nn.parameter.Parameter": _parameter,
    "torch.utils.checkpoint.checkpoint_sequential": _checkpoint_sequential,
    "torch.utils.checkpoint.checkpoint": _checkpoint,
}
_SAME = {
    "typing.OrderedDict": "collections.OrderedDict",
    "torch.nn.parameter.UninitializedParameter": "torch.nn.Parameter",
    "torch.nn.UninitializedParameter": "torch.nn.Parameter",
}


def call_method(
    m: Machine, f: Frame, node: ast.Call, receiver: Value, name: str, positional: Positional, keywords: Keywords
) -> Value:
    """A method of a container, of a torch module, or of `super()`."""
    receiver = m.settle(receiver)
    if isinstance(receiver, Super):
        return _super_method(m, f, node, receiver, name, positional, keywords)
    if isinstance(receiver, Instance):
        return _module_method(m, f, node, receiver, name, positional, keywords)
    if isinstance(receiver, Items | Mapping):
        return container_method(m, receiver, name, positional, keywords)
    if isinstance(receiver, Const) and isinstance(receiver.value, str) and name == "format":
        return _format(m, receiver.value, positional)
    if isinstance(receiver, Const):
        return _pure(m, name, (receiver, *positional))
    if isinstance(receiver, Function):
        return m.opaque()
    return calls.unknown(m, positional, keywords, m.lineage(receiver))


def _format(m: Machine, pattern: str, positional: Positional) -> Value:
    values = [m.settle(v) for v in positional]
    if not all(isinstance(v, Const | Index) for v in values):
        return m.opaque("format", pattern, *(m.ident(v) for v in values))
    plain = [v.position if isinstance(v, Index) else v.value for v in values if isinstance(v, Const | Index)]
    shown = ["*" if isinstance(v, Index) else (v.display or v.value) for v in values if isinstance(v, Const | Index)]
    try:
        starred = any(isinstance(v, Index) for v in values)
        return Const(pattern.format(*plain), pattern.format(*shown) if starred else None)
    except (ValueError, IndexError, KeyError, AttributeError):
        return m.opaque("format", pattern)


def _super_method(
    m: Machine, f: Frame, node: ast.Call, receiver: Super, name: str, positional: Positional, keywords: Keywords
) -> Value:
    from nnreuse.tracing import construction

    if name == "__init__":
        construction.inherit(m, receiver.receiver, positional, keywords)
        return NONE
    this = receiver.receiver
    if name in ("forward", "__call__"):
        facts = m.program.facts(this.cls) if this.cls else None
        if facts is not None and facts.container == "sequential" and this.elements is not None and positional:
            value = positional[0]
            for one in objects.as_content(
                m, this.elements if isinstance(this.elements, Items) else _values(m, this.elements)
            ).items:
                value = calls.call_with(m, f, node, one, (value,))
            return value
        return m.opaque(lineage=_all(m, positional))
    if name in ("__getattr__", "__setattr__"):
        return m.opaque()
    return _module_method(m, f, node, this, name, positional, keywords)


def _all(m: Machine, positional: Positional) -> int:
    bits = 0
    for value in positional:
        bits |= m.lineage(value)
    return bits


def _values(m: Machine, mapping: Mapping) -> Items:
    return m.items("list", list(mapping.entries.values()), mapping.open)


_SELF_RETURNING = frozenset(
    "to cuda cpu half float double bfloat16 eval train requires_grad_ apply type share_memory".split()
)


def _module_method(
    m: Machine, f: Frame, node: ast.Call, receiver: Instance, name: str, positional: Positional, keywords: Keywords
) -> Value:
    from nnreuse.tracing.statements import assign_attribute

    if name == "forward":
        return calls.call_instance(m, f, node, receiver, positional, keywords)
    if name in _SELF_RETURNING:
        return receiver
    if name in ("add_module", "register_module"):
        both = [*positional, *keywords.values()]
        if len(both) == 2:
            if receiver.elements is not None and receiver.cls is None:
                return _add_to_container(m, receiver, _key(m, both[0]), both[1])
            assign_attribute(m, f, receiver, _key(m, both[0]), both[1], node)
        return NONE
    if name == "register_parameter" and not (len(positional) > 1 and positional[1] == NONE):
        m.write(receiver.attrs, "<parameters>", Const(True))
        return NONE
    if name == "register_buffer":
        if (
            positional
            and isinstance(positional[0], Const)
            and str(positional[0].value).endswith(("running_mean", "running_var"))
        ):
            m.write(receiver.attrs, "<running>", Const(True))
        return NONE
    if name in ("children", "modules", "named_children", "named_modules") and receiver.elements is None:
        return _children(m, receiver, name)
    if receiver.elements is not None:
        return container_method(m, receiver.elements, name, positional, keywords, receiver)
    if name == "get_submodule" and positional and isinstance(positional[0], Const):
        return _submodule(m, receiver, str(positional[0].value))
    return calls.unknown(m, positional, keywords)


def _submodule(m: Machine, receiver: Instance, path: str) -> Value:
    from nnreuse.tracing import attributes

    value: Value = receiver
    for part in path.split("."):
        value = objects.subscript(m, value, Const(int(part))) if part.isdigit() else attributes.get(m, value, part)
    return value


def _add_to_container(m: Machine, receiver: Instance, key: Value, value: Value) -> Value:
    if isinstance(receiver.elements, Mapping):
        objects.put(m, receiver.elements, key, value)
    elif isinstance(receiver.elements, Items):
        objects.append(m, receiver.elements, value)
    return NONE


def _children(m: Machine, receiver: Instance, name: str) -> Value:
    held = [(k, v) for k, v in receiver.attrs.items() if isinstance(v, Instance) and v.is_module]
    if name == "children":
        return m.items("list", [v for _, v in held])
    if name == "named_children":
        return m.items("list", [m.items("tuple", [Const(k, receiver.shown.get(k)), v]) for k, v in held])
    return m.opaque()


def container_method(
    m: Machine,
    container: Items | Mapping,
    name: str,
    positional: Positional,
    keywords: Keywords,
    holder: Instance | None = None,
) -> Value:
    """`append`, `items`, `pop` and the like."""
    if isinstance(container, Mapping):
        return _mapping_method(m, container, name, positional, keywords)
    if name in ("append", "add") and positional:
        objects.append(m, container, positional[0])
        return holder or NONE
    if name == "insert" and len(positional) == 2:
        at = positional[0]
        objects.append(
            m, container, positional[1], at.value if isinstance(at, Const) and isinstance(at.value, int) else None
        )
        return NONE
    if name == "extend" and positional:
        objects.extend(m, container, positional[0])
        return holder or NONE
    if name == "pop":
        return _pop(m, container, positional)
    if name in ("children", "modules"):
        return m.items("list", container.content.items, container.content.open)
    if name == "named_children":
        rows = [m.items("tuple", [Const(str(k), "*"), v]) for k, v in enumerate(container.content.items)]
        return m.items("list", rows, container.content.open)
    if name in ("copy", "__iter__"):
        return m.items(container.kind, container.content.items, container.content.open)
    if name == "reverse":
        m.write(container.cell, 0, Content(container.content.items[::-1], container.content.open))
        return NONE
    if name == "clear":
        m.write(container.cell, 0, Content(()))
        return NONE
    return m.opaque(lineage=m.lineage(container) | _all(m, positional))


def _pop(m: Machine, container: Items, positional: Positional) -> Value:
    content = container.content
    at = positional[0] if positional else Const(-1)
    if isinstance(at, Const) and isinstance(at.value, int) and -len(content.items) <= at.value < len(content.items):
        items = list(content.items)
        value = items.pop(at.value)
        m.write(container.cell, 0, Content(tuple(items), content.open))
        return value
    return objects.representative(m, container, "popped")


def _mapping_method(m: Machine, container: Mapping, name: str, positional: Positional, keywords: Keywords) -> Value:
    entries = container.entries
    keys: list[Value] = [Const(k, container.shown.get(k)) for k in entries]
    if name in ("values", "children"):
        return m.items("list", list(entries.values()), container.open)
    if name in ("keys", "__iter__", "copy"):
        return (
            m.items("list", keys, container.open)
            if name != "copy"
            else Mapping(m.intern.fresh(), dict(entries), container.open)
        )
    if name in ("items", "named_children"):
        rows: list[Value] = [m.items("tuple", [k, v]) for k, v in zip(keys, entries.values(), strict=True)]
        return m.items("list", rows, container.open)
    if name == "update" and positional:
        objects.update(m, container, positional[0])
        return NONE
    key, other = (*positional, None, None)[:2]
    if name in ("get", "pop", "__getitem__") and key is not None:
        known = isinstance(key, Const) and key.value in entries
        if not known and not container.open and other is not None and isinstance(key, Const):
            return other
        return objects.subscript(m, container, key)
    if name == "setdefault" and key is not None and other is not None:
        objects.put(m, container, key, other)
        return other
    return m.opaque(lineage=m.lineage(container))
