"""Construction: running an object's constructor, when someone looks inside it, and what an instance carries."""

from dataclasses import dataclass, replace

from nnreuse.tracing import calls
from nnreuse.tracing.fields import assign_fields
from nnreuse.tracing.machine import Machine, OutOfBounds
from nnreuse.tracing.trace import Answer
from nnreuse.tracing.values import (
    Class,
    Const,
    Content,
    Function,
    Instance,
    Items,
    Mapping,
    May,
    Name,
    Opaque,
    Partial,
    Value,
    alternatives,
)
from nnreuse.types.catalog import UNKNOWN, Carries, ModuleFacts
from nnreuse.types.meaning import External, ModuleClass

_NESTED_STEPS = 4_000
_NESTED_DEPTH = 6
_TRACE_STEPS, _USAGE_STEPS = 20_000, 200_000
"""Steps that one trace, or one run for usage, may spend in the constructors of blocks; past it, blocks are not looked into."""
DICTIONARIES = frozenset(
    ["dict", "builtins.dict", "collections.OrderedDict", "collections.UserDict", "typing.OrderedDict"]
)
NOTHING_CARRIED = Carries(False, False, False, False)
_UNKNOWN_CARRIED = Carries(None, None, None, None)


def construct(m: Machine, made: Instance) -> None:
    """Runs the constructor of an instance once; it stays `complete` only if all of it was seen."""
    if made.constructed:
        if m.intern.written is not None or m.intern.asked:  # somebody watches what follows from what
            m.note_again(made.ident)
        return
    made.constructed = True
    if (
        made.cls is None
        or m.depth >= _NESTED_DEPTH
        or m.intern.spent > (_USAGE_STEPS if m.intern.counting else _TRACE_STEPS)
    ):
        made.complete = made.cls is None
        return
    thorough = m.halving or m.intern.counting
    inner = Machine(m.program, m.intern, _NESTED_STEPS * 3 if thorough else _NESTED_STEPS, m.depth + 1)
    inner.halving, inner.patient = m.halving, m.patient
    inner.globals, inner.lineages = m.globals, m.lineages
    with m.noting(made.ident):
        run_constructor(inner, made, made.positional, made.keywords)
    made.complete = inner.complete and not inner.given_up
    m.intern.spent += inner.steps


def run_constructor(m: Machine, made: Instance, positional: tuple[Value, ...], keywords: dict[str, Value]) -> None:
    """`__init__`, or the torch constructor that the class inherits."""
    assert made.cls is not None
    found = made.cls.find("__init__")
    try:
        if found is not None:
            owner, unit, node = found
            if isinstance(node, calls.DEFINITIONS):
                calls.enter(m, Function(owner.file, unit, node, None, owner, made), positional, keywords, None)
        else:
            inherit(m, made, positional, keywords)
    except OutOfBounds:
        m.complete = False
    if made.elements is None and (facts := m.program.facts(made.cls)) is not None and facts.container:
        calls.objects.fill(m, made, facts, (), {})


def inherit(
    m: Machine,
    made: Instance,
    positional: tuple[Value, ...],
    keywords: dict[str, Value],
    after: ModuleClass | None = None,
) -> None:
    """The constructor nobody wrote: containers of torch take their elements, dataclasses their fields."""
    if not made.is_module and made.cls is not None:
        if any(isinstance(base, External) and base.dotted in DICTIONARIES for base in made.cls.mro):
            made.elements = calls.objects.dictionary(m, positional, keywords)
        assign_fields(m, made, positional, keywords, after)
        return
    facts = m.program.facts(made.cls) if made.cls is not None else None
    if facts is None:
        return
    made.handed_up = _arguments(m, facts, positional, keywords)
    if facts.container and made.elements is None:
        calls.objects.fill(m, made, facts, positional, keywords)


def carries(m: Machine, made: Instance, depth: int = 0) -> Carries:
    """What an instance owns, with everything below it. Facts of torch for torch's classes, the constructor's doing for others."""
    return answer(m, made, depth).carried


