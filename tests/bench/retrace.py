"""What one edit costs: `python tests/bench/retrace.py [FOLDER...]`. Prints, and asserts nothing.

A dense class of about 200 lines is edited in its forward, again and again; processor time, the median of the edits. Of the classes of
150 to 260 lines in the folders each is traced again and again, and the quantiles over the classes are printed.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from nnreuse.config.settings import Settings
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import LineChange, Source
from nnreuse.syntax.units import Unparsable
from nnreuse.tracing.tracer import trace
from nnreuse.workspace.files import FileProblem, discover, read
from nnreuse.workspace.project import Project

T = TypeVar("T")
EDITS = 60


def network(blocks: int = 14) -> str:
    """A class with residual blocks of its own, a helper for each, a list of heads, and branches."""
    lines = ["import torch", "import torch.nn as nn", "", "", "class Net(nn.Module):"]
    lines += ["    def __init__(self, width=64, classes=10, deep=True):", "        super().__init__()"]
    for number in range(blocks):
        lines += [
            f"        self.conv{number} = nn.Conv2d(width, width, 3, padding=1)",
            f"        self.norm{number} = nn.BatchNorm2d(width)",
            f"        self.gate{number} = nn.Sequential(nn.Linear(width, width // 4), nn.ReLU(), nn.Linear(width // 4, width))",
        ]
    lines += ["        self.heads = nn.ModuleList([nn.Linear(width, classes) for _ in range(4)])", ""]
    for number in range(blocks):
        lines += [
            f"    def block{number}(self, x, skip=None):",
            f"        y = torch.relu(self.norm{number}(self.conv{number}(x)))",
            "        if skip is not None:",
            "            y = y + skip",
            f"        gate = self.gate{number}(y.mean((2, 3)))",
            "        return x + y * gate[:, :, None, None]",
            "",
        ]
    lines += ["    def forward(self, x, scale=1.0):", "        skip = None", "        x = x * 0"]
    for number in range(blocks):
        lines += [f"        x = self.block{number}(x, skip)", "        if self.deep:", "            skip = x"]
    lines += ["        return [head(x.flatten(1)) for head in self.heads]"]
    return "\n".join(lines) + "\n"


def timed(run: Callable[[], T]) -> tuple[float, T]:
    start = time.process_time()
    result = run()
    return (time.process_time() - start) * 1000, result


def dense() -> None:
    text = network()
    row = next(number for number, line in enumerate(text.splitlines()) if line.startswith("        x = x * "))
    project, path, source = Project(Settings()), Path("net.py"), Source(text)
    index = FileIndex.of(source)
    project.analyse(path, index)
    spent: dict[str, list[float]] = {"read the edited unit": [], "trace the class": [], "all, with the rules": []}
    for edit in range(EDITS):
        lines = [*source.lines]
        lines[row] = f"        x = x * {edit}\n"
        source = Source(lines=lines)
        read, index = timed(lambda source=source, index=index: index.updated(source, LineChange(row, row + 1, row + 1)))
        whole, _ = timed(lambda index=index: project.analyse(path, index))
        [cls] = project.classes(project.file(path, index))
        traced, _ = timed(lambda cls=cls: trace(project.program, cls))
        for phase, milliseconds in zip(spent, (read, traced, read + whole), strict=True):
            spent[phase].append(milliseconds)
    print(f"one edited class of {len(source.lines) - 4} lines, {EDITS} edits, median:")
    for phase, times in spent.items():
        print(f"  {statistics.median(times):8.2f} ms  {phase}")


def real(folder: Path) -> None:
    spent: list[float] = []
    for path in discover(folder, print):
        project = Project(Settings())
        try:
            index = FileIndex.of(Source(read(path).text))
        except (FileProblem, Unparsable):
            continue
        for cls in project.classes(project.file(path, index)):
            node = cls.units.node
            if 150 <= (node.end_lineno or 0) - node.lineno <= 260 and project.program.is_module_class(cls):
                spent.append(
                    min(timed(lambda cls=cls, project=project: trace(project.program, cls))[0] for _ in range(5))
                )
    quantiles = ", ".join(f"{q:.2f}" for q in statistics.quantiles(spent, n=4)) if len(spent) > 1 else spent
    print(f"{folder.name}: {len(spent)} classes of 150 to 260 lines, quartiles of tracing one: {quantiles} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    gc.freeze()
    gc.set_threshold(25_000, 4, 1_000_000)  # as the server does
    folders = parser.parse_args().folders
    dense()
    for folder in folders:
        real(folder)


if __name__ == "__main__":
    main()
