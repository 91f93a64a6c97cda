"""Forgotten modules: what a class defines and nothing of its file speaks of again, and whether all that could reach it is seen."""

import ast

from nnreuse.fixes.places import called_name, is_self, statement_at
from nnreuse.fixes.uses import uses
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.tree import walk
from nnreuse.tracing.trace import Definition, Trace
from nnreuse.types.meaning import External, ModuleClass

_BY_NAME = frozenset("children named_children get_submodule _modules __dict__ __getattr__ vars".split())
_KNOWN = frozenset("super isinstance issubclass type id hasattr repr print len".split())
_PLAIN = ("torch.", "abc.", "typing.", "builtins.", "collections.")


def is_forgotten(trace: Trace, definition: Definition) -> bool:
    """Whether a definition of the class itself makes a module that has one name, is not called, and is not named again."""
    if definition.unit not in own_units(trace) or not isinstance(definition.value, ast.Call):
        return False
    if target_of(definition) is None or sum(d.name == definition.name for d in trace.definitions) != 1:
        return False
    if any(trace.calls_of(i) or i.handed_on or len(trace.paths_of(i)) != 1 for i in definition.instances):
        return False
    return len(list(uses(trace.cls.units, definition.name))) == 1 and not _is_register(trace, definition)


def target_of(definition: Definition) -> ast.Attribute | None:
    """The attribute of `self.name = …`, where that is all that the statement binds."""
    match statement_at(definition.place):
        case ast.Assign(targets=[ast.Attribute() as target]) | ast.AnnAssign(target=ast.Attribute() as target):
            return target if is_self(target.value) else None
        case _:
            return None


def _is_register(trace: Trace, definition: Definition) -> bool:
    """Whether a container only registers what is also held, or called, under another name: `nn.Sequential(*self.layers)`."""
    own = f"{definition.name}."
    members = [part for made in definition.instances if made.elements is not None for part in trace.parts(made)]
    return any(
        trace.calls_of(one) or one.handed_on or any(not path.startswith(own) for path in trace.paths_of(one))
        for one in members
    )


def is_seen_in_full(trace: Trace) -> bool:
    """Whether all that forward does is known: it calls something, its bases are read, and nothing looks modules up by other means."""
    if not trace.complete or trace.entries != ["forward"] or not trace.calls:
        return False
    if any(isinstance(base, External) and not base.dotted.startswith(_PLAIN) for base in trace.cls.mro):
        return False
    classes = [c for c in trace.cls.mro if isinstance(c, ModuleClass)]
    return not any(_hides(node) for c in classes for s in c.statements() for node in walk(s))


def _hides(node: ast.AST) -> bool:
    """Whether a node may reach attributes that it does not name: by a made name, by all names, or by handing `self` on."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in _BY_NAME
        case ast.Call(func=ast.Name(id="getattr" | "setattr" | "delattr"), args=[owner, name, *_]) if is_self(owner):
            return not isinstance(name, ast.Constant)
        case ast.Call(func=ast.Name(id="exec" | "eval"), args=[text, *_]):
            return "self" in ast.unparse(text) or not any(isinstance(part, ast.Constant) for part in walk(text))
        case ast.Call(args=args, keywords=keywords):
            given = [*args, *(keyword.value for keyword in keywords)]
            return called_name(node) not in _KNOWN and any(map(is_self, given))
        case ast.Return(value=value) | ast.Assign(value=value):
            return value is not None and is_self(value)
        case _:
            return False
