"""One instance in a container more than once: what puts it there, what is left alone, and what the fix gives back."""

import textwrap

import pytest
from judging import fixed, said

LOOP, TWICE = "repeated-instance", "same-instance-twice"


def net(body: str) -> str:
    lines = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
    return f"\nclass Net(nn.Module):\n    def __init__(self, n, d):\n        super().__init__()\n{lines}\n"


ADDING = [
    "layer = nn.Linear(d, d)\nself.m = nn.ModuleList([{} for _ in range(n)])",
    "layer = nn.Linear(d, d)\nself.m = nn.ModuleList([])\nfor _ in range(n):\n    self.m.append({})",
    "layer = nn.Linear(d, d)\nms = []\nfor _ in range(3):\n    ms.append({})\nself.m = nn.Sequential(*ms)",
    "layer = nn.Linear(d, d)\nself.m = nn.ModuleDict({{str(k): {} for k in range(n)}})",
    "layer = nn.Linear(d, d)\nself.m = nn.Sequential()\nfor i in range(n):\n    self.m.add_module(f'l{{i}}', {})",
    "layer = nn.Linear(d, d)\nfor i in range(n):\n    setattr(self, f'l{{i}}', {})",
]


@pytest.mark.parametrize("body", ADDING)
def test_a_local_that_every_pass_adds_is_found_and_made_in_each(body: str) -> None:
    text = net(body.format("layer"))
    assert said(LOOP, text) == [("layer", "warning")]
    after = net(body.format("nn.Linear(d, d)")).replace("        layer = nn.Linear(d, d)\n", "")
    assert fixed(LOOP, text) == after


@pytest.mark.parametrize("body", ADDING)
def test_an_instance_of_each_pass_is_silent(body: str) -> None:
    assert said(LOOP, net(body.format("nn.Linear(d, d)"))) == []
    assert said(LOOP, net("import copy\n" + body.format("copy.deepcopy(layer)"))) == []
    assert said(LOOP, net(body.format("layer").replace("nn.Linear(d, d)", "nn.ReLU()"))) == []


@pytest.mark.parametrize(
    "body",
    [
        "from itertools import repeat\nself.m = nn.ModuleList(repeat(nn.Linear(d, d), n))",
        "self.m = nn.ModuleDict(dict.fromkeys('abc', nn.Linear(d, d)))",
        "self.m = nn.ModuleList([nn.Linear(d, d)] * n)",
    ],
)
def test_repeat_fromkeys_and_products_are_found(body: str) -> None:
    assert [severity for _, severity in said(LOOP, net(body))] == ["warning"]


def test_a_loop_that_moves_or_varies_what_it_adds_is_silent() -> None:
    made = "layers = [nn.Linear(d, d) for _ in range(n)]\n"
    assert said(LOOP, net(made + "self.m = nn.ModuleList([x for x in layers])")) == []
    assert said(LOOP, net(made + "self.m = nn.ModuleList()\nfor x in layers:\n    self.m.append(x)")) == []
    assert said(LOOP, net(made + "self.m = nn.ModuleList([layers[i] for i in range(n)])")) == []


@pytest.mark.parametrize(
    "body",
    [
        "layer = nn.Linear(d, d)  # one for all levels: weight sharing\nself.m = nn.ModuleList([layer for _ in range(n)])",
        "layer = nn.Linear(d, d)\n# shared\nself.m = nn.ModuleList([layer for _ in range(n)])",
        "layer = nn.Linear(d, d)\nif self.share_head:\n    self.m = nn.ModuleList([layer for _ in range(n)])",
        "self.head = nn.Linear(d, d)\nself.m = nn.ModuleList([self.head for _ in range(n)])",
        "if d:\n    layer = nn.Linear(d, d)\n    self.m = nn.ModuleList([layer for _ in range(n)])",
    ],
)
def test_words_flags_attributes_and_conditions_speak_for_a_design(body: str) -> None:
    assert [severity for _, severity in said(LOOP, net(body)) if severity != "hint"] == ["information"]


