"""One batch normalisation with running statistics is called on different features.

## What it does
Finds a `BatchNorm` (or `SyncBatchNorm`, or `InstanceNorm` with `track_running_stats=True`) that one forward calls several times.

## Why it matters
In training each call normalises with its own batch, so the loss looks fine. In evaluation all calls use one `running_mean` and
one `running_var`, an average over features that have nothing to do with each other. Measured: one batch norm fed N(-10, 1) and
N(+10, 1) in turn has evaluation outputs with means -10.4 and +9.4 after 400 calls, where training gave 0.

## Example
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)

    def forward(self, x):
        x = self.bn(self.conv1(x))
        #   -------
        return self.bn(self.conv2(x))
        #      ^^^^^^^
```

## Fixed
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.bn2 = nn.BatchNorm2d(8)

    def forward(self, x):
        x = self.bn(self.conv1(x))
        #   ^^^^^^^
        return self.bn2(self.conv2(x))
        #      ^^^^^^^
```

## Fix safety
Unsafe: the model gets more parameters and buffers. Old checkpoints need the hook that the third action adds.

## When to ignore
When both calls see the same features: two halves of one split tensor, or two views of one image in a siamese network.
"""

from collections.abc import Iterator

from nnreuse.rules import sharing
from nnreuse.rules.context import Context
from nnreuse.rules.finding import Finding

MESSAGE = "{name} is called {count}: it normalises different features with one set of running statistics"


def check(context: Context) -> Iterator[Finding]:
    yield from sharing.findings(context, "shared-batch-norm", MESSAGE)
