"""Context: what a rule may look at: the trace, the program it came from, and the settings."""

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nnreuse.config.settings import Settings
from nnreuse.syntax.once import once
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Unit
from nnreuse.tracing.trace import Trace
from nnreuse.types.file import File
from nnreuse.types.meaning import ModuleClass
from nnreuse.types.program import Program

if TYPE_CHECKING:
    from nnreuse.rules.notes import Note


@dataclass(frozen=True, slots=True)
class Context:
    """Given to each rule's `check`, once for each module class."""

    trace: Trace
    program: Program
    settings: Settings
    kept: dict[tuple[object, ...], Any] = field(default_factory=dict[tuple[object, ...], Any])
    """What rules derive for this one judgement."""
    _names: dict[ModuleClass, frozenset[str]] = field(default_factory=dict[ModuleClass, frozenset[str]])

    def names_of(self, cls: ModuleClass) -> frozenset[str]:
        """Every attribute name that a class, its bases or its subclasses in the same file use: new names must avoid them."""
        if cls not in self._names:
            self._names[cls] = self._used_names(cls)
        return self._names[cls]

    def _used_names(self, cls: ModuleClass) -> frozenset[str]:
        related = [c for c in cls.mro if isinstance(c, ModuleClass)]
        for _, units in cls.surroundings.classes():
            other = cls.file.classes.get(units)
            if other is not None and cls in other.mro and other not in related:
                related.append(other)
        self.program.reads.note(*related, *(unit for one in related for unit in one.bodies()))
        units = {unit for one in related for unit, _ in one.units.statements()}
        return frozenset[str]().union(*(one.members for one in related), *map(_attributes, units))


@once
def _attributes(unit: Unit) -> frozenset[str]:
    nodes = (node for statement in unit.nodes for node in walk(statement))
    return frozenset(node.attr for node in nodes if isinstance(node, ast.Attribute))


@dataclass(frozen=True, slots=True)
class FileContext:
    """Given to `check_file` once the classes of a file are judged: its notes, and the rules that each of them silenced."""

    file: File
    traces: list[Trace]
    notes: "tuple[Note, ...]"
    used: "dict[Note, set[str]]"
    settings: Settings
