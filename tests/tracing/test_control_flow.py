"""Branches, loops and the ways out of them: slips that random programs brought up, each in its smallest form."""

from pathlib import Path

import pytest
from test_tracer import net
from traced import HEADER, facts

from nnreuse.config.settings import Settings
from nnreuse.workspace.project import Project

A, AB = "self.a = nn.Linear(2, 2)", "self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)"
FLAG, FLAGS = ", flag=True", ", flag=True, gate=True"


def _row(init: str, forward: str, parameters: str = "", arguments: str = "x", attribute: str = "a"):
    row = facts(net(init, forward, parameters, arguments))[attribute]
    return row["calls"], row["relation"], row["must"]


@pytest.mark.parametrize("way", ["continue", "break"])
def test_what_follows_a_loop_that_was_left_early_happens_on_every_path(way: str) -> None:
    forward = f"for _ in range(3):\n    if self.flag:\n        {way}\n    x = x + 1\nreturn self.a(self.a(x))"
    assert _row(f"{A}\nself.flag = flag", forward, FLAG) == (2, "chained", True)


def test_what_stands_before_a_continue_happens_in_every_pass() -> None:
    forward = "for _ in range(3):\n    x = self.a(x)\n    if self.flag:\n        continue\n    x = x + 1\nreturn x"
    assert _row(f"{A}\nself.flag = flag", forward, FLAG) == (2, "chained", True)


@pytest.mark.parametrize("way", ["continue", "break"])
def test_a_value_assigned_before_leaving_a_pass_arrives_where_the_pass_leads(way: str) -> None:
    forward = f"for _ in range(1):\n    if self.flag:\n        x = self.a(x)\n        {way}\nreturn self.a(x)"
    assert _row(f"{A}\nself.flag = flag", forward, FLAG) == (2, "chained", False)


def test_an_else_of_a_loop_runs_only_where_nothing_broke() -> None:
    forward = "for _ in range(2):\n    if self.flag:\n        x = self.a(x)\n        break\nelse:\n    x = self.a(x)\nreturn x"
    assert _row(f"{A}\nself.flag = flag", forward, FLAG) == (1, "exclusive", False)


def test_a_loop_whose_arms_return_or_continue_goes_on() -> None:
    forward = "for _ in range(3):\n    x = self.a(x)\n    if self.flag:\n        return x\n    else:\n        continue\nreturn x"
    assert _row(f"{A}\nself.flag = flag", forward, FLAG) == (2, "chained", False)


def test_a_loop_that_returned_in_its_first_pass_has_no_second() -> None:
    forward = "for _ in range(3):\n    if self.flag:\n        return self.a(x)\nreturn x"
    assert _row(f"{A}\nself.flag = flag", forward, FLAG) == (1, "single", False)


def test_a_while_loop_that_counts_runs_as_often_as_its_test_holds() -> None:
    forward = "k = 0\nwhile k < 1:\n    k += 1\n    x = self.a(x)\nreturn x"
    assert _row(A, forward) == (1, "single", False)


@pytest.mark.parametrize(
    "forward",
    [
        "if self.flag:\n    if not self.flag:\n        x = self.a(x)\nreturn x",
        "if mode == 'a':\n    match mode:\n        case 'b':\n            x = self.a(x)\nreturn x",
        (
            "match mode:\n    case 'a':\n        return x\n    case 'b':\n        return x\n    case _:\n"
            "        if mode == 'a':\n            x = self.a(x)\nreturn x"
        ),
        "if mode != 'b':\n    return x\nif mode == 'a':\n    x = self.a(x)\nreturn x",
        "for i, t in enumerate([x]):\n    if i > 0:\n        x = self.a(x)\nreturn x",
    ],
)
def test_code_that_no_path_reaches_calls_nothing(forward: str) -> None:
    assert _row(f"{A}\nself.flag = flag", forward, FLAG, "x, mode='a'") == (0, "none", False)


def test_a_later_index_is_at_least_the_number_of_its_pass() -> None:
    forward = "for i in range(n):\n    if i < 1:\n        x = self.a(x)\nreturn x"
    assert _row(A, forward, arguments="x, n") == (1, "single", False)


def test_what_a_compound_test_stands_for_is_known_where_its_parts_are() -> None:
    init = f"{A}\nself.flag, self.gate = flag, gate\nif not flag:\n    self.b = nn.Linear(2, 2)"
    forward = (
        "for _ in range(2):\n    if not (self.flag and self.gate):\n        x = x if self.flag else self.b(x)\nreturn x"
    )
    assert _row(init, forward, FLAGS, attribute="b") == (2, "chained", True)


@pytest.mark.parametrize(
    ("forward", "relation"),
    [
        ("y = x\nif self.flag:\n    y = self.a(x)\nif not self.flag:\n    self.a(y), self.a(x)\nreturn y", "parallel"),
        ("y = x\nif self.flag:\n    y = self.a(x)\nif self.flag:\n    self.a(y)\nreturn y", "chained"),
        (
            "y = self.a(x) if self.flag else x\nself.a(x)\nz = self.b(y)\nif not self.flag:\n    self.a(z)\nreturn z",
            "parallel",
        ),
    ],
)
def test_a_call_depends_on_what_the_same_path_computed(forward: str, relation: str) -> None:
    assert _row(f"{AB}\nself.flag = flag", forward, FLAG)[1] == relation


