"""Keys: what an `nn.ModuleDict` takes as one, and whether an expression gives a text."""

import ast
import re
from collections.abc import Iterator

from nnreuse.fixes.places import Function, called_name
from nnreuse.syntax.tree import walk

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

_TEXTS = frozenset("str format join lower upper strip title replace".split())
_NAMED = re.compile(r"(?:^|_)(?:name|key|task|mode|modality|kind|domain|lang|language|field|dataset|label|text)$")


def is_key(text: str) -> bool:
    """Whether an `nn.ModuleDict` takes a text as a key."""
    return bool(text) and "." not in text and text not in RESERVED and not text.startswith("_")


def is_text(node: ast.expr, function: Function | None) -> bool:
    """Whether an expression gives a text, as far as it, its name, and what the function does with it say."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, str)
        case ast.JoinedStr():
            return True
        case ast.BinOp(left=left, op=ast.Add() | ast.Mod()):
            return is_text(left, function)
        case ast.Call():
            return called_name(node) in _TEXTS
        case ast.Name(id=name):
            return function is not None and _is_local_text(name, function)
        case _:
            return False


def _is_local_text(name: str, function: Function) -> bool:
    if any(_is_other(node, name) for node in walk(function)):
        return False
    sources = list(_sources(name, function))
    known = [_of_texts(source, function) for source in sources]
    if known and all(one is not None for one in known):
        return all(known)
    return not any(one is False for one in known) and bool(_NAMED.search(name))


def _is_other(node: ast.AST, name: str) -> bool:
    """Whether a node does with a local what is done with tuples and numbers."""
    match node:
        case ast.Call(func=ast.Name("len" | "tuple" | "sorted" | "max" | "min"), args=[ast.Name(id=used)]):
            return used == name
        case ast.Subscript(value=ast.Name(id=used)) | ast.comprehension(iter=ast.Name(id=used)):
            return used == name
        case ast.For(iter=ast.Name(id=used)) | ast.Starred(value=ast.Name(id=used)):
            return used == name
        case ast.BinOp(left=ast.Name(id=used), op=ast.Sub() | ast.Mult() | ast.FloorDiv() | ast.Div()):
            return used == name
        case ast.Assign(targets=[ast.Tuple()], value=ast.Name(id=used)):
            return used == name
        case _:
            return False


def _sources(name: str, function: Function) -> Iterator[ast.expr]:
    """What a local goes over, or is given."""
    for node in walk(function):
        match node:
            case ast.For(target=target, iter=each) | ast.comprehension(target=target, iter=each):
                yield from _gone_over(name, target, each)
            case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name:
                yield ast.List([value], ast.Load())
            case _:
                pass


def _gone_over(name: str, target: ast.expr, each: ast.expr) -> Iterator[ast.expr]:
    match target, each:
        case ast.Name(id=bound), _ if bound == name:
            yield each
        case ast.Tuple(elts=[ast.Name(id=index), _]), ast.Call(func=ast.Name("enumerate")) if index == name:
            yield ast.Call(ast.Name("range", ast.Load()), [], [])
        case ast.Tuple(elts=[_, ast.Name(id=bound)]), ast.Call(func=ast.Name("enumerate"), args=[of, *_]) if (
            bound == name
        ):
            yield of
        case ast.Tuple(elts=[ast.Name(id=bound), *_]), ast.Call(func=ast.Attribute(attr="items", value=of)) if (
            bound == name
        ):
            yield of
        case ast.Tuple(), _ if any(isinstance(part, ast.Name) and part.id == name for part in walk(target)):
            yield each
        case _:
            return


def _of_texts(source: ast.expr, function: Function) -> bool | None:
    """Whether what is gone over holds texts; None where that is not known."""
    match source:
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            known = [is_text(one, None) if not isinstance(one, ast.Name) else None for one in elements]
            return None if None in known else all(known)
        case ast.Dict(keys=keys):
            return all(key is not None and is_text(key, None) for key in keys)
        case (
            ast.Call(func=ast.Name("range" | "enumerate" | "zip"))
            | ast.Call(func=ast.Attribute(attr="product" | "combinations"))
        ):
            return False
        case (
            ast.Call(func=ast.Attribute(attr="keys", value=of))
            | ast.Call(func=ast.Name("sorted" | "list" | "set"), args=[of])
        ):
            return _of_texts(of, function)
        case ast.Name(id=name):
            return _is_annotated_so(name, function)
        case _:
            return None


def _is_annotated_so(name: str, function: Function) -> bool | None:
    """What a parameter's annotation says of what it holds; None where it has none."""
    arguments = function.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if argument.arg == name and argument.annotation is not None:
            text = ast.unparse(argument.annotation)
            return bool(re.search(r"\[\s*'?\"?str\b", text)) if "[" in text else None
    return None
