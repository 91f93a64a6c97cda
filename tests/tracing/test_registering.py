"""Module-level registries and factories: what statements and decorators put into them is found there."""

from pathlib import Path

import pytest
from traced import HEADER, facts

from nnreuse.config.settings import Settings
from nnreuse.workspace.project import Project

STORE = """
from collections import namedtuple
class Store:
    Entry = namedtuple("Entry", ("doc", "value"))
    def __init__(self, name):
        self.table = {}
    def add(self, name, doc, value):
        self.table[name] = self.Entry(doc, value)
    def function(self, name):
        def deco(func):
            self.add(name.upper(), "", func)
            return func
        return deco
    def __getitem__(self, args):
        if callable(args):
            return args
        name, *args = (args,) if isinstance(args, str) else args
        return self.table[name.upper()].value(*args)
    def __getattr__(self, key):
        if key in self.table:
            return key
        return super().__getattribute__(key)
STORE = Store("layers")
@STORE.function("conv")
def conv(dimensions):
    return (nn.Conv1d, nn.Conv2d, nn.Conv3d)[dimensions - 1]
STORE.add("BATCH", "", lambda x=None: nn.BatchNorm2d)
"""
TABLES = """
ACTS = {}
ACTS["prelu"] = nn.PReLU
ACTS.update(relu=nn.ReLU, tanh=nn.Tanh)
for name, cls in (("gelu", nn.GELU), ("silu", nn.SiLU)):
    ACTS[name] = cls
REGISTRY = {}
def register(name):
    def deco(cls):
        REGISTRY[name] = cls
        return cls
    return deco
@register("block")
class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(width, width)
    def forward(self, x):
        return self.linear(x)
"""


def net(expression: str) -> str:
    return f"""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = {expression}
    def forward(self, x):
        return self.part(x)
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("STORE[STORE.CONV, 2](3, 3, 3)", "torch.nn.modules.conv.Conv2d"),
        ('STORE["conv", 3](3, 3, 3)', "torch.nn.modules.conv.Conv3d"),
        ('STORE["batch"](3)', "torch.nn.modules.batchnorm.BatchNorm2d"),
        ("STORE[nn.ReLU]()", "torch.nn.modules.activation.ReLU"),
    ],
)
def test_an_object_that_decorators_fill_gives_what_they_put_there(expression: str, expected: str) -> None:
    assert facts(STORE + net(expression))["part"]["type"] == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('ACTS["prelu"]()', "torch.nn.modules.activation.PReLU"),
        ('ACTS["tanh"]()', "torch.nn.modules.activation.Tanh"),
        ('ACTS["gelu"]()', "torch.nn.modules.activation.GELU"),
        ('REGISTRY["block"](3)', "model.Block"),
    ],
)
def test_a_dict_holds_what_later_statements_put_there(expression: str, expected: str) -> None:
    assert facts(TABLES + net(expression))["part"]["type"] == expected


def test_what_a_lambda_of_the_store_makes_carries_what_it_carries() -> None:
    row = facts(STORE + net('STORE["batch"](3)'))["part"]
    assert (row["parameters"], row["running_stats"]) == (True, True)


def test_a_registry_that_its_own_file_leaves_empty_is_filled_by_the_files_of_its_package(tmp_path: Path) -> None:
    package = tmp_path / "zoo"
    (package / "parts").mkdir(parents=True)
    (package / "registry.py").write_text(
        "class Registry:\n"
        "    def __init__(self):\n        self.known = dict()\n"
        "    def register(self, name=None):\n"
        "        def deco(cls):\n            self.known[name or cls.__name__] = cls\n            return cls\n"
        "        return deco\n"
        "    def get(self, name):\n        return self.known[name]\n"
        "    def build(self, type, **kwargs):\n        return self.get(type)(**kwargs)\n"
        "BLOCKS = Registry()\n"
    )
    (package / "__init__.py").write_text("from .parts import *\nfrom .model import Net\n")
    (package / "parts" / "__init__.py").write_text("from .block import Block\n")
    (package / "parts" / "block.py").write_text(
        HEADER + "from ..registry import BLOCKS\n@BLOCKS.register()\nclass Block(nn.Module):\n"
        "    def __init__(self, width):\n        super().__init__()\n        self.norm = nn.BatchNorm1d(width)\n"
        "    def forward(self, x):\n        return self.norm(x)\n"
    )
    model = package / "model.py"
    model.write_text(HEADER + "from .registry import BLOCKS\n" + net('BLOCKS.build(type="Block", width=3)'))
    project = Project(Settings())
    project.admit(model, model.read_text())
    row = project.facts(model)[0]
    assert (row["type"], row["running_stats"]) == ("zoo.parts.block.Block", True)


def test_what_a_table_is_filled_with_under_a_condition_is_not_taken_for_sure() -> None:
    text = "TABLE = {}\nif torch.cuda.is_available():\n    TABLE['a'] = nn.ReLU\nelse:\n    TABLE['a'] = nn.PReLU\n"
    row = facts(text + net('TABLE["a"]()'))["part"]
    assert row["calls"] == 1
    assert row["must"] is False


def test_a_table_that_takes_too_long_to_fill_keeps_the_rest_unknown() -> None:
    text = "TABLE = {}\ndef slow(name):\n    for i in range(10):\n        for j in range(10):\n            x = (i + j) * (i - j)\n"
    text += "".join(f"    x{n} = [i for i in range(10)]\n" for n in range(20)) + "    TABLE[name] = nn.ReLU\n"
    text += "slow('a')\nTABLE['b'] = nn.PReLU\n"
    assert facts(text + net('TABLE["b"]()'))["part"]["type"] == "torch.nn.modules.activation.PReLU"


def test_a_table_that_fills_itself_by_reading_itself_is_no_trouble() -> None:
    text = "TABLE = {}\ndef add(name):\n    TABLE[name] = TABLE.get(name, nn.ReLU)\n    add(name)\nadd('a')\n"
    assert facts(text + net('TABLE["a"]()'))["part"]["calls"] == 1


@pytest.mark.parametrize("text", ["for part in 'AB':\n            self.add_module(part, nn.ReLU())"])
def test_a_loop_over_a_text_takes_its_characters(text: str) -> None:
    body = f"class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        {text}\n    def forward(self, x):\n"
    assert {"A", "B"} <= set(facts(body + "        return self.B(self.A(x))\n"))
