"""Judging: every rule on every class of a file, then the notes, then the rules about notes."""

from dataclasses import replace

from nnreuse.config.settings import Settings
from nnreuse.rules import registry
from nnreuse.rules.context import Context, FileContext
from nnreuse.rules.explaining import explained
from nnreuse.rules.finding import Finding, Related
from nnreuse.rules.notes import silenced
from nnreuse.rules.registry import Check
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Trace
from nnreuse.types.file import File
from nnreuse.types.meaning import ModuleClass
from nnreuse.types.program import Program

_FINDINGS = ("findings",)


def judged(file: File, traces: list[Trace], program: Program, settings: Settings) -> tuple[Finding, ...]:
    """The findings of a file in text order, those that its notes silence left out."""
    of_classes, of_files = registry.checks(settings)
    result = silenced(file, [(trace, _of_class(Context(trace, program, settings), of_classes)) for trace in traces])
    found = explained(result.findings)
    if result.notes:
        context = FileContext(file, traces, result.notes, result.used, settings)
        found += (one for check in of_files for one in check(context))
    first = file.index.first_lines
    # What a function outside the classes does is found for each class that calls it: once is enough.
    once: dict[tuple[str, Place, str], Finding] = {}
    for one in found:
        once.setdefault((one.rule, one.place, one.message), one)
    return tuple(sorted(once.values(), key=lambda f: (first.get(f.place.unit, 0), f.place.span, f.rule)))


def forget_findings(trace: Trace) -> None:
    """Has the class judged anew: something that its rules have looked at, and its trace has not, is different."""
    trace.kept.pop(_FINDINGS, None)


def _placed(finding: Finding, trace: Trace) -> Finding:
    """The finding with each other place once, which knows the other files that these stand in."""
    finding = replace(finding, related=_distinct(finding))
    own = own_units(trace)
    foreign = [place for place, _ in finding.places if place.unit not in own]
    if not foreign:
        return finding
    files = {one.file for one in (*trace.definitions, *trace.calls)}
    files |= {base.file for base in trace.cls.mro if isinstance(base, ModuleClass)}
    found = ((place.unit, file) for place in foreign for file in files - {trace.cls.file} if file.index.holds(place))
    return replace(finding, elsewhere=tuple(dict.fromkeys(found)))


def _distinct(finding: Finding) -> tuple[Related, ...]:
    """The related places, each once: as a call or a definition where it is both that and something else.

    What is marked already is left out: the constructor in a list that is multiplied.
    """
    ordered = sorted(finding.related, key=lambda one: one.role == "beside")
    first: dict[Place, Related] = {}
    for one in ordered:
        if one.place != finding.place:
            first.setdefault(one.place, one)
    kept = (one for one in finding.related if first.get(one.place) is one)
    return tuple(one for one in kept if one.role != "definition" or not _is_within(one.place, finding.place))


def _is_within(inner: Place, outer: Place) -> bool:
    return inner.unit is outer.unit and outer.span.contains(inner.span)


def _of_class(context: Context, checks: list[Check]) -> list[Finding]:
    """What rules find in a class: kept by its trace. A rule reads the trace's own text, and notes what else it looks at."""
    trace = context.trace
    if _FINDINGS not in trace.kept:
        trace.considered = set()
        with context.program.reads.into(trace.considered):
            trace.kept[_FINDINGS] = [_placed(one, trace) for check in checks for one in check(context)]
    return trace.kept[_FINDINGS]
