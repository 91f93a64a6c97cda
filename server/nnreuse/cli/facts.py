"""`nnreuse facts`: what the static tracer saw, one JSON line for each attribute of each module class."""

import json
from collections.abc import Callable
from pathlib import Path

import click

from nnreuse.cli.engine import Engines, Target, collect_rarely, project
from nnreuse.cli.targets import targets
from nnreuse.config.settings import Settings
from nnreuse.syntax.units import Unparsable
from nnreuse.workspace.files import FileProblem, Undecodable, decode, read


@click.command
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--stdin-filename", metavar="FILE", help="The name of what `-` reads.")
@click.option("--python", metavar="INTERPRETER", help="The Python whose packages the code imports.")
@click.pass_context
def facts(context: click.Context, paths: tuple[str, ...], stdin_filename: str | None, python: str | None) -> None:
    """Print what the static tracer saw: a JSON line for each attribute of each module class."""
    engines = Engines(context.obj or project)
    collect_rarely()
    in_force = Settings(python=Path(python) if python else None, python_may_run=bool(python))
    files, problems = targets(paths, stdin_filename, lambda settings: in_force if python else settings)
    code = 2 if problems else 0
    for problem in problems:
        click.echo(f"nnreuse: {problem.path}: {problem}", err=True)
    for step in (_admit, _print):
        told = [(target, _guarded(step, engines, target)) for target in files]
        code = max([code, *(least for _, least in told)])
        files = [target for target, least in told if least == 0]
    context.exit(code)


def _admit(engines: Engines, target: Target) -> None:
    file = read(target.path) if target.content is None else decode(target.path, target.content)
    engines[target.settings].admit(target.path, file.text)


def _print(engines: Engines, target: Target) -> None:
    for row in engines[target.settings].facts(target.path):
        click.echo(json.dumps(row))


def _guarded(step: Callable[[Engines, Target], None], engines: Engines, target: Target) -> int:
    """The least exit code a step for one file calls for. Nothing about one file ends the run."""
    try:
        step(engines, target)
    except Unparsable as error:
        return _told(f"{target.path}:{error.line + 1}: cannot be parsed: {error}; skipped", 1)
    except Undecodable as problem:
        return _told(f"{target.path}: {problem}; skipped", 1)
    except FileProblem as problem:
        return _told(f"{target.path}: {problem}", 2)
    except Exception as error:  # noqa: BLE001
        return _told(f"{target.path}: internal error, please report it: {type(error).__name__}: {error}", 2)
    return 0


def _told(message: str, code: int) -> int:
    click.echo(f"nnreuse: {message}", err=True)
    return code
