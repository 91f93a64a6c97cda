"""What the static tracer sees of constructors and forwards, construct by construct."""

import textwrap
from pathlib import Path

import pytest
from torch import nn
from traced import HEADER, calls, facts

from nnreuse.config.settings import Settings
from nnreuse.tracing import construction
from nnreuse.tracing.calls import MODULE_METHODS
from nnreuse.tracing.machine import Machine
from nnreuse.tracing.values import Instance, Value
from nnreuse.workspace.project import Project


def net(init: str, forward: str, parameters: str = "", arguments: str = "x") -> str:
    def body(text: str) -> str:
        return "\n".join("        " + line for line in text.strip().splitlines())

    return (
        f"class Net(nn.Module):\n    def __init__(self{parameters}):\n        super().__init__()\n{body(init)}\n"
        f"    def forward(self, {arguments}):\n{body(forward)}\n"
    )


def test_two_calls_in_a_chain_are_two_calls_on_every_path() -> None:
    row = facts(net("self.a = nn.Linear(2, 2)", "return self.a(self.a(x))"))["a"]
    assert (row["calls"], row["relation"], row["must"]) == (2, "chained", True)


def test_calls_on_separate_inputs_are_parallel() -> None:
    assert (
        facts(net("self.a = nn.Linear(2, 2)", "return self.a(x), self.a(y)", arguments="x, y"))["a"]["relation"]
        == "parallel"
    )


@pytest.mark.parametrize(
    "forward",
    [
        "if x.shape[0] > 1:\n    return self.a(x)\nreturn self.a(x + 1)",
        "if self.training:\n    x = self.a(x)\nelse:\n    x = self.a(x + 1)\nreturn x",
        "if self.flag:\n    x = self.a(x)\nif not self.flag:\n    x = self.a(x)\nreturn x",
        "return self.a(x) if self.flag else self.a(-x)",
        "match mode:\n    case 'a':\n        return self.a(x)\n    case 'b':\n        return self.a(-x)",
        "if mode == 'a':\n    x = self.a(x)\nif mode == 'b':\n    x = self.a(x)\nreturn x",
    ],
)
def test_calls_in_branches_of_which_one_is_taken_are_one_call(forward: str) -> None:
    row = facts(net("self.a = nn.Linear(2, 2)\nself.flag = flag", forward, ", flag=True", "x, mode='a'"))["a"]
    assert (row["calls"], row["relation"], row["must"]) == (1, "exclusive", False)


def test_a_second_call_under_a_branch_may_happen_but_need_not() -> None:
    row = facts(net("self.a = nn.Linear(2, 2)", "x = self.a(x)\nif x.sum() > 0:\n    x = self.a(x)\nreturn x"))["a"]
    assert (row["calls"], row["must"]) == (2, False)


def test_both_arms_and_one_call_after_them_are_two_on_every_path() -> None:
    forward = "if self.training:\n    x = self.a(x)\nelse:\n    x = self.a(-x)\nreturn self.a(x)"
    row = facts(net("self.a = nn.Linear(2, 2)", forward))["a"]
    assert (row["calls"], row["must"]) == (2, True)


@pytest.mark.parametrize(
    ("init", "count"),
    [
        ("self.m = nn.ModuleList([nn.Linear(2, 2) for _ in range(n)])", 1),
        ("self.m = nn.ModuleList([nn.Linear(2, 2)] * n)", 2),
        ("layer = nn.Linear(2, 2)\nself.m = nn.ModuleList([layer for _ in range(n)])", 2),
        ("self.m = nn.ModuleList()\nfor _ in range(n):\n    self.m.append(nn.Linear(2, 2))", 1),
        ("self.m = nn.ModuleList()\nlayer = nn.Linear(2, 2)\nfor _ in range(n):\n    self.m.append(layer)", 2),
        ("import copy\nlayer = nn.Linear(2, 2)\nself.m = nn.ModuleList([copy.deepcopy(layer) for _ in range(n)])", 1),
        ("a = [nn.Linear(2, 2)]\nself.m = nn.ModuleList(a + a)", 2),
        ("a = [nn.Linear(2, 2)]\na.extend([nn.Linear(2, 2)])\nself.m = nn.ModuleList(a[::-1])", 1),
    ],
)
def test_a_list_holds_as_many_instances_as_its_making_allocates(init: str, count: int) -> None:
    assert calls(net(init, "for layer in self.m:\n    x = layer(x)\nreturn x", ", n"))["m.*"] == count


