"""`nnreuse rule`: the rules' pages, as their files document them."""

import click

from nnreuse.cli.targets import refuse_unknown_rules
from nnreuse.config.settings import Settings


@click.command
@click.argument("name", required=False)
def rule(name: str | None) -> None:
    """Print a rule's page, or all of them."""
    from nnreuse.rules.pages import page  # imports every rule
    from nnreuse.rules.registry import names

    if name:
        refuse_unknown_rules(Settings(select=frozenset({name})), "")
    pages = [page(each).rstrip("\n") for each in ([name] if name else names())]
    click.echo("\n\n".join(pages))
