"""`nnreuse server`: starts the language server."""

import click


@click.command
@click.option("--stdio", is_flag=True, help="Speak on standard input and output (the default).")
@click.option("--tcp", metavar="HOST:PORT", help="Listen on an address.")
def server(stdio: bool, tcp: str | None) -> None:
    """Run the language server, on standard input and output unless told otherwise."""
    if stdio and tcp:
        raise click.UsageError("--stdio and --tcp exclude each other")
    address = _address(tcp) if tcp else None
    from nnreuse.lsp.server import run_stdio, run_tcp  # pygls takes a third of a second to import

    if address:
        run_tcp(*address)
    else:
        run_stdio()


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise click.UsageError(f"--tcp {text}: write HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)
