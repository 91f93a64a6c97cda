"""Hiding: what says that modules in a plain container are kept from torch on purpose, or have nothing that learns."""

import ast
import re
from collections.abc import Iterator

from nnreuse.fixes.places import Function, chain, function_at
from nnreuse.fixes.uses import Use, uses
from nnreuse.rules.finding import Evidence
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place, leaves
from nnreuse.tracing.trace import Definition, Trace
from nnreuse.tracing.values import Instance

_HANDING = frozenset(
    "parameters named_parameters state_dict load_state_dict to cuda cpu _apply train eval half float requires_grad_".split()
)
_OVERRIDES = re.compile(
    r"^(?:to|cuda|cpu|train|eval|half|float|_apply|requires_grad_|(?!.*(?:init|reset)).*(?:param|optim|state_dict).*)$"
)
_OPTIMIZER = re.compile(
    r"(?:^|\.)(?:optim\.\w+|[Aa]dam\w*|SGD|RMS[Pp]rop|Adagrad|Adadelta|LBFGS|Lion|\w*[Oo]ptimizer)$"
)


def hidden_on_purpose(trace: Trace, definition: Definition, hidden: list[Instance]) -> Iterator[Evidence]:
    """Everything that speaks for a design, of the modules that a container hides."""
    here = definition.place
    if all(trace.carries(one).parameters is False for one in hidden):
        yield Evidence("no-parameters", -4, "nothing in it learns: only its statistics are not saved or moved", here)
    if all(_has_its_optimizer(one) for one in hidden):
        yield Evidence("own-optimizer", -6, "each of them makes an optimizer of its own", here)
    if all(_is_set_to_eval(one, definition.name) for one in hidden) or _loop_sets_to_eval(trace, definition.name):
        yield Evidence("evaluated", -4, "they are set to `eval()` where they are made: they are not trained here", here)
    place = _by_hand(trace, definition.name) or _in_an_optimizer(trace, definition.name)
    if place is not None:
        yield Evidence("by-hand", -8, "the code hands them on itself, where torch does not", place)


# ---- what the modules are


def _has_its_optimizer(instance: Instance) -> bool:
    """Whether the class of a module gives its parameters to an optimizer that it makes."""
    statements = instance.cls.statements() if instance.cls is not None else ()
    nodes = (node for statement in statements for node in walk(statement))
    return any(_makes_optimizer(node) and "self.parameters()" in ast.unparse(node) for node in nodes)


def _makes_optimizer(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and bool(_OPTIMIZER.search(ast.unparse(node.func)))


def _is_set_to_eval(instance: Instance, name: str) -> bool:
    """Whether the function that makes a module sets it to eval: `make().eval()`, or `part = make()` and `part.eval()`."""
    place = instance.place
    function = function_at(place) if place is not None else None
    if place is None or function is None:
        return False
    around = chain(place)
    if any(_is_eval(node) for node in around if isinstance(node, ast.Call)):
        return True
    names = {target for node in around if isinstance(node, ast.Assign) for target in map(ast.unparse, node.targets)}
    return any(_is_eval(node) and _receiver(node) in names - {f"self.{name}"} for node in walk(function))


def _is_eval(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "eval"


def _receiver(node: ast.AST) -> str | None:
    return ast.unparse(node.func.value) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None


# ---- what the code does with them


def _loop_sets_to_eval(trace: Trace, name: str) -> bool:
    """Whether the constructor sets all of a container to eval: `for part in self.parts: part.eval()`."""
    made = (use for use in uses(trace.cls.units, name) if any(f.name == "__init__" for f in use.functions))
    return any(_does_in_loop(use, frozenset(["eval"])) for use in made)


def _by_hand(trace: Trace, name: str) -> Place | None:
    """Where a method like `parameters`, `to` or `configure_optimizers` goes through a container."""
    for use in uses(trace.cls.units, name):
        inside = any(_OVERRIDES.match(function.name) for function in use.functions)
        if inside and not use.stores and _does_in_loop(use, _HANDING):
            return use.place
    return None


def _does_in_loop(use: Use, methods: frozenset[str]) -> bool:
    """Whether the loop or statement around a use calls one of some methods."""
    around = [node for node in use.around if isinstance(node, ast.stmt) and not isinstance(node, Function)]
    loop = next((node for node in around if isinstance(node, ast.For)), around[-1] if around else None)
    nodes = walk(loop) if loop is not None else ()
    return any(isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in methods for n in nodes)


def _in_an_optimizer(trace: Trace, name: str) -> Place | None:
    """Where the file gives an optimizer what a container holds: `Adam([p for h in net.heads for p in h.parameters()])`."""
    for unit in leaves(trace.cls.surroundings.parts):
        if name not in unit.text:
            continue
        for node in (inner for statement in unit.nodes for inner in walk(statement)):
            if _makes_optimizer(node) and isinstance(node, ast.Call) and _speaks_of(node, name):
                return Place(unit, unit.span(node))
    return None


def _speaks_of(call: ast.Call, name: str) -> bool:
    nodes = [node for root in (*call.args, *(keyword.value for keyword in call.keywords)) for node in walk(root)]
    return any(isinstance(node, ast.Attribute) and node.attr == name for node in nodes)


def called_as_it_is(trace: Trace, definition: Definition) -> Place | None:
    """Where a method calls an attribute that is a tuple of one module, as a comma at the end makes it: that raises."""
    value = definition.value
    if not isinstance(value, ast.Tuple) or len(value.elts) != 1:
        return None
    for use in uses(trace.cls.units, definition.name):
        calls = (node for node in use.around if isinstance(node, ast.Call))
        if any(call.func is use.node for call in calls):
            return use.place
    return None
