"""Reuse: one instance called several times in one forward, with everything the rules weigh about it."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from nnreuse.fixes.places import chain
from nnreuse.rules.configurations import is_harmless_block, is_rare, matters_to_others
from nnreuse.syntax.once import once
from nnreuse.syntax.span import Span
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place, Unit, units_of
from nnreuse.tracing.trace import Call, Definition, Relation, Trace, depends, most_calls, relation, runs
from nnreuse.tracing.values import Instance
from nnreuse.types.catalog import Carries
from nnreuse.types.meaning import External

_NORMS = ("torch.nn.modules.normalization.", "torch.nn.modules.instancenorm.", "torch.nn.modules.batchnorm.")
_ACTIVATIONS = "torch.nn.modules.activation."
_QUANTIZATION = "torch.ao.quantization."


@dataclass(frozen=True)
class Reuse:
    """`calls` are those of one instance that one run of forward makes together, in order; `sites` the distinct call expressions.

    `apart`: what other runs call instead.
    """

    trace: Trace
    instance: Instance
    attribute: str
    calls: tuple[Call, ...]
    relation: Relation
    must: bool
    carries: Carries
    apart: tuple[Call, ...] = ()

    @cached_property
    def positions(self) -> list[list[Call]]:
        """The call sites; those that are arms of one `if` are one position."""
        return positions(self.sites)

    @cached_property
    def sites(self) -> list[Call]:
        """The first call at each call site, in the order in which they are made."""
        return call_sites(self.calls)

    @cached_property
    def definitions(self) -> list[Definition]:
        """The assignments that name the instance."""
        return [d for d in self.trace.definitions if self.instance in d.instances]

    @property
    def definition(self) -> Definition | None:
        """The assignment that names the instance, where there is just one."""
        found = self.definitions
        return found[0] if len(found) == 1 else None


@once
def reuses(trace: Trace) -> list[Reuse]:
    """Every instance that carries something and that one forward may call more than once, exclusive arms aside."""
    return list(_reuses(trace))


def _reuses(trace: Trace) -> Iterator[Reuse]:
    for instance, calls in grouped(trace).items():
        if len(calls) < 2:
            continue
        most, must = most_calls(calls)
        paths = trace.paths_of(instance)
        if most < 2 or not paths or not own_code(trace, calls):
            continue
        carried = trace.carries(instance)
        if matters_to_others(trace, instance, carried) and not is_harmless_block(trace, instance):
            certain = must and not is_rare(trace, instance)
            yield reuse_of(trace, instance, paths[0], calls, certain, carried)


def reuse_of(
    trace: Trace, instance: Instance, attribute: str, calls: list[Call], must: bool, carries: Carries
) -> Reuse:
    """The reuse that is judged: of the runs of forward the one with the most to tell."""
    run = likeliest_run(calls)
    numbers = {call.number for call in run}
    apart = tuple(call for call in calls if call.number not in numbers)
    return Reuse(trace, instance, attribute, tuple(run), _relation(run), must, carries, apart)


def likeliest_run(calls: list[Call]) -> list[Call]:
    """Of the sets of calls that can meet, the one at most positions; among equals one in which a call sees an earlier one's result."""
    return max(runs(calls), key=lambda run: (len(positions(call_sites(run))), len(run) > 1, relation(run) == "chained"))


def _relation(run: list[Call]) -> Relation:
    """How the calls of a run relate; arms of one `if` in a loop are one call."""
    found = relation(run)
    one = found == "chained" and len(positions(call_sites(run))) == 1
    return "recurrent" if one and all(c.turns and len(c.inputs) > 1 for c in run) else found


@once
def grouped(trace: Trace) -> dict[Instance, list[Call]]:
    """The calls of each instance; members that a Sequential calls belong to the Sequential."""
    groups: dict[Instance, list[Call]] = {}
    for call in trace.calls:
        if call.container is None:
            groups.setdefault(call.instance, []).append(call)
    return groups


def call_sites(calls: Iterable[Call]) -> list[Call]:
    """The first call at each call site, in the order in which they are made."""
    first: dict[ast.Call, Call] = {}
    for call in calls:
        first.setdefault(call.node, call)
    return list(first.values())


def positions(sites: Sequence[Call]) -> list[list[Call]]:
    """Call sites in groups: those that stand in different arms of one `if` are one position."""
    groups: list[list[Call]] = []
    branching: list[list[Call]] = []
    for site in sites:
        in_arm = bool(_arms_around(site.unit, site.site.span))
        candidates = (one for one in branching if any(in_other_arms(site, other) for other in one)) if in_arm else ()
        group = next(iter(candidates), None)
        if group is not None:
            group.append(site)
            continue
        groups.append([site])
        branching += groups[-1:] if in_arm else []
    return groups


