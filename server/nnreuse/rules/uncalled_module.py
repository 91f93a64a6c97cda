"""A module is defined, and nothing calls it or hands it on.

## What it does
Finds an attribute with parameters that the constructor sets and nothing in the file speaks of again. What only a flag makes counts where
other modules that it makes are called.

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

from collections.abc import Iterator

from nnreuse.config.severity import Severity
from nnreuse.fixes.fix import Applicability, Fix, renaming
from nnreuse.fixes.twin import delete_definition
from nnreuse.fixes.uses import named_elsewhere
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding
from nnreuse.rules.forgotten import is_forgotten, is_seen_in_full, target_of
from nnreuse.rules.making import kind_of
from nnreuse.rules.reuse import call_sites, comments_at, grouped
from nnreuse.rules.twins import idle_twin
from nnreuse.rules.undefined import undefined_calls
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Definition, Trace

ABOUT_SHARING = False

MESSAGE = "`self.{name}` is never called: the parameters of this `{kind}` get no gradient"


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    idle = [d for d in trace.definitions if _is_uncalled(trace, d)]
    if not idle or not is_seen_in_full(trace):
        return
    reported = [*_idle_twins(trace), *(called.meant for called in undefined_calls(trace))]
    for definition in idle:
        if definition not in reported and not named_elsewhere(trace.cls.surroundings, trace.cls.units, definition.name):
            yield _finding(trace, definition)


def _is_uncalled(trace: Trace, definition: Definition) -> bool:
    """Whether a definition makes something with parameters that is not called.

    What only some configurations make is often there for other files to call: it counts where what stands beside it is called here.
    """
    if not is_forgotten(trace, definition) or definition.path.literals and not _is_among_used(trace, definition):
        return False
    return all(
        trace.carries(one).parameters and trace.learns(one) for one in definition.instances
    )  # last: it runs constructors


def _is_among_used(trace: Trace, definition: Definition) -> bool:
    """Whether forward calls something that is made under the very condition of a definition."""
    beside = (d for d in trace.definitions if d is not definition and d.path == definition.path)
    return any(trace.calls_of(instance) for d in beside for instance in d.instances)


def _idle_twins(trace: Trace) -> list[Definition]:
    """The definitions that `unused-twin` reports."""
    called = [instance for instance, calls in grouped(trace).items() if len(call_sites(calls)) > 1]
    return [pair[1] for instance in called if (pair := idle_twin(trace, instance)) is not None]


def _finding(trace: Trace, definition: Definition) -> Finding:
    target = target_of(definition)
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
