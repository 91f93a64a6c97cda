"""What classes hold, told by the code that builds them."""

from pathlib import Path

import pytest
from traced import HEADER

from nnreuse.config.settings import Settings
from nnreuse.workspace.project import Project

BLOCK = """
class Block(nn.Module):
    def __init__(self, width, norm_layer, act_layer=nn.ReLU, rate: float = 0.0):
        super().__init__()
        self.norm = norm_layer(width)
        self.act = act_layer()
        self.drop = nn.Dropout(rate) if rate > 0 else nn.Identity()
    def forward(self, x):
        return self.drop(self.act(self.norm(x)))
"""


def rows(text: str, cls: str) -> dict[str, dict[str, object]]:
    project, path = Project(Settings()), Path("model.py")
    project.admit(path, HEADER + "from functools import partial\n" + text)
    return {str(row["attribute"]): row for row in project.facts(path) if row["class"] == cls}


def test_what_a_class_is_given_is_seen_where_it_is_built() -> None:
    text = BLOCK + "def small(**kwargs):\n    return Block(8, nn.BatchNorm2d, **kwargs)\n"
    norm = rows(text, "Block")["norm"]
    assert norm["type"] == "torch.nn.modules.batchnorm.BatchNorm2d"
    assert (norm["parameters"], norm["running_stats"]) == (True, True)


def test_nobody_builds_it_so_it_stays_unknown() -> None:
    norm = rows(BLOCK, "Block")["norm"]
    assert (norm["type"], norm["parameters"]) == (None, None)


def test_classes_are_followed_through_builders_and_partial() -> None:
    text = (
        BLOCK
        + """
class Net(nn.Module):
    def __init__(self, block, norm_layer=None):
        super().__init__()
        norm_layer = norm_layer or partial(nn.LayerNorm, eps=1e-6)
        self.blocks = nn.Sequential(*[block(8, norm_layer) for _ in range(2)])
    def forward(self, x):
        return self.blocks(x)
def build(cls, **kwargs):
    return cls(**kwargs)
def model(**kwargs):
    return build(Net, **dict(dict(block=Block), **kwargs))
"""
    )
    assert rows(text, "Block")["norm"]["type"] == "torch.nn.modules.normalization.LayerNorm"


def test_a_rate_is_a_choice_of_whoever_trains() -> None:
    text = BLOCK + "def small(**kwargs):\n    return Block(8, nn.BatchNorm2d, **kwargs)\n"
    assert rows(text, "Block")["drop"]["type"] == "torch.nn.modules.dropout.Dropout"


def test_the_kind_used_most_is_told_with_all_that_its_instances_carry() -> None:
    text = BLOCK + (
        "def one():\n    return Block(8, nn.InstanceNorm2d)\n"
        "def two():\n    return Block(8, partial(nn.InstanceNorm2d, affine=True))\n"
        "def three():\n    return Block(8, nn.BatchNorm2d)\n"
    )
    norm = rows(text, "Block")["norm"]
    assert norm["type"] == "torch.nn.modules.instancenorm.InstanceNorm2d"
    assert (norm["parameters"], norm["running_stats"]) == (True, False)


REGISTRY = """
_LAYERS = dict(batchnorm=nn.BatchNorm2d, layernorm=nn.LayerNorm)
_KNOWN = {m for _, m in _LAYERS.items()}
def get_norm(layer):
    if layer is None:
        return None
    kwargs = {}
    if isinstance(layer, partial):
        kwargs.update(layer.keywords)
        layer = layer.func
    if isinstance(layer, str):
        layer = _LAYERS[layer.replace("_", "").lower()]
    elif layer not in _KNOWN:
        layer = _LAYERS[layer.__name__.lower()]
    return partial(layer, **kwargs) if kwargs else layer
class Net(nn.Module):
    def __init__(self, width, norm=NORM):
        super().__init__()
        self.norm = get_norm(norm)(width)
    def forward(self, x):
        return self.norm(x)
"""


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ('"Batch_Norm"', "torch.nn.modules.batchnorm.BatchNorm2d"),
        ("nn.LayerNorm", "torch.nn.modules.normalization.LayerNorm"),
        ("partial(nn.LayerNorm, eps=1e-6)", "torch.nn.modules.normalization.LayerNorm"),
    ],
)
def test_registries_and_helpers_with_several_returns_are_run(given: str, kind: str) -> None:
    assert rows(REGISTRY.replace("norm=NORM", f"norm={given}"), "Net")["norm"]["type"] == kind


