"""Finding: what a rule has to say about one instance, with all its places, its evidence and its fixes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from nnreuse.config.severity import Severity
from nnreuse.fixes.fix import Fix
from nnreuse.syntax.units import Place, Unit
from nnreuse.tracing.values import Instance
from nnreuse.types.file import File

Role = Literal["call", "definition", "beside"]


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that belongs to a finding. `role`: the instance is used there too, or defined; or it is about something else."""

    place: Place
    message: str
    role: Role = "beside"


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
    """One diagnostic, about one instance. `place` is where it is reused, all its other places are `related`, each once.

    `owner` is the qualified name of the module class, `attribute` the access path without `self.`, where it has them.
    """

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
    instances: tuple[Instance, ...] = field(default=(), compare=False, repr=False)
    """What it is about: one instance, in all kinds that it may be of. Findings of different rules are compared by it."""

    @property
    def calls(self) -> list[Place]:
        """Where the instance is used: the place of the finding, and those beside which an editor points back to it."""
        return [self.place, *(one.place for one in self.related if one.role == "call")]

    @property
    def noted(self) -> list[Place]:
        """Where a comment may speak of it: where the instance is used and where it is defined."""
        return [self.place, *(one.place for one in self.related if one.role != "beside")]

    @property
    def places(self) -> list[tuple[Place, str]]:
        """What is shown beside it: related places, and those of its evidence."""
        return self.places_with([])

    def places_with(self, more: Iterable[tuple[Place, str]]) -> list[tuple[Place, str]]:
        """The same with what else there is to say; what is said of one place is said together."""
        said: dict[Place, list[str]] = {}
        related = ((one.place, one.message) for one in self.related)
        reasons = ((one.place, one.sentence) for one in self.evidence)
        for place, message in (*related, *reasons, *more):
            said.setdefault(place, []).append(message)
        return [(place, "; ".join(dict.fromkeys(messages))) for place, messages in said.items()]

    def file_of(self, place: Place) -> File | None:
        """The other file that a place stands in, as far as that is known and still so."""
        file = next((file for unit, file in self.elsewhere if unit is place.unit), None)
        return file if file is not None and file.index.holds(place) else None
