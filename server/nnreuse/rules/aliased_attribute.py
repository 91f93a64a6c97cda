"""Two attributes hold one instance, and both are used, as if they were two.

## What it does
Finds `self.b = self.a`, and `self.a = self.b = …`, where the module carries parameters or state and the class uses both names.

## Why it matters
The names promise two modules, and there is one: one set of weights or statistics for two purposes. `named_parameters()` lists it
under the first name only, while `state_dict()` has the keys of both, so that nothing looks wrong in a checkpoint.

## Example
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.encoder = nn.Linear(dim, dim)
        self.decoder = self.encoder
        #              ^^^^^^^^^^^^

    def forward(self, x):
        return self.decoder(self.encoder(x).relu())
```

## Fixed
```python
import torch.nn as nn

class Net(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.encoder = nn.Linear(dim, dim)
        self.decoder = nn.Linear(dim, dim)

    def forward(self, x):
        return self.decoder(self.encoder(x).relu())
```

## Fix safety
Unsafe: the second name gets weights of its own. Old checkpoints load as they are: a state_dict already has the keys of both names,
with equal values. The fix is offered where the constructor, written again, makes the same thing at that line.

## When to ignore
When the two are to be tied: say so in a comment, with the word "shared" or "tied". Names whose
calls do not read what one of them gave, as those of two tied heads, are a hint.
"""

import ast
from collections.abc import Iterator

from nnreuse.fixes.alias import constructed_again, constructed_for_each
from nnreuse.fixes.fix import Applicability, Fix
from nnreuse.fixes.places import is_self, statement_at
from nnreuse.fixes.uses import descendants, uses
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding, Related
from nnreuse.rules.instances import alike, other_calls
from nnreuse.rules.making import carries_something, kind_of, said_to_be_shared, shared_state
from nnreuse.rules.reuse import enclosing_tests, grouped, own_units, under_sharing_flag
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Definition, Trace, depends
from nnreuse.tracing.values import Instance

MESSAGE = (
    "`self.{second}` and `self.{first}` are one `{kind}`: both names call the same instance, with the same {state}"
)


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    found: dict[Instance, list[tuple[Definition, str]]] = {}
    for definition in trace.definitions:
        first = _original(trace, definition) if definition.unit in own_units(trace) else None
        if first is None or not any(carries_something(trace, i) for i in definition.instances):
            continue
        if _stays(trace, definition, first) and all(_is_used(trace, name) for name in (first, definition.name)):
            one, *_ = alike(trace).get(definition.instances[0], definition.instances)
            found.setdefault(one, []).append((definition, first))
    for (definition, first), *others in found.values():
        yield _finding(trace, definition, first, [one.place for one, _ in others])


def _original(trace: Trace, definition: Definition) -> str | None:
    """The attribute whose instance a definition takes: the one it reads, or the last of a chain of targets."""
    match statement_at(definition.place):
        case ast.Assign(value=ast.Attribute(value=owner, attr=name)) if is_self(owner):
            return name if name != definition.name else None
        case ast.Assign(targets=[ast.Attribute(attr=first), *_, ast.Attribute(attr=last)]) if last == definition.name:
            return first
        case _:
            return None


def _stays(trace: Trace, definition: Definition, first: str) -> bool:
    """Whether both names hold the instance in the end: none of them is given another one later."""
    return any({first, definition.name} <= {*trace.paths_of(instance)} for instance in definition.instances)


def _is_used(trace: Trace, name: str) -> bool:
    """Whether the class, or a subclass in the file, reads the attribute outside its constructor."""
    family = [trace.cls.units, *descendants(trace.cls.surroundings, trace.cls.units)]
    return any(
        not use.stores and use.functions and use.functions[0].name != "__init__"
        for cls in family
        for use in uses(cls, name)
    )


def _finding(trace: Trace, definition: Definition, first: str, others: list[Place]) -> Finding:
    statement = definition.place
    chained = isinstance(definition.value, ast.Call)
    place = statement
    if not chained and definition.value is not None:
        place = Place(definition.unit, definition.unit.span(definition.value))
    original = next((d for d in trace.definitions if d.name == first and d.place != statement), None)
    own = original is not None and original.unit in own_units(trace)
    made = (Related(original.place, "made here", "definition"),) if original is not None and own else ()
    evidence = tuple(_weigh(trace, definition, chained))
    return Finding(
        "aliased-attribute",
        severity_of(evidence, must=not definition.path.literals),
        MESSAGE.format(
            first=first,
            second=definition.name,
            kind=kind_of(definition.instances[0]),
            state=shared_state(trace, definition.instances[0]),
        ),
        place,
        trace.cls.name,
        definition.name,
        (
            *other_calls(trace, (one for one in others if one != statement), place, "and is named here"),
            *made,
        ),
        evidence,
        tuple(_fixes(definition, original, chained)),
        instances=alike(trace).get(definition.instances[0], definition.instances),
    )


def _weigh(trace: Trace, definition: Definition, chained: bool) -> Iterator[Evidence]:
    if chained:
        yield Evidence("one-constructor", 2, "one constructor call is given several names", definition.place)
    else:
        yield Evidence("second-name", 0, "the assignment makes no copy: it gives a second name", definition.place)
        if not any(_is_in_a_chain(trace, instance) for instance in definition.instances):
            yield Evidence(
                "apart", -3, "none of its calls reads what another one gives: tied on purpose", definition.place
            )
    yield from said_to_be_shared(definition.place)
    if under_sharing_flag(enclosing_tests(definition.place)):
        yield Evidence("flag", -6, "it stands under a sharing flag", definition.place)


def _is_in_a_chain(trace: Trace, instance: Instance) -> bool:
    """Whether one of an instance's calls sees the result of another."""
    calls = grouped(trace).get(instance, [])
    return any(depends(later, earlier) for number, later in enumerate(calls) for earlier in calls[:number])


def _fixes(definition: Definition, original: Definition | None, chained: bool) -> Iterator[Fix]:
    title = f"Make `self.{definition.name}` an instance of its own"
    if chained:
        yield Fix(title, Applicability.UNSAFE, constructed_for_each(definition.place))
    elif original is not None and original.unit is definition.unit:
        yield Fix(title, Applicability.UNSAFE, constructed_again(definition.place, original.place))
