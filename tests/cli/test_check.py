"""`nnreuse check`: exit codes, outputs and options, apart from what the engine finds."""

import json
from pathlib import Path

import pytest

from nnreuse.workspace import files


def put(name: str, text: str | bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_exit_codes(run):
    put("clean.py", "x = 1\n")
    put("found.py", "bad = 1\n")
    assert run("check", "clean.py").exit_code == 0
    assert run("check", "clean.py").stdout == "No findings in 1 file.\n"
    assert run("check", "found.py").exit_code == 1
    assert run("check", "--exit-zero", "found.py").exit_code == 0
    assert run("check", "missing.py").exit_code == 2
    assert run("check").exit_code == 2
    assert run("check", "--no-such-option", "clean.py").exit_code == 2


def test_json_has_the_contracts_shape(run):
    put("m.py", "# 模型\nx = '共享', bad\n")
    result = run("check", "--output-format", "json", "m.py")
    [row] = json.loads(result.stdout)
    fix = {
        "message": "write good",
        "applicability": "unsafe",
        "edits": [{"content": "good", "location": {"row": 2, "column": 11}, "end_location": {"row": 2, "column": 14}}],
    }
    assert row == {
        "code": "shared-batch-norm",
        "severity": "warning",
        "message": "`bad` is called twice",
        "url": row["url"],
        "filename": "m.py",
        "cell": None,
        "location": {"row": 2, "column": 11},
        "end_location": {"row": 2, "column": 14},
        "class": "Net",
        "attribute": "bn",
        "related": [
            {
                "filename": "m.py",
                "location": {"row": 2, "column": 1},
                "end_location": {"row": 2, "column": 2},
                "message": "first call",
            }
        ],
        "evidence": [
            {
                "kind": "twin",
                "weight": 2,
                "location": {"row": 2, "column": 11},
                "end_location": {"row": 2, "column": 14},
                "message": "an equal twin is idle",
            }
        ],
        "fix": fix,
        "fixes": [fix],
        "unfixed": None,
    }
    assert "shared-batch-norm" in row["url"]


def test_json_of_nothing_is_an_empty_list(run):
    put("m.py", "")
    assert json.loads(run("check", "--output-format", "json", "m.py").stdout) == []


def test_json_lines_and_concise_print_a_line_each(run):
    put("m.py", "bad\nbad\n")
    rows = run("check", "--output-format", "json-lines", "m.py").stdout.splitlines()
    assert [json.loads(row)["location"]["row"] for row in rows] == [1, 2]
    assert run("check", "--output-format", "concise", "m.py").stdout.splitlines() == [
        "m.py:1:1: warning[shared-batch-norm] `bad` is called twice",
        "m.py:2:1: warning[shared-batch-norm] `bad` is called twice",
    ]


def test_full_marks_the_place_and_says_why(run):
    put("m.py", "x = 0\ny = (\n\t'共享', bad)\n")
    out = run("check", "m.py").stdout
    assert out == (
        "warning[shared-batch-norm]: `bad` is called twice\n"
        " --> m.py:3:8\n"
        "  |\n"
        "2 | y = (\n"
        "  | - first call\n"
        "3 |     '共享', bad)\n"
        "  |             ^^^\n"
        "  |\n"
        "  = note: for a slip: an equal twin is idle\n"
        "  = help: write good (use --unsafe-fixes)\n"
        "  = help: `nnreuse rule shared-batch-norm` explains\n"
        "\n"
        "1 finding in 1 file, 1 with a fix: 1 warning.\n"
    )


def test_output_goes_to_a_file_that_can_be_written(run, tmp_path):
    put("m.py", "bad\n")
    result = run("check", "--output-format", "concise", "--output-file", "out.txt", "m.py")
    assert (result.exit_code, result.stdout) == (1, "")
    assert Path("out.txt").read_text() == "m.py:1:1: warning[shared-batch-norm] `bad` is called twice\n"
    assert run("check", "--output-file", "no/such/out.txt", "m.py").exit_code == 2


def test_quiet_leaves_out_all_but_findings(run):
    put("m.py", "bad\n")
    assert "in 1 file" in run("check", "m.py").stdout
    assert "in 1 file" not in run("check", "--quiet", "m.py").stdout
    put("clean.py", "x = 1\n")
    assert run("check", "--quiet", "clean.py").output == ""


@pytest.mark.parametrize(
    ("options", "no_color", "coloured"),
    [(["--color", "always"], "1", True), (["--color", "never"], "", False), ([], "1", False), ([], "", False)],
)
def test_colours_are_asked_for(run, monkeypatch, options, no_color, coloured):
    monkeypatch.setenv("NO_COLOR", no_color)
    put("m.py", "bad\n")
    assert ("\x1b[" in run("check", *options, "m.py").stdout) is coloured


def test_source_cannot_steer_the_terminal(run):
    put("m.py", "bad = '\x1b[2J\u202e\x0c'\n")
    out = run("check", "m.py").stdout
    assert not {"\x1b", "\u202e", "\x0c"} & set(out)


def test_colour_only_where_wanted(run, monkeypatch):
    put("m.py", "bad\n")
    assert "\x1b[" in run("check", "m.py", color=True).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("check", "m.py", color=True).stdout


def test_select_ignore_severity(run):
    put("m.py", "bad\n")
    assert run("check", "--ignore", "shared-batch-norm", "m.py").exit_code == 0
    assert run("check", "--select", "shared-prelu", "m.py").exit_code == 0
    assert run("check", "--select", "shared-prelu,shared-batch-norm", "m.py").exit_code == 1
    assert run("check", "--severity", "shared-batch-norm=hint", "m.py").exit_code == 0
    assert run("check", "--min-severity", "error", "m.py").exit_code == 0
    out = run("check", "--severity", "shared-batch-norm=error", "--output-format", "concise", "m.py").stdout
    assert "error[shared-batch-norm]" in out


@pytest.mark.parametrize(
    "options", [("--select", "shared-batch-nrom"), ("--ignore", "no-such-rule"), ("--severity", "shared-prelu=loud")]
)
def test_names_that_mean_nothing_are_refused(run, options):
    put("m.py", "bad\n")
    result = run("check", *options, "m.py")
    assert result.exit_code == 2
    assert options[1] in result.stderr or "shared-batch-norm" in result.stderr


def test_statistics(run):
    put("m.py", "bad\nbad\n")
    assert run("check", "--statistics", "m.py").stdout.split() == ["2", "warning", "shared-batch-norm"]
    rows = json.loads(run("check", "--statistics", "--output-format", "json", "m.py").stdout)
    assert rows == [{"code": "shared-batch-norm", "severity": "warning", "count": 2}]


def test_settings_of_the_nearest_file(run):
    put("pyproject.toml", '[tool.nnreuse]\nignore = ["shared-batch-norm"]\n')
    put("a/m.py", "bad\n")
    put("b/m.py", "bad\n")
    put("b/nnreuse.toml", '[severity]\nshared-batch-norm = "error"\n')
    out = run("check", "--output-format", "concise", ".").stdout
    assert out.splitlines() == [f"{Path('b/m.py')}:1:1: error[shared-batch-norm] `bad` is called twice"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("selct = []\n", "selct"),
        ("select = 3\n", "select"),
        ("ignore = ['no-such-rule']\n", "no-such-rule"),
        ("[severity]\nshared-prelu = 'loud'\n", "shared-prelu"),
        ("checkpoint-compat = 'maybe'\n", "checkpoint-compat"),
        ("=\n", "nnreuse.toml"),
    ],
)
def test_settings_that_mean_nothing_are_named(run, text, word):
    put("nnreuse.toml", text)
    put("m.py", "x = 1\n")
    result = run("check", "m.py")
    assert result.exit_code == 2
    assert "nnreuse.toml" in result.stderr
    assert word in result.stderr


