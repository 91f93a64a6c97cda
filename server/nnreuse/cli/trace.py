"""`nnreuse trace`: the dynamic trace of a model, in the user's interpreter, beside what the static tracer says."""

import json
import sys
from pathlib import Path

import click

from nnreuse.cli.engine import project
from nnreuse.config.settings import Settings
from nnreuse.syntax.units import Unparsable
from nnreuse.workspace import dynamic
from nnreuse.workspace.environment import NoInterpreter, find_interpreter
from nnreuse.workspace.files import FileProblem, read


@click.command
@click.argument("model", metavar="FILE:CLASS")
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="SHAPE",
    help="Of one input of forward: 2x3x32x32, 2x16:int64, mask=2x16:bool. Again for each further one.",
)
@click.option(
    "--arg", "arguments", multiple=True, metavar="[NAME=]VALUE", help="An argument of the constructor, as in Python."
)
@click.option("--train", is_flag=True, help="Trace in training mode.")
@click.option("--device", metavar="NAME", help="Where to build and run it; `meta` computes nothing.  [default: cpu]")
@click.option("--python", metavar="INTERPRETER", help="A Python that has torch.  [default: that of the project]")
@click.option("--timeout", default=dynamic.SECONDS, metavar="SECONDS", show_default=True)
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def trace(
    model: str,
    inputs: tuple[str, ...],
    arguments: tuple[str, ...],
    train: bool,
    device: str | None,
    python: str | None,
    timeout: int,
    output_format: str,
) -> None:
    """Call a model once in torch, and print which of its modules are called how often, from where.

    This imports FILE and runs its code. CLASS may also be a function that returns a model.
    """
    path, _, name = model.rpartition(":")
    if not path or not name:
        raise click.UsageError(f"{model!r} is not of the form FILE:CLASS")
    file = Path(path)
    options = [word for text in inputs for word in ("--input", text)]
    options += [word for text in arguments for word in ("--arg", text)]
    options += [*(["--train"] if train else []), *(["--device", device] if device else [])]
    try:
        facts = _facts(file)
        interpreter = find_interpreter(file.absolute().parent, Path(python) if python else None, trusted=True)
        traced = dynamic.dynamic_trace(dynamic.Model(file, name, tuple(options)), interpreter.path, seconds=timeout)
    except (FileProblem, NoInterpreter) as error:
        raise click.UsageError(str(error)) from None
    except dynamic.NoTrace as error:
        raise click.ClickException(str(error)) from None
    if output_format == "json":
        for row, said in dynamic.compared(traced, facts):
            click.echo(json.dumps({"file": str(file), **row, "static": said}))
        return
    for line in dynamic.lines(traced, facts):
        click.echo(line)


def _facts(file: Path) -> list[dict[str, object]]:
    """What the static tracer says of a file; nothing where it cannot be parsed, which torch's Python says better."""
    engine = project(Settings())
    text = read(file).text
    try:
        engine.admit(file, text)
    except Unparsable as error:
        click.echo(f"nnreuse: {file}:{error.line + 1}: cannot be parsed: {error}", err=True)
        sys.exit(2)
    return engine.facts(file)
