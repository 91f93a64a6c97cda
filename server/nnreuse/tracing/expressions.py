"""Expressions: what each evaluates to, and what a test says about the path of control."""

import ast
import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from nnreuse.syntax.tree import children
from nnreuse.tracing import attributes, calls, decisions, objects, placing, refusing, shapes, spelling
from nnreuse.tracing.conditions import NOTHING, Literals
from nnreuse.tracing.iteration import iterate
from nnreuse.tracing.loops import Flow, run_passes
from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.trace import Repetition
from nnreuse.tracing.values import (
    Const,
    Content,
    Function,
    Index,
    Instance,
    Items,
    Mapping,
    Name,
    Opaque,
    Value,
)


def evaluate(m: Machine, f: Frame, node: ast.expr) -> Value:
    """The value of an expression."""
    m.steps += 1
    if m.steps > m.limit:
        m.stop()
    run = _EXPRESSIONS.get(type(node))
    if run is not None:
        return run(m, f, node)
    return m.opaque(lineage=_below(m, f, node))


def _below(m: Machine, f: Frame, node: ast.expr) -> int:
    bits = 0
    for child in children(node):
        if isinstance(child, ast.expr):
            bits |= m.lineage(evaluate(m, f, child))
    return bits


def _call(m: Machine, f: Frame, node: ast.Call) -> Value:
    return calls.call(m, f, node)


def _constant(m: Machine, f: Frame, node: ast.Constant) -> Value:
    return _const(node.value)


@lru_cache(maxsize=4096, typed=True)
def _const(value: object) -> Const:
    """The constants of code, each made once."""
    return Const(value)


def _name(m: Machine, f: Frame, node: ast.Name) -> Value:
    scope: Frame | None = f
    while scope is not None:
        if node.id in scope.names:
            return m.settle(scope.names[node.id])
        scope = scope.closure
    return attributes.global_value(m, f, node.id)


def _attribute(m: Machine, f: Frame, node: ast.Attribute) -> Value:
    return attributes.get(m, evaluate(m, f, node.value), node.attr)


def _tuple(m: Machine, f: Frame, node: ast.Tuple | ast.List | ast.Set) -> Value:
    kind = {ast.Tuple: "tuple", ast.List: "list", ast.Set: "set"}[type(node)]
    values, is_open = spread(m, f, node.elts)
    if kind != "tuple":  # a tuple is handed around; what it hands to a container is placed there
        _place_all(m, f, node.elts, values)
    made = m.items(kind, values, is_open)
    made.place = f.unit.place(node)
    return made


def spread(m: Machine, f: Frame, nodes: list[ast.expr]) -> tuple[list[Value], bool]:
    """The values of expressions, starred ones spread."""
    values: list[Value] = []
    is_open = False
    for node in nodes:
        if isinstance(node, ast.Starred):
            value = evaluate(m, f, node.value)
            placing.spread(m, f, node.value, value)
            content = objects.as_content(m, value)
            values += content.items
            is_open = is_open or content.open
        else:
            values.append(evaluate(m, f, node))
    return values, is_open


def _place_all(m: Machine, f: Frame, nodes: list[ast.expr], values: list[Value]) -> None:
    if len(nodes) == len(values):
        for node, value in zip(nodes, values, strict=True):
            if not isinstance(node, ast.Starred):
                placing.placed(m, f, node, value)


def _dict(m: Machine, f: Frame, node: ast.Dict) -> Value:
    made = Mapping(m.intern.fresh(), {})
    for key, value in zip(node.keys, node.values, strict=True):
        given = evaluate(m, f, value)
        if key is None:
            objects.update(m, made, given)
        else:
            placing.placed(m, f, value, given)
            objects.put(m, made, evaluate(m, f, key), given)
    return made


def _subscript(m: Machine, f: Frame, node: ast.Subscript) -> Value:
    value = evaluate(m, f, node.value)
    if isinstance(node.slice, ast.Slice):
        parts = [
            evaluate(m, f, p) if p is not None else None for p in (node.slice.lower, node.slice.upper, node.slice.step)
        ]
        return objects.sliced(m, value, *parts)
    key = evaluate(m, f, node.slice)
    if isinstance(value, Name) and isinstance(key, Instance) and attributes.makes_container(m, value):
        return m.items(
            "list", [key]
        )  # brackets where parentheses were meant: torch raises, and what was meant is plain
    return objects.subscript(m, value, key)


def _binary(m: Machine, f: Frame, node: ast.BinOp) -> Value:
    return binary(m, f, node.op, evaluate(m, f, node.left), evaluate(m, f, node.right), node)


_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Div: lambda a, b: a / b,
    ast.Mod: operator.mod,
}
_SMALL = 10_000


