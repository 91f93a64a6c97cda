"""Rules of profiles: off unless the settings name one of theirs, or the rule itself."""

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from judging import HEADER, fixed, said

from nnreuse.cli.main import nnreuse as command
from nnreuse.config.settings import Profile, Settings
from nnreuse.config.toml import parse
from nnreuse.workspace.project import Project

RULE = "reused-activation"
NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(2, 2), nn.Linear(2, 2)
        self.act = {act}

    def forward(self, x):
        {forward}
"""
TWICE = "return self.act(self.fc2(self.act(self.fc1(x))))"


def net(act: str = "nn.ReLU()", forward: str = TWICE) -> str:
    return NET.format(act=act, forward=forward)


@pytest.mark.parametrize(
    ("profiles", "rules"),
    [
        ([], set()),
        (["quantization"], {RULE}),
        (["attribution"], {RULE}),
        (["fsdp"], set[str]()),
        (["clarity"], set[str]()),
    ],
)
def test_a_profile_turns_its_rules_on(profiles: list[Profile], rules: set[str]) -> None:
    found = Project(Settings(profiles=frozenset(profiles))).check(Path("model.py"), HEADER + net())
    assert {finding.rule for finding in found.findings} == rules


def test_settings_files_and_the_command_line_name_profiles(tmp_path: Path) -> None:
    assert parse({"profile": ["fsdp", "quantization"]}, tmp_path).settings.profiles == {"fsdp", "quantization"}
    assert parse({"profile": ["speed"]}, tmp_path).problems
    file = tmp_path / "model.py"
    file.write_text(HEADER + net())
    run = CliRunner()
    assert run.invoke(command, ["check", str(file)]).exit_code == 0
    assert run.invoke(command, ["check", "--profile", "fsdp,quantization", str(file)]).exit_code == 1
    wrong = run.invoke(command, ["check", "--profile", "speed", str(file)])
    assert wrong.exit_code == 2 and "attribution, clarity, fsdp, quantization" in wrong.output


@pytest.mark.parametrize("act", ["nn.ReLU()", "nn.Softmax(dim=-1)", "nn.MaxPool1d(1)"])
def test_an_activation_at_two_places_is_found(act: str) -> None:
    assert said(RULE, net(act)) == [("self.act", "warning")]


@pytest.mark.parametrize(
    ("act", "forward"),
    [
        ("nn.ReLU()", "return self.act(self.fc1(x))"),
        ("nn.ReLU()", "return self.act(x) if self.training else self.act(self.fc1(x))"),
        ("nn.PReLU()", TWICE),
        ("nn.Dropout()", TWICE),
        ("nn.Linear(2, 2)", TWICE),
    ],
)
def test_other_modules_and_one_call_at_a_time_are_silent(act: str, forward: str) -> None:
    assert said(RULE, net(act, forward)) == []


def test_each_place_gets_its_own_and_the_model_computes_what_it_did() -> None:
    after = fixed(RULE, net())
    assert after is not None
    outputs: list[torch.Tensor] = []
    for text in (net(), after):
        scope: dict[str, object] = {}
        exec(HEADER + text, scope)
        torch.manual_seed(0)
        outputs.append(scope["Net"]()(torch.ones(1, 2)))  # type: ignore[operator]
    assert torch.equal(*outputs)


@pytest.mark.parametrize(
    ("made", "severities"),
    [
        ("e = nn.Embedding(2, 2); self.a, self.b = Block(e), Block(e)", ["warning"]),
        ("self.e = nn.Linear(2, 2); self.a, self.b = Block(self.e), Block(self.e)", ["warning"]),
        ("self.a, self.b = Block(nn.Linear(2, 2)), Block(nn.Linear(2, 2))", []),
        ("e = nn.ReLU(); self.a, self.b = Block(e), Block(e)", []),
    ],
)
def test_fsdp_minds_shared_parameters_though_they_are_a_design(made: str, severities: list[str]) -> None:
    block = "class Block(nn.Module):\n    def __init__(self, e):\n        super().__init__()\n        self.e = e\n"
    text = f"{block}\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        {made}\n"
    assert [severity for _, severity in said("shared-across-groups", text)] == severities


CLARITY = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(2, 2), nn.Linear(2, 2)
        self.conv = nn.Conv1d(2, 2, 1)
        self.act1 = {first}
        self.act2 = {second}

    def forward(self, x):
        return {result}
"""


@pytest.mark.parametrize(
    ("first", "second", "result", "found"),
    [
        ("nn.ReLU()", "nn.ReLU()", "self.act2(self.fc2(self.act1(self.fc1(x))))", ["nn.ReLU()"]),
        ("nn.ReLU()", "nn.GELU()", "self.act2(self.fc2(self.act1(self.fc1(x))))", []),
        ("nn.PReLU()", "nn.PReLU()", "self.act2(self.fc2(self.act1(self.fc1(x))))", []),
        ("nn.ReLU()", "nn.ReLU()", "self.act2(self.conv(self.act1(self.fc1(x))))", []),
    ],
)
def test_equal_stateless_modules_of_one_purpose_could_be_one(
    first: str, second: str, result: str, found: list[str]
) -> None:
    body = CLARITY.format(first=first, second=second, result=result)
    assert said("duplicate-stateless-module", body) == [(text, "information") for text in found]


@pytest.mark.parametrize(("inner", "count"), [("self.conv", 1), ("self.fc2", 0)])
def test_one_module_behind_layers_of_different_kinds_serves_two_purposes(inner: str, count: int) -> None:
    result = f"self.act1({inner}(self.act1(self.fc1(x))))"
    body = CLARITY.format(first="nn.Dropout(0.1)", second="nn.ReLU()", result=result)
    assert said("mixed-purpose-module", body) == [("self.act1", "information")] * count


def test_clarity_does_not_ask_for_what_quantization_forbids() -> None:
    body = CLARITY.format(first="nn.ReLU()", second="nn.ReLU()", result="self.act2(self.fc2(self.act1(self.fc1(x))))")
    both = Settings(profiles=frozenset({"clarity", "quantization"}))
    found = Project(both).check(Path("model.py"), HEADER + body).findings
    assert "duplicate-stateless-module" not in {finding.rule for finding in found}
