"""Objects: elements of containers, attributes of instances, and how instances come to be."""

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace

from nnreuse.syntax.units import Place
from nnreuse.tracing import entries, placing, tables
from nnreuse.tracing.conditions import Literal, Literals
from nnreuse.tracing.machine import MAX_ITEMS, Frame, Machine, lose_sight
from nnreuse.tracing.trace import Creation, Turn
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
    Method,
    Name,
    Opaque,
    Partial,
    Value,
)
from nnreuse.types.catalog import ModuleFacts
from nnreuse.types.file import File
from nnreuse.types.meaning import ModuleClass


def elements_of(value: Value) -> Items | Mapping | None:
    """The container a value is or holds."""
    if isinstance(value, Instance):
        return value.elements
    return value if isinstance(value, (Items, Mapping)) else None


def element(m: Machine, value: Value, position: int, size: int | None = None) -> Value:
    """Element `position` of anything; with `size` only tuples of that length count (unpacking)."""
    if isinstance(value, May):
        options = [(ls, v) for ls, v in m.options(value) if size is None or _fits(v, size)]
        return m.join([(ls, element(m, v, position, size)) for ls, v in options or m.options(value)])
    container = elements_of(value)
    if isinstance(container, Mapping):
        values = list(container.entries.values())
        if -len(values) <= position < len(values) and not container.open:
            return values[position]
        return m.opaque("item", container.ident, position)
    if isinstance(container, Items):
        return _element(m, container, position)
    found = m.opaque("item", m.ident(value), position, lineage=m.lineage(value))
    _derive(m, value, found, "*")
    return found


def _derive(m: Machine, value: Value, found: Opaque, name: str) -> None:
    whose = m.intern.parameters_of.get(m.ident(value))
    if whose is not None:
        m.intern.parameters_of[found.ident] = whose
    origin = m.origins.get(m.ident(value))
    if origin is not None and m.ident(value) not in m.intern.results:
        m.origins.setdefault(found.ident, f"{origin}.{name}")


def _fits(value: Value, size: int) -> bool:
    return not isinstance(value, Items) or value.content.open or len(value.content.items) == size


def _element(m: Machine, container: Items, position: int) -> Value:
    content = container.content
    size = len(content.items)
    if not content.open and -size <= position < size or content.open and 0 <= position < size:
        return content.items[position]
    if position == -1 and _is_last(m, content):
        return content.items[-1]
    return representative(m, container, position if position >= 0 else (position, size))


def _is_last(m: Machine, content: Content) -> bool:
    """Whether the last known item is the last one at this moment: the loops in which it was added still run."""
    ended = content.ended
    if ended is None or not content.items or len(ended) > len(m.turns):
        return False
    return all(then.loop is now.loop for then, now in zip(ended, m.turns, strict=False))


def representative(m: Machine, container: Items, key: object) -> Value:
    """An element that is not among the known ones: like them where they are of one class, but another object."""
    if key not in container.more:
        items = container.content.items
        example = items[-1] if items else None
        other = _another(m, example, m.intern("element", container.ident, key), _lineage_of_others(m, container))
        container.more[key] = other if container.content.open else _of_one_kind(items, other)
    return container.more[key]


def _lineage_of_others(m: Machine, container: Items) -> int:
    """What the elements depend on that nobody has written to by a key."""
    bits = container.lineage
    for one in container.content.items:
        bits |= 0 if ("written", id(one)) in container.more else m.lineage(one)
    return bits


def _another(m: Machine, example: Value | None, ident: int, lineage: int) -> Value:
    match example:
        case Instance():
            return copied(m, example, ident)
        case Items():
            inner = [_another(m, v, m.intern(ident, n), lineage) for n, v in enumerate(example.content.items)]
            return Items(example.kind, ident, {0: Content(tuple(inner), example.content.open)})
        case May():
            options = [(ls, _another(m, v, m.intern(ident, n), lineage)) for n, (ls, v) in enumerate(example.options)]
            return May(tuple(options))
        case _:
            return Opaque(ident, lineage)


