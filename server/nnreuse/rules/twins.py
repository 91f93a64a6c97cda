"""Twins: an instance made by the same constructor expression as another, and never called."""

import ast
import re
from collections.abc import Iterator

from nnreuse.rules.finding import Evidence
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.tree import walk
from nnreuse.tracing.trace import Call, Definition, Trace
from nnreuse.tracing.values import Instance


def idle_twin(trace: Trace, instance: Instance) -> tuple[Definition, Definition] | None:
    """The definition of a called instance, and that of an equal one which nothing calls or mentions."""
    own = [d for d in trace.definitions if instance in d.instances and d.value is not None]
    if len(own) != 1 or len([d for d in trace.definitions if d.name == own[0].name]) != 1:
        return None
    definition = own[0]
    twins = [d for d in trace.definitions if equal(definition, d) and is_idle(trace, d)]
    return (definition, min(twins, key=lambda d: _distance(trace, definition, d))) if twins else None


def idle_in_configuration(trace: Trace, instance: Instance) -> tuple[Definition, Definition] | None:
    """The same where both are made in one arm of a test: the other stands idle there, and is called where another arm makes it."""
    own = [d for d in trace.definitions if instance in d.instances and d.value is not None]
    if len(own) != 1 or not own[0].path.literals:
        return None
    twins = [d for d in trace.definitions if equal(own[0], d) and d.path == own[0].path and _idle_there(trace, d)]
    return (own[0], min(twins, key=lambda d: _distance(trace, own[0], d))) if twins else None


def _idle_there(trace: Trace, definition: Definition) -> bool:
    """Whether what a definition makes is never called, and its name is only set, and called where it means another module."""
    if any(trace.calls_of(i) or i.handed_on or len(trace.paths_of(i)) != 1 for i in definition.instances):
        return False
    if definition.unit not in own_units(trace):
        return False
    elsewhere = {call.node.func for call in trace.calls if call.unit in own_units(trace)}
    nodes = [node for _, s in trace.cls.units.statements() for node in walk(s) if _mentions(node, definition.name)]
    others = [
        s for _, cls in trace.cls.surroundings.classes() if cls is not trace.cls.units for _, s in cls.statements()
    ]
    if any(_called(node, definition.name) for s in others for node in walk(s)):
        return False
    return any(n in elsewhere for n in nodes) and all(
        n in elsewhere or isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) for n in nodes
    )


def meant_for(sites: list[Call], called: str, idle: str, later: bool) -> Call:
    """The call that the idle twin was meant for: the one whose neighbours are named like it, else by the order of definition."""
    by_name = sorted(sites, key=lambda c: _likeness(c, idle) - _likeness(c, called))
    best, worst = by_name[-1], by_name[0]
    if _likeness(best, idle) - _likeness(best, called) > _likeness(worst, idle) - _likeness(worst, called):
        return best
    return sites[-1] if later else sites[0]


def _likeness(call: Call, name: str) -> int:
    """How many names of a call's statement share the part of `name` that sets it apart (its digits, its last word)."""
    marks = set(re.findall(r"\d+|[a-z]+", name))
    row = call.node.lineno - call.unit.origin
    words = re.findall(r"self\.(\w+)", call.unit.lines[row])
    return sum(len(marks & set(re.findall(r"\d+|[a-z]+", word))) for word in words if word != name)


def _distance(trace: Trace, a: Definition, b: Definition) -> int:
    return abs(trace.definitions.index(a) - trace.definitions.index(b))


def equal(a: Definition, b: Definition) -> bool:
    """Whether both are made by one expression, and the second exists wherever the first does."""
    if a is b or a.name == b.name or a.value is None or b.value is None or not isinstance(a.value, ast.Call):
        return False
    if not b.path.literals <= a.path.literals:  # some configurations that have the one lack the other
        return False
    return a.unit is b.unit and ast.dump(a.value) == ast.dump(b.value)


def is_idle(trace: Trace, definition: Definition) -> bool:
    """Never called, held under one name, and named nowhere else in its class or in another class of the file."""
    if any(trace.calls_of(i) or i.handed_on or len(trace.paths_of(i)) != 1 for i in definition.instances):
        return False
    if definition.unit not in own_units(trace):
        return False
    name, own = definition.name, trace.cls.units
    mentions = 0
    for _, cls in trace.cls.surroundings.classes():
        for _, statement in cls.statements():
            mentions += sum((_mentions if cls is own else _called)(node, name) for node in walk(statement))
    return mentions == 1


def _mentions(node: ast.AST, name: str) -> bool:
    return (
        isinstance(node, ast.Attribute) and node.attr == name or isinstance(node, ast.Constant) and node.value == name
    )


def _called(node: ast.AST, name: str) -> bool:
    """A call of the attribute on an object other than `self`: another class may use this one's module."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != name:
        return False
    return not (isinstance(node.func.value, ast.Name) and node.func.value.id == "self")


def commented_out(trace: Trace, idle: Definition) -> Iterator[Evidence]:
    """The evidence of a comment that holds a call of the idle module: somebody has taken it out."""
    call = re.compile(rf"#.*\bself\.{re.escape(idle.name)}\(")
    if any(call.search(line) for unit in own_units(trace) for line in unit.lines if "#" in line):
        yield Evidence("commented-out", -3, f"a call of `self.{idle.name}` is commented out", idle.place)
