"""Judging: every rule on every class of a file, then the notes, then the rules about notes."""

from dataclasses import replace

from nnreuse.config.settings import Settings
from nnreuse.rules import registry
from nnreuse.rules.context import Context, FileContext
from nnreuse.rules.finding import Finding
from nnreuse.rules.notes import silenced
from nnreuse.rules.registry import Check
from nnreuse.rules.reuse import own_units
from nnreuse.tracing.trace import Trace
from nnreuse.types.file import File
from nnreuse.types.meaning import ModuleClass
from nnreuse.types.program import Program

_FINDINGS = ("findings",)


def judged(file: File, traces: list[Trace], program: Program, settings: Settings) -> tuple[Finding, ...]:
    """The findings of a file in text order, those that its notes silence left out."""
    of_classes, of_files = registry.checks(settings)
    result = silenced(file, [(trace, _of_class(Context(trace, program, settings), of_classes)) for trace in traces])
    found = result.findings
    if result.notes:
        context = FileContext(file, traces, result.notes, result.used, settings)
        found += (one for check in of_files for one in check(context))
    first = file.index.first_lines
    # What a function outside the classes does is found for each class that calls it: once is enough.
    once = {(one.rule, one.place, one.owner, one.message): one for one in found}.values()
    return tuple(sorted(once, key=lambda f: (first.get(f.place.unit, 0), f.place.span)))


def forget_findings(trace: Trace) -> None:
    """Has the class judged anew: something that its rules have looked at, and its trace has not, is different."""
    trace.kept.pop(_FINDINGS, None)


def _placed(finding: Finding, trace: Trace) -> Finding:
    """The finding, which knows the other files that its places stand in."""
    own = own_units(trace)
    foreign = [place for place, _ in finding.places if place.unit not in own]
    if not foreign:
        return finding
    files = {one.file for one in (*trace.definitions, *trace.calls)}
    files |= {base.file for base in trace.cls.mro if isinstance(base, ModuleClass)}
    found = ((place.unit, file) for place in foreign for file in files - {trace.cls.file} if file.index.holds(place))
    return replace(finding, elsewhere=tuple(dict.fromkeys(found)))


def _of_class(context: Context, checks: list[Check]) -> list[Finding]:
    """What rules find in a class: kept by its trace. A rule reads the trace's own text, and notes what else it looks at."""
    trace = context.trace
    if _FINDINGS not in trace.kept:
        trace.considered = set()
        with context.program.reads.into(trace.considered):
            found = (_placed(one, trace) for check in checks for one in check(context))
            # An attribute that holds one of several kinds is said the same of for each of them: once is enough.
            trace.kept[_FINDINGS] = list({(one.rule, one.place, one.message): one for one in found}.values())
    return trace.kept[_FINDINGS]
