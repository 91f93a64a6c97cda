"""File: one Python file of a program."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nnreuse.syntax.index import FileIndex, Import
from nnreuse.syntax.units import ClassUnits

if TYPE_CHECKING:
    from nnreuse.types.meaning import ModuleClass


@dataclass(eq=False, slots=True)
class File:
    """One Python file: its dotted module name, whether it is a package's `__init__`, and its index."""

    path: str
    module: str
    package: bool
    index: FileIndex
    classes: dict[ClassUnits, "ModuleClass"] = field(default_factory=dict[ClassUnits, "ModuleClass"])

    def has(self, units: ClassUnits) -> bool:
        """Whether a class stands in its present text: one of its definitions, or one inside a unit."""
        return units in self.index.definitions or not units.members and units.header in self.index.first_lines

    def absolute(self, imported: Import) -> str:
        """The dotted name an import of this file means, its leading dots resolved."""
        if not imported.level:
            return imported.target
        base = self.module.split(".")
        base = base[: len(base) - imported.level + (1 if self.package else 0)]
        return ".".join([*base, imported.target]) if imported.target else ".".join(base)
