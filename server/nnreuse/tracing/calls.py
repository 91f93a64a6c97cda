"""Calls: functions are entered, classes allocate, module instances are recorded, everything else joins lineage."""

import ast
from collections.abc import Iterator

from nnreuse.tracing import (
    attributes,
    binding,
    decorators,
    expressions,
    freezing,
    helpers,
    loops,
    methods,
    models,
    objects,
    refining,
    shapes,
    statements,
    texts,
)
from nnreuse.tracing.conditions import Literal, Literals, Path
from nnreuse.tracing.lineage import MAX_CALLS
from nnreuse.tracing.machine import HELPER_STEPS, MAX_DEPTH, MAX_ROUNDS, Exits, Frame, Machine
from nnreuse.tracing.recall import recalled
from nnreuse.tracing.trace import Call
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
    Partial,
    Record,
    Super,
    Value,
)
from nnreuse.types.meaning import FunctionRef, ModuleClass

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
MODULE_METHODS = frozenset(
    "__getattr__ __setattr__ "
    "add_module append apply bfloat16 buffers children compile cpu cuda double eval extend extra_repr float forward get_buffer "
    "get_extra_state get_parameter get_submodule half insert ipu items keys load_state_dict modules mtia named_buffers "
    "named_children named_modules named_parameters parameters pop register_backward_hook register_buffer register_forward_hook "
    "register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook "
    "register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook "
    "register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty train type "
    "update values xpu zero_grad".split()
)
"""Of `nn.Module` and of torch's containers: calls of these are no calls of modules."""
Keywords = dict[str, Value]


def call(m: Machine, f: Frame, node: ast.Call) -> Value:
    """The value of a call expression."""
    if isinstance(node.func, ast.Name) and node.func.id == "super" and f.owner is not None:
        return _super(m, f)
    callee = expressions.evaluate(m, f, node.func)
    if isinstance(callee, Method) and callee.name == "extend" and _extends_lazily(m, f, node, callee):
        return NONE
    positional = tuple(_positional(m, f, node))
    keywords: Keywords = {}
    for keyword in node.keywords:
        value = expressions.evaluate(m, f, keyword.value)
        if keyword.arg is not None:
            keywords[keyword.arg] = value
        elif isinstance(value, Mapping):
            keywords.update({k: v for k, v in value.entries.items() if isinstance(k, str)})
            if value.open:
                keywords["**"] = value
        else:
            keywords["**"] = value
    return invoke(m, f, node, callee, positional, keywords)


def _extends_lazily(m: Machine, f: Frame, node: ast.Call, callee: Method) -> bool:
    """`extend` by a generator: each element is there before the next one is made."""
    container = objects.elements_of(callee.receiver)
    if not isinstance(container, Items) or len(node.args) != 1 or not isinstance(node.args[0], ast.GeneratorExp):
        return False
    expressions.generate(m, f, node.args[0], lambda value: objects.append(m, container, value))
    return True


def _positional(m: Machine, f: Frame, node: ast.Call) -> list[Value]:
    values: list[Value] = []
    for argument in node.args:
        value = expressions.evaluate(m, f, argument)
        if isinstance(argument, ast.Starred) and isinstance(value, Items) and not value.content.open:
            values += value.content.items
        else:
            values.append(value)
    return values


def _super(m: Machine, f: Frame) -> Value:
    scope: Frame | None = f
    while scope is not None and scope.this is None:
        scope = scope.closure
    this = scope.this if scope else next(iter(f.names.values()), None)
    if isinstance(this, Instance) and f.owner is not None:
        return Super(this, f.owner)
    return m.opaque()


def invoke(
    m: Machine, f: Frame, node: ast.Call, callee: Value, positional: tuple[Value, ...], keywords: Keywords
) -> Value:
    """Calls a value."""
    match callee:
        case May():
            return _invoke_options(m, f, node, callee, positional, keywords)
        case Instance():
            return call_instance(m, f, node, callee, positional, keywords)
        case Class(cls):
            return instantiate(m, f, node, cls, positional, keywords)
        case Function():
            return _call_function(m, f, node, callee, positional, keywords)
        case Partial(function, given, named):
            return invoke(m, f, node, function, (*given, *positional), {**named, **keywords})
        case Record():
            return models.record(m, callee, positional, keywords)
        case Name(external):
            return models.call_external(m, f, node, external, positional, keywords)
        case Method(receiver, name):
            return methods.call_method(m, f, node, receiver, name, positional, keywords)
        case Opaque():
            return _call_opaque(m, f, node, callee, positional, keywords)
        case Items(kind="sequential"):
            return _call_slice(m, f, node, callee, positional)
        case _:
            return unknown(m, positional, keywords)