def in_other_arms(a: Call, b: Call) -> bool:
    """Whether two calls stand in different arms of one `if`, statement or expression."""
    if a.unit is not b.unit:
        return False
    here, there = _arms_around(a.unit, a.site.span), _arms_around(b.unit, b.site.span)
    return any(there.get(branch, arm) is not arm for branch, arm in here.items())


@once
def _arms_around(unit: Unit, span: Span) -> dict[ast.If | ast.IfExp, bool]:
    """The branches in an arm of which a range stands: the first arm, or the second."""
    found: dict[ast.If | ast.IfExp, bool] = {}
    for branch in _branches(unit):
        first, second = _arms(branch)
        if _within(unit, first, span):
            found[branch] = True
        elif _within(unit, second, span):
            found[branch] = False
    return found


def _arms(branch: ast.If | ast.IfExp) -> tuple[Sequence[ast.stmt | ast.expr], Sequence[ast.stmt | ast.expr]]:
    if isinstance(branch, ast.If):
        return branch.body, branch.orelse
    return [branch.body], [branch.orelse]


def _within(unit: Unit, nodes: Sequence[ast.stmt | ast.expr], span: Span) -> bool:
    return any(unit.span(node).contains(span) for node in nodes)


def how_often(calls: Sequence[Call]) -> str:
    """How often an instance is called, as a message says it: places are counted, and for a single one its calls."""
    sites = len(call_sites(calls))
    if sites == 1 and calls[0].turns:
        return "in every pass of a loop"
    if sites <= 2 and (sites == 2 or len(calls) == 2):
        return "twice"
    return f"at {sites} places" if sites > 1 else f"{len(calls)} times"


def own_code(trace: Trace, calls: list[Call]) -> bool:
    """Whether the class itself, not only an ancestor that is judged on its own, makes one of the calls."""
    units = own_units(trace)
    return any(call.unit in units for call in calls) and all(call.file is trace.cls.file for call in calls)


@once
def own_units(trace: Trace) -> frozenset[Unit]:
    return frozenset(units_of(trace.cls.units))


def kind_of(instance: Instance, carries: Carries) -> str:
    """The rule that judges an instance: by what torch's class is, or for own blocks by what they hold."""
    name = instance.facts.name if instance.facts is not None and instance.cls is None else ""
    if name.startswith(_NORMS):
        return "shared-batch-norm" if carries.running_stats else "shared-layer-norm"
    if name.startswith("torch.nn.modules.sparse."):
        return "shared-embedding"
    if name and instance.facts is not None and instance.facts.recurrent:
        return "shared-recurrent"
    if name.startswith(_ACTIVATIONS) and not name.endswith("MultiheadAttention"):
        return "shared-prelu"
    return "reused-quantization-stub" if name.startswith(_QUANTIZATION) else "shared-parameters"


def is_norm(instance: Instance) -> bool:
    """Whether an instance is a normalisation of torch, or of a class that inherits from one."""
    bases = [one.dotted for one in instance.cls.mro if isinstance(one, External)] if instance.cls is not None else []
    return any(name.startswith(_NORMS) or _NORM_NAME.fullmatch(name) for name in [instance.type_name or "", *bases])


_NORM_NAME = re.compile(r"torch\.nn\.(?:\w*Norm\w*)")


def producers(trace: Trace, call: Call) -> list[Call]:
    """The nearest earlier calls that a call's input comes from."""
    earlier = [c for c in trace.calls[: call.number] if depends(call, c)]
    hidden = 0
    for other in earlier:
        hidden |= other.lineage
    return [c for c in earlier if not hidden >> c.number & 1]


def different_producers(reuse: Reuse) -> bool:
    """Whether two calls are fed by different instances with parameters."""
    feeding: set[frozenset[int]] = set()
    for call in reuse.calls:
        near = [c.instance for c in producers(reuse.trace, call) if c.instance is not reuse.instance]
        feeding.add(frozenset(i.ident for i in near if reuse.trace.carries(i).parameters))
    return len(feeding - {frozenset()}) > 1


def between(reuse: Reuse) -> list[Call]:
    """Calls of other instances with parameters that lie on the way from one call of the instance to the next that sees its result."""
    found, seen = list[Call](), set[int]()
    for number, second in enumerate(reuse.calls):
        first = next((call for call in reversed(reuse.calls[:number]) if depends(second, call)), None)
        if first is None:
            continue
        for call in reuse.trace.calls[first.number + 1 : second.number]:
            on_the_way = call.instance is not reuse.instance and depends(second, call) and depends(call, first)
            if on_the_way and call.number not in seen and reuse.trace.carries(call.instance).parameters is not False:
                found.append(call)
                seen.add(call.number)
    return found


