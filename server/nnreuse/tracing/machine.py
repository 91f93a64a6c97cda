"""Machine: the state of one tracing run. Frames, the journal that branches undo, bounds, and interned identities."""

import ast
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar, cast

from nnreuse.syntax.units import Unit
from nnreuse.tracing.conditions import NOTHING, Literals, Path, contradict, follows
from nnreuse.tracing.lineage import Lineages
from nnreuse.tracing.trace import (
    Again,
    Answer,
    Call,
    Clash,
    Creation,
    Definition,
    Placement,
    Repetition,
    Shape,
    Store,
    Turn,
)
from nnreuse.tracing.values import Const, Content, Instance, Items, May, Opaque, Value, alternatives
from nnreuse.types.file import File
from nnreuse.types.meaning import FunctionRef, Meaning, ModuleClass, ValueRef
from nnreuse.types.program import Program

CONSTRUCTOR_STEPS = 12_000
HELPER_STEPS = 600
IDLE_STEPS = 200
"""A method that a constructor calls is given up at first when it takes so many steps without making a module."""
FORWARD_STEPS = 30_000
MAX_DEPTH = 24
MAX_ROUNDS = 8
"""So often a function that counts with an argument calls itself."""
MAX_OPTIONS = 6
MAX_EXACT = 12
MAX_ITEMS = 64
MAX_SHAPES = 4

_ABSENT = object()
T = TypeVar("T")


class OutOfBounds(Exception):
    """A bound was hit: what is being computed becomes unknown. Never leaves the tracing package."""


@dataclass(slots=True)
class Bounded:
    """Whether a stretch stayed within its bound."""

    within: bool = True


State = dict[tuple[int, Any], tuple[dict[Any, Any], Any, Any]]
"""The slots that a stretch of code wrote, and what they hold at its end."""


@dataclass(eq=False, slots=True)
class Exits:
    """The `continue`s of a pass, or the `break`s of a loop: under which literals each leaves, and what was written since `mark`."""

    mark: int
    left: list[tuple[Literals, State]] = field(default_factory=list[tuple[Literals, State]])


@dataclass(eq=False, slots=True)
class Frame:
    """One execution of a function body (or of a comprehension, which reads through to `closure`)."""

    file: File
    unit: Unit
    closure: "Frame | None" = None
    owner: ModuleClass | None = None
    this: Value | None = None
    name: str = ""
    names: dict[str, Value] = field(default_factory=dict[str, Value])
    elsewhere: dict[str, dict[str, Value]] = field(default_factory=dict[str, dict[str, Value]])
    """Where the names stand that it declares `nonlocal`."""
    returned: list[tuple[Literals, Value]] = field(default_factory=list[tuple[Literals, Value]])
    yielded: list[Value] = field(default_factory=list[Value])
    generator: bool = False
    scattered: bool = False
    """Whether it yields on some paths only, or how often nobody knows."""
    entered: Literals = NOTHING
    loops: int = 0
    """How many loops are around it, once it runs."""
    exits: Exits | None = None
    """The returns under conditions of its own, once a function runs."""


