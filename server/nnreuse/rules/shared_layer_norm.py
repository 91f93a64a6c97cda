"""One normalisation with learnable scale and shift is called on different features.

## What it does
Finds an affine `LayerNorm`, `GroupNorm`, `RMSNorm` or `InstanceNorm` that one forward calls several times on different features.

## Why it matters
It keeps no running statistics, so evaluation is as good as training. What the calls share are the learnable `weight` and `bias`
per feature: one scale for features that want their own. Without them (`elementwise_affine=False`) nothing is shared.

## Example
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.Linear(8, 8)
        self.mlp = nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)

    def forward(self, x):
        x = x + self.attn(self.norm(x))
        #                 ---------
        return x + self.mlp(self.norm(x))
        #                   ^^^^^^^^^
```

## Fixed
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.Linear(8, 8)
        self.mlp = nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)
        self.norm2 = nn.LayerNorm(8)

    def forward(self, x):
        x = x + self.attn(self.norm(x))
        #                 ^^^^^^^^^
        return x + self.mlp(self.norm2(x))
        #                   ^^^^^^^^^
```

## Fix safety
Unsafe: the model gets more parameters. Old checkpoints need the hook that the third action adds.

## When to ignore
When the calls see the same features, or when parameters are shared over depth on purpose (ALBERT).
"""

from collections.abc import Iterator

from nnreuse.rules import sharing
from nnreuse.rules.context import Context
from nnreuse.rules.finding import Finding

MESSAGE = "{name} is called {count}: different features share its learnable scale and shift"


def check(context: Context) -> Iterator[Finding]:
    yield from sharing.findings(context, "shared-layer-norm", MESSAGE)
