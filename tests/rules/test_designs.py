"""Designs that the code says in so many words are no warnings; the slips that look like them stay loud."""

import textwrap

import pytest
from judging import said

NET = """
class Part(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc = nn.Linear(d, d)

    def forward(self, x, g=None, invert=False, flag=False):
        return self.fc(x)

class Net(nn.Module):
    def __init__(self, d, n):
        super().__init__()
        self.n = n
        self.part, self.mix = Part(d), nn.Linear(d, d)
        self.net = nn.Sequential(nn.Linear(d, d), nn.Tanh(), nn.Linear(d, d))
        self.cell, self.out = nn.GRUCell(d, d), nn.Linear(d, d)
        self.encoder, self.decoder = nn.Linear(d, d), nn.Linear(d, d)
        self.layers = nn.ModuleList([nn.Linear(d, d) for _ in range(n)])
        self.score = nn.Linear(d, 1)
        self.stem1, self.stem2, self.middle = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.query = self.key

"""


def loud(forward: str) -> set[str]:
    """The callees that some rule about calls warns of."""
    text = NET + textwrap.indent(textwrap.dedent(forward).strip(), "    ") + "\n"
    rules = ("shared-parameters", "same-input-twice", "shared-recurrent", "shared-layer-norm")
    return {what for rule in rules for what, severity in said(rule, text) if severity in ("warning", "error")}


DESIGNS = {
    "a keyword turns it round": "def forward(self, x, a):\n    y = self.mix(self.part(x))\n    return self.part(y, invert=True)",
    "so does a truth value by position": """
        def forward(self, x, a):
            y = self.mix(self.part(x, a, False))
            return self.part(y, a, True)
    """,
    "a first guess without gradient": """
        def forward(self, x):
            with torch.no_grad():
                guess = self.net(x)
            return self.net(x + guess)
    """,
    "a first guess in inference mode": """
        def forward(self, x):
            with torch.inference_mode():
                guess = self.net(x)
            return self.net(torch.cat([x, guess]))
    """,
    "a result that is detached before it comes back": """
        def forward(self, x):
            guess = self.net(x).detach()
            return self.net(x + guess)
    """,
    "an input that was detached": """
        def forward(self, x):
            y = self.net(x)
            frozen = y.detach()
            return self.net(frozen), y
    """,
    "a cell that is unrolled by hand, and what reads its states": """
        def forward(self, x, h):
            first = self.cell(x[0], h)
            a = self.out(first)
            second = self.cell(x[1], first)
            return a, self.out(second)
    """,
    "the midpoint method": """
        def forward(self, x, dt):
            middle = x + 0.5 * dt * self.net(x)
            return x + dt * self.net(middle)
    """,
    "Heun's method": """
        def forward(self, x, h):
            k1 = self.net(x)
            k2 = self.net(x + h * k1)
            return x + h / 2 * (k1 + k2)
    """,
    "a cycle": """
        def forward(self, x):
            z = self.encoder(x)
            x_hat = self.decoder(z)
            return x_hat, self.encoder(x_hat)
    """,
    "an encoder behind its decoder, whatever the names": """
        def forward(self, x):
            z = self.encoder(x)
            y = self.decoder(z)
            return z, y, self.encoder(y)
    """,
    "positive and negative pairs of one body": """
        def forward(self, pos, neg, x):
            h = self.mix(x)
            return self.part(h * pos), self.part(h * neg)
    """,
    "an alias that is written out": "def forward(self, x):\n    return self.query(x) @ self.key(x).transpose(-2, -1)",
    "a number that counts stages": """
        def forward(self, x):
            a = self.middle(x)
            f1, f2, f4 = self.stem1(a + x[0]), self.stem1(a + x[1]), self.stem1(a + x[3])
            return self.stem2(f1 + f2 + f4)
    """,
    "a comment below the call": """
        def forward(self, x):
            x = self.mix(self.part(x))
            x = self.part(x)
            # we use the same block here, as in the paper
            return x
    """,
    "a comment in Chinese": """
        def forward(self, x):
            x = self.mix(self.part(x))
            return self.part(x)  # 两处共用同一个模块
    """,
    "a comment that says reuse": """
        def forward(self, x):
            x = self.mix(self.part(x))
            # re-use the block
            return self.part(x)
    """,
    "a result that two places compute": """
        def forward(self, x):
            return self.mix(self.part(x)) + self.out(self.part(x))
    """,
}


