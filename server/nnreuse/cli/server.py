"""`nnreuse server`: starts the language server."""

import gc
from pathlib import Path

import click

from nnreuse import __version__

_LEVELS = ["debug", "info", "warning", "error"]


@click.command
@click.option("--stdio", is_flag=True, help="Speak on standard input and output (the default).")
@click.option("--tcp", metavar="HOST:PORT", help="Listen on an address.")
@click.option(
    "--log-file", type=click.Path(dir_okay=False, path_type=Path), help="Write the log there, not to standard error."
)
@click.option("--log-level", type=click.Choice(_LEVELS), default="warning", show_default=True, help="What is logged.")
@click.version_option(__version__, message="nnreuse %(version)s")
def server(stdio: bool, tcp: str | None, log_file: Path | None, log_level: str) -> None:
    """Run the language server, on standard input and output unless told otherwise."""
    if stdio and tcp:
        raise click.UsageError("--stdio and --tcp exclude each other")
    address = _address(tcp) if tcp else None
    gc.disable()  # importing makes nothing but what stays; looking for garbage meanwhile is a tenth of a start
    from nnreuse.lsp.server import listener_at, log_to, run_stdio, run_tcp  # pygls takes a third of a second to import

    try:
        log_to(log_file, log_level)
    except OSError as error:
        raise click.UsageError(f"--log-file {log_file}: {error.strerror}") from None
    if not address:
        run_stdio()
        return
    try:
        listener = listener_at(*address)
    except (OSError, UnicodeError) as error:
        raise click.UsageError(f"--tcp {tcp}: {getattr(error, 'strerror', None) or error}") from None
    run_tcp(listener)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise click.UsageError(f"--tcp {text}: write HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)
