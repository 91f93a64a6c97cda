"""Fixes in tests: a text before, a text after, and places given by what stands there."""

import ast
import textwrap
from collections.abc import Callable, Iterator, Sequence

from nnreuse.fixes.fix import Applicability, Fix
from nnreuse.fixes.split import split
from nnreuse.fixes.writing import Build
from nnreuse.syntax.edits import apply_edits
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Source
from nnreuse.syntax.units import ClassUnits, Place, leaves


class Text:
    """A text and its index, and places in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.index = FileIndex.of(Source(text))

    def cls(self, name: str = "Net") -> ClassUnits:
        return next(cls for qualified, cls in self.index.classes() if qualified == name)

    def places(self, wanted: str) -> list[Place]:
        """The places of the expressions and statements with this source text, in text order, each place once."""
        found = [place for place, _ in self.nodes() if place.text == wanted]
        return sorted(dict.fromkeys(found), key=self.index.span)

    def definition(self, target: str) -> Place:
        """The first assignment that speaks of `target`."""
        return min(
            (
                place
                for place, node in self.nodes()
                if isinstance(node, ast.Assign | ast.AnnAssign)
                and any(ast.unparse(n) == target for n in ast.walk(node) if isinstance(n, ast.expr))
            ),
            key=self.index.span,
        )

    def calls(self, target: str) -> list[Place]:
        """The places of `target` where it is called, in text order."""
        found = [
            Place(place.unit, place.unit.span(node.func))
            for place, node in self.nodes()
            if isinstance(node, ast.Call) and ast.unparse(node.func) == target
        ]
        return sorted(found, key=self.index.span)

    def uses(self, name: str) -> list[Place]:
        """The places where a local is read, in text order."""
        found = [p for p, n in self.nodes() if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
        return sorted(found, key=self.index.span)

    def nodes(self) -> Iterator[tuple[Place, ast.expr | ast.stmt]]:
        """Every expression and statement inside the units, with its place."""
        for unit in leaves(self.index.parts):
            roots = [root for root in unit.nodes if not isinstance(root, ast.ClassDef)]
            for node in (node for root in roots for node in ast.walk(root)):
                if isinstance(node, ast.expr | ast.stmt):
                    yield Place(unit, unit.span(node)), node

    def fixed(self, build: Build) -> str | None:
        edits = Fix("", Applicability.UNSAFE, build).edits(self.index)
        return None if edits is None else apply_edits(self.text, edits)


Making = Callable[[Text], Build]


def block(text: str) -> str:
    """A text without the indentation that the test gave it, and without the line after the opening quotes."""
    return textwrap.dedent(text).removeprefix("\n")


def assert_fix(before: str, after: str | None, make: Making) -> None:
    """The fix turns one text into the other, or (None) is refused; the same with tabs, and with `\\r\\n`."""
    for change in (_same, _tabbed, _crlf):
        text = Text(change(block(before)))
        expected = None if after is None else change(block(after))
        assert text.fixed(make(text)) == expected


def _same(text: str) -> str:
    return text


def _crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def _tabbed(text: str) -> str:
    return text.replace("    ", "\t")


KEPT, NUMBERED = ("bn", "bn2"), ("bn1", "bn2")


def splitting(
    names: Sequence[str] = KEPT,
    attribute: str = "bn",
    checkpoint: bool = False,
    expressions: Sequence[str] | None = None,
) -> Making:
    def make(text: Text) -> Build:
        sites = text.calls(f"self.{attribute}")[: len(names)]
        definition = text.definition(f"self.{attribute}")
        return split(text.cls(), attribute, definition, sites, names, expressions, checkpoint=checkpoint)

    return make


def net(init: str, forward: str = "x = self.bn(self.conv1(x))\nreturn self.bn(self.conv2(x))", rest: str = "") -> str:
    """A class with these statements in its constructor and in its forward, and this text below it."""
    body = textwrap.indent(block(init).rstrip(), " " * 8)
    calls = textwrap.indent(block(forward).rstrip(), " " * 8)
    return (
        f"class Net(nn.Module):\n    def __init__(self):\n{body}\n\n    def forward(self, x):\n{calls}\n{block(rest)}"
    )