def copied(m: Machine, example: Instance, ident: int | None = None, given: Literals | None = None) -> Instance:
    """A fresh instance of the same construction: what `copy.deepcopy` gives. `given` are the literals under which it is made."""
    given = example.given if given is None else given
    m.intern.effects += 1
    return Instance(
        m.intern.fresh() if ident is None else ident,
        example.cls,
        example.facts,
        example.place,
        example.file,
        example.positional,
        example.keywords,
        given=given,
        is_module=example.is_module,
        adds_state=example.adds_state,
        elements=_copied_elements(m, example.elements, given),
        copy_of=example,
        external=example.external,
        constructed=example.cls is None,
    )


def _copied_elements(m: Machine, elements: Items | Mapping | None, given: Literals) -> Items | Mapping | None:
    match elements:
        case Items():
            return m.items(
                elements.kind, [deep_copied(m, v, given) for v in elements.content.items], elements.content.open
            )
        case Mapping():
            entries = {k: deep_copied(m, v, given) for k, v in elements.entries.items()}
            return Mapping(m.intern.fresh(), entries, elements.open, shown=dict(elements.shown))
        case None:
            return None


def deep_copied(m: Machine, value: Value, given: Literals) -> Value:
    """What `copy.deepcopy` gives: every module in it is another one, made under the literals `given`."""
    match value:
        case Instance():
            made = copied(m, value, given=given)
            made.positional = tuple(_copied_argument(m, one, given) for one in value.positional)
            made.keywords = {name: _copied_argument(m, one, given) for name, one in value.keywords.items()}
            return made
        case Items():
            return _copied_elements(m, value, given) or value
        case May():
            return May(tuple((ls, deep_copied(m, v, given | ls)) for ls, v in value.options))
        case _:
            return value


def _copied_argument(m: Machine, value: Value, given: Literals) -> Value:
    """What an object was made with, as its deep copy holds it. Only modules matter."""
    return deep_copied(m, value, given) if isinstance(value, Instance | May) and holds(m, [value]) else value


def rest(m: Machine, value: Value, before: int, after: int) -> Value:
    """What a starred target takes."""
    container = elements_of(value)
    if isinstance(container, Items):
        items = container.content.items
        return m.items("list", items[before : len(items) - after], container.content.open)
    return m.opaque("rest", m.ident(value), before, lineage=m.lineage(value))


def subscript(m: Machine, value: Value, key: Value) -> Value:
    """`value[key]`."""
    value, key = m.settle(value), m.settle(key)
    if isinstance(value, May):
        return m.join([(ls, subscript(m, v, key)) for ls, v in m.options(value)])
    if isinstance(value, Method) and value.name == "__dict__" and isinstance(key, Const):
        from nnreuse.tracing.attributes import get

        return get(m, value.receiver, str(key.value))
    if isinstance(value, Instance) and not value.is_module:
        from nnreuse.tracing import attributes, calls, construction

        construction.construct(m, value)
        hook = attributes.special(value, "__getitem__")
        if hook is not None:
            return calls.enter(m, hook, (key,), {}, None)
    container = elements_of(value)
    if isinstance(container, Items):
        return _item(m, container, key)
    if isinstance(container, Mapping):
        return _choice(m, container, key) if container is value else _entry(m, container, key)
    entry = tables.entry(m, value, key)
    if entry is not None:
        return entry
    known = entries.read(m, value, key)
    if known is not None:
        return known
    found = m.opaque("[]", m.ident(value), m.ident(key), lineage=m.lineage(value) | m.lineage(key))
    _derive(m, value, found, "*" if not (isinstance(key, Const) and isinstance(key.value, str)) else key.value)
    return found


def _item(m: Machine, container: Items, key: Value) -> Value:
    if isinstance(key, Const) and isinstance(key.value, int):
        return _element(m, container, key.value)
    if isinstance(key, Index):
        if key.base == m.intern("range", "from", "constant"):
            return _element(m, container, key.position)
        return representative(m, container, (key.base, key.position))
    items = container.content.items
    if len(items) == 1 and not container.content.open:
        return items[0]
    if items and not container.content.open and all(not isinstance(v, Instance) for v in items):
        return m.join([(frozenset(), v) for v in items])
    found = representative(m, container, ("at", m.ident(key)))
    code = m.intern.coarse.get(m.ident(key))
    if code is None or m.path.conditional:  # a condition may let only every second pass through
        return found
    return _perhaps_again(m, container, found, code, m.ident(key))


