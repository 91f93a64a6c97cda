"""What is ignored is what `git check-ignore --no-index` says, for random ignore files in nested folders."""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnreuse.workspace.files import FileProblem, comes_to, discover
from nnreuse.workspace.ignoring import rules_of

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
_NAMES = ["a", "b", "ab", "src", "é", "x y", "a]"]
_FILES = ["a.py", "b.py", "ab.py", "net.py", "x y.py", "é.py", "a-b.py", "!x.py", "#x.py", "a]b.py"]
_PARTS = [
    "*",
    "**",
    "a",
    "b",
    "ab",
    "src",
    "?",
    "*.py",
    "net.py",
    "x y",
    "[ab]",
    "[!a]",
    "a*",
    "**b",
    "é",
    "a**",
    "*.*",
]
_PARTS += [
    "[a-c]*",
    "[[:alpha:]]*",
    "[]a]*",
    "[a\\]]*",
    "\\*",
    "\\a",
    "[z-a]",
    "[^[:digit:]]",
    "a\\",
    "[a",
    "[[:x:]]",
    "*b.p[xyz]",
    ".*",
]


def tree(root: Path, chance: random.Random) -> list[Path]:
    """Files in nested folders."""
    folders = [root]
    for _ in range(6):
        folder = chance.choice(folders) / chance.choice(_NAMES)
        folder.mkdir(exist_ok=True)
        folders.append(folder)
    files = {folder / name for folder in folders for name in chance.sample(_FILES, 4)}
    for file in files:
        file.touch()
    return sorted(files)


def rule(chance: random.Random) -> str:
    parts = [chance.choice(_PARTS) for _ in range(chance.choice([1, 1, 1, 2, 2, 3]))]
    text = chance.choice(["", "", "/"]) + "/".join(parts) + chance.choice(["", "", "/", " ", "\\ ", "  "])
    return chance.choice(["", "", "", "!", "#", "\\"]) + text


def rules(chance: random.Random) -> str:
    usual = chance.choice([[], [], ["*", "!*/"], ["*", "!*/", "!*.py"], ["/*", "!/src/"], ["*.*", "!*.py"]])
    lines = [*usual, *(rule(chance) for _ in range(chance.randrange(5)))]
    return chance.choice(["", "\ufeff"]) + chance.choice(["\n", "\r\n"]).join(lines) + chance.choice(["", "\n"])


def git(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    unaware = {"HOME": str(root), "XDG_CONFIG_HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    done = subprocess.run(["git", *arguments], cwd=root, input=given, capture_output=True, env=unaware, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def not_ignored(root: Path, files: list[Path]) -> list[Path]:
    """The files that git does not ignore, as `check-ignore --no-index` answers."""
    given = b"\0".join(os.fsencode(file.relative_to(root)) for file in files)
    ignored = git(root, "check-ignore", "--no-index", "--stdin", "-z", given=given).split(b"\0")
    return [file for file in files if os.fsencode(file.relative_to(root)) not in ignored]


def repositories(root: Path, seed: int) -> Iterator[list[Path]]:
    """One repository after the other, with random rules in its folders and in `.git/info/exclude`."""
    chance = random.Random(seed)
    files = tree(root, chance)
    git(root, "init", "--quiet")
    folders = sorted({file.parent for file in files})
    for _ in range(15):
        (root / ".git" / "info" / "exclude").write_text(rules(chance) if chance.random() < 0.3 else "", newline="")
        for folder in folders:
            (folder / ".gitignore").unlink(missing_ok=True)
        for folder in (root, *chance.sample(folders, 2)):
            (folder / ".gitignore").write_text(rules(chance), newline="")
        yield files


@needs_git
@pytest.mark.parametrize("seed", range(8))
def test_what_is_found_is_what_git_does_not_ignore(tmp_path: Path, seed: int):
    for files in repositories(tmp_path, seed):
        problems: list[FileProblem] = []
        expected = not_ignored(tmp_path, files)
        assert sorted(discover(tmp_path, problems.append)) == expected
        assert [file for file in files if comes_to(tmp_path, file)] == expected
        assert not problems


def found(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in discover(folder, lambda _: None)]


def test_folders_that_are_taken_back_are_searched(tmp_path: Path):
    for rules_ in ("*\n!*/\n!*.py\n", "*\n!*/\n!*.*\n*.pyc\n", "/*\n!/src/\n!/net.py\n"):
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / "net.py").touch()
        (tmp_path / "net.py").touch()
        (tmp_path / ".gitignore").write_text(rules_)
        assert found(tmp_path) == ["net.py", "src/net.py"]


def test_what_the_repository_excludes_for_itself_counts(tmp_path: Path):
    (tmp_path / ".git" / "info").mkdir(parents=True)
    (tmp_path / ".git" / "info" / "exclude").write_text("scratch/\nold.py\n")
    for name in ("scratch", "p"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "old.py").touch()
        (tmp_path / name / "new.py").touch()
    assert found(tmp_path) == ["p/new.py"]
    assert found(tmp_path / "p") == ["new.py"]


def test_a_worktree_has_the_excludes_of_its_repository(tmp_path: Path):
    main, tree_ = tmp_path / "main" / ".git", tmp_path / "tree"
    for folder in (main / "info", main / "worktrees" / "tree", tree_):
        folder.mkdir(parents=True)
    (main / "info" / "exclude").write_text("old.py\n")
    (main / "worktrees" / "tree" / "commondir").write_text("../..\n")
    (tree_ / ".git").write_text(f"gitdir: {main}/worktrees/tree\n")
    (tree_ / "old.py").touch()
    (tree_ / "new.py").touch()
    assert found(tree_) == ["new.py"]


def test_a_repository_inside_has_rules_of_its_own(tmp_path: Path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("net.py\n")
    (tmp_path / "inner" / ".git").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "inner"):
        (folder / "net.py").touch()
    assert found(tmp_path) == ["inner/net.py"]
    assert found(tmp_path / "inner") == ["net.py"]


def test_what_macos_keeps_beside_a_file_is_no_code(tmp_path: Path):
    (tmp_path / "._net.py").write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / "net.py").touch()
    assert found(tmp_path) == ["net.py"]
    assert not comes_to(tmp_path, tmp_path / "._net.py")


def test_any_bytes_are_read():
    chance = random.Random(7)
    for _ in range(300):
        list(rules_of(bytes(chance.choice(b"*?[]\\!/a-:^ \n\r\x00\xff#") for _ in range(20))))
