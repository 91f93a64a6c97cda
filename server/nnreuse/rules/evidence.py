"""Evidence: what speaks for a slip and what for a design, and the one function that turns it into a severity."""

import ast
import re
from collections.abc import Iterator

from nnreuse.config.severity import Severity
from nnreuse.fixes.dead import is_dead
from nnreuse.fixes.inline import definition_of
from nnreuse.fixes.places import chain, statement_at
from nnreuse.rules.configurations import is_rare
from nnreuse.rules.designs import designs, place_of_definition
from nnreuse.rules.feeding import feeds_whole
from nnreuse.rules.finding import Evidence
from nnreuse.rules.idle import twin_here
from nnreuse.rules.naming import (
    are_named_alike,
    are_one_tuple,
    are_siblings,
    bears_another_role,
    kinds_of_ids,
    named_for,
    named_for_input,
    result_names,
)
from nnreuse.rules.passes import is_one_for_all
from nnreuse.rules.reuse import Reuse, between, different_producers, grouped, is_norm, kind_of, producers
from nnreuse.syntax.units import Place
from nnreuse.tracing.conditions import exclusive
from nnreuse.tracing.trace import Call, Definition, Trace

PROOF = 100
"""The weight of a proof that torch, or Python, raises."""
WARNING_WEIGHT = 3
HINT_WEIGHT = -3
_STRONG = 3
"""The weight from which one sign alone is worth a look."""


def severity_of(evidence: tuple[Evidence, ...], must: bool, at_most: Severity = Severity.ERROR) -> Severity:
    """How loud a finding is: the sum of its evidence decides, and `must`, that every configuration comes there.

    A proof that it raises is an error; what outweighs a design by 3 is a warning; a sum of -3 or less is a hint. All else,
    and what only some configurations do, is information. `at_most` is for rules that never warn.
    """
    total = sum(one.weight for one in evidence)
    if total >= WARNING_WEIGHT and must:
        found = Severity.ERROR if total >= PROOF / 2 else Severity.WARNING
    else:
        found = Severity.INFORMATION if total > HINT_WEIGHT else Severity.HINT
    return min(found, at_most, key=lambda severity: severity.rank)


def severity_of_reuse(reuse: Reuse, evidence: tuple[Evidence, ...], at_most: Severity = Severity.WARNING) -> Severity:
    """The same for calls of one instance. They are a hint where no strong sign speaks for a slip, or as much for a design.

    What only a name that nobody asks for makes a layer with weights is a hint, too.
    """
    total = sum(one.weight for one in evidence)
    fitted = kind_of(reuse.instance, reuse.carries) in ("shared-prelu", "shared-batch-norm", "shared-layer-norm")
    strong = any(one.weight >= _STRONG or one.kind == "chain" and fitted for one in evidence)
    if total <= 0 or total < WARNING_WEIGHT and not strong or is_rare(reuse.trace, reuse.instance):
        return Severity.HINT
    # Running statistics of two layers are wrong in the one configuration, too, that makes both calls.
    mixed = any(one.kind == "running-statistics" for one in evidence) and _straight(reuse)
    return severity_of(evidence, reuse.must or mixed, at_most)


def weigh(reuse: Reuse) -> tuple[Evidence, ...]:
    """All evidence about one reuse, strongest first."""
    found = [*_for_slip(reuse), *twin_here(reuse), *designs(reuse)]
    if not found:
        return (Evidence("unclear", 0, "nothing here tells a slip from a design", reuse.sites[-1].site),)
    return tuple(sorted(found, key=lambda one: -abs(one.weight)))


def _for_slip(reuse: Reuse) -> Iterator[Evidence]:
    sites, here, made = reuse.sites, reuse.sites[-1].site, place_of_definition(reuse)
    several = len(reuse.positions) > 1
    if several and reuse.relation in ("chained", "mixed"):
        others = between(reuse)
        if others:
            yield _chain(reuse, others)
        elif reuse.relation == "chained" and _straight(reuse):
            yield _own_result(reuse)
    equal = same_input(reuse)
    differ = equal and _results_were_to_differ(reuse)
    named = (
        named_for(reuse.attribute, sites) if several and (differ or not equal) else None
    )  # equal results have no role
    if named is not None:
        mark, bearing, other = named
        weight = 4 if bears_another_role(other, mark) else 1
        yield Evidence("named-for-one", weight, f"its name is for one of the results: “{mark}”", bearing.site)
        if named_for_input(reuse.attribute, bearing, other):
            yield Evidence(
                "named-for-input",
                1,
                "its name is for the input of that call too, and not for the other's",
                bearing.site,
            )
    partner = _indexed_partner(reuse)
    if partner is not None:
        sentence = (
            f"the same loop calls a different `{_name(reuse, partner)}` in each pass, but always this one instance"
        )
        # A norm or a slope belongs to the layer that it follows; a block of its own may well serve all layers.
        weight = 4 if kind_of(reuse.instance, reuse.carries) == "shared-parameters" else 6
        yield Evidence("indexed-partner", weight, sentence, partner.site)
    if equal:
        weight = 8 if differ else 1
        yield Evidence("same-input", weight, "two calls have the identical input, so their results are equal", here)
    if reuse.carries.running_stats and reuse.instance.cls is None and different_producers(reuse):
        yield Evidence(
            "running-statistics", 3, "its running statistics mix features that come from different layers", here
        )
    if kind_of(reuse.instance, reuse.carries) == "shared-embedding" and not equal:
        yield from _several_vocabularies(reuse)
    if not several and "*" in reuse.attribute and is_one_for_all(reuse.trace, reuse.attribute, reuse.calls):
        yield Evidence(
            "one-for-all", 1, "the list that the loop goes through holds this one instance again and again", here
        )
    if several:
        yield from _siblings(reuse, made)