def _perhaps_again(m: Machine, container: Items, found: Value, code: int, key: int) -> Value:
    """What an index leads to that may be that of an earlier pass: what stands there, or what it led to first."""
    first = m.intern.led_to.setdefault((container.ident, code), found)
    if first is found:
        return found
    return _either(m, first, found, container.ident, code, key)


def _either(m: Machine, known: Value, found: Value, *key: int) -> Value:
    """An element that may be a known one, or is another; `key` tells this question from others."""
    same = Literal(m.intern("same", *key), "truth", None, True)
    return m.join([(frozenset([same]), known), (frozenset([same.negated()]), found)])


def _entry(m: Machine, container: Mapping, key: Value) -> Value:
    if isinstance(key, Const):
        if key.value in container.entries:
            return container.entries[key.value]
        if not container.open and not container.entries:
            return m.opaque("entry", container.ident, m.ident(key))
    known = m.ident(key)
    if known not in container.more:
        values = list(container.entries.values())
        if values and not isinstance(values[-1], Instance):
            container.more[known] = m.join([(frozenset(), v) for v in values])
        else:
            example = _another(m, values[-1] if values else None, m.intern("entry", container.ident, known), 0)
            container.more[known] = _of_one_kind(values, example)
    return container.more[known]


_MAKERS = (Class, Name, Function, Partial)
"""What a table of names holds that makes something when it is called."""


def _choice(m: Machine, container: Mapping, key: Value) -> Value:
    """An entry of a plain dict: of modules that forward may call, or of what makes something, one of these, each for its key."""
    unknown = not isinstance(key, Const) and not container.open and container.entries
    here = m.phase != "constructor" or not m.intern.lasts(container.ident, 1)  # tables of files keep one for any key
    modules = here and all(isinstance(v, Instance) for v in container.entries.values())
    if not unknown or not (modules or all(isinstance(v, _MAKERS) for v in container.entries.values())):
        return _entry(m, container, key)
    subject = m.ident(key)
    return m.join([(frozenset([Literal(subject, "==", k, True)]), v) for k, v in container.entries.items()])


def _of_one_kind(values: Sequence[Value], example: Value) -> Value:
    """What stands for any of several elements, its class unknown where they are not all instances of one."""
    kinds = {value.type_name if isinstance(value, Instance) else None for value in values}
    if isinstance(example, Instance) and len(kinds) > 1:
        example.cls = example.facts = example.external = example.elements = None
        example.constructed = True
    return example


def sliced(m: Machine, value: Value, lower: Value | None, upper: Value | None, step: Value | None) -> Value:
    """`value[lower:upper:step]`."""
    value = m.settle(value)
    container = elements_of(value)
    if isinstance(container, Mapping) and isinstance(value, Instance) and _is_sequential(value):
        container = m.items("sequential", container.entries.values(), container.open)
    if isinstance(container, Items):
        return Items(
            container.kind if container.kind == "tuple" or container.kind in _SLICED else "list",
            m.intern.fresh(),
            {0: _slice(m, container, lower, upper, step)},
        )
    parts = [m.ident(p) if p is not None else 0 for p in (lower, upper, step)]
    found = m.opaque("[:]", m.ident(value), *parts, lineage=m.lineage(value))
    _derive(m, value, found, "*")
    return found


_SLICED = {"sequential": "torch.nn.Sequential", "modules": "torch.nn.ModuleList"}
"""What a slice of torch's containers is, by the kind of their elements."""


def part_of(m: Machine, value: Value, place: Place, file: File) -> Value:
    """A slice of a container, where something keeps it, as the container that torch makes of it; any other value itself."""
    if not isinstance(value, Items) or value.kind not in _SLICED:
        return value
    facts = m.program.catalog.find(_SLICED[value.kind])
    return Instance(m.intern.fresh(), None, facts, place, file, elements=value, constructed=True, given=m.path.literals)


def _is_sequential(value: Instance) -> bool:
    return value.cls is None and value.facts is not None and value.facts.container == "sequential"


