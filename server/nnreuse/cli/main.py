"""`nnreuse`: the commands, each imported when it is called, so that `--help` and `check` start at once."""

import importlib
import os
import sys
from io import TextIOWrapper

import click

from nnreuse import __version__

_COMMANDS = {
    "catalog": ("nnreuse.cli.catalog", "Say which torch is known, and ask the one installed for its classes."),
    "check": ("nnreuse.cli.check", "Find modules that are reused by mistake, and repair them."),
    "facts": ("nnreuse.cli.facts", "Print what the static tracer saw, a JSON line for each attribute."),
    "migrate": ("nnreuse.cli.migrate", "Convert a checkpoint saved before modules were split."),
    "rule": ("nnreuse.cli.rule", "Print a rule's page, or all of them."),
    "schema": ("nnreuse.cli.schema", "Print the JSON schema of the settings files."),
    "server": ("nnreuse.cli.server", "Run the language server."),
    "trace": ("nnreuse.cli.trace", "Call a model once in torch, and print what is called how often."),
}


class _Commands(click.Group):
    """A group whose commands live in modules that are imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(_COMMANDS[cmd_name][0]), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def nnreuse(context: click.Context) -> None:
    """Finds PyTorch modules that are called or held more than once, tells slips from designs, and repairs the slips."""
    if os.environ.get("NO_COLOR"):
        context.color = False


def main() -> None:
    """Runs the command line and exits: 0 clean, 1 findings, 2 usage or internal error."""
    for stream in (sys.stdout, sys.stderr):
        _print_anything(stream)
    try:
        code = nnreuse.main(prog_name="nnreuse", standalone_mode=False)
        if not sys.stdout.closed:  # the language server closes what it spoke on
            sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = 2
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        # Whoever read our output has left: nothing more can be said, and the report is not whole.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 2
    sys.exit(code)


def _print_anything(stream: object) -> None:
    """File names may hold undecodable bytes, and a terminal may lack a character: print an escape, never fail."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
