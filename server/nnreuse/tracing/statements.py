"""Statements: what each does to names, attributes and the path of control."""

import ast
from collections.abc import Callable, Sequence
from typing import Any

from nnreuse.syntax.tree import walk
from nnreuse.tracing import (
    attributes,
    calls,
    construction,
    decisions,
    expressions,
    freezing,
    objects,
    placing,
    planting,
    refusing,
)
from nnreuse.tracing.conditions import NOTHING, Literal, Literals, Path, opposite
from nnreuse.tracing.iteration import iterate
from nnreuse.tracing.loops import Flow, leave, nearest, run_passes, run_while
from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.trace import Definition, Store
from nnreuse.tracing.values import NONE, Const, Instance, Items, Mapping, Opaque, Value


def ends(flow: Flow) -> bool:
    return flow is not Flow.NEXT


def execute_block(m: Machine, f: Frame, body: Sequence[ast.stmt]) -> Flow:
    """Runs statements until one leaves. Literals that a leaving arm implies hold for the rest of this block only."""
    literals = m.path.literals
    flow = Flow.NEXT
    for statement in body:
        flow = execute(m, f, statement)
        if flow is not Flow.NEXT:
            break
    if m.path.literals is not literals:
        m.path = Path(literals, m.path.excluded)
    return flow


def execute(m: Machine, f: Frame, node: ast.stmt) -> Flow:
    m.steps += 1
    if m.steps > m.limit:
        m.stop()
    run = _STATEMENTS.get(type(node))
    return run(m, f, node) if run else Flow.NEXT


def _expression(m: Machine, f: Frame, node: ast.Expr) -> Flow:
    expressions.evaluate(m, f, node.value)
    return Flow.NEXT


def _assign(m: Machine, f: Frame, node: ast.Assign) -> Flow:
    value = expressions.evaluate(m, f, node.value)
    for target in node.targets:
        assign(m, f, target, value, node)
    return Flow.NEXT


def _annotated(m: Machine, f: Frame, node: ast.AnnAssign) -> Flow:
    if node.value is not None:
        assign(m, f, node.target, expressions.evaluate(m, f, node.value), node)
    return Flow.NEXT


def _augmented(m: Machine, f: Frame, node: ast.AugAssign) -> Flow:
    left = expressions.evaluate(m, f, node.target)
    right = expressions.evaluate(m, f, node.value)
    if isinstance(node.op, ast.Add):
        placing.spread(m, f, node.value, right)
    if isinstance(left, Items) and left.kind == "list" and isinstance(node.op, ast.Add):
        objects.extend(m, left, right)
        return Flow.NEXT
    if isinstance(left, Instance) and isinstance(left.elements, Items) and isinstance(node.op, ast.Add):
        objects.extend(m, left.elements, right)
        return Flow.NEXT
    assign(m, f, node.target, expressions.binary(m, f, node.op, left, right, node), node)
    return Flow.NEXT


def assign(m: Machine, f: Frame, target: ast.expr, value: Value, node: ast.AST) -> None:
    """Binds a target; tuples are unpacked, containers and tensors written to."""
    match target:
        case ast.Name(id=name):
            m.write(f.elsewhere.get(name, f.names), name, value)
        case ast.Subscript(value=ast.Attribute(value=owner, attr="_modules"), slice=key):
            name = expressions.evaluate(m, f, key)
            assign_attribute(m, f, expressions.evaluate(m, f, owner), name, value, node)
        case ast.Attribute(value=owner, attr=name):
            receiver = expressions.evaluate(m, f, owner)
            assign_attribute(m, f, receiver, Const(name), value, node)
            planting.planted(m, f, target, receiver, value)
        case ast.Subscript(value=owner, slice=key):
            receiver = expressions.evaluate(m, f, owner)
            planting.planted(m, f, target, receiver, value)
            objects.set_item(m, receiver, expressions.evaluate(m, f, key), value)
            if isinstance(node, ast.Assign):
                placing.placed(m, f, node.value, value)
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            _unpack(m, f, targets, value, node)
        case ast.Starred(value=inner):
            assign(m, f, inner, value, node)
        case _:
            return