def test_members_of_nested_sequentials_are_called_in_order() -> None:
    rows = facts(
        net("self.s = nn.Sequential(nn.Sequential(nn.ReLU(), nn.Linear(2, 2)), nn.ReLU())", "return self.s(self.s(x))")
    )
    assert {path: (row["calls"], row["relation"]) for path, row in rows.items()} == {
        "s": (2, "chained"),
        "s.*": (2, "chained"),
        "s.*.*": (2, "chained"),
    }


def test_a_copy_exists_where_it_was_made() -> None:
    init = f"{A}\nself.flag = flag\nimport copy\nself.b = copy.deepcopy(self.a) if flag else nn.ReLU()"
    forward = "if self.flag:\n    x = self.b(self.b(x))\nreturn x"
    assert _row(init, forward, FLAG, attribute="b") == (2, "chained", True)


def test_a_method_of_a_tensor_kept_on_self_is_no_module() -> None:
    assert set(facts(net(A, "self.kept = self.a(x)\nreturn self.kept.t()"))) == {"a"}


def test_lists_that_a_pass_chooses_by_its_number_share_no_element() -> None:
    init = (
        "self.one, self.two, self.three = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()\n"
        "for i in range(n):\n    layer = nn.Linear(2, 2)\n    if i == 0:\n        self.one.append(layer)\n"
        "    elif i == 1:\n        self.two.append(layer)\n    elif i == 2:\n        self.three.append(layer)"
    )
    forward = "return self.three[0](self.two[0](self.one[0](x)))"
    assert [_row(init, forward, ", n", attribute=f"{name}.*")[0] for name in ("one", "two", "three")] == [1, 1, 1]


def test_a_copy_of_a_conditional_module_is_another_module() -> None:
    init = (
        "self.a = nn.Linear(2, 2) if flag else nn.ReLU()\nself.b = nn.Sequential(self.a)\n"
        "import copy\nself.c = copy.deepcopy(self.b)"
    )
    forward = "return self.c(self.c(x))"
    assert _row(init, forward, FLAG, attribute="a")[0] == 0
    assert _row(init, forward, FLAG, attribute="c.*")[0] == 2


def test_an_element_of_a_list_of_several_kinds_is_of_unknown_class() -> None:
    project, path = Project(Settings()), Path("model.py").absolute()
    init = "self.m = nn.ModuleList([nn.Linear(2, 2), nn.ReLU()])"
    project.admit(path, HEADER + net(init, "return self.m[k](x)", arguments="x, k"))
    file = project.library.known(path)
    assert file is not None
    (trace,) = project.traces(file)
    assert [call.instance.type_name for call in trace.calls] == [None]


EARLY = """
def layers(flag):
    out = []
    if flag:
        out.append(nn.BatchNorm1d(2))
        return out
    {otherwise}
class Net(nn.Module):
    def __init__(self, flag):
        super().__init__()
        self.layers = nn.ModuleList(layers(flag))
    def forward(self, x):
        for layer in self.layers:
            x = layer(layer(x))
        return x
"""


@pytest.mark.parametrize("otherwise", ["out.append(nn.ReLU())\n    return out", "return [nn.ReLU()]"])
def test_what_is_appended_before_an_early_return_is_in_the_list(otherwise: str) -> None:
    row = facts(EARLY.format(otherwise=otherwise))["layers.*"]
    assert (row["type"], row["calls"]) == ("torch.nn.modules.batchnorm.BatchNorm1d", 2)


def test_a_list_made_where_every_arm_leaves_has_its_elements() -> None:
    made = "if flag:\n        raise ValueError\n    else:\n        return [nn.BatchNorm1d(2) for _ in range(2)]"
    row = facts(
        EARLY.replace("if flag:\n        out.append(nn.BatchNorm1d(2))\n        return out\n    {otherwise}", made)
    )
    assert (row["layers.*"]["type"], row["layers.*"]["calls"]) == ("torch.nn.modules.batchnorm.BatchNorm1d", 2)


def test_attributes_set_before_an_early_return_stay_set() -> None:
    build = """
class Net(nn.Module):
    def __init__(self, flag):
        super().__init__()
        self.build(flag)
    def build(self, flag):
        if flag:
            self.norm = nn.BatchNorm1d(2)
            return
        else:
            self.norm = nn.Identity()
            return
    def forward(self, x):
        return self.norm(self.norm(x))
"""
    row = facts(build)["norm"]
    assert (row["type"], row["calls"], row["relation"]) == ("torch.nn.modules.batchnorm.BatchNorm1d", 2, "chained")


@pytest.mark.parametrize(
    "made",
    ["self.a, nn.ReLU(), nn.Linear(2, 2)", "OrderedDict([('p', self.a), ('q', nn.ReLU()), ('r', nn.Linear(2, 2))])"],
)
def test_a_slice_of_a_sequential_calls_its_members(made: str) -> None:
    init = f"from collections import OrderedDict\n{A}\nself.s = nn.Sequential({made})"
    assert _row(init, "return self.a(self.s[:2](x))") == (2, "chained", True)
    assert _row(init, "return self.a(self.s[1:](x))") == (1, "single", False)
    assert _row(init, "return self.s[-2:](self.s[:-2](x))") == (1, "single", False)
