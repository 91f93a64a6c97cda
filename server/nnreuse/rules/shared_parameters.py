"""One module with learnable parameters is called several times in one forward.

## What it does
Finds a `Linear`, convolution, attention, transformer layer or own block with parameters that one forward calls several times.

## Why it matters
The calls share weights: the model has less capacity than it seems to, and each gradient step pulls the weights towards several
purposes. Sharing can be the design (siamese encoders, heads shared over levels, recurrence): evidence decides how loud this is.

## Example
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8)
        self.mix = nn.Linear(8, 8)

    def forward(self, x):
        x = self.fc(x).relu()
        #   -------
        x = self.mix(x).relu()
        return self.fc(x)
        #      ^^^^^^^
```

## Fixed
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8)
        self.fc2 = nn.Linear(8, 8)
        self.mix = nn.Linear(8, 8)

    def forward(self, x):
        x = self.fc(x).relu()
        #   ^^^^^^^
        x = self.mix(x).relu()
        return self.fc2(x)
        #      ^^^^^^^
```

## Fix safety
Unsafe: the model gets more parameters, and seeded initialisation of the layers after it moves. Old checkpoints need the hook
that the third action adds.

## When to ignore
When the sharing is meant: siamese encoders, one head on several levels, one layer applied n times.
"""

from collections.abc import Iterator

from nnreuse.rules import sharing
from nnreuse.rules.context import Context
from nnreuse.rules.finding import Finding

MESSAGE = "{name} is called {count}: every call uses the same {state}"


def check(context: Context) -> Iterator[Finding]:
    yield from sharing.findings(context, "shared-parameters", MESSAGE)
