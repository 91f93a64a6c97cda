"""Constructions: when the text of a constructor call, written a second time, gives a second module and nothing else.

It does not where evaluating it moves something on (an iterator, a random number), or where an argument is itself an
instance: the two modules would then share that one.
"""

import ast
import re
from collections.abc import Iterator

from nnreuse.fixes.places import Function, called_name, is_self
from nnreuse.fixes.writing import Refused
from nnreuse.syntax.tree import children, walk

_MOVING = frozenset(
    "next pop popitem popleft send append extend insert add update setdefault remove input read readline "
    "randint rand random choice register_module add_module".split()
)
_LOOKUPS = frozenset("get getattr get_submodule register pop setdefault next".split())
_SIZES = frozenset(
    "int float len max min sum str bool round abs type range isinstance hasattr partial make_divisible".split()
)
_CONTAINERS = frozenset("Sequential ModuleList ModuleDict DataParallel DistributedDataParallel".split())
_COPYING = frozenset("TransformerEncoder TransformerDecoder deepcopy".split())
_ADDING = frozenset("append extend insert add_module update".split())
_MAKERS = re.compile(r"^_*(?:[A-Z]|make_|build_|create_)|(?:block|layer|norm|conv|act|module)s?$")
_MODULE = re.compile(r"\b(?:Module|ModuleList|ModuleDict|Sequential)\b")
_CLASS_OR_FUNCTION = re.compile(r"\b(?:[Tt]ype\[|Callable)")
_SHOWN = 50
"""Characters of an expression that a sentence quotes."""
_IMPURE = ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom


def is_plain_construction(node: ast.expr) -> bool:
    """Whether an expression calls a constructor, and would do no more than that if it were written twice."""
    if isinstance(node, ast.IfExp):
        arms = [arm for arm in (node.body, node.orelse) if not isinstance(arm, ast.Constant)]
        return bool(arms) and all(is_plain_construction(arm) for arm in arms) and _is_pure(node.test)
    return isinstance(node, ast.Call) and called_name(node) not in _LOOKUPS and _is_pure(node)


def _is_pure(node: ast.expr) -> bool:
    return not any(
        isinstance(inner, _IMPURE) or isinstance(inner, ast.Call) and called_name(inner) in _MOVING
        for inner in walk(node)
    )


def must_be_plain(function: Function | None, node: ast.expr, locals_only: bool = False) -> None:
    """Raises Refused where the expression, written a second time, gives something else than a second module of its own."""
    text = _shortened(ast.unparse(node))
    if not is_plain_construction(node):
        raise Refused(f"`{text}` may do more than construct a module, or something else, when it is written twice")
    taken = [n for n in _taken(function, node) if not (locals_only and n.startswith("self."))]
    if taken:
        raise Refused(f"`{text}` is given `{taken[0]}`, which the new instances would still share")


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def takes_an_instance(function: Function | None, node: ast.expr) -> bool:
    """Whether a construction's argument is a module, or an iterator, that exists already: `Block(self.norm)`, `Sequential(*layers)`."""
    return any(True for _ in _taken(function, node))


def takes_a_local_instance(function: Function | None, node: ast.expr) -> bool:
    """The same for locals only. A module that is handed on as `self.norm` stays one module whoever takes it: that is meant."""
    return any(not name.startswith("self.") for name in _taken(function, node))


def _taken(function: Function | None, node: ast.expr) -> Iterator[str]:
    if function is None or _is_leaf_of_torch(node) or called_name(node) in _COPYING:
        return
    held = _held(function)
    yield from (name for part in _parts(node) if (name := _name_of(part)) in held)


def _is_leaf_of_torch(node: ast.expr) -> bool:
    """`nn.Linear(…)` and its like, whose arguments are sizes and flags."""
    text = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
    known = text.startswith(("nn.", "torch.nn.")) and called_name(node) not in _CONTAINERS
    return known and not text.startswith(("nn.utils.", "torch.nn.utils.", "nn.parallel", "torch.nn.parallel"))


def _held(function: Function) -> set[str]:
    """Names of a function, `self.x` among them, that hold module instances or iterators."""
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    held = {a.arg for a in arguments if a.annotation is not None and _is_module(ast.unparse(a.annotation))}
    bound = list(_bindings(function))
    size = -1
    while size != len(held):
        size = len(held)
        held |= {name for name, value in bound if _holds(value, held)}
    return held


def _is_module(annotation: str) -> bool:
    return bool(_MODULE.search(annotation)) and not _CLASS_OR_FUNCTION.search(annotation)


def _bindings(function: Function) -> Iterator[tuple[str, ast.expr]]:
    """Each name of a function with an expression whose value, or a part of it, it comes to hold."""
    for node in walk(function):
        match node:
            case ast.Assign(targets=targets, value=value):
                yield from ((name, value) for target in targets for name in _targets(target))
            case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.AugAssign(target=target, value=value):
                yield from ((name, value) for name in _targets(target))
            case ast.NamedExpr(target=target, value=value) | ast.For(target=target, iter=value):
                yield from ((name, value) for name in _targets(target))
            case ast.Call(func=ast.Attribute(value=owner, attr=method), args=args) if method in _ADDING and args:
                # What a list is given by a function in lower case is as likely a module as not.
                yield _name_of(owner), ast.List([args[-1], ast.Name("_")], ast.Load())
            case _:
                pass


def _targets(target: ast.expr) -> list[str]:
    if isinstance(target, ast.Tuple | ast.List):
        return [name for element in target.elts for name in _targets(element)]
    return [_name_of(target)] if _name_of(target) else []


def _name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute) and is_self(node.value):
        return f"self.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _holds(value: ast.expr, held: set[str]) -> bool:
    listed = isinstance(value, ast.List | ast.Tuple | ast.Set | ast.Dict | ast.ListComp | ast.DictComp)
    for part in _parts(value):
        if _name_of(part) in held or isinstance(part, ast.GeneratorExp):
            return True
        if isinstance(part, ast.Call) and called_name(part) not in _SIZES and (listed or _makes(part)):
            return True
    return False


def _makes(call: ast.Call) -> bool:
    return bool(_MAKERS.search(called_name(call))) or called_name(call) in (
        "iter",
        "map",
        "zip",
        "filter",
        "reversed",
        "enumerate",
    )


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """The parts of an expression whose values its result may hold: not the owner of an attribute, nor what `len` is given."""
    yield node
    if (
        isinstance(node, ast.Attribute | ast.Lambda | ast.Compare)
        or called_name(node) in _SIZES
        and isinstance(node, ast.Call)
    ):
        return
    for child in children(node):
        if isinstance(child, ast.keyword):
            yield from _parts(child.value)
        elif isinstance(child, ast.comprehension):
            yield from _parts(child.iter)
        elif isinstance(node, ast.Call) and child is node.func:
            yield from _parts(node.func.value) if isinstance(node.func, ast.Attribute) else ()
        elif isinstance(child, ast.expr):
            yield from _parts(child)
