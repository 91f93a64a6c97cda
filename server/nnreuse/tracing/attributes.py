"""Attributes and global names: where a name leads, through instances, classes, files and torch."""

import ast
import re
from dataclasses import replace

from nnreuse.syntax.once import once
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place, Unit
from nnreuse.tracing import calls, construction, decorators, objects, registering, tables, texts
from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.values import (
    NONE,
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
    Super,
    Value,
    alternatives,
    named,
)
from nnreuse.types.file import File
from nnreuse.types.meaning import External, FileRef, FunctionRef, Meaning, ModuleClass, ValueRef

_BUILTINS = frozenset(
    "abs all any bool callable dict enumerate filter float getattr hasattr id int isinstance issubclass iter len list map max "
    "bytes complex "
    "min next object print property range reversed round set setattr sorted staticmethod str sum super tuple type vars zip".split()
)
_BARE_BASES = frozenset({"object", "abc.ABC", "typing.Generic", "typing.Protocol"})
"""Bases that put nothing into an object when it is made."""
_ABOUT_TENSORS = frozenset("device dtype shape ndim layout is_cuda requires_grad size dim numel get_device".split())
"""What a tensor tells of itself: no data of it."""
_DIGITS = re.compile(r"\d+")


def global_value(m: Machine, f: Frame, name: str) -> Value:
    """A name that no enclosing function binds."""
    key = f.file.path, name
    if key not in m.intern.meanings:
        with m.noting(key):
            m.intern.meanings[key] = m.program.lookup(f.file, name)
    else:
        m.note_again(key)
    meaning = m.intern.meanings[key]
    if meaning is not None:
        return value_of(m, meaning, f.file)
    if name in _BUILTINS:
        return named(f"builtins.{name}")
    if name == "__class__" and f.owner is not None:
        return Class(f.owner)
    return m.opaque("global", f.file.path, name)


def makes_container(m: Machine, value: Name) -> bool:
    """Whether a name is a container class of torch: `nn.ModuleList`, say."""
    facts = m.program.catalog.find(value.external.dotted)
    return facts is not None and facts.container in ("list", "sequential")


def value_of(m: Machine, meaning: Meaning, reader: File | None = None) -> Value:
    """A meaning as a value, for a file that names it."""
    match meaning:
        case ModuleClass():
            return Class(meaning)
        case External():
            return Name(meaning)
        case FunctionRef(file, unit, node):
            return Function(file, unit, node, None)
        case FileRef():
            return Package(meaning)
        case ValueRef():
            return _module_level(m, meaning, reader or meaning.file)


def _module_level(m: Machine, ref: ValueRef, reader: File) -> Value:
    from nnreuse.tracing.expressions import evaluate

    known = m.globals.get(id(ref.node))
    if known is not None:
        m.note_again(id(ref.node))
        m.intern.effects += id(ref.node) in m.intern.shared_tables
        return known
    unread = m.globals[id(ref.node)] = m.opaque("module-level", ref.file.path, id(ref.node))
    if tables.is_written(ref.node):
        m.intern.tables[unread.ident] = ref
    file: File = ref.file
    frame = Frame(file, ref.unit)
    with m.once(calls.HELPER_STEPS, id(ref.node)):
        before = _bound_before(m, ref)
        if before is not None:
            m.globals[id(ref.node)] = before
        value = m.globals[id(ref.node)] = evaluate(m, frame, ref.node)
        registering.fill(m, ref, value, reader)
    return m.globals[id(ref.node)]


def _bound_before(m: Machine, ref: ValueRef) -> Value | None:
    """What a name held that its last assignment reads: `table = {**table, "a": A}`."""
    name = next((n for n, binding in ref.file.index.bindings.items() if binding.node is ref.node), None)
    if name is None or not ref.file.index.bindings[name].rebound:
        return None
    if not any(isinstance(n, ast.Name) and n.id == name for n in walk(ref.node)):
        return None
    earlier: ValueRef | None = None
    parts = ref.file.index.parts
    for part in parts[: parts.index(ref.unit)] if ref.unit in parts else ():
        if not isinstance(part, Unit):
            continue
        for node in part.nodes:
            match node:
                case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name:
                    earlier = ValueRef(ref.file, part, value)
                case _:
                    pass
    return _module_level(m, earlier, ref.file) if earlier is not None else None


def get(m: Machine, value: Value, name: str) -> Value:
    """`value.name`."""
    value = m.settle(value)
    if name == "__name__" and (known := _name_of(value)) is not None:
        return Const(known)
    match value:
        case May():
            options = [(ls, v) for ls, v in m.options(value) if not isinstance(v, Const)] or m.options(value)
            return m.join([(ls, get(m, v, name)) for ls, v in options])
        case Instance():
            return _of_instance(m, value, name)
        case Opaque():
            return _of_unknown(m, value, name)
        case Class(cls):
            return _of_class(m, cls, name, None)
        case Super():
            return _of_super(m, value, name)
        case Package():
            return _of_package(m, value, name)
        case Name(external):
            return named(f"{external.dotted}.{name}")
        case Partial() if name in ("func", "args", "keywords"):
            return _of_partial(m, value, name)
        case Items():
            return objects.element(m, value, value.fields.index(name)) if name in value.fields else Method(value, name)
        case Mapping() | Function() | Const():
            return Method(value, name)
        case _:
            return _of_unknown(m, value, name)


