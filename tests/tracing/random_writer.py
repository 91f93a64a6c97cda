"""What a random program is written with: the names known so far, and the dice."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

Lines = list[str]
T = TypeVar("T", bound=Lines | str)


@dataclass
class Known:
    """Expressions that the code to follow may use, by what they are."""

    modules: list[str] = field(default_factory=list)
    sequences: list[tuple[str, int | None]] = field(default_factory=list)
    """Lists of modules and how many they hold; None where a parameter decides, three at least."""
    nested: list[tuple[str, int]] = field(default_factory=list)
    mappings: list[tuple[str, list[str]]] = field(default_factory=list)
    numbered: list[tuple[str, int]] = field(default_factory=list)
    """Attributes `name0`, `name1` and so on: the name, and how many."""
    pairs: list[str] = field(default_factory=list)
    """Modules that take two tensors and return one."""
    attentions: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)
    counts: list[str] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)
    """Functions from a tensor to a tensor."""
    callers: list[str] = field(default_factory=list)
    """Functions from a module and a tensor to a tensor."""
    streams: list[str] = field(default_factory=list)
    """Calls of generators of modules."""
    tensors: list[str] = field(default_factory=list)
    optional: list[str] = field(default_factory=list)
    """Tensors that may be None."""


class Writer:
    """The state while one class is written."""

    def __init__(self, rng: random.Random, blocks: list[str]) -> None:
        self.rng = rng
        self.blocks = blocks
        self.known = Known()
        self.parameters: list[str] = []
        self.handed: list[str] = []
        """The parameters of the base class."""
        self.methods: list[Lines] = []
        self.loops = 0
        self.names = 0

    @contextmanager
    def scope(self, tensors: list[str] | None = None, modules: Sequence[str] = ()) -> Iterator[None]:
        """Names that are bound inside stay inside. `tensors` are the only ones known there, `modules` further ones."""
        known = self.known
        self.known = replace(
            known,
            tensors=list(known.tensors if tensors is None else tensors),
            modules=[*known.modules, *modules],
            helpers=list(known.helpers),
            optional=list(known.optional if tensors is None else ()),
        )
        yield
        self.known = known

    def fresh(self, prefix: str) -> str:
        """A name that is not taken; digits are left to names that loops make."""
        self.names += 1
        return f"{prefix}_{'abcdefghijklmnopqrstuvwxyz'[self.names % 26]}{'x' * (self.names // 26)}"

    def chance(self, percent: int) -> bool:
        return self.rng.randrange(100) < percent

    def one_of(self, table: "Sequence[tuple[int, Callable[[Writer], T | None]]]") -> T:
        """What one construct of a table makes, by weight; those that lack material are passed over."""
        weights = [weight for weight, _ in table]
        while True:
            made = self.rng.choices(table, weights)[0][1](self)
            if made:
                return made


def under(head: str, body: Lines) -> Lines:
    """A compound statement."""
    return [head, *("    " + line for line in body)]
