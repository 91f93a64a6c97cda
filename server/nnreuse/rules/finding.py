"""Finding: what a rule has to say about one place, with its evidence and its fixes."""

from dataclasses import dataclass

from nnreuse.config.severity import Severity
from nnreuse.fixes.fix import Fix
from nnreuse.syntax.units import Place, Unit
from nnreuse.types.file import File


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that belongs to a finding: a further call, the definition, the idle twin."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason, for a slip (positive weight) or for a design (negative): severity follows from the sum alone."""

    kind: str
    weight: int
    sentence: str
    place: Place

    @property
    def speaks_for(self) -> str:
        """What a reader is told before the sentence."""
        return "for a slip: " if self.weight > 0 else "for a design: " if self.weight < 0 else ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One diagnostic. `owner` is the qualified name of the module class, `attribute` the access path without `self.`, where it has them."""

    rule: str
    severity: Severity
    message: str
    place: Place
    owner: str | None
    attribute: str | None
    related: tuple[Related, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    fixes: tuple[Fix, ...] = ()
    elsewhere: tuple[tuple[Unit, File], ...] = ()
    """The units of other files that its places stand in: a base class's constructor, say."""

    @property
    def places(self) -> list[tuple[Place, str]]:
        """What is shown beside it: related places, and those of its evidence."""
        return [(one.place, one.message) for one in self.related] + [(one.place, one.sentence) for one in self.evidence]

    def file_of(self, place: Place) -> File | None:
        """The other file that a place stands in, as far as that is known and still so."""
        file = next((file for unit, file in self.elsewhere if unit is place.unit), None)
        return file if file is not None and file.index.holds(place) else None
