"""One instance is handed to several submodules, and each keeps it: they share its weights.

## What it does
Finds a module with parameters or state that is an argument of two or more constructors which keep it as it is, or hand it on to
others that do. Constructors that make copies, such as `nn.TransformerEncoder`, are not counted.

## Why it matters
Each block looks as if it had its own activation or norm, and all of them have one: one PReLU slope for all depths, one set of running
statistics for features that have nothing in common. `named_parameters()` lists it once, under the first block.

## Example
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim, act):
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.act = act

    def forward(self, x):
        return self.act(self.fc(x))

class Net(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        act = nn.PReLU()
        self.blocks = nn.ModuleList([Block(dim, act) for _ in range(depth)])
        #                                       ^^^

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x
```

## Fixed
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self, dim, act):
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.act = act

    def forward(self, x):
        return self.act(self.fc(x))

class Net(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.blocks = nn.ModuleList([Block(dim, nn.PReLU()) for _ in range(depth)])

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x
```

## Fix safety
Unsafe: each submodule gets weights of its own. Old checkpoints load as they are: a state_dict has a key for each place. The fix is offered
where a local name holds the instance, and only these constructors use it.

## When to ignore
When the submodules are to share it, as an encoder and a decoder share an embedding: give it, or the parameter that takes it, a name that
says so, or write a comment. An attribute that is handed on (`Block(self.norm)`) is worth a look only.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from nnreuse.config.severity import Severity
from nnreuse.fixes.fix import Applicability, Fix, refused
from nnreuse.fixes.inline import definition_of, inline_instance
from nnreuse.rules.callers import with_callers
from nnreuse.rules.configurations import is_rare
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding
from nnreuse.rules.instances import definitions, other_calls, reading_order
from nnreuse.rules.making import carries_something, kind_of, said_to_be_shared, shared_state, wants_its_own
from nnreuse.rules.reuse import enclosing_tests, own_units, says_shared, tests_about, under_sharing_flag
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place
from nnreuse.tracing.conditions import exclusive
from nnreuse.tracing.trace import Creation, Trace
from nnreuse.tracing.values import Instance, Items, Mapping, Value, alternatives

_MAX_LEVELS, _MAX_WIDTH = 5, 40
"""How deep below a constructor's instance it is looked for, and in how many of each level."""
MESSAGE = "`{argument}` is one `{kind}`, kept by {keepers}: they share its {state}"


@dataclass(frozen=True, slots=True)
class Given:
    """An argument of a constructor call: the expression that hands an instance over, and the call's execution."""

    argument: ast.expr
    place: Place
    to: Creation


def check(context: Context) -> Iterator[Finding]:
    yield from with_callers(context, _found)


def _found(context: Context) -> Iterator[Finding]:
    trace, found = context.trace, dict[frozenset[Place], list[tuple[Instance, list[Given]]]]()
    for instance, given in handed_over(trace).items():
        if len(given) > 1 and carries_something(trace, instance):
            kept = kept_together(trace, instance, given)
            if len(kept) > 1:  # each pass of a loop around makes one, and a factory one of each kind
                found.setdefault(frozenset(one.place for one in kept), []).append((instance, kept))
    for group in found.values():
        yield max((_finding(trace, *one, [kind for kind, _ in group]) for one in group), key=lambda f: f.severity.rank)


def kept_together(trace: Trace, instance: Instance, given: list[Given]) -> list[Given]:
    """Those hand-overs whose constructors keep the instance as it is, in one configuration with another one that does."""
    kept = [one for one in given if _keeps(trace, one.to.instance, instance)]
    return [one for one in kept if any(not exclusive(one.to.path, other.to.path) for other in kept if other is not one)]


def _keeps(trace: Trace, keeper: Instance, instance: Instance) -> bool:
    """Whether a constructor has kept an instance, itself, in a container, or in a block that it has handed it on to."""
    level, seen = [keeper], {keeper}
    for _ in range(_MAX_LEVELS):
        below = [part for one in level for part in trace.parts(one)]
        if any(part is instance for part in below):
            return True
        level = [part for part in dict.fromkeys(below) if part not in seen][:_MAX_WIDTH]
        seen.update(level)
    return False


