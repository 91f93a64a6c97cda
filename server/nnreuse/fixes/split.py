"""Split: one shared instance becomes one per call site, each constructed on its own right after the first."""

import ast
from collections.abc import Iterator, Sequence

from nnreuse.fixes import checkpoint as checkpoints
from nnreuse.fixes.writing import (
    Build,
    current,
    function_at,
    is_plain_construction,
    proven,
    shares_a_local_module,
    statement_at,
    whole_lines,
)
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import ClassUnits, Place, Unit


def split(
    owner: ClassUnits,
    attribute: str,
    definition: Place,
    sites: Sequence[Place],
    names: Sequence[str],
    checkpoint: bool = False,
) -> Build:
    """`names[i]` is called at `sites[i]`. With `checkpoint` a hook is added with which old checkpoints load.

    `definition` is the statement `self.attribute = Constructor(...)`; each new name gets the same constructor text.
    """

    def build(index: FileIndex) -> list[Edit] | None:
        statement = statement_at(definition) if current(index, [definition, *sites]) else None
        lines = whole_lines(definition)
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or lines is None or len(set(names)) < 2:
            return None
        if not _may_split(owner, attribute, definition, statement, names, checkpoint):
            return None
        edits = [_renamed(index, site, attribute, name) for site, name in zip(sites, names, strict=True)]
        edits += _definitions(index, attribute, definition, statement, names, checkpoint)
        edits += _other_uses(index, owner, attribute, definition, sites, names)
        if checkpoint:
            ending = lines[2]
            hook = checkpoints.hook_source(checkpoints.hook_name(index, attribute), attribute, names, ending)
            top = _top_level(index, owner)
            start = index.source.starts[index.first_lines[top]]
            edits.append(Edit(Span(start, start), hook))
        return proven(index, [e for e in edits if e.content != _text(index, e)])

    return build


def _text(index: FileIndex, edit: Edit) -> str | None:
    return index.source.text[edit.span.start : edit.span.end] if edit.span.start != edit.span.end else None


def _top_level(index: FileIndex, owner: ClassUnits) -> Unit:
    for part in index.parts:
        if isinstance(part, ClassUnits) and (part is owner or owner in part.members):
            return part.header
    return owner.header


def _may_split(
    owner: ClassUnits,
    attribute: str,
    definition: Place,
    statement: ast.Assign | ast.AnnAssign,
    names: Sequence[str],
    checkpoint: bool,
) -> bool:
    value = statement.value
    function = function_at(definition)
    if value is None or not is_plain_construction(value) or shares_a_local_module(function, value):
        return False
    if isinstance(statement, ast.Assign) and len(statement.targets) != 1:
        return False
    if checkpoint and checkpoints.loads_its_own_way(owner):
        return False
    return attribute in names or not _named_in_text(owner, attribute)


def _named_in_text(owner: ClassUnits, attribute: str) -> bool:
    """Whether a string of the class is the attribute's name: `getattr(self, "bn")` would miss it after a rename."""
    return any(
        isinstance(node, ast.Constant) and node.value == attribute
        for _, statement in owner.statements()
        for node in ast.walk(statement)
    )


def _renamed(index: FileIndex, site: Place, attribute: str, name: str) -> Edit:
    end = index.span(site).end
    return Edit(Span(end - len(attribute), end), name)


def _definitions(
    index: FileIndex,
    attribute: str,
    definition: Place,
    statement: ast.Assign | ast.AnnAssign,
    names: Sequence[str],
    checkpoint: bool,
) -> Iterator[Edit]:
    """The definition renamed to the first name, and one more for each other name below it."""
    lines = whole_lines(definition)
    assert lines is not None
    span, indentation, ending = lines
    shift = index.span(definition).start - definition.span.start
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    unit = definition.unit
    name_end = unit.span(target).end
    first = next(iter(dict.fromkeys(names)))
    keep = attribute if attribute in names else first
    yield Edit(Span(name_end - len(attribute), name_end).shifted(shift), keep)
    head = unit.text[definition.span.start : name_end - len(attribute)]
    tail = unit.text[name_end : definition.span.end]
    added = [f"{indentation}{head}{name}{tail}" for name in dict.fromkeys(names) if name != keep]
    if checkpoint:
        added.append(f"{indentation}self.register_load_state_dict_pre_hook({checkpoints.hook_name(index, attribute)})")
    at = span.end + shift
    yield _below(index, at, added, ending)


def _below(index: FileIndex, at: int, added: list[str], ending: str) -> Edit:
    """Lines inserted after the line that ends at an offset (its line end included or not)."""
    text = index.source.text
    if text[at - 1] in "\r\n":
        return Edit(Span(at, at), "".join(line + ending for line in added))
    return Edit(Span(at, at), "".join(ending + line for line in added))


def _other_uses(
    index: FileIndex, owner: ClassUnits, attribute: str, definition: Place, sites: Sequence[Place], names: Sequence[str]
) -> Iterator[Edit]:
    """Statements that only initialise the instance are repeated for each name; other uses follow the first name."""
    keep = attribute if attribute in names else next(iter(dict.fromkeys(names)))
    others = [name for name in dict.fromkeys(names) if name != keep]
    taken = {(site.unit, site.span) for site in sites}
    for unit, statement in owner.statements():
        if unit not in index.first_lines:
            continue
        shift = index.source.starts[index.first_lines[unit]]
        for node in ast.walk(statement):
            if _is_use(node, attribute) and isinstance(node, ast.Attribute):
                place = Place(unit, unit.span(node))
                if (unit, place.span) not in taken and not (
                    unit is definition.unit and definition.span.contains(place.span)
                ):
                    yield Edit(Span(place.span.end - len(attribute), place.span.end).shifted(shift), keep)
            if isinstance(node, ast.Expr) and unit is definition.unit and _initialises(node, attribute):
                yield from _repeated(index, Place(unit, unit.span(node)), attribute, keep, others)


def _is_use(node: ast.AST, attribute: str) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == attribute
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def _initialises(node: ast.Expr, attribute: str) -> bool:
    """A call statement about this one attribute and no other: `nn.init.ones_(self.bn.weight)`."""
    uses = [
        n
        for n in ast.walk(node)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "self"
    ]
    return (
        isinstance(node.value, ast.Call)
        and len(uses) == 1
        and _is_use(uses[0], attribute)
        and node.value.func is not uses[0]
    )


def _repeated(index: FileIndex, place: Place, attribute: str, keep: str, others: list[str]) -> Iterator[Edit]:
    lines = whole_lines(place)
    if lines is None:
        return
    span, indentation, ending = lines
    text = place.text
    added = [indentation + text.replace(f"self.{attribute}", f"self.{name}", 1) for name in others]
    yield _below(index, index.span(place).start - place.span.start + span.end, added, ending)