def test_an_annotation_rules_out_what_it_is_not() -> None:
    text = """
class Net(nn.Module):
    def __init__(self, size: int):
        super().__init__()
        self.conv = nn.ModuleList([nn.Conv2d(1, 1, s) for s in size]) if isinstance(size, list) else nn.Conv2d(1, 1, size)
    def forward(self, x):
        return self.conv(x)
"""
    assert rows(text, "Net")["conv"]["type"] == "torch.nn.modules.conv.Conv2d"


def test_a_name_that_a_package_binds_hides_its_submodule_of_that_name(tmp_path: Path) -> None:
    package = tmp_path / "layers"
    package.mkdir()
    (package / "__init__.py").write_text("from .create import create\n")
    (package / "create.py").write_text("import torch.nn as nn\ndef create():\n    return nn.Linear(1, 1)\n")
    user = tmp_path / "user.py"
    user.write_text(
        "import torch.nn as nn\nfrom layers import create\nclass Net(nn.Module):\n    def __init__(self):\n"
        "        super().__init__()\n        self.a = create()\n    def forward(self, x):\n        return self.a(x)\n"
    )
    project = Project(Settings())
    project.admit(user, user.read_text())
    assert project.facts(user)[0]["type"] == "torch.nn.modules.linear.Linear"


@pytest.mark.parametrize("base", ["nn.Sequential", "nn.ModuleDict"])
def test_containers_filled_from_outside_have_elements_nobody_names(base: str) -> None:
    loop = "self" if base.endswith("Sequential") else "self.values()"
    text = f"class Net({base}):\n    def __init__(self, *args, **kwargs):\n        super().__init__(*args, **kwargs)\n"
    text += f"    def forward(self, x):\n        for one in {loop}:\n            x = one(x)\n        return x\n"
    assert rows(text, "Net")["*"]["calls"] == 1


CONFIG = """
from dataclasses import asdict, dataclass, replace
@dataclass
class Config:
    norm: str = "batch"
    width: int = 8
class Net(nn.Module):
    def __init__(self, cfg: Config, **kwargs):
        super().__init__()
        cfg = replace(cfg, **kwargs)
        self.norm = nn.BatchNorm2d(cfg.width) if cfg.norm == "batch" else nn.LayerNorm(cfg.width)
        self.act = nn.ReLU() if asdict(cfg)["width"] == 9 else nn.GELU()
    def forward(self, x):
        return self.act(self.norm(x))
def create(variant, **kwargs):
    key = variant if variant in CONFIGS else variant.split("_")[0]
    if kwargs.pop("features_only", False):
        return nn.Identity()
    return Net(CONFIGS[key], **kwargs)
def tiny(**kwargs):
    return create("tiny_8", **kwargs)
"""


@pytest.mark.parametrize("display", ["dict", "braces"])
def test_one_entry_of_a_table_too_long_to_read_says_what_is_built(display: str) -> None:
    entries = [("tiny", 'Config("layer", 9)'), *((f"c{n}", f'Config("batch", {n}, *[{n}, {n}])') for n in range(400))]
    if display == "dict":
        table = "CONFIGS = dict(" + ", ".join(f"{name}={value}" for name, value in entries) + ")\n"
    else:
        table = "CONFIGS = {" + ", ".join(f'"{name}": {value}' for name, value in entries) + "}\n"
    found = rows(CONFIG + table, "Net")
    assert found["norm"]["type"] == "torch.nn.modules.normalization.LayerNorm"
    assert found["act"]["type"] == "torch.nn.modules.activation.ReLU"


