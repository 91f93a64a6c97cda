"""Callers: what calls of a class in its own file give to its constructor, and the class traced with that.

Alone, a class does not say what a parameter is. Where it keeps one again and again, or calls it twice, who builds it may say so: the trace
as a caller builds it is what the rules look at then.
"""

import ast
import builtins
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from nnreuse.config.severity import Severity
from nnreuse.fixes.fix import refused
from nnreuse.fixes.inline import definition_of
from nnreuse.fixes.places import Function, chain, statement_at
from nnreuse.rules.context import Context
from nnreuse.rules.finding import Evidence, Finding, Related
from nnreuse.rules.reuse import own_units, says_shared
from nnreuse.syntax.once import once
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place, Unit, leaves
from nnreuse.tracing.given import Argument
from nnreuse.tracing.trace import Trace
from nnreuse.tracing.tracer import trace_given
from nnreuse.types.meaning import Meaning, ModuleClass
from nnreuse.types.reads import Aspect

Check = Callable[[Context], Iterator[Finding]]
_LAYER = re.compile(r"(?:^|_)(?:layer|block|module|cell|stage)$|(?:Layer|Block)$")
_LIGHT = re.compile(r"act|nonlin|relu|gelu|silu|fn|func|drop|pool|norm|sampl|flat|transform|identity", re.IGNORECASE)
"""Names of what mostly has no weights; a norm may be `nn.Identity()` too."""
UNKNOWN = "no caller in this file says what it is: only its name, or only its annotation"
_MODULE = re.compile(r"(?:^|\.)Module$")
_LOOPS = ast.For | ast.While | ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp | ast.BinOp


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter that the constructor uses again and again, and where the constructor names it."""

    node: ast.arg
    place: Place
    looped: bool
    has_default: bool

    @property
    def name(self) -> str:
        return self.node.arg


@dataclass(frozen=True, slots=True)
class AsGiven:
    """The class as somebody builds it: what is given, and where the call of the class stands."""

    context: Context
    arguments: tuple[Argument, ...]
    callers: tuple[Place, ...]
    guessed: Evidence | None


def with_callers(context: Context, check: Check) -> list[Finding]:
    """What a rule finds in a class, and what it warns of besides where the class is given what its callers give."""
    own, built = list(check(context)), as_given(context)
    if built is None or says_shared([context.trace.cls.units.docstring]):
        return own
    warned = {place for one in own if one.severity is Severity.WARNING for place in one.calls}
    given = [one for one in check(built.context) if one.severity is Severity.WARNING]
    more = [one for one in given if warned.isdisjoint(one.calls)]
    louder = {place for one in more for place in one.calls}
    return [
        *(one for one in own if louder.isdisjoint(one.calls)),
        *(_told(context.trace, one, built) for one in more),
    ]


def _told(trace: Trace, finding: Finding, built: AsGiven) -> Finding:
    """The finding with its caller. What a parameter holds is not made here, so no fix of this class makes another one."""
    name = trace.cls.name.rsplit(".", 1)[-1]
    related = tuple(Related(place, f"`{name}` is given it here", "definition") for place in built.callers)
    reason = refused(f"a caller of `{name}` makes it, and gives one")
    fixes = tuple(replace(fix, build=reason, migration=None, reach=None) for fix in finding.fixes[:1])
    if built.guessed is None:
        return replace(finding, related=(*related, *finding.related), fixes=fixes)
    return replace(finding, severity=Severity.INFORMATION, evidence=(*finding.evidence, built.guessed), fixes=fixes)


@once
def as_given(context: Context) -> AsGiven | None:
    """The class as a call in its file builds it; else as an annotation or a name has it. None where that tells nothing new."""
    trace = context.trace
    function = _constructor(trace)
    if function is None:
        return None
    parameters = list(_parameters(trace, *function))
    if not parameters:
        return None
    context.program.reads.note(Aspect(trace.cls.file.path, "text"))
    for call in _calls_of_class(context):
        found = list(_given(context, function[1], call, parameters))
        if found:
            return _traced(context, tuple(a for a, _ in found), tuple(p for _, p in found), None)
    return _guessed(context, parameters)


def _constructor(trace: Trace) -> tuple[Unit, ast.FunctionDef] | None:
    found = trace.cls.find("__init__")
    if found is None or found[1] not in own_units(trace) or not isinstance(found[2], ast.FunctionDef):
        return None
    return found[1], found[2]


def _parameters(trace: Trace, unit: Unit, function: ast.FunctionDef) -> Iterator[_Parameter]:
    """The parameters that the constructor keeps in a loop, or at two places, or that forward may call twice."""
    possible = [
        node for node in (*function.args.args[1:], *function.args.kwonlyargs) if node.arg not in _plain(function)
    ]
    if not possible:
        return
    again, optional = _named_again(unit), _with_defaults(function.args)
    for node in possible:
        if node.arg in again.called:
            continue
        looped = node.arg in again.looped
        if looped or node.arg in again.twice or _is_called_twice(trace, again.kept.get(node.arg)):
            yield _Parameter(node, Place(unit, unit.span(node)), looped, node.arg in optional)


_PLAIN = frozenset(
    "int float bool str bytes tuple list dict Tuple List Dict Sequence Iterable Tensor Callable type Type".split()
)


def _plain(function: ast.FunctionDef) -> frozenset[str]:
    """The parameters that hold no module: by default a number, a text or a truth value, or annotated so."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args]
    pairs = [*zip(named[len(named) - len(arguments.defaults) :], arguments.defaults, strict=True)]
    pairs += [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]
    found = {a.arg for a, default in pairs if isinstance(default, ast.Constant) and default.value is not None}
    return frozenset(found | {a.arg for a in (*named, *arguments.kwonlyargs) if _says_plain(a.annotation)})


