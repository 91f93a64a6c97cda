"""Twins: calling the module that was meant, or deleting the one that nothing calls."""

import ast

from nnreuse.fixes.places import expression_at, siblings, statement_at
from nnreuse.fixes.uses import class_of, named_elsewhere, uses
from nnreuse.fixes.writing import Build, closing_the_gap, current, lines_of, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import Place


def call_instead(site: Place, old: str, new: str) -> Build:
    """`self.old` at a call site becomes `self.new`: exactly the name changes."""

    def build(index: FileIndex) -> list[Edit] | None:
        if not current(index, [site]) or not new.isidentifier() or not site.text.endswith(old):
            return None
        node = expression_at(site)
        if not isinstance(node, ast.Attribute) or node.attr != old:
            return None
        end = index.span(site).end
        return proven(index, [Edit(Span(end - len(old), end), new)])

    return build


def delete_definition(definition: Place) -> Build:
    """The whole lines of `self.attribute = …` go, a comment on them too. None where the file speaks of the attribute anywhere else."""

    def build(index: FileIndex) -> list[Edit] | None:
        if not current(index, [definition]):
            return None
        statement = statement_at(definition)
        lines = lines_of(index, definition)
        if statement is None or lines is None or not _is_only_mention(index, definition, statement):
            return None
        if len(siblings(definition.unit, statement)) < 2:
            return None
        return proven(index, [Edit(closing_the_gap(index, lines.span), "")])

    return build


def _is_only_mention(index: FileIndex, definition: Place, statement: ast.stmt) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    owner = class_of(index, definition)
    if owner is None or len(targets) != 1 or not isinstance(targets[0], ast.Attribute):
        return False
    attribute = targets[0].attr
    found = list(uses(owner, attribute))
    return [use.node for use in found] == targets and not named_elsewhere(index, owner, attribute)