def _of_unknown(m: Machine, value: Value, name: str) -> Value:
    ident = m.ident(value)
    found = m.opaque(".", ident, name, lineage=0 if name in _ABOUT_TENSORS else m.lineage(value))
    if ident in m.intern.shapes:
        m.intern.read_off[found.ident] = value, name
    texts.presume_method(m, ident, found.ident, name)
    origin = m.origins.get(ident)
    if origin is not None and ident not in m.intern.results:
        m.origins.setdefault(found.ident, f"{origin}.{name}")
    return found


def _of_package(m: Machine, value: Package, name: str) -> Value:
    if name == "__dict__":
        return Method(value, name)
    meaning = m.program.member(value.file, name)
    return value_of(m, meaning) if meaning else m.opaque("global", value.file.file.path, name)


def special(owner: Instance, name: str) -> Function | None:
    """A method that Python calls by itself, bound to an object whose class defines it."""
    found = owner.cls.find(name) if owner.cls is not None else None
    if found is None or not isinstance(found[2], calls.DEFINITIONS):
        return None
    return Function(found[0].file, found[1], found[2], None, found[0], owner)


def may_be_module(value: Value) -> bool:
    """Whether a module may stand in an attribute."""
    return any(isinstance(one, Instance) and one.is_module for one in alternatives(value))


def _of_partial(m: Machine, value: Partial, name: str) -> Value:
    match name:
        case "func":
            return value.function
        case "args":
            return m.items("tuple", value.positional)
        case _:
            return Mapping(m.intern.fresh(), dict[object, Value](value.keywords.items()))


def _name_of(value: Value) -> str | None:
    """The `__name__` of a class or function."""
    match value:
        case Class(cls):
            return cls.name.rsplit(".", 1)[-1]
        case Name(external):
            return external.dotted.rsplit(".", 1)[-1]
        case Function(node=ast.FunctionDef(name=name)):
            return name
        case _:
            return None


def _of_instance(m: Machine, owner: Instance, name: str) -> Value:
    if not owner.constructed and (method := _lasting_method(owner, name)) is not None:
        return _member(m, *method, owner, name)
    construction.construct(m, owner)
    if name in owner.attrs:
        value = m.settle(owner.attrs[name])
        if owner is m.root:
            _note(m, value, name, owner.shown.get(name, name))
        return value
    if name == "training":
        return m.opaque("training")
    if owner.cls is not None:
        member = owner.cls.find(name)
        if member is not None:
            return _member(m, *member, owner, name)
    if isinstance(owner.elements, Mapping) and name in owner.elements.entries:
        return owner.elements.entries[name]
    starred = _by_pattern(m, owner, name)
    if starred is not None:
        return starred
    if name == "_modules":
        return Mapping(m.intern(".", owner.ident, name), {k: v for k, v in owner.attrs.items() if may_be_module(v)})
    if name in calls.MODULE_METHODS or owner.elements is not None:
        return Method(owner, name)
    if not owner.is_module and not name.startswith("__") and (hook := special(owner, "__getattr__")) is not None:
        return calls.enter(m, hook, (Const(name),), {}, None)
    return _unset(m, owner, name)


def _lasting_method(owner: Instance, name: str) -> tuple[ModuleClass, Unit, ast.stmt] | None:
    """A method that is there whatever the constructor does, which need not be run for it. None where it might matter that it has run."""
    cls = owner.cls
    if cls is None or owner.is_module or name in owner.attrs or not _made_alone(owner):
        return None
    found = cls.find(name)
    if found is None or not isinstance(found[2], calls.DEFINITIONS) or cls.may_set(name):
        return None
    inherited = [base.dotted for base in cls.mro if isinstance(base, External)]
    return found if _BARE_BASES.issuperset(inherited) else None


def _made_alone(owner: Instance) -> bool:
    """Whether the constructor is given nothing that it could do something to that anybody else would see."""
    return all(_stands_alone(owner, value) for value in (*owner.positional, *owner.keywords.values()))


def _stands_alone(owner: Instance, value: Value) -> bool:
    match value:
        case Const() | Opaque() | Name() | Class():
            return True
        case May():
            return all(_stands_alone(owner, one) for one in alternatives(value))
        case Instance(is_module=False, place=Place() as place) if owner.place is not None:
            in_expression = place.unit is owner.place.unit and owner.place.span.contains(place.span)
            return in_expression and _made_alone(value)
        case _:
            return False


def _unset(m: Machine, owner: Instance, name: str) -> Value:
    """What nobody has set, as far as is known."""
    found = m.opaque(".", owner.ident, name)
    if owner is m.root:
        m.origins.setdefault(found.ident, name)
        m.unset.add(name)
        if m.phase != "constructor" and special(owner, "__getattr__") is not None:
            m.escaped = True  # it may give any module
    return found


