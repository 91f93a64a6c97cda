"""Modules stand in a plain list, tuple or dict, where torch does not see them.

## What it does
Finds `self.layers = [nn.Linear(8, 8), …]` where the modules carry parameters or state and are registered under no other name.

## Why it matters
`nn.Module` registers what is assigned to an attribute if that is a module. A list is not one, so torch does not look inside:
`parameters()` does not list what is in it, so no optimizer trains it; `state_dict()` does not save it; `.to("cuda")`, `.eval()` and
`.requires_grad_()` do not reach it. `forward` works all the same, on the CPU at least, with weights that stay as they were drawn.

## Example
```python
import torch.nn as nn

class Mlp(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.layers = [nn.Linear(8, 8) for _ in range(depth)]
        #             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
```

## Fixed
```python
import torch.nn as nn

class Mlp(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(8, 8) for _ in range(depth)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
```

## Fix safety
Unsafe: the modules train, and the state_dict has new keys, which old checkpoints lack: load those with `strict=False`. The fix is offered
where everything the file does with the attribute works for `nn.ModuleList` or `nn.ModuleDict` too.

## When to ignore
When the modules are hidden on purpose, a frozen teacher for example. A list of one module, `self.teacher = [teacher]`, is a known way to
say so, and is not a warning. Nor is a container whose modules have no parameters, are set to `eval()` where they are made, have
optimizers of their own, or are handed on by the code: by a method `parameters` or `to` of the class, or to an optimizer in the same file.
"""

import ast
import re
from collections.abc import Iterator

from nnreuse.fixes.comma import without_comma
from nnreuse.fixes.fix import Applicability, Fix, refused
from nnreuse.fixes.places import called_name, function_at
from nnreuse.fixes.register import registered
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding
from nnreuse.rules.hiding import called_as_it_is, hidden_on_purpose
from nnreuse.rules.making import kind_of, owns_something
from nnreuse.rules.reuse import comments_at, own_units
from nnreuse.rules.unread_base import unread_base
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Definition, Trace
from nnreuse.tracing.values import Instance, Items, Mapping, Value, alternatives

ABOUT_SHARING = False

MESSAGE = "`self.{name}` is a plain {container}: torch does not register the `{kind}` in it, so `parameters()` and `.to()` miss it"
IF_MODULE = (
    "`self.{name}` is a plain {container}: if `{owner}` is an `nn.Module`, torch does not register the `{kind}` in it"
)

_HIDDEN = re.compile(r"regist|hid(?:e|den)|state_?dict|parameters|avoid|frozen|teacher|不注册|注册", re.IGNORECASE)
_HARMLESS = frozenset("len enumerate zip reversed print range isinstance append extend insert".split())


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    units = own_units(trace)
    seen: set[str] = set()
    for definition in trace.collections:
        if definition.unit not in units or definition.name in seen:
            continue
        seen.add(definition.name)
        held = _held(trace, definition.name)
        hidden = [i for i in held if not _is_registered(trace, i, held) and owns_something(trace, i)]
        if hidden and not _handed_on(definition):
            yield _finding(trace, definition, hidden, unread_base(context.program, trace))


def _held(trace: Trace, name: str) -> list[Instance]:
    """What a plain container holds; the parts of the modules in it are theirs."""
    prefix = f"{name}(unregistered)."
    paths = [path for path in trace.held if path.startswith(prefix) and path.rpartition(".")[0] not in trace.held]
    return [i for path in paths for i in trace.held[path]]


def _is_registered(trace: Trace, instance: Instance, beside: list[Instance]) -> bool:
    """Whether torch finds the instance elsewhere: under another name, or inside a module that is kept.

    A loop that registers those `beside` it that one expression makes registers all that the expression makes.
    """
    if instance.lost or any("(unregistered)" not in path for path in trace.paths_of(instance)):
        return True
    if any(one.place == instance.place and _by_loop(trace, one) for one in beside):
        return True
    owners = [i for path, held in trace.held.items() if "(unregistered)" not in path for i in held]
    return any(instance in (*owner.positional, *owner.keywords.values()) for owner in owners)


def _by_loop(trace: Trace, instance: Instance) -> bool:
    """Whether torch finds an instance under a name that stands for several: one made in a loop, or a place in a container."""
    return any("*" in path and "(unregistered)" not in path for path in trace.paths_of(instance))


def _handed_on(definition: Definition) -> bool:
    """Whether the constructor gives the list, or the local it was built in, to a function that may register what is in it."""
    function = function_at(definition.place)
    names = {f"self.{definition.name}"}
    if isinstance(definition.value, ast.Name):
        names.add(definition.value.id)
    added = _added_names(function, definition)
    for node in walk(function) if function is not None else ():
        if isinstance(node, ast.Call) and called_name(node) not in _HARMLESS:
            if _REGISTERING.match(called_name(node)) and not added.isdisjoint(_names_in(node)):
                return True
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            if any(
                ast.unparse(part) in names
                for argument in given
                for part in walk(argument)
                if isinstance(part, ast.expr)
            ):
                return True
    return False


