"""Registering: a plain list of modules becomes an `nn.ModuleList`, a dict an `nn.ModuleDict`, where the file treats it like one."""

import ast
from collections.abc import Iterator

from nnreuse.fixes.places import called_name, expression_at, function_at, is_self
from nnreuse.fixes.spelling import of_torch_nn
from nnreuse.fixes.uses import ancestors, class_of, descendants
from nnreuse.fixes.writing import Build, current, proven
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
RESERVED = frozenset(
    "T_destination add_module apply bfloat16 buffers call_super_init children clear compile cpu cuda double dump_patches eval "
    "extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu items keys load_state_dict modules "
    "mtia named_buffers named_children named_modules named_parameters parameters pop register_backward_hook register_buffer "
    "register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook "
    "register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter "
    "register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory "
    "state_dict to to_empty train training type update values xpu zero_grad".split()
)
"""Keys that an `nn.ModuleDict` refuses: the names of its own attributes."""


def registered(value: Place, attribute: str) -> Build:
    """`self.attribute = [...]` becomes `self.attribute = nn.ModuleList([...])`; None where the file uses it as no ModuleList can be."""

    def build(index: FileIndex) -> list[Edit] | None:
        node = expression_at(value) if current(index, [value]) else None
        kind = _kind(node)
        name = of_torch_nn(index, kind) if kind is not None else None
        if node is None or kind is None or name is None or not _is_initialised(value):
            return None
        if isinstance(node, ast.Name) and _is_used_after(value, node.id):
            return None
        if not all(_suits(kind, node, around) for around in _mentions(index, value, attribute)):
            return None
        span = index.span(value)
        if isinstance(node, ast.List | ast.Dict) and not value.text[1:-1].strip():
            return proven(index, [Edit(span, f"{name}()")])
        return proven(index, [Edit(Span(span.start, span.start), f"{name}("), Edit(Span(span.end, span.end), ")")])

    return build


def _kind(node: ast.expr | None) -> str | None:
    match node:
        case ast.List() | ast.ListComp() | ast.Name():
            return "ModuleList"
        case ast.Dict(keys=keys) if all(_is_key(key) for key in keys):
            return "ModuleDict"
        case _:
            return None


def _is_key(key: ast.expr | None) -> bool:
    """Whether a ModuleDict takes a key."""
    text = key.value if isinstance(key, ast.Constant) else None
    return (
        isinstance(text, str) and bool(text) and "." not in text and text not in RESERVED and not text.startswith("_")
    )


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


def _suits(kind: str, value: ast.expr, around: tuple[ast.AST, ...]) -> bool:
    """Whether a mention means the same of a module container as of a list or dict."""
    node, parent = around[-1], around[-2]
    match parent:
        case ast.Assign(value=given, targets=[target]) | ast.AnnAssign(value=given, target=target) if target is node:
            return given is value
        case ast.AugAssign(op=ast.Add(), value=ast.List() | ast.ListComp()):
            return kind == "ModuleList"
        case ast.Subscript(slice=key, ctx=context):
            return not isinstance(context, ast.Del) and (kind == "ModuleList" or _is_read_or_key(key, context))
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


def _is_read_or_key(key: ast.expr, context: ast.expr_context) -> bool:
    return isinstance(context, ast.Load) or _is_key(key)
