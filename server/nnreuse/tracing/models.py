"""Models of what the tracer does not enter: torch's classes and wrappers, Python's builtins, methods of containers."""

import ast
import re
import sys
from collections.abc import Callable
from typing import cast

from nnreuse.tracing import (
    arithmetic,
    calls,
    construction,
    kinds,
    methods,
    objects,
    shapes,
    spelling,
    texts,
)
from nnreuse.tracing.arithmetic import pure
from nnreuse.tracing.conditions import Literal
from nnreuse.tracing.iteration import Iteration, counted, iterate
from nnreuse.tracing.loops import Flow, run_passes
from nnreuse.tracing.machine import MAX_ITEMS, Frame, Machine, lose_sight
from nnreuse.tracing.trace import Repetition
from nnreuse.tracing.values import (
    NONE,
    Class,
    Const,
    Content,
    Index,
    Instance,
    Items,
    Mapping,
    Opaque,
    Partial,
    Record,
    Value,
)
from nnreuse.types.meaning import External, ModuleClass

_CLASS_NAME = re.compile(r"[A-Z]\w+$")
_WITHOUT_MODULES = ("torch.optim.", "torch.utils.data.", "torch.distributions.", "torch.cuda.")
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
    if m.phase == "constructor" and _CLASS_NAME.match(last) and not _makes_no_module(dotted):
        meaning = m.program.refined(external)
        if isinstance(meaning, ModuleClass):
            return objects.allocate(m, f, node, meaning, None, positional, keywords)
        made = objects.allocate(m, f, node, None, None, positional, keywords)
        made.external, made.is_module, made.constructed = dotted, True, True
        return made
    if last.startswith(("is_", "has_")) or dotted.startswith(("math.", "builtins.")):
        return pure(m, dotted, positional)
    result = calls.unknown(m, positional, keywords)
    if positional and m.intern.shapes:
        shapes.kept(m, dotted, positional[0], (*positional[1:], *keywords.values()), result)
    return result


def _makes_no_module(dotted: str) -> bool:
    """Whether a class is one of Python's own, or of a part of torch that defines no modules."""
    package, _, rest = dotted.partition(".")
    return (
        package in sys.stdlib_module_names
        or package in ("torch", "numpy")
        and ("." not in rest or dotted.startswith(_WITHOUT_MODULES))
    )


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
    return objects.deep_copied(m, m.settle(positional[0]), m.path.literals) if positional else m.opaque()


