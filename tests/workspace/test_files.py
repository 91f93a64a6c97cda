"""Files keep their bytes, and discovery finds what a user means by a folder."""

import os
from pathlib import Path

import pytest

from nnreuse.workspace.files import FileProblem, Undecodable, comes_to, decode, discover, read, write

PATH = Path("m.py")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"", "utf-8"),
        (b"x = 1\r\ny = 2\rz = 3\n\x0c\n", "utf-8"),
        (b"\xef\xbb\xbfx = 1\r\n", "utf-8"),
        ("# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"), "iso-8859-1"),
        ("#!/bin/python\r# coding: gbk\rx = '共享'\r".encode("gbk"), "gbk"),
        ("x = '共享\u2028'\n".encode(), "utf-8"),
    ],
)
def test_read_and_written_back_is_the_same_bytes(tmp_path: Path, content: bytes, encoding: str):
    path = tmp_path / "m.py"
    path.write_bytes(content)
    file = read(path)
    assert file.encoding == encoding
    assert not file.text.startswith("\ufeff")
    write(file, file.text + "# end\n")
    assert path.read_bytes() == content + b"# end\n"


@pytest.mark.parametrize(
    "content",
    [b"x = '\xe9'\n", b"# coding: utf-9\n", b"\xef\xbb\xbf# coding: latin-1\n", b"a = 1\nb = 2\nc = '\xff'\n"],
)
def test_bytes_that_are_no_text_are_refused(content: bytes):
    with pytest.raises(Undecodable):
        decode(PATH, content)


def test_a_file_changed_meanwhile_is_left_alone(tmp_path: Path):
    path = tmp_path / "m.py"
    path.write_text("x = 1\n")
    file = read(path)
    path.write_text("x = 2\n")
    with pytest.raises(FileProblem, match="changed"):
        write(file, "x = 3\n")
    assert path.read_text() == "x = 2\n"


def test_what_the_encoding_cannot_hold_is_not_written(tmp_path: Path):
    path = tmp_path / "m.py"
    path.write_bytes(b"# coding: ascii\n")
    with pytest.raises(FileProblem, match="ascii"):
        write(read(path), "# coding: ascii\n# é\n")
    assert os.listdir(tmp_path) == ["m.py"]


def test_mode_and_link_stay(tmp_path: Path):
    (tmp_path / "real.py").write_text("x = 1\n")
    (tmp_path / "real.py").chmod(0o750)
    (tmp_path / "link.py").symlink_to("real.py")
    write(read(tmp_path / "link.py"), "x = 2\n")
    assert (tmp_path / "link.py").is_symlink()
    assert (tmp_path / "real.py").read_text() == "x = 2\n"
    assert (tmp_path / "real.py").stat().st_mode & 0o777 == 0o750


def found(folder: Path) -> list[str]:
    """What is discovered; of no other file does it say that it would come to it."""
    problems: list[FileProblem] = []
    files = [path.relative_to(folder).as_posix() for path in discover(folder, problems.append)]
    assert not problems
    every = [path for path in folder.rglob("*.py") if path.is_file()]
    assert sorted(path.relative_to(folder).as_posix() for path in every if comes_to(folder, path)) == sorted(files)
    return files


def tree(root: Path, *names: str, ignore: str = "") -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    if ignore:
        (root / ".gitignore").write_text(ignore)
    return root


def test_environments_caches_and_other_files_are_left_out(tmp_path: Path):
    tree(tmp_path, "b.py", "a/z.py", "a/data.txt", ".venv/x.py", "node_modules/x.py", "a/__pycache__/x.py")
    tree(tmp_path, "env/pyvenv.cfg", "env/lib/x.py")
    assert found(tmp_path) == ["a/z.py", "b.py"]


def test_what_git_ignores_is_left_out(tmp_path: Path):
    tree(tmp_path, "a.py", "build/x.py", "gen_a.py", "gen_b.py", "p/gen_c.py", ignore="build/\ngen_*.py\n!gen_b.py\n")
    (tmp_path / "p" / ".gitignore").write_text("!gen_c.py\n")
    assert found(tmp_path) == ["a.py", "gen_b.py", "p/gen_c.py"]


def test_a_gitignore_above_counts_inside_its_repository(tmp_path: Path):
    tree(tmp_path, ".git/HEAD", "p/a.py", "p/gen.py", ignore="gen.py\n")
    assert found(tmp_path / "p") == ["a.py"]


def test_a_named_folder_is_searched_though_git_ignores_it(tmp_path: Path):
    tree(tmp_path, ".git/HEAD", "build/lib/a.py", ignore="build/\n")
    assert found(tmp_path / "build" / "lib") == ["a.py"]


def test_a_loop_of_links_ends(tmp_path: Path):
    tree(tmp_path, "a.py")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert found(tmp_path) == ["a.py"]
