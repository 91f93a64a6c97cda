"""Only calls that one run of forward makes together are weighed, counted, shown and split together."""

import pytest
from judging import analysis, fixed, said

PARTS = """
class Net(nn.Module):
    def __init__(self, d, n, mode="a", kind="pre"):
        super().__init__()
        self.d, self.n, self.mode, self.kind = d, n, mode, kind
        self.fc1 = nn.Linear(d, d)
        self.fc2 = nn.Linear(d, d)
        self.cell = nn.GRUCell(d, d)
        self.norm = nn.LayerNorm(d)
        self.bn = nn.BatchNorm1d(d)
        self.layers = nn.ModuleList([nn.Linear(d, d) for _ in range(n)])
"""


def net(forward: str) -> str:
    lines = forward.strip("\n").split("\n")
    return PARTS + "\n" + "\n".join(f"    {line}" if line else line for line in lines) + "\n"


def loud(rule: str, forward: str) -> list[str]:
    return [text for text, severity in said(rule, net(forward)) if severity in ("warning", "error")]


EXCLUSIVE = {
    "teacher forcing or greedy, each in its loop": """
def forward(self, x, h, greedy):
    if greedy:
        token = x[0]
        for _ in range(self.n):
            h = self.cell(self.fc1(token), h)
            token = h
        return h
    for step in x:
        h = self.cell(self.fc1(step), h)
    return h
""",
    "two methods, chosen by a flag": """
def forward(self, x):
    return self.first(x) if self.training else self.second(x)

def first(self, x):
    return self.norm(self.fc2(self.fc1(x)))

def second(self, x):
    x = self.norm(self.fc1(x))
    return self.fc2(x)
""",
    "one text or another": """
def forward(self, x):
    if self.mode == "a":
        x = self.norm(x)
    x = x + self.fc1(x)
    if self.mode == "b" or self.mode == "c":
        x = self.norm(x)
    return x
""",
    "one text or several": """
def forward(self, x):
    if self.mode == "a":
        x = self.norm(x)
    x = x + self.fc1(x)
    if self.mode in ("b", "c"):
        x = self.norm(x)
    return x
""",
    "an early return under a test of a size": """
def forward(self, x):
    if x.size(0) == 1:
        return self.norm(self.fc1(x))
    x = self.fc2(x)
    return self.norm(x)
""",
}


@pytest.mark.parametrize("case", EXCLUSIVE)
@pytest.mark.parametrize("rule", ["shared-layer-norm", "shared-recurrent", "shared-parameters"])
def test_calls_that_exclude_each_other_are_not_weighed_together(rule: str, case: str) -> None:
    assert loud(rule, EXCLUSIVE[case]) == []


def test_a_slip_in_one_arm_is_counted_without_the_other_arm() -> None:
    found = analysis(
        "shared-batch-norm",
        net("""
def forward(self, x):
    if x.size(0) == 1:
        return self.bn(x)
    x = self.bn(self.fc1(x)).relu()
    return self.bn(self.fc2(x))
"""),
    )
    (message,) = {finding.message for finding in found.findings}
    assert "twice" in message


def test_arms_of_one_branch_in_a_loop_are_one_recurrent_call() -> None:
    forward = """
def forward(self, x, h):
    for t in range(4):
        if t == 3:
            h = self.cell(x, h)
        else:
            h = self.cell(x, h)
    return h
"""
    assert loud("shared-recurrent", forward) == []


@pytest.mark.parametrize("test", ["i == self.n - 1", "self.n == i", "i == min(self.kind)", "i == 2"])
def test_an_equality_on_the_index_lets_one_pass_through(test: str) -> None:
    forward = f"""
def forward(self, x):
    for i in range(len(self.layers)):
        x = self.layers[i](x)
        if {test}:
            x = self.norm(x)
    return x
"""
    assert analysis("shared-layer-norm", net(forward)).findings == ()


def test_a_norm_in_every_pass_but_one_is_called_several_times() -> None:
    forward = """
def forward(self, x):
    for i in range(len(self.layers)):
        x = self.layers[i](x)
        if i != self.n - 1:
            x = self.norm(x)
    return x
"""
    assert len(analysis("shared-layer-norm", net(forward)).findings) == 1


def test_a_twin_is_idle_only_where_two_calls_meet() -> None:
    twins = """
class Net(nn.Module):
    def __init__(self, d, flag):
        super().__init__()
        self.flag = flag
        self.fc = nn.Linear(d, d)
        self.norm1 = nn.LayerNorm(d)
        self.norm2 = nn.LayerNorm(d)

    def forward(self, x):
        if self.flag:
            return self.norm1(self.fc(x))
        return self.norm1(x)
"""
    assert said("unused-twin", twins) == []


