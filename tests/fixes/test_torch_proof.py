"""What fixes promise, asked of torch: independence, old checkpoints, and the very same evaluation output."""

import copy
import pickle
import sys
import types
from collections import Counter
from typing import Any

import pytest
from fixing import NUMBERED, Making, Text, block, net, splitting

from nnreuse.fixes.comprehension import repeat_to_comprehension
from nnreuse.fixes.inline import inline_instance

torch = pytest.importorskip("torch")

IMPORTS = "import torch\nimport torch.nn as nn\n\n\n"
FORWARD = "x = self.bn(self.conv1(x))\nreturn self.bn(self.conv2(x))"
INIT = block("""
    super().__init__()
    self.conv1 = nn.Conv2d(4, 4, 3)
    self.bn = nn.BatchNorm2d(4)
    self.conv2 = nn.Conv2d(4, 4, 3)
    nn.init.constant_(self.bn.weight, 0.5)
""")
BLOCK = INIT.replace("nn.BatchNorm2d(4)", "nn.Sequential(nn.BatchNorm2d(4), nn.PReLU())").replace(
    "self.bn.weight", "self.bn[0].weight"
)
PARENT = (
    "\n\nclass Parent(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.left = Net()\n"
)
PARENT += "        self.right = nn.ModuleList([Net()])\n\n    def forward(self, x):\n        return self.left(x) + self.right[0](x)\n"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch):
    """Runs a text as a module of its own, which pickle can find."""

    def load(name: str, text: str) -> Any:
        module = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(text, name, "exec"), module.__dict__)
        return module

    return load


def repaired(text: str, make: Making) -> str:
    source = Text(text)
    fixed = source.fixed(make(source))
    assert fixed is not None
    return fixed


def shapes(module: Any) -> Counter[tuple[int, ...]]:
    return Counter(tuple(p.shape) for p in module.parameters())


def trained(model: Any) -> Any:
    """The model with statistics and weights that no fresh one has, in evaluation."""
    torch.manual_seed(3)
    for _ in range(3):
        model(torch.randn(2, 4, 9, 9) * 2 + 1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) / 8)
    return model.eval()


def storages(model: Any) -> list[int]:
    entries = [*model.parameters(), *model.buffers()]
    return [entry.data_ptr() for entry in entries]


@pytest.mark.parametrize("init", [INIT, BLOCK], ids=["batch-norm", "sequential"])
@pytest.mark.parametrize("names", [("bn", "bn2"), NUMBERED], ids=["kept", "numbered"])
class TestSplit:
    def pair(self, loaded: Any, init: str, names: tuple[str, str], cls: str) -> tuple[Any, Any]:
        text = IMPORTS + net(init, FORWARD) + PARENT
        before = loaded("model_before", text)
        after = loaded("model_after", repaired(text, splitting(names, checkpoint=True)))
        torch.manual_seed(1)
        return trained(getattr(before, cls)()), getattr(after, cls)()

    def test_the_new_instance_has_parameters_of_its_own(self, loaded: Any, init: str, names: tuple[str, str]) -> None:
        old, new = self.pair(loaded, init, names, "Net")
        assert shapes(new) == shapes(old) + shapes(old.bn)
        first, second = (getattr(new, name) for name in names)
        assert first is not second
        assert all(
            bool((m.weight == 0.5).all())
            for m in [*first.modules(), *second.modules()]
            if type(m) is torch.nn.BatchNorm2d
        )

    @pytest.mark.parametrize("assign", [False, True])
    @pytest.mark.parametrize("cls", ["Net", "Parent"])
    def test_old_checkpoints_load_with_the_very_same_output(
        self, loaded: Any, init: str, names: tuple[str, str], cls: str, assign: bool
    ) -> None:
        old, new = self.pair(loaded, init, names, cls)
        x = torch.randn(2, 4, 9, 9)
        checkpoint = copy.deepcopy(old.state_dict())
        for model in (new, copy.deepcopy(new), pickle.loads(pickle.dumps(new))):
            keys = list(checkpoint)
            model.load_state_dict(checkpoint, strict=True, assign=assign)
            assert list(checkpoint) == keys
            assert torch.equal(old(x), model.eval()(x))
            assert len(storages(model)) == len(set(storages(model)))

    def test_a_plain_dict_without_metadata_loads_too(self, loaded: Any, init: str, names: tuple[str, str]) -> None:
        old, new = self.pair(loaded, init, names, "Net")
        new.load_state_dict(dict(old.state_dict()), strict=True)
        assert torch.equal(new.eval()(torch.ones(1, 4, 9, 9)), old(torch.ones(1, 4, 9, 9)))

    def test_new_checkpoints_load_as_they_are(self, loaded: Any, init: str, names: tuple[str, str]) -> None:
        _, new = self.pair(loaded, init, names, "Net")
        saved = copy.deepcopy(trained(new).state_dict())
        new.load_state_dict(saved, strict=True)
        assert all(torch.equal(value, saved[key]) for key, value in new.state_dict().items())


