"""Offers: what may be done about a place besides the fixes that its findings bring: comments, and refactorings without a finding."""

import ast
from collections.abc import Callable, Collection, Iterator

from nnreuse.config.settings import Settings
from nnreuse.config.severity import Severity
from nnreuse.fixes.fix import Applicability, Fix, Reach
from nnreuse.fixes.listing import list_name, listed, numbered
from nnreuse.fixes.merge import merge
from nnreuse.fixes.note import add_ignore, declare_shared
from nnreuse.fixes.uses import ancestors, descendants
from nnreuse.rules import registry
from nnreuse.rules.context import Context
from nnreuse.rules.finding import Finding
from nnreuse.rules.reuse import reuse_of
from nnreuse.rules.sharing import split_fixes
from nnreuse.rules.subjects import Subject, definitions
from nnreuse.syntax.edits import Edit, compatible
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Trace, most_calls
from nnreuse.tracing.values import Instance
from nnreuse.types.program import Program
from nnreuse.workspace.analysis import Analysis


def comments(finding: Finding, traces: list[Trace], place: Place) -> Iterator[Fix]:
    """The comments that silence a finding: at the statement of one of its calls, or at the definition of what is shared on purpose."""
    if finding.attribute and registry.is_about_sharing(finding.rule):
        name = finding.attribute.split(".")[0]
        for trace in traces:
            if trace.cls.name == finding.owner:
                for definition in [one for one in trace.definitions if one.name == name][:1]:
                    title = f"Declare `self.{name}` shared on purpose"
                    yield Fix(title, Applicability.SAFE, declare_shared(definition.place))
    yield Fix(f"Ignore {finding.rule} here", Applicability.SAFE, add_ignore(place, finding.rule))


def refactorings(subject: Subject, program: Program, settings: Settings) -> Iterator[Fix]:
    """Split the instance, merge it with equal ones that carry nothing, make its numbered attributes a list."""
    trace, instance = subject.trace, subject.instance
    paths = [path for path in trace.paths_of(instance) if "." not in path and "*" not in path]
    if not paths:
        return
    calls = subject.calls
    carried = trace.carries(instance)
    if len(calls) > 1:
        reuse = reuse_of(trace, instance, paths[0], calls, most_calls(calls)[1], carried)
        yield from split_fixes(Context(trace, program, settings), reuse)
    yield from _merged(trace, instance, paths[0])
    yield from _listed(trace, instance, paths[0])


def _merged(trace: Trace, instance: Instance, name: str) -> Iterator[Fix]:
    if not _carries_nothing(trace, instance):
        return
    value = _value(trace, instance)
    alike = [
        path
        for path, held in trace.held.items()
        if "." not in path
        and held
        and held[0].type_name == instance.type_name
        and _carries_nothing(trace, held[0])
        and value is not None
        and _value(trace, held[0]) == value
    ]
    if len(alike) > 1 and name in alike:
        names = ", ".join(f"`self.{path}`" for path in alike[1:])
        reach = Reach(trace.cls.units.node.name, gone=frozenset(alike[1:]))
        yield Fix(
            f"Use `self.{alike[0]}` for {names} too", Applicability.SAFE, merge(trace.cls.units, alike), reach=reach
        )


def _listed(trace: Trace, instance: Instance, name: str) -> Iterator[Fix]:
    found = numbered(name, [path for path in trace.held if "." not in path])
    new = found and list_name(trace.cls.units, found[0])
    if found and new:
        names = found[1]
        title = f"Make `{names[0]}` to `{names[-1]}` a ModuleList, `{new}`"
        reach = Reach(trace.cls.units.node.name, frozenset([new]), gone=frozenset(names))
        yield Fix(title, Applicability.UNSAFE, listed(trace.cls.units, names, new), reach=reach)


def _carries_nothing(trace: Trace, instance: Instance) -> bool:
    carried = trace.carries(instance)
    return carried.parameters is False and not carried.running_stats and not carried.other_state


def _value(trace: Trace, instance: Instance) -> str | None:
    """The constructor's text, where one statement makes the instance."""
    found = list(definitions(trace, instance))
    value = found[0].value if len(found) == 1 else None
    return ast.dump(value) if isinstance(value, ast.Call) else None


def repairs(
    analysis: Analysis,
    settings: Settings,
    allowed: Collection[Applicability],
    edits_of: Callable[[Fix], list[Edit] | None],
    rule: str | None = None,
) -> tuple[list[Edit], list[Fix]]:
    """Edits of as many findings as fit together, and the fixes they are; a fix is taken whole or left for another round.

    `edits_of`: those of a fix that may be made. `rule`: of its findings alone.
    """
    taken: list[Edit] = []
    fixes: list[Fix] = []
    for finding in [] if analysis.error else analysis.shown(settings):
        if rule is not None and finding.rule != rule:
            continue
        # Where a design is as likely as a slip, a person decides; what changes no behaviour needs no decision.
        slip = settings.severity(finding.rule, finding.severity).rank >= Severity.WARNING.rank
        may = set(allowed) if slip else {Applicability.SAFE} & set(allowed)
        built = ((fix, edits_of(fix)) for fix in finding.fixes if fix.applicability in may)
        fix, edits = next(((fix, edits) for fix, edits in built if edits), (None, None))
        clashes = fix is not None and any(_clash(fix, other, analysis.index) for other in fixes)
        if fix and edits and not clashes and _fits(edits, taken):
            taken += edits
            fixes.append(fix)
    return taken, fixes


def _clash(fix: Fix, other: Fix, index: FileIndex) -> bool:
    """Whether two fixes of one class, or of a class and its heir, speak of one attribute: the second is built anew after the first."""
    one, two = fix.reach, other.reach
    if one is None or two is None:
        return False
    alike = one.new & (two.new | two.kept | two.gone) or two.new & (one.kept | one.gone) or one.gone & two.gone
    return bool(alike) and (one.cls == two.cls or one.cls in _family(index, two.cls))


def _family(index: FileIndex, name: str) -> set[str]:
    """The names of a class's ancestors and descendants in the file."""
    mine = [cls for _, cls in index.classes() if cls.node.name == name]
    return {one.node.name for cls in mine for one in (*ancestors(index, cls), *descendants(index, cls))}


def _fits(edits: list[Edit], taken: list[Edit]) -> bool:
    """Whether the edits touch none that are taken: not even at their ends, where the order would decide."""
    apart = all(a.span.end < b.span.start or b.span.end < a.span.start for a in edits for b in taken)
    return apart and compatible(edits)