def handed_over(trace: Trace) -> dict[Instance, list[Given]]:
    """The instances that are arguments of constructors in the class's own code; torch's containers are not counted."""
    found: dict[Instance, list[Given]] = {}
    units = own_units(trace)
    for creation in trace.creations:
        place, facts = creation.instance.place, creation.instance.facts
        if (
            place is None
            or place.unit not in units
            or creation.phase != "constructor"
            or not isinstance(creation.node, ast.Call)
        ):
            continue
        if creation.instance.cls is None and (facts is None or facts.container):
            continue
        for name, value in (*enumerate(creation.instance.positional), *creation.instance.keywords.items()):
            argument = _argument(creation.node, name)
            for one in _instances(value) if argument is not None else ():
                assert argument is not None
                found.setdefault(one, []).append(
                    Given(argument, Place(place.unit, place.unit.span(argument)), creation)
                )
    return found


def _argument(call: ast.Call, name: int | str) -> ast.expr | None:
    if isinstance(name, str):
        return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    starred = [argument for argument in call.args[: name + 1] if isinstance(argument, ast.Starred)]
    if starred:
        return starred[0] if starred[0] is call.args[-1] else None
    return call.args[name] if name < len(call.args) else None


def _instances(value: Value) -> list[Instance]:
    """The modules that a value is or, where it is a list or dict, holds."""
    found: list[Instance] = []
    for one in alternatives(value):
        if isinstance(one, Instance) and one.is_module:
            found.append(one)
        elif isinstance(one, Items | Mapping):
            values = one.content.items if isinstance(one, Items) else one.entries.values()
            found += [v for v in values if isinstance(v, Instance) and v.is_module and v not in found]
    return found


def again(trace: Trace, kept: list[Given]) -> Given:
    """Of several hand-overs the one that a finding stands at: the second in reading order."""
    order = reading_order(trace)
    return sorted({one.place: one for one in kept}.values(), key=lambda one: order(one.place))[:2][-1]


def _finding(trace: Trace, instance: Instance, kept: list[Given], kinds: list[Instance]) -> Finding:
    second, places = again(trace, kept), [one.place for one in kept]
    evidence = tuple(_weigh(trace, instance, kept))
    return Finding(
        "shared-between-submodules",
        _severity(trace, instance, kept, evidence),
        MESSAGE.format(
            argument=ast.unparse(second.argument),
            kind=kind_of(instance),
            keepers=_keepers(kept),
            state=shared_state(trace, instance),
        ),
        second.place,
        trace.cls.name,
        next(iter(trace.paths_of(instance)), None),
        (*other_calls(trace, places, second.place, "and handed over here"), *definitions(trace, kinds)),
        evidence,
        tuple(fresh_for_each(kept)),
        instances=tuple(kinds),
    )


def _severity(trace: Trace, instance: Instance, kept: list[Given], evidence: tuple[Evidence, ...]) -> Severity:
    """A hint where as much speaks for a design as for a slip, and for what only a name that nobody asks for makes."""
    meant = sum(one.weight for one in evidence) <= 0 and not wants_its_own(trace, instance)
    if meant or is_rare(trace, instance):
        return Severity.HINT
    return severity_of(evidence, must=not any(one.to.path.literals for one in kept))


def _keepers(kept: list[Given]) -> str:
    names = list(dict.fromkeys(kind_of(one.to.instance) for one in kept))
    if len(names) > 1:
        return " and ".join(f"a `{name}`" for name in names[:3])
    sites = {one.to.node for one in kept}
    return f"every `{names[0]}` of a loop" if len(sites) == 1 else f"{len(sites)} `{names[0]}`s"


