"""Designs: what in the code says that one instance is called several times on purpose. Each sign is evidence with a negative weight."""

import ast
import re
from collections.abc import Iterable, Iterator

from nnreuse.fixes.places import Function, chain, function_at
from nnreuse.rules.feeding import closes_residual
from nnreuse.rules.finding import Evidence
from nnreuse.rules.naming import are_siblings, named_for, words_of
from nnreuse.rules.passes import is_one_for_all
from nnreuse.rules.reuse import (
    Reuse,
    between,
    different_producers,
    enclosing_tests,
    grouped,
    kind_of,
    producers,
    reuse_of,
    said_deliberate,
    under_sharing_flag,
)
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Call
from nnreuse.tracing.values import Instance


def designs(reuse: Reuse) -> Iterator[Evidence]:
    """Everything that speaks for a design."""
    yield from _said(reuse)
    if len(reuse.positions) == 1:
        yield from _one_position(reuse)
    else:
        yield from _several_positions(reuse)
    yield from _siamese(reuse)


def _said(reuse: Reuse) -> Iterator[Evidence]:
    """Names, comments and flags."""
    made = place_of_definition(reuse)
    if any(reuse.instance in r.instances for r in reuse.trace.repetitions):
        yield Evidence("repeated", -6, "the list that repeats it is reported where it is made", made)
    word = said_deliberate(reuse)
    if word:
        yield Evidence("said", -6, f"a name or comment says so: “{word}”", made)
    places = [definition.place for definition in reuse.definitions]
    tests = [test for place in [*places, *(c.site for c in reuse.sites)] for test in enclosing_tests(place)]
    if under_sharing_flag(tests):
        yield Evidence("flag", -6, "it stands under a sharing flag", made)


def _one_position(reuse: Reuse) -> Iterator[Evidence]:
    here, first = reuse.sites[-1].site, reuse.calls[0]
    # A loop over a list whose positions are one instance looks like several layers.
    if reuse.relation == "recurrent":
        yield Evidence("recurrent", -5, "state threads through a loop over time", here)
    elif first.turns and not ("*" in reuse.attribute and is_one_for_all(reuse.trace, reuse.attribute, reuse.calls)):
        yield Evidence("loop", -3, "one call site in a loop: often the design (levels, steps, iterations)", here)
    elif not first.turns:
        weight = -2 if reuse.relation == "chained" else -3
        yield Evidence("helper", weight, "one call site in a function that is used several times", here)


def _several_positions(reuse: Reuse) -> Iterator[Evidence]:
    here = reuse.sites[-1].site
    modes = _modes(reuse)
    if modes:
        yield Evidence("modes", -6, f"each call tells it what to do: {', '.join(modes)}", here)
    free = [call for call in reuse.sites if _without_gradient(call)]
    if free and len(free) < len(reuse.sites):
        yield Evidence("no-gradient", -6, "one of the calls is made without gradient", free[0].site)
    if reuse.relation in ("chained", "mixed"):
        yield from _chained(reuse)
    dropped = _commented_out(reuse)
    if dropped is not None:
        yield Evidence(
            "commented-out",
            -3,
            f"the constructor of `self.{dropped}` beside it is commented out",
            place_of_definition(reuse),
        )
    if _written_alias(reuse):
        yield Evidence("alias", -6, "the constructor gives this instance two names", place_of_definition(reuse))
    table = kind_of(reuse.instance, reuse.carries) == "shared-embedding"
    if (
        reuse.relation == "parallel"
        and not table
        and not named_for(reuse.attribute, reuse.sites)
        and are_counterparts(reuse.sites)
        and not (reuse.carries.running_stats and different_producers(reuse))  # `bn(conv1(x1))` and `bn(conv2(x2))`
    ):
        yield Evidence("counterparts", -3, "the calls do the same to inputs that are named as counterparts", here)


def _chained(reuse: Reuse) -> Iterator[Evidence]:
    here = reuse.sites[-1].site
    if _threads_state(reuse):
        yield Evidence(
            "state", -6, "its own earlier result is the state that the next call takes beside a new input", here
        )
    elif _reads_states(reuse):
        yield Evidence("each-step", -6, "it is called once for each step of a recurrent cell", here)
    if all(_is_scaled(call) for call in reuse.sites):
        yield Evidence("integrator", -6, "its results are only added to a state, times a step size", here)
    if kind_of(reuse.instance, reuse.carries) == "shared-prelu" and closes_residual(reuse.sites[-1]):
        sentence = (
            "its last call ends a residual block: published blocks with trained weights share one slope like this"
        )
        yield Evidence("residual", -1, sentence, here)
    word = _comes_back(reuse)
    if word:
        yield Evidence("cycle", -6, f"the later call reads what a reconstruction gives: “{word}”", here)