def _unpack(m: Machine, f: Frame, targets: list[ast.expr], value: Value, node: ast.AST) -> None:
    stars = [n for n, t in enumerate(targets) if isinstance(t, ast.Starred)]
    value = m.settle(value)
    size = len(targets)
    for number, target in enumerate(targets):
        if stars and number == stars[0]:
            assign(m, f, target, objects.rest(m, value, number, size - number - 1), node)
        else:
            position = number if not stars or number < stars[0] else number - size
            assign(m, f, target, objects.element(m, value, position, size if not stars else None), node)


def assign_attribute(m: Machine, f: Frame, owner: Value, name: Value, value: Value, node: ast.AST) -> None:
    """`owner.name = value`; on the class being traced, in its constructor, also a definition."""
    if isinstance(node, (ast.stmt, ast.expr)):
        value = objects.part_of(m, value, f.unit.place(node), f.file)
    for literals, one in m.options(owner):
        if isinstance(one, Instance) and isinstance(name, Const) and isinstance(name.value, str):
            if not one.constructed:
                construction.construct(m, one)
            if one is m.root and m.phase == "constructor" and isinstance(node, (ast.stmt, ast.Call)):
                _define(m, f, name.value, value, node)
            elif one is m.root and m.phase != "constructor":
                m.stores.append(Store(name.value, node, f.unit, f.file, m.lineage(value), m.path))
                m.late += [(name.value, made) for _, made in m.options(value) if isinstance(made, Instance)]
            shown = (
                m.join([(literals, value), (NOTHING, one.attrs[name.value])])
                if literals and name.value in one.attrs
                else value
            )
            m.intern.wrote(one.ident)
            m.write(one.attrs, name.value, shown)
            if name.display:
                one.shown[name.value] = name.display
            if isinstance(value, Opaque) and value.ident in m.intern.parameters:
                m.write(one.attrs, "<parameters>", Const(True))
            if m.phase != "constructor":
                m.intern.results.add(m.ident(value))
                m.intern.results.update(map(m.ident, value.content.items) if isinstance(value, Items) else ())
        elif isinstance(one, Instance):
            _assign_computed(m, one, name, value)
        elif isinstance(one, Opaque):
            _assign_to_unknown(m, one, name, value)


_REQUIRES_GRAD = Const("requires_grad")


def _assign_to_unknown(m: Machine, owner: Opaque, name: Value, value: Value) -> None:
    owner.lineage |= m.lineage(value)
    if name == _REQUIRES_GRAD:
        freezing.set_grad(m, owner, value)


def _assign_computed(m: Machine, owner: Instance, name: Value, value: Value) -> None:
    """Registers a module under a name that is not known: `self.add_module(f"stage_{stride}", m)`."""
    if not attributes.may_be_module(value):
        return
    construction.construct(m, owner)
    key, text = attributes.computed(m, name), m.intern.texts.get(m.ident(name))
    owner.shown[key] = text.shown if text is not None else "*"
    m.intern.wrote(owner.ident)
    m.write(owner.attrs, key, value)
    if owner is m.root and m.phase == "constructor":
        m.progress()
    elif owner is m.root:
        m.late += [(owner.shown[key], made) for _, made in m.options(value) if isinstance(made, Instance)]


def _define(m: Machine, f: Frame, name: str, value: Value, node: ast.stmt | ast.Call) -> None:
    held = tuple(v for _, v in m.options(value) if isinstance(v, Instance) and v.is_module)
    if held:
        m.progress()
        expression = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        place = f.unit.place(node)
        m.definitions.append(Definition(name, place, expression, f.unit, f.file, m.path, held))
    elif isinstance(m.settle(value), Items | Mapping):
        expression = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        place = f.unit.place(node)
        m.collections.append(Definition(name, place, expression, f.unit, f.file, m.path, ()))


