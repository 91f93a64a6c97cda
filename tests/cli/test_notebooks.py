"""`check` on notebooks: cells are one program; places are those of cells; what is written back is the same JSON but for the fix."""

import json
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nnreuse.cli.main import nnreuse

NET = """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1)
        self.conv2 = nn.Conv2d(64, 64, 3, padding=1)
        self.bn = nn.BatchNorm2d(64)

    def forward(self, x):
        x = self.bn(self.conv1(x))
        x = self.bn(self.conv2(x))
        return x"""
FIXED = NET.replace("(64)\n\n", "(64)\n        self.bn2 = nn.BatchNorm2d(64)\n\n").replace(
    "bn(self.conv2", "bn2(self.conv2"
)
CELLS = [
    ("code", "%matplotlib inline\n!pip install torch\nimport torch.nn as nn"),
    ("markdown", "# Wörter, *not* Python: self.bn("),
    ("code", NET),
    ("code", "%%bash\nfor x in *; do echo; done"),
]


def notebook(cells=CELLS, language="python", as_lines=True, **options) -> str:
    made = [
        {"cell_type": kind, "metadata": {}, "source": text.splitlines(keepends=True) if as_lines else text}
        | ({"execution_count": 3, "outputs": [{"text": "é"}]} if kind == "code" else {})
        for kind, text in cells
    ]
    content = {"cells": made, "metadata": {"language_info": {"name": language}}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, **{"indent": 1, "ensure_ascii": False, **options}) + "\n"


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(nnreuse, ["check", *map(str, arguments)], input=stdin)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.ipynb"
    path.write_text(notebook(), encoding="utf-8")
    return path


def test_findings_name_their_cell(file):
    result = run("--output-format", "json", file)
    assert result.exit_code == 1
    (found,) = json.loads(result.stdout)
    assert (found["cell"], found["location"]) == (3, {"row": 10, "column": 13})
    assert [(each["cell"], each["location"]["row"]) for each in found["related"]] == [(3, 6), (3, 9)]
    assert sorted((edit["cell"], edit["location"]["row"]) for edit in found["fix"]["edits"]) == [(3, 7), (3, 10)]


def test_formats_for_people_name_the_cell_and_show_its_lines(file):
    assert f"{file}:cell 3:10:13: " in run("--output-format", "concise", file).stdout
    shown = run(file).stdout
    assert f"--> {file}:cell 3:10:13" in shown
    assert " 9 |         x = self.bn(self.conv1(x))" in shown


def test_a_folder_is_searched_for_notebooks_too(file):
    assert str(file) in run("--output-format", "concise", file.parent).stdout


def test_facts_are_those_of_the_cells_as_one_program(file):
    result = CliRunner().invoke(nnreuse, ["facts", str(file.parent)])
    rows = {row["attribute"]: row for row in map(json.loads, result.stdout.splitlines())}
    assert (rows["bn"]["calls"], rows["bn"]["relation"], rows["bn"]["file"]) == (2, "chained", str(file))
    file.write_text("{}")
    broken = CliRunner().invoke(nnreuse, ["facts", str(file)])
    assert (broken.exit_code, "is no notebook" in broken.stderr) == (1, True)


def test_a_notebook_comes_from_standard_input(file):
    result = run("--output-format", "json", "--stdin-filename", "a.ipynb", "-", stdin=notebook())
    assert [each["cell"] for each in json.loads(result.stdout)] == [3]


@pytest.mark.parametrize("options", [{}, {"indent": None}, {"indent": 4, "ensure_ascii": True}, {"as_lines": False}])
def test_a_fix_changes_nothing_but_its_cell(file, options):
    file.write_text(notebook(**options), encoding="utf-8")
    run("--unsafe-fixes", file)
    fixed = [(kind, FIXED if text is NET else text) for kind, text in CELLS]
    assert file.read_text(encoding="utf-8") == notebook(fixed, **options)
    assert run(file).exit_code == 0


