"""What a plain list or dict holds is registered by other statements: under made names, or in a second container."""

import pytest
from judging import said

FORWARD = """
    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
"""
HEAD = "\nclass Net(nn.Module):\n    def __init__(self, names, dims, n):\n        super().__init__()\n        "
FILLED = "self.layers = [nn.Linear(4, 4) for _ in range(n)]\n"


def net(init: str, rest: str = "", forward: str = FORWARD) -> str:
    return HEAD + init.strip().replace("\n", "\n        ") + "\n" + rest + forward


REGISTERED = [
    FILLED + "for i, layer in enumerate(self.layers):\n    self.add_module(f'layer_{i}', layer)",
    FILLED + "for i, layer in enumerate(self.layers):\n    self.register_module('{:02d}'.format(i), layer)",
    FILLED + "for name, layer in zip(names, self.layers):\n    setattr(self, 'layer_' + name, layer)",
    FILLED + "for name, layer in zip(names, self.layers):\n    self._modules[name] = layer",
    FILLED + "for i in range(n):\n    setattr(self, '%s_%d' % ('layer', i), self.layers[i])",
    "self.layers = []\nfor d in dims:\n    fc = nn.Linear(d, d)\n    self.add_module('l' + str(d), fc)\n    self.layers.append(fc)",
    FILLED + "self.all = nn.ModuleList(self.layers)",
    FILLED + "for i, layer in enumerate(self.layers):\n    self.__setattr__('layer{}'.format(i), layer)",
    FILLED + "for i, layer in enumerate(self.layers):\n    super().__setattr__(f'layer{i}', layer)",
    FILLED + "for i, layer in enumerate(self.layers):\n    nn.Module.__setattr__(self, f'layer{i}', layer)",
    (
        "self.layers = []\nfor i in range(n):\n    self.add_module(f'l{i}', nn.Linear(4, 4))\n"
        "    self.layers.append(self.get_submodule(f'l{i}'))"
    ),
]


@pytest.mark.parametrize("init", REGISTERED)
def test_a_made_name_registers_what_a_list_holds(init: str) -> None:
    assert said("unregistered-module", net(init)) == []


def test_a_helper_registers_it_as_well() -> None:
    helper = (
        "\n    def register(self, layers):\n        for i, one in enumerate(layers):\n"
        "            self.add_module('l{}'.format(i), one)\n"
    )
    assert said("unregistered-module", net(FILLED + "self.register(self.layers)", helper)) == []


@pytest.mark.parametrize(
    "rest", ["self.first = self.layers[0]", "for i, layer in enumerate(self.layers):\n    print(f'layer_{i}', layer)"]
)
def test_a_name_for_one_of_them_does_not_register_the_others(rest: str) -> None:
    assert [severity for _, severity in said("unregistered-module", net(FILLED + rest))] == ["warning"]


@pytest.mark.parametrize(
    "init",
    [
        FILLED + "self.all = nn.Sequential(*self.layers)",
        "self.layers = {n: nn.Linear(4, 4) for n in names}\nself.all = nn.ModuleList(list(self.layers.values()))",
        "self.layers = {'a': nn.Linear(4, 4)}\nself.all = nn.ModuleDict(self.layers)",
        "self.fc = nn.Linear(4, 4)\nself.layers = [self.fc]\nself.all = nn.Sequential(self.fc)",
    ],
)
def test_a_container_that_only_registers_what_is_called_otherwise_is_no_uncalled_module(init: str) -> None:
    assert said("uncalled-module", net(init)) == []


def test_a_container_of_modules_that_nothing_else_holds_is_uncalled() -> None:
    init = FILLED + "self.idle = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))"
    assert said("uncalled-module", net(init)) == [("self.idle", "information")]


BUILT = """
class Part(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.inner = nn.ModuleList([nn.Linear(d, d)])

KINDS = {"a": Part, "b": nn.Linear, "c": nn.Conv1d, "d": nn.Conv2d, "e": nn.Conv3d, "f": nn.Bilinear, "g": nn.LayerNorm}

class Net(nn.Module):
    def __init__(self, config, d):
        super().__init__()
        self.order = self.build(config, d)

    def build(self, config, d):
        order = []
        for name in ["one", "two"]:
            made, order = getattr(self, "build_%s" % name)(config, d, order)
            REGISTER
        return order

    def build_one(self, config, d, order):
        if config.get("one") is None:
            return None, order
        order.append(KINDS[config.one](d, d))
        return order[-1], order

    def build_two(self, config, d, order):
        if config.get("two") is None:
            return None, order
        order.append(KINDS[config.two](d, d))
        return order[-1], order

    def forward(self, x):
        for part in self.order:
            x = part(x)
        return x
"""


@pytest.mark.parametrize(("register", "loud"), [("self.add_module(name, made)", False), ("pass", True)])
def test_parts_that_a_table_of_many_classes_makes_are_registered_where_all_are(register: str, loud: bool) -> None:
    assert bool(said("unregistered-module", BUILT.replace("REGISTER", register))) is loud


WRAPPED = """
class Net(nn.Module):
    def __init__(self, net, paths, d):
        super().__init__()
        self.net = net
        self.parts = {}
        for path in paths:
            part = nn.Linear(d, d)
            CALL
            self.parts[path] = part

    def forward(self, x):
        for part in self.parts.values():
            x = part(x)
        return x
"""


@pytest.mark.parametrize(
    ("call", "loud"), [("set_module_by_path(net, path, part)", False), ("nn.init.zeros_(part.weight)", True)]
)
def test_a_part_that_a_function_sets_somewhere_may_be_registered_there(call: str, loud: bool) -> None:
    assert bool(said("unregistered-module", WRAPPED.replace("CALL", call))) is loud
