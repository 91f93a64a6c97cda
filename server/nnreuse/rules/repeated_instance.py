"""A list is multiplied, or a loop adds to it, and it holds one instance several times.

## What it does
Finds `[module] * n`, `itertools.repeat(module, n)`, `dict.fromkeys(keys, module)`, and comprehensions and loops that add a module made
before them in every pass, where the module carries parameters or state and ends up in a module container. The module may
be a parameter: a caller in the file gives it, or it is annotated as a module. A function of the file may be what repeats it, or a list
that is spread in every pass.
Also a list that a loop goes on filling and adds in every pass: each position holds what those before it hold.

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
When one layer is to be applied n times (ALBERT): name it first, `self.layer = …`, and write `# nnreuse: shared` behind it. A comment or
a flag that speaks of sharing makes the finding information.
"""

import ast
from collections.abc import Iterator

from nnreuse.fixes.fix import Applicability, Fix, refused
from nnreuse.fixes.renewing import renewed
from nnreuse.rules.callers import with_callers
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import PROOF, severity_of
from nnreuse.rules.finding import Evidence, Finding, Related
from nnreuse.rules.growing import filled_in_loop, grown, list_of
from nnreuse.rules.helpers import helper_call
from nnreuse.rules.instances import definitions, other_calls
from nnreuse.rules.making import carries_something, kind_of, shared_state
from nnreuse.rules.placements import Again, container_of, for_each_level, inlined, looped, matters, said
from nnreuse.rules.reuse import denies_sharing, own_units, says_shared
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Repetition, Trace
from nnreuse.tracing.values import Instance, Items

MESSAGE = "the list holds one `{kind}` several times: every position is the same instance, with the same {state}"
LOOP = "every pass of the loop adds the same `{kind}`: the positions are one instance, with the same {state}"
GROWN = "every pass of the loop adds all that the passes before it made: `{name}` is never renewed, and holds the same `{kind}` again"
MADE = (
    "`{name}` makes one `{kind}` and puts it into the list several times: all are one instance, with the same {state}"
)
HELPER = "`{name}` puts the `{kind}` that it is given into the list several times: all are one instance, with the same {state}"
RAISES = (
    "a container class is indexed here, which raises TypeError; and the `{kind}` in it would stand at every position"
)


def check(context: Context) -> Iterator[Finding]:
    yield from with_callers(context, _found)


def _found(context: Context) -> Iterator[Finding]:
    trace = context.trace
    units = own_units(trace)
    for repetition, *others in _repetitions(trace):
        if repetition.place.unit in units:
            yield from _multiplied(trace, repetition, [one.place for one in others])
        else:
            yield from _by_helper(context, repetition.instances[0], repetition.place)
    for again in looped(trace):
        if again.second.unit in units:
            yield from _added(trace, again)
        else:
            yield from _by_helper(context, again.instance, again.second.place)
    for again in grown(trace):
        if again.second.unit in units:
            yield from _grown(trace, again)


def _repetitions(trace: Trace) -> list[list[Repetition]]:
    """The expressions that repeat something, each once; those of one function that repeat one instance are together."""
    by_node = {one.node: one for one in reversed(trace.repetitions)}
    found: dict[object, list[Repetition]] = {}
    for one in reversed(by_node.values()):
        found.setdefault(one.node if one.inline else (one.instances, one.place.unit), []).append(one)
    return list(found.values())


def _by_helper(context: Context, instance: Instance, repeated: Place) -> Iterator[Finding]:
    """A function repeats what the class gives it. The function is right for those that want one: the call is what is wrong."""
    trace = context.trace
    call = helper_call(context, instance, repeated) if carries_something(trace, instance) else None
    attribute = container_of(trace, instance) if call is not None else None
    if call is None or attribute is None:
        return
    weighed = [
        Evidence("hoisted", 4, "it is made once, as an argument, and the function adds it in every pass", call.place),
        *said(trace, [instance], call.place, repeated),
    ]
    if says_shared([call.name, ast.unparse(call.argument)]):
        weighed.append(Evidence("named-so", -6, "its name says that sharing is meant", call.place))
    reason = refused(f"`{call.name}` would have to copy what it is given, and others may call it")
    yield Finding(
        "repeated-instance",
        severity_of(tuple(weighed), must=True),
        (MADE if instance.place is not None and instance.place.unit is repeated.unit else HELPER).format(
            name=call.name, kind=kind_of(instance), state=shared_state(trace, instance)
        ),
        call.place,
        trace.cls.name,
        attribute,
        (Related(repeated, "and is repeated here, without a copy"), *definitions(trace, [instance])),
        tuple(weighed),
        (Fix("Make a fresh instance for each position", Applicability.UNSAFE, reason),),
        instances=(instance,),
    )


def _may_be_no_module(instances: tuple[Instance, ...]) -> bool:
    """Whether their classes cannot be read, so that they may be no modules."""
    return all(one.cls is None and one.facts is None for one in instances)


