"""Random edit sequences as a client sends them, and the client's own idea of the text, which shares no code with ours."""

import ast
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_LINE_END = re.compile(r"\r\n|\r|\n")
_LAYERS = (
    "nn.BatchNorm2d(8)",
    "nn.Conv2d(8, 8, 3)",
    "nn.Linear(8, 8)",
    "nn.LayerNorm(8)",
    "nn.ReLU()",
    "nn.PReLU()",
    "nn.Dropout(0.1)",
    "nn.LSTM(8, 8)",
    "Block()",
    "nn.Sequential(nn.Linear(8, 8), nn.ReLU())",
    "nn.ModuleList([nn.Linear(8, 8)] * 3)",
)
_NAMES = ("bn", "conv1", "conv2", "act", "head", "norm")
_PIECES = (
    *("\n", "\r\n", "\r", "\f", " ", "    ", "\t", "\\", "\\\n", "\n\n", "\x85", "\u2028", "\ufeff"),
    *("(", ")", "[", "]", "{", '"', "'", '"""', "#", ":", ",", ".", "=", "@", ";"),
    *("🔥", "é", "中", "a\u0301", "x", "self.bn", "self.bn(x)", "return x", "pass", "if x:", "else:", "class A:"),
    *(
        "def f(self):",
        "async ",
        "lambda: ",
        "import torch.nn as nn\n",
        "from torch import nn\n",
        "del nn\n",
        "@property\n",
    ),
    *(
        "# nnreuse: shared",
        "# nnreuse: ignore[shared-batch-norm]",
        "# nnreuse: ignore-file",
        "# noqa",
        "x = self.bn(x)\n",
    ),
    *(
        "        x = self.bn(x)\n",
        "        self.bn = nn.BatchNorm2d(8)\n",
        "for _ in range(3):",
        "class B(Block):\n    pass\n",
    ),
)

_TYPED = ("self.bn(x)", "# noqa", '"""🔥', "if x:\n", "(x)\r\n", "    pass\n", "bn2", "\f\n")