def _if(m: Machine, f: Frame, node: ast.If) -> Flow:
    truth, when_true, when_false = decisions.test(m, f, node.test)
    if truth is not None:
        if m.decisions is not None and not when_true:
            m.decisions[node] = truth
        return execute_arm(m, f, node.body if truth else node.orelse)
    arms: list[tuple[Literals, Callable[[], Flow]]] = [
        (when_true, lambda: execute_arm(m, f, node.body)),
        (when_false, lambda: execute_arm(m, f, node.orelse)),
    ]
    flows = m.alternatives(arms, ends)
    if Flow.NEXT not in flows:
        return nearest(flows)
    if flows[0] is not flows[1]:
        left = next(flow for flow in flows if flow is not Flow.NEXT)
        if left is not Flow.RAISE:
            m.path = m.path.under(when_false if flows[0] is not Flow.NEXT else when_true)
    return Flow.NEXT


def execute_arm(m: Machine, f: Frame, body: Sequence[ast.stmt]) -> Flow:
    return execute_block(m, f, body)


def _for(m: Machine, f: Frame, node: ast.For | ast.AsyncFor) -> Flow:
    iteration = iterate(m, expressions.evaluate(m, f, node.iter), node)

    def body(value: Value) -> Flow:
        assign(m, f, node.target, value, node)
        return execute_block(m, f, node.body)

    return run_passes(m, node, iteration, body, lambda: execute_block(m, f, node.orelse))


def _while(m: Machine, f: Frame, node: ast.While) -> Flow:
    return run_while(
        m,
        node,
        lambda: decisions.test(m, f, node.test)[0],
        lambda: execute_block(m, f, node.body),
        lambda: execute_block(m, f, node.orelse),
    )


def _with(m: Machine, f: Frame, node: ast.With | ast.AsyncWith) -> Flow:
    for item in node.items:
        value = expressions.evaluate(m, f, item.context_expr)
        if item.optional_vars is not None:
            assign(m, f, item.optional_vars, value, node)
    return execute_block(m, f, node.body)


def _try(m: Machine, f: Frame, node: ast.Try) -> Flow:
    raised = Literal(m.intern("raised", id(node)), "truth", None, True)

    unset = {*m.unset}

    def handler(one: ast.ExceptHandler) -> Callable[[], Flow]:
        return lambda: Flow.RAISE if _is_set_now(m, one, unset) else execute_block(m, f, one.body)

    done = frozenset([raised.negated()]) if _is_replaced(node) else NOTHING
    arms: list[tuple[Literals, Callable[[], Flow]]] = [(done, lambda: _tried(m, f, node))]
    arms += [(frozenset([raised]), handler(one)) for one in node.handlers]
    flows = m.alternatives(arms, ends)
    last = execute_block(m, f, node.finalbody)
    if ends(last):
        return last
    if done and ends(flows[0]):
        m.path = m.path.under(frozenset([raised]))
    return nearest(flows)


def _is_replaced(node: ast.Try) -> bool:
    """Whether handlers do instead what the one statement of a `try` would have done."""
    replaced = len(node.body) == 1 and isinstance(node.body[0], ast.Return | ast.Assign) and not node.orelse
    return replaced and bool(node.handlers) and not any(isinstance(one.body[-1], ast.Raise) for one in node.handlers)


def _tried(m: Machine, f: Frame, node: ast.Try) -> Flow:
    m.catching += bool(node.handlers)
    try:
        return execute_block(m, f, [*node.body, *node.orelse])
    finally:
        m.catching -= bool(node.handlers)


def _is_set_now(m: Machine, handler: ast.ExceptHandler, unset: set[str]) -> bool:
    """Whether a handler waits for an attribute that the last call has set: the next one does not come there."""
    waits = isinstance(handler.type, ast.Name) and handler.type.id == "AttributeError"
    return m.runs_again and waits and m.unset == unset