def test_names_made_in_a_loop_are_starred_and_found_again() -> None:
    init = "for i in range(n):\n    setattr(self, f'fc{i}', nn.Linear(2, 2))"
    forward = "for i in range(n):\n    x = getattr(self, f'fc{i}')(x)\nreturn x"
    assert calls(net(init, forward, ", n", "x, n"))["fc*"] == 1


def test_a_loop_invariant_layer_beside_indexed_ones_is_called_in_every_pass() -> None:
    init = "self.convs = nn.ModuleList([nn.Linear(2, 2) for _ in range(n)])\nself.norm = nn.LayerNorm(2)"
    forward = "for i in range(len(self.convs)):\n    x = self.norm(self.convs[i](x))\nreturn x"
    seen = calls(net(init, forward, ", n"))
    assert (seen["convs.*"], seen["norm"]) == (1, 2)


def test_an_index_one_further_is_another_element() -> None:
    init = "self.m = nn.ModuleList([nn.Linear(2, 2) for _ in range(n)])"
    assert calls(net(init, "return self.m[self.k](x) + self.m[self.k + 1](x)", ", n"))["m.*"] == 1


def test_state_threaded_through_a_loop_is_recurrent() -> None:
    forward = "h = x[0]\nfor t in range(x.shape[0]):\n    h = self.cell(x[t], h)\nreturn h"
    assert facts(net("self.cell = nn.GRUCell(2, 2)", forward))["cell"]["relation"] == "recurrent"


def test_a_helper_called_twice_calls_twice() -> None:
    source = net("self.a = nn.Linear(2, 2)", "return self.once(x) + self.once(y)", arguments="x, y")
    assert calls(source + "    def once(self, z):\n        return self.a(z)\n")["a"] == 2


@pytest.mark.parametrize(
    "forward",
    [
        "from torch.utils.checkpoint import checkpoint\nreturn checkpoint(self.a, x) + checkpoint(self.a, -x)",
        "f = lambda z: self.a(z)\nreturn f(x) + f(-x)",
        "return sum(map(self.a, [x, -x]))",
        "def f(z):\n    return self.a(z)\nreturn f(x) + f(-x)",
        "import functools\nf = functools.partial(self.a)\nreturn f(x) + f(-x)",
        "return self.a.forward(x) + self.a(-x)",
        "return (y := self.a(x)) + self.a(y)",
        "try:\n    x = self.a(x)\nfinally:\n    x = self.a(x)\nreturn x",
        "with torch.no_grad():\n    x = self.a(x)\nreturn self.a(x)",
        "while x.sum() > 0:\n    x = self.a(x)\nreturn x",
    ],
)
def test_calls_through_python_are_calls(forward: str) -> None:
    assert calls(net("self.a = nn.Linear(2, 2)", forward))["a"] == 2


def test_what_unknown_code_does_with_a_module_stays_unknown() -> None:
    source = "from elsewhere import magic\n" + net("self.a = nn.Linear(2, 2)", "return magic(self.a, x)")
    assert calls(source)["a"] is None


def test_handing_self_to_unknown_code_makes_it_unknown_whether_a_module_that_is_not_called_here_is() -> None:
    made = "self.a = nn.Linear(2, 2)\nself.b = nn.Linear(2, 2)"
    found = calls("from elsewhere import magic\n" + net(made, "return magic(self, self.a(x))"))
    assert (found["a"], found["b"]) == (1, None)


@pytest.mark.parametrize(
    ("made", "parameters", "running"),
    [
        ("nn.BatchNorm2d(2)", True, True),
        ("nn.BatchNorm2d(2, affine=False, track_running_stats=False)", False, False),
        ("nn.LayerNorm(2, elementwise_affine=False)", False, False),
        ("nn.Sequential(nn.ReLU(), nn.Dropout(0.1))", False, False),
        ("nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2))", True, True),
        ("nn.ModuleList()", False, False),
    ],
)
def test_what_an_instance_carries_follows_from_its_construction(made: str, parameters: bool, running: bool) -> None:
    row = facts(net(f"self.a = {made}", "return self.a(x)"))["a"]
    assert (row["parameters"], row["running_stats"]) == (parameters, running)


