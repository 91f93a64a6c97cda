"""Each call of forward makes a new module, whose weights are drawn at random and thrown away.

## What it does
Finds a module with parameters or state that `forward`, or a method or function of the file that it calls, constructs. With the profiles
`quantization` and `attribution` an activation as well: observers and hooks are put on the modules that the constructor made.

## Why it matters
The module lives for one call. It is not in `parameters()`, so no optimizer trains it; its weights are random again at the next call,
so the same input gives another output, in evaluation too; and it stands on the CPU, whatever device the model is on. A batch norm made
this way starts at mean 0 and variance 1 on each call and in training mode, so `model.eval()` changes nothing for it.

## Example
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim
        self.body = nn.Linear(dim, dim)

    def forward(self, x):
        x = self.body(x)
        return nn.Linear(self.dim, 10)(x)
        #      ^^^^^^^^^^^^^^^^^^^^^^^
```

## Fixed
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim
        self.body = nn.Linear(dim, dim)
        self.linear = nn.Linear(self.dim, 10)

    def forward(self, x):
        x = self.body(x)
        return self.linear(x)
```

## Fix safety
Unsafe: the module trains, and the state_dict has new keys. The fix is offered where the constructor's arguments are constants, module-level
names, or attributes that `__init__` sets once; a size that is taken from the input needs a person, or a lazy module such as
`nn.LazyLinear(10)`, made in `__init__`.

## When to ignore
When a module is used as a function, with weights that are set by hand: `torch.nn.functional` says so better. A module that is made on the
first call and kept on `self` is worth a look only: it trains if the optimizer is made after that call. The rule runs `forward` twice, and
so knows what the second call finds.
"""

import ast
import re
from collections.abc import Iterator

from nnreuse.fixes import naming
from nnreuse.fixes.created import made_in_constructor
from nnreuse.fixes.default import default_around
from nnreuse.fixes.fix import Applicability, Fix, Reach, refused
from nnreuse.fixes.places import Function, called_name, chain, function_at, is_self
from nnreuse.rules import reused_activation
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding
from nnreuse.rules.making import brings_something, kind_of
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Creation, Trace

ABOUT_SHARING = False

MESSAGE = "each call of `{function}` makes a new `{kind}`: it never trains, and its {what} at every call"

LAZY = "{name} is made at the first call of `{function}` and kept: {missed}"

KEPT = "{name} is made in `{function}`, where a test asks for it, and kept: {missed}"

UNSEEN = "each call of `{function}` makes a new `{kind}`, which quantization and attribution do not see: it is no part of the model"

_ENTRIES = ("forward", "__call__", "encode", "decode", "training_step")
_MOVING = frozenset("to cuda cpu half float double bfloat16 type type_as train".split())
_LOOKUP = re.compile(r"AttributeError|KeyError|LookupError|NameError")
_MISSED_PARAMETERS = "an optimizer that is built before misses its parameters"
_MISSED_STATE = "`load_state_dict()` before misses its state"
_IDENTITY = ("torch.nn.modules.normalization.", "torch.nn.modules.instancenorm.")


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    unseen = not reused_activation.PROFILES.isdisjoint(context.settings.profiles)
    made = {place: one for one in trace.creations if (place := _made_at(trace, one, unseen)) is not None}
    if not made:
        return
    named = _named(trace, made, {*context.names_of(trace.cls)})
    for place, name in named.items():
        yield _finding(trace, made[place], place, name, _beside(trace, made, named, place))


def _named(trace: Trace, made: dict[Place, Creation], taken: set[str]) -> dict[Place, str]:
    """The places that are reported, each with the attribute that what it makes is to have."""
    named: dict[Place, str] = {}
    for place, creation in made.items():
        if any(other.unit is place.unit and other != place and other.span.contains(place.span) for other in made):
            continue  # an argument of another: that one is reported
        named[place] = _name(trace, creation, place, taken)
        taken.add(named[place])
    return named