def _match(m: Machine, f: Frame, node: ast.Match) -> Flow:
    subject = expressions.evaluate(m, f, node.subject)
    arms: list[tuple[Literals, Callable[[], Flow]]] = []
    negative: Literals = NOTHING
    open_ended = True
    for number, case in enumerate(node.cases):
        literals = _case_literals(m, f, subject, case, number)
        for name in (n for n in walk(case.pattern) if isinstance(n, ast.MatchAs | ast.MatchStar) and n.name):
            m.write(f.names, name.name, m.opaque(lineage=m.lineage(subject)))
        if m.possible(literals | negative):
            arms.append((literals | negative, _runs(m, f, case.body)))
        negative |= opposite(literals)
        open_ended = open_ended and bool(literals)
    if open_ended and m.possible(negative):
        arms.append((negative, lambda: Flow.NEXT))
    flows = m.alternatives(arms, ends)
    return nearest(flows) if flows else Flow.NEXT


def _case_literals(m: Machine, f: Frame, subject: Value, case: ast.match_case, number: int) -> Literals:
    match case.pattern:
        case ast.MatchValue(value=value):
            known = expressions.evaluate(m, f, value)
            if isinstance(known, Const):
                return frozenset([Literal(m.ident(subject), "==", known.value, True)])
        case ast.MatchAs(pattern=None) if case.guard is None:
            return NOTHING
        case _:
            pass
    return frozenset([Literal(m.intern("match", m.ident(subject), id(case)), "==", number, True)])


def _runs(m: Machine, f: Frame, body: list[ast.stmt]) -> Callable[[], Flow]:
    return lambda: execute_block(m, f, body)


def _return(m: Machine, f: Frame, node: ast.Return) -> Flow:
    value = expressions.evaluate(m, f, node.value) if node.value else NONE
    f.returned.append((m.path.literals, value))
    if f.exits is not None and (f.exits.left or m.path.literals != f.entered):
        f.exits.left.append((m.path.literals, m.since(f.exits.mark)))
    m.path = m.path.without(m.path.literals)
    return Flow.RETURN


def _raise(m: Machine, f: Frame, node: ast.Raise) -> Flow:
    refusing.refuse(m, m.path.literals)
    return Flow.RAISE


def _assert(m: Machine, f: Frame, node: ast.Assert) -> Flow:
    if refusing.says_something(node.test):
        truth, _, otherwise = decisions.test(m, f, node.test)
        if truth is None and otherwise:
            refusing.refuse(m, m.path.literals | otherwise)
    return Flow.NEXT


def _break(m: Machine, f: Frame, node: ast.Break) -> Flow:
    return leave(m, m.breaks, Flow.BREAK)


def _continue(m: Machine, f: Frame, node: ast.Continue) -> Flow:
    return leave(m, m.continues, Flow.CONTINUE)


def _function(m: Machine, f: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Flow:
    m.write(f.names, node.name, expressions.local_function(m, f, node))
    return Flow.NEXT


def _nonlocal(m: Machine, f: Frame, node: ast.Nonlocal) -> Flow:
    for name in node.names:
        outside = f.closure
        while outside is not None and name not in outside.names:
            outside = outside.closure
        if outside is not None:
            f.elsewhere[name] = outside.names
    return Flow.NEXT


def _delete(m: Machine, f: Frame, node: ast.Delete) -> Flow:
    for target in node.targets:
        if isinstance(target, ast.Attribute):
            owner = expressions.evaluate(m, f, target.value)
            if isinstance(owner, Instance):
                m.forget(owner.attrs, target.attr)
        elif isinstance(target, ast.Subscript):
            owner = expressions.evaluate(m, f, target.value)
            objects.delete_item(m, owner, expressions.evaluate(m, f, target.slice))
    return Flow.NEXT


def _import(m: Machine, f: Frame, node: ast.Import | ast.ImportFrom) -> Flow:
    for name, meaning in calls.local_imports(m, f, node):
        m.write(f.names, name, meaning)
    return Flow.NEXT


def _class(m: Machine, f: Frame, node: ast.ClassDef) -> Flow:
    m.write(f.names, node.name, objects.local_class(m, f, node))
    return Flow.NEXT


_STATEMENTS: dict[type[ast.stmt], Callable[[Machine, Frame, Any], Flow]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.Match: _match,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Assert: _assert,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.Delete: _delete,
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.ClassDef: _class,
    ast.Nonlocal: _nonlocal,
}
