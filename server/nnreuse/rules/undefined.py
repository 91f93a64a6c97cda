"""Undefined: attributes that forward calls and nothing sets, with the idle module of a like name that was meant."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from nnreuse.fixes.places import called_name, is_self
from nnreuse.fixes.uses import descendants, named_elsewhere
from nnreuse.rules.forgotten import is_forgotten, is_seen_in_full
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.once import once
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import leaves
from nnreuse.tracing.trace import Call, Definition, Trace
from nnreuse.types.meaning import External, ModuleClass

_BARE = frozenset({"torch.nn.modules.module.Module", "torch.nn.Module", "builtins.object", "object", "abc.ABC"})
"""Bases whose own attributes are no modules."""
_REGISTERING = frozenset("add_module register_module register_buffer register_parameter setattr __setattr__".split())
_LEFT_OPEN = frozenset({"NotImplementedError", "abstractmethod", "AttributeError", "__getattribute__"})
_VERBS = frozenset(("", "e", "y", "alize", "alise"))
_NOUNS = frozenset(("", "r", "er", "or", "ier", "ing", "ding", "ion", "ation", "tion", "ication", "ment"))
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_ALIKE = 0.8


@dataclass(frozen=True, slots=True)
class UndefinedCall:
    """The calls of an attribute that nothing sets, at one place each, and the idle definition that was meant."""

    name: str
    calls: tuple[Call, ...]
    meant: Definition


@once
def undefined_calls(trace: Trace) -> list[UndefinedCall]:
    """The attributes that forward calls, that nothing sets, and that an idle module has a like name for."""
    called = _unknown(trace)
    idle = [d for d in trace.definitions if is_forgotten(trace, d)] if called else []
    if not idle or not _is_closed(trace) or not is_seen_in_full(trace):
        return []
    idle = [d for d in idle if not named_elsewhere(trace.cls.surroundings, trace.cls.units, d.name)]
    return list(_paired(trace, called, idle))


def _paired(trace: Trace, called: dict[str, list[Call]], idle: list[Definition]) -> Iterator[UndefinedCall]:
    left = list(idle)
    for name, calls in called.items():
        meant = max(left, key=lambda d: _likeness(trace, name, d.name), default=None)
        if meant is None or not _likeness(trace, name, meant.name) or not is_set_nowhere(trace, name):
            continue
        left.remove(meant)
        yield UndefinedCall(name, tuple(calls), meant)


def _unknown(trace: Trace) -> dict[str, list[Call]]:
    """The calls of `self.name` in the class itself whose module is not known, by name; the first at each place."""
    found: dict[str, dict[ast.AST, Call]] = {}
    for call in trace.calls:
        one = call.instance
        if one.cls is None and one.facts is None and one.external is None and call.unit in own_units(trace):
            match call.node.func:
                case ast.Attribute(value=owner, attr=name) if is_self(owner):
                    found.setdefault(name, {}).setdefault(call.node, call)
                case _:
                    pass
    return {name: list(calls.values()) for name, calls in found.items()}


def _is_closed(trace: Trace) -> bool:
    """Whether a class is meant to work as it stands: no base that may set something, and no method left to subclasses."""
    if any(isinstance(base, External) and not _is_bare(base.dotted) for base in trace.cls.mro):
        return False
    classes = [c for c in trace.cls.mro if isinstance(c, ModuleClass)]
    return not any(_leaves_open(node) for c in classes for s in c.statements() for node in walk(s))


def _is_bare(dotted: str) -> bool:
    return dotted in _BARE or dotted.startswith("typing.")


def _leaves_open(node: ast.AST) -> bool:
    """Whether a node speaks of what subclasses bring, of an attribute that may lack, or registers something by a computed name."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in _LEFT_OPEN:
            return True
        case ast.Call() if called_name(node) in _REGISTERING:
            return not _is_named(node)
        case _:
            return False


def _is_named(call: ast.Call) -> bool:
    """Whether what a call registers has a constant name: the first argument, or the one behind the object."""
    given = [k.value for k in call.keywords if k.arg == "name"] or call.args
    owned = isinstance(call.func, ast.Name) or len(given) > 1 and is_self(given[0])
    return len(given) > owned and isinstance(given[int(owned)], ast.Constant)


def is_set_nowhere(trace: Trace, name: str) -> bool:
    """Whether nothing binds an attribute: no method of the class, its bases or its subclasses in the file, and no other code of it."""
    cls, index = trace.cls, trace.cls.surroundings
    if cls.find("__getattr__") is not None:
        return False
    bodies = [s for c in cls.mro if isinstance(c, ModuleClass) for s in c.statements()]
    for units in descendants(index, cls.units):
        other = cls.file.classes.get(units)
        bodies += [s for c in (other.mro if other else ()) if isinstance(c, ModuleClass) for s in c.statements()]
        bodies += [s for _, s in units.statements()]
    return not any(_binds(node, name) for s in bodies for node in walk(s)) and not _is_set_from_outside(trace, name)


def _binds(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Attribute(attr=bound, ctx=ast.Store() | ast.Del()) | ast.Constant(value=bound):
            return bound == name
        case ast.FunctionDef(name=bound) | ast.AsyncFunctionDef(name=bound) | ast.ClassDef(name=bound):
            return bound == name
        case ast.AnnAssign(target=ast.Name(id=bound)) | ast.Assign(targets=[ast.Name(id=bound)]):
            return bound == name
        case _:
            return False


def _is_set_from_outside(trace: Trace, name: str) -> bool:
    """Whether any code of the file says the name in a text, or sets it on an object that is not its own class's `self`."""
    for unit in leaves(trace.cls.surroundings.parts):
        if name in unit.text:
            for node in (inner for statement in unit.nodes for inner in walk(statement)):
                match node:
                    case ast.Constant(value=text) if text == name:
                        return True
                    case ast.Attribute(value=owner, attr=bound, ctx=ast.Store()) if bound == name and not is_self(
                        owner
                    ):
                        return True
                    case _:
                        pass
    return False


def _likeness(trace: Trace, name: str, idle: str) -> float:
    """How much an idle module's name looks like the one that is called; 0 where it may be another's.

    A method is often named for the module it uses, `encode` for `encoder`: a subclass may bring it.
    """
    words, others = _words(name), _words(idle)
    if any(_is_done_by(word, other) for word in words for other in others):
        return 0
    ratio = _ALIKE if sorted(name) == sorted(idle) else SequenceMatcher(None, name, idle).ratio()
    shared = {w for w in set(words) & set(others) if len(w) > 2 or w.isdigit() and _has_siblings(trace, words)}
    return ratio + len(shared) if ratio >= _ALIKE or shared else 0


def _has_siblings(trace: Trace, words: list[str]) -> bool:
    """Whether the class defines another module of a name that differs in its numbers alone."""
    stem = [w for w in words if not w.isdigit()]
    return bool(stem) and any([w for w in _words(d.name) if not w.isdigit()] == stem for d in trace.definitions)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _is_done_by(verb: str, noun: str) -> bool:
    """Whether one word says what the other does or results in: `encode` and `encoder`, `embed` and `embedding`."""
    stems = (n for n in range(3, len(verb) + 1) if verb[n:] in _VERBS and noun.startswith(verb[:n]))
    return verb != noun and any(noun[n:] in _NOUNS for n in stems)
