"""One LSTM, GRU or RNN reads several sequences.

## What it does
Finds an `LSTM`, `GRU` or `RNN` that one forward calls at several places: an encoder that is the decoder too, two layers that are one.

## Why it matters
The calls share the weights. They do not share a hidden state: each call starts at zero unless it is given one. An encoder and a
decoder read different things and want weights of their own. A cell in a loop over time is recurrence, and is not reported.

## Example
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 8)

    def forward(self, x):
        y, _ = self.lstm(x)
        #      ---------
        z, _ = self.lstm(y)
        #      ^^^^^^^^^
        return z
```

## Fixed
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 8)
        self.lstm2 = nn.LSTM(8, 8)

    def forward(self, x):
        y, _ = self.lstm(x)
        z, _ = self.lstm2(y)
        return z
```

## Fix safety
Unsafe: the model gets more parameters, and seeded initialisation of the layers after it moves. Old checkpoints need the hook
that another of the fixes adds.

## When to ignore
When both sequences are of one kind: a siamese encoder of question and passage, say.
"""

from collections.abc import Iterator

from nnreuse.rules import sharing
from nnreuse.rules.context import Context
from nnreuse.rules.finding import Finding

MESSAGE = (
    "{name} is called {count}: every call uses the same weights, and starts at zero unless it is given a hidden state"
)


def check(context: Context) -> Iterator[Finding]:
    yield from sharing.findings(context, "shared-recurrent", MESSAGE)