_REGISTERING = re.compile(r"_?(?:set|add|register|attach|replace|insert|swap|bind)_\w+")


def _added_names(function: ast.AST | None, definition: Definition) -> set[str]:
    """The locals that the function puts into the container: `self.parts[key] = part`, `self.parts.append(part)`."""
    found, container = set[str](), f"self.{definition.name}"
    for node in walk(function) if function is not None else ():
        match node:
            case ast.Assign(targets=[ast.Subscript(value=owner)], value=ast.Name(id=name)) if (
                ast.unparse(owner) == container
            ):
                found.add(name)
            case ast.Call(func=ast.Attribute(value=owner, attr="append"), args=[ast.Name(id=name)]):
                found |= {name} if ast.unparse(owner) == container else set[str]()
            case _:
                pass
    return found


def _names_in(call: ast.Call) -> set[str]:
    return {argument.id for argument in call.args if isinstance(argument, ast.Name)}


def _finding(trace: Trace, definition: Definition, hidden: list[Instance], unread: str | None) -> Finding:
    place = definition.place
    if definition.value is not None:
        place = Place(definition.unit, definition.unit.span(definition.value))
    value = trace.this.attrs.get(definition.name)
    called = any(trace.calls_of(instance) for instance in hidden)
    evidence = tuple(_weigh(trace, definition, hidden, called))
    message = MESSAGE if unread is None else IF_MODULE
    if unread is not None:
        sentence = f"`{unread}` cannot be read, so `{trace.cls.name}` may be no `nn.Module`"
        evidence = (*evidence, Evidence("unread-base", 0, sentence, definition.place))
    fix = _fix(definition, place, value)
    if called_as_it_is(trace, definition) is not None:
        fix = Fix(f"Make `self.{definition.name}` the module itself", Applicability.UNSAFE, without_comma(place))
    return Finding(
        "unregistered-module",
        severity_of(evidence, must=unread is None),
        message.format(
            name=definition.name, container=_container(value), kind=kind_of(hidden[0]), owner=trace.cls.name
        ),
        place,
        trace.cls.name,
        definition.name,
        (),
        evidence,
        (fix,),
    )


def _fix(definition: Definition, place: Place, value: Value | None) -> Fix:
    kind = "ModuleDict" if _container(value) == "dict" else "ModuleList"
    build = registered(place, definition.name, kind)
    if definition.value is None:
        build = refused("it is filled in a way that the fix does not know")
    elif _container(value) in ("tuple", "set"):
        build = refused(f"an `nn.{kind}` is no {_container(value)}: write a list, or check what uses it")
    elif not _only_modules(value):
        build = refused(f"it may hold other things than modules, which an `nn.{kind}` does not take")
    return Fix(f"Make `self.{definition.name}` an `nn.{kind}`", Applicability.UNSAFE, build)


def _weigh(trace: Trace, definition: Definition, hidden: list[Instance], called: bool) -> Iterator[Evidence]:
    yield Evidence(
        "plain", 3, "torch looks for modules in attributes, not in lists, tuples and dicts", definition.place
    )
    if called:
        yield Evidence("called", 2, "`forward` calls what is in it", definition.place)
    raises = called_as_it_is(trace, definition)
    if raises is not None:
        yield Evidence("comma", 4, "a comma makes a tuple of the module, and a tuple cannot be called", raises)
    elif isinstance(definition.value, ast.List | ast.Tuple) and len(definition.value.elts) == 1:
        yield Evidence("single", -4, "a list of one module is a known way to hide it from torch", definition.place)
    if any(_HIDDEN.search(text) for text in comments_at(definition.place)):
        yield Evidence("said", -6, "a comment says why it is not registered", definition.place)
    yield from hidden_on_purpose(trace, definition, hidden)


def _container(value: Value | None) -> str:
    one = next((v for v in alternatives(value) if isinstance(v, Items | Mapping)), None) if value is not None else None
    if isinstance(one, Items):
        return one.kind if one.kind in ("tuple", "set") else "list"
    return "dict" if isinstance(one, Mapping) else "list"


def _only_modules(value: Value | None) -> bool:
    """Whether every element that is known is a module, so that a module container takes it."""
    match value:
        case Items(kind="list"):
            elements = list(value.content.items)
        case Mapping():
            elements = list(value.entries.values())
        case _:
            return False
    return bool(elements) and all(
        isinstance(one, Instance) and one.is_module for e in elements for one in alternatives(e)
    )