def _several_vocabularies(reuse: Reuse) -> Iterator[Evidence]:
    """What says that a table is given ids of several kinds: positions, names, or ids of another shape."""
    sites, here = reuse.sites, reuse.sites[-1].site
    counted = [call for call in sites if _positions(call)]
    if counted and len(counted) < len(sites):
        yield Evidence("positions", 8, "this call is given positions (`arange`), another is not", counted[0].site)
    kinds = kinds_of_ids(sites)
    if kinds:
        yield Evidence("ids", 4, f"its calls are given ids of several kinds, by their names: {', '.join(kinds)}", here)
    pooled = [call for call in sites if _is_pooled(call)]
    if pooled and len(pooled) < len(sites):
        yield Evidence(
            "id-shapes", 3, "the result of this call is summed over an axis, that of another is not", pooled[0].site
        )


def _is_pooled(call: Call) -> bool:
    """Whether a call's result is reduced at once: `self.embed(ids).sum(1)`."""
    return any(
        isinstance(node, ast.Attribute) and node.attr in ("sum", "mean", "max", "amax")
        for node in chain(call.site)[:-1]
    )


def _chain(reuse: Reuse, others: list[Call]) -> Evidence:
    """The data passes through another layer between two calls. It tells much where each call, and that layer, is written once."""
    single = [call for call in others if not call.turns and len(reuse.trace.calls_of(call.instance)) == 1]
    other = (single or others)[0]
    sentence = f"the data passes through `{_name(reuse, other)}` between two calls, so they are two different layers of the network"
    return Evidence("chain", 3 if single and _straight(reuse) else 1, sentence, other.site)


def _own_result(reuse: Reuse) -> Evidence:
    """Its own result comes back to it. A layer on one element or the mean of its result is rarely two layers, and so is a norm of a norm.

    A norm with running statistics is: those of the first call and those of the second differ.
    """
    here = reuse.sites[-1].site
    whole = any(feeds_whole(first, later) for first, later in zip(reuse.sites, reuse.sites[1:], strict=False))
    norms_again = is_norm(reuse.instance) and not reuse.carries.running_stats
    weight = 3 if whole and not norms_again else 1
    return Evidence(
        "own-result", weight, "its own result comes back to it: written out like this, two layers are meant", here
    )


def _name(reuse: Reuse, call: Call) -> str:
    paths = reuse.trace.paths_of(call.instance)
    return f"self.{paths[0]}" if paths else ast.unparse(call.node.func)


def _indexed_partner(reuse: Reuse) -> Call | None:
    """A call site of a loop that calls the instance: its instance changes with the passes. It feeds this one, and is fed by it directly.

    A head that only reads what each layer gives is one head for all of them, unless it has running statistics.
    """
    loops = dict.fromkeys(call.turns[-1].loop for call in reuse.calls if call.turns)
    return next((partner for loop in loops if (partner := _partner_in(reuse, loop)) is not None), None)


def _partner_in(reuse: Reuse, loop: ast.AST) -> Call | None:
    here = [call for call in reuse.calls if call.turns and call.turns[-1].loop is loop]
    if len({call.turns[-1].number for call in here}) < 2:
        return None
    nodes = {call.node for call in reuse.calls}
    by_node: dict[ast.Call, list[Call]] = {}
    for call in reuse.trace.calls:
        own = call.node in nodes or call.container is not None
        if call.turns and call.turns[-1].loop is loop and not own:
            by_node.setdefault(call.node, []).append(call)
    for calls in by_node.values():
        if len({c.instance.ident for c in calls}) != len(calls) or len(calls) < 2:
            continue
        takes = any(depends_on(mine, c) for c in calls for mine in here)
        given = {mine.number for mine in here}
        gives = any(one.number in given for c in calls for one in producers(reuse.trace, c))
        if takes and (gives or reuse.carries.running_stats) and reuse.trace.carries(calls[0].instance).parameters:
            return calls[0]
    return None


def depends_on(later: Call, earlier: Call) -> bool:
    return later.number > earlier.number and bool(later.lineage >> earlier.number & 1)


def same_input(reuse: Reuse) -> bool:
    """Whether two calls of a deterministic instance have the identical input, so that their results are equal."""
    return bool(equal_calls(reuse))


