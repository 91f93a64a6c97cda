"""What a start costs: what is compiled from generated text is compiled once, and remembered. And where it cannot be."""

import builtins
import dataclasses
import os
import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from nnreuse.cli.server import server
from nnreuse.lsp import compiled
from nnreuse.lsp.compiled import Memory, remember
from nnreuse.lsp.unlisted import import_unlisted

SERVER = Path(__file__).parents[2] / "server"
COUNTED = """
import builtins, pickle, sys
from collections import Counter
count, compile_, exec_ = Counter(), builtins.compile, builtins.exec
def compiling(source, filename, *rest, **named):
    if isinstance(source, str):
        count[filename.split()[0]] += 1
    return compile_(source, filename, *rest, **named)
def executing(source, *rest):
    if isinstance(source, str):
        count["<string>"] += 1
    exec_(source, *rest)
builtins.compile, builtins.exec = compiling, executing
from nnreuse.lsp import MEMORY
from nnreuse.lsp.server import create_server, protocol_of
from nnreuse.workspace.workspace import Workspace
from lsprotocol import types as lsp
assert lsp.Position(1, 2) == lsp.Position(1, 2) and lsp.Position(1, 2) != lsp.Position(1, 3)
assert repr(lsp.Position(1, 2)) == "1:2" and lsp.TextEdit(lsp.Range(lsp.Position(0, 0), lsp.Position(0, 1)), "x").new_text == "x"
params = {"processId": None, "rootUri": None, "capabilities": {}}
protocol = protocol_of(create_server(Workspace()))
told = protocol.structure_message({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
assert told.params == lsp.InitializeParams(lsp.ClientCapabilities())
assert pickle.loads(pickle.dumps(told.params)) == told.params and sys.modules["lsprotocol.types"] is lsp
MEMORY.keep()
print(len(lsp.Hover.__init__.__globals__), count["<attrs"], count["<cattrs"], count["<string>"])
"""


@dataclasses.dataclass(frozen=True)
class Start:
    """How many names a method of the protocol's classes can see, and how many texts were compiled for whom."""

    names: int
    attrs: int
    cattrs: int
    unnamed: int
    """Of dataclasses, and of types that are written as strings."""

    @property
    def is_warm(self) -> bool:
        return self.cattrs == 0 and self.attrs + self.unnamed < 50  # the few are for cattrs' own classes


def start(folder: Path, **variables: str) -> Start:
    environment = {**os.environ, "PYTHONPATH": str(SERVER), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    environment["NNREUSE_CACHE_DIR"] = str(folder / "cache")
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run([sys.executable, "-c", COUNTED], env=environment | variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Start(*map(int, done.stdout.split()))


def test_the_second_start_compiles_nothing_of_what_the_first_did(tmp_path):
    first = start(tmp_path)
    assert first.attrs > 500 and first.cattrs > 10 and first.unnamed > 200
    assert start(tmp_path).is_warm
    assert not (tmp_path / "cache").exists()


def test_a_damaged_memory_is_made_anew(tmp_path):
    first = start(tmp_path)
    (file,) = tmp_path.rglob("*.codes")
    whole = file.read_bytes()
    for damaged in (b"", whole[:1000], b"other" + whole):
        file.write_bytes(damaged)
        assert start(tmp_path) == first
        assert file.read_bytes()[:4] == whole[:4]


def test_where_python_writes_no_bytecode_the_memory_is_in_the_cache_folder(tmp_path):
    start(tmp_path, PYTHONDONTWRITEBYTECODE="1")
    (file,) = tmp_path.rglob("*.codes")
    assert file.is_relative_to(tmp_path / "cache")
    assert start(tmp_path, PYTHONDONTWRITEBYTECODE="1").is_warm


def test_where_python_writes_no_bytecode_what_it_wrote_at_the_installation_is_read(tmp_path):
    start(tmp_path)
    assert start(tmp_path, PYTHONDONTWRITEBYTECODE="1").is_warm
    assert not (tmp_path / "cache").exists()


def test_an_installation_that_cannot_be_written_to_has_its_memory_in_the_cache_folder(tmp_path):
    (tmp_path / "bytecode").touch()
    start(tmp_path)
    assert start(tmp_path).is_warm


def test_where_nothing_can_be_written_a_start_is_as_good(tmp_path):
    for name in ("bytecode", "cache"):
        (tmp_path / name).touch()
    assert start(tmp_path) == start(tmp_path)


def test_what_another_user_wrote_is_not_run(tmp_path, monkeypatch):
    file = tmp_path / "memory.codes"
    assert compiled._write(file, {b"": builtins.compile("x = 1", "<here>", "exec")})
    assert compiled._read(file)
    stat = Path.stat
    strange = os.stat_result((0o100644, 0, 0, 1, 12345, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda path: strange if path == file else stat(path))
    assert not compiled._read(file)


def test_what_other_versions_left_does_not_pile_up(tmp_path, monkeypatch):
    file = tmp_path / "memory.codes"
    monkeypatch.setattr(compiled, "_places", lambda: iter([file]))
    code = builtins.compile("x = 1", "<here>", "exec")
    memory = Memory({str(number).encode(): code for number in range(compiled._MOST)})
    memory.compile("y = 1", "<here>", "exec")
    memory.keep()
    assert len(compiled._read(file)) == 1


def test_a_memory_answers_what_the_builtins_do():
    memory = Memory({})
    for _ in range(2):
        assert memory.compile("1 + 1", "<here>", "eval") == builtins.compile("1 + 1", "<here>", "eval")
        into: dict[str, object] = {}
        memory.exec("def f(x: int): return x", {}, into)
        assert f"{into['f'].__annotations__}" == "{'x': <class 'int'>}"  # no future is inherited
    with pytest.raises(SyntaxError):
        memory.compile("1 +", "<here>", "eval")
    assert memory.compile("x = 1", "<here>", "exec", flags=1024)


def test_libraries_that_are_made_otherwise_are_left_alone(monkeypatch):
    def absent(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(compiled, "import_module", absent)
    assert isinstance(remember(), Memory)


def test_methods_of_the_protocol_hold_no_copy_of_all_its_names(tmp_path):
    assert start(tmp_path).names < 50


def test_a_module_that_must_be_listed_is_left_to_the_usual_import(tmp_path, monkeypatch):
    package = tmp_path / "peculiar"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "plain.py").write_text("x = 1\n")
    (package / "looking.py").write_text("import sys\nx = sys.modules[__name__]\n")
    (package / "around.py").write_text("import peculiar.other\nx = 1\n")
    (package / "other.py").write_text("import peculiar.around\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("plain", "looking", "around"):
        import_unlisted(f"peculiar.{name}")
    plain, looking, around, other = map(
        import_module, (f"peculiar.{name}" for name in ("plain", "looking", "around", "other"))
    )

    assert plain.x == 1 and looking.x is looking
    assert other.peculiar.around is around is sys.modules["peculiar.around"]


def test_dataclasses_are_what_they_are_without_a_memory():
    @dataclasses.dataclass(frozen=True, slots=True)
    class Made:
        x: int
        y: tuple[int, ...] = ()

    assert Made(1) == Made(1, ()) != Made(2) and repr(Made(1)).endswith("Made(x=1, y=())")


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