@pytest.mark.parametrize(
    "container",
    [
        "nn.Sequential(layer, nn.ReLU(), layer)",
        "nn.Sequential(*[layer, nn.ReLU(), layer])",
        "nn.ModuleList([layer, layer])",
        "nn.ModuleDict({'a': layer, 'b': layer})",
        "nn.Sequential(*first, layer, nn.ReLU(), layer)",
    ],
)
def test_one_local_at_two_places_is_found_at_the_second(container: str) -> None:
    text = net(f"first = []\nlayer = nn.Linear(d, d)\nself.m = {container}")
    assert said(TWICE, text) == [("layer", "warning")]
    after = text.replace("        layer = nn.Linear(d, d)\n", "").replace("layer", "nn.Linear(d, d)")
    assert fixed(TWICE, text) == after


def test_a_subclass_of_sequential_gives_its_members_to_its_base() -> None:
    text = """
    class Net(nn.Sequential):
        def __init__(self, d):
            bn = nn.BatchNorm2d(d)
            super().__init__(nn.Conv2d(d, d, 1), bn, nn.Conv2d(d, d, 1), bn)
    """
    assert [severity for _, severity in said(TWICE, text)] == ["warning"]


@pytest.mark.parametrize(
    "body",
    [
        "layer = nn.ReLU()\nself.m = nn.Sequential(layer, nn.Linear(d, d), layer)",
        "layer = nn.Linear(d, d)\nif n:\n    self.m = nn.Sequential(layer)\nelse:\n    self.m = nn.Sequential(nn.ReLU(), layer)",
        "self.a = nn.Linear(d, d)\nself.m = nn.Sequential(self.a, nn.ReLU())\nfor x in [self.a]:\n    init(x)",
        "block = nn.Sequential(nn.Linear(d, d))\nself.a = nn.Sequential(block, nn.ReLU())\nself.b = block",
    ],
)
def test_what_is_stateless_exclusive_or_held_once_is_silent(body: str) -> None:
    assert said(TWICE, net(body)) == []


ENCODER = (
    "encoder = [nn.Linear(d, d), nn.ReLU(), nn.Linear(d, d)]\ndecoder = encoder\nself.a = nn.Sequential(*encoder)\n"
)


@pytest.mark.parametrize(
    ("second", "found"),
    [
        ("nn.Sequential(*reversed(decoder))", [("*reversed(decoder)", "warning")]),
        ("nn.ModuleList(decoder[::-1])", [("decoder[::-1]", "warning")]),
        ("nn.ModuleList(decoder)", [("decoder", "information")]),
        ("nn.ModuleList(encoder[:1])", []),
        ("nn.ModuleList([copy.deepcopy(x) for x in reversed(decoder)])", []),
        ("nn.ModuleList(reversed(self.a))  # tied to the encoder", [("reversed(self.a)", "information")]),
    ],
)
def test_one_list_in_two_containers_is_found_at_the_second(second: str, found: list[tuple[str, str]]) -> None:
    assert said(TWICE, net("import copy\n" + ENCODER + f"self.b = {second}")) == found


def test_two_containers_are_worth_a_look() -> None:
    body = "layer = nn.Linear(d, d)\nself.a = nn.Sequential(layer, nn.ReLU())\nself.b = nn.Sequential(layer, nn.Tanh())"
    assert said(TWICE, net(body)) == [("layer", "information")]


@pytest.mark.parametrize("second", ["nn.Sequential(*reversed(decoder))", "nn.ModuleList(decoder[::-1])"])
def test_a_list_in_two_containers_is_written_out_for_the_second(second: str) -> None:
    text = net(ENCODER + f"self.b = {second}")
    own = second.replace("decoder", "[nn.Linear(d, d), nn.ReLU(), nn.Linear(d, d)]")
    assert fixed(TWICE, text) == text.replace(second, own)
    assert said(TWICE, text.replace(second, own)) == []


