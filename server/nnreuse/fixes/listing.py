"""Listing: numbered attributes (`conv1`, `conv2`, `conv3`) become the elements of one `nn.ModuleList`."""

import ast
import re
from collections.abc import Sequence

from nnreuse.fixes.merge import definitions_in_block
from nnreuse.fixes.naming import names_in
from nnreuse.fixes.places import siblings
from nnreuse.fixes.spelling import of_torch_nn
from nnreuse.fixes.uses import uses
from nnreuse.fixes.writing import Build, Lines, lines_of, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.units import ClassUnits, Place

_NUMBERED = re.compile(r"^(?P<stem>.*?[A-Za-z])_?(?P<number>\d+)$")
_INDENT = "    "


def numbered(name: str, others: Sequence[str]) -> tuple[str, list[str]] | None:
    """The stem of a numbered name, and all names of the stem that count on without a gap; None for fewer than two."""
    match = _NUMBERED.match(name)
    if match is None:
        return None
    counted = {
        int(found["number"]): other
        for other in others
        if (found := _NUMBERED.match(other)) and found["stem"] == match["stem"]
    }
    first = min(counted, default=0)
    if len(counted) < 2 or sorted(counted) != list(range(first, first + len(counted))):
        return None
    return match["stem"], [counted[number] for number in sorted(counted)]


def list_name(owner: ClassUnits, stem: str) -> str | None:
    """A name for the list that the class does not use."""
    names = names_in(owner)
    return next((name for name in (f"{stem}s", f"{stem}_list") if name not in names), None)


def listed(owner: ClassUnits, names: Sequence[str], new: str) -> Build:
    """`self.new = nn.ModuleList([…])` stands where the first definition stood, and `self.new[n]` for each use of the n-th name."""

    def build(index: FileIndex) -> list[Edit] | None:
        stores = definitions_in_block(index, owner, names)
        made = of_torch_nn(index, "ModuleList")
        if stores is None or made is None:
            return None
        block = siblings(stores[0].unit, stores[0].statement)
        start = block.index(stores[0].statement)
        if [one.statement for one in stores] != block[start : start + len(stores)]:
            return None
        lines = [lines_of(index, Place(one.unit, one.unit.span(one.statement))) for one in stores]
        whole = [one for one in lines if one is not None and not one.comment]
        if len(whole) < len(stores):
            return None
        values = [one.unit.segment(one.statement.value) for one in stores if isinstance(one.statement, ast.Assign)]
        if any("\n" in value or "\r" in value for value in values):
            return None
        edits = [Edit(whole[0].span, _written(whole[0], new, made, values))]
        edits += [Edit(one.span, "") for one in whole[1:]]
        for number, name in enumerate(names):
            loads = [use for use in uses(owner, name) if not use.stores]
            edits += [Edit(index.span(use.place), f"self.{new}[{number}]") for use in loads]
        return proven(index, edits)

    return build


def _written(lines: Lines, new: str, made: str, values: Sequence[str]) -> str:
    inner = lines.indentation + (_INDENT if "\t" not in lines.indentation else "\t")
    elements = "".join(f"{inner}{value},{lines.ending}" for value in values)
    return f"{lines.indentation}self.{new} = {made}([{lines.ending}{elements}{lines.indentation}]){lines.ending}"
