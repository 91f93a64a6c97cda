"""Trace: the module instances of one class, the names they are held under, and the calls one forward makes.

Rules read a Trace and nothing else.
"""

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from nnreuse.syntax.units import Place, Unit
from nnreuse.tracing.conditions import NOTHING, Path, counts, exclusive, together
from nnreuse.tracing.values import Instance, Value
from nnreuse.types.catalog import Carries
from nnreuse.types.file import File
from nnreuse.types.meaning import ModuleClass

NO_CARRIES = Carries(None, None, None, None)
Relation = Literal["none", "single", "exclusive", "parallel", "chained", "recurrent", "mixed"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What something carries, what was read for that and how many steps it took; `altered`: something was added to a part later.

    `learns`: whether some of its parameters may, as its own constructors leave them. `chooses`: whether a part is one of several.
    """

    carried: Carries
    read: set[object]
    steps: int
    altered: bool
    learns: bool = True
    chooses: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One pass of a loop. `exact` when the loop's length is known, so that passes are iterations."""

    loop: ast.AST
    number: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One execution of a call site. `lineage` has a bit for each earlier call the arguments depend on; `inputs` are their idents."""

    number: int
    instance: Instance
    file: File
    unit: Unit
    node: ast.Call
    lineage: int
    inputs: tuple[int, ...]
    path: Path
    turns: tuple[Turn, ...]
    entry: str
    within: str
    container: Instance | None = None

    @property
    def site(self) -> Place:
        """The callee expression: `self.bn` of `self.bn(x)`."""
        return self.unit.place(self.node.func)


@dataclass(frozen=True, slots=True)
class Extent:
    """A size that a tensor has along one axis: an integer or an unknown, and the parameter of the module that says so."""

    size: Value
    instance: Instance
    parameter: str


Axis = Extent | None


@dataclass(frozen=True, slots=True)
class Shape:
    """The last axes of a tensor, None for an unknown size; all of them unless there may be others, `leading`."""

    axes: tuple[Axis, ...]
    leading: bool


@dataclass(frozen=True, slots=True)
class Clash:
    """A call that raises: its module takes `wanted` features, as its `parameter` says, and is given `got`."""

    call: Call
    parameter: str
    wanted: Value
    got: Extent


@dataclass(frozen=True, slots=True)
class Definition:
    """One execution of `self.name = value` in a constructor."""

    name: str
    place: Place
    value: ast.expr | None
    unit: Unit
    file: File
    path: Path
    instances: tuple[Instance, ...]


@dataclass(frozen=True, slots=True)
class Repetition:
    """`[m] * n`, `repeat(m, n)`, `dict.fromkeys(keys, m)`: the expression, and the instances it holds several times."""

    place: Place
    node: ast.expr
    file: File
    instances: tuple[Instance, ...]
    inline: bool
    path: Path


@dataclass(frozen=True, slots=True)
class Placement:
    """One execution of an expression that puts an instance into a list, a dict or a container of modules."""

    instance: Instance
    node: ast.expr
    unit: Unit
    file: File
    path: Path
    turns: tuple[Turn, ...]

    @property
    def place(self) -> Place:
        return self.unit.place(self.node)


@dataclass(frozen=True, slots=True)
class Creation:
    """One execution of a constructor call. `phase` is `constructor` or the entry point that ran it."""

    instance: Instance
    node: ast.AST
    file: File
    phase: str
    path: Path
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Store:
    """One execution of `self.name = value` outside the constructor. `lineage` has a bit for each call the value depends on."""

    name: str
    node: ast.AST
    unit: Unit
    file: File
    lineage: int
    path: Path


@dataclass(frozen=True, slots=True)
class Again:
    """What the next call of an entry point does on what the last one has left: its calls, numbered on, and what makes a module.

    `certain`: what does so whatever the tests say.
    """

    calls: tuple[Call, ...]
    made: frozenset[ast.AST]
    certain: frozenset[ast.AST]
    complete: bool


def _no_calls() -> tuple[int, dict[int, list[Call]]]:
    return 0, {}


def _no_paths() -> tuple[object, dict[int, list[str]]]:
    return None, {}


@dataclass(eq=False, slots=True)
class Trace:
    """What tracing one module class gave.

    `within_bounds` is False when a bound was hit; `complete`, also when `self` was handed to something unknown.
    """

    cls: ModuleClass
    this: Instance
    calls: list[Call] = field(default_factory=list[Call])
    definitions: list[Definition] = field(default_factory=list[Definition])
    repetitions: list[Repetition] = field(default_factory=list[Repetition])
    placements: list[Placement] = field(default_factory=list[Placement])
    """What the constructor puts into containers, in order, of its own code and of the functions it calls."""
    creations: list[Creation] = field(default_factory=list[Creation])
    """What the class's own code made, and the functions it calls; not what other classes' constructors make."""
    collections: list[Definition] = field(default_factory=list[Definition])
    """Each `self.name = [...]` of a constructor, whatever the list, tuple or dict comes to hold."""
    stores: list[Store] = field(default_factory=list[Store])
    clashes: list[Clash] = field(default_factory=list[Clash])
    spreads: list[Placement] = field(default_factory=list[Placement])
    """The members of lists that passes of loops put into others, all at once."""
    held: dict[str, list[Instance]] = field(default_factory=dict[str, list[Instance]])
    again: dict[str, Again] = field(default_factory=dict[str, Again])
    """The next call of each entry point that makes a module, or keeps what comes from a call."""
    complete: bool = True
    within_bounds: bool = True
    entries: list[str] = field(default_factory=list[str])
    read: set[object] = field(default_factory=set[object])
    """What it was made from, as `Reads` notes it: it holds as long as that does."""
    considered: set[object] = field(default_factory=set[object])
    """What else its rules have looked at: their findings hold as long as that does, too."""
    carries: Callable[[Instance], Carries] = lambda _: NO_CARRIES
    owns: Callable[[Instance], Carries] = lambda _: NO_CARRIES
    """What an instance carries itself, without its submodules."""
    chooses: Callable[[Instance], bool] = lambda _: True
    """Whether a part of an instance, at any depth, is one of several that a test or a name chooses."""
    learns: Callable[[Instance], bool] = lambda _: True
    """Whether an instance may own parameters that learn; frozen ones do not."""
    parts: Callable[[Instance], list[Instance]] = lambda _: []
    """The submodules directly below an instance."""
    presumed: dict[int, object] = field(default_factory=dict[int, object])
    """What parameters of the constructor are by default, and what methods of texts make of that, by ident."""
    answered: dict[object, Answer] = field(default_factory=dict[object, Answer])
    """Answers of `carries` that hold for the next trace as well, if the constructor is as it was; for the tracer alone."""

    kept: dict[tuple[object, ...], Any] = field(default_factory=dict[tuple[object, ...], Any])
    _grouped: tuple[int, dict[int, list[Call]]] = field(default_factory=_no_calls)
    _paths: tuple[object, dict[int, list[str]]] = field(default_factory=_no_paths)

    def calls_of(self, instance: Instance) -> list[Call]:
        if self._grouped[0] != len(self.calls):
            groups: dict[int, list[Call]] = {}
            for call in self.calls:
                groups.setdefault(id(call.instance), []).append(call)
            self._grouped = len(self.calls), groups
        return list(self._grouped[1].get(id(instance), ()))

    def paths_of(self, instance: Instance) -> list[str]:
        """The access paths an instance is held under, without `self.`."""
        held, paths = self._paths
        if held is not self.held:
            paths = dict[int, list[str]]()
            for path, instances in self.held.items():
                for one in {id(i): i for i in instances}:
                    paths.setdefault(one, []).append(path)
            self._paths = self.held, paths
        return list(paths.get(id(instance), ()))


def most_calls(calls: list[Call]) -> tuple[int, bool]:
    """The most calls (at most 2) of one instance that one forward can make, and whether no branch avoids the second."""
    best, must = 0, False
    for entry in {call.entry for call in calls}:
        group = [c for c in calls if c.entry == entry]
        fewest, most = counts([c.path for c in group], group[0].instance.given if group else NOTHING)
        best, must = max(best, most), must or fewest >= 2
    return min(best, 2), must


MAX_RUNS = 8


def runs(calls: list[Call]) -> list[list[Call]]:
    """The calls of one instance that one forward can make together: for each way through the code, as many as there are."""
    found: dict[tuple[int, ...], list[Call]] = {}
    ordered = sorted(calls, key=lambda call: call.number)
    for entry in dict.fromkeys(call.entry for call in ordered):
        group = [call for call in ordered if call.entry == entry]
        for path in list(dict.fromkeys(call.path for call in group))[:MAX_RUNS]:
            run = _run_at(path, group)
            found.setdefault(tuple(call.number for call in run), run)
    return list(found.values())


def _run_at(path: Path, calls: list[Call]) -> list[Call]:
    """The calls that a run makes which is at a path; where they exclude each other, the earlier ones."""
    here = path.under(calls[0].instance.given)
    made: list[Call] = []
    for call in calls:
        both = here if call.path == path else together(here, call.path)
        if both is not None:
            here = both
            made.append(call)
    return made


def relation(calls: list[Call]) -> Relation:
    """How the calls of one instance relate; calls of different entry points are not compared."""
    if len(calls) < 2:
        return "single" if calls else "none"
    kinds, apart = set[str](), dict[tuple[int, int], bool]()
    for number, later in enumerate(calls):
        earlier = [c for c in calls[:number] if c.entry == later.entry and not _apart(c.path, later.path, apart)]
        if earlier:
            kinds.add("chained" if any(depends(later, c) for c in earlier) else "parallel")
    if not kinds:
        return "exclusive"
    if len(kinds) > 1:
        return "mixed"
    if kinds == {"chained"}:
        return "recurrent" if _recurrent(calls) else "chained"
    return "parallel"


def _apart(a: Path, b: Path, known: dict[tuple[int, int], bool]) -> bool:
    """`exclusive`, asked once for each two of paths that many calls have."""
    both = id(a), id(b)
    if both not in known:
        known[both] = exclusive(a, b)
    return known[both]


def depends(later: Call, earlier: Call) -> bool:
    """Whether the later call's input depends on the earlier call's result."""
    return bool(later.lineage >> earlier.number & 1)


def _recurrent(calls: list[Call]) -> bool:
    """State threads through a loop: one site, several passes, and an input besides the state."""
    first = calls[0]
    return all(c.node is first.node and c.turns for c in calls) and len(first.inputs) > 1
