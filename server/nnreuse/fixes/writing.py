"""Writing: building edits of a file from changes to its units, and proving that the result still is Python.

libcst reads exactly the expression that a fix is about to rewrite, after Python's own parser has accepted it; what is
not changed is not written, so comments, quotes, line ends and indentation stay as they are.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnreuse.syntax.edits import Edit, apply_edits, compatible
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Encoding, split_lines
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import Place, Unparsable, parse

if TYPE_CHECKING:
    import libcst as cst  # as long to import as everything else: only when a fix is built

Build = Callable[[FileIndex], list[Edit] | None]
"""Makes a fix's edits, or None; raises Refused where there is a reason that a reader can do something about."""


class Refused(Exception):
    """Why a fix cannot be proven right: a sentence's end, as in “no fix is offered: …”."""


def proven(index: FileIndex, edits: Iterable[Edit]) -> list[Edit] | None:
    """The edits that change something, in order, if they can be applied together and the file parses afterwards; else None."""
    text = index.source.text
    ordered = sorted({e for e in edits if text[e.span.start : e.span.end] != e.content})
    if not ordered or not compatible(ordered):
        return None
    return ordered if after(index, ordered).broken is None else None


def after(index: FileIndex, edits: list[Edit]) -> FileIndex:
    """The index of the text with edits that are compatible. Costs the units that they touch, each once."""
    source = index.source
    for edit in reversed(_by_unit(index, edits)):  # those before keep their places
        start, end = source.position(edit.span.start), source.position(edit.span.end)
        source, change = source.edited(start, end, edit.content, Encoding.UTF32)
        index = index.updated(source, change)
    return index


def _by_unit(index: FileIndex, edits: list[Edit]) -> list[Edit]:
    """The edits, those that begin in one unit as one, in order."""
    text, lines = index.source.text, [*index.first_lines.values()]
    starts = [index.source.starts[line] for line in lines]
    groups: dict[int, list[Edit]] = {}
    for edit in sorted(edits):
        groups.setdefault(bisect_right(starts, edit.span.start), []).append(edit)
    return [_one(text, group) for group in groups.values()]


def _one(text: str, edits: list[Edit]) -> Edit:
    """Several edits as one, from the first to the last."""
    span = Span(edits[0].span.start, max(edit.span.end for edit in edits))
    inside = [Edit(edit.span.shifted(-span.start), edit.content) for edit in edits]
    return Edit(span, apply_edits(text[span.start : span.end], inside))


def together(first: Build, second: Build) -> Build:
    """Both changes as one; None where either cannot be had."""

    def build(index: FileIndex) -> list[Edit] | None:
        one, other = first(index), second(index)
        return proven(index, [*one, *other]) if one and other else None

    return build


def current(index: FileIndex, places: Iterable[Place]) -> bool:
    """Whether the units of all places still stand in the file."""
    return index.broken is None and all(map(index.holds, places))


@dataclass(frozen=True, slots=True)
class Lines:
    """The whole lines of one statement: `span` in the file, its comment and its line end included."""

    span: Span
    indentation: str
    ending: str
    comment: bool


def lines_of(index: FileIndex, place: Place) -> Lines | None:
    """The lines of a statement that has them to itself; None where it shares them, or a backslash ties them to others."""
    lines = place.unit.lines
    first, column = place.unit.row(place.span.start)
    last, end_column = place.unit.row(place.span.end)
    indentation, rest = lines[first][:column], lines[last][end_column:]
    comment = rest.lstrip().startswith("#")
    if indentation.strip() or (rest.strip() and not comment) or (first and _continues(lines[first - 1])):
        return None
    span = Span(place.span.start - column, place.span.end + len(rest))
    shift = index.span(place).start - place.span.start
    ending = _line_end(lines[last]) or _line_end(index.source.lines[0]) or "\n"
    return Lines(span.shifted(shift), indentation, ending, comment)


def closing_the_gap(index: FileIndex, span: Span) -> Span:
    """The lines of a statement that goes, and the empty ones above it where others stand below it: one gap is left, not two."""
    lines, starts = index.source.lines, index.source.starts
    first, last = index.source.position(span.start).line, index.source.position(span.end).line
    if last >= len(lines) or lines[last].strip():
        return span
    while first and not lines[first - 1].strip():
        first -= 1
    return Span(starts[first], span.end)


def _continues(line: str) -> bool:
    return line.rstrip("\r\n").endswith("\\")


def _line_end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def below(index: FileIndex, lines: Lines, added: Sequence[str]) -> Edit:
    """The insertion of statements under a statement, at its indentation."""
    at = lines.span.end
    new = [lines.indentation + text for text in added]
    if index.source.text[at - 1] in "\r\n":
        return Edit(Span(at, at), "".join(line + lines.ending for line in new))
    return Edit(Span(at, at), "".join(lines.ending + line for line in new))


def trimmed(index: FileIndex, place: Place, new: str) -> Edit:
    """The edit that gives a place the text `new`, less what both have in common at their ends."""
    span, old = index.span(place), place.text
    most = min(len(old), len(new))
    head = next((i for i in range(most) if old[i] != new[i]), most)
    tail = next((i for i in range(most - head) if old[-1 - i] != new[-1 - i]), most - head)
    return Edit(Span(span.start + head, span.end - tail), new[head : len(new) - tail])


def concrete(text: str) -> "cst.BaseExpression | None":
    """libcst's tree of an expression of several lines or one; None where Python's parser or libcst would not give it back."""
    import libcst as cst

    try:
        parse(f"({text}\n)")
        tree = cst.parse_expression(f"({text}\n)")
    except (Unparsable, cst.ParserSyntaxError):
        return None
    tree = tree.with_changes(lpar=tree.lpar[1:], rpar=tree.rpar[:-1])
    return tree if code(tree, text) == text else None


def code(node: "cst.CSTNode", like: str) -> str:
    """The text of a node, with the line ends of `like`."""
    import libcst as cst

    ending = next((_line_end(line) for line in split_lines(like)), "")
    return cst.Module([], default_newline=ending or "\n").code_for_node(node)
