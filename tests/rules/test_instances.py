"""One instance, one finding: whatever kinds may stand there, wherever it is called, whichever rules could speak of it."""

import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

from nnreuse.config.settings import Settings
from nnreuse.rules.finding import Finding
from nnreuse.workspace.analysis import Analysis
from nnreuse.workspace.project import Project

sys.path.insert(0, str(Path(__file__).parent.parent / "tracing"))
from random_programs import program

HERE = Path(__file__).parent
HEAD = "import torch\nimport torch.nn as nn\n"
PROFILES = Settings(profiles=frozenset(["quantization", "attribution", "fsdp"]))


def analysis(text: str, settings: Settings | None = None) -> Analysis:
    return Project(settings or Settings()).check(Path("model.py"), text)


def found(body: str) -> list[Finding]:
    return list(analysis(HEAD + textwrap.dedent(body)).findings)


def assert_each_once(checked: Analysis) -> None:
    """No two findings have one rule and one instance, nor one text and one place; no place is named twice in one finding."""
    made = Counter((one.rule, one.owner, instance) for one in checked.findings for instance in one.instances)
    assert not [key for key, count in made.items() if count > 1]
    said = Counter((one.message, one.place) for one in checked.findings)
    assert not [key for key, count in said.items() if count > 1]
    for finding in checked.findings:
        places = [finding.place, *(one.place for one in finding.related)]
        assert len(places) == len(set(places)), finding


@pytest.mark.parametrize("part", range(4))
def test_random_programs_have_each_instance_once(part: int) -> None:
    for seed in range(part * 60, part * 60 + 60):
        for settings in (Settings(), PROFILES):
            assert_each_once(analysis(program(seed).source, settings))


def test_own_cases_have_each_instance_once() -> None:
    from test_cases import DESIGNS, SLIPS

    for text in (*(text for text, _ in SLIPS.values()), *DESIGNS.values()):
        assert_each_once(analysis(text))


def test_the_examples_of_all_rules_have_each_instance_once() -> None:
    from test_documentation import block, marked

    from nnreuse.rules import registry

    for rule in registry.names():
        assert_each_once(analysis(marked(block(rule, "Example"))[0], PROFILES))


BUILT = """
    class Plain(nn.Module):
        def __init__(self, d):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(d))

        def forward(self, x):
            return x * self.weight

    class Rms(Plain):
        pass

    class Low(Plain):
        pass

    def build(config):
        if config.norm == "plain":
            return Plain(config.dim)
        if config.norm == "rms":
            return Rms(config.dim)
        return Low(config.dim)

    class Block(nn.Module):
        def __init__(self, config):
            super().__init__()
            self.attn = nn.Linear(config.dim, config.dim)
            self.norm = build(config)
            self.mlp = nn.Linear(config.dim, config.dim)

        def forward(self, x):
            x = x + self.attn(self.norm(x))
            return x + self.mlp(self.norm(x))
"""


def test_what_a_factory_of_several_kinds_makes_is_one_instance() -> None:
    (finding,) = found(BUILT)
    assert finding.attribute == "norm" and finding.place.unit.text.count("self.norm(x)") == 2
    assert [(one.place.text, one.role) for one in finding.related] == [
        ("self.norm", "call"),
        ("self.norm = build(config)", "definition"),
    ]
    assert finding.related[0].place.span.start < finding.place.span.start, "it stands at the second call"


def test_of_kinds_that_several_rules_judge_the_loudest_is_named() -> None:
    (finding,) = found("""
        class Net(nn.Module):
            def __init__(self, d, kind):
                super().__init__()
                self.conv1, self.conv2 = nn.Conv2d(d, d, 3), nn.Conv2d(d, d, 3)
                self.norm = nn.BatchNorm2d(d) if kind == "batch" else nn.GroupNorm(8, d)

            def forward(self, x):
                x = self.norm(self.conv1(x)).relu()
                return self.norm(self.conv2(x)).relu()
    """)
    assert finding.rule == "shared-batch-norm" and "where it is a `BatchNorm2d`" in finding.message


def test_members_of_a_comprehension_are_one_instance() -> None:
    (finding,) = found("""
        class MyModule(nn.Module):
            def __init__(self):
                super().__init__()
                self.linears = nn.ModuleList([nn.Linear(10, 10) for i in range(10)])

            def forward(self, x):
                for i, l in enumerate(self.linears):
                    x = self.linears[i // 2](x) + l(x)
                return x
    """)
    assert [finding.place.text, *(one.place.text for one in finding.related)] == [
        "l",
        "self.linears[i // 2]",
        "nn.Linear(10, 10)",
    ]


def test_two_attributes_that_one_helper_makes_are_two_instances() -> None:
    assert (
        len(
            found("""
        def make(d):
            return nn.Linear(d, d)

        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.a = make(d)
                self.b = make(d)
                self.mix = make(d)

            def forward(self, x):
                x = self.a(self.mix(self.a(x)))
                return self.b(x + self.b(x).relu())
    """)
        )
        == 2
    )


def test_one_of_the_rules_that_speak_of_an_alias_speaks_and_marks_every_call() -> None:
    findings = found("""
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.first = nn.Linear(d, d)
                self.second = self.first
                self.mix = nn.Linear(d, d)

            def forward(self, x):
                return self.second(self.mix(self.first(x)))
    """)
    (finding,) = findings
    assert {"self.first", "self.second"} <= {place.text for place in finding.calls}


def test_several_places_of_a_sequential_are_one_finding() -> None:
    (finding,) = found("""
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                norm = nn.BatchNorm1d(d)
                self.layers = nn.Sequential(nn.Linear(d, d), norm, nn.Linear(d, d), norm, nn.Linear(d, d), norm)

            def forward(self, x):
                return self.layers(x)
    """)
    assert len(finding.calls) == 3
