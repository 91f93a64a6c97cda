"""A report on a wrong finding says nothing of its author, is Python, and mostly gives the finding again."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from nnreuse.config.settings import Settings
from nnreuse.rules import registry
from nnreuse.workspace.blanking import blanked, blanked_words
from nnreuse.workspace.project import Project
from nnreuse.workspace.wrong_finding import report_of

SECRET = '''
import torch
import torch.nn as nn
import torch.nn.functional as F
from acme.secret import Gadget as Widget, rate


class SecretNet(nn.Module):
    """The secret of Acme."""

    limit: int = 3

    def __init__(self, secret_width=64, *, mode="secret", **secret_options):
        super().__init__()
        # secret sauce
        self.conv1 = nn.Conv2d(3, secret_width, kernel_size=3)
        self.conv2 = nn.Conv2d(secret_width, secret_width, kernel_size=3)
        self.bn = nn.BatchNorm2d(secret_width)  # shared by accident
        self.gadget = Widget(secret=rate, name=f"secret {mode}")

    @torch.no_grad()
    def secret_step(self, image):
        try:
            from acme import secret
            return secret(image)
        except ValueError as secret_error:
            raise RuntimeError("secret") from secret_error

    def forward(self, image):
        match image:
            case {"secret": value, **secret_rest}:
                return value
            case _:
                pass
        image = F.relu(self.bn(self.conv1(image))).view(image.shape[0], -1)
        image = self.bn(self.conv2(image)).relu()
        return self.gadget(image)
'''


def reported(text: str) -> tuple[str, str]:
    """The report on the first finding of a text, and the code in it."""
    analysis = Project(Settings()).check(Path("model.py"), text)
    report = report_of(analysis.findings[0], analysis.index)
    found = re.search(r"```python\n(.*?)```", report, re.DOTALL)
    assert found is not None
    return report, found[1]


def test_nothing_of_the_author_is_left():
    report, code = reported(SECRET)
    assert not re.search("secret|acme|gadget|widget|image|sauce|accident|conv1|limit", report, re.IGNORECASE)
    ast.parse(code)
    assert re.search(r"nn\.Conv2d\(3, [a-z]+, kernel_size=3\)", code) and "import torch.nn.functional as F" in code
    assert "shared-batch-norm" in report and "nothing has been sent" in report.lower()


def test_numbers_that_tell_two_of_a_kind_apart_stay():
    code, names = blanked("self.conv1 = self.conv2(bn, Conv, x1)", [])
    assert code == "self.a1 = self.a2(b, A, c1)\n"
    assert blanked_words("The `self.conv2` of conv2", names) == "The `self.a2` of conv2"


@pytest.mark.parametrize("name", sorted(registry.names()))
def test_the_examples_of_rules_give_the_same_finding_again(name: str):
    page = inspect.cleandoc(registry.documentation(name))
    example = re.search(r"## Example\n```python\n(.*?)```", page, re.DOTALL)
    if example is None:
        pytest.skip("no example")
    profiles = frozenset({"clarity", "quantization", "attribution", "fsdp"})
    settings = Settings(profiles=profiles)  # type: ignore[arg-type]
    for finding in (analysis := Project(settings).check(Path("model.py"), example[1])).findings:
        if finding.rule != name or finding.owner is None:
            continue
        found = re.search(r"```python\n(.*?)```", report_of(finding, analysis.index), re.DOTALL)
        assert found is not None
        again = Project(settings).check(Path("model.py"), found[1])
        assert again.error is None
        if name not in OF_COMMENTS:
            assert name in {one.rule for one in again.findings}, found[1]


OF_COMMENTS = {"stale-shared-note"}
"""These follow from comments, which are blanked."""