def answer(m: Machine, made: Instance, depth: int = 0) -> Answer:
    """What an instance carries: worked out once for all that are allocated alike, and perhaps by the trace before."""
    if not made.is_module or made.cls is None and made.facts is None:
        return Answer(own(m, made), set(), 0, False)
    if made.elements is not None and made.cls is None:
        return _worked_out(m, made, depth)
    said = Allocation(fingerprint(m, made), False) if m.intern.counting else exactly(m, made)
    key = made.cls, made.facts.name if made.facts else None, made.adds_state, said.text
    known = m.carried.get(key)
    if known is None:
        known = m.remembered.get(key) if said.lasts and not depth else None
        if known is not None:
            m.intern.spent += known.steps
        else:
            known = _worked_out(m, made, depth)
        m.carried[key] = known
        # Past that bound, or with patience, the order in which is asked may decide.
        if said.lasts and not depth and not known.altered and not m.patient and m.intern.spent < _TRACE_STEPS // 2:
            m.answered[key] = known
    m.program.reads.note(*known.read)
    return known


def _worked_out(m: Machine, made: Instance, depth: int) -> Answer:
    read, spent = set[object](), m.intern.spent
    m.intern.asked += 1
    try:
        with m.program.reads.into(read):
            found = _carries(m, made, depth)
    finally:
        m.intern.asked -= 1
    return replace(found, read=read, steps=m.intern.spent - spent)


@dataclass(frozen=True, slots=True)
class Allocation:
    """What an allocation says of an instance. `lasts`: in the next trace as well."""

    text: tuple[object, ...]
    lasts: bool


def exactly(m: Machine, made: Instance) -> Allocation:
    """All that the arguments of an instance say, sizes too."""
    lasts = made.copy_of is None

    def mark(value: Value) -> object:
        nonlocal lasts
        match value:
            case Const(constant):
                return type(constant), constant
            case Name() | Class():
                return value
            case Function(node=node, closure=None, receiver=None):
                return node
            case Partial(function, positional, keywords):
                return mark(function), *map(mark, positional), *((k, mark(v)) for k, v in sorted(keywords.items()))
            case Items(kind=kind, content=Content(items, False)):
                return kind, *map(mark, items)
            case Mapping(entries=entries, open=False):
                return "mapping", *((k, mark(v)) for k, v in entries.items())
            case Opaque(truth=truth, kind=kind):
                return "?", truth, kind
            case _:
                lasts = False
                return "this one", m.ident(value)

    text = *map(mark, made.positional), *((k, mark(v)) for k, v in sorted(made.keywords.items()))
    return Allocation(text, lasts)


def fingerprint(m: Machine, made: Instance) -> tuple[object, ...]:
    """What its arguments say of an instance; equal for instances that are built alike, sizes apart.

    Of sizes it counts which are equal, and which are 0 or 1: a stride or an expansion that changes nothing often decides.
    """
    sizes: dict[object, int] = {}

    def mark(value: Value) -> object:
        match value:
            case Const(constant):
                if isinstance(constant, str | bool | None) or constant in (0, 1):
                    return constant
                return "number", sizes.setdefault(constant, len(sizes))
            case Name(external):
                return external.dotted
            case Class(cls):
                return cls
            case Function(node=node):
                return node
            case Partial(function, positional, keywords):
                return mark(function), *map(mark, positional), *((k, mark(v)) for k, v in sorted(keywords.items()))
            case Instance():
                return value.type_name, value.ident
            case _:
                return "?"

    return tuple(map(mark, made.positional)), tuple((k, mark(v)) for k, v in sorted(made.keywords.items()))


def _carries(m: Machine, made: Instance, depth: int) -> Answer:
    """The answer, without what was read and the steps it took."""
    if depth > 8:
        return Answer(_UNKNOWN_CARRIED, set(), 0, False, True, True)
    construct(m, made)
    alone, inside = own(m, made), below(m, made)
    parts = [answer(m, inner, depth + 1) for inner in inside]
    unsure = not made.complete or _holds_unknown(m, made)
    total = any_of([alone, *(part.carried for part in parts)], unsure)
    if made.adds_state:
        total = Carries(total.parameters, total.running_stats, total.stochastic, True)
    learns = made.frozen or unsure or _own_learn(m, made)  # what freezes it from outside says nothing of others
    learns = learns or any(part.learns and not one.frozen for one, part in zip(inside, parts, strict=True))
    altered = made.adds_state or any(part.altered for part in parts)
    chooses = any(isinstance(one, May) for one in _held(made)) or any(part.chooses for part in parts)
    return Answer(total, set(), 0, altered, learns, chooses)


def _held(made: Instance) -> list[Value]:
    """What an instance holds under names, and as a container."""
    held = made.elements
    inside = () if held is None else held.content.items if isinstance(held, Items) else held.entries.values()
    return [*made.attrs.values(), *inside]