_DELIBERATE = re.compile(
    r"shared|sharing|share(?!(?-i:[a-z]))|(?<![a-z])tied?(?!(?-i:[a-z]))|(?<![a-z])tying|siamese|recurren|universal"
    r"|\bre-?us(?:e|es|ed|ing)\b|\bone (?:\w+ )?for all\b|\bus(?:e|es|ed|ing) the same\b"
    r"|\bsame (?:\w+ ){0,2}(?:layer|module|norm|weight|conv|linear|head|encoder|decoder|network|block|cell|embedding|parameter|mlp)"
    r"|共享|共用|复用|重用|同一个|孪生",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"(?:un|non-?|(?:not|n't|never|no|without|avoid|avoiding|instead of|rather than)(?: be| to| the| any)? |不|非|别|不要|不能|没有)$",
    re.IGNORECASE,
)


def said_deliberate(reuse: Reuse) -> str | None:
    """The word with which a name, a comment or the class's docstring says that sharing is meant."""
    texts = [reuse.attribute, reuse.trace.cls.name]
    texts += [text for call in reuse.sites for text in comments_around(call.site)]
    texts += [text for definition in reuse.definitions for text in comments_at(definition.place)]
    texts += _sentences_about(reuse)
    return says_shared(texts)


def says_shared(texts: Iterable[str]) -> str | None:
    """The first word by which names or comments say that sharing is meant; “not shared” says that it is not."""
    for text in texts:
        for match in _DELIBERATE.finditer(text):
            if not _DENIED.search(text[: match.start()]):
                return match.group(0)
    return None


def _sentences_about(reuse: Reuse) -> list[str]:
    """The sentences of the class's docstring that name the attribute."""
    text = reuse.trace.cls.units.docstring
    name = re.compile(rf"\b{re.escape(reuse.attribute.split('.')[0])}\b")
    return [sentence for sentence in re.split(r"[.\n]\s", text) if name.search(sentence)]


def comments_at(place: Place) -> list[str]:
    """The comments on the lines of a place, to the end of its statement, and the full-line comments directly above it."""
    row = place.unit.row(place.span.start)[0]
    last = place.unit.row(_end_of_statement(place))[0]
    found = [line.split("#", 1)[1] for line in place.unit.lines[row : last + 1] if "#" in line]
    while row > 0 and place.unit.lines[row - 1].lstrip().startswith("#"):
        row -= 1
        found.append(place.unit.lines[row])
    return found


def _end_of_statement(place: Place) -> int:
    """Where the simple statement around a place ends; the place itself, in the head of a compound one."""
    inner = next((node for node in reversed(chain(place)) if isinstance(node, ast.stmt)), None)
    if inner is None or hasattr(inner, "body"):
        return place.span.end
    return max(place.span.end, place.unit.span(inner).end)


def comments_around(place: Place) -> list[str]:
    """The same, and the full-line comments directly below it: what they say of sharing is said of a call."""
    last, lines = place.unit.row(place.span.end)[0] + 1, place.unit.lines
    found = comments_at(place)
    while last < len(lines) and lines[last].lstrip().startswith("#"):
        found.append(lines[last])
        last += 1
    return found


def under_sharing_flag(texts: list[str]) -> bool:
    """Whether one of these tests asks for sharing."""
    return any(_DELIBERATE.search(text) for text in texts)


def enclosing_tests(place: Place) -> list[str]:
    """The source of the tests of all `if` statements and expressions of its unit that a place lies under."""
    return [ast.unparse(test) for test, _ in _tests_around(place)]


def tests_about(place: Place, name: str) -> list[str]:
    """The source of the tests that decide what a local is: those around its assignments in the unit, and those inside what is assigned."""
    found: list[str] = []
    for statement in (node for root in place.unit.nodes for node in walk(root) if isinstance(node, ast.Assign)):
        if any(isinstance(target, ast.Name) and target.id == name for target in statement.targets):
            found += enclosing_tests(Place(place.unit, place.unit.span(statement)))
            found += [ast.unparse(node.test) for node in walk(statement.value) if isinstance(node, ast.IfExp)]
    return found


def denies_sharing(place: Place) -> str | None:
    """The sharing flag that is plainly off where a place lies: `else` of `if share_weights`."""
    plain = (ast.unparse(test) for test, holds in _tests_around(place) if holds is False)
    return next((text for text in plain if _DELIBERATE.search(text)), None)


def _tests_around(place: Place) -> Iterator[tuple[ast.expr, bool | None]]:
    """The tests that a place lies under, and whether they hold there; None where a comparison leaves that open."""
    for node in _branches(place.unit):
        body, orelse = _arms(node)
        for arm, truth in ((body, True), (orelse, False)):
            if _within(place.unit, arm, place.span):
                test, holds = node.test, truth
                while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
                    test, holds = test.operand, not holds
                yield test, holds if isinstance(test, ast.Name | ast.Attribute) else None


@once
def _branches(unit: Unit) -> list[ast.If | ast.IfExp]:
    nodes = (node for root in unit.nodes for node in walk(root))
    return [node for node in nodes if isinstance(node, ast.If | ast.IfExp)]
