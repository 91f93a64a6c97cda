"""`nnreuse catalog`: which facts of torch hold for an interpreter; asks its torch for them where that is wanted."""

import json
from pathlib import Path

import click

from nnreuse.types.catalog import Catalog
from nnreuse.workspace.catalogs import NoCatalog, Probing, Torch, kept, torch_of
from nnreuse.workspace.configuration import Configuration
from nnreuse.workspace.environment import Environment, Interpreter, NoInterpreter, environment_of, find_interpreter


@click.command
@click.option("--python", metavar="INTERPRETER", help="The Python whose torch is meant.  [default: as for `check`]")
@click.option("--refresh", is_flag=True, help="Run the interpreter: ask its torch, and keep the answer.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=300, show_default=True, metavar="SECONDS"
)
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def catalog(python: str | None, refresh: bool, timeout: float, output_format: str) -> None:
    """Say which catalog of torch's module classes `check` uses; `--refresh` asks the torch that is installed.

    The shipped catalog is used until then, and wherever that torch is the release it was made from.
    """
    environment = environment_of(_interpreter(python))
    torch = torch_of(environment)
    if refresh:
        _refresh(environment, torch, timeout)
    answer = _answer(environment, torch)
    if output_format == "json":
        click.echo(json.dumps(answer, indent=2))
    else:
        for key, value in answer.items():
            click.echo(f"{key + ':':<13}{'none' if value is None else value}")


def _interpreter(python: str | None) -> Interpreter:
    """What is named on the command line may be run; what the settings or folders imply is told, and named to be run."""
    try:
        if python is not None:
            return find_interpreter(Path.cwd(), Path(python), trusted=True)
    except NoInterpreter as error:
        raise click.ClickException(str(error)) from None
    settings = Configuration()[Path.cwd() / "x.py"]
    return Interpreter(settings.python, settings.python_may_run) if settings.python else find_interpreter(Path.cwd())


def _refresh(environment: Environment, torch: Torch | None, timeout: float) -> None:
    if torch is None:
        raise click.ClickException(f"{environment.interpreter} has no torch")
    if not environment.may_run:
        raise click.ClickException(
            f"{environment.interpreter} is named by the folder alone, and not run: give --python {environment.interpreter}"
        )
    if torch.is_shipped:
        return
    try:
        Probing().catalog(torch, timeout)
    except NoCatalog as error:
        raise click.ClickException(str(error)) from None


def _answer(environment: Environment, torch: Torch | None) -> dict[str, object]:
    found = kept(torch)
    used = found or Catalog.shipped()
    return {
        "interpreter": str(environment.interpreter),
        "torch": torch.version if torch else None,
        "catalog": "refreshed" if found else "shipped",
        "made from": used.torch,
        "classes": len(list(used)),
        "file": str(torch.file) if torch and found else None,
    }