def _invoke_options(
    m: Machine, f: Frame, node: ast.Call, callee: May, positional: tuple[Value, ...], keywords: Keywords
) -> Value:
    options = m.options(callee)
    if len(options) > 1:
        options = [(ls, v) for ls, v in options if v != NONE and not isinstance(v, Const)]
    known: list[tuple[Literals, Value]] = [(ls, v) for ls, v in options if not isinstance(v, Opaque)]
    if m.phase == "constructor" and known:
        options = known
    if len(options) == 1:
        ((literals, value),) = options
        before, m.path = m.path, m.path.under(literals)
        try:
            return invoke(m, f, node, value, positional, keywords)
        finally:
            m.path = Path(before.literals, m.path.excluded)
    choice = m.intern("choice", m.ident(callee))
    arms = [
        (ls or frozenset([Literal(choice, "==", n, True)]), _thunk(m, f, node, v, positional, keywords))
        for n, (ls, v) in enumerate(options)
    ]
    values = m.alternatives(arms, lambda _: False)
    return m.join([(ls, v) for (ls, _), v in zip(arms, values, strict=True)]) if values else m.opaque()


def _thunk(m: Machine, f: Frame, node: ast.Call, v: Value, positional: tuple[Value, ...], keywords: Keywords):  # noqa: ANN202
    return lambda: invoke(m, f, node, v, positional, keywords)


def unknown(m: Machine, positional: tuple[Value, ...], keywords: Keywords, lineage: int = 0) -> Opaque:
    """The result of something unknown: a fresh value that depends on all arguments. Modules given to it may be called there."""
    for value in (*positional, *keywords.values()):
        lineage |= m.lineage(value)
        _hand_on(m, value)
    return m.opaque(lineage=lineage)


def _hand_on(m: Machine, value: Value, depth: int = 0) -> None:
    if m.phase == "constructor":
        return
    for _, one in m.options(value):
        if isinstance(one, Instance) and one.is_module:
            if one is m.root:
                m.escaped = True
            one.handed_on = True
        elif isinstance(one, Items) and depth < 2:
            for item in one.content.items:
                _hand_on(m, item, depth + 1)


def _call_opaque(
    m: Machine, f: Frame, node: ast.Call, callee: Opaque, positional: tuple[Value, ...], keywords: Keywords
) -> Value:
    """An unknown value held on the class that is called like a module has identity too."""
    if m.phase != "constructor" and callee.ident in m.origins:
        return call_instance(m, f, node, refining.unknown_instance(m, callee.ident), positional, keywords)
    if isinstance(node.func, ast.Attribute):
        if node.func.attr == "requires_grad_":
            owner = expressions.evaluate(m, f, node.func.value)
            freezing.set_grad(m, owner, next(iter((*positional, *keywords.values())), Const(True)))
            return owner
        lineage = callee.lineage
        result = _made(m, unknown(m, positional, keywords, lineage))
        if node.func.attr.endswith("_") and not node.func.attr.startswith("_"):
            _written(m, f, node.func.value, result.lineage)
        elif all(isinstance(v, (Const, Opaque)) for v in (*positional, *keywords.values())):
            named = sorted((name, m.ident(v)) for name, v in keywords.items())
            result.ident = m.intern("method", callee.ident, *(m.ident(v) for v in positional), *named)
            texts.presume_result(m, callee.ident, result.ident, positional)
        if callee.ident in m.intern.read_off:
            tensor, name = m.intern.read_off[callee.ident]
            shapes.kept(m, f"torch.Tensor.{name}", tensor, (*positional, *keywords.values()), result)
        return result
    return _made(m, unknown(m, positional, keywords, callee.lineage))


def _made(m: Machine, result: Opaque) -> Opaque:
    if m.phase == "constructor":
        m.intern.constructed.add(result.ident)
    return result