def _siamese(reuse: Reuse) -> Iterator[Evidence]:
    own = reuse.relation == "parallel" and all(not call.lineage for call in reuse.calls)
    if not own or (len(reuse.positions) > 1 and named_for(reuse.attribute, reuse.sites)):
        return
    # Two inputs of one embedding may well be ids of two vocabularies.
    weight = -2 if kind_of(reuse.instance, reuse.carries) == "shared-embedding" else -5
    sentence = "each call has an input of its own: siamese encoders and shared heads look like this"
    if len({call.inputs for call in reuse.calls}) == 1:
        sentence = "both calls take what `forward` is given: the second one may only cost time"
    yield Evidence("siamese", weight, sentence, reuse.sites[-1].site)


def place_of_definition(reuse: Reuse) -> Place:
    """Where the instance is defined, else its first call."""
    return reuse.definition.place if reuse.definition is not None else reuse.sites[0].site


# ---- what a call is told

_TURNS_ROUND = re.compile(
    r"^(?:rev|inv|back|undo|de(?:norm|code)|mode|direct|transpos|forward|encod|decod|sampl|generat|uncond)"
)


def _modes(reuse: Reuse) -> list[str]:
    """What calls tell an own block to do, another thing at each: `self.norm(x, "denorm")`, `self.flow(x, reverse=True)`."""
    if reuse.instance.cls is None:
        return []
    names = _parameters(reuse.instance)
    given = [_constants(call.node, names) for call in reuse.sites]
    for parameter in dict.fromkeys(name for one in given for name in one):
        values = [one.get(parameter) for one in given]
        if len(set(values)) > 1 and _tells_what_to_do(parameter, values):
            return [f"`{parameter}={value!r}`" for value in dict.fromkeys(values) if value is not None]
    return []


def _tells_what_to_do(parameter: str, values: list[object]) -> bool:
    if any(isinstance(value, bool) for value in values):
        return bool(_TURNS_ROUND.match(parameter))
    return None not in values and len(set(values)) == len(values)


def _parameters(instance: Instance) -> list[str]:
    """The names of forward's positional parameters, `self` left out."""
    found = instance.cls.find("forward") if instance.cls is not None else None
    node = found[2] if found is not None else None
    return [one.arg for one in (*node.args.posonlyargs, *node.args.args)][1:] if isinstance(node, Function) else []


def _constants(call: ast.Call, names: list[str]) -> dict[str, object]:
    """The texts and truth values among a call's arguments, by parameter."""
    by_position = ((names[n] if n < len(names) else str(n), value) for n, value in enumerate(call.args))
    by_name = ((keyword.arg or "**", keyword.value) for keyword in call.keywords)
    return {
        name: value.value
        for name, value in (*by_position, *by_name)
        if isinstance(value, ast.Constant) and isinstance(value.value, str | bool)
    }


_NO_GRADIENT = re.compile(r"no_grad|inference_mode|set_grad_enabled\(False")


def _without_gradient(call: Call) -> bool:
    """Whether a call is made under `no_grad`, on detached input, or its result is detached."""
    around = chain(call.site)
    for node in around:
        if isinstance(node, ast.With) and any(_NO_GRADIENT.search(ast.unparse(i.context_expr)) for i in node.items):
            return True
        if isinstance(node, Function) and any(_NO_GRADIENT.search(ast.unparse(d)) for d in node.decorator_list):
            return True
    named = [value for one in call.node.args if isinstance(one, ast.Name) for value in _values_of(call, one.id)]
    inside = [node for root in (*call.node.args, *named) for node in walk(root)]
    return any(isinstance(node, ast.Attribute) and node.attr in ("detach", "detach_") for node in (*around, *inside))


# ---- state that the code hands on


def _threads_state(reuse: Reuse) -> bool:
    """`h = self.cell(x1, h)`, then `h = self.cell(x2, h)`: the state comes back beside an input that is another one."""
    if any(len(call.inputs) < 2 for call in reuse.sites):
        return False
    known, inputs = set[str](), set[tuple[int, ...]]()
    for number, call in enumerate(reuse.sites):
        known_here = known | _targets(call)
        states = [bool(_names([argument]) & known_here) for argument in call.node.args]
        if number and not any(states):
            return False
        inputs.add(tuple(ident for ident, state in zip(call.inputs, states, strict=False) if not state))
        known = known_here
    return bool(known) and (len(inputs) > 1 or _is_cell(reuse.instance))


def _is_cell(instance: Instance) -> bool:
    return (instance.type_name or "").startswith("torch.nn.modules.rnn.") and (instance.type_name or "").endswith(
        "Cell"
    )


def _reads_states(reuse: Reuse) -> bool:
    """Whether all that feeds the calls are the states of one recurrent instance."""
    sources = {one.instance.ident: one.instance for call in reuse.calls for one in producers(reuse.trace, call)}
    if len(sources) != 1 or any(not call.lineage for call in reuse.calls):
        return False
    (cell,) = sources.values()
    calls = grouped(reuse.trace).get(cell, [])
    if cell is reuse.instance or len(calls) < 2:
        return False
    other = reuse_of(reuse.trace, cell, reuse.attribute, calls, reuse.must, reuse.carries)
    return other.relation == "recurrent" or len(other.positions) > 1 and _threads_state(other)