def test_json_that_cannot_be_written_the_same_is_offered_no_fix(file):
    text = notebook().replace('"nbformat": 4', '"nbformat":  4')
    file.write_text(text, encoding="utf-8")
    found = json.loads(run("--output-format", "json", file).stdout)
    assert {each["fix"] for each in found} == {None}
    assert all("could not be written back" in each["unfixed"] for each in found)
    run("--unsafe-fixes", file)
    assert file.read_text(encoding="utf-8") == text


def test_what_is_written_at_the_end_of_a_cell_stays_in_it(file):
    shared = "# nnreuse: ignore[shared-prelu]"
    cells = [("code", "import torch.nn as nn"), ("code", f"x = 1  {shared}"), ("code", "y = 2")]
    file.write_text(notebook(cells), encoding="utf-8")
    assert [each["code"] for each in json.loads(run("--output-format", "json", file).stdout)] == ["unused-suppression"]
    run("--fix", file)
    assert file.read_text(encoding="utf-8") == notebook([cells[0], ("code", "x = 1"), cells[2]])


@pytest.mark.parametrize(
    "bad", ["x = (", "iters: 100, epoch: 1 | loss: 0.47", "x = # TODO: your code", "print 'old'", "  a\nb\n c"]
)
def test_a_cell_that_is_no_python_is_left_out_and_named(file, bad):
    file.write_text(notebook([("code", bad), *CELLS, ("code", "x = (\n")]), encoding="utf-8")
    result = run("--output-format", "concise", file)
    assert result.exit_code == 1
    assert f"{file}:cell 1:" in result.stderr and f"{file}:cell 6:1: cannot be parsed" in result.stderr
    assert result.stderr.count("this cell is left out") == 2
    assert [line.split(": ")[0] for line in result.stdout.splitlines()] == [
        f"{file}:cell 4:10:13",
    ]


def test_a_cell_that_is_left_out_is_no_finding(file):
    file.write_text(notebook([*CELLS[:1], ("code", "x = (")]), encoding="utf-8")
    assert run(file).exit_code == 0


def test_a_fix_leaves_cells_that_are_no_python_alone(file):
    bad = [("code", "x = # TODO"), *CELLS, ("code", "    1: 2 | 3")]
    file.write_text(notebook(bad), encoding="utf-8")
    run("--unsafe-fixes", file)
    assert file.read_text(encoding="utf-8") == notebook([(kind, FIXED if text is NET else text) for kind, text in bad])


def test_facts_leave_a_bad_cell_out_too(file):
    file.write_text(notebook([*CELLS, ("code", "x = (")]), encoding="utf-8")
    result = CliRunner().invoke(nnreuse, ["facts", str(file)])
    assert (result.exit_code, '"attribute": "bn"' in result.stdout) == (0, True)
    assert "cell 5:1: cannot be parsed" in result.stderr


@pytest.mark.parametrize("indentation", ["  ", "\t", "        "])
def test_a_cell_that_is_indented_as_a_whole_is_read_and_repaired_where_it_stands(file, indentation):
    def cells(text: str) -> list[tuple[str, str]]:
        indented = textwrap.indent(text, indentation)
        return [*CELLS[:2], ("code", f"\n{indentation}!ls \\\n{indentation}   -l\n{indented}"), ("code", " x = 1\n x")]

    file.write_text(notebook(cells(NET)), encoding="utf-8")
    found = json.loads(run("--output-format", "json", file).stdout)
    wanted = [(3, {"row": row, "column": 13 + len(indentation)}) for row in (13,)]
    assert [(each["cell"], each["location"]) for each in found] == wanted
    run("--unsafe-fixes", file)
    assert file.read_text(encoding="utf-8") == notebook(cells(FIXED))


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"cells": 3}', '{"worksheets": []}', '{"cells": [{"source": []}]}', "[" * 9999]
)
def test_what_is_no_notebook_is_said_to_be_none(file, text):
    file.write_text(text, encoding="utf-8")
    result = run(file)
    assert result.exit_code == 1
    assert "is no notebook" in result.stderr


def test_other_languages_are_left_alone(file):
    file.write_text(notebook(language="julia"), encoding="utf-8")
    assert run(file).exit_code == 0
