"""An attribute is given a second module before anything used the first, which is lost.

## What it does
Finds `self.conv1 = …` twice on one path of a constructor, where nothing reads the attribute in between. The same for a list
of modules that another list takes the place of, where an append was meant, and for what every pass of a loop assigns anew.

## Why it matters
It is nearly always a line that was copied and not renamed. The second module takes the place of the first, which leaves
`parameters()` and `state_dict()` without a word. The module that the second line was to be called either is missing, which
`forward` tells with an AttributeError, or the model has one layer less than its author thinks.

## Example
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1)
    #   ^^^^^^^^^^

    def forward(self, x):
        return self.conv2(self.conv1(x))
```

## Fixed
```python
import torch.nn as nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x):
        return self.conv2(self.conv1(x))
```

## Fix safety
Unsafe: the model gets the module that was lost. The new name is the next one, where the class reads that and nothing defines it; old
checkpoints lack its keys. Otherwise the fix deletes the line whose module is lost; that keeps the model as it is, but the random
numbers which the lost module drew at construction are then drawn by those after it.

## When to ignore
When the first line is a default that later code may rely on. A default that only some configurations replace is not reported, and neither
is a subclass that replaces what its base made, nor an empty container that is filled later by assigning another. A module of another
kind that takes the place of the first, and a second line that only adds arguments, are hints; what only a branch makes, and another line
replaces in any case, is a warning.
"""

import ast
import re
from collections.abc import Iterator

from nnreuse.fixes.adding import added
from nnreuse.fixes.fix import Applicability, Fix, Reach, refused
from nnreuse.fixes.overwritten import comment_above, not_made, stored_as
from nnreuse.fixes.places import chain, function_at, is_self, statement_at
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import severity_of
from nnreuse.rules.finding import Evidence, Finding, Related
from nnreuse.rules.lost_elements import Lost, lost_elements
from nnreuse.rules.making import carries_something, kind_of
from nnreuse.rules.reading import may_read
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place
from nnreuse.tracing.conditions import exclusive
from nnreuse.tracing.trace import Definition, Trace
from nnreuse.types.meaning import ModuleClass

ABOUT_SHARING = False

MESSAGE = "`self.{name}` is given a second module here: the `{kind}` it held is lost before anything used it"

IN_LIST = "`{name}` is given a second list here: the `{kind}` in the first is lost before anything used it"
IN_LOOP = (
    "`{name}` is assigned anew in every pass of the loop: each `{kind}` but the last is lost before anything used it"
)


def check(context: Context) -> Iterator[Finding]:
    trace = context.trace
    units, seen = own_units(trace), set[Place]()
    for number, later in enumerate(trace.definitions):
        if later.unit not in units or later.place in seen:
            continue
        before = (d for d in reversed(trace.definitions[:number]) if d.name == later.name)
        earlier = next((d for d in before if not exclusive(d.path, later.path)), None)
        if earlier is None or not _replaces(trace, earlier, later):
            continue
        missing = _missing(trace, later.name)
        evidence = tuple(_weigh(trace, earlier, later, missing))
        if evidence:
            seen.add(later.place)
            yield _finding(trace, earlier, later, missing, evidence)
    for lost in lost_elements(trace):
        if lost.later.place not in seen and not _lives_on(trace, lost):
            yield _lost(trace, lost)


def _lives_on(trace: Trace, lost: Lost) -> bool:
    """Whether all parts of what is lost stand in what takes its place: a list that grows is put into a new container."""
    parts = trace.parts(lost.instance)
    kept = {id(part) for one in lost.later.instances for part in trace.parts(one)}
    return bool(parts) and all(id(part) in kept for part in parts)


def _lost(trace: Trace, lost: Lost) -> Finding:
    """The finding about what a list held, or a pass of a loop made."""
    earlier, later, target = lost.earlier, lost.later, lost.target
    name = ast.unparse(target) if target is not None else later.name
    evidence = (Evidence("lost", 4, "what was lost carries parameters or state", earlier.place),)
    related = () if lost.by_itself else (Related(earlier.place, "made here, and lost"),)
    fix = added(earlier.place, later.place)
    if lost.by_itself:
        fix = refused("it is not known which of them forward is to call")
    return Finding(
        "overwritten-module",
        severity_of(evidence, must=True),
        (IN_LOOP if lost.by_itself else IN_LIST).format(name=name, kind=kind_of(lost.instance)),
        Place(later.unit, later.unit.span(target)) if target is not None else later.place,
        trace.cls.name,
        later.name,
        related,
        evidence,
        (Fix("Add to the list", Applicability.UNSAFE, fix),),
    )


def _replaces(trace: Trace, earlier: Definition, later: Definition) -> bool:
    """Whether the later assignment follows wherever the earlier one was made, and nothing can have used what that made."""
    if earlier.unit is not later.unit or earlier.place.span.end > later.place.span.start:
        return False
    if not later.path.literals <= earlier.path.literals:
        return False
    if _target(earlier) is None or _target(later) is None or not isinstance(earlier.value, ast.Call):
        return False
    if any(trace.paths_of(instance) or instance in later.instances for instance in earlier.instances):
        return False
    return not _is_read(trace, earlier, later)


def _target(definition: Definition) -> ast.Attribute | None:
    """The attribute of `self.name = …`, where that is all that the statement binds."""
    match statement_at(definition.place):
        case ast.Assign(targets=[ast.Attribute() as target]) | ast.AnnAssign(target=ast.Attribute() as target):
            return target
        case _:
            return None


def _is_read(trace: Trace, earlier: Definition, later: Definition) -> bool:
    """Whether anything between two assignments, the second one's value with it, may read the attribute."""
    between = _between(earlier.place.span.end, later, later.place.span.end)
    return (
        between is None
        or function_at(earlier.place) is not function_at(later.place)
        or any(may_read(trace.cls, node, later.name) for node in between)
    )


