"""Plants slips in source text, with Python's own parser and nothing of ours: what the fixes must then undo."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slip:
    """A text with one slip. `kept` is the attribute that is shared now, `lost` the one whose place it took."""

    kind: str
    cls: str
    kept: str
    lost: str | None
    text: str


def slips(text: str) -> Iterator[Slip]:
    """At most one slip of each kind for each class of a text: `merge`, `typo`, `listmul`."""
    tree = ast.parse(text)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    bases = {name.id for cls in classes for base in cls.bases for name in ast.walk(base) if isinstance(name, ast.Name)}
    for cls in classes:
        constructor = next((n for n in cls.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
        if constructor is None or not any(isinstance(n, ast.FunctionDef) and n.name == "forward" for n in cls.body):
            continue
        if cls.name not in bases:
            yield from _twins(text, cls, constructor)
        yield from _multiplied(text, cls, constructor)


def _twins(text: str, cls: ast.ClassDef, constructor: ast.FunctionDef) -> Iterator[Slip]:
    """Of two attributes with the same constructor one goes (`merge`), or goes uncalled (`typo`)."""
    made = [node for node in constructor.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)]
    for number, first in enumerate(made):
        for second in made[number + 1 :]:
            if ast.dump(first.value) != ast.dump(second.value):
                continue
            kept, lost = _name(first), _name(second)
            site = _only_call(cls, lost) if kept and lost and _only_call(cls, kept) is not None else None
            # Writing on one line, or a definition that others follow on the same line, is not what people plant.
            if site is None or _shares_lines(cls, second):
                continue
            renamed = (*_span(text, site), f"self.{kept}")
            starts = _starts(text)
            gone = (starts[second.lineno - 1], starts[second.end_lineno or 0], "")
            yield Slip("merge", cls.name, kept, lost, _edited(text, [renamed, gone]))
            yield Slip("typo", cls.name, kept, lost, _edited(text, [renamed]))
            return


def _name(statement: ast.Assign) -> str:
    match statement.targets:
        case [ast.Attribute(value=ast.Name(id="self"), attr=attribute)]:
            return attribute
        case _:
            return ""


def _only_call(cls: ast.ClassDef, attribute: str) -> ast.Attribute | None:
    """`self.attribute` of the one call of the attribute, where the class speaks of it there and at its definition only."""
    spoken = [node for node in ast.walk(cls) if isinstance(node, ast.Attribute) and node.attr == attribute]
    named = any(isinstance(node, ast.Constant) and node.value == attribute for node in ast.walk(cls))
    called = {id(node.func) for node in ast.walk(cls) if isinstance(node, ast.Call)}
    calls = [node for node in spoken if id(node) in called]
    return calls[0] if len(spoken) == 2 and len(calls) == 1 and not named else None


def _shares_lines(cls: ast.ClassDef, statement: ast.stmt) -> bool:
    lines = range(statement.lineno, (statement.end_lineno or 0) + 1)
    inside = {id(node) for node in ast.walk(statement)}
    return any(
        isinstance(node, ast.expr | ast.stmt) and node.lineno in lines and id(node) not in inside
        for node in ast.walk(cls)
    )


def _multiplied(text: str, cls: ast.ClassDef, constructor: ast.FunctionDef) -> Iterator[Slip]:
    """`[E for _ in range(n)]` of a container becomes `[E] * n`, the first of a class."""
    for statement in ast.walk(constructor):
        if not isinstance(statement, ast.Assign) or not _name(statement) or not isinstance(statement.value, ast.Call):
            continue
        if not re.match(r"(?:torch\.)?(?:nn\.)?(?:ModuleList|Sequential)\(", ast.unparse(statement.value)):
            continue
        for argument in statement.value.args:
            listed = argument.value if isinstance(argument, ast.Starred) else argument
            match listed:
                case ast.ListComp(
                    elt=ast.Call() as made,
                    generators=[
                        ast.comprehension(
                            target=ast.Name(id=index),
                            ifs=[],
                            iter=ast.Call(func=ast.Name(id="range"), args=[count]),
                        )
                    ],
                ) if not any(isinstance(n, ast.Name) and n.id == index for n in ast.walk(made)):
                    new = f"[{_segment(text, made)}] * {_bracketed(text, count)}"
                    edited = _edited(text, [(*_span(text, listed), new)])
                    yield Slip("listmul", cls.name, _name(statement), None, edited)
                    return
                case _:
                    pass


def _bracketed(text: str, node: ast.expr) -> str:
    simple = isinstance(node, ast.Name | ast.Attribute | ast.Constant | ast.Subscript | ast.Call)
    return _segment(text, node) if simple else f"({_segment(text, node)})"


def _segment(text: str, node: ast.expr) -> str:
    start, end = _span(text, node)
    return text.encode()[start:end].decode()


def _span(text: str, node: ast.expr) -> tuple[int, int]:
    starts = _starts(text)
    return starts[node.lineno - 1] + node.col_offset, starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)


def _starts(text: str) -> list[int]:
    """The byte at which each line begins, and the end."""
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    new = text.encode()
    for start, end, content in sorted(edits, reverse=True):
        new = new[:start] + content.encode() + new[end:]
    return new.decode()