def _replace(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    """`dataclasses.replace`: another object with the same fields but for those that are named."""
    given = m.settle(positional[0]) if positional else None
    if not isinstance(given, Instance) or given.is_module or ("**" in keywords and not m.intern.counting):
        return m.opaque()
    construction.construct(m, given)
    changes = {name: value for name, value in keywords.items() if name != "**"}
    made = Instance(m.intern.fresh(), given.cls, given.facts, given.place, given.file, is_module=False)
    made.attrs, made.constructed, made.complete = {**given.attrs, **changes}, True, given.complete
    return made


def _asdict(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    """`dataclasses.asdict`: the fields, those of fields too."""
    given = m.settle(positional[0]) if positional else m.opaque()
    return _fields_of(m, given) if isinstance(given, Instance) and not given.is_module else m.opaque()


def _fields_of(m: Machine, value: Value) -> Value:
    if not isinstance(value, Instance) or value.is_module:
        return value
    construction.construct(m, value)
    return Mapping(m.intern.fresh(), {name: _fields_of(m, v) for name, v in value.attrs.items()}, not value.complete)


def _partial(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    return Partial(positional[0], positional[1:], keywords) if positional else m.opaque()


def _namedtuple(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    names = m.settle(positional[1]) if len(positional) > 1 else keywords.get("field_names", NONE)
    if isinstance(names, Const):
        fields = str(names.value).replace(",", " ").split()
    else:
        fields = [str(v.value) for v in objects.as_content(m, names).items if isinstance(v, Const)]
    return Record(tuple(fields))


def record(m: Machine, made: Record, positional: Positional, keywords: Keywords) -> Value:
    """What the constructor of a named tuple makes: a tuple whose elements have names."""
    given = dict(zip(made.fields, positional, strict=False)) | {k: v for k, v in keywords.items() if k in made.fields}
    return Items(
        "tuple",
        m.intern.fresh(),
        {0: Content(tuple(given.get(name) or m.opaque() for name in made.fields))},
        fields=made.fields,
    )


def _map(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
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


def _filter(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    from nnreuse.tracing.decisions import truth_of

    if len(positional) != 2:
        return m.opaque()
    content = objects.as_content(m, positional[1])
    kept: list[Value] = []
    for value in content.items:
        test = value if positional[0] == NONE else calls.call_with(m, f, node, positional[0], (value,))
        truth = truth_of(m.settle(test))
        if truth is None:
            append = m.items("list", kept, content.open)
            literal = Literal(m.ident(test), "truth", None, True)
            arms = [(frozenset([literal]), _adds(m, append, value)), (frozenset([literal.negated()]), lambda: None)]
            m.alternatives(arms, lambda _: False)
            kept = list(append.content.items)
        elif truth:
            kept.append(value)
    return m.items("list", kept, content.open)


def _adds(m: Machine, container: Items, value: Value) -> Callable[[], None]:
    return lambda: objects.append(m, container, value)


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
            length = len(range(cast("int", start.value), cast("int", stop.value), by))
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
    return objects.dictionary(m, positional, keywords)


def _fromkeys(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    value = positional[1] if len(positional) > 1 else NONE
    made = Mapping(m.intern.fresh(), {})
    for key in objects.as_content(m, positional[0]).items if positional else ():
        objects.put(m, made, key, value)
    _repeats(m, f, node, node.args[1:2], value)
    return made


def _repeats(m: Machine, f: Frame, node: ast.Call, given: list[ast.expr], value: Value) -> None:
    """Notes that a constructor holds one instance several times."""
    instances = tuple(v for _, v in m.options(value) if isinstance(v, Instance) and v.is_module)
    if instances and m.phase == "constructor":
        inline = any(isinstance(n, ast.Call) for n in given)
        m.repetitions.append(Repetition(f.unit.place(node), node, f.file, instances, inline, m.path))


def _len(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    value = m.settle(positional[0]) if positional else NONE
    container = objects.elements_of(value)
    if isinstance(container, Items) and not container.content.open:
        return Const(len(container.content.items))
    if isinstance(container, Mapping) and not container.open:
        return Const(len(container.entries))
    grown = len(container.content.items) if isinstance(container, Items) else 0
    return m.opaque("len", m.ident(value), grown) if grown else m.opaque("len", m.ident(value))


def _getattr(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    if len(positional) < 2:
        return m.opaque()
    return methods.get_named(m, positional[0], positional[1])


def _hasattr(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    owner, name = ([m.settle(v) for v in positional] + [NONE, NONE])[:2]
    if isinstance(owner, Instance) and isinstance(name, Const) and name.value in owner.attrs:
        return Const(True)
    return pure(m, "hasattr", positional)


def _setattr(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    if len(positional) == 3:
        methods.set_named(m, f, node, *positional)
    return NONE


def _parameter(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    made = m.opaque()
    m.intern.parameters.add(made.ident)
    if (positional[1] if len(positional) > 1 else keywords.get("requires_grad")) == Const(False):
        m.intern.frozen.add(made.ident)
    m.intern.effects += 1
    return made


def _buffer(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    """A tensor that is no module."""
    made = m.opaque()
    m.intern.results.add(made.ident)
    return made


def _isolated(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    return m.opaque()


def _never(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    """Traces are of eager execution."""
    return Const(False)


def _chain(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    contents = [objects.as_content(m, p) for p in positional]
    return m.items("list", [v for c in contents for v in c.items], any(c.open for c in contents))


def _repeat(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    if not positional:
        return m.opaque()
    given, *rest = positional
    times = m.settle(rest[0]) if rest else None
    number = times.value if isinstance(times, Const) and isinstance(times.value, int) else None
    if number not in (0, 1):
        _repeats(m, f, node, node.args[:1], given)
    known = number if number is not None and number <= MAX_ITEMS else 2
    return m.items("list", [given] * max(known, 0), number != known)


def _str(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    value = m.settle(positional[0]) if positional else Const("")
    if isinstance(value, Opaque) and value.kind == "str":
        return value
    return spelling.spelled(m, [value]) if isinstance(value, Const | Index | Opaque) else pure(m, "str", positional)


def _number(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    value = m.settle(positional[0]) if positional else Const(0)
    if isinstance(value, Index):
        return value
    if isinstance(value, Const) and isinstance(value.value, int | float | bool):
        return Const(int(value.value))
    if isinstance(value, Const) and isinstance(value.value, str) and value.value.isdecimal() and value.display is None:
        return Const(int(value.value))
    if isinstance(value, Opaque) and value.kind == "int":
        return value
    result = pure(m, "number", positional)
    if m.ident(value) in m.intern.scaled:
        m.intern.coarse[m.ident(result)] = id(node)
    return result


def _type(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    value = m.settle(positional[0]) if positional else NONE
    return Class(value.cls) if isinstance(value, Instance) and value.cls else pure(m, "type", positional)


def _iter(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    content = objects.as_content(m, positional[0]) if positional else Content((), True)
    return Items("iterator", m.intern.fresh(), {0: content})


def _next(m: Machine, f: Frame, node: ast.Call, positional: Positional, keywords: Keywords) -> Value:
    iterator = m.settle(positional[0]) if positional else NONE
    if isinstance(iterator, Items) and iterator.kind == "iterator":
        content = iterator.content
        if content.items and not content.open and all(turn.exact for turn in m.turns):
            m.write(iterator.cell, 0, Content(content.items[1:], content.open))
            return content.items[0]
        lose_sight(content.items)
        return m.opaque()
    return objects.element(m, positional[0], 0) if positional else m.opaque()


_MODELS: dict[str, Model] = {
    "builtins.range": _range,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.reversed": _reversed,
    "builtins.list": _list,
    "builtins.sorted": _list,
    "builtins.set": _list,
    "builtins.iter": _iter,
    "builtins.tuple": _tuple,
    "builtins.dict": _dict,
    "builtins.dict.fromkeys": _fromkeys,
    "builtins.len": _len,
    "builtins.isinstance": kinds.is_instance,
    "builtins.callable": kinds.is_callable,
    "builtins.getattr": _getattr,
    "builtins.hasattr": _hasattr,
    "builtins.setattr": _setattr,
    "torch.nn.Module.__getattr__": _getattr,
    "torch.nn.Module.__setattr__": _setattr,
    "builtins.map": _map,
    "builtins.filter": _filter,
    "builtins.str": _str,
    "builtins.int": _number,
    "builtins.sum": arithmetic.total,
    "builtins.type": _type,
    "builtins.next": _next,
    "builtins.print": _isolated,
    **arithmetic.MODELS,
    "collections.OrderedDict": _dict,
    "collections.namedtuple": _namedtuple,
    "copy.deepcopy": _deepcopy,
    "copy.copy": _deepcopy,
    "copy.replace": _replace,
    "re.split": texts.pattern_split,
    "dataclasses.asdict": _asdict,
    "dataclasses.replace": _replace,
    "functools.partial": _partial,
    "functools.reduce": _reduce,
    "itertools.chain": _chain,
    "itertools.repeat": _repeat,
    "torch.jit.is_scripting": _never,
    "torch.jit.is_tracing": _never,
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
    "torch.nn.Buffer": _buffer,
    "torch.nn.parameter.Buffer": _buffer,
    "torch.utils.checkpoint.checkpoint_sequential": _checkpoint_sequential,
    "torch.utils.checkpoint.checkpoint": _checkpoint,
}
_SAME = {
    "typing.OrderedDict": "collections.OrderedDict",
    "torch.nn.parameter.UninitializedParameter": "torch.nn.Parameter",
    "torch.nn.UninitializedParameter": "torch.nn.Parameter",
}