def test_a_block_carries_what_its_constructor_allocates() -> None:
    block = "class Block(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.bn = nn.BatchNorm1d(2)\n"
    row = facts(block + net("self.a = Block()", "return self.a(x)"))["a"]
    assert (row["type"], row["parameters"], row["running_stats"]) == ("model.Block", True, True)


def test_an_endless_constructor_ends_in_unknown_not_in_an_exception() -> None:
    init = "self.a = nn.Linear(2, 2)\nwhile True:\n    for i in range(100):\n        for j in range(100):\n            n = n + i * j"
    assert "a" in calls(net(init, "return self.a(x)", ", n"))


def test_an_element_of_any_kind_that_is_called_is_of_none() -> None:
    layers = "self.l = nn.ModuleList([nn.Linear(2, 2), nn.BatchNorm1d(2)])"
    row = facts(net(layers, "return self.l[i](self.l[i](x))", arguments="x, i"))["l.*"]
    assert (row["type"], row["parameters"], row["running_stats"], row["calls"]) == (None, None, None, 2)


@pytest.mark.parametrize(
    ("index", "passes", "expected"),
    [
        ("i // 2", "range(self.n)", 2),
        ("i // 2", "range(0, self.n, 2)", 1),
        ("i % len(self.m)", "range(self.n)", 2),
        ("int(i / (self.n / len(self.m)))", "range(self.n)", 2),
        ("i + 1", "range(self.n)", 1),
    ],
)
def test_an_index_that_is_the_same_in_several_passes_leads_to_one_element(
    index: str, passes: str, expected: int
) -> None:
    made = "self.m = nn.ModuleList([nn.Linear(2, 2) for _ in range(n)])\nself.n = n"
    body = f"for i in {passes}:\n    x = self.m[{index}](x)\nreturn x"
    assert calls(net(made, body, ", n"))["m.*"] == expected


def test_every_second_pass_leads_to_another_element() -> None:
    made = "self.m = nn.ModuleList([nn.Linear(2, 2) for _ in range(n)])\nself.n = n"
    body = "for i in range(self.n):\n    if i % 2 == 0:\n        x = self.m[i // 2](x)\nreturn x"
    assert calls(net(made, body, ", n"))["m.*"] == 1


def test_what_an_object_chooses_between_in_its_constructor_keeps_what_it_depends_on() -> None:
    text = "class Chosen:\n    def __init__(self, a, b, first):\n        self.kept = a if first else b\n" + net(
        "self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)",
        "y = self.a(x)\nz = Chosen(self.b(y), x, first).kept\nreturn self.b(z) if first else self.a(y)",
        arguments="x, first",
    )
    found = facts(text)
    assert (found["a"]["calls"], found["a"]["relation"]) == (2, "chained")
    assert (found["b"]["calls"], found["b"]["relation"]) == (2, "chained")


PROCESSOR = (
    "class Processor:\n    def __init__(self, again=True):\n        self.again = again\n"
    "    def __call__(self, net, x):\n        return net.b(net.a(x))\n"
)


def test_a_callable_object_that_must_be_given_is_one_of_its_annotated_class() -> None:
    init = "self.a = nn.Linear(2, 2)\nself.b = nn.Linear(2, 2)\nself.process = process"
    found = calls(PROCESSOR + net(init, "return self.process(self, x)", ', process: "Processor"'))
    assert (found["a"], found["b"]) == (1, 1)


def test_one_that_need_not_be_given_is_unknown() -> None:
    init = "self.a = nn.Linear(2, 2)\nself.b = nn.Linear(2, 2)\nself.process = process"
    found = calls(PROCESSOR + net(init, "return self.process(self, x)", ', process: "Processor | None" = None'))
    assert (found["a"], found["b"]) == (None, None)


