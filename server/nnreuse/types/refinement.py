"""Refinement: which questions a class leaves open that another tool may answer, and what its answers mean."""

import ast
from collections.abc import Container, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Unit
from nnreuse.types.file import File
from nnreuse.types.meaning import External, Meaning, ModuleClass
from nnreuse.types.program import MODULE, Program
from nnreuse.types.questions import AttributeQuestion, Target
from nnreuse.types.reads import Named, Reads

_PLAIN = (ast.Name, ast.Attribute, ast.Call)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def declared(program: Program, cls: ModuleClass, attribute: str) -> ModuleClass | External | None:
    """The module class that a parameter is annotated with, where an attribute holds that parameter."""
    held = _only_assignment(cls, attribute)
    if held is None or not isinstance(held.value, ast.Name):
        return None
    parameter = _parameter(held.function, held.value.id)
    annotation = one_class(parameter.annotation) if parameter is not None else None
    return _module_class(program, program.dotted(held.file, annotation)) if annotation is not None else None


def attribute_question(cls: ModuleClass, attribute: str) -> tuple[AttributeQuestion, Target] | None:
    """The question what an attribute is; None where it is assigned nowhere, more than once, or by a choice of several.

    What infers types leaves out alternatives that it cannot follow, and so must not be asked about choices.
    """
    held = _only_assignment(cls, attribute)
    if held is None or not isinstance(held.value, _PLAIN):
        return None
    parameter = _parameter(held.function, held.value.id) if isinstance(held.value, ast.Name) else None
    if parameter is not None and parameter.annotation is None:
        return None
    content = hash(tuple(_deciding(held, cls.reads)))
    return AttributeQuestion(held.file.path, held.owner, attribute, content), Target(held.file, held.unit, held.target)


def meant(program: Program, answer: str | None) -> ModuleClass | External | None:
    """The module class that an answer names; None where it names nothing, no module class, or `Module` itself."""
    return _module_class(program, program.follow(answer)) if answer else None


def _module_class(program: Program, meaning: Meaning | None) -> ModuleClass | External | None:
    if isinstance(meaning, ModuleClass):
        return meaning if program.is_module_class(meaning) else None
    facts = program.catalog.find(meaning.dotted) if isinstance(meaning, External) else None
    return External(facts.name) if facts is not None and facts.name != MODULE else None


def one_class(annotation: ast.expr | None) -> ast.expr | None:
    """`C` of `C`, `"C"`, `Optional[C]` and `C | None`."""
    match annotation:
        case ast.Constant(value=str(text)):
            with suppress(SyntaxError, ValueError):
                return one_class(ast.parse(text, mode="eval").body)
            return None
        case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
            return one_class(left)
        case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional"), slice=inner):
            return one_class(inner)
        case ast.Name() | ast.Attribute():
            return annotation
        case _:
            return None


@dataclass(frozen=True, slots=True)
class _Assignment:
    """`self.attribute = value` in a method of a class, `owner` its qualified name."""

    file: File
    owner: str
    unit: Unit
    function: Function
    target: ast.Attribute
    value: ast.expr | None


def is_assigned(cls: ModuleClass, attribute: str, within: Container[ast.AST] | None = None) -> bool:
    """Whether a method of the class, inherited ones included, assigns to an attribute of its object: something else than None.

    `within`: the methods that count, where not all do.
    """
    found = (one for owner in cls.mro if isinstance(owner, ModuleClass) for one in _assigned(owner, attribute))
    given = (one.value for one in found if within is None or one.function in within)
    return any(not (isinstance(value, ast.Constant) and value.value is None) for value in given)


def _only_assignment(cls: ModuleClass, attribute: str) -> _Assignment | None:
    found = [one for owner in cls.mro if isinstance(owner, ModuleClass) for one in _assigned(owner, attribute)]
    return found[0] if len(found) == 1 else None


def _parameter(function: Function, name: str) -> ast.arg | None:
    a = function.args
    return next((one for one in (*a.posonlyargs, *a.args, *a.kwonlyargs) if one.arg == name), None)


def _assigned(cls: ModuleClass, attribute: str) -> list[_Assignment]:
    """Every assignment to an attribute in the methods of one class; they are looked for once."""
    cls.reads.note(cls, *cls.bodies())
    if not cls.assignments and cls.members:
        cls.assignments[""] = []
        for one in _assignments(cls):
            cls.assignments.setdefault(one.target.attr, []).append(one)
    return cast("list[_Assignment]", cls.assignments.get(attribute, []))


def _assignments(cls: ModuleClass) -> Iterator[_Assignment]:
    for unit, member in cls.members.values():
        if not isinstance(member, Function):
            continue
        for node in walk(member):
            if isinstance(node, ast.Assign | ast.AnnAssign):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Attribute) and _is_self(target, member):
                        yield _Assignment(cls.file, cls.qualified, unit, member, target, node.value)


def _is_self(target: ast.Attribute, function: Function) -> bool:
    first = [*function.args.posonlyargs, *function.args.args][:1]
    return isinstance(target.value, ast.Name) and [target.value.id] == [a.arg for a in first]


def _deciding(held: _Assignment, reads: Reads) -> Iterator[str]:
    """The texts that decide what is assigned: the value's, the signature, local names, and the top-level units it names."""
    assert held.value is not None
    yield held.unit.segment(held.value)
    yield ast.dump(held.function.args)
    names = {n.id for part in (held.value, held.function.args) for n in walk(part) if isinstance(n, ast.Name)}
    for node in walk(held.function):
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in names for t in node.targets):
            yield held.unit.segment(node)
            names |= {n.id for n in walk(node.value) if isinstance(n, ast.Name)}
    bindings = held.file.index.bindings
    reads.note(*(Named(held.file.path, name) for name in names))
    yield from (bindings[name].unit.text for name in sorted(names) if name in bindings)
