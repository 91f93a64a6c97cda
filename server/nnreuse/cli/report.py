"""The run of `check`: files are analysed, maybe repaired, and reported; the worst of them decides the exit code."""

import os
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from nnreuse.cli.engine import Engine, Engines, MakeEngine, Target, run
from nnreuse.cli.formats import Format, full
from nnreuse.cli.progress import Progress, progress_of
from nnreuse.cli.record import Record, Repair, built, record, shown
from nnreuse.cli.repair import Repaired, repaired
from nnreuse.cli.summary import Summary
from nnreuse.syntax.edits import unified_diff
from nnreuse.syntax.notebook import Program
from nnreuse.syntax.source import Position
from nnreuse.workspace.files import FileProblem, TextFile, Undecodable, decode, read, write
from nnreuse.workspace.notebook_file import SUFFIX, NotANotebook, NotebookFile

if TYPE_CHECKING:
    from nnreuse.fixes.fix import Migration
    from nnreuse.rules.finding import Finding
    from nnreuse.syntax.edits import Edit
    from nnreuse.syntax.index import FileIndex
    from nnreuse.workspace.analysis import Analysis


class Mode(Enum):
    """What is done with fixes: offered, shown as a diff, written."""

    SHOW = "show"
    DIFF = "diff"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of every file: `allowed` fixes may be applied, and with `repairs` the output names fixes.

    What the applied ones mean for checkpoints goes to `write_plan`, where given.
    """

    mode: Mode
    format: Format
    repairs: bool
    allowed: frozenset[str]
    write_plan: Path | None = None
    output_file: Path | None = None
    """Where the findings are written instead of standard output."""
    quiet: bool = False
    """Whether only findings and errors are told: no summary, no progress, no notices."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one file: `trouble` and `notices` are for stderr, `diff` and `output` for stdout, `code` the least exit code."""

    records: tuple[Record, ...] = ()
    trouble: str | None = None
    notices: tuple[str, ...] = ()
    code: int = 0
    diff: str = ""
    output: bytes | None = None
    applied: int = 0
    migrations: "tuple[Migration, ...]" = ()


def report(
    plan: Plan, files: Sequence[Target], problems: Sequence[FileProblem], make: MakeEngine, jobs: int | None
) -> int:
    """Prints what is found in the files. The exit code: 0 clean, 1 findings or unparsable files, 2 trouble."""
    for problem in problems:
        _complain(f"{problem.path}: {problem}")
    outcome = _Outcome(2 if problems else 0, progress_of(len(files), wanted=not plan.quiet), plan.quiet)
    reports = run(partial(check_file, plan), files, make, jobs)
    if plan.mode is Mode.DIFF:
        for each in outcome.watched(reports):
            click.echo(each.diff, nl=False)
    else:
        _print(plan, files, outcome, reports)
    if plan.write_plan is not None:
        outcome.code = max(outcome.code, _write_plan(plan.write_plan, outcome.migrations))
    return outcome.code


def _print(plan: Plan, files: Sequence[Target], outcome: "_Outcome", reports: Iterable[Report]) -> None:
    # A repaired standard input goes to stdout; what is said of it must not mix with it.
    aside = plan.mode is Mode.WRITE and any(file.content is not None for file in files)
    summary = Summary()
    records = summary.over(found for each in outcome.watched(reports) for found in each.records)
    with _output(plan.output_file, sys.stderr if aside else sys.stdout) as output:
        for text in plan.format(records):
            outcome.progress.hide()
            click.echo(text, file=output)
        if plan.format is full and not plan.quiet and (summary.total or outcome.code == 0):
            click.echo(summary.line(len(files), plan.repairs), file=output)
    if plan.format is not full and not plan.quiet and sys.stderr.isatty():
        click.echo(summary.line(len(files), plan.repairs), err=True)
    if outcome.applied and not plan.quiet:
        click.echo(f"{outcome.applied} fix{'es' * (outcome.applied > 1)} applied.", err=True)


@contextmanager
def _output(path: Path | None, otherwise: TextIO) -> Generator[TextIO]:
    """Where findings go. A file is written whole, and only where it can be: else that is a usage error."""
    if path is None:
        yield otherwise
        return
    text = StringIO()
    yield text
    try:
        path.write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"--output-file {path}: cannot be written: {error.strerror}") from None


def _write_plan(path: Path, migrations: "Sequence[Migration]") -> int:
    """Writes the plan for `nnreuse migrate`, where a fix calls for one. The exit code: 0 written, 2 trouble."""
    from nnreuse.cli.migrate import plan_text  # only for those who ask

    if not migrations:
        _complain(f"no fix changes what a checkpoint holds: {path} is not written")
        return 0
    try:
        path.write_text(plan_text(migrations), encoding="utf-8")
    except OSError as error:
        _complain(f"{path}: cannot be written: {error.strerror}")
        return 2
    return 0


class _Outcome:
    """The exit code and the number of fixes so far; grows as reports pass by."""

    def __init__(self, code: int, progress: Progress, quiet: bool) -> None:
        self.code = code
        self.progress = progress
        self._quiet = quiet
        self.applied = 0
        self.migrations: list[Migration] = []

    def watched(self, reports: Iterable[Report]) -> Iterator[Report]:
        for each in self.progress.over(reports):
            self.code = max(self.code, each.code)
            self.applied += each.applied
            self.migrations += each.migrations
            notices = () if self._quiet else each.notices
            for told in (*notices, *filter(None, [each.trouble])):
                self.progress.hide()
                _complain(told)
            if each.output is not None:
                sys.stdout.buffer.write(each.output)
            yield each


