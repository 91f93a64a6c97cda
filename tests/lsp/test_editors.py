"""Real editors, headless: what a user would do, to the file on disk. Each is skipped where it is not installed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from talking import NET

HERE = Path(__file__).parent
SERVER = Path(__file__).parents[2] / "server"
SPLIT = NET.replace("BatchNorm2d(64)\n", "BatchNorm2d(64)\n        self.bn2 = nn.BatchNorm2d(64)\n").replace(
    "self.bn(self.conv2", "self.bn2(self.conv2"
)


def in_editor(command: list[str], folder: Path, **variables: str) -> None:
    file = folder / "net.py"
    file.write_text(NET, encoding="utf-8")
    server = json.dumps([sys.executable, "-m", "nnreuse", "server"])
    environment = {**os.environ, "PYTHONPATH": str(SERVER), "SERVER": server, "FILE": str(file), "HOME": str(folder)}
    done = subprocess.run(
        command, env={**environment, **variables}, capture_output=True, text=True, cwd=folder, timeout=180
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert file.read_text(encoding="utf-8") == SPLIT


@pytest.mark.skipif(shutil.which("nvim") is None, reason="Neovim is not installed (Debian's `neovim`)")
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_neovim(tmp_path, encoding):
    script = HERE / "editors" / "neovim.lua"
    command = ["nvim", "--headless", "--clean", "-c", f"luafile {script}"]
    in_editor(command, tmp_path, ENCODING=encoding)


def _has_eglot() -> bool:
    if shutil.which("emacs") is None:
        return False
    asked = ["emacs", "--batch", "--eval", "(progn (package-initialize) (require 'eglot))"]
    return subprocess.run(asked, capture_output=True).returncode == 0


@pytest.mark.skipif(
    not _has_eglot(), reason="Emacs with eglot is not installed (Debian's `emacs-nox` and `elpa-eglot`)"
)
def test_emacs_with_eglot(tmp_path):
    in_editor(["emacs", "--batch", "-l", str(HERE / "editors" / "eglot.el")], tmp_path)
