"""The probe against the installed torch, and against classes made to be hard."""

import ast
import copy
import importlib
import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

import nnreuse
from nnreuse.types.catalog import Catalog

torch = pytest.importorskip("torch", reason="torch is not installed: the probe has nothing to ask")
probe = importlib.import_module("nnreuse.probe")

PACKAGE = Path(nnreuse.__file__).parent
SHIPPED = PACKAGE / "types" / "torch_catalog.json"


@pytest.fixture(scope="module")
def printed() -> str:
    command = [sys.executable, "-I", str(PACKAGE / "probe.py")]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


def test_the_shipped_catalog_is_what_the_installed_torch_gives(printed: str):
    fresh, shipped = json.loads(printed), json.loads(SHIPPED.read_text("utf-8"))
    for table in ("classes", "functions", "keeping"):
        changed = [name for name in fresh[table] | shipped[table] if fresh[table].get(name) != shipped[table].get(name)]
        assert not changed, "run: python -I server/nnreuse/probe.py --write server/nnreuse/types/torch_catalog.json"
    assert fresh["torch"].split("+")[0] == shipped["torch"].split("+")[0]


def test_each_class_is_one_line_in_order(printed: str):
    lines = printed.splitlines()
    names = list(json.loads(printed)["classes"])
    assert names == sorted(names)
    assert all(sum(line.startswith(f'  "{name}": {{') for line in lines) == 1 for name in names)


def test_the_printed_document_is_a_catalog(printed: str):
    assert Catalog.from_json(printed).is_module("torch.nn.Linear")


def test_imports_are_the_standard_library_and_torch():
    tree = ast.parse((PACKAGE / "probe.py").read_text("utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "." for node in imports if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names | {"torch"}


def test_what_a_class_does_to_shapes_is_measured():
    assert facts(torch.nn.Linear)["shapes"] == ["... in_features -> ... out_features"]
    assert "a in_channels c d -> a out_channels ? ?" in facts(torch.nn.Conv2d)["shapes"]
    assert facts(torch.nn.Flatten)["shapes"] == [], "its arguments decide the rank"
    unchecked = [v["shapes"] for v in facts(torch.nn.BatchNorm2d)["variants"] if "shapes" in v]
    assert unchecked == [["a b c d -> a b c d"]], "without weights and statistics any width will do"


def test_functions_that_keep_a_shape_are_told_from_those_that_broadcast_or_change_it(printed: str):
    keeping = json.loads(printed)["keeping"]
    assert {"torch.relu", "torch.nn.functional.dropout", "torch.Tensor.softmax"} <= set(keeping["always"])
    assert {"torch.add", "torch.Tensor.mul", "torch.Tensor.to"} <= set(keeping["with_numbers"])
    changing = {
        "torch.squeeze",
        "torch.sum",
        "torch.nn.functional.max_pool2d",
        "torch.Tensor.expand",
        "torch.Tensor.view",
    }
    assert changing.isdisjoint(keeping["always"] + keeping["with_numbers"])


class Unbuildable(torch.nn.Module):
    def __init__(self):
        raise RuntimeError("needs a GPU")


class Unrunnable(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x):
        raise RuntimeError("needs a GPU")


class Counter(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(1))

    def forward(self, x):
        self.count += 1
        return x * self.count


class Noise(torch.nn.Module):
    def __init__(self, loud: bool = True, *, scale: float = 0.5, table={"not": "literal"}):  # noqa: B006
        super().__init__()
        self.loud, self.scale = loud, scale

    def forward(self, x):
        return x + self.scale * torch.randn_like(x) if self.loud else x


class Holder(torch.nn.Module):
    def __init__(self, module, norm=None):
        super().__init__()
        self.layers = torch.nn.ModuleList(copy.deepcopy(module) for _ in range(2))
        self.norm = norm


def facts(cls) -> dict:
    with probe.silence():
        return probe.describe(cls, [])


def carried(cls) -> list:
    return [facts(cls)[field] for field in probe.FIELDS if field != "shapes"]


def test_a_class_that_cannot_be_built_has_null_facts():
    assert carried(Unbuildable) == [None, None, None, None]


def test_a_class_that_cannot_be_run_leaves_unknown_what_running_would_tell():
    assert carried(Unrunnable) == [False, False, None, None]


def test_output_that_changes_with_a_buffer_is_state_not_chance():
    assert carried(Counter) == [False, False, False, True]


class Leftovers(torch.nn.Module):
    """Its output depends on what happens to stand in memory, as that of some quantized kernels does."""

    def __init__(self):
        super().__init__()
        self.runs = itertools.count()

    def forward(self, x):
        return x + next(self.runs)


def test_what_differs_under_one_seed_is_no_chance_either():
    assert facts(Leftovers)["stochastic"] is False


def test_the_argument_that_silences_chance_becomes_a_variant():
    assert facts(Noise)["stochastic"] is True
    quiet = [variant["when"] for variant in facts(Noise)["variants"] if variant["stochastic"] is False]
    assert quiet == [{"loud": False}, {"scale": False}]


def test_signatures_tell_required_literal_and_other_defaults_apart():
    assert facts(Noise)["signature"] == [
        {"name": "loud", "default": True},
        {"name": "scale", "default": 0.5, "kind": "keyword"},
        {"name": "table", "kind": "keyword", "nonliteral": True},
    ]


def test_a_copied_module_is_told_from_one_that_is_held_itself():
    assert (facts(Holder)["copies"], facts(Holder)["keeps"]) == (["module"], ["norm"])
    assert facts(Holder)["parameters"] is True
