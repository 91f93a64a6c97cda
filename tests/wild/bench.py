"""How often `nnreuse check` is right on public code: runs it over a folder of checkouts and compares with the labels.

usage: bench.py FOLDER [--part learn|measured] [--labels FILE] [--places FILE] [--command COMMAND]

FOLDER holds one checkout for each repository, `owner+name`. A place is one (repository, file, class, attribute, rule); the
same class in another file is the same place. Labels stand in `labels.tsv`: facts about public code, none of the code itself.
`--places` writes every place that was found, one JSON line each, for those who label. The command is `nnreuse` unless
another is given.
"""

import argparse
import ast
import csv
import hashlib
import json
import math
import shlex
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LABELS = Path(__file__).with_name("labels.tsv")
VERDICTS = ("slip", "design", "untrue", "unclear")
LEVELS = ("information", "warning", "error")


@dataclass(frozen=True, order=True)
class Place:
    """What is labelled: a rule's word about one attribute of one class. `attribute` is `-` where there is none."""

    repository: str
    file: str
    cls: str
    attribute: str
    rule: str


@dataclass
class Said:
    """What was said of a place: how loud, on what lines, for which reasons."""

    severity: str
    rows: list[int]
    kinds: set[str]
    messages: list[str]
    evidence: list[str]


@dataclass(frozen=True)
class Label:
    """A reader's verdict on a place. `worth`: the reader would have wanted to be told, slip or not."""

    verdict: str
    reason: str

    @property
    def worth(self) -> bool:
        return self.verdict == "slip" or self.reason.startswith("worth a look")


def part_of(repository: str) -> str:
    """`learn` or `measured`: what may be learned from, and what is only measured. A repository stays in its part for ever."""
    return "learn" if hashlib.sha256(repository.lower().encode()).digest()[0] % 2 else "measured"


def read_labels(path: Path) -> dict[Place, Label]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t")
        return {
            Place(r["repository"], r["file"], r["class"], r["attribute"], r["rule"]): Label(r["verdict"], r["reason"])
            for r in rows
        }


def name_of(checkout: Path) -> str:
    return checkout.name.replace("+", "/", 1)


def checked(repository: Path, command: list[str]) -> list[dict]:
    """What `check` says of a checkout, as JSON."""
    ask = [*command, "check", "--exit-zero", "--output-format", "json", str(repository)]
    ran = subprocess.run(ask, capture_output=True, text=True, check=False)
    try:
        return json.loads(ran.stdout)
    except ValueError:
        print(f"no JSON for {repository.name}: {ran.stderr[-300:]}", file=sys.stderr)
        return []


def places(repository: Path, found: Iterable[dict]) -> dict[Place, Said]:
    """The findings of a checkout by place, each as loud as its loudest."""
    name, said = name_of(repository), dict[Place, Said]()
    for one in found:
        file = str(Path(one["filename"]).resolve().relative_to(repository.resolve()))
        place = Place(name, file, one["class"] or "-", one["attribute"] or "-", one["code"])
        here = said.setdefault(place, Said(one["severity"], [], set(), [], []))
        if LEVELS.index(one["severity"]) >= LEVELS.index(here.severity):
            here.severity = one["severity"]
        here.rows.append(one["location"]["row"])
        here.messages.append(one["message"])
        for reason in one["evidence"]:
            here.kinds.add(reason["kind"])
            here.evidence.append(f"{reason['kind']} {reason['weight']:+}: {reason['message']}")
    return said


def interval(right: int, of: int) -> str:
    """A share with Wilson's interval of 95 %."""
    if not of:
        return "-"
    z, share = 1.96, right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return f"{share:.2f} ({max(0.0, middle - half):.2f} to {min(1.0, middle + half):.2f})"


def table(title: str, rows: dict[str, Counter]) -> Iterator[str]:
    yield f"{title:28} {'slip':>6} {'design':>7} {'untrue':>7} {'unclear':>8} {'no label':>9}  precision"
    for name, counts in sorted(rows.items(), key=lambda row: -row[1].total()):
        judged = sum(counts[v] for v in VERDICTS[:3])
        numbers = (
            f"{counts['slip']:>6} {counts['design']:>7} {counts['untrue']:>7} {counts['unclear']:>8} {counts['']:>9}"
        )
        yield f"{name:28} {numbers}  {interval(counts['slip'], judged)}"
    yield ""


