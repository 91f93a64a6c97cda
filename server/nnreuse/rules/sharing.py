"""What the `shared-*` rules have in common: the finding about a reused instance, and its split."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from nnreuse.config.severity import Severity
from nnreuse.fixes import naming
from nnreuse.fixes.dead import is_dead, without_dead_call
from nnreuse.fixes.each_pass import each_of, list_beside, one_for_each_pass
from nnreuse.fixes.fix import Applicability, Fix, Migration, refused, renaming
from nnreuse.fixes.split import split
from nnreuse.rules.callers import with_callers
from nnreuse.rules.configurations import choice_of, chosen_part
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import equal_calls, same_input, severity_of_reuse, weigh
from nnreuse.rules.finding import Evidence, Finding
from nnreuse.rules.idle import idle_fixes
from nnreuse.rules.instances import alike, definitions, in_groups, other_calls, the_reuse
from nnreuse.rules.making import kind_of as short_kind
from nnreuse.rules.making import shared_state
from nnreuse.rules.reuse import Reuse, call_sites, grouped, how_often, kind_of, own_units, positions, reuses
from nnreuse.rules.settled import proven_clashes
from nnreuse.rules.twins import idle_twin
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Call, runs


def findings(context: Context, rule: str, message: str, proof: str | None = None) -> Iterator[Finding]:
    """The findings of one rule, warnings at most; with a `proof`, the kind of evidence that it takes to warn, information without it.

    `message` is formatted with `name` (`self.bn`), `count` (`twice`) and `state` (`weights`)."""
    if rule in _FITTED:
        yield from with_callers(context, lambda one: _findings(one, rule, message, proof))
    else:
        yield from _findings(context, rule, message, proof)


_FITTED = frozenset(["shared-prelu", "shared-batch-norm", "shared-layer-norm"])
"""The rules about what is fitted to one place of a network, whoever makes it."""


def _findings(context: Context, rule: str, message: str, proof: str | None) -> Iterator[Finding]:
    trace = context.trace
    found = [one for one in reuses(trace) if _judges(rule, one)]
    if not found:
        return
    unfit = {clash.call.instance for clash in proven_clashes(trace)}  # `incompatible-features` speaks of these
    by_instance = {one.instance: one for one in found if one.instance not in unfit}
    for group in in_groups(trace, by_instance):
        yield _finding(context, rule, message, max((_weighed(by_instance[one], proof) for one in group), key=_loudness))


def _judges(rule: str, reuse: Reuse) -> bool:
    kind = "same-input-twice" if same_input(reuse) else kind_of(reuse.instance, reuse.carries)
    return kind == rule and (len(reuse.positions) < 2 or idle_twin(reuse.trace, reuse.instance) is None)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A reuse and how loud it is: of the kinds that one instance may be of, the loudest speaks for all."""

    reuse: Reuse
    evidence: tuple[Evidence, ...]
    severity: Severity


def _weighed(reuse: Reuse, proof: str | None) -> _Weighed:
    evidence = weigh(reuse)
    proven = proof is None or any(one.kind == proof for one in evidence)
    severity = severity_of_reuse(reuse, evidence, Severity.WARNING if proven else Severity.INFORMATION)
    return _Weighed(reuse, evidence, severity)


def _loudness(one: _Weighed) -> tuple[int, int]:
    return one.severity.rank, sum(reason.weight for reason in one.evidence)


def _finding(context: Context, rule: str, message: str, weighed: _Weighed) -> Finding:
    """The finding at the call that is the reuse, with all other calls and the definition."""
    trace, reuse = context.trace, weighed.reuse
    kinds = alike(trace).get(reuse.instance, (reuse.instance,))
    told = equal_calls(reuse) or reuse.calls
    here = the_reuse(trace, told)
    calls = [call.site for one in kinds for call in grouped(trace).get(one, ())]
    others = other_calls(trace, calls, here.site, "call {number} of the same instance")
    return Finding(
        rule,
        weighed.severity,
        message.format(name=_called(reuse, here), count=how_often(told), state=shared_state(trace, reuse.instance)),
        here.site,
        trace.cls.name,
        reuse.attribute,
        (*others, *definitions(trace, kinds)),
        weighed.evidence,
        split_fixes(context, reuse),
        instances=kinds,
    )


