"""Unread base: whether a class whose base cannot be read is nevertheless an `nn.Module`, as far as its own code tells."""

import ast
import re

from nnreuse.fixes.places import is_self
from nnreuse.rules.making import owns_something
from nnreuse.syntax.tree import walk
from nnreuse.tracing.trace import Trace
from nnreuse.types.meaning import External, ModuleClass
from nnreuse.types.program import Program

_NAMED_SO = re.compile(
    r"(?:module|model|net|network|layer|block|cell|encoder|decoder|backbone|head|detector|segmentor|classifier)$",
    re.IGNORECASE,
)
_OF_MODULES = frozenset(
    "training parameters named_parameters buffers named_buffers modules named_modules children named_children add_module"
    " register_module register_buffer register_parameter state_dict load_state_dict zero_grad requires_grad_ eval cuda".split()
)


def unread_base(program: Program, trace: Trace) -> str | None:
    """The base that leaves open whether a class is a module; None where torch's own class is among its ancestors, or it behaves so."""
    if program.facts(trace.cls) is not None or _acts_like_module(trace):
        return None
    unread = [base.dotted for base in trace.cls.mro if isinstance(base, External) and "." in base.dotted]
    return next((dotted.rpartition(".")[2] for dotted in unread), None)


def _acts_like_module(trace: Trace) -> bool:
    """Whether a base has the name of one, the class uses what every module has, or it keeps layers as attributes."""
    names = [base.dotted for base in trace.cls.mro if isinstance(base, External)]
    return any(map(_NAMED_SO.search, names)) or _uses_module(trace) or _keeps_layers(trace)


def _uses_module(trace: Trace) -> bool:
    classes = [cls for cls in trace.cls.mro if isinstance(cls, ModuleClass)]
    return any(_is_of_modules(node) for cls in classes for statement in cls.statements() for node in walk(statement))


def _is_of_modules(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in _OF_MODULES and is_self(node.value)


def _keeps_layers(trace: Trace) -> bool:
    """Whether the constructor makes layers with parameters and keeps each under a name."""
    named = [d for d in trace.definitions if isinstance(d.value, ast.Call)]
    return any(one.place is not None and owns_something(trace, one) for d in named for one in d.instances)
