"""Fixes that a reviewer merges: the whole repair of a model, as `check --unsafe-fixes` makes it, and torch runs the result."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from repairing import fixes, model

from nnreuse.cli.main import nnreuse
from nnreuse.cli.repair import repaired
from nnreuse.config.settings import Settings
from nnreuse.fixes.fix import unfixed
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


def reasons(text: str) -> list[str | None]:
    """Why each finding of a text has no fix; None for one that has."""
    analysis = Project(Settings()).check(Path("model.py"), text)
    return [unfixed(finding.fixes, analysis.index) for finding in analysis.findings]


FUSION = """
class Fusion(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.first = nn.Linear(d, d)
        self.second = nn.Linear(d, d)
        self.last = nn.Linear(d, d)

    def forward(self, x):
        y = torch.tanh(self.first(x))
        {dead}
        z = torch.tanh(self.second(y))
        return z, self.last(z)
"""


@pytest.mark.parametrize(
    "dead",
    [
        "unused = self.second(y)",
        "unused = torch.tanh(self.second(y)).relu()",
        "self.second(y)",
        "z = self.second(y)",
        "z = self.second(self.first(y))",
        "a = b = self.second(y)",
        "unused: torch.Tensor = self.second(y)",
    ],
)
def test_a_call_that_nothing_reads_is_deleted(dead: str):
    text = mended(model(FUSION.format(dead=dead)))
    assert f"\n        {dead}\n" not in text
    assert text.count("nn.Linear(d, d)") == 3
    run(text, "Fusion(3)", (2, 3))


@pytest.mark.parametrize(
    "alive",
    ["y = self.second(y)", "log = print(self.second(y))", "self.kept = self.second(y)", "w = self.second(y); locals()"],
)
def test_a_call_that_something_may_read_stays(alive: str):
    assert "self.second(y)" in mended(model(FUSION.format(dead=alive))).split("z =")[0]


TWO = """
class Layer(nn.Module):
    def __init__(self, i, o, kinds):
        super().__init__()
        self.weight = nn.Linear(i, o)

{first}

{second}

    def forward(self, x, kind):
        return self.weight(x) + self.each[kind](x)
"""
EACH = "self.each = nn.ModuleDict(\n            {{kind: nn.Linear(i, {0}) for kind in kinds}}\n        )"


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        ("# Of each kind.\n        " + EACH.format("o"), EACH.format("o"), "# Of each kind.\n        self.each"),
        (EACH.format("o"), "# Of each kind.\n        " + EACH.format("o"), "# Of each kind.\n        self.each"),
        (EACH.format("o"), EACH.format("o"), "\n        self.each"),
        (EACH.format("7"), "# Of each kind.\n        " + EACH.format("o"), "# Of each kind.\n        self.each"),
    ],
)
def test_of_two_equal_definitions_the_one_without_the_comment_goes(first: str, second: str, left: str):
    text = mended(model(TWO.format(first="        " + first, second="        " + second)))
    assert text.count("self.each = ") == 1
    assert left in text
    assert "\n\n\n    def" not in text and "{kind: nn.Linear(i, o)" in text


def test_what_the_second_definition_reads_has_changed_so_the_first_one_goes():
    text = mended(
        model(TWO.format(first="        " + EACH.format("o"), second="        o = 1\n        " + EACH.format("o")))
    )
    assert text.index("o = 1") < text.index("self.each = ")


def test_everything_that_forward_makes_is_moved():
    text = mended(
        model("""
        class Attention(nn.Module):
            def __init__(self, dim):
                super().__init__()
                self.dim = dim
                self.w = nn.Linear(dim, dim)

            def forward(self, x):
                x = nn.Linear(self.dim, self.dim)(self.w(x))
                x = nn.LayerNorm(self.dim)(x)
                x = nn.LayerNorm(x.shape[-1])(x)
                return nn.Dropout(0.1)(x)
        """)
    )
    made = run(text, "Attention(3)", (2, 3))
    assert {"w", "linear", "layernorm"} == dict(made.named_children()).keys()
    assert "nn.LayerNorm(x.shape[-1])" in text  # its size is known to forward alone


HEADS = """
class Heads(nn.Module):
    def __init__(self, {parameters}):
        super().__init__()
        self.heads = {{}}
        for {target} in {source}:
            self.heads[{key}] = nn.Linear(4, 4)

    def forward(self, x):
        return [head(x) for head in self.heads.values()]
"""


@pytest.mark.parametrize(
    ("parameters", "target", "source", "key", "given"),
    [
        ("names", "name", "names", "name", "['a', 'b']"),
        ("tasks: list[str]", "one", "tasks", "one", "['a', 'b']"),
        ("n", "i", "range(n)", "f'head{i}'", "2"),
        ("n", "i", "range(n)", "str(i)", "2"),
        ("sizes: dict[str, int]", "one, size", "sizes.items()", "one", "{'a': 1}"),
        ("n", "x", "('p', 'q')", "x", "2"),
        ("n", "i, name", "enumerate(['p', 'q'])", "name + '_head'", "2"),
    ],
)
def test_a_dict_that_is_filled_by_texts_becomes_a_module_dict(
    parameters: str, target: str, source: str, key: str, given: str
):
    text = mended(model(HEADS.format(parameters=parameters, target=target, source=source, key=key)))
    assert "self.heads = nn.ModuleDict()" in text
    assert list(run(text, f"Heads({given})", (2, 4)).parameters())


@pytest.mark.parametrize(
    ("target", "source", "key"),
    [
        ("key", "names", "(key, 1)"),
        ("key", "range(3)", "key"),
        ("name", "enumerate(names)", "name"),
        ("i, name", "enumerate(names)", "i"),
        ("key", "itertools.product(names, names)", "key"),
        ("key", "names", "key[0]"),
        ("k", "names", "k"),
    ],
)
def test_a_dict_whose_keys_may_be_no_texts_is_left_with_a_reason(target: str, source: str, key: str):
    text = model(HEADS.format(parameters="names", target=target, source=source, key=key))
    assert "self.heads = {}" in mended(text)
    assert "takes only texts as keys" in " ".join(filter(None, reasons(text)))


@pytest.mark.parametrize("made", ["self.make(n)", "make(n)", "[nn.Linear(4, 4)] + self.make(n)", "list(self.make(n))"])
def test_what_a_method_lists_becomes_a_module_list(made: str):
    text = mended(
        model(f"""
        def make(n):
            return [nn.Linear(4, 4) for _ in range(n)]


        class Deep(nn.Module):
            def __init__(self, n):
                super().__init__()
                self.layers = {made}

            def make(self, n):
                out = []
                for _ in range(n):
                    out.append(nn.Linear(4, 4))
                return out

            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return x
        """)
    )
    assert f"self.layers = nn.ModuleList({made})" in text
    assert len(list(run(text, "Deep(2)", (2, 4)).parameters())) >= 4


ATTENTION = """
class Unit(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.body = nn.Sequential(nn.BatchNorm1d(dim), nn.ReLU(), nn.Linear(dim, dim))

    def forward(self, x):
        return x + self.body(x)


class Attention(nn.Module):
    def __init__(self, dim, r=1, extra=False):
        super().__init__()
        self.down1 = self._make(dim, r)
        self.down2 = self._make(dim, r)
        {idle}

    def _make(self, dim, count):
        return nn.Sequential(*[Unit(dim) for _ in range(count)])

    def forward(self, x):
        y = self.down1(x)
        {local} = self.down2(y)
        y = self.down2({local} + x)
        return y * {local}
"""


@pytest.mark.parametrize("name", ["shortcut", "gate", "down3"])
def test_an_idle_module_with_the_name_of_the_result_is_called(name: str):
    text = mended(model(ATTENTION.format(idle=f"self.{name} = Unit(dim)", local=name)))
    assert f"{name} = self.{name}(y)" in text
    assert text.count("self._make(dim, r)") == 2
    run(text, "Attention(4)", (2, 4))


@pytest.mark.parametrize(
    "idle",
    [
        "self.shortcut = nn.BatchNorm1d(dim)",
        "self.shortcut = nn.ReLU()",
        "self.shortcut = 3",
        "if extra:\n            self.shortcut = Unit(dim)",
        "self.shortcut = Unit(dim)\n        self.kept = [self.shortcut]",
    ],
)
def test_what_is_of_another_kind_under_a_flag_or_used_elsewhere_is_not_called(idle: str):
    text = mended(model(ATTENTION.format(idle=idle, local="shortcut")))
    assert "self.shortcut(" not in text
    run(text, "Attention(4)", (2, 4))


CONFIGURATIONS = """
class Views(nn.Module):
    def __init__(self, kind=2):
        super().__init__()
        self.kind = kind
        if self.kind == 2:
            self.view1 = nn.Linear(4, 4)
            {idle}
        if self.kind == 3:
            self.view1 = nn.Linear(4, 4)
            self.view2 = nn.Linear(4, 4)

    def forward(self, x):
        if self.kind == 2:
            a = self.view1(x[:, 0])
            b = self.view1(x[:, 1])
            return a + b.relu()
        elif self.kind == 3:
            return self.view1(x[:, 0]) + self.view2(x[:, 1])
"""


def test_a_twin_that_is_idle_in_this_configuration_is_called():
    body = model(CONFIGURATIONS.format(idle="self.view2 = nn.Linear(4, 4)"))
    found = Project(Settings()).check(Path("model.py"), body).findings
    assert [one.rule for one in found if one.severity.value == "warning"] == ["unused-twin"]
    offered = fixes(body)
    title, text = next(iter(offered.items()))
    assert title.startswith("Call `self.view2`") and text is not None
    assert "b = self.view2(x[:, 1])" in text and "view3" not in text
    run(text, "Views(2)", (1, 2, 4))
    run(text, "Views(3)", (1, 2, 4))


def test_a_twin_that_another_configuration_has_is_not_called():
    offered = fixes(model(CONFIGURATIONS.format(idle="pass")))
    assert offered and not any(text and "b = self.view2(" in text for text in offered.values())


LOOP = """
class Net(nn.Module):
    def __init__(self, i, dim, n):
        super().__init__()
        {before}
        self.depth = n
        self.first = nn.Linear(i, dim)
        self.layers = nn.ModuleList([nn.Linear(dim, dim) for _ in range(n)])
        {after}

    def forward(self, x):
        x = self.norm(self.first(x)).relu()
        {loop}
        return x
"""


@pytest.mark.parametrize(
    ("loop", "written"),
    [
        (
            "for layer in self.layers:\n            x = self.norm(layer(x))",
            "for layer, norm in zip(self.layers, self.norms):",
        ),
        ("for i, layer in enumerate(self.layers):\n            x = self.norm(layer(x))", "x = self.norms[i](layer(x))"),
        (
            "for i in range(self.depth):\n            x = self.norm(self.layers[i](x))",
            "x = self.norms[i](self.layers[i](x))",
        ),
        (
            "for i in range(len(self.layers)):\n            x = self.layers[i](x)\n            x = self.norm(x)",
            "x = self.norms[i](x)",
        ),
    ],
)
@pytest.mark.parametrize("stands", ["before", "after"])
@pytest.mark.parametrize("made", ["nn.LayerNorm(dim)", "nn.BatchNorm1d(dim)"])
def test_a_second_call_in_a_loop_over_layers_gets_a_list(loop: str, written: str, stands: str, made: str):
    places = {"before": "pass", "after": "pass"} | {stands: f"self.norm = {made}"}
    text = mended(model(LOOP.format(loop=loop, **places)))
    assert written in text
    assert "x = self.norm(self.first(x)).relu()" in text
    children = dict(run(text, "Net(2, 4, 3)", (5, 2)).named_children())
    assert {"norm", "norms"} <= children.keys() and len(children["norms"]) == 3


def test_a_loop_over_steps_gets_no_list():
    loop = "for _ in range(self.depth):\n            x = self.norm(self.layers[0](x))"
    assert "self.norms" not in mended(
        model(LOOP.format(loop=loop, before="pass", after="self.norm = nn.LayerNorm(dim)"))
    )


@pytest.mark.parametrize(
    ("init", "forward"),
    [
        ("self.a = nn.Linear(4, 4)\n        self.b = self.a", "return self.a(self.b(x))"),
        (
            "self.body = nn.Linear(4, 4)\n        self.m = nn.ModuleList([self.body, self.body])",
            "return self.m[1](self.m[0](x))",
        ),
        ("self.m = nn.ModuleList([self.make() for _ in range(3)])", "return self.m[0](self.m[0](x))"),
        ("self.m = {0: nn.Linear(4, 4)}", "return self.m[0](x)"),
        ("self.m = nn.Linear(4, 4)", "f = self.m\n        return f(f(x))"),
        ("self.a = nn.Linear(4, 4)", "return x + self.make()(x)"),
    ],
)
def test_every_finding_has_a_fix_or_a_reason(init: str, forward: str, tmp_path: Path):
    file = tmp_path / "model.py"
    body = f"""
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                {init.replace(chr(10), chr(10) + 8 * " ")}

            def make(self):
                return nn.Linear(4, 4)

            def forward(self, x):
                {forward.replace(chr(10), chr(10) + 8 * " ")}
        """
    file.write_text(model(body))
    asked = ["check", "--output-format", "json", "--min-severity", "hint", str(file)]
    found = json.loads(CliRunner().invoke(nnreuse, asked).stdout)
    assert found and all(one["fix"] or one["unfixed"] for one in found)
