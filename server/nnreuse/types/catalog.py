"""Catalog: what torch's own module classes carry, under which constructor arguments.

The facts are torch's, found by `nnreuse/probe.py` and shipped as torch_catalog.json; nothing here is written by hand.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, cast

SCHEMA: Final = 2


class Mark(Enum):
    """What stands where a literal value would."""

    UNKNOWN = "unknown"
    REQUIRED = "required"
    NONLITERAL = "nonliteral"


UNKNOWN: Final = Mark.UNKNOWN
REQUIRED: Final = Mark.REQUIRED
NONLITERAL: Final = Mark.NONLITERAL

Container = Literal["sequential", "list", "dict", "parameters"]
Kind = Literal["either", "keyword", "args", "kwargs"]
Field = Literal["parameters", "running_stats", "stochastic", "other_state"]
Condition = bool | Literal[">1"]
Patterns = tuple[str, ...]
"""What a forward does to the shape of its one tensor: `a in_channels c d -> a out_channels ? ?`, one for each rank.

A letter is any size, the same on both sides; a name is the constructor's argument, which an input must agree with; `?` is unknown;
`...` stands for any number of axes. None at all: not known.
"""


@dataclass(frozen=True, slots=True)
class Carries:
    """What an instance owns; None: unknown.

    A module that was given to the constructor and is held itself (`keeps`) is not counted, a copy of it (`copies`) is.
    """

    parameters: bool | None
    running_stats: bool | None
    stochastic: bool | None
    other_state: bool | None
    """A training forward changes a buffer: running statistics, or others such as those of observers."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a constructor, self not counted. `either`: by position or by keyword."""

    name: str
    kind: Kind
    default: object