def check_file(plan: Plan, engines: Engines, target: Target) -> Report:
    """The report on one file. This is the guard: nothing about one file ends the run."""
    try:
        file = read(target.path) if target.content is None else decode(target.path, target.content)
        engine = engines[target.settings]
        if target.path.suffix == SUFFIX:
            notebook = NotebookFile.of(target.path, file.text)
            if plan.mode is Mode.SHOW:
                return _of(engine.check(target.path, notebook.program.text), plan, target, notebook)
            return _fixed_cells(plan, engine, target, file, notebook)
        return _found(plan, engine, target, file) if plan.mode is Mode.SHOW else _fixed(plan, engine, target, file)
    except (Undecodable, NotANotebook) as problem:
        return Report(trouble=f"{target.path}: {problem}; skipped", code=1)
    except FileProblem as problem:
        return Report(trouble=f"{target.path}: {problem}", code=2)
    except Exception as error:  # noqa: BLE001
        return Report(trouble=f"{target.path}: internal error, please report it: {_told(error)}", code=2)


def _found(plan: Plan, engine: Engine, target: Target, file: TextFile) -> Report:
    return _of(engine.check(target.path, file.text), plan, target)


def _of(analysis: "Analysis", plan: Plan, target: Target, notebook: NotebookFile | None = None) -> Report:
    program = notebook.program if notebook else None
    if analysis.error:
        cell, at = (
            program.in_cell(Position(analysis.error.line, 0)) if program else (0, Position(analysis.error.line, 0))
        )
        place = f"{target.path}:{f'cell {cell + 1}:' if program else ''}{at.line + 1}"
        return Report(trouble=f"{place}: cannot be parsed: {analysis.error}; skipped", code=1)
    index = analysis.index
    records = tuple(_record(plan, finding, index, target, notebook) for finding in shown(analysis, target.settings))
    notices = tuple(left_out(target.path, program)) if program else ()
    return Report(records, code=1 if records else 0, notices=notices)


def left_out(path: Path, program: Program) -> Iterator[str]:
    """What is said of the cells of a notebook that are no Python."""
    for number, problem in program.left_out:
        yield f"{path}:cell {number + 1}:{problem.line + 1}: cannot be parsed: {problem}; this cell is left out"


def _record(
    plan: Plan, finding: "Finding", index: "FileIndex", target: Target, notebook: NotebookFile | None
) -> Record:
    repairs = _repairs(finding, index, target.path, notebook) if plan.repairs else ()
    reason = None
    if plan.repairs and not repairs:
        from nnreuse.workspace.neighbours import refusal

        reason = refusal(finding.fixes, index, target.path) or _unsaid(finding, index, target.path)
    return record(finding, index, str(target.path), repairs, notebook.program if notebook else None, reason)


def _unsaid(finding: "Finding", index: "FileIndex", path: Path) -> str:
    """Why a finding has no fix, where the fixes themselves say nothing."""
    from nnreuse.workspace.neighbours import edits_of

    if any(edits_of(fix, index, path) for fix in finding.fixes):
        return "the notebook could not be written back as it is, or the change is not one of a single cell"
    if finding.fixes:
        return "no change of this code could be proven right"
    return "what was meant here, only its author can tell"


def _repairs(finding: "Finding", index: "FileIndex", path: Path, notebook: NotebookFile | None) -> "tuple[Repair, ...]":
    """The fixes that can be built, and be written."""
    takes = notebook.takes if notebook else None
    return built(finding, index, path, takes)


def _fixed_cells(plan: Plan, engine: Engine, target: Target, file: TextFile, notebook: NotebookFile) -> Report:
    """Fixes of a notebook's program, made in its cells; it is left alone from where one cannot be made there."""
    states = {notebook.program.text: notebook}

    def apply(text: str, edits: "list[Edit]") -> str:
        after = states[text].edited(edits)
        return states.setdefault(after.program.text, after).program.text

    result = repaired(engine, target.path, notebook.program.text, target.settings, plan.allowed, apply)
    after = states[result.text]
    return _done(plan, target, file, result, after.text, _of(result.analysis, plan, target, after))


def _fixed(plan: Plan, engine: Engine, target: Target, file: TextFile) -> Report:
    result = repaired(engine, target.path, file.text, target.settings, plan.allowed)
    return _done(plan, target, file, result, result.text, _of(result.analysis, plan, target))


def _done(plan: Plan, target: Target, file: TextFile, result: Repaired, text: str, left: Report) -> Report:
    """What is shown or written of a repaired file, whose content is now `text`."""
    migrations = tuple(fix.migration for fix in result.applied if fix.migration is not None)
    if plan.mode is Mode.DIFF:
        diff = "" if left.trouble else unified_diff(file.text, text, target.path.as_posix().lstrip("/"))
        code = 1 if diff else left.code * bool(left.trouble)
        return Report(trouble=left.trouble, notices=left.notices, code=code, diff=diff, migrations=migrations)
    output = None
    if target.content is not None:
        output = file.encoded(text)
    elif text != file.text:
        write(file, text)
    return replace(left, output=output, applied=len(result.applied), migrations=migrations)


def _told(error: Exception) -> str:
    """The error and where it was raised; the whole traceback under NNREUSE_DEBUG."""
    import traceback  # only when something is broken

    if os.environ.get("NNREUSE_DEBUG"):
        return "".join(traceback.format_exception(error))
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({os.path.basename(last.filename)}:{last.lineno})"


def _complain(message: str) -> None:
    click.echo(f"nnreuse: {message}", err=True)
