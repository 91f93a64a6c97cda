"""What a constructor is given: a module that a caller in the file makes, that a helper repeats, or that an annotation tells of."""

import textwrap

import pytest
from judging import analysis, said

REPEATED = "repeated-instance"
LAYER = """
import copy

class Layer(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc = nn.Linear(d, d)

    def forward(self, x):
        return self.fc(x)

def clones(module, n):
    return nn.ModuleList([module for _ in range(n)])

def copies(module, n):
    return nn.ModuleList([copy.deepcopy(module) for _ in range(n)])
"""


def stack(signature: str, init: str, caller: str = "", name: str = "Stack") -> str:
    lines = textwrap.indent(init, " " * 8)
    text = f"{LAYER}\nclass {name}(nn.Module):\n    def __init__({signature}):\n        super().__init__()\n{lines}\n"
    return f"{text}\nclass Model(nn.Module):\n    def __init__(self, d):\n        super().__init__()\n        {caller or 'pass'}\n"


REPEATING = [
    ("self.layers = nn.ModuleList([part for _ in range(n)])", "part"),
    ("self.layers = nn.ModuleList([part] * n)", "[part] * n"),
    ("self.layers = nn.ModuleList()\nfor _ in range(n):\n    self.layers.append(part)", "part"),
    ("self.layers = clones(part, n)", "clones(part, n)"),
    ("self.layers = nn.Sequential(*[nn.Sequential(nn.Flatten(), part) for _ in range(n)])", "part"),
]


@pytest.mark.parametrize(("init", "marked"), REPEATING)
def test_a_parameter_that_is_repeated_is_a_slip_where_a_caller_gives_it_weights(init: str, marked: str) -> None:
    text = stack("self, part, n", init, "self.a = Stack(Layer(d), 6)")
    assert said(REPEATED, text) == [(marked, "warning")]
    (finding,) = analysis(REPEATED, text).findings
    assert "`Stack` is given it here" in [one.message for one in finding.related]
    assert finding.fixes[0].refusal(analysis(REPEATED, text).index)


@pytest.mark.parametrize(
    "caller",
    [
        "self.a = Stack(nn.ReLU(), 6)",
        "self.a = Stack(part, 6)",
        "self.a = Other(Layer(d), 6)",
        "# one layer, shared by all depths\n        self.a = Stack(Layer(d), 6)",
    ],
)
@pytest.mark.parametrize("init", [init for init, _ in REPEATING])
def test_what_no_caller_gives_weights_to_is_left_alone(init: str, caller: str) -> None:
    assert said(REPEATED, stack("self, part, n", init, caller)) == []


@pytest.mark.parametrize(
    ("signature", "severities"),
    [
        ("self, part: nn.Module, n", ["information"]),
        ("self, part: Layer, n", ["warning"]),
        ("self, part, n", []),
        ("self, part: type[nn.Module], n", []),
    ],
)
def test_an_annotation_tells_of_a_module_where_no_caller_does(signature: str, severities: list[str]) -> None:
    text = stack(signature, "self.layers = nn.ModuleList([part for _ in range(n)])")
    assert [severity for _, severity in said(REPEATED, text)] == severities


@pytest.mark.parametrize(("parameter", "severity"), [("block", "information"), ("block: nn.Module", "warning")])
def test_a_name_alone_makes_information_of_it(parameter: str, severity: str) -> None:
    text = stack(f"self, {parameter}, n", "self.layers = nn.ModuleList([block for _ in range(n)])")
    assert said(REPEATED, text) == [("block", severity)]


@pytest.mark.parametrize("parameter", ["act: nn.Module", "norm: nn.Module", "layer: nn.Module = nn.ReLU()"])
def test_what_mostly_has_no_weights_is_left_alone_where_no_caller_is_known(parameter: str) -> None:
    name = parameter.split(":", maxsplit=1)[0]
    text = stack(f"self, n, {parameter}", f"self.layers = nn.ModuleList([{name} for _ in range(n)])")
    assert said(REPEATED, text) == []


def test_a_docstring_that_speaks_of_sharing_is_believed() -> None:
    init = "self.layers = nn.ModuleList([layer for _ in range(n)])"
    text = stack("self, layer, n", init, "self.a = Stack(Layer(d), 6)")
    text = text.replace("class Stack(nn.Module):", 'class Stack(nn.Module):\n    """Applies the same layer n times."""')
    assert said(REPEATED, text) == []