@pytest.mark.parametrize(("filled", "expected"), [(False, "linear.Identity"), (True, "batchnorm.BatchNorm2d")])
def test_a_table_that_other_statements_fill_is_not_known_to_lack_a_key(filled: bool, expected: str) -> None:
    entries = "".join(f'    "c{n}": [{n}, {n}, {n}],\n' for n in range(400))
    fill = 'for name in ("tiny",):\n    SIZES[name] = [1]\n' if filled else ""
    net = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(2) if "tiny" in SIZES else nn.Identity()
    def forward(self, x):
        return self.norm(x)
"""
    assert rows(f"SIZES = {{\n{entries}}}\n{fill}{net}", "Net")["norm"]["type"] == f"torch.nn.modules.{expected}"


def test_a_text_that_says_what_to_build_is_decoded() -> None:
    text = """
import re
def decode(text):
    options = {}
    for part in text.split("_")[1:]:
        key, value = re.split(r"(\\d.*)", part)[:2]
        options[key] = value
    return dict(kind=text.split("_")[0], repeat=int(options["r"]))
class Net(nn.Module):
    def __init__(self, args):
        super().__init__()
        total = sum([a["repeat"] for a in args])
        self.first = nn.BatchNorm2d(2) if args[0]["kind"] == "ir" else nn.Identity()
        self.last = nn.LayerNorm(2) if total == 3 else nn.Identity()
    def forward(self, x):
        return self.last(self.first(x))
def model():
    return Net([decode("ir_r1_k3"), decode("ds_r2_k5")])
"""
    found = rows(text, "Net")
    assert found["first"]["type"] == "torch.nn.modules.batchnorm.BatchNorm2d"
    assert found["last"]["type"] == "torch.nn.modules.normalization.LayerNorm"


@pytest.mark.parametrize("pattern", ["(a+)+$", "x*y*"])
def test_a_pattern_that_could_take_long_is_not_tried(pattern: str) -> None:
    text = f"""
import re
def model():
    return nn.ReLU() if re.split("{pattern}", "{"a" * 60}!") else nn.GELU()
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.act = model()
    def forward(self, x):
        return self.act(x)
"""
    assert rows(text, "Net")["act"]["calls"] == 1


def test_a_factory_that_takes_long_leaves_the_rest_of_a_constructor_seen() -> None:
    text = """
class Builder:
    def __call__(self, n):
        self.n = 0
        for a in "abcdefghij":
            for b in "abcdefghij":
                for c in "abcdefghij":
                    self.n = self.n + 1
        return []
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        builder = Builder()
        self.blocks = nn.Sequential(*builder(3))
        self.head = nn.Linear(2, 2)
    def forward(self, x):
        return self.head(self.blocks(x))
"""
    head = rows(text, "Net")["head"]
    assert (head["type"], head["calls"]) == ("torch.nn.modules.linear.Linear", 1)


CONFIGURED = """
from collections import OrderedDict
class Registry(OrderedDict):
    def __getitem__(self, key):
        content = super().__getitem__(key)
        cls, options = content if isinstance(content, tuple) else (content, {})
        return cls(**options)
ACTIVATIONS = Registry({"relu": nn.ReLU, "prelu": nn.PReLU, "leaky": (nn.LeakyReLU, {"negative_slope": 0.1})})
class Common:
    act: str = "relu"
class Config(Common):
    act: str = "leaky"
    norm: bool = False
