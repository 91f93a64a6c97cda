"""A report on a finding that is wrong: text for the user to read, and to paste where they want. Nothing is sent.

It has the class with its names blanked, the rule, the evidence and the version.
"""

import ast
import re
import sys
import textwrap
from collections.abc import Iterator

import nnreuse
from nnreuse.rules.finding import Finding
from nnreuse.syntax.index import FileIndex, Import
from nnreuse.syntax.units import ClassUnits, units_of
from nnreuse.workspace.blanking import blanked, blanked_words

WHERE = "https://github.com/nnreuse/nnreuse/issues/new"
"""Where a user may paste the report."""
_MOST = 12
"""So many other definitions of the file are shown: whoever reads the report before it is pasted has to come to its end."""


def report_of(finding: Finding, index: FileIndex) -> str:
    """The report on a finding of a file that parses, in Markdown."""
    cls = _class_of(finding, index)
    names_of_torch, imports = _torch(index)
    text = _text(cls) if cls is not None else textwrap.dedent(finding.place.unit.text)
    code, names = blanked("\n\n".join([*_beside(index, cls, text), text]), names_of_torch)
    told = [
        f"- {'+' if one.weight > 0 else ''}{one.weight} {one.kind}: {blanked_words(one.sentence, names)}"
        for one in finding.evidence
    ]
    lines = [
        "# A finding of nnreuse that is wrong",
        "",
        "Nothing has been sent. Read this, say in a sentence why the finding is wrong, and paste it at",
        f"{WHERE}. Names, texts and comments of the code are blanked.",
        "",
        f"- rule: {finding.rule} ({finding.severity.value})",
        f"- version: nnreuse {nnreuse.__version__}, Python {sys.version_info.major}.{sys.version_info.minor}",
        f"- message: {blanked_words(finding.message, names)}",
        f"- place: {_place(finding, names_of_torch, names)}",
        "",
        "Evidence:",
        *(told or ["- none"]),
        "",
        "```python",
        *imports,
        "",
        code.rstrip(),
        "```",
        "",
        "Why it is wrong: ",
    ]
    return "\n".join(lines)


def _place(finding: Finding, names_of_torch: frozenset[str], names: dict[str, str]) -> str:
    """The code that the finding marks, blanked as the class is."""
    first = finding.place.text.split("\n")[0]
    return blanked_words(f"`{first}`", names) if len(first) < 80 and '"' not in first and "'" not in first else "-"


def _class_of(finding: Finding, index: FileIndex) -> ClassUnits | None:
    return next((cls for name, cls in index.classes() if name == finding.owner), None)


def _beside(index: FileIndex, cls: ClassUnits | None, text: str) -> list[str]:
    """The texts of what the class speaks of, and stands beside it in the file: blocks, helpers, constants; in the file's order."""
    found: dict[str, tuple[int, str]] = {}
    todo = [text]
    while todo and len(found) < _MOST:
        for name in dict.fromkeys(re.findall(r"[^\W\d]\w*", todo.pop())):
            binding = index.bindings.get(name)
            if name in found or binding is None or isinstance(binding.node, Import) or binding.node is cls:
                continue
            own = _text(binding.node) if isinstance(binding.node, ClassUnits) else binding.unit.text
            found[name] = index.first_lines.get(binding.unit, 0), own
            todo.append(own)
    return [own for _, own in dict.fromkeys(sorted(found.values()))]


def _text(cls: ClassUnits) -> str:
    return textwrap.dedent("".join(unit.text for unit in units_of(cls)))


def _torch(index: FileIndex) -> tuple[frozenset[str], list[str]]:
    """The names of the file for torch and what is imported from it, and the statements that bind them."""
    names = [
        name
        for name, binding in index.bindings.items()
        if isinstance(binding.node, Import) and not binding.node.level and binding.node.target.split(".")[0] == "torch"
    ]
    return frozenset(names), list(dict.fromkeys(_imports(index)))


def _imports(index: FileIndex) -> Iterator[str]:
    for unit in index.first_lines:
        for node in unit.nodes:
            if isinstance(node, ast.Import):
                kept = [alias for alias in node.names if alias.name.split(".")[0] == "torch"]
                yield from [ast.unparse(ast.Import(kept))] if kept else []
            elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "torch":
                yield ast.unparse(node)