def _written(m: Machine, f: Frame, receiver: ast.expr, lineage: int) -> None:
    value = expressions.evaluate(m, f, receiver)
    if isinstance(value, Opaque):
        value.lineage |= lineage
        m.intern.wrote(value.ident)
        value.ident = m.intern.fresh()


def call_instance(
    m: Machine, f: Frame, node: ast.Call, callee: Instance, positional: tuple[Value, ...], keywords: Keywords
) -> Value:
    """A module instance is called: recorded in forward; its result depends on it and on everything given to it."""
    if callee is m.root:
        return _call_function_of(m, f, node, callee, "forward", positional, keywords)
    if not callee.is_module:
        return _call_function_of(m, f, node, callee, "__call__", positional, keywords)
    lineage = 0
    for value in (*positional, *keywords.values()):
        lineage |= m.lineage(value)
        if holds_module(m, value):
            _hand_on(m, value)
    if m.phase == "constructor":
        return m.opaque(lineage=lineage)
    inputs = tuple(m.ident(v) for v in (*positional, *keywords.values()))
    fed = inputs[0] if len(inputs) == 1 else 0
    return _record(m, f, node, callee, lineage, inputs, m.path, None, fed)


def _record(
    m: Machine,
    f: Frame,
    node: ast.Call,
    callee: Instance,
    lineage: int,
    inputs: tuple[int, ...],
    path: Path,
    container: Instance | None,
    fed: int,
) -> Opaque:
    """Writes a call down, and those of its members where it is a Sequential. `fed` is the ident of a sole input, else 0."""
    if len(m.calls) >= MAX_CALLS:
        m.complete = False
        return m.opaque(lineage=lineage)
    number = len(m.calls)
    arriving = m.lineages.calls(lineage, m.path, m.possible)
    m.calls.append(
        Call(number, callee, f.file, f.unit, node, arriving, inputs, path, m.turns, m.phase, f.name, container)
    )
    result = m.opaque(lineage=lineage | 1 << number)
    if callee.cls is None and callee.facts and callee.facts.container == "sequential":
        last = _call_members(m, f, node, callee.elements, callee, lineage, path, fed)
        result.lineage |= last.lineage
        known = m.intern.shapes.get(last.ident, ())
    else:
        known = shapes.called(m, m.calls[number], fed) if fed else ()
    if known:
        m.intern.shapes[result.ident] = known
    return result


def holds_module(m: Machine, value: Value) -> bool:
    return not isinstance(value, Opaque | Const) and objects.holds(m, [value])


def _call_slice(m: Machine, f: Frame, node: ast.Call, part: Items, positional: tuple[Value, ...]) -> Opaque:
    """A slice of a Sequential is called, `self.layers[:2](x)`: its members are, by the code at hand."""
    lineage = 0
    for value in positional:
        lineage |= m.lineage(value)
    if m.phase == "constructor":
        return m.opaque(lineage=lineage)
    fed = m.ident(positional[0]) if len(positional) == 1 else 0
    return _call_members(m, f, node, part, None, lineage, m.path, fed)


def _call_members(
    m: Machine,
    f: Frame,
    node: ast.Call,
    container: Items | Mapping | None,
    callee: Instance | None,
    lineage: int,
    path: Path,
    fed: int,
) -> Opaque:
    """A Sequential calls its members in order, each on the result of the one before; the last result."""
    values = container.content.items if isinstance(container, Items) else ()
    if isinstance(container, Mapping):
        values = tuple(container.entries.values())
    for value in values:
        given, options = (m.intern.fresh(),), m.options(value)
        result = Opaque(0)
        for literals, one in options:
            if isinstance(one, Instance) and one is not callee and m.possible(literals):
                result = _record(m, f, node, one, lineage, given, path.under(literals), callee, fed)
                lineage |= result.lineage
        known = len(options) == 1 and isinstance(options[0][1], Instance)
        fed = result.ident if known else m.intern.fresh()
    more = isinstance(container, Items | Mapping) and _is_open(container)
    return Opaque(m.intern.fresh() if more else fed, lineage)


def _is_open(container: Items | Mapping) -> bool:
    return container.content.open if isinstance(container, Items) else container.open