"""


def test_a_configuration_that_nobody_gives_is_one_of_its_annotated_class_with_defaults() -> None:
    text = CONFIGURED + (
        "class Net(nn.Module):\n"
        "    def __init__(self, config: Config):\n"
        "        super().__init__()\n"
        "        self.act = ACTIVATIONS[config.act]\n"
        "    def forward(self, x):\n"
        "        return self.act(x)\n"
    )
    assert rows(text, "Net")["act"]["type"] == "torch.nn.modules.activation.LeakyReLU"


def test_a_parameter_without_annotation_is_the_attribute_of_its_name_that_a_base_declares() -> None:
    text = CONFIGURED + (
        "class Base(nn.Module):\n"
        "    config: Config\n"
        "    def __init__(self, config):\n"
        "        super().__init__()\n"
        "        self.config = config\n"
        "class Block(nn.Module):\n"
        "    def __init__(self, config):\n"
        "        super().__init__()\n"
        "        self.norm = nn.LayerNorm(8) if config.norm else nn.Identity()\n"
        "    def forward(self, x):\n"
        "        return self.norm(x)\n"
        "class Net(Base):\n"
        "    def __init__(self, config):\n"
        "        super().__init__(config)\n"
        "        self.act = ACTIVATIONS[config.act]\n"
        "        self.block = Block(config)\n"
        "    def forward(self, x):\n"
        "        return self.block(self.act(x))\n"
    )
    assert rows(text, "Net")["act"]["type"] == "torch.nn.modules.activation.LeakyReLU"
    assert rows(text, "Block")["norm"]["type"] == "torch.nn.modules.linear.Identity"


def test_a_parameter_that_is_a_module_is_not_built_for_anyone() -> None:
    text = (
        "class Net(nn.Module):\n"
        "    def __init__(self, body: nn.Module, config):\n"
        "        super().__init__()\n"
        "        self.act = nn.ReLU() if config.act == 'relu' else body\n"
        "    def forward(self, x):\n"
        "        return self.act(x)\n"
    )
    assert rows(text, "Net")["act"]["calls"] == 1


def test_none_is_not_among_classes() -> None:
    text = (
        "class Net(nn.Module):\n"
        "    def __init__(self, dtype=None):\n"
        "        super().__init__()\n"
        "        self.norm = nn.BatchNorm1d(8) if dtype in (torch.float16, torch.bfloat16) else nn.LayerNorm(8)\n"
        "    def forward(self, x):\n"
        "        return self.norm(x)\n"
    )
    assert rows(text, "Net")["norm"]["type"] == "torch.nn.modules.normalization.LayerNorm"


def test_what_is_called_once_stays_so_where_the_module_hands_itself_to_code_that_cannot_be_read() -> None:
    text = (
        "from elsewhere import attend\n"
        "class Attention(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.query = nn.Linear(8, 8)\n"
        "        self.drop = nn.Dropout(0.1)\n"
        "    def forward(self, x):\n"
        "        return attend(self, self.query(x))\n"
    )
    found = rows(text, "Attention")
    assert (found["query"]["calls"], found["drop"]["calls"]) == (1, None)


def test_a_buffer_is_no_module() -> None:
    text = (
        "class Inner(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.positions = nn.Buffer(torch.arange(4), persistent=False)\n"
        "        self.project = nn.Linear(8, 8)\n"
        "    def forward(self, x):\n"
        "        return self.project(x) + self.positions\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.inner = Inner()\n"
        "    def forward(self, x):\n"
        "        return self.inner(x)\n"
    )
    assert "positions" not in rows(text, "Inner")
    inner = rows(text, "Net")["inner"]
    assert (inner["parameters"], inner["running_stats"]) == (True, False)


def test_a_dictionary_of_ones_own_is_a_dictionary() -> None:
    text = CONFIGURED + (
        "from elsewhere import Unread\n"
        "class Other(Unread):\n"
        "    pass\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.dictionary = nn.Linear(8, 8) if isinstance(ACTIVATIONS, dict) else nn.ReLU()\n"
        "        self.list = nn.Linear(8, 8) if isinstance(ACTIVATIONS, (list, tuple)) else nn.ReLU()\n"
        "        self.plain = nn.Linear(8, 8) if isinstance(Config(), dict) else nn.ReLU()\n"
        "        self.unread = nn.Linear(8, 8) if isinstance(Other(), dict) else None\n"
        "    def forward(self, x):\n"
        "        x = self.plain(self.list(self.dictionary(x)))\n"
        "        return x if self.unread is None else self.unread(x)\n"
    )
    found = rows(text, "Net")
    types = {name: str(row["type"]).rsplit(".", 1)[-1] for name, row in found.items()}
    assert types == {"dictionary": "Linear", "list": "ReLU", "plain": "ReLU", "unread": "Linear"}