@dataclass(eq=False, slots=True)
class Interner:
    """Numbers for structures: equal structures get equal numbers."""

    known: dict[object, int] = field(default_factory=dict[object, int])
    parameters: set[int] = field(default_factory=set[int])
    constructed: set[int] = field(default_factory=set[int])
    """Idents of what unknown callables made in constructors: modules perhaps."""
    presumed: dict[int, object] = field(default_factory=dict[int, object])
    """What unknown values are where the constructor is given nothing, by ident; of a method, the method of that."""
    tests: "dict[int, Literals]" = field(default_factory=dict[int, "Literals"])
    """The literal that holds where a comparison holds which is kept as a value, by its ident."""
    differing: "dict[int, tuple[Literals, Literals]]" = field(default_factory=dict[int, "tuple[Literals, Literals]"])
    """The two tests of which one holds where a value is true, by its ident."""
    arguments: set[int] = field(default_factory=set[int])
    """Idents of what parameters are that nobody gives."""
    entries: dict[int, Any] = field(default_factory=dict[int, Any])
    """What was written to entries of unknown values, by ident."""
    frozen: set[int] = field(default_factory=set[int])
    """Idents of parameters that do not learn."""
    parameters_of: dict[int, Instance] = field(default_factory=dict[int, Instance])
    """Idents of what `parameters()` of an instance gives, and of what is in it."""
    results: set[int] = field(default_factory=set[int])
    """Idents of what a forward stores on an object: tensors, whose methods are not modules."""
    sources: dict[object, set[object]] = field(default_factory=dict[object, set[object]])
    """What was read for what is computed once in a trace: whoever uses it later has read the same."""
    asked: int = 0
    """How many questions are being answered after the trace, one for the sake of another."""
    spent: int = 0
    """Steps taken in the constructors of blocks."""
    shared_tables: set[int] = field(default_factory=set[int])
    """The module-level tables, by node, that their own file leaves empty: what they hold depends on who reads them first."""
    tables: "dict[int, ValueRef]" = field(default_factory=dict[int, "ValueRef"])
    """The module-level dicts that were too long to be read as a whole, by the ident they have instead."""
    registered: int = 0
    """Steps taken to fill module-level tables."""
    made: list[Instance] | None = None
    """Every object that is allocated, in order, where how classes are used is counted."""
    assumed: dict[ModuleClass, Instance] = field(default_factory=dict[ModuleClass, Instance])
    """The objects that stand for parameters which nobody gives, by class."""
    answers: dict[object, Value] = field(default_factory=dict[object, Value])
    """Of functions that remember theirs, by function and arguments."""
    meanings: "dict[tuple[str, str], Meaning | None]" = field(default_factory=dict[tuple[str, str], "Meaning | None"])
    """What module-level names mean, by path and name, once they are asked for."""
    last_fresh: int = 0
    cut: list[ast.AST] = field(default_factory=list[ast.AST])
    """The functions that were not entered because they, or too many others, were running already."""
    effects: int = 0
    """Counts what a run does besides computing a value: modules made, bounds hit."""
    written: list[int] | None = None
    """The idents of the objects that are written to, where somebody asks for them. What is made later has a lower one."""
    lasting: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """The lowest ident of what was computed once for the trace and the one past the highest, each time."""

    scaled: set[int] = field(default_factory=set[int])
    """The idents of numbers that are the index of a pass divided by something."""
    coarse: dict[int, int] = field(default_factory=dict[int, int])
    """The idents of numbers that may be the same in several passes, `i % n`, and the code that computes each."""
    led_to: dict[tuple[int, int], Value] = field(default_factory=dict[tuple[int, int], Value])
    """The element of a container that such code led to first."""
    cuts: set[tuple[int, int, bool]] = field(default_factory=set[tuple[int, int, bool]])
    """Slices with an unknown bound: the container, the bound, and whether it is what is from there on."""
    shapes: dict[int, tuple[Shape, ...]] = field(default_factory=dict[int, tuple[Shape, ...]])
    """The possible shapes of tensors, by ident; of most nothing is known."""
    patterns: dict[int, Any] = field(default_factory=dict[int, Any])
    """What instances do to shapes, by ident."""
    read_off: dict[int, tuple[Value, str]] = field(default_factory=dict[int, tuple[Value, str]])
    """The attributes of tensors whose shape is known: whose, and which."""
    texts: dict[int, Any] = field(default_factory=dict[int, Any])
    """The texts that have unknown parts, by ident."""
    _structures: list[object] = field(default_factory=list[object])

    @property
    def counting(self) -> bool:
        """Whether how classes are used is counted: nobody else builds them, so that what no one gives is not given."""
        return self.made is not None

    def structures(self) -> list[object]:
        """The structure behind each number; number 1 comes first."""
        if len(self._structures) != len(self.known):
            self._structures = list(self.known)
        return self._structures

    def __call__(self, *structure: object) -> int:
        return self.known.setdefault(structure, len(self.known) + 1)

    def either(self, one: int, other: int, result: int) -> None:
        """A value is one of two: so is its shape."""
        a, b = self.shapes.get(one), self.shapes.get(other)
        if a and b and len(found := tuple(dict.fromkeys((*a, *b)))) <= MAX_SHAPES:
            self.shapes[result] = found

    def wrote(self, ident: int) -> None:
        """An object was written to: it has another attribute, or is another value than before."""
        if self.written is not None:
            self.written.append(ident)

    def lasts(self, ident: int, before: int) -> bool:
        """Whether an object was there before the ident `before` was given, or lasts for the whole trace."""
        return ident >= before or any(low <= ident < high for low, high in self.lasting)

    def fresh(self) -> int:
        """A number that no structure has: below zero."""
        self.last_fresh -= 1
        return self.last_fresh