def _beside(
    trace: Trace, made: dict[Place, Creation], named: dict[Place, str], place: Place
) -> list[tuple[Place, str]]:
    """What else the same function makes for itself alone, to be moved together: half a move reads as if the rest were right."""
    return [
        (other, name)
        for other, name in named.items()
        if other != place
        and function_at(other) is function_at(place)
        and not _is_own(_target(other))
        and _how_kept(trace, made[other], other) is None
        and not {one.kind for one in _weigh(trace, made[other], other)} & {"set-up", "uncalled"}
    ]


def _made_at(trace: Trace, creation: Creation, unseen: bool) -> Place | None:
    """Where forward's own code makes an instance that carries something, or is to be `unseen` by no one, anew at each call."""
    place = creation.instance.place
    if place is None or not creation.phase.startswith(_ENTRIES):
        return None
    if place.unit not in own_units(trace) and not _is_in_helper(trace, creation, place):
        return None
    matters = (
        brings_something(trace, creation.instance) or unseen and reused_activation.is_activation(creation.instance)
    )
    if not matters or default_around(place) is not None or _is_cached(place):
        return None
    return place


def _is_in_helper(trace: Trace, creation: Creation, place: Place) -> bool:
    """Whether a function of the file, outside all classes, makes it, and nothing there may keep it for the next call."""
    function = function_at(place)
    if function is None or creation.file is not trace.cls.file or function not in place.unit.nodes:
        return False
    at_top = any(unit is place.unit for unit in trace.cls.surroundings.frame)
    return at_top and not _may_keep(function)


def _may_keep(function: Function) -> bool:
    """Whether a function writes to anything but its own names: a table of the module, a parameter, an attribute."""
    nodes = walk(function)
    own = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in nodes:
        match node:
            case ast.Global() | ast.Nonlocal() | ast.Call(func=ast.Attribute(attr="setdefault")):
                return True
            case ast.Subscript(value=held, ctx=ast.Store()) | ast.Attribute(value=held, ctx=ast.Store()):
                if _root(held) not in own:
                    return True
            case _:
                pass
    return False


def _root(held: ast.expr) -> str:
    """The name that an attribute or an entry begins with."""
    while isinstance(held, ast.Attribute | ast.Subscript | ast.Call):
        held = held.func if isinstance(held, ast.Call) else held.value
    return held.id if isinstance(held, ast.Name) else ""


def _is_cached(place: Place) -> bool:
    """Whether a decorator stands between forward and the call, which may well keep what the function returns."""
    function = function_at(place)
    return function is not None and function.name not in _ENTRIES and bool(function.decorator_list)


def _how_kept(trace: Trace, creation: Creation, place: Place) -> str | None:
    """The message about a module that later calls find: all of them, or where a test says so. None where each call makes another."""
    again = trace.again.get(creation.phase)
    if again is not None and again.complete and creation.node not in again.made:
        return LAZY
    if _is_fallback(place):
        return KEPT
    perhaps = again is not None and again.complete and creation.node not in again.certain
    return KEPT if perhaps and (_is_own(_target(place)) or _is_added(place)) else None


def _is_added(place: Place) -> bool:
    """Whether it is given to a method of `self` or of an attribute, such as `self.layers.append(…)`."""
    above = chain(place)[-2:-1]
    if not above or not isinstance(above[0], ast.Call) or not isinstance(above[0].func, ast.Attribute):
        return False
    return is_self(above[0].func.value) or _is_own(above[0].func.value)


def _is_fallback(place: Place) -> bool:
    """Whether it is made where a lookup has failed: in a handler, or as the second argument of `setdefault`."""
    nodes = chain(place)
    if any(isinstance(one, ast.ExceptHandler) and _LOOKUP.search(ast.unparse(one.type or one)) for one in nodes):
        return True
    return any(isinstance(one, ast.Call) and called_name(one) == "setdefault" for one in nodes[:-1])


def _message(trace: Trace, creation: Creation, place: Place, kept: str | None) -> str:
    function, kind = function_at(place), kind_of(creation.instance)
    called = function.name if function is not None else "forward"
    drawn = trace.carries(creation.instance).parameters
    if kept is not None:
        target = _target(place)
        name = f"`{ast.unparse(target)}`" if _is_own(target) and target is not None else f"this `{kind}`"
        missed = _MISSED_PARAMETERS if drawn else _MISSED_STATE
        return kept.format(name=name, function=creation.phase, missed=missed)
    message = MESSAGE if brings_something(trace, creation.instance) else UNSEEN
    what = "weights are drawn anew" if drawn else "state starts anew"
    return message.format(function=called, kind=kind, what=what)