def _note(m: Machine, value: Value, name: str, path: str) -> None:
    remember(m, value, path)
    if value == NONE and m.phase != "constructor":
        m.read_as_none.add(name)


def remember(m: Machine, value: Value, path: str, depth: int = 0) -> None:
    """Notes under which access path an unknown value is held, so that calls of it have one."""
    for _, one in m.options(value):
        if isinstance(one, Opaque):
            if one.ident not in m.intern.parameters:  # tensors: their methods are not modules
                m.origins.setdefault(one.ident, path)
            continue
        container = objects.elements_of(one)
        if container is None or depth > 2 or (isinstance(one, Instance) and one.cls is not None and one is not m.root):
            continue
        if isinstance(container, Items):
            named = [("*", item) for item in container.content.items]
        else:
            named = [(container.shown.get(key, str(key)), item) for key, item in container.entries.items()]
        for name, item in named:
            if not isinstance(item, Instance) or item.elements is not None:
                remember(m, item, f"{path}.{name}" if path else name, depth + 1)


def _by_pattern(m: Machine, owner: Instance, name: str) -> Value | None:
    """`fc7`, where a loop made `fc0` and `fc1`."""
    pattern = _DIGITS.sub("*", name)
    examples = [k for k, shown in owner.shown.items() if shown == pattern]
    if not examples or pattern == name:
        return None
    example = owner.attrs.get(examples[-1])
    if isinstance(example, Instance):
        made = objects.copied(m, example, m.intern(".", owner.ident, name))
        owner.attrs[name] = made
        owner.shown[name] = pattern
        return made
    return None


def by_computed_name(m: Machine, owner: Instance, name: Value) -> Value | None:
    """`getattr(owner, name)` for a name that is not known: what was set under it, or another of what a loop set so."""
    construction.construct(m, owner)
    key, text = computed(m, name), m.intern.texts.get(m.ident(name))
    if key in owner.attrs or text is None:
        return owner.attrs.get(key)
    examples = [k for k, shown in owner.shown.items() if shown == text.shown]
    example = owner.attrs.get(examples[-1]) if examples else None
    if not isinstance(example, Instance):
        return None
    owner.attrs[key] = objects.copied(m, example, m.intern(".", owner.ident, key))
    owner.shown[key] = text.shown
    return owner.attrs[key]


def computed(m: Machine, name: Value) -> str:
    """The key in an object's attributes for what is set under a name that is not known."""
    return f"*{m.ident(name)}"


def _of_class(m: Machine, cls: ModuleClass, name: str, receiver: Value | None) -> Value:
    found = cls.find(name)
    if found is not None:
        return _member(m, *found, receiver or Class(cls), name)
    nested = m.program.nested(cls, name)
    return Class(nested) if nested else m.opaque("class", cls.qualified, name)


def _of_super(m: Machine, value: Super, name: str) -> Value:
    owner = value.receiver
    if owner.cls is None:
        return m.opaque()
    found = owner.cls.find(name, value.after)
    if found is not None:
        return _member(m, *found, owner, name)
    return Method(value, name)


def _member(m: Machine, cls: ModuleClass, unit: Unit, node: ast.stmt, owner: Value, name: str) -> Value:
    from nnreuse.tracing.expressions import evaluate

    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return _method(m, cls, unit, node, owner)
    expression = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    if expression is None:
        return m.opaque("class", cls.qualified, name)
    if not m.intern.counting and isinstance(expression, ast.Constant) and isinstance(expression.value, bool | None):
        return m.opaque("class", m.ident(owner), name)  # a flag of the class: subclasses turn it over
    known = m.globals.get(id(expression))
    if known is not None:
        m.note_again(id(expression))
    else:
        m.globals[id(expression)] = m.opaque("class", cls.qualified, name)
        with m.once(calls.HELPER_STEPS, id(expression)):
            m.globals[id(expression)] = evaluate(m, Frame(cls.file, unit, owner=cls), expression)
        known = m.globals[id(expression)]
    if isinstance(known, Function) and known.receiver is None and not isinstance(owner, Class):
        return replace(known, receiver=owner)
    return known


@once
def _decorators(unit: Unit, node: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    return frozenset(ast.unparse(d).split("(")[0].split(".")[-1] for d in node.decorator_list)


def _method(
    m: Machine, cls: ModuleClass, unit: Unit, node: ast.FunctionDef | ast.AsyncFunctionDef, owner: Value
) -> Value:
    names = _decorators(unit, node)
    if "staticmethod" in names:
        return Function(cls.file, unit, node, None, cls)
    if "classmethod" in names:
        receiver = Class(owner.cls) if isinstance(owner, Instance) and owner.cls else owner
        return Function(cls.file, unit, node, None, cls, receiver)
    if isinstance(owner, Class):
        return Function(cls.file, unit, node, None, cls)
    outer = decorators.wrapped(m, cls, unit, node)
    if outer is not None:
        return replace(outer, owner=cls, receiver=owner)
    function = Function(cls.file, unit, node, None, cls, owner)
    if names & {"property", "cached_property"}:
        return calls.enter(m, function, (), {}, None)
    return function