def _call_function_of(
    m: Machine, f: Frame, node: ast.Call, owner: Instance, name: str, positional: tuple[Value, ...], keywords: Keywords
) -> Value:
    found = owner.cls.find(name) if owner.cls else None
    if found is not None and isinstance(found[2], DEFINITIONS):
        function = Function(found[0].file, found[1], found[2], None, found[0], owner)
        return _call_function(m, f, node, function, positional, keywords)
    return unknown(m, positional, keywords)


def instantiate(
    m: Machine, f: Frame, node: ast.AST, cls: ModuleClass, positional: tuple[Value, ...], keywords: Keywords
) -> Value:
    """A class of a readable file is called."""
    return objects.allocate(m, f, node, cls, None, positional, keywords)


def _call_function(
    m: Machine, f: Frame, node: ast.Call, callee: Function, positional: tuple[Value, ...], keywords: Keywords
) -> Value:
    if m.phase == "constructor" or _worth_entering(m, callee, positional, keywords):
        return enter(m, callee, positional, keywords, node)
    if len(m.stack) < MAX_DEPTH and helpers.makes_modules(m, callee):
        return _entered(m, callee, positional, keywords, HELPER_STEPS * 2, False)[0]
    return unknown(m, positional, keywords, m.lineage(callee.receiver) if callee.receiver else 0)


def _worth_entering(m: Machine, callee: Function, positional: tuple[Value, ...], keywords: Keywords) -> bool:
    """In forward: methods of self, functions of the function at hand, those given a module or a function, methods of what holds one."""
    if callee.closure is not None or isinstance(callee.node, ast.Lambda):
        return True
    receiver = callee.receiver
    if receiver is m.root and receiver is not None:
        return True
    if isinstance(receiver, Class) and m.root is not None and m.root.cls is not None and receiver.cls in m.root.cls.mro:
        return True
    if isinstance(receiver, Instance) and receiver.is_module:
        return False
    values = (*positional, *keywords.values())
    if any(isinstance(v, (Function, Partial, Class, Method)) for v in values):
        return True
    return objects.holds(m, values if receiver is None else (*values, receiver))


