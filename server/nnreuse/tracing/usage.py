"""Usage: how the classes of a program are built by the code around them, and what their instances then hold.

A constructor alone often cannot say what it makes: `norm_layer(dim)`. Who builds the class can. So every function that builds
modules, and every class nobody else builds, is run once with its defaults, and what stands at each access path is counted.
"""

import ast
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import TypeGuard

from nnreuse.syntax.tree import walk
from nnreuse.tracing import calls, construction, holding
from nnreuse.tracing.machine import CONSTRUCTOR_STEPS, Interner, Machine, OutOfBounds
from nnreuse.tracing.values import Function, Instance, Mapping, Value
from nnreuse.types.catalog import Carries
from nnreuse.types.file import File
from nnreuse.types.meaning import FunctionRef, ModuleClass
from nnreuse.types.program import Program

_MAX_INSTANCES = 400
"""Instances looked into for one entry; past it the rest of that entry goes uncounted."""
_WEIGHT = 60
"""What surely stands at a path counts as much as so many guesses among alternatives."""
log = logging.getLogger(__name__)
_RARE = 10
"""What is seen so many times less than what is seen most does not stand for a path."""

_NOTHING = "torch.nn.modules.linear.Identity"

Seen = tuple[str | None, Carries]
Done = dict[object, list[tuple[str, Seen, int]]]
"""What stood at each access path of an instance, by how it was built."""


@dataclass(eq=False, slots=True)
class Usage:
    """For each class and access path, the types seen there, with what each instance carried."""

    seen: dict[ModuleClass, dict[str, Counter[Seen]]] = field(
        default_factory=dict[ModuleClass, dict[str, "Counter[Seen]"]]
    )

    def paths(self, cls: ModuleClass) -> list[str]:
        """The access paths at which something stood."""
        return list(self.seen.get(cls, {}))

    def at(self, cls: ModuleClass, path: str) -> Seen | None:
        """The first type seen at a path, if it is not rare there, with all that its instances carried; None where nothing was seen.

        One row has one answer. Hooks on a running model, too, tell first of the instance that is built first.
        """
        counted = self.seen.get(cls, {}).get(path)
        if not counted:
            return None
        types = Counter[str | None]()
        for (name, _), number in counted.items():
            types[name] += number
        best = next(name for name, number in types.items() if number * _RARE > max(types.values()))
        often = [
            carried for (name, carried), number in counted.items() if name == best and number * _RARE > types[best]
        ]
        return best, Carries(*(_known([getattr(one, one_of.name) for one in often]) for one_of in fields(Carries)))


def _known(answers: list[bool | None]) -> bool | None:
    """Whether any instance carries it, of those of which it is known."""
    told = [answer for answer in answers if answer is not None]
    return any(told) if told else None


def usage_of(program: Program, files: Iterable[File]) -> Usage:
    """What the instances of these files' classes hold, as the files themselves build them."""
    usage = Usage()
    classes: list[ModuleClass] = []
    builds: dict[object, bool] = {}
    done: Done = {}
    shapes: set[object] = set()
    for file in files:
        classes += [
            cls
            for name, units in file.index.classes()
            if program.is_module_class(cls := program.class_of(file, units, name))
        ]
        for function in _functions(file):
            if _builds(program, function, builds) and (shape := _shape(function)) not in shapes:
                shapes.add(shape)
                _try(program, usage, done, Function(function.file, function.unit, function.node, None))
    for cls in classes:
        if cls not in usage.seen:
            _try(program, usage, done, cls)
    return usage


def _try(program: Program, usage: Usage, done: Done, entry: Function | ModuleClass) -> None:
    """Runs one entry. What goes wrong in it is no reason to count nothing of the others."""
    try:
        _run(program, usage, done, entry)
    except Exception:
        log.exception("internal error, please report it: %s could not be run", entry.file.path)


def _functions(file: File) -> Iterator[FunctionRef]:
    for binding in file.index.bindings.values():
        if isinstance(binding.node, calls.DEFINITIONS):
            yield FunctionRef(file, binding.unit, binding.node)


def _shape(function: FunctionRef) -> object:
    """What a function's body names. Functions that differ only in numbers build alike, and one of them is enough."""
    nodes = [n for s in function.node.body for n in walk(s)]
    names = {n.id for n in nodes if isinstance(n, ast.Name)} | {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    words = {(k.arg, k.value.value if _says(k.value) else None) for k in nodes if isinstance(k, ast.keyword)}
    return function.file.path, frozenset(names), frozenset(words)


def _says(node: ast.expr) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bool | None)


def _builds(program: Program, function: FunctionRef, known: dict[object, bool]) -> bool:
    """Whether a function's body names a module class, or a function that builds one."""
    if function.node in known:
        return known[function.node]
    known[function.node] = False
    for name in {n.id for s in function.node.body for n in walk(s) if isinstance(n, ast.Name)}:
        meaning = program.lookup(function.file, name)
        if isinstance(meaning, ModuleClass):
            known[function.node] = program.is_module_class(meaning)
        elif isinstance(meaning, FunctionRef):
            known[function.node] = _builds(program, meaning, known)
        if known[function.node]:
            return True
    return False


def _run(program: Program, usage: Usage, done: Done, entry: Function | ModuleClass) -> None:
    """Runs one entry, then the constructors of everything it makes."""
    m = Machine(program, Interner(), CONSTRUCTOR_STEPS * 2)
    m.intern.made, m.patient = [], True
    rest: dict[str, Value] = {"**": Mapping(m.intern.fresh(), {}, True)}
    try:
        if isinstance(entry, Function):
            m.halving = True
            calls.enter(m, entry, (), rest, None)
        else:
            m.intern.made.append(Instance(m.intern.fresh(), entry, None, None, entry.file, keywords=rest))
    except (OutOfBounds, RecursionError):
        m.stack.clear()
    for number, made in enumerate(m.intern.made):
        if number >= _MAX_INSTANCES:
            break
        if made.cls is not None and made.is_module:
            _count(m, usage, done, made)


def _count(m: Machine, usage: Usage, done: Done, made: Instance) -> None:
    """Counts what an instance holds; one that is built like an earlier one holds the same."""
    assert made.cls is not None
    key = made.cls, construction.fingerprint(m, made)
    if key not in done:
        done[key] = []
        construction.construct(m, made)
        done[key] = list(_held(m, made))
    for path, seen, weight in done[key]:
        for cls in made.cls.mro:
            if isinstance(cls, ModuleClass):
                usage.seen.setdefault(cls, {}).setdefault(path, Counter())[seen] += weight


def _held(m: Machine, made: Instance) -> Iterator[tuple[str, Seen, int]]:
    """The types at each access path of an instance, with what they carry and how much that counts."""
    for path, instances in holding.held_under(m, made, deep=False).items():
        known = [(one.type_name, construction.carries(m, one)) for one in instances if one.type_name is not None]
        several = len({name for name, _ in known}) > 1 and not path.endswith("*")
        for seen in [max(known, key=_telling)] if several else known:
            yield path, seen, 1 if several else _WEIGHT


def _telling(seen: Seen) -> tuple[bool, bool, bool]:
    """Of several things that may stand at a path, what carries something is what a reader asks about, and what does something."""
    name, carried = seen
    heavy = bool(carried.parameters or carried.running_stats)
    return heavy, bool(carried.stochastic or carried.other_state), name != _NOTHING