def binary(m: Machine, f: Frame, op: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
    """Arithmetic on constants, algebra on lists; anything else is opaque."""
    left, right = m.settle(left), m.settle(right)
    if isinstance(op, ast.Mult):
        for one, count in ((left, right), (right, left)):
            if isinstance(one, Items):
                return _repeated(m, f, one, count, node)
    if isinstance(op, ast.Add) and isinstance(objects.elements_of(left), Items) and not isinstance(right, Const):
        a, b = objects.as_content(m, left), objects.as_content(m, right)
        return m.items(
            "tuple" if isinstance(left, Items) and left.kind == "tuple" else "list",
            [*a.items, *b.items],
            a.open or b.open,
        )
    if isinstance(op, ast.Mult) and isinstance(left, Opaque) and right in (Const(1), Const(1.0)):
        return left
    if isinstance(op, ast.Sub) and isinstance(left, Items) and left.kind == "list" and isinstance(right, Const):
        return left  # `[m] * n - 1` raises; the list that was meant is known
    if isinstance(left, Mapping) and isinstance(right, Mapping) and isinstance(op, ast.BitOr):
        return _merged(m, left, right)
    return _calculated(m, op, left, right, node)


def _calculated(m: Machine, op: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
    text = _put_together(m, op, left, right)
    folded = text or _folded(op, left, right)
    if folded is not None:
        return folded
    if isinstance(left, Index) and isinstance(right, Const) and isinstance(right.value, int):
        moved = _moved(m, op, left, right.value)
        if moved is not None:
            return moved
    lineage = m.lineage(left) | m.lineage(right)
    result = m.opaque("op", type(op).__name__, m.ident(left), m.ident(right), lineage=lineage)
    if m.intern.shapes and not isinstance(op, ast.MatMult):
        shapes.combined(m, left, right, result)
    if isinstance(op, ast.BitXor):
        refusing.differ(m, left, right, result.ident)
    if isinstance(left, Index):
        _note_coarse(m, op, result, node)
    return result


def _note_coarse(m: Machine, op: ast.operator, result: Opaque, node: ast.AST) -> None:
    """What arithmetic makes of the index of a pass may be the same in several passes."""
    if isinstance(op, ast.Mod):
        m.intern.coarse[result.ident] = id(node)
    elif isinstance(op, ast.Div):
        m.intern.scaled.add(result.ident)


def _moved(m: Machine, op: ast.operator, index: Index, by: int) -> Index | None:
    """The index of a pass, moved by a constant, or divided by one: then it is the same in several passes.

    It is not divided in loops whose steps may be as long, nor under a condition, which may let only every second pass through.
    """
    match op:
        case ast.Add():
            return Index(index.base, index.position + by, m.intern("index+", index.ident, by), index.general)
        case ast.Sub():
            return Index(index.base, index.position - by, m.intern("index+", index.ident, -by), index.general)
        case ast.FloorDiv() if by > 1 and not m.path.conditional:
            if index.base == m.intern("range", "from", "constant"):
                return Index(index.base, index.position // by, m.intern("index//", index.ident, by), index.general)
            return None
        case _:
            return None


def _put_together(m: Machine, op: ast.operator, left: Value, right: Value) -> Value | None:
    """What an operator makes of texts: `"conv" + name`, `"conv%d" % i`."""
    if isinstance(op, ast.Mod) and isinstance(left, Const) and isinstance(left.value, str) and left.display is None:
        return spelling.percent(m, left.value, right)
    if isinstance(op, ast.Add) and (spelling.is_text(m, left) or spelling.is_text(m, right)):
        return spelling.spelled(m, [left, right]) if _may_be_text(left) and _may_be_text(right) else None
    return None


def _may_be_text(value: Value) -> bool:
    return isinstance(value, Opaque) or isinstance(value, Const) and isinstance(value.value, str)


def _folded(op: ast.operator, left: Value, right: Value) -> Const | None:
    run = _OPERATORS.get(type(op))
    if run is None or not isinstance(left, Const) or not isinstance(right, Const):
        return None
    if not _small(left.value) or not _small(right.value):
        return None
    try:
        value = run(left.value, right.value)
    except (ArithmeticError, TypeError, ValueError, MemoryError):
        return None
    return Const(value) if _small(value) else None


def _small(value: object) -> bool:
    if isinstance(value, int | float):
        return abs(value) < 1e12
    return isinstance(value, str) and len(value) < _SMALL


def _merged(m: Machine, left: Mapping, right: Mapping) -> Mapping:
    merged = Mapping(m.intern.fresh(), {})
    objects.update(m, merged, left)
    objects.update(m, merged, right)
    return merged


def _repeated(m: Machine, f: Frame, items: Items, count: Value, node: ast.AST) -> Value:
    content = items.content
    modules = tuple(v for v in content.items if isinstance(v, Instance) and v.is_module)
    number = count.value if isinstance(count, Const) and isinstance(count.value, int) else None
    if modules and isinstance(node, ast.BinOp) and number not in (0, 1):
        literal = node.left if isinstance(node.left, ast.List | ast.Tuple) else node.right
        if isinstance(node.left, ast.Subscript):
            inline = isinstance(node.left.slice, ast.Call)
        else:
            inline = isinstance(literal, ast.List | ast.Tuple) and all(isinstance(e, ast.Call) for e in literal.elts)
        place = f.unit.place(node)
        m.repetitions.append(Repetition(place, node, f.file, modules, inline, m.path))
    known = number if number is not None and number * len(content.items) <= 24 else 2
    return m.items(items.kind, [*content.items] * max(known, 0), content.open or number is None or number > known)


def _unary(m: Machine, f: Frame, node: ast.UnaryOp) -> Value:
    value = evaluate(m, f, node.operand)
    if isinstance(node.op, ast.Not):
        truth = decisions.truth_of(value)
        if truth is not None:
            return Const(not truth)
        result = m.opaque("not", m.ident(value), lineage=m.lineage(value))
        decisions.note_opposite(m, value, result)
        return result
    if isinstance(node.op, ast.USub) and isinstance(value, Const) and isinstance(value.value, int | float):
        return Const(-value.value)
    return m.opaque("unary", type(node.op).__name__, m.ident(value), lineage=m.lineage(value))


def _bool(m: Machine, f: Frame, node: ast.BoolOp) -> Value:
    """Operands are evaluated in turn, each where those before it have not decided."""
    either, outer = isinstance(node.op, ast.Or), m.path
    values: list[tuple[Literals, Value]] = []
    left: Literals = NOTHING
    try:
        for operand in node.values:
            m.path = outer.under(left)
            value = evaluate(m, f, operand)
            truth, yes, no = decisions.value_test(m, value, "truth", None)
            if truth is either or operand is node.values[-1]:
                values.append((left, value))
                break
            if truth is None:
                values.append((left | (yes if either else no), value))
                left |= no if either else yes
    finally:
        m.path = outer
    return values[0][1] if len(values) == 1 else _either(m, node, values)


def _either(m: Machine, node: ast.BoolOp, values: list[tuple[Literals, Value]]) -> Value:
    """`a or b`: a fallback is taken for the likely value of what is unknown."""
    known = [v for _, v in values if not isinstance(v, Opaque)]
    modules = objects.holds(m, known[:-1])
    if isinstance(node.op, ast.Or) and known and not modules:
        return known[-1]
    if all(isinstance(v, Opaque | Const) for _, v in values):
        bits = 0
        for _, value in values:
            bits |= m.lineage(value)
        return m.opaque(type(node.op).__name__, *(m.ident(v) for _, v in values), lineage=bits)
    return m.join(values)


def _compare(m: Machine, f: Frame, node: ast.Compare) -> Value:
    if len(node.ops) > 1:
        return m.opaque("compare", *(m.ident(evaluate(m, f, x)) for x in (node.left, *node.comparators)))
    left, right = evaluate(m, f, node.left), evaluate(m, f, node.comparators[0])
    known = decisions.compared(m, node.ops[0], left, right)
    if known is not None:
        return Const(known)
    result = m.opaque(
        "compare", type(node.ops[0]).__name__, m.ident(left), m.ident(right), lineage=m.lineage(left) | m.lineage(right)
    )
    decisions.note_test(m, node.ops[0], left, right, result)
    return result


def _conditional(m: Machine, f: Frame, node: ast.IfExp) -> Value:
    truth, yes, no = decisions.test(m, f, node.test)
    if truth is not None:
        return evaluate(m, f, node.body if truth else node.orelse)
    arms: list[tuple[Literals, Callable[[], Value]]] = [
        (yes, lambda: evaluate(m, f, node.body)),
        (no, lambda: evaluate(m, f, node.orelse)),
    ]
    values = m.alternatives(arms, lambda _: False)
    return m.join([(yes, values[0]), (no, values[1])])


def _lambda(m: Machine, f: Frame, node: ast.Lambda) -> Value:
    return local_function(m, f, node)


def local_function(m: Machine, f: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Function:
    """A function made inside another: its defaults are computed here and now."""
    given = [*node.args.defaults, *(default for default in node.args.kw_defaults if default is not None)]
    defaults = tuple((default, evaluate(m, f, default)) for default in given)
    return Function(f.file, f.unit, node, f, f.owner, defaults=defaults)


def _comprehension(m: Machine, f: Frame, node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> Value:
    made = m.items("list", [])

    def add(value: Value) -> None:
        placing.placed(m, f, node.elt, value)
        objects.append(m, made, value)

    generate(m, f, node, add)
    return made


def generate(
    m: Machine, f: Frame, node: ast.ListComp | ast.GeneratorExp | ast.SetComp, take: Callable[[Value], None]
) -> None:
    """Hands on each element of a comprehension as it is made."""
    inner = Frame(f.file, f.unit, f, f.owner, f.this, f.name)
    _generate(m, inner, node.generators, lambda: take(evaluate(m, inner, node.elt)))


def _dict_comprehension(m: Machine, f: Frame, node: ast.DictComp) -> Value:
    made = Mapping(m.intern.fresh(), {})
    inner = Frame(f.file, f.unit, f, f.owner, f.this, f.name)

    def add() -> None:
        key, value = evaluate(m, inner, node.key), evaluate(m, inner, node.value)
        placing.placed(m, inner, node.value, value)
        objects.put(m, made, key, value)
        made.open = made.open or any(not turn.exact for turn in m.turns)

    _generate(m, inner, node.generators, add)
    return made


def _generate(m: Machine, f: Frame, generators: list[ast.comprehension], add: Callable[[], None]) -> None:
    from nnreuse.tracing.statements import assign

    if not generators:
        add()
        return
    head = generators[0]
    iteration = iterate(m, evaluate(m, f, head.iter), head)

    def body(value: Value) -> Flow:
        assign(m, f, head.target, value, head)
        literals: Literals = NOTHING
        for condition in head.ifs:
            truth, yes, _ = decisions.test(m, f, condition)
            if truth is False:
                return Flow.NEXT
            literals |= yes
        if not literals:
            _generate(m, f, generators[1:], add)
        else:
            m.alternatives(
                [(literals, lambda: _generate(m, f, generators[1:], add)), (NOTHING, lambda: None)], lambda _: False
            )
        return Flow.NEXT

    run_passes(m, head, iteration, body)


def _formatted_string(m: Machine, f: Frame, node: ast.JoinedStr) -> Value:
    return spelling.spelled(m, [_written(m, f, part) for part in node.values])


def _written(m: Machine, f: Frame, part: ast.expr) -> spelling.Part:
    """One part of an f-string."""
    if not isinstance(part, ast.FormattedValue):
        return str(part.value) if isinstance(part, ast.Constant) else evaluate(m, f, part)
    spec = evaluate(m, f, part.format_spec) if part.format_spec is not None else Const("")
    conversion = chr(part.conversion) if part.conversion > 0 else ""
    value = evaluate(m, f, part.value)
    if isinstance(spec, Const):
        return spelling.with_format(m, value, str(spec.value), conversion)
    return m.opaque("spec", m.ident(value), m.ident(spec), conversion)


def _walrus(m: Machine, f: Frame, node: ast.NamedExpr) -> Value:
    value = evaluate(m, f, node.value)
    m.write(f.names, node.target.id, value)
    return value


def _starred(m: Machine, f: Frame, node: ast.Starred) -> Value:
    value = evaluate(m, f, node.value)
    placing.spread(m, f, node.value, value)
    content = objects.as_content(m, value)
    return Items("star", m.intern.fresh(), {0: Content(content.items, content.open)})


def _await(m: Machine, f: Frame, node: ast.Await) -> Value:
    return evaluate(m, f, node.value)


def _yield(m: Machine, f: Frame, node: ast.Yield | ast.YieldFrom) -> Value:
    f.generator = True
    f.scattered = f.scattered or m.path.literals != f.entered or not all(turn.exact for turn in m.turns[f.loops :])
    if node.value is not None:
        value = evaluate(m, f, node.value)
        if isinstance(node, ast.YieldFrom):
            content = objects.as_content(m, value)
            f.yielded += content.items
            f.scattered = f.scattered or content.open
        else:
            f.yielded.append(value)
    return m.opaque()


_EXPRESSIONS: dict[type[ast.expr], Callable[[Machine, Frame, Any], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Tuple: _tuple,
    ast.List: _tuple,
    ast.Set: _tuple,
    ast.Dict: _dict,
    ast.Subscript: _subscript,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _bool,
    ast.Compare: _compare,
    ast.IfExp: _conditional,
    ast.Lambda: _lambda,
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _dict_comprehension,
    ast.JoinedStr: _formatted_string,
    ast.NamedExpr: _walrus,
    ast.Starred: _starred,
    ast.Await: _await,
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
    ast.Call: _call,
}
