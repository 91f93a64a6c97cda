"""What a module costs that is called very often: `python tests/bench/many_calls.py`. Prints, and asserts nothing.

One norm is called 20, 40, 80 and 160 times; processor time of `check --output-format full`, in this process, the best of three.
"""

import contextlib
import io
import tempfile
import time
from pathlib import Path

from click.testing import CliRunner

from nnreuse.cli.main import nnreuse


def network(calls: int) -> str:
    """A class whose one norm stands behind each layer."""
    layers = [f"        self.fc{number} = nn.Linear(8, 8)" for number in range(calls)]
    passes = [f"        x = self.norm(self.fc{number}(x))" for number in range(calls)]
    head = [
        "import torch.nn as nn",
        "",
        "",
        "class Net(nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
    ]
    made = [*head, *layers, "        self.norm = nn.LayerNorm(8)", "", "    def forward(self, x):", *passes]
    return "\n".join([*made, "        return x", ""])


def seconds(calls: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.py"
        file.write_text(network(calls), encoding="utf-8")
        began = time.process_time()
        with contextlib.redirect_stdout(io.StringIO()):
            result = CliRunner().invoke(nnreuse, ["check", str(file)])
        assert result.exit_code == 1 and "1 finding in 1 file, 1 with a fix" in result.output, result.output[-200:]
        return time.process_time() - began


if __name__ == "__main__":
    seconds(2)  # what is imported, and read once
    for calls in (20, 40, 80, 160):
        taken = min(seconds(calls) for _ in range(3))
        print(f"{calls:>4} calls: {taken:.2f} s, {1000 * taken / calls:.1f} ms each")
