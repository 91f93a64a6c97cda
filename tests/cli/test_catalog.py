"""`nnreuse catalog`: what is known of a torch, and what becomes of one that cannot be asked."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from newer_torch import environment_with

from nnreuse.cli.main import nnreuse
from nnreuse.types.catalog import Catalog
from nnreuse.workspace.catalogs import Torch, catalog_for, kept, torch_of
from nnreuse.workspace.environment import Interpreter, environment_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake environments are made of symbolic links")
TINY = '{"schema": %d, "torch": "99.0.1", "classes": {}, "functions": {}, "keeping": {}}'


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NNREUSE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "cache" / "catalogs"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(nnreuse, ["catalog", *map(str, arguments)])


def torch_at(python: Path) -> Torch:
    found = torch_of(environment_of(Interpreter(python, False)))
    assert found is not None
    return found


def test_the_shipped_catalog_is_used_until_another_is_asked_for(tmp_path: Path, cache: Path):
    python = environment_with(tmp_path / "environment", "open('ran', 'w')")
    answer = json.loads(run("--python", python, "--output-format", "json").stdout)
    assert (answer["torch"], answer["catalog"], answer["file"]) == ("99.0.1", "shipped", None)
    assert not cache.exists()


@pytest.mark.parametrize(
    ("init", "said"),
    [
        ("raise ImportError('libcudart.so.99 is missing')", "libcudart.so.99 is missing"),
        ("print('{}'); nn = None", "Error"),
        ("import sys; sys.exit(0)", "gave no catalog"),
        ("import os; os.abort()", "ended with code"),
        ("import time; time.sleep(1000)", "gave no catalog: not done within 1 s"),
    ],
)
def test_a_torch_that_cannot_be_asked_is_a_clear_error_and_nothing_is_kept(
    tmp_path: Path, cache: Path, init: str, said: str
):
    python = environment_with(tmp_path / "environment", init)
    answer = run("--python", python, "--refresh", "--timeout", 1 if "sleep" in init else 100)
    assert answer.exit_code == 1  # click's own; `main` makes it 2
    assert "gave no catalog" in answer.output
    assert said in answer.output
    assert list(cache.iterdir()) == []


def test_an_interpreter_without_torch_or_that_is_none_is_said_so(tmp_path: Path):
    python = environment_with(tmp_path / "environment", "")
    shutil.rmtree(next((tmp_path / "environment").glob("lib/*/site-packages/torch")))
    assert "has no torch" in run("--python", python, "--refresh").output
    assert "no such Python interpreter" in run("--python", tmp_path / "nowhere", "--refresh").output


def test_what_only_the_folder_names_is_not_run(tmp_path: Path):
    ran = tmp_path / "ran"
    environment_with(tmp_path / "work" / ".venv", f"open({str(ran)!r}, 'w')")
    answer = run("--refresh")
    assert answer.exit_code != 0
    assert "give --python" in answer.output
    assert not ran.exists()


def test_a_catalog_is_kept_for_one_build_of_torch(tmp_path: Path):
    python = environment_with(tmp_path / "environment", "")
    torch = torch_at(python)
    torch.file.parent.mkdir(parents=True)
    torch.file.write_text(TINY % 2)
    assert catalog_for(environment_of(Interpreter(python, False))).torch == "99.0.1"
    version = next((tmp_path / "environment").glob("lib/*/site-packages/torch/version.py"))
    version.write_text(version.read_text() + "git_version = 'rebuilt'\n")
    assert kept(torch_at(python)) is None


@pytest.mark.parametrize("text", ["", "{}", "[", TINY % 1, "\0"])
def test_a_kept_catalog_that_cannot_be_read_is_not_used(tmp_path: Path, text: str):
    python = environment_with(tmp_path / "environment", "")
    torch_at(python).file.parent.mkdir(parents=True)
    torch_at(python).file.write_text(text)
    assert catalog_for(environment_of(Interpreter(python, False))) is Catalog.shipped()


@pytest.mark.parametrize(("version", "same"), [("{}", True), ("{}+cu999", True), ("{}.dev20300101", False)])
def test_a_release_that_is_shipped_is_not_asked_however_it_was_compiled(tmp_path: Path, version: str, same: bool):
    release = Catalog.shipped().torch.partition("+")[0]
    python = environment_with(tmp_path / "environment", "raise ImportError", version.format(release))
    assert torch_at(python).is_shipped is same
    assert (run("--python", python, "--refresh").exit_code == 0) is same
