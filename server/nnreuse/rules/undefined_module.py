"""An attribute is called that nothing sets, and a module of a like name is never called.

## What it does
Finds a call of `self.name` where the class, its bases and its subclasses in the file set no such attribute, while a module of a like name
stands idle. It speaks only of classes whose bases are read, and which set nothing by names that are computed.

## Why it matters
`nn.Module` raises AttributeError when forward comes to the call. Under a flag that is found late: by whoever sets the flag. It is nearly
always a name that was misspelt, or changed at one of its two places.

## Example
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.reduce1 = nn.Linear(dim, dim // 4)
        self.unary2 = nn.Linear(dim // 4, dim)

    def forward(self, x):
        return self.unary2(self.unary1(x))
    #                      ^^^^^^^^^^^
```

## Fixed
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.unary1 = nn.Linear(dim, dim // 4)
        self.unary2 = nn.Linear(dim // 4, dim)

    def forward(self, x):
        return self.unary2(self.unary1(x))
```

## Fix safety
Unsafe: the module is saved under the other name. The second fix calls the module by the name that it has: old checkpoints load then.

## When to ignore
When another file sets the attribute, on an object of the class or in a subclass.
"""

from collections.abc import Iterator
from functools import reduce

from nnreuse.fixes.fix import Applicability, Fix, renaming
from nnreuse.fixes.overwritten import stored_as
from nnreuse.fixes.twin import call_instead
from nnreuse.fixes.writing import together
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import PROOF, severity_of
from nnreuse.rules.finding import Evidence, Finding, Related
from nnreuse.rules.forgotten import target_of
from nnreuse.rules.instances import other_calls, reading_order
from nnreuse.rules.undefined import UndefinedCall, undefined_calls
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Call, Trace

ABOUT_SHARING = False

MESSAGE = "`self.{name}` is called here, and nothing sets it: did you mean `self.{meant}`, which is never called?"


def check(context: Context) -> Iterator[Finding]:
    for undefined in undefined_calls(context.trace):
        yield _finding(context.trace, undefined)


def _finding(trace: Trace, undefined: UndefinedCall) -> Finding:
    name, meant = undefined.name, undefined.meant
    order = reading_order(trace)
    call = max(sorted(undefined.calls, key=lambda one: order(one.site)), key=_weight)
    evidence = (Evidence("undefined", _weight(call), "nothing sets the attribute that is called here", call.site),)
    return Finding(
        "undefined-module",
        severity_of(evidence, must=True),
        MESSAGE.format(name=name, meant=meant.name),
        call.site,
        trace.cls.name,
        name,
        (
            *other_calls(trace, [one.site for one in undefined.calls], call.site, "called here too"),
            Related(meant.place, f"`self.{meant.name}` is set here and never called", "definition"),
        ),
        evidence,
        tuple(_fixes(trace, undefined)),
    )


def _weight(call: Call) -> int:
    """A proof where every run comes to the call; what stands under a flag, or in a loop that may not run, raises for some."""
    return 4 if call.path.conditional or any(not turn.exact for turn in call.turns) else PROOF


def _fixes(trace: Trace, undefined: UndefinedCall) -> Iterator[Fix]:
    name, meant = undefined.name, undefined.meant
    target = target_of(meant)
    assert target is not None
    stored = stored_as(Place(meant.unit, meant.unit.span(target)), name)
    reach = renaming(trace.cls.units.node.name, meant.name, (name,))
    yield Fix(f"Set it under the name `self.{name}`", Applicability.UNSAFE, stored, reach=reach)
    sites = list(dict.fromkeys(one.site for one in undefined.calls))
    calls = [call_instead(site, name, meant.name) for site in sites]
    where = "here" if len(calls) == 1 else "at each of these places"
    yield Fix(f"Call `self.{meant.name}` {where}", Applicability.UNSAFE, reduce(together, calls))
