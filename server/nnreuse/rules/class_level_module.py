"""A module is made in the class body, so all objects of the class have the same one, and none registers it.

## What it does
Finds `act = nn.PReLU()` in the body of a module class, where the module carries parameters or state.

## Why it matters
The class body runs once. Every object of the class calls that one module, and because it was not assigned to `self`, torch does not
know of it: `parameters()` does not list it, so no optimizer trains it; `state_dict()` does not save it; `.to("cuda")` leaves it where
it is. Assigning `self.act` later does not help: Python finds the class's attribute first.

## Example
```python
import torch.nn as nn

class Block(nn.Module):
    act = nn.PReLU()
    #     ^^^^^^^^^^

    def __init__(self, dim):
        super().__init__()
        self.fc = nn.Linear(dim, dim)

    def forward(self, x):
        return self.act(self.fc(x))
```

## Fixed
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.act = nn.PReLU()
        self.fc = nn.Linear(dim, dim)

    def forward(self, x):
        return self.act(self.fc(x))
```

## Fix safety
Unsafe: the module trains, and the state_dict has new keys. An old checkpoint never held it: load it with `strict=False`; the module then
starts fresh, as it stood untrained before. The fix is offered where only `self.act` in the class speaks of it.

## When to ignore
When one object for the whole process is meant and nothing in it is to be trained. A class-level module without parameters or state, such as
`default_act = nn.SiLU()`, is not reported.
"""

import ast
from collections.abc import Iterator

from nnreuse.fixes.classbody import into_constructor
from nnreuse.fixes.fix import Applicability, Fix
from nnreuse.fixes.places import chain
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding
from nnreuse.rules.making import carries_something, in_function, kind_of, said_to_be_shared
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Trace
from nnreuse.tracing.values import Instance

MESSAGE = "`{name}` is one `{kind}`, made in the class body: every `{owner}` has the same instance, and none registers its parameters"


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    units = own_units(trace)
    seen: set[object] = set()
    for creation in trace.creations:
        place = creation.instance.place
        if place is None or place.unit not in units or in_function(place):
            continue
        statement = next(iter(chain(place)), None)
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement in seen or statement.value is None:
            continue
        if carries_something(trace, creation.instance):
            seen.add(statement)
            yield _finding(trace, statement, statement.value, place, creation.instance)


def _finding(
    trace: Trace, statement: ast.Assign | ast.AnnAssign, value: ast.expr, inner: Place, instance: Instance
) -> Finding:
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    name, kind = ast.unparse(target), kind_of(instance)
    place = Place(inner.unit, inner.unit.span(value))
    definition = Place(inner.unit, inner.unit.span(statement))
    evidence = (
        Evidence("class-body", 5, "the class body runs once, and what it binds is not registered", place),
        *said_to_be_shared(definition),
    )
    return Finding(
        "class-level-module",
        severity_of(evidence, must=True),
        MESSAGE.format(name=name, kind=kind, owner=trace.cls.name.rsplit(".", 1)[-1]),
        place,
        trace.cls.name,
        name,
        (),
        evidence,
        (Fix(f"Make `self.{name}` in `__init__`", Applicability.UNSAFE, into_constructor(definition)),),
    )
