"""Blanking: a class without what is its author's: names become letters, texts become `s1`, comments go.

What stays is what a finding follows from: the structure, numbers, Python's own names, those of torch, and the digits at the end
of names, since `conv1` and `conv2` are two of a kind.
"""

import ast
import builtins
import keyword
import re
import string
from collections.abc import Iterable, Iterator
from itertools import count, product
from typing import TypeVar

from nnreuse.fixes.keys import RESERVED

_ROOT = "torch"
_ENTRIES = frozenset(
    "self cls encode decode generate step training_step validation_step test_step predict_step".split()
)
_OF_TENSORS = frozenset(
    "T abs add add_ argmax bmm chunk clamp clone contiguous cos cpu cuda cumsum detach device dim div dtype einsum exp expand flatten "
    "flip float gather half index_select int item log log_softmax long masked_fill matmul max mean min mm mul narrow new_zeros norm "
    "numel permute pow relu repeat requires_grad reshape select shape sigmoid sin size softmax split sqrt squeeze stack std sub sum "
    "t tanh tile to transpose type unbind unfold unsqueeze var view view_as weight bias data".split()
)
_OF_PYTHON = frozenset(name for of in (list, dict, str, set) for name in dir(of))
_PYTHON = frozenset(dir(builtins)) | frozenset(keyword.kwlist) | {"_"}
_STEM = re.compile(r"(.*?)(\d*)$", re.DOTALL)
_Defined = TypeVar("_Defined", ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def blanked(text: str, names_of_torch: Iterable[str]) -> tuple[str, dict[str, str]]:
    """The code of a class, or of statements, blanked; and what its names have become. Raises SyntaxError.

    `names_of_torch`: the names that the file gives to torch and to what it imports from there.
    """
    blank = _Blank(frozenset(names_of_torch))
    tree = blank.visit(ast.parse(text))
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n", dict(blank.names)


def blanked_words(sentence: str, names: dict[str, str]) -> str:
    """A sentence with the names in its code, between backticks, blanked."""

    def code(match: re.Match[str]) -> str:
        return re.sub(r"[^\W\d]\w*", lambda word: names.get(word[0], word[0]), match[0])

    return re.sub(r"`[^`]*`", code, sentence)


class _Blank(ast.NodeTransformer):
    def __init__(self, names_of_torch: frozenset[str]) -> None:
        self._of_torch = names_of_torch | {_ROOT}
        self.names: dict[str, str] = {}
        self._stems: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._small, self._large = _letters(string.ascii_lowercase), _letters(string.ascii_uppercase)

    def name(self, name: str) -> str:
        """What becomes of a name: the same wherever it stands."""
        if name in self._of_torch or name in _PYTHON or name in _ENTRIES or name.startswith("__"):
            return name
        if name not in self.names:
            match = _STEM.match(name)
            stem, digits = (match[1], match[2]) if match else (name, "")
            self.names[name] = self._stem(stem) + digits
        return self.names[name]

    def _stem(self, stem: str) -> str:
        if stem not in self._stems:
            letters = self._large if stem.lstrip("_")[:1].isupper() else self._small
            self._stems[stem] = next(one for one in letters if one not in self._of_torch and one not in _PYTHON)
        return self._stems[stem]

    def _attribute(self, name: str, owner: ast.expr) -> str:
        """An attribute: torch's own, a method of Python's objects or of tensors, of every module; else blanked."""
        own = isinstance(owner, ast.Name) and owner.id == "self"
        if _root(owner) in self._of_torch or name in RESERVED or not own and name in _OF_PYTHON | _OF_TENSORS:
            return name
        return self.name(name)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.name(node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        node.attr = self._attribute(node.attr, node.value)
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        known = _root(node.func) in self._of_torch | _PYTHON or called in _OF_TENSORS
        for each in node.keywords:
            each.arg = each.arg if known or each.arg is None else self.name(each.arg)
        self.generic_visit(node)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str):
            node.value = self._texts.setdefault(node.value, f"s{len(self._texts) + 1}")
        elif isinstance(node.value, bytes):
            node.value = b""
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self.name(node.arg)
        self.generic_visit(node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return self._defined(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return self._defined(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        for each in node.keywords:
            each.arg = each.arg if each.arg in (None, "metaclass") else self.name(each.arg)
        return self._defined(node)

    def _defined(self, node: _Defined) -> _Defined:
        node.name = node.name if node.name in RESERVED else self.name(node.name)
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        self.generic_visit(node)
        return node

    def visit_Import(self, node: ast.Import) -> ast.stmt:
        return self._imported(node, [alias.name for alias in node.names])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        return self._imported(node, [node.module or "."])

    def _imported(self, node: ast.Import | ast.ImportFrom, modules: list[str]) -> ast.stmt:
        """An import of anything but torch says where the code lives: it goes."""
        return node if all(module.split(".")[0] == _ROOT for module in modules) else ast.Pass()

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        node.name = node.name and self.name(node.name)
        self.generic_visit(node)
        return node

    def visit_Global(self, node: ast.Global) -> ast.Global:
        node.names = [self.name(name) for name in node.names]
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.Nonlocal:
        node.names = [self.name(name) for name in node.names]
        return node

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.MatchAs:
        node.name = node.name and self.name(node.name)
        self.generic_visit(node)
        return node

    def visit_MatchStar(self, node: ast.MatchStar) -> ast.MatchStar:
        node.name = node.name and self.name(node.name)
        return node

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.MatchMapping:
        node.rest = node.rest and self.name(node.rest)
        self.generic_visit(node)
        return node

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.MatchClass:
        node.kwd_attrs = [self.name(name) for name in node.kwd_attrs]
        self.generic_visit(node)
        return node


def _root(node: ast.expr) -> str:
    """The first name of a dotted one; empty where it is no name."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _letters(alphabet: str) -> Iterator[str]:
    """`a`, `b`, … `z`, `aa`, `ab`, …"""
    for length in count(1):
        for letters in product(alphabet, repeat=length):
            yield "".join(letters)