class Machine:
    """Runs code. `phase` is `constructor` or the name of the entry point that is being traced."""

    def __init__(self, program: Program, intern: Interner, limit: int, depth: int = 0) -> None:
        self.program = program
        self.intern = intern
        self.limit: int = limit
        self.steps: int = 0
        self.firm: int = limit
        """In an idle stretch: the bound that no module moves."""
        self.allowance: int = 0
        """In an idle stretch: how many steps it may take from one module to the next."""
        self.made_at: int = 0
        self.patient = False
        """Whether methods that make no modules are run to their ends all the same."""
        self.given_up: list[FunctionRef] = []
        """The methods of the constructor that were not run to their ends."""
        self.depth = depth
        self.path = Path()
        self.journal: list[tuple[dict[Any, Any], Any, Any]] = []
        self.turns: tuple[Turn, ...] = ()
        self.decisions: dict[ast.AST, bool] | None = None
        self.lineages = Lineages()
        self.continues = Exits(0)
        self.breaks = Exits(0)
        self.phase = "constructor"
        self.refused: dict[str, list[Literals]] = {}
        """Under which literals the constructor, and each entry point, raises."""
        self.catching = 0
        """How many places are around that go on when something raises."""
        self.runs_again = False
        """Whether an entry point runs once more, on what it has left."""
        self.again: dict[str, Again] = {}
        self.root: Instance | None = None
        self.calls: list[Call] = []
        self.definitions: list[Definition] = []
        self.repetitions: list[Repetition] = []
        self.placements: list[Placement] = []
        self.spreads: list[Placement] = []
        self.creations: list[Creation] = []
        self.collections: list[Definition] = []
        self.stores: list[Store] = []
        self.clashes: list[Clash] = []
        self.complete = True
        self.stack: list[ast.AST] = []
        self.rounds: dict[ast.AST, list[tuple[int, ...]]] = {}
        """What functions that call themselves count with, round by round."""
        self.origins: dict[int, str] = {}
        self.escaped = False
        self.globals: dict[int, Value] = {}
        self.late: list[tuple[str, Instance]] = []
        self.planted: list[tuple[str, Value]] = []
        """What the constructor put into parts of the root that cannot be read, by access path."""
        self.halving = False
        self.longest = MAX_EXACT * 2
        self.carried: dict[object, Answer] = {}
        self.answered: dict[object, Answer] = {}
        """What instances carry, by what their allocation says: what holds for the next trace as well."""
        self.remembered: dict[object, Answer] = {}
        """The same of the trace before, where the constructor is as it was."""
        self.unknowns: dict[int, Instance] = {}
        self.unset: set[str] = set()
        """The attributes of the root that were read and that nobody had set."""
        self.read_as_none: set[str] = set()

    # ---- bounds

    def stop(self) -> NoReturn:
        """Past the limit; each expression and each statement is a step."""
        self.complete = False
        raise OutOfBounds

    @contextmanager
    def bounded(self, steps: int | None) -> "Generator[Bounded]":
        """A stretch with a bound of its own inside the machine's; past it `within` is False and the rest goes on."""
        ran = Bounded()
        if steps is None or self.steps + steps >= self.limit:
            yield ran
            return
        outer, allowance, self.limit, self.allowance = self.limit, self.allowance, self.steps + steps, 0
        try:
            with self._giving_up(ran, outer):
                yield ran
        finally:
            self._back_to(outer, allowance)

    @contextmanager
    def idle(self) -> "Generator[Bounded]":
        """A stretch that is given up once it has made no module for long; one inside another after half of what is left."""
        ran, outer, allowance, firm = Bounded(), self.limit, self.allowance, self.firm
        if self.patient:
            yield ran
            return
        if allowance:
            self.allowance = (outer - self.steps) // 2
        else:
            self.allowance, self.firm = IDLE_STEPS, outer
        self.limit = min(outer, self.steps + self.allowance)
        try:
            with self._giving_up(ran, self.firm):
                yield ran
        finally:
            self._back_to(outer, allowance)
            self.firm = firm

    @contextmanager
    def _giving_up(self, ran: Bounded, outer: int) -> "Generator[None]":
        complete, stack, path, turns = self.complete, len(self.stack), self.path, self.turns
        try:
            yield
        except OutOfBounds:
            if self.steps > outer:
                raise
            ran.within = False
            self.complete, self.path, self.turns = complete, path, turns
            del self.stack[stack:]

    def _back_to(self, limit: int, allowance: int) -> None:
        self.allowance = allowance
        self.limit = max(limit, min(self.firm, self.made_at + allowance)) if allowance else limit

    def progress(self) -> None:
        """A module is made, or finds its place: an idle stretch begins anew."""
        self.made_at = self.steps
        if self.allowance:
            self.limit = min(self.firm, self.steps + self.allowance)

    @contextmanager
    def noting(self, key: object) -> "Generator[None]":
        """Remembers what is read within it, for those who use the result again."""
        own = self.intern.sources.setdefault(key, set())
        with self.program.reads.into(own):
            yield

    def note_again(self, key: object) -> None:
        """Something that was computed before is used: what was read for it, is read."""
        self.program.reads.note(*self.intern.sources.get(key, ()))

    @contextmanager
    def once(self, steps: int, key: object) -> "Generator[None]":
        """What is computed once for a trace: apart, with a bound of its own, and on nobody's account. `key`: for `note_again`."""
        spent, limit, stack, complete, allowance = (
            self.steps,
            self.limit,
            len(self.stack),
            self.complete,
            self.allowance,
        )
        self.limit, self.allowance = spent + steps, 0
        before, written, self.intern.written = self.intern.last_fresh, self.intern.written, []
        try:
            with self.apart(), self.noting(key):
                yield
        except OutOfBounds:
            self.complete = complete
            del self.stack[stack:]
        finally:
            self.steps, self.limit, self.allowance = spent, limit, allowance
            own, self.intern.written = self.intern.written, written
            if written is not None:
                written += (ident for ident in own if self.intern.lasts(ident, before))
            self.intern.lasting.append((self.intern.last_fresh, before))

    @contextmanager
    def apart(self) -> "Generator[None]":
        """A stretch outside the branches and loops at hand: what it writes stays."""
        path, turns, journal, phase, longest = self.path, self.turns, self.journal, self.phase, self.longest
        self.path, self.turns, self.journal, self.phase, self.longest = Path(), (), [], "constructor", MAX_ITEMS
        self.catching += 1
        try:
            yield
        finally:
            self.catching -= 1
            self.path, self.turns, self.journal, self.phase, self.longest = path, turns, journal, phase, longest

    # ---- values

    def opaque(self, *structure: object, lineage: int = 0) -> Opaque:
        """An opaque value; with a structure, equal structures are the same value."""
        return Opaque(self.intern(*structure) if structure else self.intern.fresh(), lineage)

    def items(self, kind: str, values: Iterable[Value], unfinished: bool = False) -> Items:
        return Items(kind, self.intern.fresh(), {0: self.content(tuple(values), unfinished)})

    def content(self, values: tuple[Value, ...], unfinished: bool) -> Content:
        """The content of a list; of one that is too long the rest is lost sight of."""
        lose_sight(values[MAX_ITEMS:])
        return Content(values[:MAX_ITEMS], unfinished or len(values) > MAX_ITEMS)

    def possible(self, literals: Literals) -> bool:
        """Whether control can be here with these literals besides."""
        here = self.path
        if contradict(literals, here.literals):
            return False
        return not here.excluded or not any(follows(left, here.literals | literals) for left in here.excluded)

    # ---- journaled state

    def write(self, slots: dict[Any, Any], key: Any, value: Any) -> None:
        """Sets a slot; a branch that is left takes it back."""
        self.journal.append((slots, key, slots.get(key, _ABSENT)))
        slots[key] = value

    def forget(self, slots: dict[Any, Any], key: Any) -> None:
        if key in slots:
            self.journal.append((slots, key, slots[key]))
            del slots[key]

    def since(self, mark: int) -> State:
        """What the slots written since `mark` hold."""
        return {(id(slots), key): (slots, key, slots.get(key, _ABSENT)) for slots, key, _ in self.journal[mark:]}

    def rewind(self, mark: int) -> State:
        """Takes back every write since `mark`; the final values of the slots written are returned."""
        final = self.since(mark)
        for slots, key, old in self.journal[mark:][::-1]:
            if old is _ABSENT:
                slots.pop(key, None)
            else:
                slots[key] = old
        del self.journal[mark:]
        return final

    def alternatives(self, arms: list[tuple[Literals, Callable[[], T]]], ends: Callable[[T], bool]) -> list[T]:
        """Runs each arm under its literals on the same state, and joins the states of the arms that do not end the block."""
        base, mark = self.path, len(self.journal)
        results: list[T] = []
        states: list[tuple[Literals, State]] = []
        excluded = base.excluded
        for literals, run in arms:
            self.path = Path(base.literals | literals, excluded)
            result = run()
            excluded = self.path.excluded
            results.append(result)
            state = self.rewind(mark)
            if not ends(result):
                states.append((literals, state))
        self.path = Path(base.literals, excluded)
        self.rejoin(states)
        return results

    def rejoin(self, states: list[tuple[Literals, State]]) -> None:
        """Goes on with the states of several arms, each under its literals."""
        written = {where: entry for _, state in states for where, entry in state.items()}
        for where, (slots, key, _) in written.items():
            before = slots.get(key, _ABSENT)
            values = [(literals, state[where][2] if where in state else before) for literals, state in states]
            joined = self.join_slots(values)
            if joined is not _ABSENT:
                self.write(slots, key, joined)

    def join_slots(self, values: list[tuple[Literals, Any]]) -> Any:
        present = [(ls, value) for ls, value in values if value is not _ABSENT and not _never_made(ls, value)]
        if not present:
            return _ABSENT
        if isinstance(present[0][1], Content):
            return self._join_contents(cast("list[tuple[Literals, Content]]", present))
        if not isinstance(present[0][1], Value):
            return present[-1][1]
        if len(present) < len(values) and len(present) == 1:
            return present[0][1]
        return self.join(present)

    def _join_contents(self, values: list[tuple[Literals, Content]]) -> Content:
        contents = [content for _, content in values]
        if all(c == contents[0] for c in contents):
            return contents[0]
        longest = max(contents, key=lambda c: len(c.items))
        merged: list[Value] = []
        for position in range(len(longest.items)):
            options = [(ls, c.items[position]) for ls, c in values if position < len(c.items)]
            merged.append(self.join(options, total=len(options) == len(values)))
        return Content(tuple(merged), any(c.open for c in contents))

    def join(self, values: list[tuple[Literals, Value]], total: bool = True) -> Value:
        """One value that may be any of these. Opaque values merge; everything else stays apart, each under its literals."""
        options: list[tuple[Literals, Value]] = []
        opaque: list[tuple[Literals, Opaque]] = []
        for literals, value in values:
            for inner, one in _left(value, literals) if isinstance(value, May) else ((NOTHING, value),):
                if isinstance(one, Opaque):
                    opaque.append((literals | inner, one))
                else:
                    _add_option(options, literals | inner, one)
        if opaque:
            options.append(self._merged(opaque))
        partial = not total or any(isinstance(value, May) and len(value.options) == 1 for _, value in values)
        if len(options) == 1 and not (partial and options[0][0]):
            return options[0][1]
        lose_sight([value for _, value in options[MAX_OPTIONS:]])
        return May(tuple(options[:MAX_OPTIONS]))

    def _merged(self, values: list[tuple[Literals, Opaque]]) -> tuple[Literals, Opaque]:
        (literals, value), *others = values
        for other_literals, other in others:
            literals &= other_literals
            if other is not value and other.ident != value.ident:
                one, value = value.ident, Opaque(self.intern("phi", value.ident, other.ident))
                self.intern.either(one, other.ident, value.ident)
        if value is not values[0][1]:
            value.lineage = self.lineages.merged([(ls - literals, one.lineage) for ls, one in values])
        return literals, value

    def options(self, value: Value) -> list[tuple[Literals, Value]]:
        """The alternatives of a value that are possible here."""
        if not isinstance(value, May):
            return [(NOTHING, value)]
        return [(ls, v) for ls, v in value.options if self.possible(ls)] or list(value.options)

    def settle(self, value: Value) -> Value:
        """The value itself where only one alternative is possible here."""
        if isinstance(value, May):
            options = self.options(value)
            if len(options) == 1:
                return options[0][1]
        return value

    def lineage(self, value: Value, depth: int = 0) -> int:
        """Every call a value depends on, its elements included."""
        match value:
            case Opaque():
                return value.lineage
            case Items():
                if depth > 3:
                    return 0
                bits = value.lineage
                for item in value.content.items:
                    bits |= self.lineage(item, depth + 1)
                return bits
            case May():
                return self.lineages.merged([(ls, self.lineage(one, depth + 1)) for ls, one in self.options(value)])
            case _:
                entries = getattr(value, "entries", None)
                bits = 0
                if entries and depth < 3:
                    for item in entries.values():
                        bits |= self.lineage(item, depth + 1)
                return bits

    def ident(self, value: Value) -> int:
        """The interned identity of a value."""
        match value:
            case Opaque():
                return value.ident
            case Const():
                return self.intern("const", type(value.value).__name__, value.value)
            case May():
                return self.intern("may", *(self.ident(v) for _, v in value.options))
            case Items(kind="tuple"):
                return self.intern("tuple", *(self.ident(v) for v in value.content.items))
            case _:
                own = getattr(value, "ident", None)
                return own if isinstance(own, int) else self.intern("object", id(value))


def lose_sight(values: Iterable[Value]) -> None:
    """What lies past a bound may be called unseen: its count becomes unknown."""
    for value in values:
        for one in alternatives(value):
            if isinstance(one, Instance):
                one.handed_on = one.lost = True
            elif isinstance(one, Items):
                lose_sight(one.content.items)


def _left(value: May, literals: Literals) -> Sequence[tuple[Literals, Value]]:
    """The options of a value that literals leave; all of them where they leave none."""
    return [(ls, one) for ls, one in value.options if not contradict(ls, literals)] or value.options


def _never_made(literals: Literals, value: Any) -> bool:
    """Whether a module was made under the opposite of literals: where they hold, nobody has made it."""
    return isinstance(value, Instance) and bool(value.given) and contradict(literals, value.given)


def _add_option(options: list[tuple[Literals, Value]], literals: Literals, value: Value) -> None:
    for number, (known, other) in enumerate(options):
        if other is value or (isinstance(value, Const) and other == value):
            options[number] = (known & literals, other)
            return
    options.append((literals, value))
