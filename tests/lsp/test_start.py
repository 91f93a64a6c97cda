"""What a start costs: the protocol's types are compiled once, and remembered. And where it cannot be."""

import builtins
import os
import socket
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from nnreuse.cli.server import server

SERVER = Path(__file__).parents[2] / "server"
COUNTED = """
import builtins
count, compile_ = 0, builtins.compile
def counting(source, filename, *rest, **named):
    global count
    count += str(filename).startswith("<attrs generated")
    return compile_(source, filename, *rest, **named)
builtins.compile = counting
import nnreuse.lsp
from lsprotocol import types as lsp
assert lsp.Position(1, 2) == lsp.Position(1, 2) and lsp.Position(1, 2) != lsp.Position(1, 3)
assert repr(lsp.Position(1, 2)) == "1:2" and lsp.TextEdit(lsp.Range(lsp.Position(0, 0), lsp.Position(0, 1)), "x").new_text == "x"
print(count)
"""


def compiled(cache: Path, write: bool = True) -> int:
    environment = {**os.environ, "PYTHONPATH": str(SERVER), "PYTHONPYCACHEPREFIX": str(cache)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if not write:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    done = subprocess.run([sys.executable, "-c", COUNTED], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_the_second_start_compiles_nothing_of_the_protocol(tmp_path):
    first = compiled(tmp_path)
    assert first > 500
    assert compiled(tmp_path) < first / 10  # a few classes that attrs and cattrs make for themselves


def test_a_damaged_memory_is_made_anew(tmp_path):
    first = compiled(tmp_path)
    (file,) = tmp_path.rglob("*.attrs")
    whole = file.read_bytes()
    for damaged in (b"", whole[:1000], b"other" + whole):
        file.write_bytes(damaged)
        assert compiled(tmp_path) == first
        assert file.read_bytes()[:4] == whole[:4]


def test_where_python_remembers_nothing_neither_do_we(tmp_path):
    compiled(tmp_path, write=False)
    assert list(tmp_path.rglob("*.attrs")) == []


def test_the_builtin_is_what_it_was():
    from importlib import import_module

    import nnreuse.lsp  # noqa: F401

    maker = import_module("attr._make")
    assert getattr(maker, "compile", builtins.compile) is builtins.compile


def test_an_address_that_cannot_be_had_is_a_usage_error():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        in_use = f"127.0.0.1:{taken.getsockname()[1]}"
        for address in (in_use, "no..host:0"):
            done = CliRunner().invoke(server, ["--tcp", address])
            assert done.exit_code == 2, done.output
            assert f"Error: --tcp {address}: " in done.output


def test_a_scan_whose_parent_is_gone_ends_quietly():
    environment = {**os.environ, "PYTHONPATH": str(SERVER)}
    for sent in (b"", b"\x80\x05\x95\xff\xff\x00\x00\x00\x00\x00\x00half"):
        code = "from nnreuse.lsp.scan import main; main()"
        done = subprocess.run([sys.executable, "-c", code], env=environment, input=sent, capture_output=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
