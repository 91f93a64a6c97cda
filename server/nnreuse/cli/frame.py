"""The code frame under a finding: the lines it speaks of, with its place marked `^^^` and the others `---`."""

import unicodedata
from collections.abc import Iterator

import click

from nnreuse.cli.record import Record, Site
from nnreuse.syntax.source import Position

_TAB = "    "


def frame(record: Record) -> Iterator[str]:
    """The frame's lines, from ` --> file:line:column` to the closing bar, styled for a terminal."""
    sites = sorted([(record.site, "^"), *((site, "-") for site in record.related)], key=_in_order)
    margin = len(str(max(site.start.line for site, _ in sites) + 1))
    bar = click.style(" " * margin + " |", fg="blue")
    yield click.style(" " * margin + "--> ", fg="blue") + record.where
    yield bar
    previous: tuple[int | None, int] | None = None
    for site, mark in sites:
        row = (site.cell, site.start.line)
        if previous is not None and row not in (previous, (previous[0], previous[1] + 1)):
            yield click.style("...", fg="blue")
        line = record.lines.get(row, "").rstrip("\r\n")
        if row != previous:
            yield click.style(f"{row[1] + 1:>{margin}} | ", fg="blue") + _visible(line)
        yield f"{bar} {_underlined(line, site, mark)}"
        previous = row
    yield bar


def _in_order(each: tuple[Site, str]) -> tuple[int, Position]:
    return each[0].cell or 0, each[0].start


def _underlined(line: str, site: Site, mark: str) -> str:
    """Marks under a site; of one that spans several lines, under the rest of its first."""
    begin = site.start.column
    end = site.end.column if site.end.line == site.start.line else len(line.rstrip())
    marks = mark * max(1, _width(line[begin:end]))
    colour = "red" if mark == "^" else "cyan"
    return " " * _width(line[:begin]) + click.style(f"{marks} {site.message}".rstrip(), fg=colour)


def _visible(text: str) -> str:
    """Text that a terminal shows as it is: what could move the cursor or turn the text around is replaced."""
    return "".join(map(_shown, text))


def _shown(char: str) -> str:
    if char == "\t":
        return _TAB
    return "\ufffd" if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else char


def _width(text: str) -> int:
    """The columns a terminal takes for a text."""
    return len(text) if text.isascii() and text.isprintable() else sum(map(_columns, text))


def _columns(char: str) -> int:
    if char == "\t":
        return len(_TAB)
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