def test_both_splits_of_a_class_load_its_old_checkpoints(loaded: Any) -> None:
    init = INIT + "self.act = nn.PReLU()\n"
    forward = "x = self.act(self.bn(self.conv1(x)))\nreturn self.act(self.bn(self.conv2(x)))"
    text = IMPORTS + net(init, forward)
    once = repaired(text, splitting(("bn", "bn2"), checkpoint=True))
    twice = repaired(once, splitting(("act1", "act2"), "act", checkpoint=True))
    old, new = trained(loaded("before", text).Net()), loaded("after", twice).Net()
    new.load_state_dict(old.state_dict(), strict=True)
    assert torch.equal(new.eval()(torch.ones(1, 4, 9, 9)), old(torch.ones(1, 4, 9, 9)))


def test_classes_with_the_same_attribute_have_hooks_of_their_own(loaded: Any) -> None:
    text = IMPORTS + net(INIT, FORWARD) + "\n\n" + net(INIT, FORWARD).replace("class Net", "class WideNet")
    source = Text(text)
    sites = source.calls("self.bn")
    build = splitting(checkpoint=True)(source)
    first = source.fixed(build)
    assert first is not None and "_load_shared_bn_of_net(" in first
    assert len(sites) == 4


@pytest.mark.parametrize(
    "display", ["[nn.Linear(3, 3)] * 3", "3 * [nn.Linear(3, 3), nn.PReLU()]", "(nn.Linear(3, 3),) * 3"]
)
def test_a_comprehension_gives_each_position_its_own_and_loads_old_checkpoints(loaded: Any, display: str) -> None:
    init = f"super().__init__()\nself.layers = nn.Sequential(*{display})"
    text = IMPORTS + net(init, "return self.layers(x)")
    after = repaired(text, lambda t: repeat_to_comprehension(t.places(display)[0]))
    old, new = loaded("before", text).Net(), loaded("after", after).Net()
    assert sum(shapes(new).values()) == 3 * sum(shapes(old).values())
    new.load_state_dict(old.state_dict(), strict=True)
    assert torch.equal(new(torch.ones(2, 3)), old(torch.ones(2, 3)))


def test_inlining_gives_each_place_its_own(loaded: Any) -> None:
    init = "super().__init__()\nself.layers = nn.ModuleList()\nm = nn.Linear(3, 3)\nfor _ in range(3):\n    self.layers.append(m)"
    text = IMPORTS + net(init, "for layer in self.layers:\n    x = layer(x)\nreturn x")
    after = repaired(text, lambda t: inline_instance(t.definition("m").unit, t.definition("m"), t.uses("m")))
    old, new = loaded("before", text).Net(), loaded("after", after).Net()
    assert shapes(new) == shapes(old) + shapes(old) + shapes(old)
    new.load_state_dict(old.state_dict(), strict=True)
    assert torch.equal(new(torch.ones(2, 3)), old(torch.ones(2, 3)))


def test_the_hook_joins_a_class_that_converts_older_checkpoints_itself(loaded: Any) -> None:
    own = block("""

        _version = 2

        def _load_from_state_dict(self, state_dict, prefix, *args):
            if prefix + "first.weight" in state_dict:
                state_dict[prefix + "conv1.weight"] = state_dict.pop(prefix + "first.weight")
            super()._load_from_state_dict(state_dict, prefix, *args)
    """)
    text = IMPORTS + net(INIT, FORWARD) + "".join(f"    {line}\n" if line else "\n" for line in own.splitlines())
    after = repaired(text, splitting(checkpoint=True))
    old, new = trained(loaded("before", text).Net()), loaded("after", after).Net()
    saved = dict(old.state_dict())
    saved["first.weight"] = saved.pop("conv1.weight")
    new.load_state_dict(saved, strict=True)
    assert torch.equal(new.eval()(torch.ones(1, 4, 9, 9)), old(torch.ones(1, 4, 9, 9)))