def _fixes(trace: Trace, place: Place, name: str, others: list[tuple[Place, str]], kept: bool) -> Iterator[Fix]:
    title, target, owner = f"Make it once, as `self.{name}` in `__init__`", _target(place), trace.cls.units.node.name
    if place.unit not in own_units(trace):
        yield Fix(title, Applicability.UNSAFE, refused("a function outside the class makes it, which others may call"))
        return
    if kept or _is_own(target) and target is not None:
        held = ast.unparse(target) if target is not None else "self"
        yield Fix(title, Applicability.UNSAFE, refused(f"it is kept as `{held}`, and would be registered twice"))
        return
    if others:
        yield Fix(
            "Make everything that is made here once, in `__init__`",
            Applicability.UNSAFE,
            made_in_constructor(place, name, others),
            reach=Reach(owner, new=frozenset([name, *(other for _, other in others)])),
        )
    reach = Reach(owner, new=frozenset([name]))
    yield Fix(title, Applicability.UNSAFE, made_in_constructor(place, name), reach=reach)


def _finding(trace: Trace, creation: Creation, place: Place, name: str, others: list[tuple[Place, str]]) -> Finding:
    kept = _how_kept(trace, creation, place)
    lazy = Evidence("lazy", 0, "a later call finds it on `self`", place)
    evidence = (lazy,) if kept is not None else tuple(_weigh(trace, creation, place))
    return Finding(
        "module-created-in-forward",
        severity_of(evidence, must=True),
        _message(trace, creation, place, kept),
        place,
        trace.cls.name if place.unit in own_units(trace) else None,
        None,
        (),
        evidence,
        tuple(_fixes(trace, place, name, others, kept is not None)),
    )


def _weigh(trace: Trace, creation: Creation, place: Place) -> Iterator[Evidence]:
    yield Evidence("forward", 4, "it is constructed where forward runs, and lives for that call", place)
    target = _target(place)
    carried = trace.carries(creation.instance)
    if _is_own(target) and creation.path.literals:
        yield Evidence("kept", -3, "it is kept on self under a test: made on the first call, perhaps", place)
    if isinstance(target, ast.Name) and _is_set_up(place, target.id):
        yield Evidence("set-up", -3, "its weights are set by hand, so it is used as a function", place)
    if not trace.calls_of(creation.instance):
        yield Evidence("uncalled", -2, "nothing here is seen to call it", place)
    if (creation.instance.type_name or "").startswith(_IDENTITY) and not carried.running_stats:
        yield Evidence("identity", -2, "a fresh norm is the plain function: scale 1 and shift 0", place)


def _target(place: Place) -> ast.expr | None:
    """What the constructed module is assigned to, also behind `.to(…)` and the like."""
    above = chain(place)[:-1]
    while len(above) > 1 and isinstance(above[-1], ast.Attribute) and isinstance(above[-2], ast.Call):
        above = above[:-2]
    match above[-1:]:
        case [ast.Assign(targets=[*_, target])] | [ast.AnnAssign(target=target)]:
            return target
        case _:
            return None


def _is_own(target: ast.expr | None) -> bool:
    """Whether a target is `self.name`, or an entry of it."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return isinstance(target, ast.Attribute) and is_self(target.value)


def _is_set_up(place: Place, name: str) -> bool:
    """Whether the function does more with the local than move and call it: `conv.weight.data = kernel`, `conv.load_state_dict(…)`."""
    function = function_at(place)
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        and node.attr not in _MOVING
        for node in (walk(function) if function is not None else ())
    )


def _name(trace: Trace, creation: Creation, place: Place, taken: set[str]) -> str:
    """A free attribute: called as the local is that holds it, else as its class."""
    target = _target(place)
    wanted = target.id if isinstance(target, ast.Name) else kind_of(creation.instance).lower().lstrip("_")
    if wanted not in taken and wanted.isidentifier():
        return wanted
    return naming.free_names(trace.cls.units, wanted, 1, taken)[0]
