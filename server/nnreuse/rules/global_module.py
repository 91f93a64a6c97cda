"""A module that is made once, at module level, is kept by the objects of a class: all of them share it.

## What it does
Finds where a module class uses an instance that stands at module level, alone (`ACT = nn.PReLU()`) or in a registry
(`ACTIVATIONS = {"prelu": nn.PReLU()}`), and that carries parameters or state; also where the registry is merged or filled by other
statements, is read by a function, or where a function remembers what it made (`lru_cache`).

## Why it matters
A file is run once. Whatever it makes at module level is one object for the whole process: every model that looks it up gets the same
one, and training one model changes the others. Each model's `state_dict()` shows it as its own; loading a checkpoint into one
model loads it into all. Where `forward` uses it without keeping it on `self`, no model's `parameters()` lists it, and it never trains.

## Example
```python
import torch.nn as nn

_ACTIVATIONS = {"relu": nn.ReLU(), "prelu": nn.PReLU(), "leaky": nn.LeakyReLU(0.2)}

class Block(nn.Module):
    def __init__(self, dim, act="prelu"):
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.act = _ACTIVATIONS[act]
        #          ^^^^^^^^^^^^^^^^^

    def forward(self, x):
        return self.act(self.fc(x))
```

## Fixed
```python
import torch.nn as nn

_ACTIVATIONS = {"relu": nn.ReLU, "prelu": nn.PReLU, "leaky": lambda: nn.LeakyReLU(0.2)}

class Block(nn.Module):
    def __init__(self, dim, act="prelu"):
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.act = _ACTIVATIONS[act]()

    def forward(self, x):
        return self.act(self.fc(x))
```

## Fix safety
Unsafe: each object gets parameters of its own. Old checkpoints load as they are. A registry is changed only where its name begins with an
underscore and the file does nothing but look things up in it: others may import a public one.

## When to ignore
When one instance for all models is meant, a frozen encoder for example: say so in a comment at the line, with the word "shared".
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

from nnreuse.fixes.factory import made_at_use, registry_of_factories
from nnreuse.fixes.fix import Applicability, Fix, refused
from nnreuse.fixes.places import called_name
from nnreuse.fixes.writing import together
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.filed import asks_for_another
from nnreuse.rules.finding import Evidence, Finding, Related
from nnreuse.rules.instances import other_calls
from nnreuse.rules.making import carries_something, in_function, kind_of, name_of, said_to_be_shared
from nnreuse.rules.origins import remembers, units_behind
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place, Unit
from nnreuse.tracing.trace import Trace
from nnreuse.tracing.values import Instance
from nnreuse.types.meaning import FunctionRef, ValueRef

KEPT = "`{name}` holds a `{kind}` that is made once, at module level: every `{owner}` keeps the same instance"
REMEMBERED = "`{name}` gives again what it has made: every `{owner}` that asks for the same keeps the same `{kind}`"
CALLED = "`{name}` is a `{kind}` made once, at module level: every `{owner}` calls the same instance, and none registers its parameters"

ONCE = "a file is run once, and so is the constructor that stands at its top level"
REPEATS = "a function with a cache makes one for each set of arguments, whoever asks"
TRAINED = "the function loads trained weights, or sets the module for evaluation: one for all saves memory"
ANOTHER = "this look-up asks for another name, unless a caller gives one"
_LOADING = re.compile(r"load_state_dict|from_pretrained|\.eval\(\)|requires_grad_\(False")
_COPYING = re.compile("copy|clone")


@dataclass(frozen=True, slots=True)
class _Use:
    """Where a class takes `instance`, or one of several with it, from a module-level name. `kept`: under an attribute."""

    name: str
    place: Place
    looked_up: bool
    instance: Instance
    kept: bool
    value: ValueRef | FunctionRef
    direct: bool
    """Whether it stands in the very value of the name."""


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    taken = [i for i in _reached(trace) if _is_global(i)]
    if not taken:
        return
    made = [c.instance for c in trace.creations if _is_global(c.instance)] + [i for i in taken if i.copy_of is None]
    made = [i for i in made if carries_something(trace, i)]
    found: dict[Place | None, list[_Use]] = {}
    for unit, function in _functions(trace):
        for name, whole in _names(function):
            use = _use(context, unit, name, whole, taken, made)
            if use is not None:
                found.setdefault(use.instance.place, []).append(use)
    for uses in found.values():
        yield _finding(trace, uses[0], list(dict.fromkeys(one.place for one in uses)))


def _reached(trace: Trace) -> list[Instance]:
    """The instances that the class keeps or calls, each once. Where a look-up's key is not known, a copy stands for what it gives."""
    found = {i.ident: i for held in trace.held.values() for i in held}
    return list((found | {c.instance.ident: c.instance for c in trace.calls}).values())


def _is_global(instance: Instance) -> bool:
    """Whether an instance was constructed by a top-level statement, or by a function that remembers its answers."""
    place, file = instance.place, instance.file
    if place is None or file is None:
        return False
    if remembers(place.unit):
        return True
    return any(part is place.unit for part in file.index.parts if isinstance(part, Unit)) and not in_function(place)


def _functions(trace: Trace) -> Iterator[tuple[Unit, ast.FunctionDef | ast.AsyncFunctionDef]]:
    own = own_units(trace)
    for unit, node in trace.cls.units.statements():
        if unit in own and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield unit, node


