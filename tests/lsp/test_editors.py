"""Real editors, headless: what a user would do, to the file on disk. Each is skipped where it is not installed."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
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
    installed = folder / "bin" / "nnreuse"
    installed.parent.mkdir()
    installed.write_text(f'#!/bin/sh\nexec {sys.executable} -m nnreuse "$@"\n')
    installed.chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": str(SERVER), "SERVER": server, "FILE": str(file), "HOME": str(folder)}
    environment["PATH"] = f"{installed.parent}:{environment['PATH']}"
    done = subprocess.run(
        command, env={**environment, **variables}, capture_output=True, text=True, cwd=folder, timeout=180
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert file.read_text(encoding="utf-8") == SPLIT


def documented(page: str, number: int) -> str:
    """A block of code that a page has a user write."""
    text = (HERE.parents[1] / "docs" / "editors" / page).read_text(encoding="utf-8")
    return textwrap.dedent(re.findall(r"(?:^(?: {4}.*)?\n)*^ {4}.*\n", text, re.MULTILINE)[number])


def _neovim_at_least(minor: int) -> bool:
    if shutil.which("nvim") is None:
        return False
    said = subprocess.run(["nvim", "--version"], capture_output=True, text=True).stdout
    found = re.match(r"NVIM v0\.(\d+)", said)
    return found is None or int(found[1]) >= minor


@pytest.mark.skipif(shutil.which("nvim") is None, reason="Neovim is not installed (Debian's `neovim`)")
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_neovim(tmp_path, encoding):
    script = HERE / "editors" / "neovim.lua"
    command = ["nvim", "--headless", "--clean", "-c", f"luafile {script}"]
    in_editor(command, tmp_path, ENCODING=encoding)


@pytest.mark.skipif(shutil.which("nvim") is None, reason="Neovim is not installed (Debian's `neovim`)")
def test_neovim_as_documented(tmp_path):
    config = documented("neovim.md", 0 if _neovim_at_least(11) else 1)
    script = HERE / "editors" / "neovim.lua"
    (tmp_path / "nnreuse.toml").touch()
    in_editor(["nvim", "--headless", "--clean", "-c", f"luafile {script}"], tmp_path, CONFIG=config)


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


@pytest.mark.skipif(
    not _has_eglot(), reason="Emacs with eglot is not installed (Debian's `emacs-nox` and `elpa-eglot`)"
)
def test_emacs_with_eglot_as_documented(tmp_path):
    command = ["emacs", "--batch", "-l", str(HERE / "editors" / "eglot.el")]
    in_editor(command, tmp_path, CONFIG=documented("emacs.md", 0))


def _has_lsp_mode() -> bool:
    asked = ["emacs", "--batch", "--eval", "(progn (package-initialize) (require 'lsp-mode))"]
    return shutil.which("emacs") is not None and subprocess.run(asked, capture_output=True).returncode == 0


@pytest.mark.skipif(
    not _has_lsp_mode(), reason="Emacs with lsp-mode is not installed (Debian's `emacs-nox` and `elpa-lsp-mode`)"
)
def test_emacs_with_lsp_mode_as_documented(tmp_path):
    (tmp_path / "pyproject.toml").touch()
    command = ["emacs", "--batch", "-l", str(HERE / "editors" / "lsp-mode.el")]
    in_editor(command, tmp_path, CONFIG=documented("emacs.md", 1))


def _has_ale() -> bool:
    asked = ["vim", "-N", "-u", "NONE", "-es", "-c", "try | packadd ale | catch | cquit | endtry", "-c", "qall!"]
    return shutil.which("vim") is not None and subprocess.run(asked, capture_output=True).returncode == 0


@pytest.mark.skipif(not _has_ale(), reason="Vim with ALE is not installed (Debian's `vim-nox` and `vim-ale`)")
def test_vim_with_ale_as_documented(tmp_path):
    (tmp_path / "pyproject.toml").touch()
    command = ["vim", "-N", "-u", "NONE", "-i", "NONE", "-es", "-S", str(HERE / "editors" / "ale.vim")]
    in_editor(command, tmp_path, CONFIG=documented("vim.md", 0))