@dataclass(frozen=True, slots=True)
class Variant:
    """Where all the conditions hold, these fields have these values, whatever earlier variants said.

    A condition is the truth of the argument (0.0 and None are false), or `>1`.
    """

    when: Mapping[str, Condition]
    then: Mapping[Field, bool]
    shapes: Patterns | None


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """One module class. `bases`: its ancestors among module classes, nearest first, `torch.nn.modules.module.Module` last.

    `keeps` and `copies` name the constructor parameters that take a module (or a container of modules).
    """

    name: str
    bases: tuple[str, ...]
    parameters_in_order: tuple[Parameter, ...]
    container: Container | None
    copies: frozenset[str]
    keeps: frozenset[str]
    recurrent: bool
    by_default: Carries
    variants: tuple[Variant, ...]
    shapes_by_default: Patterns
    defaults: Mapping[str, object] = field(init=False, compare=False, repr=False)
    """By parameter; REQUIRED where it has none."""
    _positions: tuple[str, ...] = field(init=False, compare=False, repr=False)
    _rest: str | None = field(init=False, compare=False, repr=False)
    _shaping: tuple[Variant, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        parameters = self.parameters_in_order
        derived: dict[str, object] = {
            "defaults": {parameter.name: parameter.default for parameter in parameters},
            "_positions": tuple(parameter.name for parameter in parameters if parameter.kind == "either"),
            "_rest": next((parameter.name for parameter in parameters if parameter.kind == "args"), None),
            "_shaping": tuple(variant for variant in self.variants if variant.shapes is not None),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def carries(self, arguments: Mapping[str, object]) -> Carries:
        """What an instance made with these arguments owns. One that is UNKNOWN leaves unknown whatever it decides."""
        values = {**self.defaults, **arguments}
        matches = [(variant, _holds(variant, values)) for variant in self.variants]
        return Carries(
            parameters=_settle("parameters", self.by_default.parameters, matches),
            running_stats=_settle("running_stats", self.by_default.running_stats, matches),
            stochastic=_settle("stochastic", self.by_default.stochastic, matches),
            other_state=_settle("other_state", self.by_default.other_state, matches),
        )

    def shapes(self, arguments: Mapping[str, object]) -> Patterns:
        """What an instance made with these arguments does to shapes; none where that depends on one that is UNKNOWN."""
        found = self.shapes_by_default
        values = {**self.defaults, **arguments} if self._shaping else {}
        for variant in self._shaping:
            if (held := _holds(variant, values)) is not False:
                found = (variant.shapes or ()) if held else ()
        return found

    def bind(self, positional: Sequence[object], keywords: Mapping[str, object]) -> dict[str, object]:
        """Arguments by name; `*args` as a tuple under its own name. Positions that nothing takes are left out."""
        bound = dict(zip(self._positions, positional, strict=False))
        if self._rest is not None and len(positional) > len(self._positions):
            bound[self._rest] = tuple(positional[len(self._positions) :])
        return {**bound, **keywords}


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """A function that changes a module in place and returns it, such as `torch.nn.utils.spectral_norm`."""

    name: str
    returns_argument: str
    adds_state: bool


def _holds(variant: Variant, values: Mapping[str, object]) -> bool | None:
    held = [_meets(values.get(name), condition) for name, condition in variant.when.items()]
    if False in held:
        return False
    return None if None in held else True


def _meets(value: object, condition: Condition) -> bool | None:
    if isinstance(value, Mark):
        return None
    if condition == ">1":
        return isinstance(value, int | float) and value > 1
    return bool(value) == condition


def _settle(field: Field, default: bool | None, matches: Sequence[tuple[Variant, bool | None]]) -> bool | None:
    """The one possible outcome, or None where there are several."""
    possible: set[bool | None] = {default}
    for variant, holds in matches:
        if field in variant.then and holds is not False:
            if holds:
                possible.clear()
            possible.add(variant.then[field])
    return possible.pop() if len(possible) == 1 else None


class Catalog:
    """Facts by dotted name: the canonical one (`torch.nn.modules.conv.Conv2d`) or any path that leads to the class."""

    def __init__(
        self,
        torch: str,
        classes: Mapping[str, Any],
        functions: Mapping[str, Any],
        keeping: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.torch = torch
        self.tables: Final = (classes, functions, keeping)
        """All that it says."""
        self._classes = classes
        self._functions = functions
        self._canonical = _names(classes) | _names(functions)
        self._found: dict[str, ModuleFacts] = {}
        self._keeping = keeping or {}

    @staticmethod
    @cache
    def shipped() -> "Catalog":
        """The catalog of the torch that the package was released with."""
        return Catalog.from_json(Path(__file__).with_name("torch_catalog.json").read_text("utf-8"))

    @staticmethod
    def from_json(text: str) -> "Catalog":
        """What the probe printed. Raises ValueError where it is not that, or of another schema."""
        read: object = json.loads(text)
        document = cast(dict[str, object], read) if isinstance(read, dict) else {}
        schema = document.get("schema")
        if schema != SCHEMA:
            raise ValueError(f"catalog: schema is {schema!r}, not {SCHEMA}; run the probe again")
        keeping = {kind: frozenset(names) for kind, names in _table(document, "keeping").items()}
        return Catalog(str(document.get("torch")), _table(document, "classes"), _table(document, "functions"), keeping)

    def agrees(self, other: "Catalog") -> bool:
        """Whether both say the same, of whatever version of torch."""
        return self.tables == other.tables

    def __iter__(self) -> Iterator[str]:
        """The canonical names of all classes."""
        return iter(self._classes)

    def find(self, dotted: str) -> ModuleFacts | None:
        """The facts of a module class; None for anything else."""
        name = self._canonical.get(dotted)
        if name is None or name not in self._classes:
            return None
        if name not in self._found:
            self._found[name] = _module_facts(name, self._classes[name])
        return self._found[name]

    def is_module(self, dotted: str) -> bool:
        return self._canonical.get(dotted) in self._classes

    def keeps_shape(self, dotted: str, with_numbers: bool) -> bool:
        """Whether a function's result, or that of a `torch.Tensor` method, has the shape of its first argument.

        `with_numbers`: all that it is given besides is no tensor, so that nothing is broadcast.
        """
        return any(dotted in self._keeping.get(kind, ()) for kind in ("always", "with_numbers")[: 1 + with_numbers])

    def function(self, dotted: str) -> FunctionFacts | None:
        """The facts of a function that hands back the module it is given; None for anything else."""
        name = self._canonical.get(dotted)
        if name is None or name not in self._functions:
            return None
        entry = self._functions[name]
        return FunctionFacts(name, entry["returns_argument"], entry["adds_state"])


def _table(document: Mapping[str, object], key: str) -> dict[str, Any]:
    table = document.get(key)
    if isinstance(table, dict):
        return cast(dict[str, Any], table)
    raise ValueError(f"catalog: {key!r} is missing")


def _names(table: Mapping[str, Any]) -> dict[str, str]:
    aliases = {alias: name for name, entry in table.items() for alias in entry["aliases"]}
    return aliases | {name: name for name in table}


def _module_facts(name: str, entry: Mapping[str, Any]) -> ModuleFacts:
    return ModuleFacts(
        name=name,
        bases=tuple(entry["bases"]),
        parameters_in_order=tuple(_parameter(parameter) for parameter in entry["signature"]),
        container=entry["container"],
        copies=frozenset(entry["copies"]),
        keeps=frozenset(entry["keeps"]),
        recurrent=entry["recurrent"],
        by_default=Carries(entry["parameters"], entry["running_stats"], entry["stochastic"], entry["other_state"]),
        variants=tuple(_variant(variant) for variant in entry["variants"]),
        shapes_by_default=tuple(entry["shapes"] or ()),
    )


def _parameter(entry: Mapping[str, Any]) -> Parameter:
    missing = NONLITERAL if "nonliteral" in entry else REQUIRED
    return Parameter(entry["name"], entry.get("kind", "either"), entry.get("default", missing))


def _variant(entry: Mapping[str, Any]) -> Variant:
    then = cast(dict[Field, bool], {key: value for key, value in entry.items() if key not in ("when", "shapes")})
    return Variant(entry["when"], then, tuple(entry["shapes"]) if "shapes" in entry else None)
