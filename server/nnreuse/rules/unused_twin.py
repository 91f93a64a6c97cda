"""One module is called at two places while an equal one, defined beside it, is never called.

## What it does
Finds an attribute that `forward` calls at two places while another attribute with the very same constructor is defined and
never used: `bn1` called twice, `bn2` idle. It counts, too, where both are made in one configuration and the other stands idle there.

## Why it matters
It is nearly always a copy-and-paste slip. Nothing crashes: the idle module receives no gradient (DistributedDataParallel
complains about unused parameters), and the one called twice serves two purposes with one set of weights or statistics.

## Example
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(8)

    def forward(self, x):
        x = self.bn1(self.conv1(x))
        #   --------
        return self.bn1(self.conv2(x))
        #      ^^^^^^^^
```

## Fixed
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(8)

    def forward(self, x):
        x = self.bn1(self.conv1(x))
        return self.bn2(self.conv2(x))
        #      ^^^^^^^^
```

## Fix safety
Unsafe: another module is trained. Old checkpoints load, since both were saved, but what `bn2` holds in them was never trained.
Deleting it keeps what runs as it is, so the fix also writes down that the other is shared on purpose.

## When to ignore
When the idle module is kept only so that old checkpoints load: name it so, or delete it.
"""

from collections.abc import Iterator

from nnreuse.fixes.fix import Applicability, Fix, renaming
from nnreuse.fixes.note import declare_shared
from nnreuse.fixes.twin import call_instead, delete_definition
from nnreuse.fixes.writing import together
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding, Related
from nnreuse.rules.instances import definitions, in_groups, other_calls
from nnreuse.rules.reuse import (
    call_sites,
    comments_around,
    comments_at,
    grouped,
    how_often,
    likeliest_run,
    own_code,
    own_units,
    positions,
    says_shared,
)
from nnreuse.rules.twins import commented_out, idle_in_configuration, idle_twin, meant_for
from nnreuse.tracing.trace import Call, Definition, Trace
from nnreuse.tracing.values import Instance

MESSAGE = "`self.{called}` is called {count}, and `self.{idle}`, constructed just like it, is {how}"


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    found = {one: pair for one, calls in grouped(trace).items() if (pair := _pair(trace, one, calls)) is not None}
    for kinds in in_groups(trace, found):
        sites = call_sites(likeliest_run(grouped(trace)[kinds[0]]))
        yield _finding(trace, kinds, *found[kinds[0]], sites)


def _pair(trace: Trace, instance: Instance, calls: list[Call]) -> tuple[Definition, Definition, str] | None:
    """The definition of an instance that is called twice, that of its idle twin, and how idle that is."""
    if len(calls) < 2 or len(positions(call_sites(likeliest_run(calls)))) < 2 or not own_code(trace, calls):
        return None
    always = idle_twin(trace, instance)
    pair = always or idle_in_configuration(trace, instance)
    if pair is None:
        return None
    carried = trace.carries(instance)
    if carried.parameters is False and not carried.running_stats and not carried.other_state:
        return None
    return *pair, "never called" if always else "not called where both are made"


def _finding(
    trace: Trace, kinds: list[Instance], definition: Definition, idle: Definition, how: str, sites: list[Call]
) -> Finding:
    called, other = definition.name, idle.name
    later = trace.definitions.index(idle) > trace.definitions.index(definition)
    wrong = meant_for(sites, called, other, later=later)
    exact = wrong.unit in own_units(trace)
    calls = [call.site for one in kinds for call in grouped(trace)[one]]
    related = other_calls(trace, calls, wrong.site, f"`self.{called}` is called here too")
    related += [Related(idle.place, f"`self.{other}` is defined here and {how}", "definition")]
    related += [one for one in definitions(trace, kinds) if one.place != idle.place]
    fixes = (
        Fix(f"Call `self.{other}` here", Applicability.UNSAFE, call_instead(wrong.site, called, other)),
        Fix(
            f"Delete the unused `self.{other}`, and note that `self.{called}` is shared",
            Applicability.UNSAFE,
            together(delete_definition(idle.place), declare_shared(definition.place)),
            reach=renaming(trace.cls.units.node.name, other, ()),
        ),
    )
    evidence = (
        Evidence("twin", 5, f"`self.{other}` has an equal constructor and is {how}", idle.place),
        *_said(definition, sites),
        *commented_out(trace, idle),
    )
    return Finding(
        "unused-twin",
        severity_of(evidence, must=True),
        MESSAGE.format(called=called, idle=other, count=how_often(sites), how=how),
        wrong.site,
        trace.cls.name,
        called,
        tuple(related),
        evidence,
        fixes if exact else (),
        instances=tuple(kinds),
    )


def _said(definition: Definition, sites: list[Call]) -> Iterator[Evidence]:
    """The evidence of a comment at one of the calls, or at the definition, that says that sharing is meant."""
    texts = [text for call in sites for text in comments_around(call.site)]
    if says_shared([*texts, *comments_at(definition.place)]):
        yield Evidence("said", -6, "a comment says that sharing is meant", definition.place)