def _between(first: int, later: Definition, last: int) -> list[ast.expr] | None:
    """The expressions of the later assignment's function that begin between two offsets; None outside a function."""
    function = function_at(later.place)
    if function is None:
        return None
    nodes = (node for node in walk(function) if isinstance(node, ast.expr))
    return [node for node in nodes if first <= later.unit.span(node).start < last]


def _finding(
    trace: Trace, earlier: Definition, later: Definition, missing: str | None, evidence: tuple[Evidence, ...]
) -> Finding:
    target = _target(later)
    assert target is not None
    place = Place(later.unit, later.unit.span(target))
    return Finding(
        "overwritten-module",
        severity_of(evidence, must=True),
        MESSAGE.format(name=later.name, kind=kind_of(earlier.instances[0])),
        place,
        trace.cls.name,
        later.name,
        (Related(earlier.place, "made here, and lost"),),
        evidence,
        tuple(_fixes(trace, earlier, later, place, missing)),
    )


def _weigh(trace: Trace, earlier: Definition, later: Definition, missing: str | None) -> Iterator[Evidence]:
    if any(carries_something(trace, instance) for instance in earlier.instances):
        yield Evidence("lost", 4, "what was lost carries parameters or state", earlier.place)
        if later.path.literals < earlier.path.literals:
            sentence = (
                "only a branch makes the first one, and the second one comes in any case: the branch has no effect"
            )
            yield Evidence("without-effect", 3, sentence, later.place)
        elif {one.type_name for one in earlier.instances}.isdisjoint(one.type_name for one in later.instances):
            yield Evidence(
                "another-kind", -7, "a module of another kind takes its place: a replacement, perhaps", later.place
            )
        elif missing is None and _says_more(earlier.value, later.value):
            sentence = "the second one is the first with further arguments: a correction, perhaps"
            yield Evidence("says-more", -7, sentence, later.place)
        elif missing is None and _stands_twice(earlier, later):
            sentence = (
                "a branch that stands twice makes the same again: nothing but the first one's random numbers is lost"
            )
            yield Evidence("same-again", -3, sentence, later.place)
    if missing is not None:
        yield Evidence("missing-sibling", 3, f"the class reads `self.{missing}`, which nothing defines", later.place)


def _stands_twice(earlier: Definition, later: Definition) -> bool:
    """Whether both assignments stand in one `if` and `else` that is written twice, word for word but for the test."""
    first, second = _arms_around(earlier), _arms_around(later)
    return bool(first) and first == second and _makes_the_same(earlier, later)


def _arms_around(definition: Definition) -> list[str]:
    """The statements of the innermost `if` around a definition, where it has an `else`."""
    around = [node for node in chain(definition.place) if isinstance(node, ast.If)]
    return [ast.dump(node) for node in (*around[-1].body, *around[-1].orelse)] if around and around[-1].orelse else []


def _says_more(earlier: ast.expr | None, later: ast.expr | None) -> bool:
    """Whether two constructor calls are equal but for keywords that only the later one has."""
    if not isinstance(earlier, ast.Call) or not isinstance(later, ast.Call) or not later.keywords:
        return False
    first = [ast.dump(part) for part in (earlier.func, *earlier.args, *earlier.keywords)]
    second = [ast.dump(part) for part in (later.func, *later.args, *later.keywords)]
    return len(second) > len(first) and set(first) < set(second)


def _fixes(trace: Trace, earlier: Definition, later: Definition, place: Place, missing: str | None) -> Iterator[Fix]:
    if missing is not None:
        reach = Reach(trace.cls.units.node.name, new=frozenset([missing]))
        yield Fix(f"Name it `self.{missing}`", Applicability.UNSAFE, stored_as(place, missing), reach=reach)
    if _makes_the_same(earlier, later):
        yield Fix("Delete this second, equal definition", Applicability.UNSAFE, not_made(later.place))
    yield Fix("Delete the definition that is lost", Applicability.UNSAFE, not_made(earlier.place))


def _makes_the_same(earlier: Definition, later: Definition) -> bool:
    """Whether both assignments, under equal conditions, have one expression, and nothing between them changes what it reads.

    A comment above the second alone speaks of it: then the first is the one to go.
    """
    if earlier.value is None or later.value is None or ast.dump(earlier.value) != ast.dump(later.value):
        return False
    if earlier.path != later.path or comment_above(later.place) and not comment_above(earlier.place):
        return False
    read = {ast.unparse(node) for node in walk(later.value) if isinstance(node, ast.Name | ast.Attribute)}
    between = _between(earlier.place.span.end, later, later.place.span.start)
    written = (node for node in between or () if isinstance(node, ast.Name | ast.Attribute))
    return not any(not isinstance(node.ctx, ast.Load) and ast.unparse(node) in read for node in written)


def _missing(trace: Trace, name: str) -> str | None:
    """The next numbered name, where the class reads it and neither it nor a base binds it."""
    match = re.fullmatch(r"(.*?)(\d*)", name)
    assert match is not None
    following = f"{match[1]}{int(match[2] or 1) + 1}"
    classes = [c for c in trace.cls.mro if isinstance(c, ModuleClass)]
    if any(following in c.members for c in classes) or trace.cls.find("__getattr__") is not None:
        return None
    nodes = [n for c in classes for s in c.statements() for n in walk(s)]
    if any(isinstance(n, ast.Constant) and n.value == following for n in nodes):
        return None
    mentions = [n for n in nodes if isinstance(n, ast.Attribute) and n.attr == following and is_self(n.value)]
    return following if mentions and all(isinstance(n.ctx, ast.Load) for n in mentions) else None
