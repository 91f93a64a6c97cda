"""`nnreuse schema`: the JSON schema of the settings files, for editors."""

import json

import click


@click.command
def schema() -> None:
    """Print the JSON schema of `nnreuse.toml` and of `[tool.nnreuse]` in `pyproject.toml`."""
    click.echo(text(), nl=False)


def text() -> str:
    """The schema as it is published."""
    from nnreuse.config.schema import of_files
    from nnreuse.rules.registry import names  # imports every rule

    return json.dumps(of_files(names()), indent=2) + "\n"
