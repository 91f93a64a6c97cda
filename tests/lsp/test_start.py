"""What a start costs: the protocol's types are compiled once, and remembered."""

import builtins
import os
import subprocess
import sys
from pathlib import Path

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