def is_python(text: str) -> bool:
    """Whether Python's own parser takes it."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def text_of(pick: random.Random) -> str:
    """A file of module classes, some of which reuse what they should not."""
    parts = ["import torch\nimport torch.nn as nn\n"]
    if pick.random() < 0.3:
        parts.append("\f\n# 🔥 a page\n")
    parts += [_class(pick, f"Net{number}") for number in range(pick.randint(1, 2))]
    parts.insert(1, _class(pick, "Block", ["nn.BatchNorm2d(8)", "nn.ReLU()"]))
    text = "\n\n".join(parts)
    end = pick.choice(("\n", "\n", "\r\n", "\r"))
    text = text.replace("\n", end)
    return text if pick.random() < 0.8 else text.rstrip("\r\n")


def _class(pick: random.Random, name: str, layers: "list[str] | tuple[str, ...]" = _LAYERS) -> str:
    names = pick.sample(_NAMES, pick.randint(2, 4))
    base = pick.choice(("nn.Module", "nn.Module", "Block")) if name != "Block" else "nn.Module"
    lines = [f"class {name}({base}):"]
    if pick.random() < 0.3:
        lines.append('    """Says 🔥."""')
    lines += ["    def __init__(self):", "        super().__init__()"]
    for attribute in names:
        note = pick.choice(("", "", "", "  # nnreuse: shared", "  # 🔥"))
        lines.append(f"        self.{attribute} = {pick.choice(layers)}{note}")
    lines += ["", "    def forward(self, x):"]
    for _ in range(pick.randint(1, 5)):
        indent, head = pick.choice((("        ", None), ("        ", None), ("            ", pick.choice(_HEADS))))
        if head:
            lines.append(f"        {head}")
        emoji = pick.choice(("", "", 'label = "🔥é"; '))
        lines.append(f"{indent}{emoji}x = self.{pick.choice(names)}(x)")
    lines.append("        return x")
    return "\n".join(lines) + "\n"


_HEADS = ("for _ in range(2):", "if x.sum() > 0:", "while x.any():", "with torch.no_grad():")


@dataclass(frozen=True)
class Change:
    """`[start, end)` of the text, in code points, becomes `new`; both None: the whole text."""

    start: int | None
    end: int | None
    new: str


class Client:
    """An editor's buffer: offsets are code points of one string; lines and columns are made for the server alone."""

    def __init__(self, text: str, encoding: str) -> None:
        self.text = text
        self.encoding = encoding

    def sent(self, change: Change) -> dict[str, Any]:
        """Makes the change, and says it as the protocol does."""
        if change.start is None or change.end is None:
            self.text = change.new
            return {"text": change.new}
        told = {"range": {"start": self._place(change.start), "end": self._place(change.end)}, "text": change.new}
        self.text = self.text[: change.start] + change.new + self.text[change.end :]
        return told

    def _place(self, offset: int) -> dict[str, int]:
        line, begin = 0, 0
        for number, match in enumerate(_LINE_END.finditer(self.text)):
            if match.end() > offset:
                break
            line, begin = number + 1, match.end()
        written = self.text[begin:offset].encode(
            {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(self.encoding, self.encoding)
        )
        return {"line": line, "character": len(written) // {"utf-8": 1, "utf-16": 2, "utf-32": 4}[self.encoding]}


def _between(text: str, at: int) -> int:
    """The offset, moved out of the middle of a `\\r\\n`, where no client can be."""
    return at - 1 if 0 < at < len(text) and text[at - 1 : at + 1] == "\r\n" else at


def messages(pick: random.Random, client: Client, count: int) -> Iterator[list[dict[str, Any]]]:
    """The content changes of one `didChange` after the other; the client's text follows."""
    made: list[str] = [client.text]
    for _ in range(count):
        kind = pick.choice(
            ("edit",) * 4 + ("word",) * 3 + ("line", "line", "several", "several", "typed", "undo", "whole", "across")
        )
        if kind == "undo":
            yield [client.sent(_difference(client.text, made[max(0, len(made) - pick.randint(2, 4))]))]
        elif kind == "whole":
            yield [client.sent(Change(None, None, pick.choice(made)))]
        elif kind == "typed":
            at = _between(client.text, pick.randint(0, len(client.text)))
            for char in re.findall(r"\r\n|.|\n", pick.choice(_TYPED)):
                yield [client.sent(Change(at, at, char))]
                at += 1
        else:
            edit = _EDITS[kind]
            yield [client.sent(edit(pick, client.text)) for _ in range(pick.randint(2, 4) if kind == "several" else 1)]
        made.append(client.text)


def _difference(text: str, other: str) -> Change:
    """The one change that leads from a text to another, as an editor's undo sends it."""
    shorter = min(len(text), len(other))
    head = next((n for n in range(shorter) if text[n] != other[n]), shorter)
    tail = next((n for n in range(shorter - head) if text[-1 - n] != other[-1 - n]), shorter - head)
    start, end = _between(text, head), len(text) - tail
    if _between(text, end) != end:
        end, tail = end + 1, tail - 1
    return Change(start, end, other[start : len(other) - tail])


def _edit(pick: random.Random, text: str) -> Change:
    start = _between(text, pick.randint(0, len(text)))
    end = start if pick.random() < 0.6 else _between(text, min(len(text), start + pick.randint(1, 30)))
    return Change(start, max(start, end), pick.choice(_PIECES) if pick.random() < 0.8 else "")


def _word(pick: random.Random, text: str) -> Change:
    """One name becomes another: most such texts stay Python."""
    words = list(re.finditer(r"\b(?:bn|conv1|conv2|act|head|norm|BatchNorm2d|ReLU|Block|x)\b", text))
    if not words:
        return _edit(pick, text)
    word = pick.choice(words)
    return Change(word.start(), word.end(), pick.choice((*_NAMES, "BatchNorm2d", "PReLU", "Block", "x")))


def _line(pick: random.Random, text: str) -> Change:
    """A line goes, is repeated, or is moved in or out."""
    starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
    number = pick.randrange(len(starts))
    start, end = starts[number], (*starts, len(text))[number + 1]
    line = text[start:end]
    return Change(start, end, pick.choice(("", line + line, "    " + line, line.removeprefix("    "), "# " + line)))


def _across(pick: random.Random, text: str) -> Change:
    """A range over many lines, and often over classes, is cut, or replaced by another such range."""
    start, end = sorted(_between(text, pick.randint(0, len(text))) for _ in range(2))
    if pick.random() < 0.5:  # whole lines
        starts = [0, *(match.end() for match in _LINE_END.finditer(text)), len(text)]
        start, end = sorted(pick.choice(starts) for _ in range(2))
    return Change(start, end, pick.choice(("", "", text[start:end] * 2, "    pass\n", "\n")))


_EDITS = {"edit": _edit, "several": _edit, "word": _word, "line": _line, "across": _across}