def _own_learn(m: Machine, made: Instance) -> bool:
    """Whether parameters that an instance owns itself may learn."""
    if own(m, made).parameters is False:
        return False
    facts = m.program.facts(made.cls) if made.cls is not None else made.facts
    inherits = facts is not None and not facts.container and not facts.name.endswith(".Module")
    mine = parameters_of(m, made)
    return inherits or not mine or any(ident not in m.intern.frozen for ident in mine)


def parameters_of(m: Machine, made: Instance) -> list[int]:
    """The idents of the parameters that an instance holds under names."""
    values = [one for one in made.attrs.values() if isinstance(one, Opaque)]
    return [one.ident for one in values if one.ident in m.intern.parameters]


_FIELDS = ("parameters", "running_stats", "stochastic", "other_state")


def any_of(parts: list[Carries], unsure: bool = False) -> Carries:
    """What several things carry together; `unsure` when there may be more of them."""
    return Carries(*(_any([getattr(c, n) for c in parts], unsure) for n in _FIELDS))


def _any(values: list[bool | None], unsure: bool) -> bool | None:
    if True in values:
        return True
    return None if unsure or None in values else False


def owns(m: Machine, made: Instance) -> Carries:
    """What an instance carries itself, without what is below it, once its constructor has run."""
    construct(m, made)
    return own(m, made)


def own(m: Machine, made: Instance) -> Carries:
    """The same, as far as its constructor has run."""
    if not made.is_module:
        return NOTHING_CARRIED
    if made.cls is None:
        if made.facts is None:
            return _UNKNOWN_CARRIED
        return made.facts.carries(_arguments(m, made.facts, made.positional, made.keywords))
    facts = m.program.facts(made.cls)
    registers = bool(made.attrs.get("<parameters>"))
    if facts is None or facts.container or facts.name.endswith(".Module"):
        return Carries(registers, bool(made.attrs.get("<running>")), False, False)
    arguments = {p.name: UNKNOWN for p in facts.parameters_in_order} if made.handed_up is None else made.handed_up
    told, default = facts.carries(arguments), facts.carries({})
    # What is not known of the arguments is torch's default.
    inherited = Carries(*(getattr(default if getattr(told, name) is None else told, name) for name in _FIELDS))
    return any_of([inherited, Carries(registers, bool(made.attrs.get("<running>")), False, False)])


def _arguments(
    m: Machine, facts: ModuleFacts, positional: tuple[Value, ...], keywords: dict[str, Value]
) -> dict[str, object]:
    return facts.bind([_plain(m, v) for v in positional], {k: _plain(m, v) for k, v in keywords.items()})


def _plain(m: Machine, value: Value) -> object:
    value = m.settle(value)
    return value.value if isinstance(value, Const) else UNKNOWN


def below(m: Machine, made: Instance) -> list[Instance]:
    """The registered submodules directly below an instance."""
    values: list[Value] = [v for k, v in made.attrs.items() if not k.startswith("<")]
    if made.elements is not None:
        values += _contained(made.elements)
    if made.facts is not None and made.facts.keeps and made.cls is None:
        bound = made.facts.bind(list(made.positional), dict(made.keywords))
        values += [v for k, v in bound.items() if k in made.facts.keeps and isinstance(v, Instance)]
    found: list[Instance] = []
    for value in values:
        for one in alternatives(value):
            if isinstance(one, Instance) and one.is_module and one is not made and one not in found:
                found.append(one)
    return found


def parts(m: Machine, made: Instance) -> list[Instance]:
    """The submodules directly below an instance, once its constructor has run."""
    construct(m, made)
    return below(m, made)


def _holds_unknown(m: Machine, made: Instance) -> bool:
    """Whether something unknown stands in its container, came from an unknown callable, or is called by its methods."""
    parameters = made.facts is not None and made.facts.container == "parameters"
    elements = _contained(made.elements) if made.elements is not None and not parameters else []
    if any(isinstance(one, Opaque) for value in elements for one in alternatives(value)):
        return True
    called = made.cls.called if made.cls is not None else frozenset[str]()
    return any(
        isinstance(one, Opaque) and (one.ident in m.intern.constructed or name in called)
        for name, value in made.attrs.items()
        for one in alternatives(value)
    )


def _contained(elements: Items | Mapping) -> list[Value]:
    return list(elements.content.items) if isinstance(elements, Items) else list(elements.entries.values())
