"""Binding: what each parameter of a function that is entered holds."""

import ast

from nnreuse.tracing import assuming, expressions, objects
from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.values import Function, Items, Mapping, Opaque, Value

_KINDS = frozenset(["int", "float", "bool", "str"])
Keywords = dict[str, Value]


def bind(
    m: Machine, frame: Frame, callee: Function, positional: tuple[Value, ...], keywords: Keywords, free: bool
) -> None:
    """Binds parameters. `free`: nobody calls here, so that `*` and `**` parameters may hold anything."""
    arguments = callee.node.args
    ordered = [*arguments.posonlyargs, *arguments.args]
    names = [a.arg for a in ordered]
    given = list(positional if callee.receiver is None else (callee.receiver, *positional))
    defaults = dict(zip(names[len(names) - len(arguments.defaults) :], arguments.defaults, strict=True))
    defaults.update(
        {a.arg: d for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None}
    )
    left = dict(keywords)
    stars = [v for v in given if isinstance(v, Items) and v.kind == "star"]
    for number, argument in enumerate(ordered):
        name = argument.arg
        if number < len(given) and not (stars and given[number] in stars):
            frame.names[name] = given[number]
        elif name in left:
            frame.names[name] = left.pop(name)
        else:
            frame.names[name] = _missing(m, callee, argument, defaults, left, bool(stars))
    for argument in arguments.kwonlyargs:
        name = argument.arg
        known = left.pop(name, None)
        frame.names[name] = known if known is not None else _missing(m, callee, argument, defaults, left)
    for argument in (*ordered, *arguments.kwonlyargs):
        value = frame.names[argument.arg]
        annotation = argument.annotation
        if isinstance(value, Opaque) and isinstance(annotation, ast.Name) and annotation.id in _KINDS:
            default = defaults.get(argument.arg)
            if not (isinstance(default, ast.Constant) and default.value is None):
                value.kind = annotation.id
    if arguments.vararg:
        spare = objects.flat(m, tuple(given[len(names) :]))
        frame.names[arguments.vararg.arg] = m.items("tuple", spare, bool(stars) or free)
    if arguments.kwarg:
        frame.names[arguments.kwarg.arg] = Mapping(
            m.intern.fresh(), {k: v for k, v in left.items() if k != "**"}, "**" in left or free
        )


def _missing(
    m: Machine,
    callee: Function,
    parameter: ast.arg,
    defaults: dict[str, ast.expr],
    left: Keywords,
    starred: bool = False,
) -> Value:
    """A parameter that no argument names: its default or, where how a class is used is counted, what it is annotated with."""
    value = _default(m, callee, parameter.arg, defaults, left, starred)
    assumed: Value | None = None
    if isinstance(value, Opaque):
        if m.intern.counting:
            assumed = assuming.assumed(m, callee, parameter)
        elif callee.receiver is m.root and m.phase == "constructor" and parameter.arg not in defaults:
            assumed = assuming.called(m, callee, parameter)
    return assumed or value


def _default(
    m: Machine, callee: Function, name: str, defaults: dict[str, ast.expr], left: Keywords, starred: bool
) -> Value:
    """The default of a parameter, unless that is one choice among many, or `*` or `**` may give it."""
    default = defaults.get(name)
    if default is None or starred:
        nobody_gives = m.opaque()
        m.intern.arguments.add(nobody_gives.ident)
        return nobody_gives
    if m.intern.counting:
        varies = "**" in left and _is_rate(default)
    else:
        varies = ("**" in left or (callee.receiver is m.root and m.root is not None)) and _varies(default)
    if varies:
        return _varying(m, callee, name, default)
    computed = next((value for node, value in callee.defaults if node is default), None)
    if computed is not None:
        return computed
    outside = Frame(callee.file, callee.unit, callee.closure, callee.owner)
    return expressions.evaluate(m, outside, default)


def _varying(m: Machine, callee: Function, name: str, default: ast.expr) -> Opaque:
    """A parameter that others set as they like. What it is by default is remembered of the traced class's constructor."""
    if callee.receiver is not m.root:
        return m.opaque()
    found = m.opaque("parameter", id(callee.node), name)
    if m.phase == "constructor" and isinstance(default, ast.Constant):
        m.intern.presumed[found.ident] = default.value
    return found


def _is_rate(default: ast.expr) -> bool:
    """A float below one, a dropout rate say: what whoever trains a model sets."""
    return isinstance(default, ast.Constant) and isinstance(default.value, float) and default.value < 1


def _varies(default: ast.expr) -> bool:
    """Whether a default of the traced class's own methods is one choice among many: flags, sizes, optional blocks, empty lists."""
    if isinstance(default, ast.Tuple | ast.List):
        return not default.elts
    if isinstance(default, ast.UnaryOp):
        return True
    return isinstance(default, ast.Constant) and (
        default.value is None or isinstance(default.value, bool | int | float | str)
    )