def _multiplied(trace: Trace, repetition: Repetition, others: list[Place]) -> Iterator[Finding]:
    instances = repetition.instances
    attribute = next((name for i in instances if (name := container_of(trace, i))), None)
    if attribute is None or not any(matters(trace, i, repetition.inline) for i in instances):
        return
    if _may_be_no_module(instances) and isinstance(trace.this.attrs.get(attribute), Items):
        return  # transforms, say: only torch's containers prove that it is a module
    raises = isinstance(repetition.node, ast.BinOp) and isinstance(repetition.node.left, ast.Subscript)
    proof = (Evidence("raises", PROOF, "a container class cannot be indexed", repetition.place),) if raises else ()
    evidence = (*proof, *_weigh(trace, repetition))
    must = not repetition.path.literals or repetition.inline
    kind = (instances[0].type_name or "module").rsplit(".", 1)[-1]
    from nnreuse.fixes.comprehension import repeat_name, repeat_to_comprehension  # libcst: only where it is to write

    build = repeat_to_comprehension if repetition.inline else repeat_name
    yield Finding(
        "repeated-instance",
        severity_of(evidence, must or raises or denies_sharing(repetition.place) is not None),
        (RAISES if raises else MESSAGE).format(kind=kind, state=shared_state(trace, instances[0])),
        repetition.place,
        trace.cls.name,
        attribute,
        (
            *other_calls(trace, others, repetition.place, "and is repeated here"),
            *(() if repetition.inline else definitions(trace, instances)),
        ),
        evidence,
        (Fix("Make a fresh instance for each position", Applicability.UNSAFE, build(repetition.place)),),
        instances=instances,
    )


def _weigh(trace: Trace, repetition: Repetition) -> Iterator[Evidence]:
    made = repetition.instances[0].place or repetition.place
    if repetition.inline:
        yield Evidence("inline", 5, "the constructor stands inside the multiplied list", repetition.place)
    else:
        yield Evidence("named", 3, "the instance is named before it is multiplied", made)
        if says_shared([ast.unparse(repetition.node)]):
            yield Evidence("named-so", -6, "its name says that sharing is meant", repetition.place)
    yield from said(trace, repetition.instances, repetition.place)
    yield from for_each_level(trace, repetition.instances[0])


def _added(trace: Trace, again: Again) -> Iterator[Finding]:
    attribute = container_of(trace, again.instance)
    if attribute is None or not matters(trace, again.instance):
        return
    made = again.instance.place
    if again.is_local:
        evidence = Evidence(
            "hoisted",
            4,
            "it is made once, before the loop, and only a local variable names it",
            made or again.second.place,
        )
    else:
        evidence = Evidence(
            "held", 2, "it is made once, before the loop, and has a name of its own", made or again.second.place
        )
    filled = [
        Evidence("filled", 3, "every pass fills it further: it was to be made anew in each", place)
        for place in filled_in_loop(again)
    ]
    levels = for_each_level(trace, again.instance)
    weighed = (evidence, *filled[:1], *said(trace, [again.instance], again.second.place), *levels)
    kind = (again.instance.type_name or "module").rsplit(".", 1)[-1]
    yield Finding(
        "repeated-instance",
        severity_of(weighed, must=not again.second.path.literals or denies_sharing(again.second.place) is not None),
        LOOP.format(kind=kind, state=shared_state(trace, again.instance)),
        again.second.place,
        trace.cls.name,
        attribute,
        (*other_calls(trace, again.places, again.second.place, "and is added here"), *_made_here(trace, made)),
        weighed,
        _fixes(again) if filled else inlined(trace, again),
        instances=(again.instance,),
    )


def _fixes(again: Again) -> tuple[Fix, ...]:
    name = ast.unparse(again.second.node)
    return (Fix(f"Renew `{name}` in every pass", Applicability.UNSAFE, renewed(again.second.place, name)),)


def _grown(trace: Trace, again: Again) -> Iterator[Finding]:
    """What a loop puts together from a list that it goes on filling: each holds what those before it hold."""
    attribute, name, part = container_of(trace, again.instance), list_of(again), again.instance
    if attribute is None or name is None or not matters(trace, part):
        return
    here = again.second.place
    evidence = Evidence("filled", 3, f"the loop fills `{name}` in every pass, and nothing empties it", here)
    weighed = (evidence, *said(trace, [part], here))
    yield Finding(
        "repeated-instance",
        severity_of(weighed, must=not again.second.path.literals),
        GROWN.format(name=name, kind=kind_of(part)),
        here,
        trace.cls.name,
        attribute,
        tuple(_made_here(trace, part.place)),
        weighed,
        (Fix(f"Renew `{name}` in every pass", Applicability.UNSAFE, renewed(here, name)),),
        instances=(part,),
    )


def _made_here(trace: Trace, made: Place | None) -> Iterator[Related]:
    if made is not None and made.unit in own_units(trace):
        yield Related(made, "made once, here", "definition")
