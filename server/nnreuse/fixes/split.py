"""Split: one shared instance becomes several, each constructed on its own right after the first.

What sets the instance up (`nn.init.ones_(self.bn.weight)`) is repeated for each; whatever else uses it stays with the first.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from nnreuse.fixes import checkpoint as checkpoints
from nnreuse.fixes.construction import is_plain_construction, must_be_plain, takes_an_instance
from nnreuse.fixes.naming import names_in
from nnreuse.fixes.places import Function, called_name, is_self
from nnreuse.fixes.uses import Use, class_of, descendants, named_elsewhere, set_by_name, set_in_subclass, uses
from nnreuse.fixes.writing import Build, Refused, below, current, lines_of, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import ClassUnits, Place, Unparsable, parse

_SETTING_UP = re.compile(r"^_*(?:init|reset|initiali[sz]e|zero_init)")
_GATHERING = frozenset("append extend insert add update print log info debug warning".split())


def split(
    owner: ClassUnits,
    attribute: str,
    definition: Place,
    sites: Sequence[Place],
    names: Sequence[str],
    expressions: Sequence[str] | None = None,
    checkpoint: bool = False,
) -> Build:
    """`names[i]` is called at `sites[i]`, the places of `self.attribute`; names may repeat, and may hold the attribute's own.

    `definition` is the statement `self.attribute = Constructor(...)`. Each new name is given the same constructor text, or
    the one of `expressions` that goes with it. With `checkpoint` a hook is added with which old checkpoints load.
    """

    def build(index: FileIndex) -> list[Edit] | None:
        now = class_of(index, definition) if names and current(index, [definition, *sites]) else None
        if now is None or now.node.name != owner.node.name:
            return None
        plan = _Plan(now, attribute, definition, tuple(sites), tuple(names), tuple(expressions or ()), checkpoint)
        edits = _edits(index, plan) if _is_provable(index, plan) else None
        return proven(index, edits) if edits is not None else None

    return build


def _edits(index: FileIndex, plan: "_Plan") -> list[Edit] | None:
    edits = [*_renames(index, plan), *_listings(index, plan)]
    for use in plan.repeated:
        repetition = _repetition(index, plan, use)
        if repetition is None:
            return None
        edits += repetition
    if plan.checkpoint:
        edits.append(checkpoints.hook(index, plan.owner, plan.attribute, plan.distinct, _ending(index, plan)))
    return edits


@dataclass(frozen=True)
class _Plan:
    """What `split` was asked for, and the uses of the attribute it has to do with."""

    owner: ClassUnits
    attribute: str
    definition: Place
    sites: tuple[Place, ...]
    names: tuple[str, ...]
    expressions: tuple[str, ...]
    checkpoint: bool

    @cached_property
    def found(self) -> list[Use]:
        return list(uses(self.owner, self.attribute))

    @cached_property
    def distinct(self) -> list[str]:
        """Each name once, that of the existing instance first."""
        first = self.attribute if self.attribute in self.names else self.names[0]
        return list(dict.fromkeys([first, *self.names]))

    @cached_property
    def of_statement(self) -> dict[ast.stmt, list[Use]]:
        """The uses in each statement that has any."""
        found: dict[ast.stmt, list[Use]] = {}
        for use in self.found:
            found.setdefault(use.statement, []).append(use)
        return found

    @cached_property
    def stores(self) -> list[Use]:
        return [use for use in self.found if use.stores]

    @cached_property
    def repeated(self) -> list[Use]:
        """One use for each statement that is to be written for every name."""
        one = {use.statement: use for use in self.found if not use.stores and _sets_up(use, self)}
        return [*{use.statement: use for use in self.stores}.values(), *one.values()]


def _is_provable(index: FileIndex, plan: _Plan) -> bool:
    owner, attribute = plan.owner, plan.attribute
    if len(plan.distinct) < 2 or len(plan.sites) != len(plan.names):
        return False
    if not _are_sites(plan):
        raise Refused(f"a call does not say `self.{attribute}`, but reaches it another way")
    if not _are_definitions(plan) or not _are_expressions(plan):
        return False
    if not _are_free(index, plan):
        raise Refused("a subclass uses one of the new names")
    if set_by_name(owner, attribute):
        raise Refused(f"the class also binds `{attribute}` by its name")
    if set_in_subclass(index, owner, attribute):
        raise Refused(f"a subclass binds `self.{attribute}` too, and would change only one of the new instances")
    if plan.checkpoint and len([use for use in plan.stores if not isinstance(_defined(use), ast.Constant)]) > 1:
        raise Refused(f"`self.{attribute}` is constructed at several places, and a hook stands at one")
    if plan.checkpoint and not _may_hook(index, plan):
        raise Refused("the class takes part in loading checkpoints itself, so a hook may not see what was saved")
    if plan.distinct[0] != attribute and named_elsewhere(index, owner, attribute):
        raise Refused(f"`{attribute}` is spoken of elsewhere, where a new name would not be found")
    return True


def _are_sites(plan: _Plan) -> bool:
    """Whether each site is a `self.attribute` that is read in the class, and those left over can be renamed."""
    readable = [use for use in plan.found if use.readable]
    places = {(use.unit, use.place.span) for use in readable if not use.stores}
    if not all((site.unit, site.span) in places for site in plan.sites):
        return False
    return plan.distinct[0] == plan.attribute or len(readable) == len(plan.found)


def _are_definitions(plan: _Plan) -> bool:
    """Whether every binding is a plain construction, or None in its stead, and all stand in the function of `definition`."""
    given = [use for use in plan.stores if Place(use.unit, use.unit.span(use.statement)) == plan.definition]
    if len(given) != 1 or not given[0].functions:
        raise Refused(f"`self.{plan.attribute}` is bound in more than one way")
    function = given[0].functions[-1]
    for use in plan.stores:
        value = _defined(use)
        if value is None or use.functions != given[0].functions:
            raise Refused(f"`self.{plan.attribute}` is bound in more than one way")
        if isinstance(value, ast.Constant) and use is not given[0]:
            continue
        must_be_plain(function, value)
    return True


def _defined(use: Use) -> ast.expr | None:
    """The value of `self.attribute = value`; None where it is bound in another way."""
    statement = use.statement
    if isinstance(statement, ast.Assign) and statement.targets == [use.node]:
        return statement.value
    return statement.value if isinstance(statement, ast.AnnAssign) and statement.target is use.node else None


def _are_expressions(plan: _Plan) -> bool:
    if not plan.expressions:
        return True
    if len(plan.expressions) != len(plan.names) or len(plan.stores) != 1:
        return False
    try:
        bodies = [parse(f"({text}\n)").body for text in plan.expressions]
    except Unparsable:
        return False
    function = plan.stores[0].functions[-1]
    return all(
        len(body) == 1
        and isinstance(body[0], ast.Expr)
        and is_plain_construction(body[0].value)
        and not takes_an_instance(function, body[0].value)
        for body in bodies
    )


def _are_free(index: FileIndex, plan: _Plan) -> bool:
    new = {name for name in plan.distinct if name != plan.attribute}
    related = [plan.owner, *descendants(index, plan.owner)]
    return all(name.isidentifier() for name in new) and not any(new & names_in(cls) for cls in related)


def _may_hook(index: FileIndex, plan: _Plan) -> bool:
    """Whether a hook can be registered once, in the constructor, and the entries of the old module fit the new ones."""
    made = [use for use in plan.stores if not isinstance(_defined(use), ast.Constant)]
    constructor = [function.name for function in made[0].functions] == ["__init__"]
    return (
        constructor
        and len(made) == 1
        and not plan.expressions
        and not checkpoints.loads_its_own_way(index, plan.owner, plan.attribute)
    )


def _sets_up(use: Use, plan: _Plan) -> bool:
    """Whether a use stands in a statement, of a method that initialises, that is about this one attribute only."""
    statement = use.statement
    if not _in_setup(use, plan) or not use.readable:
        return False
    speaks = [n for n in walk(statement) if isinstance(n, ast.Attribute) and is_self(n.value)]
    bare = sum(is_self(n) for n in walk(statement)) - len(speaks)
    if bare or any(n.attr != plan.attribute for n in speaks):
        return False
    match statement:
        case ast.Expr(value=ast.Call() as call):
            return _acts_on_it(call, use.functions[0])
        case ast.Assign(targets=targets):
            return all(any(n is s for n in walk(t) for s in speaks) for t in targets)
        case ast.AugAssign(target=target):
            return any(n is use.node for n in walk(target))
        case ast.For(iter=each, body=body):
            return len([n for n in walk(each) if n in speaks]) == len(speaks) and _only_acts(body)
        case _:
            return False


def _in_setup(use: Use, plan: _Plan) -> bool:
    functions = use.functions
    return len(functions) == 1 and bool(_SETTING_UP.match(functions[0].name) or functions == plan.stores[0].functions)


def _only_acts(body: list[ast.stmt]) -> bool:
    """Whether the body of a loop does no more than act on what it loops over: it gathers and counts nothing."""
    nodes = [node for statement in body for node in walk(statement)]
    gathers = any(isinstance(n, ast.Call) and called_name(n) in _GATHERING for n in nodes)
    return not gathers and not any(isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) for n in nodes)


def _listings(index: FileIndex, plan: _Plan) -> Iterator[Edit]:
    """`for m in (self.conv, self.bn): …` of a method that initialises is given the new names too."""
    for use in plan.found:
        loop, display = use.statement, use.around[-1]
        listed = isinstance(loop, ast.For) and loop.iter is display and isinstance(display, ast.List | ast.Tuple)
        if not listed or not _in_setup(use, plan) or not use.readable or _sets_up(use, plan):
            continue
        if isinstance(loop, ast.For) and _only_acts(loop.body):
            end = index.span(use.place).end
            yield Edit(Span(end, end), "".join(f", self.{name}" for name in plan.distinct[1:]))


def _acts_on_it(call: ast.Call, function: Function) -> bool:
    """Not `layers.append(self.bn)`: what a local object is given, it would be given twice; nor a call of the module itself."""
    if called_name(call) in _GATHERING or isinstance(call.func, ast.Attribute) and is_self(call.func.value):
        return False
    owner = call.func
    while isinstance(owner, ast.Attribute | ast.Subscript):
        owner = owner.value
    bound = {n.id for n in walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {n.arg for n in walk(function) if isinstance(n, ast.arg)} - {"self"}
    return not (isinstance(call.func, ast.Attribute) and isinstance(owner, ast.Name) and owner.id in bound)


def _renames(index: FileIndex, plan: _Plan) -> Iterator[Edit]:
    wanted = {(site.unit, site.span): name for site, name in zip(plan.sites, plan.names, strict=True)}
    for use in plan.found:
        name = wanted.get((use.unit, use.place.span), plan.distinct[0]) if use.readable else plan.attribute
        if name != plan.attribute:
            end = index.span(use.place).end
            yield Edit(Span(end - len(plan.attribute), end), name)


def _repetition(index: FileIndex, plan: _Plan, use: Use) -> list[Edit] | None:
    """The statement of a use once more for each new name, on lines of its own; None where it shares its line."""
    place = Place(use.unit, use.unit.span(use.statement))
    lines = lines_of(index, place)
    if lines is None:
        raise Refused("the line of the definition holds other code as well")
    defines = place == plan.definition
    added = [_renamed(plan, use, name, defines) for name in plan.distinct[1:]]
    if defines and plan.checkpoint:
        added.append(checkpoints.registration(checkpoints.hook_name(index, plan.owner, plan.attribute)))
    edits = [below(index, lines, added)]
    value = _defined(use)
    if defines and plan.expressions and value is not None:
        edits.append(Edit(index.span(Place(use.unit, use.unit.span(value))), _expression(plan, plan.distinct[0])))
    return edits


def _renamed(plan: _Plan, use: Use, name: str, defines: bool) -> str:
    """The text of the statement of a use with `self.attribute` replaced by `self.name`, and its value where one is given."""
    statement, unit = use.statement, use.unit
    start, end = (span := unit.span(statement)).start, span.end
    changes = [
        Edit(Span(other.place.span.end - len(plan.attribute), other.place.span.end), name)
        for other in plan.of_statement[statement]
        if other.readable
    ]
    value = _defined(use)
    if defines and plan.expressions and value is not None:
        changes.append(Edit(unit.span(value), _expression(plan, name)))
    text, parts = unit.text, list[str]()
    for change in sorted(changes):
        parts += text[start : change.span.start], change.content
        start = change.span.end
    return "".join([*parts, text[start:end]])


def _expression(plan: _Plan, name: str) -> str:
    """The constructor given for a name: that of its first site; for a name no site calls, there is none to give."""
    return plan.expressions[plan.names.index(name)]


def _ending(index: FileIndex, plan: _Plan) -> str:
    lines = lines_of(index, plan.definition)
    return lines.ending if lines is not None else "\n"
