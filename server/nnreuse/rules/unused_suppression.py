"""A comment suppresses a rule where the rule has nothing to say.

## What it does
Finds `# nnreuse: ignore[rule]` and `# nnreuse: ignore-file[rule]` that silence no finding, and notes that no rule understands: a
misspelled word, or a name that is no rule's.

## Why it matters
A suppression that outlives its reason hides the next finding at that place. A misspelled one gives false comfort.

## Example
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm2d(8)

    def forward(self, x):
        return self.bn(x)  # nnreuse: ignore[shared-batch-norm]
        #                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
```

## Fixed
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm2d(8)

    def forward(self, x):
        return self.bn(x)
```

## Fix safety
Safe: only a comment goes.

## When to ignore
When the code is checked with other settings as well, under which the rule does find something. A bare `# noqa` is never reported: it may be
meant for another tool; and what names a rule that is turned off cannot be judged.
"""

from collections.abc import Iterator

from nnreuse.config.severity import Severity
from nnreuse.fixes.fix import Applicability, Fix
from nnreuse.fixes.note import delete_name, delete_note
from nnreuse.rules import registry
from nnreuse.rules.context import FileContext
from nnreuse.rules.finding import Finding
from nnreuse.rules.notes import Note

ABOUT_SHARING = False
UNUSED = "nothing to suppress here: {what} no finding"
NO_RULE = "no rule is called `{name}`: nothing is suppressed by it"
NO_NOTE = "nnreuse knows `shared`, `ignore[rule]` and `ignore-file[rule]`: this note does nothing"


def check_file(context: FileContext) -> Iterator[Finding]:
    known = set(registry.names())
    for note in context.notes:
        used = context.used.get(note, set())
        if note.kind == "misspelled":
            yield _finding(note, NO_NOTE)
        elif note.kind in ("ignore", "ignore-file"):
            for name in note.rules:
                if name not in known:
                    yield _finding(note, NO_RULE.format(name=name), name)
                elif name not in used and registry.enabled(name, context.settings) and not _is_own(name):
                    yield _finding(note, UNUSED.format(what=f"`{name}` has"), name)
            if not note.rules and not used and context.settings.select is None:
                yield _finding(note, UNUSED.format(what="there is"))


def _is_own(name: str) -> bool:
    """Rules about notes come after the notes: they cannot be silenced by one, and so not be judged by it."""
    return not registry.judges_classes(name)


def _finding(note: Note, message: str, name: str | None = None) -> Finding:
    whole = Fix("Delete the note", Applicability.SAFE, delete_note(note.comment.place))
    several = name is not None and len(note.rules) > 1
    fix = Fix(f"Delete `{name}` from the note", Applicability.SAFE, delete_name(note.comment.place, name or ""))
    fixes = (fix,) if several else (whole,) if note.kind != "misspelled" else ()
    return Finding("unused-suppression", Severity.INFORMATION, message, note.comment.place, None, None, fixes=fixes)
