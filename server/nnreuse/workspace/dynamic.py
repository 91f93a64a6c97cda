"""The dynamic trace: what torch says of one forward of a model, beside what the static tracer says. It runs the model's code.

`trace_model.py` does it in the user's interpreter. Whether that may run, and whether the user has asked, the caller knows.
"""

import json
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import nnreuse
from nnreuse.workspace.apart import Apart, Unended

SECONDS = 120
"""For a trace: what a model of the size that people develop on takes to import torch, to build, and to run once."""

Row = dict[str, Any]
"""A row as `nnreuse facts` has them, and whether torch knows of the module: `registered`."""


class NoTrace(Exception):
    """A model could not be traced. The message says why, for its author."""


@dataclass(frozen=True, slots=True)
class Model:
    """What to trace: a class of a file, or a function that returns a model; `options` as those of `nnreuse trace`."""

    file: Path
    name: str
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.file.name}:{self.name}"


@dataclass(frozen=True, slots=True)
class DynamicTrace:
    """What was seen in one forward. `torch`: its version."""

    model: Model
    torch: str
    rows: tuple[Row, ...]


def options_of(words: str) -> tuple[str, ...]:
    """The options in a line such as `2x3x32x32 --arg width=64`: a word alone is an input. Raises NoTrace."""
    options: list[str] = []
    try:
        rest = iter(shlex.split(words))
    except ValueError as error:
        raise NoTrace(f"{words!r} cannot be read: {error}") from None
    for word in rest:
        if not word.startswith("-"):
            options += ["--input", word]
        elif word in ("--input", "--arg", "--device") and (value := next(rest, None)) is not None:
            options += [word, value]
        elif word == "--train":
            options.append(word)
        else:
            raise NoTrace(
                f"{word!r} is no option: use shapes such as 2x3x32x32, --arg NAME=VALUE, --train, --device NAME"
            )
    return tuple(options)


def dynamic_trace(
    model: Model,
    interpreter: Path,
    running: Apart | None = None,
    seconds: float = SECONDS,
    folder: Path | None = None,
) -> DynamicTrace:
    """Imports the file, builds the model and calls it, in a process apart, in a folder. Blocks. Raises NoTrace."""
    script = Path(nnreuse.__file__).with_name("trace_model.py")
    command = [str(interpreter), "-B", str(script), str(model.file.absolute()), model.name, *model.options]
    try:
        ended = (running or Apart()).run(command, seconds, folder or Path.cwd(), {})
    except (OSError, Unended) as error:
        raise NoTrace(f"{model} was not traced: {error}") from None
    try:
        document = cast("dict[str, Any]", json.loads(ended.output))
    except ValueError:
        last = (ended.complaints.strip().splitlines() or [f"it ended with code {ended.code}"])[-1]
        raise NoTrace(f"{model} was not traced: {last}") from None
    if "error" in document:
        raise NoTrace(document["error"])
    return DynamicTrace(model, document["torch"], tuple(document["rows"]))


def compared(trace: DynamicTrace, facts: Iterable[dict[str, object]]) -> Iterator[tuple[Row, str]]:
    """Each row, and whether the static tracer says the same of it, in words."""
    static = {(row["class"], row["attribute"]): row for row in facts}
    for row in trace.rows:
        said = static.get((row["class"], row["attribute"]))
        yield row, _difference(row, said) if said is not None else "unknown"


def _difference(row: Row, said: dict[str, object]) -> str:
    """What the static tracer says where it is something else; it counts to two, and over all paths."""
    if said["calls"] is None:
        return "unknown"
    if said["calls"] != min(row["calls"], 2):
        return f"{said['calls']}{' or more' if said['calls'] == 2 else ''}" + ("" if said["must"] else " on some path")
    for name, words in (("parameters", "parameters"), ("running_stats", "running statistics")):
        if said[name] is not None and said[name] != row[name]:
            return f"{'with' if said[name] else 'without'} {words}"
    return "agrees"


def lines(trace: DynamicTrace, facts: Iterable[dict[str, object]]) -> Iterator[str]:
    """The trace for people: a table for each class."""
    yield f"{trace.model} {' '.join(trace.model.options)}, one forward in torch {trace.torch}".replace(" ,", ",")
    header = ("attribute", "calls", "relation", "lines", "carries", "static tracer")
    cells: dict[str, list[tuple[str, ...]]] = {}
    for row, said in compared(trace, facts):
        cells.setdefault(row["class"], [header]).append((*_cells(row), said))
    for cls, table in cells.items():
        widths = [max(len(row[column]) for row in table) for column in range(len(header))]
        yield ""
        yield cls
        for row in table:
            yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if not cells:
        yield "No module of a class of this file was seen."


def _cells(row: Row) -> tuple[str, ...]:
    carries = [("parameters", row["parameters"]), ("running statistics", row["running_stats"])]
    carried = ", ".join(words for words, does in carries if does) or "nothing"
    unregistered = "" if row["registered"] else ", unregistered"
    sites = ", ".join(map(str, row["sites"]))
    return row["attribute"], str(row["calls"]), row["relation"], sites, carried + unregistered
