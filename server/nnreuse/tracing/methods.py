"""Methods: what the methods of containers, of torch's modules and of `super()` do."""

import ast

from nnreuse.tracing import calls, freezing, objects, placing, spelling, texts
from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.models import Keywords, Positional
from nnreuse.tracing.values import NONE, Const, Content, Function, Index, Instance, Items, Mapping, Super, Value


def call_method(
    m: Machine, f: Frame, node: ast.Call, receiver: Value, name: str, positional: Positional, keywords: Keywords
) -> Value:
    """A method of a container, of a torch module, or of `super()`."""
    receiver = m.settle(receiver)
    placing.placed_by_method(m, f, node, receiver, name, positional)
    if isinstance(receiver, Super):
        return _super_method(m, f, node, receiver, name, positional, keywords)
    if isinstance(receiver, Instance):
        return _module_method(m, f, node, receiver, name, positional, keywords)
    if isinstance(receiver, (Items, Mapping)):
        return container_method(m, receiver, name, positional, keywords)
    if isinstance(receiver, Const):
        return texts.method(m, receiver, name, positional, keywords)
    if isinstance(receiver, Function):
        return m.opaque()
    return calls.unknown(m, positional, keywords, m.lineage(receiver))


def _super_method(
    m: Machine, f: Frame, node: ast.Call, receiver: Super, name: str, positional: Positional, keywords: Keywords
) -> Value:
    from nnreuse.tracing import construction

    if name == "__init__":
        facts = m.program.facts(receiver.receiver.cls) if receiver.receiver.cls else None
        if facts is not None and facts.container == "sequential":
            placing.placed_by_call(m, f, node, positional)
        construction.inherit(m, receiver.receiver, positional, keywords, receiver.after)
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
    return _module_method(m, f, node, this, name, positional, keywords)


def get_named(m: Machine, owner: Value, name: Value) -> Value:
    """`getattr(owner, name)`, and `owner.__getattr__(name)`."""
    from nnreuse.tracing import attributes

    owner, name = m.settle(owner), m.settle(name)
    if isinstance(name, Const) and isinstance(name.value, str):
        return attributes.get(m, owner, name.value)
    if isinstance(owner, Instance) and (held := attributes.by_computed_name(m, owner, name)) is not None:
        return held
    found = m.opaque("getattr", m.ident(owner), m.ident(name))
    if owner is m.root:
        m.origins.setdefault(found.ident, "*")
    return found


def set_named(m: Machine, f: Frame, node: ast.Call, owner: Value, name: Value, value: Value) -> None:
    """`setattr(owner, name, value)`, and `owner.__setattr__(name, value)`."""
    from nnreuse.tracing.statements import assign_attribute

    key = key_of(m, name)
    if node.args and placing.made_in_loop(key):
        placing.placed(m, f, node.args[-1], value)
    assign_attribute(m, f, owner, key, value, node)


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
    if name == "forward":
        return calls.call_instance(m, f, node, receiver, positional, keywords)
    if name in _SELF_RETURNING:
        if name == "requires_grad_":
            freezing.set_grad(m, receiver, next(iter((*positional, *keywords.values())), Const(True)))
        return receiver
    if name == "__getattr__" and positional:
        return get_named(m, receiver, positional[0])
    if name in ("parameters", "named_parameters"):
        found = calls.unknown(m, positional, keywords)
        m.intern.parameters_of[found.ident] = receiver
        return found
    if name in _REGISTERING:
        return _register(m, f, node, receiver, name, (*positional, *keywords.values()))
    if name in ("children", "modules", "named_children", "named_modules") and receiver.elements is None:
        return _children(m, receiver, name)
    if receiver.elements is not None:
        return container_method(m, receiver.elements, name, positional, keywords, receiver)
    if name == "get_submodule" and positional:
        path = m.settle(positional[0])
        return _submodule(m, receiver, str(path.value)) if isinstance(path, Const) else get_named(m, receiver, path)
    return calls.unknown(m, positional, keywords)


_REGISTERING = frozenset(("__setattr__", "add_module", "register_module", "register_parameter", "register_buffer"))


def _register(m: Machine, f: Frame, node: ast.Call, receiver: Instance, name: str, given: Positional) -> Value:
    """The methods that put a module, a parameter or a buffer under a name."""
    from nnreuse.tracing.statements import assign_attribute

    if name == "register_parameter":
        _register_parameter(m, receiver, given)
    elif name == "register_buffer":
        _register_buffer(m, receiver, given)
    elif len(given) == 2 and name == "__setattr__":
        set_named(m, f, node, receiver, *given)
    elif len(given) == 2:
        contained = isinstance(receiver.elements, Mapping) or (receiver.elements is not None and receiver.cls is None)
        if contained:
            return _add_to_container(m, receiver, key_of(m, given[0]), given[1])
        assign_attribute(m, f, receiver, key_of(m, given[0]), given[1], node)
    return NONE


def _register_buffer(m: Machine, receiver: Instance, positional: Positional) -> None:
    name = positional[0] if positional else NONE
    if isinstance(name, Const) and str(name.value).endswith(("running_mean", "running_var")):
        m.write(receiver.attrs, "<running>", Const(True))


def _register_parameter(m: Machine, receiver: Instance, positional: Positional) -> None:
    if len(positional) > 1 and positional[1] == NONE:
        return
    m.write(receiver.attrs, "<parameters>", Const(True))
    name, value = (*positional, NONE, NONE)[:2]
    if isinstance(name, Const) and isinstance(name.value, str) and m.ident(value) in m.intern.parameters:
        m.write(receiver.attrs, name.value, value)


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
    from nnreuse.tracing import attributes

    held = [(k, v) for k, v in receiver.attrs.items() if attributes.may_be_module(v)]
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
    if name == "update":
        named: dict[object, Value] = {key: value for key, value in keywords.items() if key != "**"}
        for given in (*positional, Mapping(m.intern.fresh(), named, "**" in keywords)):
            objects.update(m, container, given)
        return NONE
    key, other = (*positional, None, None)[:2]
    if name in ("get", "pop", "__getitem__") and key is not None:
        return _taken(m, container, name, key, other)
    if name == "setdefault" and key is not None and other is not None:
        if isinstance(key, Const) and key.value in entries:
            return entries[key.value]
        objects.put(m, container, key, other)
        return other
    return m.opaque(lineage=m.lineage(container))


def _taken(m: Machine, container: Mapping, name: str, key: Value, other: Value | None) -> Value:
    """`get`, `pop` and indexing of a dict."""
    if not isinstance(key, Const):
        return objects.subscript(m, container, key)
    absent = key.value not in container.entries and (not container.open or m.intern.counting)
    if absent and (other is not None or name == "get"):
        return other if other is not None else NONE
    found = objects.subscript(m, container, key)
    if name == "pop":
        m.forget(container.entries, key.value)
    return found


def key_of(m: Machine, name: Value) -> Value:
    """The name under which `setattr` and `add_module` register, as a constant where it is one."""
    name = m.settle(name)
    if isinstance(name, Index):
        return spelling.spelled(m, [name])
    return Const(str(name.value), name.display) if isinstance(name, Const) else name