def test_what_getattr_may_give_leaves_open_what_is_never_called() -> None:
    forward = "def forward(self, x):\n    return self.given(self.a(x))\n"
    text = (
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)\n"
        "    def __getattr__(self, name):\n        return super().__getattr__(NAMES[name])\n"
    ) + textwrap.indent(forward, "    ")
    found = calls(text)
    assert (found["a"], found["b"]) == (1, None)


def test_every_method_that_torch_gives_a_module_is_known_as_one() -> None:
    public = {name for name in dir(nn.Module) if not name.startswith("_") and callable(getattr(nn.Module, name))}
    assert public <= MODULE_METHODS


def test_methods_of_parameters_are_no_modules() -> None:
    init = "self.token, self.place = nn.Parameter(torch.zeros(1, 2)), nn.Parameter(torch.zeros(2, 2))\nself.a = nn.Linear(2, 2)"
    found = facts(net(init, "return self.a(x) + self.token.expand(2, -1) + self.place[:, 1:].view(2, 1)"))
    assert found.keys() == {"a"}


def test_a_block_that_a_function_was_given_to_fill_and_did_not_finish_carries_we_do_not_know_what() -> None:
    loops = "".join(f"{'    ' * depth}for i{depth} in n:\n" for depth in range(1, 16))
    fill = f"def fill(block, n):\n{loops}{'    ' * 16}pass\n    block.a = nn.Linear(2, 2)\n"
    block = "class Block(nn.Module):\n    def __init__(self, n):\n        super().__init__()\n        fill(self, n)\n"
    row = facts(fill + block + net("self.block = Block(n)", "return self.block(x)", ", n"))["block"]
    assert (row["parameters"], row["running_stats"]) == (None, None)


def test_a_loop_over_the_rest_may_meet_again_what_a_loop_over_all_has_met() -> None:
    init = "self.l = nn.ModuleList([nn.Linear(2, 2) for _ in range(5)])\nself.n = n"
    forward = "for m in self.l:\n    x = m(x)\nfor m in self.l[self.n:]:\n    x = m(x)\nreturn x"
    row = facts(net(init, forward, ", n"))["l.*"]
    assert (row["calls"], row["relation"], row["must"]) == (2, "chained", False)


_CACHE = """
class Cache:
    def __init__(self, layer, width):
        self.layer = layer
        {}
    def run(self, x):
        return self.layer(x) if {} else x

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2)
        self.b = nn.Linear(2, 2)

    def forward(self, x):
        return Cache(self.a, 2).run(self.b(x))
"""


def test_what_a_method_reads_of_an_object_is_what_its_constructor_has_set() -> None:
    assert calls(_CACHE.format("self.width = width", "self.width == 2"))["a"] == 1
    assert calls(_CACHE.format("self.width = width", "self.width == 3"))["a"] == 0


@pytest.mark.parametrize("setting", ["self.run = layer", "setattr(self, 'run', layer)"])
def test_a_method_that_a_constructor_may_set_is_what_it_sets(setting: str) -> None:
    assert calls(_CACHE.format(setting, "False"))["a"] == 1


def test_the_constructor_of_an_object_is_not_run_for_a_method_that_needs_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run: set[str] = set()
    real = construction.run_constructor

    def noting(m: Machine, made: Instance, positional: tuple[Value, ...], keywords: dict[str, Value]) -> None:
        run.add(made.cls.name if made.cls else "")
        real(m, made, positional, keywords)

    monkeypatch.setattr(construction, "run_constructor", noting)
    source = _CACHE.format("self.width = width", "True").replace("self.layer(x) if True else x", "x")
    assert calls(source)["b"] == 1
    assert run == {"Net", "Cache"}  # it is given a layer, to which it may do anything
    run.clear()
    assert calls(source.replace("Cache(self.a, 2)", "Cache(x, 2)"))["b"] == 1
    assert run == {"Net"}


_HELD = """
{}

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.p = nn.Linear(4, 4)
        self.q = nn.Linear(4, 4)
        {}

    def forward(self, x):
        {}
"""