def enter(
    m: Machine, callee: Function, positional: tuple[Value, ...], keywords: Keywords, node: ast.AST | None
) -> Value:
    """The result of a function on arguments; recursion and depth are bounded, and end in an unknown result."""
    counted = _counted(positional, keywords) if callee.node in m.stack else ()
    goes_on = _counts_on(m, callee.node, counted)
    if not goes_on or len(m.stack) >= MAX_DEPTH:
        # What a recursion calls was seen in its first two rounds, but for the end of one that counts.
        m.complete = m.complete and len(m.stack) < MAX_DEPTH and counted in m.rounds.get(callee.node, ())
        m.intern.cut.append(callee.node)
        m.intern.effects += len(m.stack) >= MAX_DEPTH
        return unknown(m, positional, keywords)
    m.program.reads.note(callee.unit)
    if decorators.remembers(callee) and all(isinstance(v, Const) for v in (*positional, *keywords.values())):
        whose = 0 if callee.receiver is None else m.ident(callee.receiver)
        key = callee.node, whose, tuple(map(m.ident, positional)), tuple((k, m.ident(v)) for k, v in keywords.items())
        if key not in m.intern.answers:
            with m.noting(key):
                m.intern.answers[key] = _entered(m, callee, positional, keywords, None, False)[0]
        m.note_again(key)
        return m.intern.answers[key]
    free = node is None and m.root is not None and callee.receiver is m.root
    if isinstance(callee.receiver, Instance) and not callee.receiver.is_module and callee.receiver is not m.root:
        share = 2 if m.phase == "constructor" else 4
        return _entered(m, callee, positional, keywords, max((m.limit - m.steps) // share, HELPER_STEPS * 2), free)[0]
    if m.phase == "constructor" and m.stack and isinstance(callee.receiver, Instance):
        return _idly(m, callee, positional, keywords, free)
    if m.phase != "constructor" or callee.receiver is not None or callee.closure is not None:
        return _entered(m, callee, positional, keywords, None, free)[0]
    bound = (m.limit - m.steps) // 2 if m.halving or m.allowance else HELPER_STEPS * 2
    given = [*positional, *keywords.values()]
    return recalled(
        m, callee, given, [*keywords], bound, lambda: _entered(m, callee, positional, keywords, bound, free)
    )


def _counted(positional: tuple[Value, ...], keywords: Keywords) -> tuple[int, ...]:
    """The numbers among arguments: what a recursion may count with."""
    return tuple(v.value for v in (*positional, *keywords.values()) if isinstance(v, Const) and type(v.value) is int)


def _counts_on(m: Machine, node: ast.AST, counted: tuple[int, ...]) -> bool:
    """Whether a function that is running may be entered once more: twice, and as long as it counts."""
    seen = m.rounds.get(node, [])
    return m.stack.count(node) < 2 or (bool(counted) and counted not in seen and len(seen) < MAX_ROUNDS)


def _idly(m: Machine, callee: Function, positional: tuple[Value, ...], keywords: Keywords, free: bool) -> Value:
    """Runs a method for as long as it makes modules."""
    with m.idle():
        return _entered(m, callee, positional, keywords, None, free)[0]
    if not isinstance(callee.node, ast.Lambda):
        m.given_up.append(FunctionRef(callee.file, callee.unit, callee.node))
    return unknown(m, positional, keywords)


def _entered(
    m: Machine, callee: Function, positional: tuple[Value, ...], keywords: Keywords, bound: int | None, free: bool
) -> tuple[Value, bool]:
    """Runs a function's body; whether it stayed within its own bound."""
    frame = Frame(callee.file, callee.unit, callee.closure, callee.owner, callee.receiver, function_name(callee))
    outer, rounds = m.path, None
    if callee.node in m.stack:
        rounds = m.rounds.setdefault(callee.node, [])
        rounds.append(_counted(positional, keywords))
    m.stack.append(callee.node)
    try:
        with m.bounded(bound) as ran:
            binding.bind(m, frame, callee, positional, keywords, free)
            result = _run(m, frame, callee)
        if ran.within:
            return result, True
        if m.root is None and any(holds_module(m, value) for value in (*positional, *keywords.values())):
            m.complete = False  # what is being made may lack what this puts into it
        return unknown(m, positional, keywords), False
    finally:
        m.stack.pop()
        m.path = outer
        if rounds is not None:
            rounds.pop()


def function_name(callee: Function) -> str:
    return "<lambda>" if isinstance(callee.node, ast.Lambda) else callee.node.name


def _run(m: Machine, frame: Frame, callee: Function) -> Value:
    if isinstance(callee.node, ast.Lambda):
        return expressions.evaluate(m, frame, callee.node.body)
    entered = frame.entered = m.path.literals
    frame.loops = len(m.turns)
    frame.exits = exits = Exits(len(m.journal))
    flow = statements.execute_block(m, frame, callee.node.body)
    if exits.left:
        _meet(m, exits, entered, flow is loops.Flow.NEXT)
    if frame.generator or frame.yielded:
        scattered = frame.scattered or bool(exits.left)
        return Items("list", m.intern.fresh(), {0: m.content(tuple(frame.yielded), scattered)})
    if flow is loops.Flow.NEXT:
        frame.returned.append((m.path.literals, NONE))
    if not frame.returned:
        return m.opaque()
    return m.join([(literals - entered, value) for literals, value in frame.returned])


def _meet(m: Machine, exits: Exits, entered: Literals, goes_on: bool) -> None:
    """What a function wrote before each of its returns is there when it has returned."""
    states = [(literals - entered, state) for literals, state in exits.left]
    now = m.rewind(exits.mark)
    m.rejoin([*states, (m.path.literals - entered, now)] if goes_on else states)


def call_with(m: Machine, f: Frame, node: ast.Call, function: Value, arguments: tuple[Value, ...]) -> Value:
    """A wrapper calls the function it is given."""
    return invoke(m, f, node, function, arguments, {})


def local_imports(m: Machine, f: Frame, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Value]]:
    """The names an import statement inside a function binds."""
    from nnreuse.syntax.index import Import

    for alias in node.names:
        if isinstance(node, ast.Import):
            target = alias.name if alias.asname else alias.name.split(".")[0]
            yield alias.asname or target, attributes.value_of(m, m.program.follow(target, importer=f.file))
        elif alias.name != "*":
            dotted = f.file.absolute(
                Import(f"{node.module}.{alias.name}" if node.module else alias.name, node.level, False)
            )
            yield alias.asname or alias.name, attributes.value_of(m, m.program.follow(dotted, importer=f.file))
