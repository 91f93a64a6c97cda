"""Modules in plain containers: found unless torch sees them elsewhere; the fix keeps what the file does with the attribute."""

import pytest
import torch
from judging import HEADER, analysis, fixed, said

from nnreuse.fixes.fix import unfixed
from nnreuse.fixes.keys import RESERVED

RULE = "unregistered-module"


def net(init: str, forward: str = "return self.layers[0](x)", imports: str = "") -> str:
    body = init.replace("\n", "\n        ")
    return (
        f"{imports}\nclass Net(nn.Module):\n    def __init__(self, n=2):\n        super().__init__()\n"
        f"        {body}\n\n    def forward(self, x):\n        {forward}\n"
    )


LIST = "self.layers = [nn.Linear(2, 2), nn.Linear(2, 2)]"


@pytest.mark.parametrize(
    ("init", "marked"),
    [
        (LIST, "[nn.Linear(2, 2), nn.Linear(2, 2)]"),
        ("self.layers = []\nfor _ in range(n):\n    self.layers.append(nn.Linear(2, 2))", "[]"),
        ("self.layers = (nn.Linear(2, 2), nn.ReLU())", "(nn.Linear(2, 2), nn.ReLU())"),
        ("self.layers = {0: nn.Linear(2, 2)}", "{0: nn.Linear(2, 2)}"),
        ("layers = [nn.Linear(2, 2), nn.ReLU()]\nself.layers = layers", "layers"),
    ],
)
def test_every_plain_container_whose_modules_are_called_is_a_slip(init: str, marked: str) -> None:
    assert said(RULE, net(init)) == [(marked, "warning")]


@pytest.mark.parametrize(
    "init",
    [
        "self.layers = [nn.ReLU(), nn.Tanh()]",
        "self.layers = nn.ModuleList([nn.Linear(2, 2)])",
        "self.layers = [nn.Linear(2, 2)]\nself.net = nn.Sequential(*self.layers)",
        "self.layers = [nn.Linear(2, 2)]\nfor i, m in enumerate(self.layers):\n    self.add_module(f'l{i}', m)",
        "self.layers = [nn.Linear(2, 2)]\nself.layers = nn.ModuleList(self.layers)",
        "self.fc = nn.Linear(2, 2)\nself.layers = [self.fc]",
        "self.layers = [nn.Linear(2, 2)]\nunknown(self, self.layers)",
        "layers = [nn.Linear(2, 2)]\nself.layers = layers\nunknown(*layers)",
        "self.layers = [2, 3]",
    ],
)
def test_what_torch_sees_or_may_see_is_silent(init: str) -> None:
    assert said(RULE, net(init)) == []


@pytest.mark.parametrize(
    "init",
    [
        "self.layers = [nn.Linear(2, 2)]",
        LIST + "  # not registered on purpose",
        "# keeps it out of state_dict\n" + LIST,
    ],
)
def test_hiding_on_purpose_is_worth_a_look_only(init: str) -> None:
    assert [severity for _, severity in said(RULE, net(init))] == ["information"]


@pytest.mark.parametrize(
    ("init", "forward", "result"),
    [
        (LIST, "return sum(f(x) for f in self.layers)", "nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])"),
        ("self.layers = []\nself.layers.append(nn.Linear(2, 2))", "return self.layers[-1](x)", "nn.ModuleList()"),
        (
            "self.layers = {'a': nn.Linear(2, 2)}",
            "return [f(x) for k, f in self.layers.items()]",
            "nn.ModuleDict({'a': nn.Linear(2, 2)})",
        ),
        (
            "layers = [nn.Linear(2, 2), nn.ReLU()]\nself.layers = layers",
            "return self.layers[0](x)",
            "nn.ModuleList(layers)",
        ),
    ],
)
def test_the_container_becomes_one_that_torch_knows(init: str, forward: str, result: str) -> None:
    after = fixed(RULE, net(init, forward))
    assert after is not None and f"self.layers = {result}\n" in after
    scope: dict[str, object] = {}
    exec(HEADER + after, scope)
    model = scope["Net"]()  # type: ignore[operator]
    assert list(model.parameters())
    model(torch.zeros(1, 2))


