"""Hover: the answer to "may I reuse this?" for one module instance: what it carries, its calls, and the verdict."""

from collections.abc import Callable, Iterator

from nnreuse.rules.evidence import severity_of_reuse, weigh
from nnreuse.rules.reuse import call_sites, kind_of, reuses
from nnreuse.rules.subjects import Subject
from nnreuse.tracing.conditions import exclusive
from nnreuse.tracing.parameters import count_of
from nnreuse.tracing.trace import Call, Trace, depends, relation
from nnreuse.tracing.values import Instance
from nnreuse.types.catalog import Carries

_VERDICTS = {
    "none": "It holds nothing: reuse it as you like.",
    "chained": "called on a result of its own earlier call",
    "recurrent": "called in a loop that threads state through it",
    "parallel": "called on inputs that do not depend on its other calls",
    "exclusive": "called in branches of which only one is taken",
    "mixed": "called in several ways",
    "single": "called once",
}


def explain(subject: Subject, place_of: Callable[[Call], str]) -> str:
    """The Markdown about an instance: what it carries, its calls, the verdict and why. `place_of`: “line 3”, say."""
    trace, instance = subject.trace, subject.instance
    paths = trace.paths_of(instance)
    name = f"self.{paths[0]}" if paths else "this module"
    aliases = "".join(f", `self.{path}`" for path in paths[1:4])
    type_name = (instance.type_name or "a module of unknown class").rsplit(".", 1)[-1]
    carried = trace.carries(instance)
    lines = [
        f"**`{name}`**{aliases} · `{type_name}`",
        "",
        _holds(carried, count_of(instance)),
        "",
        _called(subject.calls),
        "",
    ]
    lines += [*_each(subject.calls, place_of), f"**May I reuse it?** {_verdict(trace, instance, carried)}"]
    return "\n".join(lines)


def _holds(carried: Carries, count: int | None) -> str:
    counted = (
        "1 learnable parameter"
        if count == 1
        else f"{count:,} learnable parameters"
        if count
        else "learnable parameters"
    )
    words = [
        word
        for word, has in (
            (counted, carried.parameters),
            ("running statistics", carried.running_stats),
            ("other state", carried.other_state and not carried.running_stats),
            ("a fresh random draw in each call", carried.stochastic),
        )
        if has
    ]
    if words:
        return f"It carries {', '.join(words)}."
    return "It carries nothing." if carried.parameters is False else "What it carries is not known."


def _called(calls: list[Call]) -> str:
    if not calls:
        return "`forward` does not call it directly."
    return f"In one `forward`: {_VERDICTS[relation(calls)]}."


def _each(calls: list[Call], place_of: Callable[[Call], str]) -> Iterator[str]:
    """A line for each call site, with what its input has to do with the calls before it."""
    sites = call_sites(calls)
    for number, call in enumerate(sites):
        chained = [n for n, earlier in enumerate(sites[:number]) if depends(call, earlier)]
        apart = [n for n, earlier in enumerate(sites[:number]) if exclusive(earlier.path, call.path)]
        said = ""
        if chained:
            said = f": on what call {chained[-1] + 1} made"
        elif number and len(apart) == number:
            said = ": never together with the calls before it"
        elif number:
            said = ": on an input of its own"
        yield f"{number + 1}. {place_of(call)}{said}"
    if sites:
        yield ""


def _verdict(trace: Trace, instance: Instance, carried: Carries) -> str:
    if not (carried.parameters or carried.running_stats or carried.other_state):
        return "Yes, it has no parameters and no state." if carried.parameters is False else "Not known."
    for reuse in reuses(trace):
        if reuse.instance is instance:
            evidence = weigh(reuse)
            level = severity_of_reuse(reuse, evidence).value
            reasons = "; ".join(one.sentence for one in evidence)
            return f"It is reused ({level}): {reasons or 'nothing speaks for a slip or for a design'}."
    if kind_of(instance, carried) == "shared-batch-norm":
        return "Only for the same features: all calls would share one set of running statistics."
    return "Only on purpose: all calls would share its parameters. It is called once now."
