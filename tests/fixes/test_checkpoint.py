"""The hook with which old checkpoints load: where it is written, what it is called, and when it is not offered."""

import pytest
from fixing import NUMBERED, assert_fix, net, splitting

REGISTER = "self.register_load_state_dict_pre_hook(_load_shared_bn)"
DEFINED = "self.bn = nn.BatchNorm2d(64)"


def test_a_function_above_the_class_copies_the_entries() -> None:
    before = "import torch.nn as nn\n\n\n# The network.\n@final\n" + net(DEFINED)
    hook = '''import torch.nn as nn


def _load_shared_bn(module, state_dict, prefix, *_):
    """Load checkpoints saved when `bn` and `bn2` were one module, `bn`.

    `load_state_dict` runs this; transformers' `from_pretrained`, distributed checkpoints and TorchScript do not:
    convert files for them with `nnreuse migrate`.
    """
    shared = prefix + "bn."
    for key in [key for key in state_dict if key.startswith(shared)]:
        value = state_dict[key]
        entry = key[len(shared) :]
        state_dict.setdefault(prefix + "bn2." + entry, value.clone() if hasattr(value, "clone") else value)


# The network.
@final
'''
    forward = "x = self.bn(self.conv1(x))\nreturn self.bn2(self.conv2(x))"
    after = hook + net(f"{DEFINED}\nself.bn2 = nn.BatchNorm2d(64)\n{REGISTER}", forward)
    assert_fix(before, after, splitting(checkpoint=True))


def test_entries_of_a_renamed_module_are_moved() -> None:
    hook = '''import x


def _load_shared_bn(module, state_dict, prefix, *_):
    """Load checkpoints saved when `bn1` and `bn2` were one module, `bn`.

    `load_state_dict` runs this; transformers' `from_pretrained`, distributed checkpoints and TorchScript do not:
    convert files for them with `nnreuse migrate`.
    """
    shared = prefix + "bn."
    for key in [key for key in state_dict if key.startswith(shared)]:
        value = state_dict.pop(key)
        entry = key[len(shared) :]
        state_dict.setdefault(prefix + "bn1." + entry, value)
        state_dict.setdefault(prefix + "bn2." + entry, value.clone() if hasattr(value, "clone") else value)


'''
    forward = "x = self.bn1(self.conv1(x))\nreturn self.bn2(self.conv2(x))"
    after = hook + net(f"self.bn1 = nn.BatchNorm2d(64)\nself.bn2 = nn.BatchNorm2d(64)\n{REGISTER}", forward)
    assert_fix("import x\n" + net(DEFINED), after, splitting(NUMBERED, checkpoint=True))


@pytest.mark.parametrize(
    "rest",
    [
        "\n    def _load_from_state_dict(self, *args):\n        load(self, *args)\n",
        "\n    def _load_from_state_dict(self, *a):\n        if a:\n            return\n        super()._load_from_state_dict(*a)\n",
        "\n    def _load_from_state_dict(self, s, *a):\n        del s['bn.weight']\n        super()._load_from_state_dict(s, *a)\n",
        "\n    def load_state_dict(self, state_dict):\n        pass\n",
        "\n    def hook(self):\n        self._register_load_state_dict_pre_hook(rename)\n",
    ],
)
def test_not_offered_where_the_class_loads_its_own_way(rest: str) -> None:
    assert_fix(net(DEFINED) + rest, None, splitting(checkpoint=True))


@pytest.mark.parametrize(
    "init",
    [
        "if norm:\n    self.bn = nn.BatchNorm2d(64)\nelse:\n    self.bn = nn.LayerNorm(64)",
        "self.bn = nn.BatchNorm2d(64)\nself._version = 2",
    ],
)
def test_not_offered_where_one_registration_would_not_do(init: str) -> None:
    assert_fix(net(init), None, splitting(checkpoint=True))


def test_not_offered_outside_the_constructor() -> None:
    assert_fix(net(DEFINED).replace("__init__", "build"), None, splitting(checkpoint=True))