def test_the_import_form_of_the_file_is_kept() -> None:
    text = net(LIST.replace("nn.", "torch.nn.")).replace("nn.Module)", "torch.nn.Module)")
    after = fixed(RULE, "\nfrom torch.nn import ModuleList\n" + text)
    assert after is not None and "self.layers = ModuleList([" in after


@pytest.mark.parametrize(
    ("init", "forward"),
    [
        (LIST, "return self.layers.index(x)"),
        (LIST, "return (self.layers + [x])[0](x)"),
        (LIST, "self.layers.sort(); return self.layers[0](x)"),
        (LIST, "return self.layers[0](x) if self.layers else x"),
        ("self.layers = {'items': nn.Linear(2, 2)}", "return self.layers['items'](x)"),
        ("self.layers = {0: nn.Linear(2, 2)}", "return self.layers[0](x)"),
        ("self.layers = {'a': nn.Linear(2, 2)}", "return self.layers.get('a')(x)"),
        ("self.layers = [[nn.Linear(2, 2)], [nn.Linear(2, 2)]]", "return self.layers[0][0](x)"),
        ("self.layers = [nn.Linear(2, 2), None]", "return self.layers[0](x)"),
        (
            "layers = [nn.Linear(2, 2), nn.ReLU()]\nself.layers = layers\nlayers.append(nn.ReLU())",
            "return self.layers[0](x)",
        ),
        ("self.layers = (nn.Linear(2, 2), nn.ReLU())", "return self.layers[0](x)"),
    ],
)
def test_no_fix_where_a_module_container_cannot_do_the_same(init: str, forward: str) -> None:
    found = analysis(RULE, net(init, forward))
    assert found.findings
    assert all(unfixed(finding.fixes, found.index) for finding in found.findings)


def test_reserved_keys_are_those_that_torch_refuses() -> None:
    names = {name for name in dir(torch.nn.ModuleDict()) if not name.startswith("_")}
    assert names <= RESERVED


@pytest.mark.parametrize(
    "made", ["nn.Sequential(nn.Linear(2, 2), nn.ReLU())", "nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])"]
)
def test_a_slice_of_a_container_is_a_container(made: str) -> None:
    assert said(RULE, net(f"base = {made}\nself.part = base[:2]\nself.last = {made}[1:]")) == []


def owner(bases: str, extra: str = "", start: str = "super().__init__()") -> str:
    """A class with a plain list of layers, whatever it inherits from."""
    return (
        "from abc import ABC\nfrom typing import Protocol\nfrom torch.utils.data import Dataset\nfrom lib.core import Typing, BaseNet\n"
        f"class Owner({bases}):\n    def __init__(self):\n        {start}\n        {LIST}\n\n"
        f"    def forward(self, x):\n        return self.layers[0](self.layers[1](x))\n\n{extra}"
    )


@pytest.mark.parametrize(
    "body",
    [
        owner("ABC"),
        owner("Protocol"),
        owner("Dataset"),
        owner("object"),
        owner("Typing", start="pass"),
        owner("Typing", "    def __call__(self, *a):\n        return self.forward(*a)\n"),
    ],
)
def test_a_class_that_is_no_module_keeps_its_layers_as_it_likes(body: str) -> None:
    assert said(RULE, body) == []


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        (owner("Typing"), "information"),
        (owner("BaseNet"), "warning"),
        (owner("Typing", "    def train_on(self):\n        return list(self.parameters())\n"), "warning"),
        (owner("Typing", start="super().__init__(); self.fc = nn.Linear(2, 2)"), "warning"),
        (owner("ABC, nn.Module"), "warning"),
        (owner("Typing", "    def __call__(self, *a):\n        return super().__call__(*a)\n"), "information"),
    ],
)
def test_a_class_whose_base_cannot_be_read_is_a_module_if_it_acts_like_one(body: str, severity: str) -> None:
    assert said(RULE, body) == [("[nn.Linear(2, 2), nn.Linear(2, 2)]", severity)]
