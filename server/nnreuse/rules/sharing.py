"""What the four `shared-*` rules have in common: a finding at each call site of a reused instance, and its split."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from nnreuse.config.severity import Severity
from nnreuse.fixes import naming
from nnreuse.fixes.dead import is_dead, without_dead_call
from nnreuse.fixes.each_pass import each_of, list_beside, one_for_each_pass
from nnreuse.fixes.fix import Applicability, Fix, Migration, refused, renaming
from nnreuse.fixes.split import split
from nnreuse.rules.callers import with_callers
from nnreuse.rules.configurations import choice_of
from nnreuse.rules.context import Context
from nnreuse.rules.evidence import same_input, severity_of_reuse, weigh
from nnreuse.rules.finding import Evidence, Finding, Related
from nnreuse.rules.idle import idle_fixes
from nnreuse.rules.making import shared_state
from nnreuse.rules.reuse import Reuse, call_sites, how_often, kind_of, own_units, positions, reuses
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
    found = reuses(context.trace)
    if not found:
        return
    unfit = {clash.call.instance for clash in proven_clashes(context.trace)}  # `incompatible-features` speaks of these
    for reuse in found:
        kind = "same-input-twice" if same_input(reuse) else kind_of(reuse.instance, reuse.carries)
        twin = len(reuse.positions) > 1 and idle_twin(reuse.trace, reuse.instance) is not None
        if kind != rule or twin or reuse.instance in unfit:
            continue
        evidence = weigh(reuse)
        proven = proof is None or any(one.kind == proof for one in evidence)
        severity = severity_of_reuse(reuse, evidence, Severity.WARNING if proven else Severity.INFORMATION)
        yield from _at_sites(context, reuse, rule, message, severity, evidence)


def _at_sites(
    context: Context, reuse: Reuse, rule: str, message: str, severity: Severity, evidence: tuple[Evidence, ...]
) -> Iterator[Finding]:
    units = own_units(reuse.trace)
    count, state = how_often(reuse.calls), shared_state(reuse.trace, reuse.instance)
    fixes = split_fixes(context, reuse)
    for number, call in enumerate(reuse.sites):
        if call.unit not in units:
            continue
        yield Finding(
            rule,
            severity,
            message.format(name=_called(reuse, call), count=count, state=state),
            call.site,
            reuse.trace.cls.name,
            reuse.attribute,
            tuple(_related(reuse, number)),
            evidence,
            fixes,
        )


def _called(reuse: Reuse, call: Call) -> str:
    """The instance as this call names it, and where that is another name, as it is named first."""
    first, match = f"`self.{reuse.attribute}`{_configuration(reuse)}", _ATTRIBUTE.fullmatch(ast.unparse(call.node.func))
    if match is None or match[1] == reuse.attribute or match[1] not in reuse.trace.paths_of(reuse.instance):
        return first
    return f"`self.{match[1]}`, the same instance as {first},"


def _configuration(reuse: Reuse) -> str:
    """Which of several names makes the instance what it is."""
    choice = choice_of(reuse.trace, reuse.instance)
    if choice is None:
        return ""
    kind = (reuse.instance.type_name or "module").rsplit(".", 1)[-1]
    if choice.name is None:
        return f", a `{kind}` in one configuration,"
    return f", a `{kind}` where `'{choice.name}'` is asked for,"


_ATTRIBUTE = re.compile(r"self\.(\w+)")


def _related(reuse: Reuse, this: int) -> Iterator[Related]:
    for number, call in enumerate(reuse.sites):
        if number != this:
            yield Related(call.site, f"call {number + 1} of the same instance")
    if reuse.definition is not None and reuse.definition.file is reuse.trace.cls.file:
        yield Related(reuse.definition.place, "defined once, here")


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
