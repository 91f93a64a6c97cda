"""What a client decides about itself: which features it wants, and whether it trusts what it has opened."""

import re
from dataclasses import dataclass, field, fields, replace
from typing import cast

from nnreuse.config.toml import TABLES, Problem, Table, keys, near

_OF_THE_CLIENT_ALONE = frozenset({"server", "trace"})
"""How a client starts us, and what it logs, stands in the same section and is not ours."""


@dataclass(frozen=True, slots=True)
class Editor:
    """Switches of the language server. They come from a client alone: no file of a workspace may set them."""

    enable: bool = field(default=True, metadata={"says": "Show findings and offer their fixes."})
    trusted: bool = field(
        default=False,
        metadata={"says": "The interpreter that the workspace names may be started."},
    )
    workspace: bool = field(
        default=True, metadata={"says": "Look at every file of the workspace folders, not at open ones only."}
    )
    unsafe_fixes: bool = field(
        default=False,
        metadata={"says": "“Fix all” applies the fixes that change what trains as well: those of warnings and errors."},
    )
    knowledge: bool = field(
        default=True,
        metadata={"says": "Master switch of all that follows."},
    )
    hover: bool = field(
        default=True, metadata={"says": "Answer “may I reuse this?” on a module, its calls and its constructor."}
    )
    highlight: bool = field(
        default=True, metadata={"says": "Highlight every call and the definition of the instance under the cursor."}
    )
    references: bool = field(
        default=True, metadata={"says": "List every call of the instance under the cursor, through its aliases too."}
    )
    completion: bool = field(
        default=True, metadata={"says": "Complete the words of `# nnreuse:` comments, rule names among them."}
    )
    code_lens: bool = field(default=False, metadata={"says": "Show above a definition how often its module is called."})
    inlay_hints: bool = field(
        default=False, metadata={"says": "Show behind a call which of the instance's calls it is."}
    )

    def knows(self, feature: str) -> bool:
        """Whether one of the features below the master switch is wanted."""
        return self.enable and self.knowledge and bool(getattr(self, feature))


def split(said: Table) -> tuple[Editor, dict[str, object], list[Problem]]:
    """A client's settings: its switches, what it says of the analysis, and the switches that make no sense.

    Keys may be written as in VS Code (`codeLens`) or as in the files (`code-lens`). A key without a value is not set.
    """
    editor, analysis, problems = Editor(), dict[str, object](), list[Problem]()
    switches = {one.name.replace("_", "-"): one.name for one in fields(Editor)}
    for written, value in said.items():
        key = kebab(written)
        if value is None or key in _OF_THE_CLIENT_ALONE or value == "" and key == "python":
            continue
        if key in keys():
            analysis[key] = value
        elif key not in switches:
            known = sorted(map(camel, {*switches, *keys()}))
            likely = near(written, known, f"known are {', '.join(known)}")
            problems.append(Problem(f"unknown key `{written}`{likely}", (written,)))
        elif isinstance(value, bool):
            editor = replace(editor, **{switches[key]: value})
        else:
            problems.append(Problem(f"`{written}` must be true or false", (written,)))
    return editor, analysis, problems


def kebab(key: str) -> str:
    """A key as the files write it."""
    return re.sub(r"(?<=[a-z])([A-Z])", r"-\1", key).lower().replace("_", "-")


def camel(key: str) -> str:
    """A key as clients write it."""
    head, *rest = key.replace("_", "-").split("-")
    return head + "".join(word.capitalize() for word in rest)


def of_client(said: object) -> Table:
    """The settings in what a client sent: as they are, or under `settings` or `nnreuse`.

    Some clients send each server what all of them should know: the tables beside ours are not for us.
    """
    if not isinstance(said, dict):
        return {}
    table = cast("Table", said)
    if isinstance(table.get("nnreuse"), dict):
        return of_client(table["nnreuse"])
    foreign = {key for key, value in table.items() if isinstance(value, dict) and key not in TABLES}
    own = {key: table[key] for key in table if key not in foreign}
    return {**own, **of_client(table.get("settings"))}
