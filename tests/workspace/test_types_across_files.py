"""What a module is, where its class comes from another file: one test for each way in which code says so."""

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from nnreuse.config.settings import Settings
from nnreuse.workspace.environment import Environment
from nnreuse.workspace.project import Project

LIBRARY = {
    "installed/__init__.py": "from .layers import Block as Renamed, make_block\nfrom .layers import *\nfrom . import layers\n",
    "installed/layers.py": """
        from torch import nn

        __all__ = ["Block", "Stem"]

        class Block(nn.Module):
            def __init__(self, width=4, norm_layer=nn.BatchNorm1d):
                super().__init__()
                self.fc = nn.Linear(width, width)
                self.norm = norm_layer(width)

            @classmethod
            def build(cls, config):
                return cls(config.width)

            @staticmethod
            def plain(width):
                return Block(width, nn.Identity)

            def forward(self, x):
                return self.norm(self.fc(x))

        class Stem(Block):
            pass

        def make_block(width):
            block = Block(width)
            return block

        def get_norm(kind, width):
            if kind == "bn":
                return nn.BatchNorm1d(width)
            if kind == "ln":
                return nn.LayerNorm(width)
            return nn.Identity()

        def get_batch_norm(rank, width):
            if rank == 1:
                return nn.BatchNorm1d(width)
            return nn.BatchNorm2d(width)

        ACT2FN = {"relu": nn.ReLU, "gelu": nn.GELU}
        ACT2PARAMETERS = {"prelu": nn.PReLU}
        MADE = {"relu": nn.ReLU(), "prelu": nn.PReLU()}
        """,
    "project/__init__.py": "",
    "project/base.py": """
        from torch import nn

        class Base(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.fc = nn.Linear(width, width)
        """,
}
NET = """
import torch
from torch import nn
from functools import partial
from installed import *
import installed
from installed import Renamed, make_block, layers
from installed.layers import ACT2FN, ACT2PARAMETERS, MADE, get_norm, get_batch_norm
from .base import Base

class Net(nn.Module):
    def __init__(self, config, norm_layer=nn.LayerNorm, kind: type[nn.Module] = nn.BatchNorm1d, act: type[nn.Module] = nn.ReLU):
        super().__init__()
        self.it = {made}

    def forward(self, x):
        return self.it(x)

class Own(Base):
    def forward(self, x):
        return self.fc(x)
"""


def written(folder: Path) -> tuple[Project, Path]:
    for name, text in LIBRARY.items():
        file = folder / ("site" if name.startswith("installed") else "src") / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
    environment = Environment(Path(sys.executable), (folder / "site",), False)
    return Project(Settings(), environment), folder / "src" / "project" / "net.py"


def seen(folder: Path, made: str, cls: str = "Net", attribute: str = "it") -> tuple[object, object, object]:
    """The type of an attribute, whether it has parameters, and whether running statistics."""
    project, path = written(folder)
    project.admit(path, NET.replace("{made}", made))
    row = next(row for row in project.facts(path) if (row["class"], row["attribute"]) == (cls, attribute))
    return row["type"], row["parameters"], row["running_stats"]


BLOCK = ("installed.layers.Block", True, True)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("layers.Block(4)", BLOCK),
        ("installed.layers.Block(4)", BLOCK),
        ("Renamed(4)", BLOCK),
        ("Block(4)", BLOCK),
        ("Stem(4)", ("installed.layers.Stem", True, True)),
        ("make_block(4)", BLOCK),
        ("Block.build(config)", BLOCK),
        ("Stem.build(config)", ("installed.layers.Stem", True, True)),
        ("Block.plain(4)", ("installed.layers.Block", True, False)),
        ("Block(4, nn.LayerNorm)", ("installed.layers.Block", True, False)),
        ("Block(4, norm_layer=partial(nn.BatchNorm1d, affine=False))", BLOCK),
        ("partial(Block, norm_layer=nn.Identity)(4)", ("installed.layers.Block", True, False)),
        ("partial(nn.BatchNorm1d, affine=False)(4)", ("torch.nn.modules.batchnorm.BatchNorm1d", False, True)),
        ("norm_layer(4)", ("torch.nn.modules.normalization.LayerNorm", True, False)),
        ("kind(4)", ("torch.nn.modules.batchnorm.BatchNorm1d", True, True)),
        ("act()", ("torch.nn.modules.activation.ReLU", False, False)),
        ('ACT2FN["gelu"]()', ("torch.nn.modules.activation.GELU", False, False)),
        ('MADE["prelu"]', ("torch.nn.modules.activation.PReLU", True, False)),
        ("ACT2PARAMETERS[config.act]()", ("torch.nn.modules.activation.PReLU", True, False)),
        ('get_norm("bn", 4)', ("torch.nn.modules.batchnorm.BatchNorm1d", True, True)),
    ],
)
def test_the_class_is_found_wherever_it_is_said(tmp_path: Path, made: str, expected: tuple[object, ...]):
    assert seen(tmp_path, made) == expected


@pytest.mark.parametrize(
    ("made", "carried"),
    [
        ("ACT2FN[config.act]()", (False, False)),
        ("MADE[config.act]", (None, None)),
        ("get_norm(config.norm, 4)", (None, None)),
        ("get_batch_norm(config.rank, 4)", (True, True)),
    ],
)
def test_of_several_possibilities_only_what_all_agree_on_is_said(
    tmp_path: Path, made: str, carried: tuple[bool | None, ...]
):
    project, path = written(tmp_path)
    text = NET.replace("{made}", made)
    file = project.file(path, project.index(path, text))
    trace = next(one for one in project.traces(file) if one.cls.name == "Net")
    several = [trace.carries(instance) for instance in trace.held["it"]]
    said = [{getattr(one, field) for one in several} for field in ("parameters", "running_stats")]
    assert tuple(one.pop() if len(one) == 1 else None for one in said) == carried


def test_a_base_of_another_file_brings_its_modules(tmp_path: Path):
    assert seen(tmp_path, "Block(4)", "Own", "fc") == ("torch.nn.modules.linear.Linear", True, False)
