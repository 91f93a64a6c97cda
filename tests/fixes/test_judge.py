"""The judge over real classes: what it plants, and two classes where the source is installed; `make judge` runs them all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fixing import block
from judge.planting import slips

FOLDER = Path(__file__).parents[2] / "build" / "bench-data"
TWINS = block("""
    class Net(nn.Module):
        def __init__(self):
            self.norm1 = nn.LayerNorm(8)
            self.fc = nn.Linear(8, 8)
            self.norm2 = nn.LayerNorm(8)
            self.layers = nn.ModuleList([Block(8) for _ in range(n - 1)])

        def forward(self, x):
            x = self.fc(self.norm1(x))
            return self.norm2(x)
""")


def test_slips_are_planted_in_the_text_as_people_make_them() -> None:
    merged, mistyped, multiplied = slips(TWINS)
    called = TWINS.replace("return self.norm2", "return self.norm1")
    assert (mistyped.kind, mistyped.text) == ("typo", called)
    assert merged.text == called.replace("        self.norm2 = nn.LayerNorm(8)\n", "")
    assert multiplied.text == TWINS.replace("[Block(8) for _ in range(n - 1)]", "[Block(8)] * (n - 1)")


@pytest.mark.skipif(not (FOLDER / "timm").is_dir(), reason="the libraries' source is not installed")
def test_torch_finds_the_fixes_of_real_classes_right() -> None:
    judge = Path(__file__).parent / "judge_real_classes.py"
    command = [sys.executable, str(judge), str(FOLDER), "--only", "torchvision/models/resnet", "--at-least", "2"]
    path = os.pathsep.join([str(Path(__file__).parents[2] / "server"), str(Path(__file__).parent)])
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stdout + done.stderr
