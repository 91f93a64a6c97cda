"""Dead calls: a call whose result nothing reads is deleted, with the statement that it stands in."""

import ast

from nnreuse.fixes.inline import deletion
from nnreuse.fixes.places import Function, chain, function_at, is_self, siblings
from nnreuse.fixes.writing import Build, Refused, current, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.once import once
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place, Unit

_SEES_LOCALS = frozenset({"locals", "vars", "eval", "exec"})


def is_dead(site: Place) -> bool:
    """Whether nothing reads what the call of `site`, a callee, gives."""
    statement, function = _statement(site), function_at(site)
    if statement is None or function is None or not _only_computes(statement):
        return False
    if isinstance(statement, ast.Expr):
        return statement.value in chain(site)
    names = _names(statement)
    return bool(names) and all(_is_unread(site, statement, function, name) for name in names)


def without_dead_call(site: Place) -> Build:
    """The statement whose result nothing reads goes."""

    def build(index: FileIndex) -> list[Edit] | None:
        statement = _statement(site) if current(index, [site]) and is_dead(site) else None
        if statement is None:
            return None
        removal = deletion(index, Place(site.unit, site.unit.span(statement)))
        if removal is None:
            raise Refused("nothing would be left of the block that the unread call stands in")
        return proven(index, [removal])

    return build


def _statement(site: Place) -> ast.Assign | ast.AnnAssign | ast.Expr | None:
    statements = [node for node in chain(site) if isinstance(node, ast.stmt)]
    last = statements[-1] if statements else None
    return last if isinstance(last, ast.Assign | ast.AnnAssign | ast.Expr) else None


def _only_computes(statement: ast.Assign | ast.AnnAssign | ast.Expr) -> bool:
    """Whether a statement does nothing but call modules of `self`, functions of modules, and methods that change nothing."""
    for node in walk(statement.value) if statement.value is not None else ():
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=name)):
                if name.endswith("_") or not (is_self(owner) or _is_value(owner)):
                    return False
            case ast.Call() | ast.NamedExpr() | ast.Await() | ast.Yield() | ast.YieldFrom():
                return False
            case _:
                pass
    return True


def _is_value(owner: ast.expr) -> bool:
    """Whether the method of an object is asked that was just computed, or a function of torch: `torch.tanh`, `F.relu`."""
    if isinstance(owner, ast.Call | ast.BinOp):
        return True
    return ast.unparse(owner) in ("torch", "F", "nn.functional", "torch.nn.functional", "torch.special", "torch.linalg")


def _names(statement: ast.Assign | ast.AnnAssign) -> list[str]:
    """The locals that a statement binds; none where it binds anything else."""
    found: list[str] = []
    todo = list(statement.targets) if isinstance(statement, ast.Assign) else [statement.target]
    while todo:
        match todo.pop():
            case ast.Name(id=name):
                found.append(name)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                todo += elements
            case _:
                return []
    return found


def _is_unread(site: Place, statement: ast.stmt, function: Function, name: str) -> bool:
    read, kept = _names_read(site.unit, function), _names_kept(site.unit, function)
    if kept is None or name in kept:
        return False
    return name not in read or _is_replaced(siblings(site.unit, statement), statement, name)


@once
def _names_read(unit: Unit, function: Function) -> frozenset[str]:
    """The names that a function of a unit reads."""
    return frozenset(name for node in walk(function) if (name := _read_by(node)) is not None)


@once
def _names_kept(unit: Unit, function: Function) -> frozenset[str] | None:
    """The names of a function that belong to what is around it; None where something in it may see all of its locals."""
    nodes = walk(function)
    if any(isinstance(node, ast.Name) and node.id in _SEES_LOCALS for node in nodes):
        return None
    return frozenset(n for node in nodes if isinstance(node, ast.Global | ast.Nonlocal) for n in node.names)


def _is_replaced(block: list[ast.stmt], statement: ast.stmt, name: str) -> bool:
    """Whether the next statement of the block that speaks of a local gives it another value, and does not read it."""
    for later in block[block.index(statement) + 1 :] if statement in block else ():
        speaking = [n for n in walk(later) if isinstance(n, ast.Name) and n.id == name]
        if speaking:
            return isinstance(later, ast.Assign) and not any(isinstance(n.ctx, ast.Load) for n in speaking)
        if any(isinstance(n, ast.Return | ast.Break | ast.Continue | ast.Raise) for n in walk(later)):
            return False
    return False


def _read_by(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=read, ctx=ast.Load() | ast.Del()):
            return read
        case ast.AugAssign(target=ast.Name(id=read)):
            return read
        case _:
            return None