def equal_calls(reuse: Reuse) -> list[Call]:
    """The call sites of a deterministic instance that have the identical input as the first such site; none where each has its own."""
    if reuse.carries.stochastic is not False:
        return []
    sites = reuse.sites
    for number, first in enumerate(sites):
        others = [later for later in sites[number + 1 :] if _have_one_input(reuse, first, later)]
        if others:
            return [first, *others]
    return []


def _have_one_input(reuse: Reuse, a: Call, b: Call) -> bool:
    return (
        a.inputs == b.inputs
        and bool(a.inputs)
        and a.turns == b.turns
        and a.entry == b.entry
        and not exclusive(a.path, b.path)
        and (not a.turns or _in_every_pass(reuse.trace, a, b))
    )


def _in_every_pass(trace: Trace, a: Call, b: Call) -> bool:
    """Whether two call sites of a loop call one instance in each pass that comes to both: `self.layers[i // 2]` and `layer` do in one."""
    here = {(call.turns, call.instance.ident) for call in trace.calls if call.node is a.node}
    there = {(call.turns, call.instance.ident) for call in trace.calls if call.node is b.node}
    both = {turns for turns, _ in here} & {turns for turns, _ in there}
    return all((turns in both) <= ((turns, ident) in there) for turns, ident in here)


def _results_were_to_differ(reuse: Reuse) -> bool:
    """Whether one function binds the results to several names, as if they were different: `q` and `k`; or reads one of them only.

    What each name takes further in its own way only costs time, unless each call moves running statistics.
    """
    sites, steady = equal_calls(reuse), not reuse.carries.running_stats
    if steady and any(is_dead(call.site) for call in sites) or are_one_tuple(sites):
        return True
    names = [frozenset(result_names(call)) for call in sites]
    differ = len({call.within for call in sites}) == 1 and all(names) and len(set(names)) == len(names)
    return differ and (bool(reuse.carries.running_stats) or are_named_alike(sites))


def _positions(call: Call) -> bool:
    """Whether a call's first argument is a range of numbers, whatever its shape."""
    value = call.node.args[0] if call.node.args else None
    if isinstance(value, ast.Name):
        made = definition_of(call.site, value.id)
        statement = statement_at(made) if made is not None else None
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    while isinstance(value, ast.Call | ast.Attribute | ast.Subscript):
        if isinstance(value, ast.Call) and ast.unparse(value.func) == "torch.arange":
            return True
        value = value.func if isinstance(value, ast.Call) else value.value
    return False


def _straight(reuse: Reuse) -> bool:
    """Whether the calls are made one after another, each written once: outside of loops, in one method or in several."""
    return len(reuse.sites) == len(reuse.calls) and not any(call.turns for call in reuse.calls)


_NUMBERED = re.compile(r"^[A-Za-z_]+?_?(\d+)$")


def _siblings(reuse: Reuse, made: Place) -> Iterator[Evidence]:
    """What stands beside it has one instance for each layer. Names of activations are often without a number, also in published blocks."""
    if kind_of(reuse.instance, reuse.carries) != "shared-prelu":
        if _numbered_siblings(reuse):
            yield Evidence("numbered-siblings", 1, "the layers around it are numbered, it is not", made)
        return
    idle = next((one for one in reuse.trace.definitions if _is_idle_like(reuse, one)), None)
    if idle is not None:
        yield Evidence(
            "twin-here", 4, f"`self.{idle.name}` is such an activation too, and nothing calls it", idle.place
        )
    other = _own_elsewhere(reuse)
    if other is not None:
        sentence = "another activation of this class serves one call alone: each layer was to have its own"
        yield Evidence("own-one-each", 3, sentence, other.site)


def _is_idle_like(reuse: Reuse, definition: Definition) -> bool:
    """Whether a definition makes another instance of the same class that nothing calls or takes, under a sibling's name."""
    trace, names = reuse.trace, {one.name for one in reuse.definitions}
    alike = [one for one in definition.instances if one.type_name == reuse.instance.type_name]
    alone = all(not trace.calls_of(one) and not one.handed_on and len(trace.paths_of(one)) == 1 for one in alike)
    return bool(alike) and alone and any(are_siblings(name, definition.name) for name in names)


def _own_elsewhere(reuse: Reuse) -> Call | None:
    """The one call of another instance of the same class, beside an activation that several calls share."""
    name = reuse.instance.type_name
    groups = ((one, calls) for one, calls in grouped(reuse.trace).items() if one is not reuse.instance)
    alone = (calls[0] for one, calls in groups if one.type_name == name and len(calls) == 1 and not calls[0].turns)
    return next((call for call in alone if any(not exclusive(call.path, other.path) for other in reuse.calls)), None)


def _numbered_siblings(reuse: Reuse) -> bool:
    if _NUMBERED.match(reuse.attribute):
        return False
    written = (call for call in reuse.trace.calls if isinstance(call.node.func, ast.Attribute))
    names = {path for call in written for path in reuse.trace.paths_of(call.instance)[:1]}
    stems = [re.sub(r"\d+$", "", name) for name in names if _NUMBERED.match(name)]
    return any(stems.count(stem) > 1 for stem in stems)