@pytest.mark.parametrize("between", ["decoder.reverse()", "d = 2 * d"])
def test_a_list_that_is_changed_before_is_not_written_out(between: str) -> None:
    assert fixed(TWICE, net(ENCODER + f"{between}\nself.b = nn.Sequential(*reversed(encoder))")) is None


def test_a_local_whose_name_says_that_it_is_shared_may_be_multiplied() -> None:
    loud, quiet = (
        net(f"{name} = nn.Linear(d, d)\nself.m = nn.ModuleList([{name}] * n)") for name in ("head", "shared_head")
    )
    assert [severity for _, severity in said(LOOP, loud)] == ["warning"]
    assert [severity for _, severity in said(LOOP, quiet)] == ["hint"]


@pytest.mark.parametrize(
    ("body", "severities"),
    [
        (
            "a = nn.PReLU()\nself.p = nn.Sequential(nn.Linear(d, d), a)\nself.q = nn.Sequential(nn.Linear(d, d), a)",
            ["warning"],
        ),
        (
            "a = nn.ReLU() if n else nn.PReLU()\nself.p = nn.Sequential(nn.Flatten(), a)\nself.q = nn.Sequential(a)",
            ["warning"],
        ),
        (
            "f = nn.Linear(d, d)\na = nn.LayerNorm(d)\nself.p = nn.Sequential(f, a)\nself.q = nn.ModuleList([f, a])",
            ["information"] * 2,
        ),
        ("f = nn.Linear(d, d)\nself.p = nn.Sequential(f, nn.ReLU())\nself.q = nn.Sequential(f)", ["information"]),
    ],
)
def test_a_norm_or_an_activation_that_learns_belongs_to_one_of_two_containers(body: str, severities: list[str]) -> None:
    assert [severity for _, severity in said(TWICE, net(body))] == severities


@pytest.mark.parametrize(("default", "severity"), [("prelu", "warning"), ("relu", "information")])
def test_a_table_that_a_function_makes_gives_the_entry_of_the_default_name(default: str, severity: str) -> None:
    text = (
        "\ndef make(name):\n    return {'relu': nn.ReLU(), 'prelu': nn.PReLU()}[name]\n\nclass Net(nn.Module):\n"
        f"    def __init__(self, act='{default}'):\n        super().__init__()\n        a = make(act)\n"
        "        self.p = nn.Sequential(nn.Linear(2, 2), a)\n        self.q = nn.Sequential(nn.Linear(2, 2), a)\n"
    )
    assert said(TWICE, text) == [("a", severity)]


UNREAD = """
from somewhere import Thing
class Net(nn.Module):
    def __init__(self, t, n):
        super().__init__()
        self.things = {made}

    def forward(self, x):
        for thing in self.things:
            x = thing(x)
        return x
"""


def test_a_plain_list_that_repeats_something_unread_may_hold_no_module() -> None:
    assert said("repeated-instance", UNREAD.format(made="[Thing(t)] * n")) == []


def test_what_a_container_of_torch_holds_is_a_module() -> None:
    found = said("repeated-instance", UNREAD.format(made="nn.ModuleList([Thing(t)] * n)"))
    assert [severity for _, severity in found] == ["warning"]


REMEMBERED = """
def remembering(make):
    cache = {}

    def given(key=None, again=True):
        if not again:
            return make()
        if key in cache:
            return cache[key]
        made = make()
        cache[key] = made
        return made

    return given

class Net(nn.Module):
    def __init__(self, d, n, tied=False):
        super().__init__()
        get = remembering(lambda: nn.Linear(d, d))
        self.layers = nn.ModuleList([])
        for i in range(n):
            again = i > 0 and tied
            self.layers.append(get(again=again))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
"""


def test_a_dict_that_remembers_is_no_second_position() -> None:
    assert said("same-instance-twice", REMEMBERED) == []
    assert "warning" not in {severity for _, severity in said("repeated-instance", REMEMBERED)}
