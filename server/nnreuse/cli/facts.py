"""`nnreuse facts`: what the static tracer saw, one JSON line for each attribute of each module class."""

import json
from pathlib import Path

import click

from nnreuse.cli.engine import Engines, MakeEngine, Target, project, run
from nnreuse.cli.targets import targets
from nnreuse.config.settings import Settings
from nnreuse.syntax.units import Unparsable
from nnreuse.workspace.files import FileProblem, Undecodable, decode, read

Told = tuple[list[dict[str, object]], str | None, int]
"""The rows, what to say on stderr, and the least exit code."""


@click.command
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--stdin-filename", metavar="FILE", help="The name of what `-` reads.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes.  [default: as many as pay off]")
@click.option("--python", metavar="INTERPRETER", help="The Python whose packages the code imports.")
@click.pass_context
def facts(
    context: click.Context, paths: tuple[str, ...], stdin_filename: str | None, jobs: int | None, python: str | None
) -> None:
    """Print what the static tracer saw: a JSON line for each attribute of each module class."""
    make: MakeEngine = context.obj or project
    in_force = Settings(python=Path(python) if python else None, python_may_run=bool(python))
    files, problems = targets(paths, stdin_filename, lambda settings: in_force if python else settings)
    code = 2 if problems else 0
    for problem in problems:
        click.echo(f"nnreuse: {problem.path}: {problem}", err=True)
    for rows, trouble, least in run(facts_of_file, files, make, jobs):
        for row in rows:
            click.echo(json.dumps(row))
        if trouble:
            click.echo(f"nnreuse: {trouble}", err=True)
        code = max(code, least)
    context.exit(code)


def facts_of_file(engines: Engines, target: Target) -> Told:
    """The rows of one file, or why there are none. Nothing about one file ends the run."""
    try:
        file = read(target.path) if target.content is None else decode(target.path, target.content)
        return engines[target.settings].facts(target.path, file.text), None, 0
    except Unparsable as error:
        return [], f"{target.path}:{error.line + 1}: cannot be parsed: {error}; skipped", 1
    except Undecodable as problem:
        return [], f"{target.path}: {problem}; skipped", 1
    except FileProblem as problem:
        return [], f"{target.path}: {problem}", 2
    except Exception as error:  # noqa: BLE001
        return [], f"{target.path}: internal error, please report it: {type(error).__name__}: {error}", 2
