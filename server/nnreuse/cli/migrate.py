"""`nnreuse migrate`: old checkpoints for code in which a module was split; the plan is what `check --write-plan` wrote.

The work is done by `convert_checkpoint.py` in an interpreter that has torch, which ours need not.
"""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from nnreuse.fixes.fix import Migration

_SCRIPT = Path(__file__).parents[1] / "convert_checkpoint.py"


@click.command
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("--plan", required=True, type=click.Path(path_type=Path), help="What `check --write-plan` wrote.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The file to write; for an index, or with --optimizer, the folder.  [default: beside CHECKPOINT, `.migrated` in its name]",
)
@click.option(
    "--optimizer",
    type=click.Path(path_type=Path),
    help="The state of an optimizer in a file of its own, its parameters named; both go to a folder.",
)
@click.option("--python", metavar="INTERPRETER", help="A Python that has torch.  [default: the one that runs nnreuse]")
@click.pass_context
def migrate(
    context: click.Context,
    checkpoint: Path,
    plan: Path,
    output: Path | None,
    optimizer: Path | None,
    python: str | None,
) -> None:
    """Convert a checkpoint that was saved before modules were split: its weights, and the state of optimizers.

    CHECKPOINT is a file of torch.save or safetensors, or the `.index.json` of several. It is never changed.
    """
    target = output or _beside(checkpoint, folder=optimizer is not None)
    command = [_interpreter(python), "-I", str(_SCRIPT), str(checkpoint), "--plan", str(plan), "--output", str(target)]
    command += ["--optimizer", str(optimizer)] if optimizer is not None else []
    try:
        code = subprocess.run(command, check=False).returncode
    except OSError as error:
        raise click.UsageError(f"--python {python}: cannot be run: {error.strerror}") from None
    if code == 0:
        click.echo(f"Wrote {target}.")
    context.exit(2 if code else 0)


def _beside(checkpoint: Path, folder: bool) -> Path:
    if folder or checkpoint.name.endswith(".index.json"):
        return checkpoint.with_name(checkpoint.name.split(".")[0] + ".migrated")
    return checkpoint.with_name(f"{checkpoint.stem}.migrated{checkpoint.suffix}")


def _interpreter(python: str | None) -> str:
    """The interpreter to convert with. Raises UsageError where it lacks torch."""
    if python is not None:
        asked = [python, "-I", "-c", "import torch"]
        try:
            lacks = subprocess.run(asked, capture_output=True, check=False).returncode != 0
        except OSError as error:
            raise click.UsageError(f"--python {python}: cannot be run: {error.strerror}") from None
    else:
        lacks = importlib.util.find_spec("torch") is None
    if lacks:
        hint = "" if python else ": name one that has it with --python"
        raise click.UsageError(f"{python or sys.executable} lacks torch{hint}")
    return python or sys.executable


def _split(one: "Migration") -> dict[str, object]:
    split: dict[str, object] = {"class": one.cls, "attribute": one.attribute, "names": [*one.names]}
    split["beside"] = [*one.beside]
    if one.each is not None:
        split["each"] = {
            "list": one.each.name,
            "of": one.each.of,
            "count": one.each.count,
            "moved": one.each.moved,
        }
    return split


def plan_text(migrations: "Sequence[Migration]") -> str:
    """The plan of fixes that were applied, in their order, as JSON; each is told once."""
    splits = [_split(one) for one in dict.fromkeys(migrations)]
    return json.dumps({"version": 1, "splits": splits}, indent=2) + "\n"