def report(said: dict[Place, Said], labels: dict[Place, Label], lines: int, asked: set[str]) -> Iterator[str]:
    """The tables: warnings by rule and by kind of evidence, information and its worth, slips that are not warned about."""
    by_rule, by_kind = defaultdict[str, Counter](Counter), defaultdict[str, Counter](Counter)
    worth = Counter[str]()
    for place, one in said.items():
        label = labels.get(place)
        verdict = label.verdict if label else ""
        if one.severity == "information":
            worth["no label" if label is None else "worth a look" if label.worth else verdict] += 1
            continue
        by_rule["all warnings"][verdict] += 1
        by_rule[place.rule][verdict] += 1
        for kind in one.kinds:
            by_kind[kind][verdict] += 1
    yield from table("warnings by rule", by_rule)
    yield from table("warnings by evidence", by_kind)
    told = worth.total()
    yield f"information: {told} places, one in {lines // max(1, told):,} lines; {dict(worth)}"
    slips = [place for place, label in labels.items() if label.verdict == "slip" and place.repository in asked]
    loud = [place for place in slips if place in said and said[place].severity != "information"]
    yield f"labelled slips that are warnings: {interval(len(loud), len(slips))} of {len(slips)}"
    yield f"slips for 100,000 lines: {100_000 * len(loud) / max(1, lines):.2f} of {lines:,} lines"
    for place in sorted(set(slips) - set(loud)):
        yield f"  quiet: {place} {said[place].severity if place in said else ''}"
    for place, one in sorted(said.items()):
        if one.severity != "information" and place not in labels:
            yield f"  no label: {place} rows {one.rows}"


def lines_of(folders: Iterable[Path]) -> int:
    """The lines of the Python files, copies of files left out."""
    texts = (path.read_bytes() for folder in folders for path in folder.rglob("*.py") if path.is_file())
    return sum(text.count(b"\n") for text in {hashlib.sha256(text).digest(): text for text in texts}.values())


def without_copies(folder: Path, said: dict[Place, Said]) -> dict[Place, Said]:
    """The places, those in a class that another file has word for word left out."""
    seen, kept = set[tuple[str, str, str]](), dict[Place, Said]()
    for place, one in sorted(said.items()):
        text = class_text(folder / place.repository.replace("/", "+", 1) / place.file, place.cls)
        key = hashlib.sha256(text.encode()).hexdigest(), place.attribute, place.rule
        if key not in seen:
            seen.add(key)
            kept[place] = one
    return kept


@cache
def class_text(path: Path, cls: str) -> str:
    """The source of a class, comments and layout apart; the place itself where it cannot be told."""
    with suppress(OSError, SyntaxError, ValueError):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name == cls.rpartition(".")[2]:
                return ast.unparse(node)
    return f"{path} {cls}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", choices=["learn", "measured"])
    parser.add_argument("--labels", type=Path, default=LABELS)
    parser.add_argument("--places", type=Path)
    parser.add_argument("--command", type=shlex.split, default=["nnreuse"])
    options = parser.parse_args()
    folders = sorted(path for path in options.folder.iterdir() if path.is_dir())
    asked = {name_of(path): path for path in folders if options.part in (None, part_of(name_of(path)))}
    said = dict[Place, Said]()
    for repository in asked.values():
        said |= places(repository, checked(repository, options.command))
    said, lines = without_copies(options.folder, said), lines_of(asked.values())
    if options.places:
        rows = (json.dumps({**vars(place), **vars(one), "kinds": sorted(one.kinds)}) for place, one in said.items())
        options.places.write_text("\n".join(rows) + "\n", encoding="utf-8")
    print(f"{len(asked)} repositories")
    for line in report(said, read_labels(options.labels) if options.labels.exists() else {}, lines, set(asked)):
        print(line)


if __name__ == "__main__":
    main()
