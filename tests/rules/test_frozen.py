"""Parameters that do not learn: who shares them shares nothing that training changes."""

import pytest
from judging import said

NET = """
class Fixed(nn.Module):
    def __init__(self):
        super().__init__()
        {kernel}

    def forward(self, x):
        return x * self.k

class Net(nn.Module):
    def __init__(self, freeze=False):
        super().__init__()
        self.part = Fixed()
        {rest}
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        return self.part(self.fc(self.part(x)))
"""
LEARNS = "self.k = nn.Parameter(torch.ones(4))"


def severities(kernel: str, rest: str = "pass") -> set[str]:
    return {severity for _, severity in said("shared-parameters", NET.format(kernel=kernel, rest=rest))}


@pytest.mark.parametrize(
    "kernel",
    [
        "self.k = nn.Parameter(torch.ones(4), requires_grad=False)",
        "self.k = nn.Parameter(torch.ones(4), False)",
        "self.k = nn.Parameter(torch.ones(4)).requires_grad_(False)",
        "self.k = nn.Parameter(torch.ones(4)); self.k.requires_grad = False",
        "self.register_parameter('k', nn.Parameter(torch.ones(4), requires_grad=False))",
        "self.register_buffer('k', torch.ones(4))",
    ],
)
def test_a_frozen_parameter_is_shared_with_nobody(kernel: str) -> None:
    assert severities(kernel) == set()


@pytest.mark.parametrize(
    "rest",
    [
        "self.part.requires_grad_(False)",
        "self.requires_grad_(requires_grad=False)",
        "for p in self.part.parameters(): p.requires_grad = False",
        "for name, p in self.named_parameters(): p.requires_grad_(False)",
    ],
)
def test_a_module_that_is_frozen_whole_is_shared_with_nobody(rest: str) -> None:
    assert severities(LEARNS, rest) == set()
    assert severities("self.k = nn.Linear(4, 4)", rest) == set()


@pytest.mark.parametrize(
    ("kernel", "rest"),
    [
        (LEARNS, "pass"),
        (LEARNS, "self.part.requires_grad_(freeze)"),
        (LEARNS, "self.part.requires_grad_()"),
        (LEARNS + "; self.j = nn.Parameter(torch.ones(4), requires_grad=False)", "pass"),
        ("self.k = nn.Linear(4, 4); self.k.weight.requires_grad = False", "pass"),
        (LEARNS, "\n        if freeze:\n            self.part.requires_grad_(False)"),
    ],
)
def test_what_may_learn_is_shared(kernel: str, rest: str) -> None:
    assert severities(kernel, rest) == {"warning"}


def test_frozen_weights_in_a_plain_list_are_not_moved() -> None:
    text = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(4, 4).requires_grad_(False), nn.Linear(4, 4).requires_grad_(False)]

        def forward(self, x):
            return self.layers[0](x)
    """
    assert [severity for _, severity in said("unregistered-module", text)] == ["warning"]
