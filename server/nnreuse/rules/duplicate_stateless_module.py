"""Several modules that hold nothing are constructed alike and serve one purpose: one of them would do.

Off by default: a name for each layer is a style as good as any. The profile `clarity` turns it on.

## What it does
Finds attributes with the same constructor call, whose modules have no parameters and no state, are called once each, and are fed by modules
of the same kind.

## Why it matters
`relu1`, `relu2` and `relu3` make a reader look for the difference, and there is none: a module that holds nothing may be called as often
as one likes. Under the profiles `quantization` and `attribution`, which ask for one activation per call, this rule is silent.

## Example
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1 = nn.Linear(dim, dim)
        self.relu1 = nn.ReLU()
        self.fc2 = nn.Linear(dim, dim)
        self.relu2 = nn.ReLU()
        #            ^^^^^^^^^

    def forward(self, x):
        x = self.relu1(self.fc1(x))
        return self.relu2(self.fc2(x))
```

## Fixed
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1 = nn.Linear(dim, dim)
        self.relu1 = nn.ReLU()
        self.fc2 = nn.Linear(dim, dim)

    def forward(self, x):
        x = self.relu1(self.fc1(x))
        return self.relu1(self.fc2(x))
```

## Fix safety
Unsafe by our word for it, since the model loses a submodule; it computes what it did, and its checkpoints load as they are.

## When to ignore
When the names say what each is for, or hooks, quantization or an export tell the layers apart by them.
"""

import ast
from collections.abc import Iterator

from nnreuse.config.severity import Severity
from nnreuse.fixes.fix import Applicability, Fix, renaming
from nnreuse.fixes.merge import merge
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding, Related
from nnreuse.rules.making import kind_of
from nnreuse.rules.purposes import holds_nothing, purpose
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Definition, Trace

ABOUT_SHARING = False
PROFILES = frozenset({"clarity"})

MESSAGE = "`self.{name}` is constructed like `self.{first}`, and a `{kind}` holds nothing: one would do"


def check(context: Context) -> Iterator[Finding]:
    if context.settings.profiles & {"quantization", "attribution"}:
        return
    groups: dict[tuple[str, object], list[Definition]] = {}
    for definition in context.trace.definitions:
        if _is_plain(context.trace, definition):
            (call,) = context.trace.calls_of(definition.instances[0])
            assert definition.value is not None
            key = ast.dump(definition.value), purpose(context.trace, call)
            groups.setdefault(key, []).append(definition)
    for first, *others in groups.values():
        yield from (_finding(context.trace, first, other) for other in others)


def _is_plain(trace: Trace, definition: Definition) -> bool:
    """One unconditional definition of one stateless module of torch, which forward calls once."""
    if len(definition.instances) != 1 or definition.path.literals or not isinstance(definition.value, ast.Call):
        return False
    instance = definition.instances[0]
    return (
        definition.unit in own_units(trace)
        and holds_nothing(trace, instance)
        and sum(d.name == definition.name for d in trace.definitions) == 1
        and len(trace.paths_of(instance)) == 1
        and len(trace.calls_of(instance)) == 1
    )


def _finding(trace: Trace, first: Definition, other: Definition) -> Finding:
    assert other.value is not None
    evidence = (Evidence("equal", 0, f"`self.{first.name}` has an equal constructor", first.place),)
    return Finding(
        "duplicate-stateless-module",
        severity_of(evidence, must=True, at_most=Severity.INFORMATION),
        MESSAGE.format(name=other.name, first=first.name, kind=kind_of(other.instances[0])),
        Place(other.unit, other.unit.span(other.value)),
        trace.cls.name,
        other.name,
        (Related(first.place, "constructed alike, here"),),
        evidence,
        (
            Fix(
                f"Use `self.{first.name}` for both",
                Applicability.UNSAFE,
                merge(trace.cls.units, [first.name, other.name]),
                reach=renaming(trace.cls.units.node.name, other.name, ()),
            ),
        ),
    )