@pytest.mark.parametrize(
    ("helper", "made", "forward", "expected"),
    [
        (
            "class Stack(nn.ModuleList):\n    def swap(self, v):\n        self[0] = v",
            "self.b = Stack([nn.Linear(4, 4)]); self.b.swap(self.p)",
            "return self.p(self.b[0](x))",
            2,
        ),
        (
            "class Bag(dict):\n    def put(self, k, v):\n        self[k] = v",
            "self.b = Bag(); self.b.put('p', self.p)",
            "return self.b['p'](self.p(x))",
            2,
        ),
        (
            (
                "def install(to, layer):\n    to.run = layer\n"
                "class Holder:\n    def __init__(self, layer):\n        install(self, layer)\n    def run(self, x):\n        return x"
            ),
            "self.h = Holder(self.p)",
            "return self.h.run(self.h.run(x))",
            2,
        ),
        (
            (
                "from dataclasses import dataclass\n@dataclass\nclass Base:\n    run: object = None\n"
                "class Sub(Base):\n    def run(self, x):\n        return x"
            ),
            "self.h = Sub(self.p)",
            "return self.h.run(self.h.run(x))",
            2,
        ),
        (
            "class Attach:\n    def __init__(self, owner):\n        owner.r = owner.p\n    def done(self):\n        return self",
            "Attach(self).done()",
            "return self.r(self.r(x))",
            2,
        ),
        (
            (
                "import functools\nclass Bank:\n    def __init__(self, layer):\n        self.layer = layer\n"
                "    @functools.lru_cache\n    def get(self, i):\n        return self.layer"
            ),
            "self.one = Bank(self.p); self.two = Bank(self.q)",
            "return self.two.get(0)(self.one.get(0)(x))",
            1,
        ),
        (
            (
                "class Meter:\n    def __init__(self, model):\n        self.model = model\n    def update(self, x):\n"
                "        for i in range(12):\n            for j in range(12):\n                for k in range(12):\n"
                "                    a = i + j * k - i * j + k\n        return a"
            ),
            "self.meter = Meter(self.q)",
            "self.meter.update(x); x = self.p(x); return self.p(x)",
            2,
        ),
    ],
)
def test_methods_of_objects_do_what_python_does(helper: str, made: str, forward: str, expected: int) -> None:
    assert calls(_HELD.format(helper, made, forward)).get("p") == expected


@pytest.mark.parametrize(
    "constructor",
    [
        "def __init__(self):\n        me = self\n        patch(me)",
        "def __init__(this):\n        patch(this)",
        "def __init__(self):\n        patch(self or None)",
        "def __init__(self):\n        d = [self]\n        patch(d[0])",
        "def __init__(self):\n        patch(self.me())\n    def me(self):\n        return self",
    ],
)
def test_an_object_that_a_constructor_hands_on_may_be_changed_there(constructor: str) -> None:
    helper = (
        "def other(net):\n    return net.q\ndef patch(o):\n    o.go = other\n"
        f"class Holder:\n    {constructor}\n    def go(self, net):\n        return net.p"
    )
    found = calls(_HELD.format(helper, "self.h = Holder()", "m = self.h.go(self); return m(m(x))"))
    assert found["p"] != 2


@pytest.mark.parametrize(
    ("one", "two"),
    [("{'n': True}", "{'n': False}"), ("dict(n=True)", "dict(n=False)"), ("lambda: True", "lambda: False")],
)
@pytest.mark.parametrize("turned", [False, True])
def test_blocks_that_are_built_differently_carry_what_each_holds(one: str, two: str, turned: bool) -> None:
    helper = (
        "class Block(nn.Module):\n    def __init__(self, c):\n        super().__init__()\n"
        "        self.l = nn.Linear(2, 2) if (c() if callable(c) else c['n']) else nn.ReLU()\n"
        "    def forward(self, x):\n        return self.l(x)"
    )
    order = "self.b(self.b(self.a(self.a(x))))" if turned else "self.a(self.a(self.b(self.b(x))))"
    text = HEADER + _HELD.format(helper, f"self.a = Block({one}); self.b = Block({two})", f"return {order}")
    assert {finding.attribute for finding in Project(Settings()).check(Path("m.py"), text).findings} == {"a", "p", "q"}