def _slice(m: Machine, container: Items, lower: Value | None, upper: Value | None, step: Value | None) -> Content:
    content = container.content
    lower, upper, step = (None if p == NONE else p for p in (lower, upper, step))
    known = [p.value if isinstance(p, Const) else "?" for p in (lower, upper, step) if p is not None]
    first, last, by = (_bound(p) for p in (lower, upper, step))
    forwards = bool(content.items) and (by is None or by > 0)
    if forwards and lower is not None and first is None:
        return _cut(m, container, lower, from_there=True)
    if forwards and lower is None and upper is not None and last is None:
        if (container.ident, m.ident(upper), True) in m.intern.cuts:
            return _cut(m, container, upper, from_there=False)
        m.intern.cuts.add((container.ident, m.ident(upper), False))
    bounds = slice(first, last, by or None)
    items = content.items[bounds]
    if not content.open:
        return Content(items, "?" in known)
    first = first if first is not None and first > 0 else 0
    if by is None:
        by = 1 if step is None else 0
    if "?" not in known and by > 0 and last is not None and last >= 0:
        return Content(tuple(_element(m, container, k) for k in range(first, min(last, first + 12 * by), by)))
    if by > 1 or first and by:
        return Content(
            tuple(_element(m, container, k) for k in range(first, first + by * max(2, len(items)), by)), True
        )
    return Content(content.items[::-1] if by == -1 else content.items, True)


def _cut(m: Machine, container: Items, where: Value, from_there: bool) -> Content:
    """`layers[k:]`, or `layers[:k]`, for an unknown `k`: others than in the other part, if that was taken, the same in the same part.

    They may be elements that a loop over the whole meets. A part that moves with a loop, `layers[i::3]`, is another in each pass.
    """
    ident = m.ident(where)
    m.intern.cuts.add((container.ident, ident, from_there))
    found = [representative(m, container, ("cut", ident, from_there, n)) for n in range(2)]
    if not isinstance(where, Index) and (container.ident, ident, not from_there) not in m.intern.cuts:
        for n, known in enumerate(container.content.items[:2]):
            found[n] = _either(m, known, found[n], container.ident, ident, n)
    return Content(tuple(found), True)


def _bound(value: Value | None) -> int | None:
    return value.value if isinstance(value, Const) and isinstance(value.value, int) else None


def set_item(m: Machine, receiver: Value, key: Value, value: Value) -> None:
    """`receiver[key] = value`."""
    for _, one in m.options(receiver):
        container = elements_of(one)
        if isinstance(container, Mapping):
            put(m, container, key, value)
        elif isinstance(one, Instance) and not one.is_module and container is None:
            _set_by_method(m, one, key, value)
        elif isinstance(container, Items):
            _replace(m, container, key, value)
        elif isinstance(one, Opaque):
            entries.write(m, one, key, value)


def delete_item(m: Machine, receiver: Value, key: Value) -> None:
    """`del receiver[key]`; what goes where the key is not known is not."""
    for _, one in m.options(receiver):
        container = elements_of(one)
        if isinstance(container, Mapping) and isinstance(key, Const):
            m.forget(container.entries, key.value)
        elif isinstance(container, Items):
            items, at = list(container.content.items), key.value if isinstance(key, Const) else None
            if isinstance(at, int) and -len(items) <= at < len(items):
                del items[at]
                m.write(container.cell, 0, Content(tuple(items), container.content.open))
            else:
                m.write(container.cell, 0, Content((), True))
                lose_sight(items)


def _set_by_method(m: Machine, owner: Instance, key: Value, value: Value) -> None:
    from nnreuse.tracing import attributes, calls

    hook = attributes.special(owner, "__setitem__")
    if hook is not None:
        calls.enter(m, hook, (key, value), {}, None)


def put(m: Machine, container: Mapping, key: Value, value: Value) -> None:
    """Sets an entry of a dict or ModuleDict."""
    if isinstance(key, Const):
        m.write(container.entries, key.value, value)
        if key.display:
            container.shown[key.value] = key.display
            container.open = True
    else:
        known = ("unknown", m.ident(key))
        m.write(container.entries, known, value)
        text = m.intern.texts.get(m.ident(key))
        container.shown[known] = text.shown if text is not None and text.numbered else "*"
        container.more[m.ident(key)] = value
        container.open = True