_STEP = re.compile(r"^(?:d_?t|dx|h|hh|eps|epsilon|tau|delta(?:_?t)?|step(?:_?size)?|half_?(?:dt|step)|\w+_dt)$")


def _is_scaled(call: Call) -> bool:
    """Whether a call's result is multiplied with a step size: `x + dt * self.f(x)`, or `k1 = self.f(x)` and `dt * k1` later."""
    if any(_is_step(node) for node in chain(call.site)):
        return True
    function, targets = function_at(call.site), _targets(call)
    return function is not None and any(
        _is_step(node) and targets & _names([node]) for node in walk(function) if isinstance(node, ast.expr)
    )


def _is_step(node: ast.AST) -> bool:
    """A product, one factor of which is named like a step size."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult | ast.Div):
        return False
    return any(_STEP.match(name) for side in (node.left, node.right) for name in _last_names(side))


def _last_names(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.BinOp(left=left, right=right, op=ast.Mult() | ast.Div()):
            yield from (*_last_names(left), *_last_names(right))
        case _:
            return


_BACK = frozenset(
    "rec recon reconst recons reconstruct reconstructed reconstruction hat cycle cyc fake back recover recovered rebuilt "
    "restored generated gen synth synthetic tilde idt".split()
)


def _comes_back(reuse: Reuse) -> str | None:
    """The word that says that a later call reads a reconstruction; or the decoder that lies between two calls of an encoder."""
    for call in reuse.sites[1:]:
        for name in sorted(_names(call.node.args)):
            word = next((word for word in words_of(name) if word in _BACK), None)
            if word is not None:
                return word
    own = {word[:3] for word in words_of(reuse.attribute)}
    for call in between(reuse):
        paths = reuse.trace.paths_of(call.instance)
        other = {word[:3] for word in words_of(paths[0])} if paths else set[str]()
        if ("enc" in own and "dec" in other) or ("dec" in own and "enc" in other):
            return paths[0]
    return None


# ---- names


def _written_alias(reuse: Reuse) -> bool:
    """Whether calls name the instance in several ways, each of which the constructor has given it."""
    paths = [path for path in reuse.trace.paths_of(reuse.instance) if "*" not in path]
    return len(paths) > 1 and len({ast.unparse(call.node.func) for call in reuse.sites}) > 1


_COMMENTED = re.compile(r"\s*#\s*self\.(\w+)\s*=")


def _commented_out(reuse: Reuse) -> str | None:
    """A sibling, `conv2` of `conv1`, whose assignment is commented out where the instance is made, and which does not exist."""
    own, names = reuse.definition, {one.name for one in reuse.trace.definitions}
    found = (_COMMENTED.match(line) for line in (own.unit.lines if own is not None else ()))
    siblings = (match[1] for match in found if match is not None)
    return next((one for one in siblings if one not in names and are_siblings(reuse.attribute, one)), None)


_PAIRED = frozenset(
    "pos neg positive negative left right src tgt source target query doc document question answer passage context anchor real "
    "fake premise hypothesis first second prev previous next cur current past future clean noisy weak strong user item head tail "
    "subj obj subject object support test train val old new start end front rear global local fwd bwd forward backward low high "
    "img image txt text x y z a b i j l r s t u m n p h g c d e f w".split()
)


def are_counterparts(calls: Iterable[Call]) -> bool:
    """Whether calls are given the same but for numbers and words that come in pairs: `(pos_graph, h)` and `(neg_graph, h)`."""
    written = {_written(call) for call in calls}
    return len(written) > 1 and len({_without_pairs(text) for text in written}) == 1


def _written(call: Call) -> str:
    return ", ".join(ast.unparse(one) for one in (*call.node.args, *(keyword.value for keyword in call.node.keywords)))


def _without_pairs(text: str) -> str:
    """A text whose numbers and paired words are blanked out."""

    def blanked(match: re.Match[str]) -> str:
        return "_".join("·" if word in _PAIRED or word.isdigit() else word for word in words_of(match.group(0)))

    return re.sub(r"\w+", blanked, text)


# ---- the statement around a call


def _targets(call: Call) -> set[str]:
    """The names that the statement around a call binds."""
    statement = next((n for n in reversed(chain(call.site)) if isinstance(n, ast.stmt)), None)
    return _names(statement.targets) if isinstance(statement, ast.Assign) else set[str]()


def _names(nodes: Iterable[ast.expr]) -> set[str]:
    return {node.id for root in nodes for node in walk(root) if isinstance(node, ast.Name)}


def _values_of(call: Call, name: str) -> list[ast.expr]:
    """What the function around a call assigns to a name."""
    function = function_at(call.site)
    return [
        node.value
        for node in (walk(function) if function is not None else ())
        if isinstance(node, ast.Assign) and name in _names(node.targets)
    ]
