"""Filed: the name under which a table holds an instance, and whether a look-up asks for another."""

import ast
from collections.abc import Iterator

from nnreuse.fixes.places import chain
from nnreuse.rules.configurations import is_asked_for
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Trace
from nnreuse.tracing.values import Instance

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def asks_for_another(trace: Trace, instance: Instance, look_up: Place) -> bool:
    """Whether a look-up, by its own text or by a default of a parameter, asks for another entry of the table that holds an instance.

    False where a caller in the file asks for the instance, and where the table is none of texts.
    """
    name = _filed_under(instance)
    if name is None or is_asked_for(trace, name):
        return False
    asked = set(_asked(look_up))
    return bool(asked) and name.lower() not in asked


def _asked(look_up: Place) -> Iterator[str]:
    """The texts that a look-up asks for: constants, and defaults of parameters of the function around it."""
    nodes = chain(look_up)
    defaults = {arg: text for node in nodes if isinstance(node, _FUNCTIONS) for arg, text in _defaults(node.args)}
    for node in (key for around in nodes[-2:] for key in _keys(around)):
        text = _text(node)
        if isinstance(node, ast.Name):
            text = defaults.get(node.id)
        if text is not None:
            yield text.lower()


def _keys(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Subscript(slice=key):
            return [key]
        case ast.Call(args=args, keywords=keywords):
            return [*args, *(keyword.value for keyword in keywords)]
        case _:
            return []


def _defaults(args: ast.arguments) -> Iterator[tuple[str, str]]:
    positional = [*args.posonlyargs, *args.args]
    given = positional[len(positional) - len(args.defaults) :]
    for arg, default in (*zip(given, args.defaults, strict=True), *zip(args.kwonlyargs, args.kw_defaults, strict=True)):
        text = _text(default)
        if text is not None:
            yield arg.arg, text


def _filed_under(instance: Instance) -> str | None:
    """The text beside an instance where it is made: `"prelu": nn.PReLU()`, `["prelu", nn.PReLU()]`, `register("prelu", nn.PReLU())`."""
    if instance.place is None:
        return None
    nodes = chain(instance.place)
    for around, inner in zip(reversed(nodes[:-1]), reversed(nodes[1:]), strict=True):
        text = _text_beside(around, inner)
        if text is not None:
            return text
    return None


def _text_beside(around: ast.AST, inner: ast.AST) -> str | None:
    match around:
        case ast.Dict(keys=keys, values=values):
            return next((_text(k) for k, v in zip(keys, values, strict=True) if v is inner), None)
        case ast.List(elts=[first, *_]) | ast.Tuple(elts=[first, *_]) | ast.Call(args=[first, *_]) if (
            first is not inner
        ):
            return _text(first)
        case ast.Assign(targets=[ast.Subscript(slice=key)]):
            return _text(key)
        case _:
            return None


def _text(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