def test_processes_give_the_same_answer(run):
    for number in range(9):
        put(f"p/m{number}.py", "bad\n" * number)
    alone = run("check", "--jobs", "1", "--output-format", "json", "p").stdout
    assert len(json.loads(alone)) == 36
    assert run("check", "--jobs", "3", "--output-format", "json", "p").stdout == alone


def test_a_file_named_twice_is_checked_once(run):
    put("p/m.py", "bad\n")
    assert len(json.loads(run("check", "--output-format", "json", "p", "p/m.py", "./p").stdout)) == 1


WEIRD = {
    "syntax": (b"def f(:\n", 1, "syntax.py:1: cannot be parsed"),
    "nested": (b"x = " + b"[" * 2000 + b"]" * 2000, 1, "cannot be parsed"),
    "null": (b"x = 1\0\n", 1, "cannot be parsed"),
    "latin": (b"x = 'caf\xe9'\n", 1, "latin.py: "),
    "cookie": (b"# coding: latin-1\nx = '\xe9'\n", 0, ""),
    "empty": (b"", 0, ""),
    "explode": (b"explode\n", 2, "internal error"),
}


@pytest.mark.parametrize("name", WEIRD)
def test_weird_files_are_named_and_the_others_checked(run, name):
    content, code, said = WEIRD[name]
    put(f"p/{name}.py", content)
    put("p/zz.py", "bad\n")
    result = run("check", "--output-format", "concise", "p")
    assert result.exit_code == max(code, 1)
    assert said in result.stderr
    assert bool(said) == bool(result.stderr)
    assert "zz.py:1:1: warning" in result.stdout


