"""What arrives after the first answer: jedi's answers, and the catalog of a torch that is newer than ours."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from newer_torch import environment_with
from piped import SERVER, Piped

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake environments are made of symbolic links")

Serve = Callable[..., Piped]

NOVEL = """from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(8, 8)
        self.two = nn.Linear(8, 8)
        self.mix = nn.Novel(8)

    def forward(self, x):
        x = self.mix(self.one(x))
        return self.mix(self.two(x))
"""
INFERRED = """from torch import nn
from lib import made


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(8, 8)
        self.two = nn.Linear(8, 8)
        self.mix = made("block")

    def forward(self, x):
        x = self.mix(self.one(x))
        return self.mix(self.two(x))
"""
LIB = """from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)

    def forward(self, x):
        return self.fc(x)


def made(name) -> Block:
    return globals()[name]()
"""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    started: list[Piped] = []

    def start(python: Path | None = None, trusted: bool = True, **variables: str) -> Piped:
        said = {"python": str(python)} if python else {}
        started.append(Piped({"trusted": trusted, **said}, {"NNREUSE_CACHE_DIR": str(tmp_path / "cache"), **variables}))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def with_library(folder: Path) -> Path:
    """An environment without torch that has `lib` installed; its interpreter."""
    python = environment_with(folder, "")
    (site,) = folder.glob("lib/python*/site-packages")
    for file in [*site.glob("torch/*"), site / "torch"]:
        file.rmdir() if file.is_dir() else file.unlink()
    (site / "lib.py").write_text(LIB)
    return python


@pytest.mark.parametrize("way", ["setting", "VIRTUAL_ENV", ".venv"])
def test_what_only_inference_can_tell_is_published_when_it_is_known(serve: Serve, tmp_path: Path, way: str):
    folder = tmp_path / "work" / (".venv" if way == ".venv" else "environment")
    python = with_library(folder)
    active = str(folder) if way == "VIRTUAL_ENV" else ""
    client = serve(python if way == "setting" else None, way == "setting", VIRTUAL_ENV=active)
    client.open(tmp_path / "work" / "net.py", INFERRED)
    assert client.published() == set()
    assert client.published() == {"shared-parameters"}
    assert client.end() == 0
    assert "rror" not in client.log


def test_an_answer_that_changes_nothing_is_not_published(serve: Serve, tmp_path: Path):
    client = serve(with_library(tmp_path / "environment"))
    once = INFERRED.replace("self.mix(self.two(x))", "self.two(x)")
    client.open(tmp_path / "once.py", once)
    assert client.published() == set()
    client.open(tmp_path / "twice.py", INFERRED)
    assert [client.published(), client.published()] == [set(), {"shared-parameters"}]
    uris = [m["params"]["uri"] for m in client.seen if m.get("method") == "textDocument/publishDiagnostics"]
    assert [Path(uri).name for uri in uris] == ["once.py", "twice.py", "twice.py"]
    assert client.end() == 0


def test_a_class_that_only_the_users_torch_has_is_known_without_a_release_of_ours(serve: Serve, tmp_path: Path):
    python = environment_with(tmp_path / "environment")
    client = serve(python)
    client.open(tmp_path / "net.py", NOVEL)
    assert client.published() == set()
    assert client.request("nnreuse/status", {})["catalog"]["source"] == "shipped"
    assert client.published() == {"shared-parameters"}
    status = client.request("nnreuse/status", {})
    assert (status["torch"]["version"], status["interpreter"]) == ("99.0.1", str(python))
    assert status["catalog"].pop("classes") > 10
    assert status["catalog"] == {"source": "refreshed", "torch": "99.0.1", "refreshing": False}
    assert status["cache"]["catalogs"]["files"] == 1
    assert status["cache"]["catalogs"]["bytes"] > 1000
    assert client.end() == 0

    # What the server has found out, the next one begins with, and `check` uses.
    client = serve(python)
    client.open(tmp_path / "net.py", NOVEL)
    assert client.published() == {"shared-parameters"}
    assert client.end() == 0
    assert checked(tmp_path, python) == {"shared-parameters"}
    assert checked(tmp_path, python, "--no-cache") == set()


def checked(folder: Path, python: Path, *options: str) -> set[str]:
    (folder / "net.py").write_text(NOVEL)
    done = subprocess.run(
        [sys.executable, "-m", "nnreuse", "check", "net.py", "--output-format", "json", "--python", python, *options],
        env={**os.environ, "PYTHONPATH": str(SERVER), "NNREUSE_CACHE_DIR": str(folder / "cache")},
        cwd=folder,
        capture_output=True,
        check=False,
    )
    return {one["code"] for one in json.loads(done.stdout)}


def test_a_torch_that_cannot_be_imported_is_logged_and_changes_nothing(serve: Serve, tmp_path: Path):
    client = serve(environment_with(tmp_path / "environment", "print('noise'); raise OSError('libtorch is broken')"))
    client.open(tmp_path / "net.py", NOVEL)
    assert client.published() == set()
    published = client.quiet_until(lambda status: not status["catalog"]["refreshing"])
    assert published == 0
    assert client.request("nnreuse/status", {})["catalog"]["source"] == "shipped"
    assert client.end() == 0
    assert "libtorch is broken; the shipped catalog is used" in client.log


def test_a_torch_that_hangs_hinders_neither_edits_nor_the_end(serve: Serve, tmp_path: Path):
    beside = tmp_path / "pid"
    hanging = f"import os, time; open({str(beside)!r}, 'w').write(str(os.getpid())); time.sleep(1000)"
    client = serve(environment_with(tmp_path / "environment", hanging))
    client.open(tmp_path / "net.py", NOVEL)
    assert client.published() == set()
    assert client.quiet_until(lambda _: beside.exists() and bool(beside.read_text())) == 0
    change = {"text": NOVEL.replace("Novel", "BatchNorm1d")}
    document = {"uri": (tmp_path / "net.py").as_uri(), "version": 2}
    client.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
    assert client.published() == {"shared-batch-norm"}
    assert client.request("nnreuse/status", {})["catalog"]["refreshing"] is True
    assert client.end() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(beside.read_text()), 0)


def test_the_interpreter_of_a_workspace_that_is_not_trusted_is_not_run(serve: Serve, tmp_path: Path):
    ran = tmp_path / "ran"
    python = environment_with(tmp_path / "work" / ".venv", f"open({str(ran)!r}, 'w')")
    client = serve(trusted=False, VIRTUAL_ENV="")
    client.open(tmp_path / "work" / "net.py", NOVEL)
    assert client.published() == set()
    status = client.request("nnreuse/status", {})
    assert (status["interpreter"], status["interpreterMayRun"]) == (str(python), False)
    assert status["catalog"]["refreshing"] is False
    assert client.end() == 0
    assert not ran.exists()