@pytest.mark.parametrize("case", DESIGNS)
def test_a_design_is_no_warning(case: str) -> None:
    assert loud(DESIGNS[case]) == set()


SLIPS = {
    "a flag that does not turn it round": """
        def forward(self, x):
            x = self.mix(self.part(x))
            return self.part(x, flag=True)
    """,
    "one residual block twice": "def forward(self, x):\n    x = x + self.part(x)\n    return x + self.part(x)",
    "half a residual block twice": "def forward(self, x):\n    x = x + 0.5 * self.part(x)\n    return x + 0.5 * self.part(x)",
    "one block with the same mask twice": "def forward(self, x, mask):\n    x = self.part(x, mask)\n    return self.part(x, mask)",
    "a layer, a layer, the first layer again": "def forward(self, x):\n    return self.part(self.mix(self.part(x)))",
    "a comment that denies": """
        def forward(self, x):
            x = self.mix(self.part(x))
            return self.part(x)  # do not reuse weights
    """,
    "one projection for two names": "def forward(self, x):\n    a = self.mix(x)\n    b = self.mix(x)\n    return a @ b",
    "a call that nothing reads": "def forward(self, x):\n    unused = self.mix(x)\n    return self.mix(x)",
}


@pytest.mark.parametrize("case", SLIPS)
def test_a_slip_that_looks_like_one_stays_loud(case: str) -> None:
    assert loud(SLIPS[case]) != set()


@pytest.mark.parametrize(("test", "arm", "severity"), [("share", "else", "warning"), ("not share", "else", "hint")])
def test_a_sharing_flag_excuses_the_arm_that_asks_for_sharing(test: str, arm: str, severity: str) -> None:
    text = f"""
class Net(nn.Module):
    def __init__(self, d, n, share):
        super().__init__()
        layer = nn.Linear(d, d)
        if {test}:
            self.layers = None
        {arm}:
            self.layers = nn.ModuleList([layer] * n)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
"""
    assert [loud for _, loud in said("repeated-instance", text)] == [severity]


IDS = """
class Net(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.embed = nn.Embedding(9, d)

    def forward(self, {a}, {b}):
        return self.embed({a}) @ self.embed({b}).transpose(-2, -1)
"""


@pytest.mark.parametrize(
    ("a", "b", "severity"),
    [("user_ids", "item_ids", "information"), ("words", "pos_tags", "information"), ("question", "passage", "hint")],
)
def test_a_table_is_worth_a_look_where_names_say_that_its_ids_are_of_several_kinds(
    a: str, b: str, severity: str
) -> None:
    assert [loud for _, loud in said("shared-embedding", IDS.format(a=a, b=b))] == [severity]


LEVELS = """
class Net(nn.Module):
    def __init__(self, d, n):
        super().__init__()
        head = nn.Linear(d, 2)
        self.heads = nn.ModuleList([head for _ in range(n)])

    def forward(self, levels, q, k):
        {forward}
"""


@pytest.mark.parametrize(
    ("forward", "loud"),
    [
        ("return [self.heads[i](levels[i]) for i in range(levels.shape[0])]", False),
        ("return [head(level) for head, level in zip(self.heads, levels)]", False),
        ("return [head(x) for head, x in zip(self.heads, (q, k))]", True),
        ("x = q\n        for head in self.heads:\n            x = head(x)\n        return x", True),
    ],
)
def test_a_list_that_repeats_one_head_for_levels_is_a_design(forward: str, loud: bool) -> None:
    found = said("repeated-instance", LEVELS.format(forward=forward))
    assert [severity in ("warning", "error") for _, severity in found] == [loud]


