"""One quantization stub, observer or FloatFunctional stands at several places, and its one observer sees them all.

## What it does
Finds a `QuantStub`, an observer, a fake quantizer, or a `FloatFunctional` that one forward uses at two places or more.

## Why it matters
Eager quantization gives each module one observer, and computes one scale and zero point from what it has seen. A module that stands
at two places gets the range of both: with one QuantStub for two inputs, one in [-1, 1] and one in [-200, 200], 8 bits leave the first a
step or two. Without quantization the module does nothing, so no test of the float model shows it.

## Example
```python
import torch.nn as nn
from torch.ao.nn.quantized import FloatFunctional

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1 = nn.Linear(dim, dim)
        self.fc2 = nn.Linear(dim, dim)
        self.skip = FloatFunctional()

    def forward(self, x):
        x = self.skip.add(x, self.fc1(x))
        #   ---------
        return self.skip.add(x, self.fc2(x))
        #      ^^^^^^^^^
```

## Fixed
```python
import torch.nn as nn
from torch.ao.nn.quantized import FloatFunctional

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1 = nn.Linear(dim, dim)
        self.fc2 = nn.Linear(dim, dim)
        self.skip = FloatFunctional()
        self.skip2 = FloatFunctional()

    def forward(self, x):
        x = self.skip.add(x, self.fc1(x))
        return self.skip2.add(x, self.fc2(x))
```

## Fix safety
Unsafe: a quantized model has one more set of scales. The float model computes what it did, and its checkpoints load as they are.

## When to ignore
When the tensors are to share one scale, as the inputs of a concatenation may be.
"""

import ast
from collections.abc import Iterator
from itertools import pairwise

from nnreuse.fixes.uses import Use, uses
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding
from nnreuse.rules.instances import definitions, other_calls, reading_order
from nnreuse.rules.making import kind_of, said_to_be_shared, split_by_site
from nnreuse.rules.reuse import call_sites, grouped, own_code, own_units
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Definition, Trace, most_calls
from nnreuse.tracing.values import Instance

MESSAGE = "`self.{name}` is used at {count} places: the one observer of this `{kind}` mixes their ranges"

_CALLED = (
    "torch.ao.quantization.stubs.QuantStub",
    "torch.ao.quantization.observer.",
    "torch.ao.quantization.fake_quantize.",
)
_ASKED = "torch.ao.nn.quantized.modules.functional_modules."


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    for definition in trace.definitions:
        if len(definition.instances) != 1 or definition.unit not in own_units(trace):
            continue
        if sum(d.name == definition.name for d in trace.definitions) != 1:
            continue
        instance = definition.instances[0]
        sites, must = _sites(trace, definition, instance)
        if len(sites) > 1:
            yield _finding(context, definition, instance, sites, must)


def _sites(trace: Trace, definition: Definition, instance: Instance) -> tuple[list[Place], bool]:
    """Where one forward uses an instance that gets an observer, and whether each configuration does so at two places."""
    name = instance.type_name or ""
    if name.startswith(_ASKED):
        return [use.place for use in _asked(trace, definition.name)], True
    calls = grouped(trace).get(instance, []) if name.startswith(_CALLED) else []
    most, must = most_calls(calls)
    if most < 2 or not own_code(trace, calls):
        return [], False
    return [call.site for call in call_sites(calls)], must


def _asked(trace: Trace, name: str) -> list[Use]:
    """The places where one method of the class asks a FloatFunctional for something: `self.skip.add(…)`; arms of one branch once."""
    by_method: dict[ast.AST, list[Use]] = {}
    for use in uses(trace.cls.units, name):
        match use.around[-2:]:
            case (ast.Call(func=function), ast.Attribute() as asked) if function is asked and use.functions:
                by_method.setdefault(use.functions[-1], []).append(use)
            case _:
                pass
    for found in by_method.values():
        found.sort(key=lambda use: use.place.span)
        if len(found) > 1 and not any(_exclusive(a, b) for a, b in pairwise(found)):
            return found
    return []


def _exclusive(a: Use, b: Use) -> bool:
    """Whether two uses stand in different arms of one `if`, or the first in an arm that leaves the method."""
    for node in a.around:
        if isinstance(node, ast.If):
            arm = node.body if any(s in a.around for s in node.body) else node.orelse
            beside = node in b.around and not any(s in b.around for s in arm)
            leaves = node not in b.around and bool(arm) and isinstance(arm[-1], ast.Return | ast.Raise)
            if beside or leaves:
                return True
        elif isinstance(node, ast.IfExp) and node in b.around:
            return True
    return False


def _finding(context: Context, definition: Definition, instance: Instance, sites: list[Place], must: bool) -> Finding:
    trace, name = context.trace, definition.name
    evidence = (
        Evidence("observer", 5, "quantization gives each module one observer", definition.place),
        *said_to_be_shared(definition.place, *sites),
    )
    ordered = sorted(sites, key=reading_order(trace))
    here = next(place for place in (*ordered[1:], *ordered) if place.unit in own_units(trace))
    return Finding(
        "reused-quantization-stub",
        severity_of(evidence, must),
        MESSAGE.format(name=name, count="two" if len(sites) == 2 else len(sites), kind=kind_of(instance)),
        here,
        trace.cls.name,
        name,
        (*other_calls(trace, sites, here, "used here too"), *definitions(trace, [instance])),
        evidence,
        (split_by_site(context, definition, sites),),
        instances=(instance,),
    )
