"""Questions: what our own index leaves open, put to whoever infers types. Answers are dotted names; they come later, or never."""

import ast
from dataclasses import dataclass, field

from nnreuse.syntax.units import Unit
from nnreuse.types.file import File


@dataclass(frozen=True, slots=True)
class NameQuestion:
    """Which class does a dotted name mean? Its package can be read, and our index does not find the name there."""

    dotted: str


@dataclass(frozen=True, slots=True)
class AttributeQuestion:
    """Which class is what `self.attribute` holds an instance of? `content` stands for the texts that decide it."""

    path: str
    cls: str
    attribute: str
    content: int


Question = NameQuestion | AttributeQuestion


@dataclass(frozen=True, slots=True)
class Target:
    """`self.attribute`, where it is assigned: on this name a tool can be asked what it is."""

    file: File
    unit: Unit
    node: ast.Attribute

    @property
    def is_current(self) -> bool:
        """Whether the file still has the unit."""
        return self.unit in self.file.index.first_lines

    @property
    def line(self) -> int:
        """Zero-based, in the text of the file's index."""
        return self.file.index.first_lines[self.unit] + self._end[0]

    @property
    def column(self) -> int:
        """In code points; that of the name's last one."""
        return self._end[1]

    @property
    def _end(self) -> tuple[int, int]:
        return self.unit.row(self.unit.span(self.node).end - 1)


@dataclass(eq=False, slots=True)
class Answers:
    """What has been asked, and what is known of it; None: asked in vain."""

    asked: dict[Question, Target | None] = field(default_factory=dict["Question", "Target | None"])
    known: dict[Question, str | None] = field(default_factory=dict["Question", "str | None"])

    def about(self, question: Question, target: Target | None = None) -> str | None:
        """The answer, if there is one; else the question stays asked."""
        if question not in self.known:
            self.asked[question] = target
        return self.known.get(question)

    def take(self) -> dict[Question, Target | None]:
        """The questions asked since the last time that have no answer yet."""
        taken = {question: target for question, target in self.asked.items() if question not in self.known}
        self.asked.clear()
        return taken