def test_layers_that_are_all_called_again_in_turn_are_a_recursion() -> None:
    forward = "def forward(self, x):\n    x = self.out(self.mix(x))\n    return self.out(self.mix(x))"
    assert loud(forward) == set()


def test_a_state_that_another_method_hands_on_beside_a_new_input_is_a_recurrence() -> None:
    forward = """
        def forward(self, x, y):
            state = self.encode(x)
            data = y + 1
            return self.part(data, state)

        def encode(self, x):
            data = x + 1
            state = self.part(data, x[0])
            return state
    """
    assert loud(forward) == set()


def test_a_twin_whose_call_is_commented_out_is_worth_a_look() -> None:
    text = """
class Net(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc = nn.Linear(d, d)
        self.bn = nn.BatchNorm1d(d)
        self.bn_attention = nn.BatchNorm1d(d)

    def forward(self, x):
        x = self.bn(self.fc(x))
        # x = self.bn_attention(x)
        return self.bn(x)
"""
    assert [severity for _, severity in said("unused-twin", text)] == ["information"]


PASSES = """
class Net(nn.Module):
    def __init__(self, n, d):
        super().__init__()
        self.n, self.ins, self.outs = n, nn.ModuleList([]), nn.ModuleList([])
        for _ in range(n):
            self.ins.append(nn.Linear(d, d))
            self.outs.append(nn.Linear(d, d, bias=False))

"""


@pytest.mark.parametrize(
    "forward",
    [
        (
            "for i in range(self.n):\n    h, w = x[0], self.ins[i](x)\n    for k in range(x.shape[0]):\n"
            "        h = torch.tanh(w[k] + self.outs[i](h))\n    x = w + h\nreturn x"
        ),
        "for layer in self.outs:\n    for _ in range(x.shape[0]):\n        x = layer(x)\nreturn x",
        "for _ in range(x.shape[0]):\n    for layer in self.outs:\n        x = layer(x)\nreturn x",
    ],
)
def test_a_loop_inside_or_around_the_loop_over_layers_does_not_find_one_layer_in_all_positions(forward: str) -> None:
    text = PASSES + textwrap.indent("def forward(self, x):\n" + textwrap.indent(forward, "    "), "    ") + "\n"
    assert {severity for _, severity in said("shared-parameters", text)} <= {"hint"}


def test_a_list_that_holds_one_instance_again_and_again_is_worth_a_look() -> None:
    text = PASSES.replace("self.outs.append(nn.Linear(d, d, bias=False))", "self.outs.append(self.one)").replace(
        "for _ in range(n)", "self.one = nn.Linear(d, d)\n        for _ in range(n)"
    )
    text += "    def forward(self, x):\n        for layer in self.outs:\n            x = layer(x)\n        return x\n"
    found = [severity for rule in ("shared-parameters", "repeated-instance") for _, severity in said(rule, text)]
    assert set(found) & {"information", "warning"}


def test_one_batch_norm_behind_several_layers_of_numbered_branches_is_a_slip() -> None:
    text = """
class Pyramid(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.conv1 = nn.Conv2d(d, d, 1)
        self.conv2 = nn.Conv2d(d, d, 1)
        self.conv3 = nn.Conv2d(d, d, 1)
        self.bn = nn.BatchNorm2d(d)

    def forward(self, x):
        x1 = self.conv1(nn.functional.adaptive_avg_pool2d(x, 1))
        x1 = self.bn(x1)
        x2 = self.conv2(nn.functional.adaptive_avg_pool2d(x, 2))
        x2 = self.bn(x2)
        x3 = self.conv3(nn.functional.adaptive_avg_pool2d(x, 3))
        x3 = self.bn(x3)
        return x1, x2, x3
"""
    assert [severity for _, severity in said("shared-batch-norm", text)] == ["warning"]
    one = text.replace("self.conv2(", "self.conv1(").replace("self.conv3(", "self.conv1(")
    assert "warning" not in {severity for _, severity in said("shared-batch-norm", one)}
