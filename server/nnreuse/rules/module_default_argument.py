"""A module stands as the default value of a parameter, so every object of the class is given the same one.

## What it does
Finds `def __init__(self, act=nn.PReLU())`, where the module carries parameters or state.

## Why it matters
Python evaluates a default value once, when the class is defined. All objects that are made without an argument keep that one
module: their weights are tied, in one model and across models, and training one of them changes the others. Each model's
`state_dict()` shows it as if it were its own, so nothing looks wrong in a checkpoint; loading one into a second model changes the
first as well.

## Example
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim, act=nn.PReLU()):
        #                       ^^^^^^^^^^
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.act = act

    def forward(self, x):
        return self.act(self.fc(x))
```

## Fixed
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim, act=None):
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        if act is None:
            act = nn.PReLU()
        self.act = act

    def forward(self, x):
        return self.act(self.fc(x))
```

## Fix safety
Unsafe: each object gets parameters of its own. Old checkpoints load, since each object's state_dict had the keys all along. The test is
`is None` and not `act or …`: an empty `nn.Sequential()`, `nn.ModuleList()` or `nn.ModuleDict()` that a caller gives is falsy. The fix is
not offered where None already means something.

## When to ignore
When all objects are to share the module: make it once, outside, and hand it to each of them, so that a reader sees it. A default
without parameters or state, such as `nn.ReLU()`, is not reported, nor is one that only copies are made of.
"""

from collections.abc import Iterator

from nnreuse.fixes.default import Default, default_around, made_when_missing
from nnreuse.fixes.fix import Applicability, Fix
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding
from nnreuse.rules.making import carries_something, is_kept, kind_of, name_of, said_to_be_shared
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Trace
from nnreuse.tracing.values import Instance

MESSAGE = "`{parameter}` defaults to one `{kind}`, made when the class is defined: every `{owner}` given none keeps that instance"
TITLE = "Make a fresh `{kind}` where `{parameter}` is None"


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    units = own_units(trace)
    seen: set[object] = set()
    for creation in trace.creations:
        place = creation.instance.place
        if place is None or place.unit not in units:
            continue
        default = default_around(place)
        if default is None or default.value in seen or not carries_something(trace, creation.instance):
            continue
        if is_kept(trace, creation.instance):
            seen.add(default.value)
            yield _finding(trace, default, creation.instance, place)


def _finding(trace: Trace, default: Default, instance: Instance, inner: Place) -> Finding:
    place = Place(inner.unit, inner.unit.span(default.value))
    kind, parameter = kind_of(instance), default.parameter.arg
    evidence = (
        Evidence("default", 5, "a default value is evaluated once, when the function is defined", place),
        *said_to_be_shared(place),
    )
    return Finding(
        "module-default-argument",
        severity_of(evidence, must=True),
        MESSAGE.format(parameter=parameter, kind=kind, owner=trace.cls.name.rsplit(".", 1)[-1]),
        place,
        trace.cls.name,
        name_of(trace, instance),
        (),
        evidence,
        (Fix(TITLE.format(kind=kind, parameter=parameter), Applicability.UNSAFE, made_when_missing(place)),),
    )
