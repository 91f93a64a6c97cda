"""Idle: a module that one call of a reused instance was probably meant for, since nothing calls it where that call runs."""

import ast
from collections.abc import Iterator
from itertools import islice

from nnreuse.fixes.fix import Applicability, Fix
from nnreuse.fixes.places import chain
from nnreuse.fixes.twin import call_instead
from nnreuse.rules.finding import Evidence
from nnreuse.rules.naming import are_siblings
from nnreuse.rules.reuse import Reuse, kind_of, own_units
from nnreuse.rules.twins import equal, is_idle, meant_for
from nnreuse.tracing.conditions import exclusive
from nnreuse.tracing.trace import Call, Definition, Trace


def idle_fixes(reuse: Reuse) -> Iterator[Fix]:
    """The call of an idle namesake or twin at one of an instance's call sites."""
    for site, name in [*_namesakes(reuse), *_twins(reuse)][:1]:
        title = f"Call `self.{name}`, which is idle here, instead of `self.{reuse.attribute}`"
        yield Fix(title, Applicability.UNSAFE, call_instead(site.site, reuse.attribute, name))


def twin_here(reuse: Reuse) -> Iterator[Evidence]:
    """For a slip: an equal module of the same configuration, which only other configurations call."""
    for call, name in islice(_twins(reuse), 1):
        sentence = f"`self.{name}` has an equal constructor, and in this configuration nothing calls it"
        yield Evidence("twin-here", 4, sentence, call.site)


def _namesakes(reuse: Reuse) -> Iterator[tuple[Call, str]]:
    """A call whose result has the name of a module that nothing calls: `shortcut = self.down(x)` beside an idle `self.shortcut`."""
    trace, own = reuse.trace, own_units(reuse.trace)
    for site in reuse.sites if len(reuse.positions) > 1 else ():
        target = _target(site) if site.unit in own else None
        for definition in trace.definitions:
            alike = definition.name == target and definition.name != reuse.attribute
            if (
                alike
                and _exists_there(reuse, definition)
                and _is_like(reuse, definition)
                and is_idle(trace, definition)
            ):
                yield site, definition.name


def _target(site: Call) -> str | None:
    """The local that is given what the call returns."""
    match chain(site.site)[-3:]:
        case [ast.Assign(targets=[ast.Name(id=name)], value=value), ast.Call() as call, _] if value is call:
            return name
        case _:
            return None


def _is_like(reuse: Reuse, definition: Definition) -> bool:
    """Whether a definition makes modules that the same rule would judge: no norm is called in place of a convolution."""
    trace, kind = reuse.trace, kind_of(reuse.instance, reuse.carries)
    return bool(definition.instances) and all(
        one.is_module and kind_of(one, trace.carries(one)) == kind for one in definition.instances
    )


def _exists_there(reuse: Reuse, definition: Definition) -> bool:
    """Whether a module is made wherever the reused instance is: never only under a flag."""
    return any(definition.path.literals <= own.path.literals for own in reuse.definitions)


def _twins(reuse: Reuse) -> Iterator[tuple[Call, str]]:
    """An equal module of the same configuration that only other configurations call."""
    trace, own = reuse.trace, reuse.definition
    if own is None or len(reuse.positions) < 2 or any(site.unit not in own_units(trace) for site in reuse.sites):
        return
    siblings = [one for one in trace.definitions if equal(own, one) and are_siblings(own.name, one.name)]
    found = [one for one in siblings if _is_idle_beside(trace, reuse, one)]
    found.sort(key=lambda one: abs(trace.definitions.index(one) - trace.definitions.index(own)))
    for one in found:
        later = trace.definitions.index(one) > trace.definitions.index(own)
        yield meant_for(reuse.sites, own.name, one.name, later=later), one.name


def _is_idle_beside(trace: Trace, reuse: Reuse, definition: Definition) -> bool:
    """Whether no run that makes the reused instance's calls calls an equal one, which other runs call beside it.

    Two modules of which each arm calls one of its own, for two domains say, are no twins.
    """
    calls = [call for one in definition.instances for call in trace.calls_of(one)]
    named, own = _calls_of(trace, definition.name), _calls_of(trace, reuse.attribute)
    if any(one.handed_on or len(trace.paths_of(one)) != 1 for one in definition.instances):
        return False
    beside = any(not exclusive(a.path, b.path) for a in named for b in own)
    return beside and all(exclusive(call.path, site.path) for call in calls for site in reuse.calls)


def _calls_of(trace: Trace, name: str) -> list[Call]:
    """The calls of all that the constructor gives a name to."""
    made = [one for other in trace.definitions if other.name == name for one in other.instances]
    return [call for one in made for call in trace.calls_of(one)]