def _names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[ast.Name, ast.expr]]:
    """The names that a function reads and does not bind, each with the look-up around it; those that are copied left out."""
    bound = {n.id for n in walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {n.arg for n in walk(function.args) if isinstance(n, ast.arg)}
    around: dict[int, ast.expr] = {}
    copied: set[int] = set()
    for node in walk(function):
        match node:
            case ast.Subscript(value=inner, ctx=ast.Load()):
                around[id(inner)] = node
            case ast.Call(args=args) if _COPYING.search(called_name(node)):
                copied |= {id(argument) for argument in args}
            case ast.Call(func=ast.Attribute(value=ast.Name() as inner)) | ast.Call(func=ast.Name() as inner):
                around[id(inner)] = node
            case _:
                pass
    for node in walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in bound:
            whole = around.get(id(node), node)
            if id(whole) not in copied:
                yield node, whole


def _use(
    context: Context, unit: Unit, name: ast.Name, whole: ast.expr, taken: list[Instance], made: list[Instance]
) -> _Use | None:
    meaning = context.program.lookup(context.trace.cls.file, name.id)
    if not isinstance(meaning, ValueRef | FunctionRef):
        return None
    if isinstance(meaning, ValueRef) and isinstance(whole, ast.Call) and not _is_get(whole):
        whole = name if whole.func is name or any(_stands_in(i, meaning) for i in taken) else whole
    looked_up = whole is not name
    direct = _direct(meaning, whole, taken, made)
    here, heavy = direct if direct is not None else _behind(context, name.id, whole, taken, made)
    if not here or not heavy:
        return None
    kept = any(context.trace.paths_of(i) for i in here)
    return _Use(name.id, Place(unit, unit.span(whole)), looked_up, heavy[0], kept, meaning, direct is not None)


Pair = tuple[list[Instance], list[Instance]]
"""The instances that a class takes from a name, and those of the name that carry something."""


def _direct(
    meaning: ValueRef | FunctionRef, whole: ast.expr, taken: list[Instance], made: list[Instance]
) -> Pair | None:
    """What stands in the very value of a name."""
    if not isinstance(meaning, ValueRef):
        return None
    here = [i for i in taken if _stands_in(i, meaning) and (not isinstance(whole, ast.Name) or i.copy_of is None)]
    if not here:
        return None
    return here, [i for i in made if _stands_in(i, meaning)]


def _is_get(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "get"


def _behind(context: Context, name: str, whole: ast.expr, taken: list[Instance], made: list[Instance]) -> Pair:
    """What a look-up or a call comes to through other names: a table that is merged or filled, a getter, a cache."""
    if isinstance(whole, ast.Name):
        return [], []
    units = units_behind(context.program, context.trace.cls.file, name)
    here = [i for i in taken if _is_the_same(i) and i.place is not None and i.place.unit in units]
    return here, [i for i in made if i.place is not None and i.place.unit in units]


def _is_the_same(instance: Instance) -> bool:
    """Whether an instance is no copy: what stands for an entry that is not known has an interned identity, a copy a fresh one."""
    return instance.copy_of is None or instance.ident > 0


def _stands_in(instance: Instance, value: ValueRef) -> bool:
    place = instance.place
    return place is not None and place.unit is value.unit and value.unit.span(value.node).contains(place.span)


def _finding(trace: Trace, use: _Use, places: list[Place]) -> Finding:
    source = use.instance.place
    cached = source is not None and remembers(source.unit)
    here = use.value.file is trace.cls.file
    evidence = (
        Evidence("module-level", 5, REPEATS if cached else ONCE, use.place),
        *said_to_be_shared(use.place, *([source] if source is not None else [])),
        *(
            [Evidence("trained", -4, TRAINED, source)]
            if cached and source is not None and _LOADING.search(source.unit.text)
            else []
        ),
        *(
            [Evidence("one-of-many", -4, ANOTHER, use.place)]
            if asks_for_another(trace, use.instance, use.place)
            else []
        ),
    )
    related = (Related(source, "made once, here", "definition"),) if here and source is not None else ()
    return Finding(
        "global-module",
        severity_of(evidence, must=True),
        (REMEMBERED if cached else KEPT if use.kept else CALLED).format(
            name=use.name, kind=kind_of(use.instance), owner=trace.cls.name.rsplit(".", 1)[-1]
        ),
        use.place,
        trace.cls.name,
        name_of(trace, use.instance),
        (*other_calls(trace, places, use.place, "and used here"), *related),
        evidence,
        _fixes(use, places) if use.kept and here else (),
        instances=(use.instance,),
    )


def _fixes(use: _Use, places: list[Place]) -> tuple[Fix, ...]:
    if not use.direct:
        reason = refused(f"what `{use.name}` gives is made elsewhere, and others may look it up")
        return (Fix(f"Make a fresh `{kind_of(use.instance)}` here", Applicability.UNSAFE, reason),)
    if use.looked_up:
        return (
            Fix(
                f"Let `{use.name}` make a fresh module at each look-up",
                Applicability.UNSAFE,
                registry_of_factories(use.name),
            ),
        )
    title = f"Make a fresh `{kind_of(use.instance)}` " + ("here" if len(places) == 1 else "at each of these places")
    builds = [made_at_use(place, use.name) for place in places]
    return (Fix(title, Applicability.UNSAFE, reduce(together, builds)),)