def _called(reuse: Reuse, call: Call) -> str:
    """The instance as this call names it, and as another call does, where that uses another name."""
    here = _name_in(reuse, call)
    other = next((name for one in reuse.sites if (name := _name_in(reuse, one)) != here), None)
    if other is None:
        return f"`self.{here}`{_configuration(reuse)}"
    return f"`self.{here}`, the same instance as `self.{other}`{_configuration(reuse) or ','}"


def _name_in(reuse: Reuse, call: Call) -> str:
    """The attribute that a call reads, where it is one of the instance's; else the first."""
    match = _ATTRIBUTE.fullmatch(ast.unparse(call.node.func))
    return match[1] if match is not None and match[1] in reuse.trace.paths_of(reuse.instance) else reuse.attribute


def _configuration(reuse: Reuse) -> str:
    """Which of several names makes the instance what it is, or of several kinds that other rules judge."""
    choice = choice_of(reuse.trace, reuse.instance)
    part = chosen_part(reuse.trace, reuse.instance) if choice is None else None
    kind = short_kind(reuse.instance)
    if part is not None and part.choice.name is not None:
        return f", which holds a `{short_kind(part.instance)}` where `'{part.choice.name}'` is asked for,"
    if choice is None:
        return f", where it is a `{kind}`," if _is_judged_by_others(reuse) else ""
    if choice.name is None:
        return f", a `{kind}` in one configuration,"
    return f", a `{kind}` where `'{choice.name}'` is asked for,"


def _is_judged_by_others(reuse: Reuse) -> bool:
    """Whether the instance may be of another kind, of which another rule would speak."""
    kinds = alike(reuse.trace).get(reuse.instance, ())
    rules = {kind_of(one, reuse.trace.carries(one)) for one in kinds}
    return len(rules) > 1


_ATTRIBUTE = re.compile(r"self\.(\w+)")


def split_fixes(context: Context, reuse: Reuse) -> tuple[Fix, ...]:
    """A call that nothing reads goes, or calls what is idle; else the instance is split into one for each call site."""
    return (*_dead_calls(reuse), *idle_fixes(reuse), *_list_beside(context, reuse), *_splits(context, reuse))


def _list_beside(context: Context, reuse: Reuse) -> Iterator[Fix]:
    """For one call in a loop over layers and others outside: the loop gets a list, as it does where it makes all the calls."""
    definition, units = reuse.definition, own_units(reuse.trace)
    looped = [site.site for site in reuse.sites if site.turns]
    others = [site.site for site in reuse.sites if not site.turns]
    if definition is None or len(looped) != 1 or not others or len(reuse.positions) < 2:
        return
    if context.settings.checkpoint_compat == "hook" or any(one.unit not in units for one in (definition, *reuse.sites)):
        return
    owner, attribute = reuse.trace.cls.units, reuse.attribute
    plural = naming.plural_name(owner, attribute, context.names_of(reuse.trace.cls))
    yield Fix(
        f"Give each pass of the loop its own: `self.{plural}`; `self.{attribute}` stays for the rest",
        Applicability.UNSAFE,
        list_beside(definition.place, looped[0], attribute, plural, others),
        reach=renaming(owner.node.name, attribute, [attribute, plural]),
    )


def _dead_calls(reuse: Reuse) -> Iterator[Fix]:
    """The deletion of a call whose result nothing reads: a layer of its own would compute nothing."""
    own = own_units(reuse.trace)
    dead = [call.site for call in reuse.sites if call.unit in own and is_dead(call.site)]
    for site in dead[:1] if len(dead) < len(reuse.sites) else dead[1:2]:
        yield Fix("Delete the call whose result nothing reads", Applicability.UNSAFE, without_dead_call(site))


