"""One module that holds nothing serves two purposes: two names would tell them apart.

Off by default: for training one stateless module may serve everywhere. The profile `clarity` turns it on.

## What it does
Finds a module of torch without parameters and state that one forward calls behind modules of different kinds: one dropout for attention
weights and for the output of a convolution, say.

## Why it matters
A name stands for one thing. Who wants another dropout rate for the attention alone finds one module for both, and changes both.

## Example
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.embed = nn.Embedding(1000, dim)
        self.fc = nn.Linear(dim, dim)
        self.drop = nn.Dropout(0.1)

    def forward(self, ids):
        x = self.drop(self.embed(ids))
        #   ---------
        return self.drop(self.fc(x))
        #      ^^^^^^^^^
```

## Fixed
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.embed = nn.Embedding(1000, dim)
        self.fc = nn.Linear(dim, dim)
        self.drop = nn.Dropout(0.1)
        self.drop2 = nn.Dropout(0.1)

    def forward(self, ids):
        x = self.drop(self.embed(ids))
        return self.drop2(self.fc(x))
```

## Fix safety
Unsafe by our word for it, since the model gets another submodule; it computes what it did, and its checkpoints load as they are.

## When to ignore
When one setting for both is meant.
"""

from collections.abc import Iterator

from nnreuse.config.severity import Severity
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding
from nnreuse.rules.instances import definitions, in_groups, other_calls, the_reuse
from nnreuse.rules.making import kind_of, split_by_site
from nnreuse.rules.purposes import holds_nothing, purpose
from nnreuse.rules.reuse import call_sites, grouped, own_units
from nnreuse.tracing.trace import Call, Trace
from nnreuse.tracing.values import Instance

ABOUT_SHARING = False
PROFILES = frozenset({"clarity"})

MESSAGE = "`self.{name}` serves two purposes, behind {kinds}: a `{kind}` for each would read better"


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    for instance, *_ in in_groups(trace, grouped(trace)):
        sites = call_sites(grouped(trace)[instance])
        if len(sites) > 1 and holds_nothing(trace, instance):
            kinds = list(dict.fromkeys(purpose(trace, call) for call in sites))
            if len(kinds) > 1 and all(kinds):
                yield from _finding(context, trace, instance, sites, kinds)


def _finding(
    context: Context, trace: Trace, instance: Instance, sites: list[Call], kinds: list[tuple[str, ...]]
) -> Iterator[Finding]:
    path = next((path for path in trace.paths_of(instance) if "." not in path), None)
    defined = [d for d in trace.definitions if instance in d.instances]
    if path is None or len(defined) != 1 or any(call.unit not in own_units(trace) for call in sites):
        return
    places = [call.site for call in sites]
    behind = " and ".join("/".join(f"`{name}`" for name in names) for names in kinds[:2])
    here = the_reuse(trace, sites).site
    evidence = (Evidence("purposes", 0, "what it is fed comes from modules of different kinds", here),)
    yield Finding(
        "mixed-purpose-module",
        severity_of(evidence, must=True, at_most=Severity.INFORMATION),
        MESSAGE.format(name=path, kinds=behind, kind=kind_of(instance)),
        here,
        trace.cls.name,
        path,
        (*other_calls(trace, places, here, "called here too"), *definitions(trace, [instance])),
        evidence,
        (split_by_site(context, defined[0], places),),
        instances=(instance,),
    )
