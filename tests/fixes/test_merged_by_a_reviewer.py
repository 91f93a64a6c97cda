"""Fixes that a reviewer merges: the whole repair of a model, as `check --unsafe-fixes` makes it, and torch runs the result."""

from pathlib import Path
from typing import Any

import pytest
from repairing import model

from nnreuse.cli.repair import repaired
from nnreuse.config.settings import Settings
from nnreuse.workspace import neighbours
from nnreuse.workspace.project import Project


def mended(text: str) -> str:
    """What `check --unsafe-fixes` leaves of a text."""
    return repaired(Project(Settings()), Path("model.py"), text, Settings(), ["safe", "unsafe"]).text


def built(text: str, expression: str) -> Any:
    """A model of a text, built by torch."""
    scope: dict[str, Any] = {}
    exec(text, scope)
    return eval(expression, scope)  # noqa: S307


def run(text: str, expression: str, *shapes: tuple[int, ...]) -> Any:
    """A model of a text after it has run once."""
    torch = pytest.importorskip("torch")
    made = built(text, expression)
    made(*(torch.randn(shape) for shape in shapes))
    return made


LEVELS = """
class Pyramid(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.stem = nn.Conv2d(1, n, 3, padding=1)
        self.{a}2 = self.block(n, n)
        self.widen = nn.Conv2d(n, n * 2, 3, padding=1)
        self.{a}3 = self.block(n * 2, n * 2)

    def block(self, i, o):
        return nn.Sequential(nn.ReLU(), nn.Conv2d(i, o, 3, padding=1))

    def forward(self, x):
        x = self.stem(x)
        kept = x
        x = self.{a}2(x)
        x = self.drop(x)
        x = self.{a}2(x) + kept
        x = self.widen(x)
        kept = x
        x = self.{a}3(x)
        x = self.drop(x)
        return self.{a}3(x) + kept
"""


@pytest.mark.parametrize("name", ["conv_c", "level", "stage_", "block"])
def test_two_levels_of_one_helper_are_split_under_names_of_their_own(name: str):
    text = mended(model(LEVELS.format(a=name)))
    made = run(text, "Pyramid(4)", (1, 1, 8, 8))
    assert {f"{name}2", f"{name}2_2", f"{name}3", f"{name}3_2"} <= dict(made.named_children()).keys()
    assert text.count("self.block(n, n)") == text.count("self.block(n * 2, n * 2)") == 2


def test_two_fixes_of_a_class_and_its_heir_do_not_take_one_name():
    text = mended(
        model("""
        class Base(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.fc = nn.Linear(d, d)
                self.out = nn.Linear(d, d)
                self.bn = nn.BatchNorm1d(d)

            def forward(self, x):
                return self.bn(self.out(self.bn(self.fc(x)).relu()))


        class Heir(Base):
            def __init__(self, d):
                super().__init__(d)
                self.last = nn.Linear(d, 2 * d)
                self.more = nn.Linear(2 * d, 2 * d)
                self.bn_wide = nn.BatchNorm1d(2 * d)

            def forward(self, x):
                x = self.bn_wide(self.last(super().forward(x))).relu()
                return self.bn_wide(self.more(x))
        """)
    )
    children = dict(run(text, "Heir(4)", (3, 4)).named_children())
    assert {"bn", "bn2", "bn_wide", "bn_wide2"} <= children.keys()


def test_a_number_that_counts_goes_on_and_one_that_names_a_level_does_not():
    counted = model("""
        class Layer(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.attn, self.cross, self.mlp = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)
                self.norm1 = nn.LayerNorm(d)
                self.norm2 = nn.LayerNorm(d)

            def forward(self, x):
                x = self.norm1(self.attn(x)).relu()
                x = self.norm2(self.cross(x)).relu()
                return self.norm2(self.mlp(x))
        """)
    assert "self.norm3 = nn.LayerNorm(d)" in mended(counted)
    levels = counted.replace("self.norm1 = nn.LayerNorm(d)", "self.norm1 = nn.LayerNorm(d, eps=1e-6)")
    assert "self.norm2_2 = nn.LayerNorm(d)" in mended(levels)


@pytest.mark.parametrize("name", ["Module", "Sequential", "Linear"])
def test_a_class_named_like_one_of_torch_is_not_the_base_of_all_that_inherit_from_that(name: str, tmp_path: Path):
    body = f"""
        class {name}(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.c1 = nn.Conv2d(d, d, 1)
                self.c2 = nn.Conv2d(d, d, 1)
                self.bn = nn.BatchNorm2d(d)

            def forward(self, x):
                return self.bn(self.c2(self.bn(self.c1(x)).relu()))
        """
    other = f"""
        class Other(nn.{name}):
            def __init__(self, d):
                super().__init__()
                self.bn = nn.BatchNorm2d(d)
        """
    assert "self.bn2 = " in mended(model(body) + model(other))
    (tmp_path / ".git").mkdir()
    (tmp_path / "one.py").write_text(model(body))
    (tmp_path / "two.py").write_text(model(other))
    engine = Project(Settings())
    assert "self.bn2 = " in repaired(engine, tmp_path / "one.py", model(body), Settings(), ["unsafe"]).text
    heir = f"from one import {name}\n\n\nclass Other({name}):\n    def __init__(self):\n        self.bn = None\n"
    (tmp_path / "three.py").write_text(heir)
    neighbours._folder.cache_clear()
    assert "self.bn2 = " not in repaired(engine, tmp_path / "one.py", model(body), Settings(), ["unsafe"]).text


@pytest.mark.parametrize(
    ("imports", "annotation", "written"),
    [
        ("", "nn.Module", "act: nn.Module = None"),
        ("from __future__ import annotations", "nn.Module", "act: nn.Module | None = None"),
        ("from typing import Optional", "nn.Module", "act: Optional[nn.Module] = None"),
        ("from typing import Optional as Opt", "nn.Module", "act: Opt[nn.Module] = None"),
        ("import typing", "nn.Module", "act: typing.Optional[nn.Module] = None"),
        ("import typing as t", "nn.Module", "act: t.Optional[nn.Module] = None"),
        ("def f(x: int | None): ...", "nn.Module", "act: nn.Module | None = None"),
        ("from typing import List", "nn.Module", "act: nn.Module = None"),
        ("", "'nn.Module'", "act: 'nn.Module' = None"),
        ("", "nn.PReLU | nn.ReLU", "act: nn.PReLU | nn.ReLU | None = None"),
    ],
)
def test_an_annotation_is_written_so_that_the_file_still_runs(imports: str, annotation: str, written: str):
    body = f"""
        class Encoder(nn.Module):
            def __init__(self, dim: int, act: {annotation} = nn.PReLU()):
                super().__init__()
                self.fc = nn.Linear(dim, dim)
                self.act = act

            def forward(self, x):
                return self.act(self.fc(x))
        """
    text = mended(f"{imports}\n{model(body)}")
    assert written in text
    run(text, "Encoder(3)", (2, 3))
