"""An activation with learnable parameters is reused as if it were stateless.

## What it does
Finds a `PReLU` (or another activation with parameters) that one forward calls several times.

## Why it matters
`ReLU`, `Sigmoid` and `Dropout` hold nothing and may be reused. `PReLU` learns its slope: called twice, two places in the network
are forced to one slope. Its paper gives each layer its own.

## Example
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, 3)
        self.conv2 = nn.Conv2d(8, 8, 3)
        self.act = nn.PReLU()

    def forward(self, x):
        x = self.act(self.conv1(x))
        #   --------
        return self.act(self.conv2(x))
        #      ^^^^^^^^
```

## Fixed
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, 3)
        self.conv2 = nn.Conv2d(8, 8, 3)
        self.act = nn.PReLU()
        self.act2 = nn.PReLU()

    def forward(self, x):
        x = self.act(self.conv1(x))
        #   ^^^^^^^^
        return self.act2(self.conv2(x))
        #      ^^^^^^^^
```

## Fix safety
Unsafe: the model gets more parameters. Old checkpoints need the hook that the third action adds.

## When to ignore
When one slope for the whole network is what you want. A slope that is called once more on the sum at the end of its residual block is
information: published blocks with trained weights are written like this.
"""

from collections.abc import Iterator

from nnreuse.rules import sharing
from nnreuse.rules.context import Context
from nnreuse.rules.finding import Finding

MESSAGE = "{name} is called {count}: it is an activation with parameters, and all calls share its slope"


def check(context: Context) -> Iterator[Finding]:
    yield from sharing.findings(context, "shared-prelu", MESSAGE)
