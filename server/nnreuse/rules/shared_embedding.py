"""One Embedding is indexed by several kinds of ids.

## What it does
Finds an `Embedding` or `EmbeddingBag` that one forward calls at several places.

## Why it matters
Its rows mean the ids of one vocabulary. Ids of another one read, and train, rows that mean something else, and nothing crashes as
long as they are small enough. One table for two inputs of one vocabulary is a design, and a hint. It is information where the names of
the arguments, or the shapes of the results, speak of several kinds of ids; and a warning where one call is given positions
(`torch.arange`) and another is not.

## Example
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(1000, 8)

    def forward(self, words, places):
        a = self.embed(words)
        #   ----------
        return a + self.embed(places)
        #          ^^^^^^^^^^
```

## Fixed
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(1000, 8)
        self.embed2 = nn.Embedding(1000, 8)

    def forward(self, words, places):
        a = self.embed(words)
        return a + self.embed2(places)
```

## Fix safety
Unsafe: the model gets more parameters, and seeded initialisation of the layers after it moves. Old checkpoints need the hook
that another of the fixes adds.

## When to ignore
When all inputs are ids of one vocabulary: source and target of an autoencoder, question and passage.
"""

from collections.abc import Iterator

from nnreuse.rules import sharing
from nnreuse.rules.context import Context
from nnreuse.rules.finding import Finding

MESSAGE = "{name} is called {count}: all ids index one table, whatever they stand for"


def check(context: Context) -> Iterator[Finding]:
    yield from sharing.findings(context, "shared-embedding", MESSAGE, proof="positions")
