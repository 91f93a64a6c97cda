"""`incompatible-features` speaks only with proof: what it calls an error raises in torch, and planted errors are found."""

import random

import pytest
from judging import analysis, fixed, said

WIDTHS = (4, 6, 8)
RULE = "incompatible-features"


def net(init: str, forward: str, parameters: str = "d=4, n=3") -> str:
    init, forward = ("\n".join("        " + line for line in text.splitlines()) for text in (init, forward))
    return f"""
class Net(nn.Module):
    def __init__(self, {parameters}):
        super().__init__()
{init}

    def forward(self, x):
{forward}
"""


SILENT = {
    "sizes that may be equal": net("self.a, self.b = nn.Linear(d, n), nn.Linear(4, d)", "return self.b(self.a(x))"),
    "a view between": net("self.a, self.b = nn.Linear(4, 8), nn.Linear(4, 4)", "return self.b(self.a(x).view(-1, 4))"),
    "a size that a loop computes": net(
        "self.a = nn.Linear(4, 64)\nc = 4\nfor _ in range(n):\n    c = c * 2\nself.b = nn.Linear(c, 4)",
        "return self.b(self.a(x))",
    ),
    "layers that a loop makes": net(
        "self.a = nn.ModuleList()\nfor i in range(n):\n    self.a.append(nn.Linear(4 * 2**i, 8 * 2**i))",
        "for a in self.a:\n    x = a(x)\nreturn x",
    ),
    "a weight that is replaced": net(
        "self.a, self.b = nn.Linear(4, 8), nn.Linear(4, 4)\nself.b.weight = nn.Parameter(torch.ones(4, 8))",
        "return self.b(self.a(x))",
    ),
    "a norm that checks nothing": net(
        "self.a = nn.Conv2d(3, 8, 1)\nself.b = nn.BatchNorm2d(4, affine=False, track_running_stats=False)",
        "return self.b(self.a(x))",
    ),
    "a size chosen under a branch": net(
        "self.a = nn.Linear(4, 8)\nwidth = 4\nif n > 3:\n    width = 8\nself.b = nn.Linear(width, 4)",
        "return self.b(self.a(x))",
    ),
    "the last axis of an image": net(
        "self.a, self.b = nn.Conv2d(3, 8, 1), nn.Linear(16, 4)", "return self.b(self.a(x))"
    ),
    "a constant of the file that is bound twice": "\nWIDTH = 4\nif torch.cuda.is_available():\n    WIDTH = 8\n"
    + net("self.a, self.b = nn.Linear(4, 8), nn.Linear(WIDTH, 4)", "return self.b(self.a(x))"),
}
LOUD = {
    "another norm": ("self.a, self.b = nn.Conv2d(3, 8, 1), nn.BatchNorm2d(4)", "return self.b(self.a(x).relu())"),
    "on its own result": ("self.b = nn.Linear(8, 4)", "x = self.b(x)\nreturn self.b(x)"),
    "twice an unknown": ("self.a, self.b = nn.Linear(4, d), nn.Linear(2 * d, 4)", "return self.b(self.a(x) + 1)"),
    "half an unknown": ("self.a, self.b = nn.Linear(d, d // 2), nn.Linear(d, 4)", "return self.b(self.a(x))"),
    "one more than an unknown": ("self.a, self.b = nn.Linear(4, d), nn.Linear(d + 1, 4)", "return self.b(self.a(x))"),
    "behind a pooling to one": (
        "self.a, self.pool = nn.Conv2d(3, 8, 1), nn.AdaptiveAvgPool2d(1)\nself.b = nn.Linear(4, 2)",
        "return self.b(torch.flatten(self.pool(self.a(x)), 1))",
    ),
    "behind a mean": (
        "self.a, self.b = nn.Conv2d(3, 8, 1), nn.Linear(4, 2)",
        "return self.b(nn.functional.relu(self.a(x)).mean([-1, -2]))",
    ),
    "channels last": (
        "self.a, self.c = nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8)\nself.b = nn.LayerNorm(4)",
        "return self.b(self.c(self.a(x)).permute(0, 2, 3, 1))",
    ),
    "after either arm": (
        "self.a, self.c = nn.Linear(4, 8), nn.Linear(4, 8)\nself.b = nn.Linear(4, 2)",
        "if x.sum() > 0:\n    y = self.a(x)\nelse:\n    y = self.c(x)\nreturn self.b(y)",
    ),
}


@pytest.mark.parametrize("case", SILENT)
def test_without_proof_nothing_is_said(case: str) -> None:
    assert said(RULE, SILENT[case]) == []


@pytest.mark.parametrize("case", LOUD)
def test_what_certainly_raises_is_an_error(case: str) -> None:
    assert said(RULE, net(*LOUD[case])) == [("self.b", "error")]


def test_a_member_of_a_sequential_is_marked_where_it_is_made() -> None:
    body = net("self.m = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), nn.BatchNorm2d(4))", "return self.m(x)")
    assert said(RULE, body) == [("nn.BatchNorm2d(4)", "error")]


def test_under_a_branch_it_is_information() -> None:
    body = net(
        "self.a, self.b = nn.Linear(4, 8), nn.Linear(4, 2)", "if x.sum() > 0:\n    return self.b(self.a(x))\nreturn x"
    )
    assert said(RULE, body) == [("self.b", "information")]


