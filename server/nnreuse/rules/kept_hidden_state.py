"""The state of a recurrent module is kept on self with its graph, and given back at the next call.

## What it does
Finds `y, self.state = self.rnn(x, self.state)` where nothing detaches the state.

## Why it matters
The stored tensor remembers how it was computed. At the next call the graph grows from there: the second `backward()` raises "Trying to
backward through the graph a second time", and where it does not, in evaluation without `torch.no_grad()` for example, every call keeps
all earlier ones in memory. The module itself keeps no state between calls: without one given, it starts at zero.

## Example
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 8)
        self.state = None

    def forward(self, x):
        y, self.state = self.rnn(x, self.state)
        #  ^^^^^^^^^^
        return y
```

## Fixed
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 8)
        self.state = None

    def forward(self, x):
        y, self.state = self.rnn(x, self.state)
        self.state = self.state.detach()
        return y
```

## Fix safety
Unsafe: gradients no longer flow from one call into those before it. Outputs and checkpoints stay as they are.

## When to ignore
When the gradient is meant to flow through several calls of one sequence, and the state is dropped before the next: reset it there. A state
that each `forward` sets anew before it is used is not reported.
"""

import ast
import re
from collections.abc import Iterator
from functools import reduce

from nnreuse.fixes.detach import detached
from nnreuse.fixes.fix import Applicability, Fix
from nnreuse.fixes.places import function_at, is_self
from nnreuse.fixes.writing import together
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding, Related
from nnreuse.rules.instances import in_groups, other_calls, reading_order
from nnreuse.rules.making import kind_of
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.once import once
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import ClassUnits, Place
from nnreuse.tracing.trace import Call, Store, Trace
from nnreuse.tracing.values import Instance
from nnreuse.types.meaning import FunctionRef

ABOUT_SHARING = False

MESSAGE = "`self.{name}` keeps the graph of every earlier call: nothing detaches the state that `self.{module}` returns"

_CUTTING = re.compile(r"detach|no_grad|inference_mode|\.data\b|repackage|stop_grad")


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    if not trace.stores or _is_cut_off(context):
        return
    units, found = own_units(trace), dict[Instance, dict[Place, tuple[Store, Call]]]()
    for store in trace.stores:
        target = _target(store)
        if target is None or store.unit not in units:
            continue
        call = next((c for c in trace.calls if _threads(trace, c, store) and _comes_back(trace, c)), None)
        if call is not None:
            found.setdefault(call.instance, {}).setdefault(target, (store, call))
    for kinds in in_groups(trace, found):
        yield _finding(trace, {target: kept for one in kinds for target, kept in found[one].items()})


def _is_cut_off(context: Context) -> bool:
    """Whether the class, or a function of its file that it names, detaches anything."""
    if any(_CUTTING.search(unit.text) for unit in own_units(context.trace)):
        return True
    cls = context.trace.cls
    meanings = (context.program.lookup(cls.file, name) for name in _names(cls.units))
    return any(isinstance(one, FunctionRef) and _CUTTING.search(one.unit.text) for one in meanings)


@once
def _names(units: ClassUnits) -> frozenset[str]:
    return frozenset(n.id for _, s in units.statements() for n in walk(s) if isinstance(n, ast.Name))


def _target(store: Store) -> Place | None:
    """The attribute where it is stored."""
    for target in store.node.targets if isinstance(store.node, ast.Assign) else ():
        for part in walk(target):
            if isinstance(part, ast.Attribute) and part.attr == store.name and is_self(part.value):
                return Place(store.unit, store.unit.span(part))
    return None


def _threads(trace: Trace, call: Call, store: Store) -> bool:
    """Whether a recurrent module's call takes what was stored, and what is stored comes from it."""
    facts = call.instance.facts
    if facts is None or not facts.recurrent or not store.lineage >> call.number & 1 or call.unit is not store.unit:
        return False
    function = function_at(call.site)
    given = [part for argument in call.node.args[1:] for part in walk(argument)]
    given += [part for keyword in call.node.keywords for part in walk(keyword.value)]
    if any(_reads(part, store.name) for part in given):
        return True
    names = {part.id for part in given if isinstance(part, ast.Name)}
    return function is not None and any(_takes(node, names, store.name) for node in walk(function))


def _comes_back(trace: Trace, call: Call) -> bool:
    """Whether the next forward gives the module what this one has kept. It does not where the state is reset before."""
    again = trace.again.get(call.entry)
    if again is None or not again.complete:
        return True
    numbers = [one.number for one in trace.calls_of(call.instance) if one.entry == call.entry]
    return any(one.instance is call.instance and one.lineage >> n & 1 for one in again.calls for n in numbers)


def _takes(node: ast.AST, names: set[str], attribute: str) -> bool:
    """`h = self.state`, for one of the names."""
    if not isinstance(node, ast.Assign) or not any(_reads(part, attribute) for part in walk(node.value)):
        return False
    return any(isinstance(part, ast.Name) and part.id in names for target in node.targets for part in walk(target))


def _reads(node: ast.AST, attribute: str) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == attribute
        and is_self(node.value)
        and isinstance(node.ctx, ast.Load)
    )


def _finding(trace: Trace, kept: dict[Place, tuple[Store, Call]]) -> Finding:
    """The finding about a module: the first place where its state is kept, and the others."""
    target, *others = sorted(kept, key=reading_order(trace))
    store, call = kept[target]
    module = next(iter(trace.paths_of(call.instance)), "module")
    evidence = (Evidence("kept", 0, "what is stored here is given to the same module at the next call", call.site),)
    names = list(dict.fromkeys(one.name for one, _ in kept.values()))
    title = "Detach " + " and ".join(f"`self.{name}`" for name in names)
    builds = [detached(_whole(call), kind_of(call.instance), place) for place, (_, call) in kept.items()]
    return Finding(
        "kept-hidden-state",
        severity_of(evidence, must=True),
        MESSAGE.format(name=store.name, module=module),
        target,
        trace.cls.name,
        store.name,
        (
            *other_calls(trace, others, target, "and kept here"),
            Related(call.site, "called with the state of the call before"),
        ),
        evidence,
        (Fix(title, Applicability.UNSAFE, reduce(together, builds)),),
        instances=(call.instance,),
    )


def _whole(call: Call) -> Place:
    return call.unit.place(call.node)
