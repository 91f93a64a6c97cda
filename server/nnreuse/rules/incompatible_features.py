"""A module is given another number of features than it was constructed for, so that torch raises.

## What it does
Finds a call whose input certainly has another feature size than the module takes: what `Conv2d(3, 64, 1)` makes is given to
`BatchNorm2d(32)`, or one `BatchNorm2d(64)` is called behind a convolution of 64 and one of 128 channels. Sizes are followed from one module
of torch to the next, through whatever keeps them (activations, dropout, pooling, residual sums, `flatten(1)` behind a pooling to 1).
What may change a size makes it unknown, and nothing is said.

## Why it matters
The first forward that comes here raises RuntimeError: "running_mean should contain 128 elements not 64", or "mat1 and mat2 shapes cannot be
multiplied". Where a module is reused, no size fits both calls: each of them needs an instance of its own.

## Example
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3)
        self.conv2 = nn.Conv2d(64, 128, 3)
        self.bn = nn.BatchNorm2d(64)

    def forward(self, x):
        x = self.bn(self.conv1(x)).relu()
        return self.bn(self.conv2(x)).relu()
        #      ^^^^^^^
```

## Fixed
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3)
        self.conv2 = nn.Conv2d(64, 128, 3)
        self.bn = nn.BatchNorm2d(64)
        self.bn2 = nn.BatchNorm2d(128)

    def forward(self, x):
        x = self.bn(self.conv1(x)).relu()
        return self.bn2(self.conv2(x)).relu()
```

## Fix safety
Unsafe: the model gets another module, or one of another size. Before, this call could only raise. Where the module is called once, the fix
gives it the size of its input, and is shown but never applied by itself: the other module may be the one that is wrong.

## When to ignore
Never, as long as the code is to run. An `error` is said where every configuration comes here, `information` under a branch.
"""

import ast
from collections.abc import Iterator

from nnreuse.fixes import naming
from nnreuse.fixes.fix import Applicability, Fix, renaming
from nnreuse.fixes.resize import Resized
from nnreuse.fixes.split import split
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import PROOF, severity_of
from nnreuse.rules.finding import Evidence, Finding, Related
from nnreuse.rules.instances import alike, other_calls, reading_order
from nnreuse.rules.making import kind_of
from nnreuse.rules.reuse import call_sites, grouped, own_units
from nnreuse.rules.settled import argument_of, proven_clashes
from nnreuse.syntax.units import Place
from nnreuse.tracing.conditions import counts
from nnreuse.tracing.trace import Clash, Definition, Trace
from nnreuse.tracing.values import Const, Instance, Value

ABOUT_SHARING = False

MESSAGE = "`{name}` takes {wanted} features and is given {got} by `{source}`: torch raises here"
SENTENCE = "`{source}` makes {got} features, and nothing on the way changes their number"


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    found: dict[object, dict[Place, Clash]] = {}
    for clash in proven_clashes(trace):
        place, instance = _place(trace, clash), clash.call.instance
        if place is not None and place.unit in own_units(trace):
            kinds = alike(trace).get(instance, (instance,))
            found.setdefault(kinds, {}).setdefault(place, clash)
    for clashes in found.values():
        place = min(clashes, key=reading_order(trace))
        yield _finding(context, clashes[place], place, [one for one in clashes if one != place])


def _place(trace: Trace, clash: Clash) -> Place | None:
    """The call; for a member of a Sequential, where it is constructed."""
    return clash.call.site if clash.call.container is None else clash.call.instance.place


def _finding(context: Context, clash: Clash, place: Place, others: list[Place]) -> Finding:
    trace, instance, made = context.trace, clash.call.instance, clash.got.instance
    wanted, got = _shown(instance, clash.parameter, clash.wanted), _shown(made, clash.got.parameter, clash.got.size)
    source = _named(trace, made)
    proof = Evidence("feature-sizes", PROOF, SENTENCE.format(source=source, got=got), made.place or place)
    always = counts([clash.call.path])[0] > 0 and not instance.given and not made.given
    defined = _definition(trace, instance)
    related = [
        Related(d.place, "constructed here", "definition" if d is defined else "beside")
        for d in (defined, _definition(trace, made))
        if d is not None
    ]
    related += other_calls(trace, others, place, "and here")
    return Finding(
        "incompatible-features",
        severity_of((proof,), always),
        MESSAGE.format(name=_named(trace, instance), wanted=wanted, got=got, source=source),
        place,
        trace.cls.name,
        next(iter(trace.paths_of(instance)), None),
        tuple(one for one in related if one.place.unit in own_units(trace)),
        (proof,),
        tuple(_fixes(context, clash, defined, got)),
    )


def _named(trace: Trace, instance: Instance) -> str:
    path = next((path for path in trace.paths_of(instance) if "*" not in path), None)
    return f"self.{path}" if path is not None else kind_of(instance)


def _definition(trace: Trace, instance: Instance) -> Definition | None:
    found = [d for d in trace.definitions if d.instances == (instance,)]
    return found[0] if len(found) == 1 else None


def _shown(instance: Instance, parameter: str, size: Value) -> str:
    """A size as the code writes it."""
    if isinstance(size, Const):
        return str(size.value)
    found = argument_of(instance, parameter)
    return f"`{ast.unparse(found)}`" if found is not None else "other"


def _fixes(context: Context, clash: Clash, defined: Definition | None, got: str) -> Iterator[Fix]:
    trace, instance = context.trace, clash.call.instance
    argument = argument_of(instance, clash.parameter)
    if argument is None or instance.place is None or got == "other":
        return
    right = Resized(instance.place, argument, got.strip("`"))
    calls = grouped(trace).get(instance, [])
    sites = [call.site for call in call_sites(calls)]
    wrong = [c.call.site for c in trace.clashes if c.call.instance is instance and c.got.size == clash.got.size]
    if len(sites) < 2 or defined is None or clash.call.container is not None:
        title = f"Give `{_named(trace, instance)}` the size of its input, {got}"
        yield Fix(title, Applicability.DISPLAY, right.build)
        return
    owner, name = trace.cls.units, defined.name
    if any(site.unit not in own_units(trace) for site in sites):
        return
    (new,) = naming.free_names(owner, name, 1, context.names_of(trace.cls))
    names = [new if site in wrong else name for site in sites]
    texts = [right.text if one == new else ast.unparse(defined.value) for one in names if defined.value is not None]
    title = f"Split `self.{name}` into `{name}` and `{new}`, which takes {got}"
    build = split(owner, name, defined.place, sites, names, texts)
    yield Fix(title, Applicability.UNSAFE, build, reach=renaming(owner.node.name, name, names))