def _says_plain(annotation: ast.expr | None) -> bool:
    match annotation:
        case ast.Subscript(value=value):
            return _says_plain(value)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in _PLAIN
        case _:
            return False


def _with_defaults(arguments: ast.arguments) -> set[str]:
    named = [*arguments.posonlyargs, *arguments.args]
    positional = {a.arg for a in named[len(named) - len(arguments.defaults) :]}
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return positional | {a.arg for a, default in pairs if default is not None}


def _is_called_twice(trace: Trace, attribute: str | None) -> bool:
    """Whether methods of the class call an attribute at two places, or in a loop."""
    if attribute is None:
        return False
    return sum(_called(unit)[attribute] for unit in own_units(trace)) > 1


@once
def _called(unit: Unit) -> Counter[str]:
    """The attributes of `self` that a unit calls, and how often; in a loop, each counts twice."""
    found = Counter[str]()
    for root in unit.nodes if not any(isinstance(n, ast.ClassDef) for n in unit.nodes) else ():
        nodes = [root, *(n for n in walk(root) if isinstance(n, _LOOPS))]
        for inner in (n for node in nodes for n in walk(node)):
            match inner:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name)):
                    found[name] += 1
                case _:
                    pass
    return found


@dataclass(frozen=True, slots=True)
class _Named:
    """Names by what a constructor does with them."""

    called: frozenset[str]
    looped: frozenset[str]
    """In a loop, a product, or an argument of a function."""
    twice: frozenset[str]
    kept: dict[str, str]
    """And the attribute of `self` that holds one."""


@once
def _named_again(unit: Unit) -> _Named:
    nodes = [n for root in unit.nodes for n in walk(root)]
    calls = [n for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    called = {n.func.id for n in calls if isinstance(n.func, ast.Name)}
    looped = {name for n in nodes if isinstance(n, _LOOPS) for name in _names_in(n)}
    looped |= {name for n in calls if _is_helper(n) for a in n.args for name in _names_in(a)}
    names = Counter(name for root in unit.nodes for name in _names_in(root))
    kept = dict(_kept(nodes))
    twice = {name for name, number in names.items() if number > 1}
    return _Named(frozenset(called), frozenset(looped), frozenset(twice), kept)


def _kept(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Attribute(attr=attribute)], value=ast.Name(id=name)):
                yield name, attribute
            case _:
                pass


