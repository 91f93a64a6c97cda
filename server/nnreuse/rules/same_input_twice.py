"""One module is called twice on the very same input.

## What it does
Finds a deterministic module with parameters that one forward calls twice on the identical value: q, k and v from one projection.

## Why it matters
Both results are equal, so the second call is wasted, and what was to differ does not: with `k` equal to `q` each position attends most
to those like itself. Nothing crashes.

## Example
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj = nn.Linear(8, 8)

    def forward(self, x):
        q = self.q_proj(x)
        #   -----------
        k = self.q_proj(x)
        #   ^^^^^^^^^^^
        return q @ k.transpose(-2, -1)
```

## Fixed
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj = nn.Linear(8, 8)
        self.q_proj2 = nn.Linear(8, 8)

    def forward(self, x):
        q = self.q_proj(x)
        k = self.q_proj2(x)
        return q @ k.transpose(-2, -1)
```

## Fix safety
Unsafe: the model gets more parameters, and seeded initialisation of the layers after it moves. Old checkpoints need the hook
that another of the fixes adds.

## When to ignore
When the results are meant to be equal: then call it once and use the result twice. A result that is only computed again, and goes on in
another way, is no warning, unless the call moves running statistics. Modules that draw at random are not reported.
"""

from collections.abc import Iterator

from nnreuse.rules import sharing
from nnreuse.rules.context import Context
from nnreuse.rules.finding import Finding

MESSAGE = "{name} is called {count} on the identical input: the results are equal"


def check(context: Context) -> Iterator[Finding]:
    yield from sharing.findings(context, "same-input-twice", MESSAGE)
