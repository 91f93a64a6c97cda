"""Values: what the interpreter computes with. Tensors and everything unknown are opaque and carry only their lineage.

A lineage is a bit set: bit n is set when the value depends on the trace's n-th call. An ident is an interned
identity: two values with one ident are the same value at run time.
"""

import ast
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from nnreuse.syntax.units import Place, Unit
from nnreuse.tracing.conditions import NOTHING, Literals
from nnreuse.types.catalog import ModuleFacts
from nnreuse.types.file import File
from nnreuse.types.meaning import External, FileRef, ModuleClass

if TYPE_CHECKING:
    from nnreuse.tracing.machine import Frame
    from nnreuse.tracing.trace import Turn


@dataclass(eq=False, slots=True)
class Opaque:
    """Anything not known. `kind` is the builtin type that an annotation gives it: `int`, `str`."""

    ident: int
    lineage: int = 0
    truth: bool | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Const:
    """A Python constant. `display` is how a name made in a loop is written (`fc*`), where that differs."""

    value: object
    display: str | None = None


@dataclass(eq=False, slots=True)
class Index:
    """The variable of a loop of unknown length in one pass: `base` names the loop's range, `position` counts from its start."""

    base: int
    position: int
    ident: int
    general: bool


@dataclass(frozen=True, slots=True)
class Content:
    """The elements of a list at one moment; `open` when more of the same kind may follow."""

    items: "tuple[Value, ...]"
    open: bool = False
    ended: "tuple[Turn, ...] | None" = field(default=None, compare=False)
    """The pass of loops in which its last item was added, where nothing stands behind that: until these loops end."""


@dataclass(eq=False, slots=True)
class Items:
    """A list, tuple or set. The content sits in a cell so that branches can journal it."""

    kind: str
    ident: int
    cell: dict[int, Content]
    more: "dict[object, Value]" = field(default_factory=dict[object, "Value"])
    lineage: int = 0
    place: Place | None = None
    fields: tuple[str, ...] = ()
    """The names of its elements, where it is a named tuple."""

    @property
    def content(self) -> Content:
        return self.cell[0]


@dataclass(eq=False, slots=True)
class Mapping:
    """A dict with constant keys, in order; `open` when other keys may exist."""

    ident: int
    entries: "dict[object, Value]"
    open: bool = False
    more: "dict[object, Value]" = field(default_factory=dict[object, "Value"])
    shown: dict[object, str] = field(default_factory=dict[object, str])


@dataclass(eq=False, slots=True)
class Instance:
    """One object made by one execution of an allocating expression (or one unknown value that is called as a module)."""

    ident: int
    cls: ModuleClass | None
    facts: ModuleFacts | None
    place: Place | None
    file: File | None
    positional: "tuple[Value, ...]" = ()
    keywords: "dict[str, Value]" = field(default_factory=dict[str, "Value"])
    attrs: "dict[str, Value]" = field(default_factory=dict[str, "Value"])
    elements: "Items | Mapping | None" = None
    given: Literals = NOTHING
    shown: dict[str, str] = field(default_factory=dict[str, str])
    constructed: bool = False
    complete: bool = True
    is_module: bool = True
    handed_on: bool = False
    lost: bool = False
    """Whether it lay past a bound: it may be held where nobody sees it."""
    adds_state: bool = False
    copy_of: "Instance | None" = None
    external: str | None = None
    frozen: bool = False
    """Whether the parameters of a torch module do not learn; those of own classes are told apart."""
    handed_up: "dict[str, object] | None" = None
    """What the constructor of its class gives the one of torch that it inherits, by name; None where it gives it nothing."""

    @property
    def type_name(self) -> str | None:
        """The canonical qualified name of its class."""
        if self.cls is not None:
            return self.cls.qualified
        return self.facts.name if self.facts else self.external


@dataclass(eq=False, slots=True)
class Function:
    """A function, lambda or method; `receiver` when bound, `owner` the class it stands in (for `super()`).

    `defaults`: the values of its parameters' defaults, where they were computed inside another function.
    """

    file: File
    unit: Unit
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    closure: "Frame | None"
    owner: ModuleClass | None = None
    receiver: "Value | None" = None
    defaults: "tuple[tuple[ast.expr, Value], ...]" = ()


@dataclass(frozen=True, slots=True)
class Class:
    """A class of a readable file, as a value."""

    cls: ModuleClass


@dataclass(frozen=True, slots=True)
class Record:
    """The class that `namedtuple` makes, as a value."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """A dotted external name as a value: a function or a class of torch, say."""

    external: External


@lru_cache(maxsize=4096)
def named(dotted: str) -> Name:
    """The value of a dotted external name; each is made once."""
    return Name(External(dotted))


@dataclass(frozen=True, slots=True)
class Package:
    """A module object as a value."""

    file: FileRef


@dataclass(eq=False, slots=True)
class Method:
    """A method of a value that is not a traced function: `self.layers.append`, `x.view`."""

    receiver: "Value"
    name: str


@dataclass(eq=False, slots=True)
class Partial:
    """A callable with arguments already given."""

    function: "Value"
    positional: "tuple[Value, ...]"
    keywords: "dict[str, Value]"


@dataclass(eq=False, slots=True)
class Super:
    """`super()` in a method of `after`."""

    receiver: Instance
    after: ModuleClass


@dataclass(eq=False, slots=True)
class May:
    """One of a few values, each under its literals."""

    options: "tuple[tuple[Literals, Value], ...]"


Value = (
    Opaque
    | Const
    | Index
    | Items
    | Mapping
    | Instance
    | Function
    | Class
    | Name
    | Package
    | Method
    | Partial
    | Record
    | Super
    | May
)

NONE = Const(None)


def alternatives(value: Value) -> list[Value]:
    """The values that a value may be, under whatever literals."""
    return [one for _, one in value.options] if isinstance(value, May) else [value]