def test_a_helper_that_makes_one_and_repeats_it_is_reported_at_its_call() -> None:
    helper = "def heads(d, n):\n    head = nn.Linear(d, d)\n    return nn.ModuleList([head for _ in range(n)])\n"
    text = helper + stack("self, d", "self.m = heads(d, 4)")
    (finding,) = analysis(REPEATED, text).findings
    assert finding.place.text == "heads(d, 4)"
    assert "makes one `Linear`" in finding.message


@pytest.mark.parametrize(
    "init",
    [
        "self.layers = nn.ModuleList([block(n) for _ in range(n)])",
        "self.layers = nn.ModuleList([copy.deepcopy(block) for _ in range(n)])",
        "self.layers = copies(block, n)",
        "self.layers = nn.ModuleList([block] + [copy.deepcopy(block) for _ in range(n)])",
        "if n.share:\n    self.layers = nn.ModuleList([block for _ in range(n)])",
    ],
)
def test_a_factory_a_template_and_a_flag_are_no_repetition(init: str) -> None:
    assert said(REPEATED, stack("self, block: nn.Module, n", init)) == []


def test_a_class_whose_name_says_that_it_shares_may_repeat_what_it_is_given() -> None:
    text = stack("self, part: nn.Module, n", REPEATING[0][0], name="SharedStack")
    assert said(REPEATED, text) == []


TWICE = """
class Two(nn.Module):
    def __init__(self, part=torch.relu):
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)
        self.part = part

    def forward(self, x):
        return self.part(self.b(self.part(self.a(x))))

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.two = Two({})
"""


@pytest.mark.parametrize(
    ("rule", "given", "number"),
    [
        ("shared-prelu", "nn.PReLU()", 1),
        ("shared-batch-norm", "nn.BatchNorm1d(8)", 1),
        ("shared-batch-norm", "part=nn.BatchNorm1d(8)", 1),
        ("shared-prelu", "nn.ReLU()", 0),
        ("shared-parameters", "nn.Linear(8, 8)", 0),
    ],
)
def test_what_a_caller_gives_and_forward_calls_twice_is_reported_at_the_second_call(
    rule: str, given: str, number: int
) -> None:
    assert [severity for _, severity in said(rule, TWICE.format(given))] == ["warning"] * number


@pytest.mark.parametrize(
    ("value", "severities"),
    [
        ("clones(Layer(d), 4)", ["warning"]),
        ("clones(n=4, module=nn.Linear(d, d))", ["warning"]),
        ("clones(nn.ReLU(), 4)", []),
        ("copies(Layer(d), 4)", []),
        ("clones(Layer(d), 4)  # all depths share it", ["information"]),
    ],
)
def test_a_helper_that_repeats_what_it_is_given_is_reported_where_it_is_called(
    value: str, severities: list[str]
) -> None:
    found = said(REPEATED, stack("self, d", f"self.layers = {value}"))
    assert [severity for _, severity in found] == severities


TAILS = [
    "self.m = nn.Sequential(*[nn.Sequential(nn.Linear(d, d), *tail) for _ in range(d)])",
    "self.m = nn.ModuleList([nn.Sequential(nn.Linear(d, d), *tail, nn.Flatten()) for _ in range(d)])",
    "parts = []\nfor _ in range(d):\n    parts.extend(tail)\nself.m = nn.Sequential(*parts)",
    "parts = []\nfor _ in range(d):\n    parts += [nn.Linear(d, d), *tail]\nself.m = nn.Sequential(*parts)",
    "parts = []\nfor _ in range(d):\n    parts += tail\nself.m = nn.Sequential(*parts)",
]


@pytest.mark.parametrize("body", TAILS)
def test_a_list_that_every_pass_spreads_holds_one_instance_for_all(body: str) -> None:
    heavy, light = "tail = [nn.ReLU(), nn.LayerNorm(d)]\n", "tail = [nn.ReLU(), nn.Dropout()]\n"
    assert said(REPEATED, stack("self, d", heavy + body)) == [("tail", "warning")]
    assert said(REPEATED, stack("self, d", light + body)) == []


def test_a_list_that_a_pass_makes_and_spreads_is_its_own() -> None:
    body = "self.m = nn.ModuleList()\nfor _ in range(d):\n    tail = [nn.LayerNorm(d)]\n    self.m.append(nn.Sequential(*tail))"
    assert said(REPEATED, stack("self, d", body)) == []
