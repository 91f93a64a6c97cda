"""What nnreuse finds in three libraries of good code, a line for each finding; `make quiet` writes it to findings.txt."""

import sys
from pathlib import Path

from nnreuse.config.settings import Settings
from nnreuse.config.severity import Severity
from nnreuse.workspace.project import Project

LIBRARIES = ("torchvision", "timm", "ultralytics")


def summary(root: Path) -> list[str]:
    """Severity, rule, file, class and attribute of every finding, hints left out, and how often each stands there."""
    project = Project(Settings())
    found: dict[str, int] = {}
    for library in LIBRARIES:
        for path in sorted((root / library).rglob("*.py")):
            analysis = project.check(path, path.read_text(encoding="utf-8"))
            for one in analysis.findings:
                if one.severity is not Severity.HINT:
                    where = f"{path.relative_to(root).as_posix()} {one.owner}.{one.attribute}"
                    line = f"{one.severity.value} {one.rule} {where}"
                    found[line] = found.get(line, 0) + 1
    return sorted(f"{line} x{count}" for line, count in found.items())


if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in summary(Path(sys.argv[1]).absolute())))
