"""Compares what `nnreuse facts` says of a library with the rows that `record.py` wrote, and prints one line of figures.

usage: score.py ROWS SITE [--misses]

coverage: rows whose number of calls is known. recall: of the rows with several calls in one forward, those said to have. precision:
of those said to have in every configuration, those that have. relation: of the rows reused in both, those that agree. type and
carries: of the covered rows, those whose type is one that torch saw there, and whose parameters and running statistics agree.
`--misses` also prints every row that is not right, with what was said and what torch saw.
"""

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from nnreuse.config.settings import Settings
from nnreuse.workspace.project import Project

Row = dict[str, object]


class Said:
    """The facts of a library, found by file and class, or by the class that was built."""

    def __init__(self, site: Path, files: list[str]) -> None:
        self.rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
        project = Project(Settings())
        for file in files:
            project.admit(site / file, (site / file).read_text(encoding="utf-8"))
        for file in files:
            module = file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
            for row in project.facts(site / file):
                self.rows[file, str(row["class"])].append(row)
                self.rows["", f"{module}.{row['class']}"].append(row)

    def about(self, row: dict) -> Row | None:
        """The fact for a recorded row; where the calling class has none, that of the class that was built."""
        for key in ((row["file"], row["class"]), *(("", name) for name in row["runtime_classes"])):
            found = [one for one in self.rows.get(key, ()) if _same(str(one["attribute"]), row["attr"])]
            if found:
                return max(found, key=lambda one: one["calls"] or 0)  # type: ignore[arg-type,return-value]
        return None


def _same(said: str, seen: str) -> bool:
    return said == seen or "*" in said and re.fullmatch(re.escape(said).replace(r"\*", r"\w+"), seen) is not None


def judged(said: Said, rows: list[dict]) -> Iterator[tuple[str, dict, Row | None]]:
    """What is right and what is wrong of each row: `name` where it counts for a figure, `-name` where it counts against it."""
    for row in rows:
        fact, reused = said.about(row), row["calls_per_forward"] > 1
        twice = fact is not None and fact["calls"] == 2
        if reused:
            yield "recall" if twice else "-recall", row, fact
        if fact is None or fact["calls"] is None:
            yield "-coverage", row, fact
            continue
        yield "coverage", row, fact
        if twice and fact["must"]:
            yield "precision" if reused else "-precision", row, fact
        if twice and reused:
            relation = {"recurrent": "chained"}.get(str(fact["relation"]), fact["relation"])
            yield "relation" if relation == row["relation"] else "-relation", row, fact
        yield "type" if fact["type"] in row["child_types"] else "-type", row, fact
        carried = (fact["parameters"], fact["running_stats"]) == (row["has_params"], row["has_running_stats"])
        yield "carries" if carried else "-carries", row, fact


def main(recorded: Path, site: Path, misses: bool) -> None:
    """Prints the figures."""
    rows = [json.loads(line) for line in recorded.read_text().splitlines()]
    said = Said(site.resolve(), sorted({row["file"] for row in rows}))
    counted: Counter[str] = Counter()
    for name, row, fact in judged(said, rows):
        counted[name] += 1
        if misses and name.startswith("-"):
            told = (fact["type"], fact["parameters"], fact["running_stats"], fact["calls"]) if fact else None
            seen = (row["child_types"], row["has_params"], row["has_running_stats"], row["calls_per_forward"])
            print(name[1:], row["file"], row["class"], row["attr"], "said", told, "torch", seen)
    figures = []
    for name in ("coverage", "recall", "precision", "relation", "type", "carries"):
        right, all_ = counted[name], counted[name] + counted["-" + name]
        figures.append(f"{name} {right / all_:.3f} ({right}/{all_})" if all_ else f"{name} - (0/0)")
    print(f"{recorded.stem}: rows {len(rows)}  " + "  ".join(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), "--misses" in sys.argv)
