"""A note says that a module is shared, and nothing is shared any more.

## What it does
Finds `# nnreuse: shared` at the definition of a module that one forward calls once and that is held under one name.

## Why it matters
The note is a claim about the model, and readers rely on it: who changes the module believes that other places depend on it. When
the sharing comes back by accident, the note would hide it.

## Example
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 8)  # nnreuse: shared by both branches
        #                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        self.other = nn.Linear(8, 8)

    def forward(self, x, y):
        return self.head(x), self.other(y)
```

## Fixed
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 8)
        self.other = nn.Linear(8, 8)

    def forward(self, x, y):
        return self.head(x), self.other(y)
```

## Fix safety
Safe: only a comment goes.

## When to ignore
When other files share the module: a subclass, or code that holds the model. A module that its own class hands to something unknown
is not reported.
"""

from collections.abc import Iterator

from nnreuse.config.severity import Severity
from nnreuse.fixes.fix import Applicability, Fix
from nnreuse.fixes.note import delete_note
from nnreuse.rules.context import FileContext
from nnreuse.rules.finding import Finding, Related
from nnreuse.rules.notes import Note, made_at
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Trace, most_calls
from nnreuse.tracing.values import Instance

ABOUT_SHARING = False
MESSAGE = "`self.{name}` is called once and held under one name: nothing is shared any more"


def check_file(context: FileContext) -> Iterator[Finding]:
    for note in context.notes:
        if note.kind != "shared" or note in context.used:
            continue
        noted = [(trace, i, place) for trace in context.traces for i, place in _noted(context, trace, note)]
        if noted and all(_is_single(trace, instance) for trace, instance, _ in noted):
            trace, instance, place = noted[0]
            fix = Fix("Delete the note", Applicability.SAFE, delete_note(note.comment.place))
            name = trace.paths_of(instance)[0]
            yield Finding(
                "stale-shared-note",
                Severity.INFORMATION,
                MESSAGE.format(name=name),
                note.comment.place,
                trace.cls.name,
                name,
                (Related(place, "what the note speaks about"),),
                fixes=(fix,),
            )


def _noted(context: FileContext, trace: Trace, note: Note) -> Iterator[tuple[Instance, Place]]:
    """The instances of a class that the note speaks about, and where they are made."""
    first = context.file.index.first_lines
    for instance in dict.fromkeys(i for held in trace.held.values() for i in held):
        for owner, place in made_at(trace, [instance]):
            if owner is context.file and place.unit in first:
                row = first[place.unit] + place.unit.row(place.span.start)[0]
                if row in note.comment.rows:
                    yield instance, place
                    break


def _is_single(trace: Trace, instance: Instance) -> bool:
    """Whether all that is known of an instance is one call and one name."""
    if instance.handed_on or not trace.complete or any(instance in r.instances for r in trace.repetitions):
        return False
    places = sum(held is instance for instances in trace.held.values() for held in instances)
    given = any(_takes(other, instance) for held in trace.held.values() for other in held)
    return places == 1 and not given and most_calls(trace.calls_of(instance))[0] == 1


def _takes(other: Instance, instance: Instance) -> bool:
    return any(value is instance for value in (*other.positional, *other.keywords.values()))