def _replace(m: Machine, container: Items, key: Value, value: Value) -> None:
    content = container.content
    position = key.value if isinstance(key, Const) else key.position if isinstance(key, Index) else None
    if isinstance(position, int) and -len(content.items) <= position < len(content.items):
        items = list(content.items)
        items[position] = value
        m.write(container.cell, 0, Content(tuple(items), content.open))
    elif not any(isinstance(v, Instance) for v in content.items):
        where = _apart(m, key)
        if where is None:
            container.lineage |= m.lineage(value)
        else:
            m.write(container.more, where, value)
            m.write(container.more, ("written", id(value)), value)
        m.write(container.cell, 0, Content((*content.items, value)[:MAX_ITEMS], True))


def _apart(m: Machine, key: Value) -> object | None:
    """The key under which an element that is not among the known ones is found again; None where it may be any."""
    if isinstance(key, Index):
        return key.position if key.base == m.intern("range", "from", "constant") else (key.base, key.position)
    return ("at", m.ident(key)) if isinstance(key, Opaque) and entries.is_plain(m, key) else None


def append(m: Machine, container: Items, value: Value, at: int | None = None) -> None:
    """`append` and `insert`; in a loop of unknown length the list becomes open."""
    content = container.content
    items = list(content.items)
    items.insert(len(items) if at is None else at, value)
    _grow(m, container, items, content.open, m.turns if at is None else None)


def extend(m: Machine, container: Items, value: Value) -> None:
    """`extend` and `+=`."""
    more = as_content(m, value)
    content = container.content
    items = [*content.items, *more.items]
    _grow(m, container, items, content.open or more.open, m.turns if more.items and not more.open else None)


def _grow(m: Machine, container: Items, items: list[Value], is_open: bool, ended: tuple[Turn, ...] | None) -> None:
    """Gives a list more items; in a loop of unknown length it becomes open. `ended`: where control is, if the last is its end now."""
    unknown = any(not turn.exact for turn in m.turns)
    grown = m.content(tuple(items), is_open or unknown)
    m.write(container.cell, 0, replace(grown, ended=ended) if len(items) <= MAX_ITEMS else grown)


def as_content(m: Machine, value: Value) -> Content:
    """What iterating a value gives."""
    value = m.settle(value)
    if isinstance(value, May):
        options = [(ls, as_content(m, v)) for ls, v in m.options(value) if v != NONE]
        joined = m.join_slots([(ls, c) for ls, c in options])
        return joined if isinstance(joined, Content) else Content((), True)
    container = elements_of(value)
    if isinstance(container, Items):
        return container.content
    if isinstance(container, Mapping):
        keys: list[Value] = [Const(k, container.shown.get(k)) for k in container.entries]
        return Content(tuple(keys), container.open)
    if isinstance(value, Const) and isinstance(value.value, str) and value.display is None:
        return m.content(tuple(Const(character) for character in value.value), False)
    return Content(tuple(element(m, value, k) for k in range(2)), True)


def holds(m: Machine, values: Iterable[Value], depth: int = 0) -> bool:
    """Whether a value is, or contains, a module instance; an object may, whose arguments or attributes do."""
    for value in values:
        for _, one in m.options(value):
            match one:
                case Instance(is_module=True):
                    return True
                case Instance():
                    inside = (*one.positional, *one.keywords.values(), *one.attrs.values())
                case Items():
                    inside = [v for v in one.content.items if isinstance(v, Instance | May)]
                case _:
                    continue
            if depth > 3 or holds(m, inside, depth + 1):
                return True
    return False


def local_class(m: Machine, f: Frame, node: ast.ClassDef) -> Value:
    """A class defined inside a function."""
    from nnreuse.tracing.values import Class

    units = f.unit.class_inside(node)
    inside = f"{f.owner.name}.{f.name}" if f.owner is not None else f.name
    return Class(m.program.class_of(f.file, units, f"{inside}.<locals>.{node.name}"))