def _is_helper(call: ast.Call) -> bool:
    """Whether a call is of a function that the file defines or imports, as far as its name says that."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    return name[:1].islower() and not hasattr(builtins, name)


def _names_in(node: ast.AST) -> list[str]:
    return [n.id for n in walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]


def _calls_of_class(context: Context) -> Iterator[tuple[Unit, ast.Call]]:
    """The calls of the class in its file, of its name as the file means it."""
    cls = context.trace.cls
    for unit in leaves(cls.file.index.parts):
        for call in _calls(unit).get(cls.name.rsplit(".", 1)[-1], ()):
            if context.program.dotted(cls.file, call.func) is cls:
                yield unit, call


@once
def _calls(unit: Unit) -> dict[str, list[ast.Call]]:
    """The calls with arguments in a unit, by the name of what is called."""
    found: dict[str, list[ast.Call]] = {}
    for node in (n for root in unit.nodes if not isinstance(root, ast.ClassDef) for n in walk(root)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and (node.args or node.keywords):
            found.setdefault(node.func.id, []).append(node)
    return found


def _given(
    context: Context, function: ast.FunctionDef, found: tuple[Unit, ast.Call], parameters: list[_Parameter]
) -> Iterator[tuple[Argument, Place]]:
    """What a call gives to these parameters, where it is made for this call alone."""
    unit, call = found
    names = [a.arg for a in function.args.args[1:]]
    values = dict(zip(names, call.args, strict=False)) if not any(isinstance(a, ast.Starred) for a in call.args) else {}
    values |= {k.arg: k.value for k in call.keywords if k.arg is not None}
    for parameter in parameters:
        value = values.get(parameter.name)
        made = _made(unit, value) if value is not None else None
        if value is not None and made is not None:
            yield Argument(parameter.name, context.trace.cls.file, unit, made), unit.place(value)


def _made(unit: Unit, value: ast.expr) -> ast.Call | None:
    """The constructor call that an argument is, or that a local is given which nothing else uses: else the caller shares it."""
    if isinstance(value, ast.Call):
        return value
    if not isinstance(value, ast.Name):
        return None
    place = unit.place(value)
    definition = definition_of(place, value.id)
    statement = statement_at(definition) if definition is not None else None
    around = next((n for n in chain(place) if isinstance(n, Function)), None)
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or around is None or _is_looped(place):
        return None
    once_only = _names_in(around).count(value.id) == 1
    return statement.value if once_only and isinstance(statement.value, ast.Call) else None


def _is_looped(place: Place) -> bool:
    return any(isinstance(n, ast.For | ast.While | ast.ListComp | ast.GeneratorExp) for n in chain(place))


def _guessed(context: Context, parameters: list[_Parameter]) -> AsGiven | None:
    """Where no caller is known: an annotation says that it is a module, or a name says that it is a layer."""
    cls, unit = context.trace.cls, parameters[0].place.unit
    annotated = {one: _annotated(context, one.node) for one in parameters if one.looped and not one.has_default}
    told = {
        one: meaning
        for one, meaning in annotated.items()
        if isinstance(meaning, ModuleClass) or _LAYER.search(one.name) or meaning and not _LIGHT.search(one.name)
    }
    if not told:
        return None
    arguments = tuple(Argument(one.name, cls.file, unit, None, _class_in(meaning)) for one, meaning in told.items())
    sure = all(isinstance(m, ModuleClass) or m is not None and _LAYER.search(one.name) for one, m in told.items())
    evidence = Evidence("unknown-caller", -2, UNKNOWN, parameters[0].place)
    return _traced(context, arguments, (), None if sure else evidence)


def _annotated(context: Context, node: ast.arg) -> Meaning | None:
    """The module class that a parameter is annotated with; `nn.Module` itself, of torch's."""
    if not isinstance(node.annotation, ast.Name | ast.Attribute):
        return None
    meaning = context.program.dotted(context.trace.cls.file, node.annotation)
    if isinstance(meaning, ModuleClass):
        return meaning if context.program.is_module_class(meaning) else None
    return meaning if _MODULE.search(ast.unparse(node.annotation)) else None


def _class_in(meaning: Meaning | None) -> ModuleClass | None:
    return meaning if isinstance(meaning, ModuleClass) else None


def _traced(
    context: Context, arguments: tuple[Argument, ...], callers: tuple[Place, ...], guessed: Evidence | None
) -> AsGiven:
    trace = trace_given(context.program, context.trace.cls, arguments)
    return AsGiven(Context(trace, context.program, context.settings), arguments, callers, guessed)
