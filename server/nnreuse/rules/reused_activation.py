"""One activation or max pooling is called at several places, which quantization and attribution cannot tell apart.

Off by default: in training alone one stateless module may serve everywhere. The profiles `quantization` and `attribution` turn it on.

## What it does
Finds an activation without parameters, or a max pooling, that one forward calls twice or more.

## Why it matters
Eager quantization observes each module and fuses it with the one before, `Conv2d` and `ReLU` say: one ReLU for two convolutions can be
fused with one of them only. DeepLift and other attribution methods keep what flows through each module and need each call to have its own;
Captum stops with an error at a reused activation. A forward hook is given the same module for every call.

## Example
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1 = nn.Linear(dim, dim)
        self.fc2 = nn.Linear(dim, dim)
        self.relu = nn.ReLU()

    def forward(self, x):
        x = self.relu(self.fc1(x))
        #   ---------
        return self.relu(self.fc2(x))
        #      ^^^^^^^^^
```

## Fixed
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1 = nn.Linear(dim, dim)
        self.fc2 = nn.Linear(dim, dim)
        self.relu = nn.ReLU()
        self.relu2 = nn.ReLU()

    def forward(self, x):
        x = self.relu(self.fc1(x))
        return self.relu2(self.fc2(x))
```

## Fix safety
Unsafe by our word for it, since the model gets another module; it computes what it did, and its checkpoints load as they are.

## When to ignore
Always, unless the model is to be quantized in eager mode, explained by hooks, or exported by module names.
"""

from collections.abc import Iterator

from nnreuse.fixes.fix import Fix
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding
from nnreuse.rules.instances import definitions, in_groups, other_calls, the_reuse
from nnreuse.rules.making import carries_something, kind_of, split_by_site
from nnreuse.rules.reuse import call_sites, grouped, how_often, likeliest_run, own_code, own_units
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Call, Trace, most_calls
from nnreuse.tracing.values import Instance

MESSAGE = "`self.{name}` is called {count} in one forward: quantization and attribution need a `{kind}` for each call"

PROFILES = frozenset({"quantization", "attribution"})

_KINDS = ("torch.nn.modules.activation.", "torch.nn.modules.pooling.Max", "torch.nn.modules.pooling.AdaptiveMax")


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    found = [one for one, calls in grouped(trace).items() if _is_reused(trace, one, calls)]
    for kinds in in_groups(trace, found):
        yield _finding(context, kinds)


def _is_reused(trace: Trace, instance: Instance, calls: list[Call]) -> bool:
    if not is_activation(instance) or carries_something(trace, instance) or not trace.paths_of(instance):
        return False
    return most_calls(calls)[0] > 1 and own_code(trace, calls)


def is_activation(instance: Instance) -> bool:
    """Whether it is one of torch's activations or max poolings, which hooks and observers must tell apart."""
    return instance.cls is None and (instance.type_name or "").startswith(_KINDS)


def _finding(context: Context, kinds: list[Instance]) -> Finding:
    trace, instance = context.trace, kinds[0]
    calls, path = grouped(trace)[instance], trace.paths_of(instance)[0]
    here = the_reuse(trace, likeliest_run(calls)).site
    sites = [call.site for call in call_sites(calls)]
    evidence = (Evidence("profile", 4, "the model is said to be quantized or explained", here),)
    return Finding(
        "reused-activation",
        severity_of(evidence, most_calls(calls)[1]),
        MESSAGE.format(name=path, count=how_often(calls), kind=kind_of(instance)),
        here,
        trace.cls.name,
        path,
        (*other_calls(trace, sites, here, "called here too"), *definitions(trace, kinds)),
        evidence,
        tuple(_fixes(context, trace, instance, sites)),
        instances=tuple(kinds),
    )


def _fixes(context: Context, trace: Trace, instance: Instance, sites: list[Place]) -> Iterator[Fix]:
    found = [d for d in trace.definitions if instance in d.instances]
    if len(found) == 1 and len(sites) > 1 and all(p.unit in own_units(trace) for p in (found[0].place, *sites)):
        yield split_by_site(context, found[0], sites)