def allocate(
    m: Machine,
    f: Frame,
    node: ast.AST,
    cls: ModuleClass | None,
    facts: ModuleFacts | None,
    positional: tuple[Value, ...],
    keywords: dict[str, Value],
) -> Instance:
    """The object that one execution of a constructor call makes. Its own constructor runs when someone looks inside."""
    place = f.unit.place(node) if isinstance(node, ast.expr) else None
    made = Instance(m.intern.fresh(), cls, facts, place, f.file, positional, keywords, given=m.path.literals)
    if cls is not None:
        m.program.reads.note(cls)
    made.is_module = facts is not None or (cls is not None and m.program.is_module_class(cls))
    if m.intern.made is not None:
        m.intern.effects += 1
        m.intern.made.append(made)
    if facts is not None and cls is None:
        if facts.container == "sequential" and isinstance(node, ast.Call):
            placing.placed_by_call(m, f, node, positional)
        fill(m, made, facts, positional, keywords)
        made.constructed = True
    if made.is_module:
        m.intern.effects += 1
        m.progress()
        m.creations.append(Creation(made, node, f.file, m.phase, m.path, m.turns))
    return made


def fill(
    m: Machine, made: Instance, facts: ModuleFacts, positional: tuple[Value, ...], keywords: dict[str, Value]
) -> None:
    """Gives a torch container its elements."""
    given = positional[0] if positional else next(iter(keywords.values()), None)
    if facts.container == "sequential":
        if len(positional) == 1 and isinstance(given, Mapping):
            made.elements = Mapping(m.intern.fresh(), dict(given.entries), given.open, shown=dict(given.shown))
        else:
            made.elements = m.items("sequential", flat(m, positional), any(_opens(p) for p in positional))
    elif facts.container in ("list", "parameters"):
        content = as_content(m, given) if given is not None else Content(())
        made.elements = Items("modules", m.intern.fresh(), {0: content})
    elif facts.container == "dict":
        made.elements = Mapping(m.intern.fresh(), {}, False)
        if given is not None:
            update(m, made.elements, given)


def admit_others(m: Machine, elements: Items | Mapping) -> None:
    """Gives a container that may hold anything two unknown elements, so that loops over it have some."""
    others = [m.opaque("others", elements.ident, number) for number in range(2)]
    if isinstance(elements, Items) and elements.content.open and not elements.content.items:
        elements.cell[0] = Content(tuple(others), True)
    elif isinstance(elements, Mapping) and elements.open and not elements.entries:
        for number, other in enumerate(others):
            elements.entries["others", number] = other
            elements.shown["others", number] = "*"


def flat(m: Machine, positional: tuple[Value, ...]) -> list[Value]:
    """Positional arguments with star arguments (`kind` `star`) spread."""
    values: list[Value] = []
    for value in positional:
        if isinstance(value, Items) and value.kind == "star":
            values += value.content.items
        else:
            values.append(value)
    return values


def _opens(value: Value) -> bool:
    return isinstance(value, Items) and value.kind == "star" and value.content.open


def dictionary(m: Machine, positional: tuple[Value, ...], keywords: dict[str, Value]) -> Mapping:
    """What `dict(...)` makes."""
    made = Mapping(m.intern.fresh(), {})
    if positional:
        update(m, made, positional[0])
    for key, value in keywords.items():
        made.entries[key] = value
    made.open = made.entries.pop("**", None) is not None or made.open
    return made


def update(m: Machine, container: Mapping, given: Value) -> None:
    """`dict.update`, and the constructor of ModuleDict."""
    given = m.settle(given)
    if isinstance(given, Mapping) or (isinstance(given, Instance) and isinstance(given.elements, Mapping)):
        source = given if isinstance(given, Mapping) else given.elements
        assert isinstance(source, Mapping)
        for key, value in source.entries.items():
            m.write(container.entries, key, value)
            if key in source.shown:
                container.shown[key] = source.shown[key]
        container.open = container.open or source.open
    elif isinstance(given, Items):
        for pair in given.content.items:
            if isinstance(pair, Items) and len(pair.content.items) == 2:
                put(m, container, pair.content.items[0], pair.content.items[1])
        container.open = container.open or given.content.open
    else:
        container.open = True
