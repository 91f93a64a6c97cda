"""`nnreuse trace`: a model called once in torch, beside the static tracer."""

import json
import sys
from pathlib import Path

import pytest

NET = """
import torch
from torch import nn
from parts import Block

class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 1), nn.ReLU())
        self.blocks = nn.ModuleList([Block(width)] * 2)
        self.head = nn.Linear(width, 2)
        self.idle = nn.Linear(2, 2)
        self.plain = [nn.Linear(2, 2)]
        self.norms = nn.ModuleList(nn.BatchNorm1d(2) for _ in range(2))

    def forward(self, x, tokens, scale=None):
        print("noise")
        assert tokens.dtype == torch.int64 and scale.shape == ()
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        x = x.mean((2, 3))
        once, again = self.head(x), self.head(x * 2)
        for norm in self.norms:
            once = norm(once)
        return self.plain[0](once + again)
"""
BLOCK = """
from torch import nn

class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 1)

    def forward(self, x):
        return self.conv(x)
"""
INPUTS = ["--input", "2x3x4x4", "--input", "2x5:int64", "--input", "scale=:float64"]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "parts.py").write_text(BLOCK)
    file = tmp_path / "net.py"
    file.write_text(NET)
    return file


def test_each_attribute_has_the_calls_that_torch_saw_and_what_the_static_tracer_says(run, model):
    answer = run(
        "trace", f"{model}:Net", *INPUTS, "--arg", "width=4", "--python", sys.executable, "--output-format", "json"
    )
    assert (answer.exit_code, answer.stderr) == (0, "")
    rows = {row["attribute"]: row for row in map(json.loads, answer.stdout.splitlines())}
    seen = {name: (row["calls"], row["relation"], row["static"]) for name, row in rows.items()}
    assert seen == {
        "stem": (1, "single", "agrees"),
        "stem.*": (1, "single", "agrees"),
        "blocks": (0, "none", "agrees"),
        "blocks.*": (2, "chained", "agrees"),
        "head": (2, "parallel", "agrees"),
        "idle": (0, "none", "agrees"),
        "plain.*": (1, "single", "unknown"),
        "norms": (0, "none", "agrees"),
        "norms.*": (1, "single", "agrees"),
    }
    assert not rows["plain.*"]["registered"]
    assert (rows["norms.*"]["running_stats"], rows["blocks.*"]["type"]) == (True, "parts.Block")
    assert rows["head"]["sites"] == [NET.split("\n").index("        once, again = self.head(x), self.head(x * 2)") + 1]


def test_a_person_gets_a_table_of_each_class_and_a_function_may_build_the_model(run, model):
    model.write_text(BLOCK + "\n\ndef make(width):\n    return nn.Sequential(Block(width), Block(width))\n")
    answer = run("trace", f"{model}:make", "--input", "1x4x2x2", "--arg", "4", "--python", sys.executable, "--train")
    lines = answer.stdout.splitlines()
    assert lines[0].startswith("net.py:make --input 1x4x2x2 --arg 4 --train, one forward in torch ")
    assert lines[2] == "Block"
    assert lines[4].split() == ["conv", "1", "single", "10", "parameters", "agrees"]


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("Net", ["--arg", "4", "--input", "2x9x4x4", *INPUTS[2:]], "forward fails: RuntimeError: Given groups=1"),
        (
            "Net",
            INPUTS,
            "Net cannot be built: TypeError: Net.__init__() missing 1 required positional argument: 'width'",
        ),
        ("Nest", INPUTS, "net.py has no class Nest"),
        ("Net", ["--arg", "4", "--input", "wide"], "'wide' is no input: give a shape such as"),
        ("Net", ["--timeout", "0"], "net.py:Net was not traced: not done within 0 s"),
        ("Net", ["--python", "no-such-python"], "no-such-python: there is no such Python interpreter"),
    ],
)
def test_what_stands_in_the_way_of_a_trace_is_said_in_a_sentence(run, model, name, options, reason):
    interpreter = [] if "--python" in options else ["--python", sys.executable]
    answer = run("trace", f"{model}:{name}", *options, *interpreter)
    assert answer.exit_code  # click's own; `main` makes it 2
    assert reason in answer.stderr
    assert answer.stdout == ""


def test_code_that_cannot_be_imported_is_named_with_its_line(run, model):
    model.write_text("import torch\n\nraise SystemExit('no device')\n")
    answer = run("trace", f"{model}:Net", "--python", sys.executable)
    assert "net.py cannot be imported: SystemExit: no device (line 3)" in answer.stderr


@pytest.mark.parametrize("model", ["net.py", "net.py:", ":Net"])
def test_a_model_without_a_class_is_refused(run, model):
    answer = run("trace", model)
    assert (answer.exit_code, "FILE:CLASS" in answer.stderr) == (2, True)
