"""A list is multiplied, and holds one instance several times.

## What it does
Finds `[module] * n` where the module carries parameters or state and the list ends up in a module container.

## Why it matters
`[nn.Linear(8, 8)] * 3` is not three layers but one layer held three times: a third of the parameters, all depths tied.
`named_parameters()` shows it once, `state_dict()` three times, so that nothing looks wrong in a checkpoint.

## Example
```python
import torch.nn as nn

class Mlp(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(8, 8)] * depth)
        #                           ^^^^^^^^^^^^^^^^^^^^^^^^^

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
```

## Fixed
```python
import torch.nn as nn

class Mlp(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(8, 8) for _ in range(depth)])
        #                           ^^^^^^^^^^^^^^^^^^^^^^^^^

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
```

## Fix safety
Unsafe: the model gets n times the parameters. Old checkpoints load as they are: a state_dict already has a key for every place.

## When to ignore
When one layer is to be applied n times (ALBERT): name it first, `layer = …`, and say so in a comment.
"""

import ast
from collections.abc import Iterator

from nnreuse.config.severity import Severity
from nnreuse.fixes.comprehension import repeat_name, repeat_to_comprehension
from nnreuse.fixes.fix import Applicability, Fix
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding
from nnreuse.rules.reuse import comments_at, enclosing_tests, own_units, under_sharing_flag
from nnreuse.tracing.trace import Repetition, Trace
from nnreuse.types.catalog import Carries

MESSAGE = "the list holds one {kind} several times: every position is the same instance, with the same weights"

RAISES = "a container class is indexed here, which raises TypeError; and the {kind} in it would stand at every position"


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    units = own_units(trace)
    seen: set[object] = set()
    for repetition in trace.repetitions:
        if repetition.place.unit not in units or repetition.node in seen:
            continue
        seen.add(repetition.node)
        finding = _judge(trace, repetition)
        if finding is not None:
            yield finding


def _judge(trace: Trace, repetition: Repetition) -> Finding | None:
    carried = [trace.carries(i) for i in repetition.instances]
    if not any(c.parameters or c.running_stats or c.other_state or _likely(c, repetition) for c in carried):
        return None
    paths = [path for i in repetition.instances for path in trace.paths_of(i)]
    if not paths:
        return None
    evidence = tuple(_weigh(repetition))
    must = not repetition.path.literals or repetition.inline
    kind = (repetition.instances[0].type_name or "module").rsplit(".", 1)[-1]
    build = repeat_to_comprehension if repetition.inline else repeat_name
    raises = isinstance(repetition.node, ast.BinOp) and isinstance(repetition.node.left, ast.Subscript)
    return Finding(
        "repeated-instance",
        Severity.ERROR if raises else severity_of(evidence, must),
        (RAISES if raises else MESSAGE).format(kind=kind),
        repetition.place,
        trace.cls.name,
        paths[0].removesuffix(".*").removesuffix("(unregistered)"),
        (),
        evidence,
        (Fix("Make a fresh instance for each position", Applicability.UNSAFE, build(repetition.place)),),
    )


def _likely(carried: Carries, repetition: Repetition) -> bool:
    """A block whose class cannot be read in full, constructed in place with arguments: stateless modules want none."""
    return (
        carried.parameters is None
        and repetition.inline
        and any(i.positional or i.keywords for i in repetition.instances)
    )


def _weigh(repetition: Repetition) -> Iterator[Evidence]:
    if repetition.inline:
        yield Evidence("inline", 5, "the constructor stands inside the multiplied list")
    else:
        yield Evidence("named", 3, "the instance is named before it is multiplied")
    if under_sharing_flag(comments_at(repetition.place)):
        yield Evidence("said", -6, "a comment says that sharing is meant")
    if under_sharing_flag(enclosing_tests(repetition.place)):
        yield Evidence("flag", -6, "it stands under a sharing flag")
