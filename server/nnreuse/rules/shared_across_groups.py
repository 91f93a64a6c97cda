"""Submodules that FSDP shards each for itself hold the same parameters.

Off by default: training in one process does not mind. The profile `fsdp` turns it on.

## What it does
Finds a module with parameters that is an argument of two or more constructors which keep it, whatever speaks for a design: a shared
embedding too.

## Why it matters
`fully_shard(block)` takes the parameters of each block for its own group. What a second block holds as well has then been taken already:
torch 2.13 stops at it with "Invariant encountered: value was None when it should not be", which tells nothing of the cause. Without
the sharing the same calls work.

## Example
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim, head):
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.head = head

    def forward(self, x):
        return self.head(self.fc(x))

class Net(nn.Module):
    def __init__(self, dim):
        super().__init__()
        head = nn.Linear(dim, dim)
        self.first = Block(dim, head)
        #                       ----
        self.second = Block(dim, head)
        #                        ^^^^

    def forward(self, x):
        return self.second(self.first(x))
```

## Fixed
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim, head):
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.head = head

    def forward(self, x):
        return self.head(self.fc(x))

class Net(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.first = Block(dim, nn.Linear(dim, dim))
        self.second = Block(dim, nn.Linear(dim, dim))

    def forward(self, x):
        return self.second(self.first(x))
```

## Fix safety
Unsafe: each submodule gets weights of its own, which ends the sharing. Old checkpoints load: a state_dict has a key for each place.

## When to ignore
When the sharing is meant: shard the submodules that share as one group, by calling `fully_shard` on what holds them all.
"""

import ast
from collections.abc import Iterator

from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding
from nnreuse.rules.instances import definitions, other_calls
from nnreuse.rules.making import kind_of
from nnreuse.rules.shared_between_submodules import again, fresh_for_each, handed_over, kept_together
from nnreuse.syntax.units import Place

MESSAGE = "`{argument}` is one `{kind}`, kept by several submodules: FSDP cannot shard them as groups of their own"

PROFILES = frozenset({"fsdp"})


def check(context: Context) -> Iterator[Finding]:
    trace, seen = context.trace, set[frozenset[Place]]()
    for instance, given in handed_over(trace).items():
        kept = kept_together(trace, instance, given) if trace.carries(instance).parameters else []
        places = [one.place for one in kept]
        if len(kept) < 2 or frozenset(places) in seen:
            continue
        seen.add(frozenset(places))
        here = again(trace, kept)
        evidence = (Evidence("profile", 4, "the model is said to be sharded", here.place),)
        yield Finding(
            "shared-across-groups",
            severity_of(evidence, must=not any(one.to.path.literals for one in kept)),
            MESSAGE.format(argument=ast.unparse(here.argument), kind=kind_of(instance)),
            here.place,
            trace.cls.name,
            next(iter(trace.paths_of(instance)), None),
            (*other_calls(trace, places, here.place, "and handed over here"), *definitions(trace, [instance])),
            evidence,
            tuple(fresh_for_each(kept)),
            instances=(instance,),
        )