def _weigh(trace: Trace, instance: Instance, kept: list[Given]) -> Iterator[Evidence]:
    last = kept[-1]
    kinds = {kind_of(one.to.instance) for one in kept}
    if any(one.to.node is last.to.node and one is not last for one in kept) and last.to.turns:
        yield Evidence("loop", 4, "it is made outside the loop that hands it over", last.place)
    elif len(kinds) == 1:
        yield Evidence(
            "same-class", 2, f"each of them is a `{next(iter(kinds))}`, which is given its parts", last.place
        )
    if isinstance(last.argument, ast.Name) and wants_its_own(trace, instance):
        yield Evidence("own-one-each", 3, f"a `{kind_of(instance)}` is fitted to one place of the network", last.place)
    if instance.cls is not None:
        yield Evidence(
            "block", -2, "it is a block, which the constructor takes as a part: that is often meant", last.place
        )
        if _alone_outside(trace, instance, kept):
            yield Evidence(
                "others-inside", 2, "every pass of the loop makes the other parts of the layer anew", last.place
            )
    if trace.carries(instance).running_stats:
        yield Evidence("running-statistics", 2, "its running statistics mix what these blocks compute", last.place)
    if (instance.type_name or "").startswith("torch.nn.modules.sparse."):
        yield Evidence("embedding", -6, "an embedding is often shared on purpose", last.place)
    if says_shared([name for one in kept for name in _names(one)]):
        yield Evidence("said", -6, "a name says that it is shared", last.place)
    if isinstance(last.argument, ast.Attribute):
        yield Evidence(
            "own-attribute", -4, "it is an attribute of its own, which is handed on: that is often meant", last.place
        )
    yield from said_to_be_shared(
        *(one.place for one in kept), *([instance.place] if instance.place is not None else [])
    )
    if under_sharing_flag([test for one in kept for test in _tests_about(one)]):
        yield Evidence("flag", -6, "it stands under a sharing flag", last.place)


def _alone_outside(trace: Trace, instance: Instance, kept: list[Given]) -> bool:
    """Whether a local block is made before a loop whose passes make the layers, and further parts with weights for them."""
    last = kept[-1]
    if not isinstance(last.argument, ast.Name) or not last.to.turns or _SERVING.search(_role(instance, last)):
        return False
    others = [
        one.instance
        for one in trace.creations
        if one.turns == last.to.turns and one.node is not last.to.node and one.instance is not instance
    ]
    return any(trace.carries(one).parameters for one in others)


def _role(instance: Instance, given: Given) -> str:
    return " ".join([kind_of(instance), *_names(given)])


_SERVING = re.compile(r"emb|pos|rope|rotary|bias|mask|freq|time|backbone|codebook|vocab|token", re.IGNORECASE)
"""Names of blocks that serve all layers of a model: positions, times, tables."""


def _tests_about(given: Given) -> list[str]:
    """The tests that the hand-over stands under, and those that decide what is handed over."""
    names = [node.id for node in walk(given.argument) if isinstance(node, ast.Name)]
    inside = [ast.unparse(node.test) for node in walk(given.argument) if isinstance(node, ast.IfExp)]
    return [
        *enclosing_tests(given.place),
        *inside,
        *(test for name in names for test in tests_about(given.place, name)),
    ]


def _names(given: Given) -> list[str]:
    """What an argument is called where it is handed over: the expression, and the parameter."""
    call = given.to.node
    keywords = call.keywords if isinstance(call, ast.Call) else []
    return [ast.unparse(given.argument), *(k.arg for k in keywords if k.value is given.argument and k.arg is not None)]


def fresh_for_each(kept: list[Given]) -> Iterator[Fix]:
    """The fix that constructs the instance at each hand-over, where a local name holds it."""
    argument, places = kept[-1].argument, list(dict.fromkeys(one.place for one in kept))
    definition = definition_of(places[0], argument.id) if isinstance(argument, ast.Name) else None
    title = f"Make a fresh instance for each `{kind_of(kept[-1].to.instance)}`"
    if definition is not None:
        yield Fix(title, Applicability.UNSAFE, inline_instance(definition.unit, definition, places))
    else:
        reason = f"`{ast.unparse(argument)}` is no local that is given one constructor call in this function"
        yield Fix(title, Applicability.UNSAFE, refused(reason))
