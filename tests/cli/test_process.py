"""`python -m nnreuse` as a process, with the real engine."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from nnreuse import __version__

ROOT = Path(__file__).parents[2]
ARTICLE = ROOT / "examples" / "article"


def nnreuse(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "nnreuse", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT / "server")


def test_the_articles_batch_norm_is_found():
    result = nnreuse("check", "--output-format", "json", ARTICLE / "model.py")
    assert result.returncode == 1, result.stderr
    rows = json.loads(result.stdout)
    assert [(row["code"], row["class"], row["attribute"]) for row in rows] == [("shared-batch-norm", "Net", "bn")]


def test_every_slip_of_the_examples_is_found_and_nothing_else():
    result = nnreuse("check", "--output-format", "json", ARTICLE)
    found = {(row["class"], row["code"]) for row in json.loads(result.stdout)}
    assert found == {
        ("Net", "shared-batch-norm"),
        ("OneActivationForAll", "shared-prelu"),
        ("DeepInNameOnly", "repeated-instance"),
        ("IdleTwin", "unused-twin"),
        ("OneNormForTwo", "shared-layer-norm"),
        ("OneLinearTwice", "shared-parameters"),
    }


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_the_articles_batch_norm_is_repaired(tmp_path: Path, bom: bytes, end: str):
    path = tmp_path / "model.py"
    before = (ARTICLE / "model.py").read_bytes().replace(b"\n", end.encode())
    path.write_bytes(bom + before)
    result = nnreuse("check", "--unsafe-fixes", path)
    assert result.returncode == 0, result.stdout + result.stderr
    after = path.read_bytes()
    assert after.startswith(bom + before[:40])
    assert after.count(b"\r") == after.count(b"\n") * end.count("\r")
    ast.parse(after)


def test_a_folder_of_weird_files_is_survived(tmp_path: Path):
    for name, content in {
        "nested.py": b"x = " + b"[" * 2000 + b"]" * 2000,
        "chain.py": b"x = a" + b".b" * 5000,
        "sum.py": b"x = " + b"+".join([b"1"] * 3000),
        "deep.py": b"".join(b" " * level + b"if 1:\n" for level in range(99)),
        "control.py": b"x = 1\x0c\n'\xe2\x80\xa8'\n",
        "broken.py": b"class Net(nn.Module):\n  def forward(self\n",
    }.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "model.py").write_bytes((ARTICLE / "model.py").read_bytes())
    result = nnreuse("check", "--output-format", "json", tmp_path)
    assert result.returncode == 1, result.stderr
    assert [Path(row["filename"]).name for row in json.loads(result.stdout)] == ["model.py"]
    assert "broken.py:" in result.stderr
    assert "internal error" not in result.stderr


def test_a_reason_that_stands_in_another_file_is_told_where_the_finding_is(tmp_path: Path):
    (tmp_path / "base.py").write_text(
        "import torch.nn as nn\nclass Base(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.norm = nn.LayerNorm(8)  # shared by both\n        self.fc = nn.Linear(8, 8)\n"
    )
    (tmp_path / "net.py").write_text(
        "from base import Base\nclass Net(Base):\n    def forward(self, x):\n"
        "        return self.norm(self.fc(self.norm(x)))\n"
    )
    result = nnreuse("check", "--min-severity", "hint", "--output-format", "json", tmp_path)
    assert "internal error" not in result.stderr
    [said] = [reason for row in json.loads(result.stdout)[:1] for reason in row["evidence"] if reason["kind"] == "said"]
    assert said["location"]["row"] == 4


def test_facts_of_the_article():
    rows = [json.loads(line) for line in nnreuse("facts", ARTICLE / "model.py").stdout.splitlines()]
    [bn] = [row for row in rows if row["attribute"] == "bn"]
    assert (bn["class"], bn["calls"], bn["must"], bn["running_stats"]) == ("Net", 2, True, True)


def test_facts_that_nobody_reads_on_end_the_run_without_a_word():
    command = [sys.executable, "-m", "nnreuse", "facts", str(ARTICLE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT / "server") as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_rule_pages():
    assert "shared-batch-norm" in nnreuse("rule").stdout
    assert nnreuse("rule", "shared-batch-norm").returncode == 0
    assert nnreuse("rule", "no-such-rule").returncode == 2


def test_the_command_line_starts_without_the_analysis():
    code = "import sys, nnreuse.cli.check; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT / "server", check=True)
    assert not {"libcst", "jedi", "torch", "pygls", "concurrent"} & set(done.stdout.split())


def test_a_reader_that_leaves_is_no_traceback():
    command = f'"{sys.executable}" -m nnreuse rule | head -c 1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT / "server")
    assert "Traceback" not in done.stderr


def test_the_server_says_its_version_and_refuses_a_log_it_cannot_write(tmp_path):
    assert nnreuse("server", "--version").stdout == f"nnreuse {__version__}\n"
    refused = nnreuse("server", "--log-file", str(tmp_path / "no" / "such" / "log"))
    assert refused.returncode == 2
    assert "--log-file" in refused.stderr