def test_a_missing_path_does_not_stop_the_others(run):
    put("m.py", "bad\n")
    result = run("check", "--output-format", "concise", "gone.py", "m.py")
    assert result.exit_code == 2
    assert "gone.py: no such file" in result.stderr
    assert "No findings" not in run("check", "gone.py").stdout
    assert "m.py:1:1" in result.stdout


def test_an_unreadable_folder_is_named(run, monkeypatch):
    put("p/m.py", "bad\n")
    put("p/locked/m.py", "bad\n")
    scandir = files.os.scandir

    def refuse(folder):
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(files.os, "scandir", refuse)
    result = run("check", "--output-format", "concise", "p")
    assert result.exit_code == 2
    assert "locked: permission denied" in result.stderr
    assert "m.py:1:1" in result.stdout


def test_lines_end_where_python_ends_them(run):
    put("m.py", b"x = 1\x0c\ny = '\xe2\x80\xa8\xc2\x85'\r\nz = 1\rbad\n")
    assert run("check", "--output-format", "concise", "m.py").stdout.startswith("m.py:4:1:")


def test_standard_input(run):
    result = run("check", "--output-format", "concise", "--stdin-filename", "src/m.py", "-", stdin=b"x = 1\r\nbad\r\n")
    assert result.stdout.startswith(f"{Path('src/m.py')}:2:1:")
    assert result.exit_code == 1


def test_fix_applies_only_what_is_safe(run):
    path = put("m.py", "bad\nbad_safe\n")
    assert run("check", "--fix", "m.py").exit_code == 1
    assert path.read_text() == "bad\nfine_safe\n"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("head", [b"", b"\xef\xbb\xbf", b"# coding: latin-1\n# \xe9"])
def test_fixes_keep_every_other_byte(run, head, end):
    path = put("m.py", head + end + b"x = 1  # a\x0c" + end + b"bad, bad" + end + b"end")
    result = run("check", "--unsafe-fixes", "m.py")
    assert path.read_bytes() == head + end + b"x = 1  # a\x0c" + end + b"good, good" + end + b"end"
    assert result.exit_code == 0
    assert "2 fixes applied" in result.stderr


def test_diff_writes_nothing(run):
    path = put("m.py", "x = 1\nbad\n")
    result = run("check", "--diff", "--unsafe-fixes", "m.py")
    assert result.stdout == "--- a/m.py\n+++ b/m.py\n@@ -1,2 +1,2 @@\n x = 1\n-bad\n+good\n"
    assert result.exit_code == 1
    assert path.read_text() == "x = 1\nbad\n"
    assert run("check", "--diff", "m.py").exit_code == 0


def test_repaired_standard_input_goes_to_standard_output(run):
    result = run("check", "--unsafe-fixes", "-", stdin=b"\xef\xbb\xbfbad\r\n")
    assert result.stdout_bytes == b"\xef\xbb\xbfgood\r\n"
    assert result.exit_code == 0


def test_a_file_that_cannot_be_parsed_is_not_touched(run):
    path = put("m.py", "bad = (\n")
    assert run("check", "--unsafe-fixes", "m.py").exit_code == 1
    assert path.read_text() == "bad = (\n"


def test_facts_are_json_lines(run):
    put("p/a.py", "bad\n")
    put("p/b.py", "bad, bad\n")
    result = run("facts", "p")
    assert [json.loads(row)["calls"] for row in result.stdout.splitlines()] == [1, 2]
    assert result.exit_code == 0
    assert run("facts", "gone").exit_code == 2


def test_one_class_is_explained(run):
    Path("p.py").write_text("class Net: bad\n")
    result = run("facts", "--explain", "p.py:Net")
    assert (result.exit_code, result.stdout.split()) == (0, ["Net", "p.py"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["p.py:Other"], "p.py has no module class Other"),
        (["gone.py:Net"], "gone.py: no such file"),
        (["p.py"], "wants FILE:CLASS"),
        ([".:Net"], "is a folder"),
        (["p.py:Net", "q.py"], "no further paths"),
    ],
)
def test_what_cannot_be_explained_is_said(run, arguments: list[str], said: str):
    Path("p.py").write_text("class Net: bad\n")
    result = run("facts", "--explain", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
