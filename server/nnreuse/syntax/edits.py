"""Edits: replacements in one text, applied together, and shown as a unified diff."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from nnreuse.syntax.source import split_lines
from nnreuse.syntax.span import Span


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """`content` in place of the code points of `span`; an empty span inserts."""

    span: Span
    content: str


def compatible(edits: Iterable[Edit]) -> bool:
    """Whether the edits can be applied together: no two of them overlap."""
    ordered = sorted(edits)
    return not any(a.span.overlaps(b.span) for a, b in pairwise(ordered))


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text after all edits. Raises ValueError when two overlap."""
    ordered = sorted(set(edits))
    if not compatible(ordered):
        raise ValueError("edits overlap")
    parts: list[str] = []
    end = 0
    for edit in ordered:
        parts += text[end : edit.span.start], edit.content
        end = edit.span.end
    return "".join([*parts, text[end:]])


def unified_diff(before: str, after: str, filename: str) -> str:
    """A unified diff of two texts, as `git diff` would show it."""
    lines = difflib.unified_diff(split_lines(before), split_lines(after), f"a/{filename}", f"b/{filename}")
    return "".join(line if line.endswith(("\n", "\r")) else line + "\n\\ No newline at end of file\n" for line in lines)