def test_a_twin_that_some_configurations_lack_is_no_twin() -> None:
    twins = """
class Net(nn.Module):
    def __init__(self, d, flag):
        super().__init__()
        self.fc1 = nn.Linear(d, d)
        self.fc2 = nn.Linear(d, d)
        self.norm1 = nn.LayerNorm(d)
        if flag:
            self.norm2 = nn.LayerNorm(d)

    def forward(self, x):
        return self.norm1(self.fc2(self.norm1(self.fc1(x))))
"""
    assert said("unused-twin", twins) == []
    assert [severity for _, severity in said("shared-layer-norm", twins)] == ["warning"]


def test_a_split_gives_both_arms_the_same_parts() -> None:
    forward = """
def forward(self, x, other):
    if other:
        x = self.norm(self.fc1(x))
        return self.norm(self.fc2(x))
    x = self.norm(self.fc2(x))
    return self.norm(self.fc1(x))
"""
    text = fixed("shared-layer-norm", net(forward))
    assert text is not None
    assert text.count("self.norm(") == 2 and text.count("self.norm2(") == 2


def test_a_split_is_refused_where_an_arm_calls_fewer() -> None:
    forward = """
def forward(self, x, other):
    if other:
        return self.norm(x)
    x = self.norm(self.fc2(x))
    return self.norm(self.fc1(x))
"""
    found = analysis("shared-layer-norm", net(forward))
    assert found.findings and all(fix.edits(found.index) is None for fix in found.findings[0].fixes)


def test_the_same_is_not_said_twice_of_an_attribute_that_two_arms_define() -> None:
    text = """
class Net(nn.Module):
    def __init__(self, d, wide):
        super().__init__()
        self.mix = nn.Linear(d, d)
        self.head = nn.Linear(d, 2) if wide else nn.Linear(d, 3)

    def forward(self, x):
        return self.head(x), self.head(self.mix(x))
"""
    found = analysis("shared-parameters", text).findings
    assert len(found) == 1


@pytest.mark.parametrize(("middle", "rest"), [("self.fc2(x)", ""), ("x", " + self.fc2(x)")])
def test_a_chain_may_lead_through_methods(middle: str, rest: str) -> None:
    forward = f"""
def body(self, x):
    return self.fc1(x)

def head(self, x):
    return self.fc1(x).relu()

def forward(self, x):
    x = self.body(x)
    return self.head({middle}){rest}
"""
    assert len(loud("shared-parameters", forward)) == 1


def test_a_batch_norm_behind_two_layers_is_a_slip_in_one_configuration_too() -> None:
    forward = """
def forward(self, x):
    if self.mode == "a":
        x = self.bn(self.fc1(x)).relu()
        return self.bn(self.fc2(x))
    return self.bn(self.fc1(x))
"""
    assert len(loud("shared-batch-norm", forward)) == 1
    assert loud("shared-layer-norm", forward.replace("self.bn", "self.norm")) == []


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("x = self.norm(layer(x)).relu()", 1),
        ("x = x + layer(self.norm(x))", 1),
        ("x = layer(x)\n        levels.append(self.norm(x))", 0),
    ],
)
def test_one_norm_for_all_layers_of_a_list_is_a_slip(line: str, count: int) -> None:
    forward = f"""
def forward(self, x):
    levels = []
    for layer in self.layers:
        {line}
    return x, levels
"""
    assert len(loud("shared-layer-norm", forward)) == count


def test_a_block_that_scales_what_each_layer_reads_may_serve_all_layers() -> None:
    forward = """
def forward(self, x):
    for layer in self.layers:
        x = layer(x * self.fc1(x))
    return x
"""
    assert loud("shared-parameters", forward) == []


@pytest.mark.parametrize("about", ["x.device", "x.shape", "x.dtype"])
def test_what_a_tensor_tells_of_itself_is_no_chain(about: str) -> None:
    forward = f"""
def forward(self, x, y):
    z = self.fc2(self.fc1(x))
    return z, self.fc1(y.to(z.{about.split(".")[1]}))
"""
    assert loud("shared-parameters", forward) == []


def test_a_norm_whose_result_only_corrects_what_the_next_layer_reads_beside_is_a_head() -> None:
    forward = """
def forward(self, x, points):
    levels = []
    for layer in self.layers:
        x = layer(x + points)
        level = self.norm(x)
        levels.append(level)
        points = points + self.fc1(level)
    return levels
"""
    assert loud("shared-layer-norm", forward) == []
