"""Each pass: a module that every pass of a loop calls becomes a ModuleList, one for each pass, as its partner in the loop is.

`for conv in self.convs: x = self.bn(conv(x))` is given `bn` by `zip(self.convs, self.bns)`, or `self.bns[i]` where there is an
index. How many there are must be known to the constructor: the length of a list it builds, or the number a range is given.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from nnreuse.fixes import checkpoint as checkpoints
from nnreuse.fixes.construction import is_plain_construction, takes_an_instance
from nnreuse.fixes.fix import Each
from nnreuse.fixes.inline import changes, reads
from nnreuse.fixes.naming import names_in
from nnreuse.fixes.places import Function, called_name, chain, is_self, siblings, statement_at
from nnreuse.fixes.spelling import of_torch_nn
from nnreuse.fixes.uses import Use, class_of, descendants, named_elsewhere, set_by_name, uses
from nnreuse.fixes.writing import Build, Lines, Refused, below, current, lines_of, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import ClassUnits, Place

_NESTED = ast.For | ast.While | ast.AsyncFor | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.Lambda


def one_for_each_pass(definition: Place, site: Place, attribute: str, plural: str, checkpoint: bool = False) -> Build:
    """`self.attribute`, which is defined once and called once, in a loop, becomes the list `self.plural`."""

    def build(index: FileIndex) -> list[Edit] | None:
        owner = class_of(index, definition) if current(index, [definition, site]) else None
        found = list(uses(owner, attribute)) if owner is not None else []
        if owner is None:
            return None
        if len(found) != 2 or not _is_alone(index, owner, attribute, plural):
            raise Refused(f"`{attribute}` is spoken of elsewhere, where a list would not do")
        made = next((use for use in found if use.stores and use.readable), None)
        called = next((use for use in found if use.readable and use.place == site), None)
        if made is None or called is None or Place(made.unit, made.unit.span(made.statement)) != definition:
            return None
        loop = _loop_of(called)
        if loop is None:
            raise Refused("`__init__` does not know how often the loop runs")
        if not _is_definition(made):
            raise Refused(f"`self.{attribute}` is not simply constructed in `__init__`")
        edits = _edits(index, _Change(owner, attribute, plural, made, called, loop), checkpoint)
        return proven(index, edits) if edits is not None else None

    return build


def list_beside(definition: Place, site: Place, attribute: str, plural: str, others: Sequence[Place]) -> Build:
    """The call in a loop over other layers is given the list `self.plural`; the calls of `others` keep `self.attribute`."""

    def build(index: FileIndex) -> list[Edit] | None:
        owner = class_of(index, definition) if current(index, [definition, site, *others]) else None
        if owner is None:
            return None
        found = list(uses(owner, attribute))
        made = next((use for use in found if use.stores and use.readable), None)
        called = next((use for use in found if use.readable and use.place == site), None)
        known = {definition} | {site, *others}
        if made is None or called is None or not all(_place(use) in known for use in found):
            raise Refused(f"`{attribute}` is spoken of elsewhere, where a list would not do")
        loop = _loop_of(called)
        if loop is None or not _has_partner(loop) or not _is_definition(made):
            return None
        if any(plural in names_in(cls) for cls in [owner, *descendants(index, owner)]):
            return None
        change = _Change(owner, attribute, plural, made, called, loop)
        home, listed = _home(index, change), _list_of(index, change)
        renamed = _by_index(index, change) if loop.index else _by_zip(index, change)
        if home is None or listed is None or renamed is None:
            return None
        return proven(index, [below(index, home[1], [listed]), *renamed])

    return build


def _place(use: Use) -> Place:
    """A use, or the statement that it binds the attribute in."""
    return Place(use.unit, use.unit.span(use.statement)) if use.stores else use.place


def _has_partner(loop: "_Loop") -> bool:
    """Whether the loop goes over layers of its own, so that each pass is a layer of the network and not a step in time."""
    if not loop.is_number:
        return True
    return any(
        isinstance(node, ast.Subscript)
        and _is_own(node.value)
        and any(isinstance(part, ast.Name) and part.id == loop.index for part in walk(node.slice))
        for statement in loop.node.body
        for node in walk(statement)
    )


def each_of(definition: Place, site: Place, plural: str) -> Each | None:
    """How long the list is, in the words of a checkpoint; None where those do not say it."""
    loops = [node for node in chain(site) if isinstance(node, ast.For)]
    loop = _counted(loops[0]) if len(loops) == 1 else None
    statement = statement_at(definition)
    if loop is None or statement is None:
        return None
    match loop.counted:
        case ast.Constant(value=int(number)):
            of, count = None, number
        case ast.Call(args=[ast.Attribute(attr=name)]):
            of, count = name, None
        case ast.Attribute(attr=name) if not loop.is_number:
            of, count = name, None
        case _:
            return None
    block = siblings(definition.unit, statement)
    after = _last_change(block, loop.counted)
    return None if after is None else Each(plural, of, count, after > block.index(statement))


@dataclass(frozen=True, slots=True)
class _Loop:
    """`node` goes over `counted`, an expression of the constructor that has a length, or over a range of it; `index` counts from 0."""

    node: ast.For
    counted: ast.expr
    is_number: bool
    index: str | None


@dataclass(frozen=True, slots=True)
class _Change:
    owner: ClassUnits
    attribute: str
    plural: str
    made: Use
    called: Use
    loop: _Loop


def _is_alone(index: FileIndex, owner: ClassUnits, attribute: str, plural: str) -> bool:
    """Whether nothing else speaks of the attribute, and nothing at all of its new name."""
    if set_by_name(owner, attribute) or named_elsewhere(index, owner, attribute):
        return False
    return not any(plural in names_in(cls) for cls in [owner, *descendants(index, owner)])


def _is_definition(made: Use) -> bool:
    statement, functions = made.statement, made.functions
    if not isinstance(statement, ast.Assign) or statement.targets != [made.node] or len(functions) != 1:
        return False
    value = statement.value
    return (
        functions[0].name == "__init__"
        and statement in functions[0].body
        and is_plain_construction(value)
        and not takes_an_instance(functions[0], value)
        and not any(isinstance(n, ast.Name) and n.id in ("super", "__class__") for n in walk(value))
    )


def _loop_of(called: Use) -> _Loop | None:
    """The one loop around a call, where each of its passes has a number that the constructor can count up to."""
    loops = [node for node in called.around if isinstance(node, _NESTED)]
    if len(loops) != 1 or not isinstance(loops[0], ast.For) or len(called.functions) != 1:
        return None
    loop = loops[0]
    if not any(n is called.node for statement in loop.body for n in walk(statement)):
        return None
    found = _counted(loop)
    if found is not None and found.index in {name for s in loop.body for name in changes(s)}:
        return None
    return found


def _counted(loop: ast.For) -> _Loop | None:
    match loop.iter, loop.target:
        case ast.Call(func=ast.Name("range"), args=[count], keywords=[]), ast.Name(index):
            return _Loop(loop, count, True, index) if _is_known(count) else None
        case ast.Call(func=ast.Name("enumerate"), args=[each], keywords=[]), ast.Tuple(elts=[ast.Name(index), _]):
            listed = _listed(each)
            return _Loop(loop, listed, False, index) if listed is not None else None
        case each, _:
            listed = _listed(each)
            return _Loop(loop, listed, False, None) if listed is not None else None


def _listed(each: ast.expr) -> ast.expr | None:
    """`self.convs` of itself, or among what `zip` is given."""
    if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "zip":
        if any(isinstance(a, ast.Starred) for a in each.args):
            return None
        return next((a for a in each.args if _is_own(a)), None)
    return each if _is_own(each) else None


def _is_own(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and is_self(node.value)


def _is_known(count: ast.expr) -> bool:
    """A number, `self.depth`, or `len(self.convs)`."""
    match count:
        case ast.Constant(value=int(number)):
            return number > 0
        case ast.Call(func=ast.Name("len"), args=[of], keywords=[]):
            return _is_own(of)
        case _:
            return _is_own(count)


def _edits(index: FileIndex, change: _Change, checkpoint: bool) -> list[Edit] | None:
    defined = _definition(index, change, checkpoint)
    called = _by_index(index, change) if change.loop.index else _by_zip(index, change)
    if defined is None or called is None:
        return None
    if not checkpoint:
        return [*defined, *called]
    if checkpoints.loads_its_own_way(index, change.owner, change.attribute):
        return None
    lines = lines_of(index, Place(change.made.unit, change.made.unit.span(change.made.statement)))
    ending = lines.ending if lines else "\n"
    return [
        *defined,
        *called,
        checkpoints.hook_for_each(index, change.owner, change.attribute, change.plural, ending),
    ]


def _definition(index: FileIndex, change: _Change, checkpoint: bool) -> list[Edit] | None:
    """The list in place of the definition, or behind what it is to be as long as, where that comes later."""
    home, made = _home(index, change), _list_of(index, change)
    if home is None or made is None:
        return None
    lines, behind = home
    written = [made]
    if checkpoint:
        written.append(checkpoints.registration(checkpoints.hook_name(index, change.owner, change.attribute)))
    if behind is not lines:
        return None if lines.comment else [Edit(lines.span, ""), below(index, behind, written)]
    return [_written_over(index, change.made.unit.span(change.made.statement), change, lines, written)]


def _home(index: FileIndex, change: _Change) -> tuple[Lines, Lines] | None:
    """The lines of the definition, and those that the list may first stand at: where what it is as long as is known."""
    unit, statement = change.made.unit, change.made.statement
    assert isinstance(statement, ast.Assign)
    lines = lines_of(index, Place(unit, unit.span(statement)))
    block = siblings(unit, statement)
    after = _last_change(block, change.loop.counted)
    if lines is None or after is None:
        return None
    if after <= block.index(statement):
        return lines, lines
    behind = lines_of(index, Place(unit, unit.span(block[after])))
    may = _may_move(statement.value, block[block.index(statement) + 1 : after + 1])
    return (lines, behind) if behind is not None and may else None


def _list_of(index: FileIndex, change: _Change) -> str | None:
    """The statement that makes the list."""
    unit, statement = change.made.unit, change.made.statement
    container = of_torch_nn(index, "ModuleList")
    assert isinstance(statement, ast.Assign)
    if container is None:
        return None
    source = unit.segment(statement.value)
    used = {n.id for n in walk(statement.value) if isinstance(n, ast.Name)}
    free = next(name for name in ("_", "_i", "_j", "_k", "_l") if name not in used or name == "_l")
    count = ast.unparse(change.loop.counted)
    count = count if change.loop.is_number else f"len({count})"
    return f"self.{change.plural} = {container}([{source} for {free} in range({count})])"


def _written_over(index: FileIndex, span: Span, change: _Change, lines: Lines, written: Sequence[str]) -> Edit:
    here = index.span(Place(change.made.unit, span))
    return Edit(here, (lines.ending + lines.indentation).join(written))


def _last_change(block: list[ast.stmt], counted: ast.expr) -> int | None:
    """The number of the last statement that builds what is counted; -1 for a constant, None where nothing here does."""
    names = {n.attr for n in walk(counted) if isinstance(n, ast.Attribute)}
    if not names:
        return -1
    speaking = [
        number
        for number, statement in enumerate(block)
        if any(isinstance(n, ast.Attribute) and is_self(n.value) and n.attr in names for n in walk(statement))
    ]
    stored = any(
        isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and n.attr in names and is_self(n.value)
        for statement in block
        for n in walk(statement)
    )
    return speaking[-1] if stored else None


def _may_move(value: ast.expr, between: list[ast.stmt]) -> bool:
    return not reads(value) & {name for statement in between for name in changes(statement)}


def _by_index(index: FileIndex, change: _Change) -> list[Edit]:
    end = index.span(change.called.place).end
    new = f"{change.plural}[{change.loop.index}]"
    return [Edit(Span(end - len(change.attribute), end), new)]


def _by_zip(index: FileIndex, change: _Change) -> list[Edit] | None:
    """The loop goes over the new list too, and its variable is called."""
    loop, unit = change.loop.node, change.called.unit
    name = _local(change)
    if name is None:
        return None
    each, target = index.span(Place(unit, unit.span(loop.iter))), unit.segment(loop.target)
    given = index.span(Place(unit, unit.span(loop.target)))
    call = Edit(index.span(change.called.place), name)
    if isinstance(loop.iter, ast.Call) and called_name(loop.iter) == "zip":
        if not isinstance(loop.target, ast.Tuple) or target.endswith((")", ",")):
            return None
        last = index.span(Place(unit, unit.span(loop.iter.args[-1]))).end
        return [Edit(Span(given.end, given.end), f", {name}"), Edit(Span(last, last), f", self.{change.plural}"), call]
    target = f"({target})" if isinstance(loop.target, ast.Tuple) and not target.startswith("(") else target
    source = unit.segment(loop.iter)
    return [Edit(given, f"{target}, {name}"), Edit(each, f"zip({source}, self.{change.plural})"), call]


def _local(change: _Change) -> str | None:
    """A name for the loop's variable that the function does not use."""
    function: Function = change.called.functions[0]
    used = {n.id for n in walk(function) if isinstance(n, ast.Name)}
    used |= {n.arg for n in walk(function) if isinstance(n, ast.arg)}
    return next((name for name in (change.attribute, f"{change.attribute}_") if name not in used), None)
