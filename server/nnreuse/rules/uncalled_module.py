"""A module is defined, and nothing calls it or hands it on.

## What it does
Finds an attribute with parameters that the constructor sets and nothing in the file speaks of again.

## Why it matters
Its parameters are allocated, saved and moved to the device, and get no gradient. Optimizers with weight decay skip them, since
`grad` stays None; DistributedDataParallel waits for them and stops with "Expected to have finished reduction in the prior iteration",
unless `find_unused_parameters=True` pays for the search. Often it is what is left of an experiment, or a call that was forgotten.

## Example
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)
    #   ^^^^^^^^^
        self.fc2 = nn.Linear(8, 4)

    def forward(self, x):
        return self.fc2(self.fc1(x))
```

## Fixed
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(8, 8)
        self.fc2 = nn.Linear(8, 4)

    def forward(self, x):
        return self.fc2(self.fc1(x))
```

## Fix safety
Unsafe: the state_dict loses keys, so that old checkpoints load with `strict=False` only, and the random numbers that the module drew at
construction are drawn by those after it. What forward computes stays as it is.

## When to ignore
When another file uses the attribute, a subclass for example, or when it is kept so that published checkpoints load.
"""

import ast
from collections.abc import Iterator

from nnreuse.config.severity import Severity
from nnreuse.fixes.fix import Applicability, Fix, renaming
from nnreuse.fixes.places import called_name, is_self, statement_at
from nnreuse.fixes.twin import delete_definition
from nnreuse.fixes.uses import named_elsewhere, uses
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding
from nnreuse.rules.making import kind_of
from nnreuse.rules.reuse import call_sites, comments_at, grouped, own_units
from nnreuse.rules.twins import idle_twin
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Definition, Trace
from nnreuse.types.meaning import External, ModuleClass

ABOUT_SHARING = False

MESSAGE = "`self.{name}` is never called: the parameters of this `{kind}` get no gradient"

_BY_NAME = frozenset("children named_children get_submodule _modules __dict__ __getattr__ vars".split())
_KNOWN = frozenset("super isinstance issubclass type id hasattr repr print len".split())
_PLAIN = ("torch.", "abc.", "typing.", "builtins.", "collections.")


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    idle = [d for d in trace.definitions if _is_idle(trace, d)]
    if not idle or not _is_seen_in_full(trace):
        return
    twins = _idle_twins(trace)
    for definition in idle:
        if definition not in twins and not named_elsewhere(trace.cls.surroundings, trace.cls.units, definition.name):
            yield _finding(trace, definition)


def _is_idle(trace: Trace, definition: Definition) -> bool:
    """Whether a definition of the class itself makes something with parameters that has one name and is not called.

    What only some configurations make is often there for other files to call: it does not count.
    """
    if definition.unit not in own_units(trace) or definition.path.literals:
        return False
    if not isinstance(definition.value, ast.Call) or _target(definition) is None:
        return False
    if sum(d.name == definition.name for d in trace.definitions) != 1:
        return False
    if any(trace.calls_of(i) or i.handed_on or len(trace.paths_of(i)) != 1 for i in definition.instances):
        return False
    if len(list(uses(trace.cls.units, definition.name))) != 1 or _is_register(trace, definition):
        return False
    return all(
        trace.carries(one).parameters and trace.learns(one) for one in definition.instances
    )  # last: it runs constructors


def _is_register(trace: Trace, definition: Definition) -> bool:
    """Whether a container only registers what is also held, or called, under another name: `nn.Sequential(*self.layers)`."""
    own = f"{definition.name}."
    members = [part for made in definition.instances if made.elements is not None for part in trace.parts(made)]
    return any(
        trace.calls_of(one) or one.handed_on or any(not path.startswith(own) for path in trace.paths_of(one))
        for one in members
    )


def _target(definition: Definition) -> ast.Attribute | None:
    match statement_at(definition.place):
        case ast.Assign(targets=[ast.Attribute() as target]) | ast.AnnAssign(target=ast.Attribute() as target):
            return target if is_self(target.value) else None
        case _:
            return None


def _is_seen_in_full(trace: Trace) -> bool:
    """Whether all that forward does is known: it calls something, its bases are read, and nothing looks modules up by other means."""
    if not trace.complete or trace.entries != ["forward"] or not trace.calls:
        return False
    if any(isinstance(base, External) and not base.dotted.startswith(_PLAIN) for base in trace.cls.mro):
        return False
    classes = [c for c in trace.cls.mro if isinstance(c, ModuleClass)]
    return not any(_hides(node) for c in classes for s in c.statements() for node in walk(s))


def _hides(node: ast.AST) -> bool:
    """Whether a node may reach attributes that it does not name: by a made name, by all names, or by handing `self` on."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in _BY_NAME
        case ast.Call(func=ast.Name(id="getattr" | "setattr" | "delattr"), args=[owner, name, *_]) if is_self(owner):
            return not isinstance(name, ast.Constant)
        case ast.Call(args=args, keywords=keywords):
            given = [*args, *(keyword.value for keyword in keywords)]
            return called_name(node) not in _KNOWN and any(map(is_self, given))
        case ast.Return(value=value) | ast.Assign(value=value):
            return value is not None and is_self(value)
        case _:
            return False


def _idle_twins(trace: Trace) -> list[Definition]:
    """The definitions that `unused-twin` reports."""
    called = [instance for instance, calls in grouped(trace).items() if len(call_sites(calls)) > 1]
    return [pair[1] for instance in called if (pair := idle_twin(trace, instance)) is not None]


def _finding(trace: Trace, definition: Definition) -> Finding:
    target = _target(definition)
    assert target is not None
    evidence = [Evidence("uncalled", 0, "nothing in the file speaks of it after it is set", definition.place)]
    if any("compat" in text or "unused" in text or "checkpoint" in text for text in comments_at(definition.place)):
        evidence.append(Evidence("said", -6, "a comment says why it is kept", definition.place))
    return Finding(
        "uncalled-module",
        severity_of(tuple(evidence), must=True, at_most=Severity.INFORMATION),
        MESSAGE.format(name=definition.name, kind=kind_of(definition.instances[0])),
        Place(definition.unit, definition.unit.span(target)),
        trace.cls.name,
        definition.name,
        (),
        tuple(evidence),
        (
            Fix(
                f"Delete the unused `self.{definition.name}`",
                Applicability.UNSAFE,
                delete_definition(definition.place),
                reach=renaming(trace.cls.units.node.name, definition.name, ()),
            ),
        ),
    )
