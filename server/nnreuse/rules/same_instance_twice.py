"""One instance stands at two places of a container.

## What it does
Finds a module with parameters or state that stands at two places of a `Sequential`, `ModuleList` or `ModuleDict`, or in two of them;
and one list that is given to two containers: `decoder = encoder`, then `nn.Sequential(*encoder)` and `nn.Sequential(*reversed(decoder))`.

## Why it matters
The two places look like two layers and are one: they train the same weights, and a batch norm mixes the statistics of both places.
`print(model)` and `state_dict()` show both, `parameters()` only one.

## Example
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        norm = nn.BatchNorm2d(dim)
        self.layers = nn.Sequential(
            nn.Conv2d(dim, dim, 3),
            norm,
        #   ----
            nn.ReLU(),
            nn.Conv2d(dim, dim, 3),
            norm,
        #   ^^^^
        )

    def forward(self, x):
        return self.layers(x)
```

## Fixed
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(dim, dim, 3),
            nn.BatchNorm2d(dim),
            nn.ReLU(),
            nn.Conv2d(dim, dim, 3),
            nn.BatchNorm2d(dim),
        )

    def forward(self, x):
        return self.layers(x)
```

## Fix safety
Unsafe: the model gets more parameters. Old checkpoints load as they are: a state_dict already has a key for every place.

## When to ignore
When both places are to share the weights: write `# nnreuse: shared` at the definition. Stateless modules, such as `nn.ReLU()`, are not
reported.
"""

from collections.abc import Iterator

from nnreuse.config.severity import Severity
from nnreuse.fixes.alias import listed_again
from nnreuse.fixes.fix import Applicability, Fix
from nnreuse.rules.callers import with_callers
from nnreuse.rules.configurations import is_default, is_rare
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding, Related
from nnreuse.rules.instances import definitions, in_groups, other_calls
from nnreuse.rules.list_aliases import Alias, aliases
from nnreuse.rules.making import shared_state, wants_its_own
from nnreuse.rules.placements import Again, inlined, kept_in, matters, placed_twice, said
from nnreuse.rules.reuse import own_units
from nnreuse.tracing.trace import Trace
from nnreuse.tracing.values import Instance

SAME = "this `{kind}` already stands in `{container}`: both places are one instance, with the same {state}"
OTHER = "this `{kind}` already stands in `{first}`: `{container}` holds the same instance, with the same {state}"
LIST = "`{container}` is given the modules of `{first}`: both hold the same instances, with the same {state}"


def check(context: Context) -> Iterator[Finding]:
    yield from with_callers(context, _found)


def _found(context: Context) -> Iterator[Finding]:
    trace, found = context.trace, dict[Instance, Again]()
    units = own_units(trace)
    for again in placed_twice(trace):
        if _is_view(trace, again.instance):
            continue
        if again.second.unit in units and again.first.file is trace.cls.file and matters(trace, again.instance):
            found[again.instance] = again
    for kinds in in_groups(trace, found):
        yield max((_finding(trace, found[one], kinds) for one in kinds), key=lambda one: one.severity.rank)
    for alias in aliases(trace):
        if len({one.node for one in trace.placements if one.instance is alias.members[0]}) == 1:
            yield _aliased(trace, alias)


def _is_view(trace: Trace, instance: Instance) -> bool:
    """Whether an instance has a name of its own, and all containers that hold it are plain ones, which look at what is registered there."""
    named = [path for path in trace.paths_of(instance) if "(unregistered)" not in path]
    return bool(named) and all("." not in path and "*" not in path for path in named)


def _aliased(trace: Trace, alias: Alias) -> Finding:
    first, second = (trace.paths_of(one.instance)[0] for one in (alias.first, alias.second))
    evidence = (*_weigh_alias(alias), *said(trace, [alias.second.instance], alias.place))
    assert alias.first.instance.place is not None
    return Finding(
        "same-instance-twice",
        severity_of(evidence, must=not alias.first.path.literals and not alias.second.path.literals),
        LIST.format(first=_shown(first), container=_shown(second), state=shared_state(trace, alias.members[0])),
        alias.place,
        trace.cls.name,
        second,
        (Related(alias.first.instance.place, "the same instances stand here", "call"),),
        evidence,
        (Fix("Make a list of its own here", Applicability.UNSAFE, listed_again(alias.place)),),
        instances=alias.members,
    )


def _weigh_alias(alias: Alias) -> Iterator[Evidence]:
    yield Evidence("two-containers", 1, "two containers hold one list: two branches, or two names for it", alias.place)
    if alias.reordered:
        yield Evidence(
            "other-index", 4, "they stand at other indices here: one list has become two chains of layers", alias.place
        )


def _finding(trace: Trace, again: Again, kinds: list[Instance]) -> Finding:
    kept = list(dict.fromkeys(kept_in(trace, again.instance)))
    same = len({path.split(".")[0] for path in kept}) == 1
    evidence = (*_weigh(trace, again, kept), *said(trace, [again.instance], again.first.place, again.second.place))
    kind = (again.instance.type_name or "module").rsplit(".", 1)[-1]
    return Finding(
        "same-instance-twice",
        _severity(trace, again, evidence),
        (SAME if same else OTHER).format(
            state=shared_state(trace, again.instance),
            kind=kind,
            container=_shown(kept[-1]),
            first=_shown(kept[0]),
        ),
        again.second.place,
        trace.cls.name,
        kept[-1],
        (
            *other_calls(trace, again.places, again.second.place, "the same instance stands here"),
            *definitions(trace, kinds),
        ),
        evidence,
        inlined(trace, again),
        instances=tuple(kinds),
    )


def _severity(trace: Trace, again: Again, evidence: tuple[Evidence, ...]) -> Severity:
    """A hint for what only a name that nobody asks for makes."""
    if is_rare(trace, again.instance):
        return Severity.HINT
    return severity_of(evidence, must=_in_every_configuration(trace, again))


def _in_every_configuration(trace: Trace, again: Again) -> bool:
    """Whether both places are reached wherever the instance is made."""
    literals = (again.first.path.literals | again.second.path.literals) - again.instance.given
    return all(is_default(trace, one) for one in literals)


def _shown(path: str) -> str:
    return "self" if path == "*" else f"self.{path}"


def _weigh(trace: Trace, again: Again, kept: list[str]) -> Iterator[Evidence]:
    if len({path.split(".")[0] for path in kept}) == 1:
        yield Evidence(
            "same-container", 3, "both places belong to one container, as if they were two layers", again.first.place
        )
    else:
        yield Evidence(
            "two-containers", 1, "two containers hold it: two branches, or two names for one list", again.first.place
        )
    if again.is_local:
        yield Evidence("local", 1, "only a local variable names it", again.second.place)
        if wants_its_own(trace, again.instance) and _among_others(trace, again.instance, kept):
            kind = (again.instance.type_name or "module").rsplit(".", 1)[-1]
            yield Evidence("own-one-each", 2, f"a `{kind}` is fitted to one place of the network", again.second.place)


def _among_others(trace: Trace, instance: Instance, kept: list[str]) -> bool:
    """Whether the containers that hold an instance have no other module with parameters in common: they are no views of one list."""
    containers = list(dict.fromkeys(kept))
    members = [
        {one for one in trace.held.get(f"{path}.*", []) if one is not instance and trace.carries(one).parameters}
        for path in containers
    ]
    return not any(a & b for number, a in enumerate(members) for b in members[number + 1 :])