def _splits(context: Context, reuse: Reuse) -> tuple[Fix, ...]:
    """First keeping the instance's name, then numbering all; as the setting says with a checkpoint hook."""
    definition = reuse.definition
    placed = _places_of_parts(reuse)
    if placed is None:
        return _none(
            reuse, "branches that exclude each other call it, and which of the new layers each means cannot be told"
        )
    sites, units = [site for site, _ in placed], own_units(reuse.trace)
    if definition is None:
        several = any(reuse.instance in one.instances for one in reuse.trace.definitions)
        reason = "is given to an attribute at several places" if several else "is made where it cannot be followed to"
        return _none(reuse, f"the instance {reason}")
    if "." in reuse.attribute or "*" in reuse.attribute:
        return _none(reuse, f"`self.{reuse.attribute}` is a member of a container")
    if definition.unit not in units:
        return _none(
            reuse, f"`self.{reuse.attribute}` is made in a base class, whose other subclasses would change with it"
        )
    if any(site.unit not in units for site in sites):
        return _none(reuse, "a base class makes one of the calls")
    owner = reuse.trace.cls.units
    taken = context.names_of(reuse.trace.cls)
    count = len(reuse.positions)
    if count < 2:
        return _list_fixes(context, reuse, definition.place, taken)
    keeping = [reuse.attribute, *naming.free_names(owner, reuse.attribute, count - 1, taken)]
    numbered = naming.numbered_names(owner, reuse.attribute, count, taken)
    hook = context.settings.checkpoint_compat == "hook"
    found: list[Fix] = []
    choices = [(keeping, hook), (numbered, hook), (keeping, not hook)]
    for names, checkpoint in choices if numbered != keeping else choices[::2]:
        called = [names[part] for _, part in placed]
        build = split(owner, reuse.attribute, definition.place, sites, called, checkpoint=checkpoint)
        listed = ", ".join(f"`{name}`" for name in names)
        title = f"Split `self.{reuse.attribute}` into {listed}"
        if checkpoint is not hook:
            title += ", loading old checkpoints" if checkpoint else ", without a checkpoint hook"
        reach = renaming(owner.node.name, reuse.attribute, names)
        found.append(Fix(title, Applicability.UNSAFE, build, _migration(reuse, names), reach))
    return tuple(found)


def _places_of_parts(reuse: Reuse) -> list[tuple[Place, int]] | None:
    """Each call site, and which of the new instances it is to call. A site of another run is matched by its order in that run.

    None where another run calls it at more places, or at fewer.
    """
    found = {site.node: (site.site, part) for part, group in enumerate(reuse.positions) for site in group}
    for run in runs([*reuse.calls, *reuse.apart]):
        groups = positions(call_sites(run))
        for part, group in enumerate(groups):
            for site in group:
                if site.node not in found and len(groups) != len(reuse.positions):
                    return None
                found.setdefault(site.node, (site.site, part))
    return list(found.values())


def _none(reuse: Reuse, reason: str) -> tuple[Fix, ...]:
    return (Fix(f"Split `self.{reuse.attribute}`", Applicability.UNSAFE, refused(reason)),)


def _list_fixes(context: Context, reuse: Reuse, definition: Place, taken: frozenset[str]) -> tuple[Fix, ...]:
    """For one call in a loop: a list with one instance for each pass."""
    passes = {call.turns for call in reuse.calls}
    if len(passes) < len(reuse.calls) or any(len(turns) != 1 for turns in passes):
        return _none(reuse, "one call expression makes all the calls")
    attribute, site = reuse.attribute, reuse.sites[0].site
    plural = naming.plural_name(reuse.trace.cls.units, attribute, taken)
    hook = context.settings.checkpoint_compat == "hook"
    title = f"Give each pass of the loop its own: `self.{plural}`"
    builds = [one_for_each_pass(definition, site, attribute, plural, checkpoint) for checkpoint in (hook, not hook)]
    reach = renaming(reuse.trace.cls.units.node.name, attribute, [plural])
    each = each_of(definition, site, plural)
    migration = replace(_migration(reuse, []), names=(), each=each) if each is not None else None
    other = "without a checkpoint hook" if hook else "loading old checkpoints"
    return (
        Fix(title, Applicability.UNSAFE, builds[0], migration, reach),
        Fix(f"{title}, {other}", Applicability.UNSAFE, builds[1], migration, reach),
    )


def _migration(reuse: Reuse, names: list[str]) -> Migration:
    """What a split means for checkpoints; an owner is told by the modules with parameters that it always has."""
    attribute, trace = reuse.attribute, reuse.trace
    beside = [
        one.name
        for one in trace.definitions
        if one.name != attribute
        and one.name.isidentifier()
        and not one.path.literals
        and one.instances
        and all(trace.carries(instance).parameters for instance in one.instances)
    ]
    first = attribute if attribute in names or not names else names[0]
    return Migration(
        reuse.trace.cls.name, attribute, tuple(dict.fromkeys([first, *names])), tuple(dict.fromkeys(beside))
    )
