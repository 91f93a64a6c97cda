"""Registering: a plain list of modules becomes an `nn.ModuleList`, a dict an `nn.ModuleDict`, where the file treats it like one."""

import ast
from collections.abc import Iterator

from nnreuse.fixes.keys import is_key, is_text
from nnreuse.fixes.places import called_name, expression_at, function_at, is_self
from nnreuse.fixes.spelling import of_torch_nn
from nnreuse.fixes.uses import ancestors, class_of, descendants
from nnreuse.fixes.writing import Build, Refused, current, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.tree import children, walk
from nnreuse.syntax.units import Place, leaves

_READERS = frozenset("len enumerate zip reversed list tuple iter map dict".split())
_METHODS = {
    "ModuleList": frozenset("append extend insert pop".split()),
    "ModuleDict": frozenset("items keys values pop update clear".split()),
}


def registered(value: Place, attribute: str, kind: str) -> Build:
    """`self.attribute = [...]` becomes `self.attribute = nn.ModuleList([...])`; refused where the file uses it as no ModuleList can be.

    `kind`: "ModuleList" for a list, "ModuleDict" for a dict.
    """

    def build(index: FileIndex) -> list[Edit] | None:
        node = expression_at(value) if current(index, [value]) else None
        if node is None:
            return None
        name = of_torch_nn(index, kind)
        if name is None:
            raise Refused(f"the file imports neither `torch.nn` nor `{kind}`")
        if not _is_initialised(value):
            raise Refused("`super().__init__()` has not run yet where it is assigned")
        _must_convert(kind, node, value)
        for around in _mentions(index, value, attribute):
            _must_suit(kind, node, value, around)
        span = index.span(value)
        if isinstance(node, ast.List | ast.Dict) and not value.text[1:-1].strip():
            return proven(index, [Edit(span, f"{name}()")])
        return proven(index, [Edit(Span(span.start, span.start), f"{name}("), Edit(Span(span.end, span.end), ")")])

    return build


def _must_convert(kind: str, node: ast.expr, value: Place) -> None:
    """Raises Refused where a module container cannot be made of what is assigned."""
    match node:
        case ast.Name(id=name) if _is_used_after(value, name):
            raise Refused(f"`{name}` may still change after it was assigned")
        case ast.Dict(keys=keys):
            for key in keys:
                _must_be_key(key, value)
        case ast.DictComp(key=key):
            _must_be_key(key, value)
        case ast.List() | ast.ListComp() | ast.Name() | ast.Call() | ast.BinOp():
            pass
        case _:
            raise Refused(f"an `nn.{kind}` cannot stand for what is assigned")


def _must_be_key(key: ast.expr | None, place: Place) -> None:
    """Raises Refused where a ModuleDict may not take a key."""
    if key is None:
        raise Refused("the dict is made of another, whose keys are not known")
    if isinstance(key, ast.Constant) and isinstance(key.value, str) and not is_key(key.value):
        raise Refused(f"an `nn.ModuleDict` does not take `{key.value}` as a key")
    if not is_text(key, function_at(place)):
        raise Refused(f"an `nn.ModuleDict` takes only texts as keys, and `{ast.unparse(key)}` is none, or may be none")


def _is_initialised(value: Place) -> bool:
    """Whether Module's constructor has run: before that torch takes no module."""
    function = function_at(value)
    if function is None or function.name != "__init__":
        return function is not None
    before = (s for s in function.body if value.unit.span(s).end <= value.span.start)
    return any(isinstance(s, ast.Expr) and "__init__(" in ast.unparse(s) for s in before)


def _is_used_after(value: Place, name: str) -> bool:
    """Whether a local list may still change once it was taken."""
    function = function_at(value)
    if function is None or any(
        isinstance(n, ast.For | ast.While) and value.unit.span(n).contains(value.span) for n in walk(function)
    ):
        return True
    return any(
        isinstance(n, ast.Name) and n.id == name and value.unit.span(n).start > value.span.start for n in walk(function)
    )


def _mentions(index: FileIndex, value: Place, attribute: str) -> Iterator[tuple[ast.AST, ...]]:
    """Every `x.attribute` of the file that may be this class's, as the nodes from a statement down to it."""
    owner = class_of(index, value)
    family = [owner, *ancestors(index, owner), *descendants(index, owner)] if owner is not None else []
    own = {unit for cls in family for unit in leaves([cls])}
    headers = {id(cls.node) for _, cls in index.classes() if cls.members}
    for unit in index.first_lines:
        for root in unit.nodes if attribute in unit.text else []:
            if id(root) not in headers:
                for around in _below(root, attribute, ()):
                    node = around[-1]
                    if unit in own or not (isinstance(node, ast.Attribute) and is_self(node.value)):
                        yield around


def _below(node: ast.AST, attribute: str, above: tuple[ast.AST, ...]) -> Iterator[tuple[ast.AST, ...]]:
    around = (*above, node)
    if (
        isinstance(node, ast.Attribute)
        and node.attr == attribute
        or isinstance(node, ast.Constant)
        and node.value == attribute
    ):
        yield around
    for child in children(node):
        yield from _below(child, attribute, around)


def _must_suit(kind: str, node: ast.expr, value: Place, around: tuple[ast.AST, ...]) -> None:
    """Raises Refused where a mention does not mean the same of a module container as of a list or dict."""
    if not _suits(kind, node, around):
        raise Refused(f"the file uses it as no `nn.{kind}` can be used: `{_line(around)}`")
    match around:
        case (*_, ast.Subscript(slice=key, ctx=ast.Store()), _) if kind == "ModuleDict":
            _must_be_key(key, value)
        case _:
            pass


def _line(around: tuple[ast.AST, ...]) -> str:
    """The first line of the innermost statement or expression that holds a mention."""
    return ast.unparse(around[max(0, len(around) - 3)]).split("\n")[0]


def _suits(kind: str, value: ast.expr, around: tuple[ast.AST, ...]) -> bool:
    node, parent = around[-1], around[-2]
    match parent:
        case ast.Assign(value=given, targets=[target]) | ast.AnnAssign(value=given, target=target) if target is node:
            return given is value
        case ast.AugAssign(op=ast.Add(), value=ast.List() | ast.ListComp()):
            return kind == "ModuleList"
        case ast.Subscript(ctx=context):
            return not isinstance(context, ast.Del)
        case ast.Attribute(attr=method):
            grandparent = around[-3]
            return method in _METHODS[kind] and isinstance(grandparent, ast.Call) and grandparent.func is parent
        case ast.For(iter=iterated) | ast.comprehension(iter=iterated):
            return iterated is node
        case ast.Call(args=args):
            return called_name(parent) in _READERS and any(a is node for a in args)
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[container]):
            return container is node
        case _:
            return isinstance(parent, ast.Starred)
