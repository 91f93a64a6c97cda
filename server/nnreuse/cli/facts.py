"""`nnreuse facts`: what the static tracer saw, one JSON line for each attribute of each module class."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from nnreuse.cli.engine import Engines, Target, collect_rarely, project
from nnreuse.cli.report import left_out
from nnreuse.cli.targets import targets
from nnreuse.config.settings import Settings
from nnreuse.syntax.units import Unparsable
from nnreuse.workspace.files import FileProblem, Undecodable, decode, read
from nnreuse.workspace.notebook_file import SUFFIX, NotANotebook, NotebookFile


@click.command
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("--explain", "explained", metavar="FILE:CLASS", help="Print one class's trace, call by call, for people.")
@click.option("--stdin-filename", metavar="FILE", help="The name of what `-` reads.")
@click.option("--python", metavar="INTERPRETER", help="The Python whose packages the code imports.")
@click.pass_context
def facts(
    context: click.Context,
    paths: tuple[str, ...],
    explained: str | None,
    stdin_filename: str | None,
    python: str | None,
) -> None:
    """Print what the static tracer saw: a JSON line for each attribute of each module class.

    The lines of a notebook are those of its code cells, counted as one program.
    """
    name = ""
    if explained is not None:
        path, name = _file_and_class(explained)
        if paths:
            raise click.UsageError("--explain takes no further paths")
        paths = (path,)
    if not paths:
        raise click.UsageError("Missing argument 'PATH...'.")
    engines = Engines(context.obj or project)
    collect_rarely()
    in_force = Settings(python=Path(python) if python else None, python_may_run=bool(python))
    files, problems = targets(paths, stdin_filename, lambda settings: in_force if python else settings)
    code = 2 if problems else 0
    for problem in problems:
        click.echo(f"nnreuse: {problem.path}: {problem}", err=True)
    for step in (_admit, partial(_explain, name) if name else _print):
        told = [(target, _guarded(step, engines, target)) for target in files]
        code = max([code, *(least for _, least in told)])
        files = [target for target, least in told if least == 0]
    context.exit(code)


def _file_and_class(text: str) -> tuple[str, str]:
    path, _, name = text.rpartition(":")
    if not path or not all(part.isidentifier() for part in name.split(".")):
        raise click.UsageError(f"--explain wants FILE:CLASS, not {text!r}")
    if Path(path).is_dir():
        raise click.UsageError(f"{path} is a folder; --explain wants FILE:CLASS")
    return path, name


def _admit(engines: Engines, target: Target) -> None:
    file = read(target.path) if target.content is None else decode(target.path, target.content)
    text = _program(target.path, file.text) if target.path.suffix == SUFFIX else file.text
    engines[target.settings].admit(target.path, text)


def _program(path: Path, text: str) -> str:
    program = NotebookFile.of(path, text).program
    for notice in left_out(path, program):
        _told(notice, 0)
    return program.text


def _print(engines: Engines, target: Target) -> None:
    for row in engines[target.settings].facts(target.path):
        click.echo(json.dumps(row))


def _explain(name: str, engines: Engines, target: Target) -> None:
    lines = engines[target.settings].explain(target.path, name)
    if lines is None:
        raise _NoClass(name)
    for line in lines:
        click.echo(line)


class _NoClass(Exception):
    """The file has no module class of this name."""


def _guarded(step: Callable[[Engines, Target], None], engines: Engines, target: Target) -> int:
    """The least exit code a step for one file calls for. Nothing about one file ends the run."""
    try:
        step(engines, target)
    except Unparsable as error:
        return _told(f"{target.path}:{error.line + 1}: cannot be parsed: {error}; skipped", 1)
    except (Undecodable, NotANotebook) as problem:
        return _told(f"{target.path}: {problem}; skipped", 1)
    except _NoClass as name:
        return _told(f"{target.path} has no module class {name}", 2)
    except FileProblem as problem:
        return _told(f"{target.path}: {problem}", 2)
    except BrokenPipeError:
        raise  # nobody reads on: click ends the run
    except Exception as error:  # noqa: BLE001
        return _told(f"{target.path}: internal error, please report it: {type(error).__name__}: {error}", 2)
    return 0


def _told(message: str, code: int) -> int:
    click.echo(f"nnreuse: {message}", err=True)
    return code