def test_the_message_says_both_sizes_and_who_makes_them() -> None:
    body = net("self.a, self.b = nn.Linear(d, d // 2), nn.Linear(d, 4)", "return self.b(self.a(x))")
    (finding,) = analysis(RULE, body).findings
    assert finding.message == "`self.b` takes `d` features and is given `d // 2` by `self.a`: torch raises here"


def test_a_reuse_that_raises_is_no_sharing_to_weigh() -> None:
    body = net("self.fc = nn.Linear(8, 4)", "return self.fc(self.fc(x).relu())")
    assert said("shared-parameters", body) == []


def test_the_split_gives_the_second_instance_the_size_that_it_is_fed() -> None:
    before = net("self.fc = nn.Linear(8, 4)", "return self.fc(self.fc(x).relu())")
    after = net("self.fc = nn.Linear(8, 4)\nself.fc2 = nn.Linear(4, 4)", "return self.fc2(self.fc(x).relu())")
    assert fixed(RULE, before) == after


# Against torch itself


class Writer:
    """Writes a chain of layers whose widths fit, image layers first, then a head; and plants one width that does not."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.init: list[str] = []
        self.forward: list[str] = []
        self.slots: list[tuple[int, str, int]] = []

    def width(self) -> int:
        return self.random.choice(WIDTHS)

    def layer(self, text: str, call: str = "x = self.{name}(x)", takes: int | None = None) -> None:
        name = f"m{len(self.init)}"
        if takes is not None:
            self.slots.append((len(self.init), text, takes))
        self.init.append(f"self.{name} = {text.format(w=takes)}")
        self.forward.append(call.format(name=name))

    def chain(self) -> str:
        width = self.width()
        self.layer(f"nn.Conv2d(3, {width}, 3, padding=1)")
        for _ in range(self.random.randint(2, 5)):
            width = self.step(width)
        self.layer("nn.AdaptiveAvgPool2d(1)", "x = self.{name}(x).flatten(1)")
        for _ in range(self.random.randint(1, 3)):
            following = self.width()
            self.layer(f"nn.Linear({{w}}, {following})", takes=width)
            width = following
        self.layer("nn.LayerNorm({w})", takes=width)
        return self.text()

    def step(self, width: int) -> int:
        kind = self.random.randrange(7)
        if kind == 0:
            following = self.width()
            self.layer(f"nn.Conv2d({{w}}, {following}, 1)", takes=width)
            return following
        if kind == 1:
            self.layer("nn.BatchNorm2d({w})", "x = torch.relu(self.{name}(x))", takes=width)
        elif kind == 2:
            self.layer(f"nn.Conv2d({{w}}, {width}, 1)", "x = x + nn.functional.gelu(self.{name}(x)) * 0.5", takes=width)
        elif kind == 3:
            self.layer("nn.MaxPool2d(3, 1, 1)")
        elif kind == 4:
            self.layer(f"nn.Sequential(nn.Conv2d({width}, 8, 1), nn.SiLU(), nn.Conv2d(8, {width}, 1))")
        elif kind == 5:
            self.layer("nn.InstanceNorm2d({w}, affine=True)", "x = self.{name}(x).contiguous()", takes=width)
        else:
            self.layer("nn.GroupNorm(1, {w})", takes=width)
        return width

    def text(self) -> str:
        return net("\n".join(self.init), "\n".join(self.forward) + "\nreturn x", "n=1")

    def plant(self) -> str:
        at, text, takes = self.random.choice(self.slots)
        other = self.random.choice([width for width in WIDTHS if width != takes])
        self.init[at] = f"self.m{at} = {text.format(w=other)}"
        return self.text()

    def reuse(self) -> str | None:
        """A norm is called for another one of another width as well."""
        norms = [(at, takes) for at, text, takes in self.slots if "BatchNorm" in text]
        pairs = [(a, b) for a, x in norms for b, y in norms if x != y]
        if not pairs:
            return None
        a, b = self.random.choice(pairs)
        self.forward[b] = self.forward[b].replace(f"self.m{b}(", f"self.m{a}(")
        return self.text()


def raises(body: str) -> bool:
    """Whether torch raises on an image with a batch as well as on one without."""
    torch = pytest.importorskip("torch")
    names = {"torch": torch, "nn": torch.nn}
    exec(body, names)
    model = names["Net"]()
    outcomes: list[bool] = []
    for shape in ((2, 3, 8, 8), (3, 8, 8)):
        try:
            model(torch.randn(shape))
            outcomes.append(False)
        except (RuntimeError, ValueError):
            outcomes.append(True)
    return all(outcomes)


@pytest.mark.parametrize("seed", range(60))
def test_an_error_is_claimed_just_when_torch_raises(seed: int) -> None:
    writer = Writer(seed)
    assert said(RULE, writer.chain()) == []
    reused = writer.reuse()
    for body in filter(None, (reused, writer.plant())):
        found = said(RULE, body)
        assert raises(body) and any(severity == "error" for _, severity in found)


def test_a_size_that_nothing_names_is_unknown_and_no_trouble() -> None:
    init = "self.conv, self.bn = nn.Conv2d(d, d, 3), nn.BatchNorm2d(next(n))"
    assert said(RULE, net(init, "return self.bn(self.conv(x))")) == []
