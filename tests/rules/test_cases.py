"""Shapes met in public projects, each row in our own code: slips are found, designs are left alone, stateless reuse matters in profiles.

The name of a case says the project where the shape was seen.
"""

import textwrap
from pathlib import Path

import pytest

from nnreuse.config.settings import Profile, Settings
from nnreuse.workspace.project import Project


def model(init: str, forward: str, head: str = "") -> str:
    init, forward = (textwrap.indent(textwrap.dedent(text).strip(), " " * 8) for text in (init, forward))
    return f"""import torch
import torch.nn as nn
{textwrap.dedent(head)}
class Net(nn.Module):
    def __init__(self, d, n, share_head=False):
        super().__init__()
{init}

    def forward(self, x, y):
{forward}
"""


def said(text: str, profile: Profile | None = None) -> dict[str, str]:
    """The rules that speak, and how loud."""
    settings = Settings(profiles=frozenset([profile] if profile else []))
    analysis = Project(settings).check(Path("model.py"), text)
    assert analysis.error is None
    return {finding.rule: finding.severity.value for finding in analysis.findings if finding.severity.value != "hint"}


CONVS = "self.conv1, self.conv2 = nn.Conv2d(d, d, 3), nn.Conv2d(d, d, 3)\n"
BLOCK = """
class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc = nn.Linear(d, d)

    def forward(self, x):
        return self.fc(x)

"""
PART = """
class Part(nn.Module):
    def __init__(self, first):
        super().__init__()
        self.first = first

    def forward(self, x):
        return self.first(x)

"""
NORMED = """
class Normed(nn.Module):
    def __init__(self, fc, d):
        super().__init__()
        self.fc = fc
        self.bn = nn.BatchNorm1d(d)

    def forward(self, x):
        return self.bn(self.fc(x))

"""
WARNING = "warning"
SLIPS = {
    "pytorch #1738: one batch norm for two convolutions": (
        model(CONVS + "self.bn = nn.BatchNorm2d(d)", "x = self.bn(self.conv1(x))\nreturn self.bn(self.conv2(x))"),
        {"shared-batch-norm": WARNING},
    ),
    "mmdetection #6515: one batch norm in a head, for convolutions of each level": (
        model(
            "self.convs = nn.ModuleList([nn.Conv2d(d, d, 3) for _ in range(n)])\nself.bn = nn.BatchNorm2d(d)",
            "return [self.bn(conv(f)) for conv, f in zip(self.convs, x)]",
        ),
        {"shared-batch-norm": WARNING},
    ),
    "tabnet #72: the batch norm is shared with the linear that is meant to be": (
        model(
            "glu = Normed(nn.Linear(d, d), d)\n"
            "self.steps = nn.ModuleList([nn.Sequential(glu, nn.ReLU()) for _ in range(n)])",
            "for step in self.steps:\n    x = step(x)\nreturn x",
            NORMED,
        ),
        {"repeated-instance": WARNING},
    ),
    "tabnet #76: a constructor overwrites what it was given": (
        model(
            "self.first = nn.Linear(d, d)\nself.first = nn.Linear(d, d)",
            "return self.first(x)",
        ),
        {"overwritten-module": WARNING},
    ),
    "pytorch-vq-vae #2: blocks multiplied in a ModuleList": (
        model("self.m = nn.ModuleList([Block(d)] * n)", "for m in self.m:\n    x = m(x)\nreturn x", BLOCK),
        {"repeated-instance": WARNING},
    ),
    "Liger-Kernel #269: blocks multiplied and unpacked": (
        model("self.m = nn.Sequential(*[Block(d)] * n)", "return self.m(x)", BLOCK),
        {"repeated-instance": WARNING},
    ),
    "nngeometry #60: layers of two kinds multiplied": (
        model("self.m = nn.Sequential(*[nn.Linear(d, d), nn.ReLU()] * 10)", "return self.m(x)"),
        {"repeated-instance": WARNING},
    ),
    "nerfstudio #2197: a tuple of instances as default argument": (
        model("self.heads = nn.ModuleList(heads)", "return [head(x) for head in self.heads]").replace(
            "d, n, share_head=False", "heads=(nn.Linear(4, 1), nn.Linear(4, 3))"
        ),
        {"module-default-argument": WARNING},
    ),
    "pytorch_geometric #4978: a registry of activation instances": (
        model(
            "self.act = ACTS[n]",
            "return self.act(x)",
            'ACTS = {"relu": nn.ReLU(), "prelu": nn.PReLU()}\n',
        ),
        {"global-module": WARNING},
    ),
    "PyTorch-ENet #27: one PReLU through a bottleneck": (
        model(CONVS + "self.act = nn.PReLU()", "x = self.act(self.conv1(x))\nreturn self.act(self.conv2(x))"),
        {"shared-prelu": WARNING},
    ),
    "pytorch-deepfashion #1: two task branches on one convolution": (
        model(
            "conv = nn.Conv2d(d, d, 3)\nself.a = nn.Sequential(conv, nn.ReLU())\nself.b = nn.Sequential(conv, nn.Tanh())",
            "return self.a(x), self.b(x)",
        ),
        {"same-instance-twice": "information"},
    ),
    "param #41: one linear of an MLP run again on its own result": (
        model("self.fc = nn.Linear(d, d)", "x = torch.relu(self.fc(x))\nreturn self.fc(x)"),
        {"shared-parameters": WARNING},
    ),
    "pytorch #13350: a spectral-normalised module called twice": (
        model(
            "self.conv = nn.utils.spectral_norm(nn.Conv2d(d, d, 1))\nself.mix = nn.Conv2d(d, d, 1)",
            "return self.conv(self.mix(self.conv(x)))",
        ),
        {"shared-parameters": WARNING},
    ),
    "opacus #58: one embedding on two kinds of ids": (
        model("self.embed = nn.Embedding(9, d)", "return self.embed(x).sum(1) + self.embed(y)"),
        {"shared-embedding": "information"},
    ),
    "a copy-paste slip leaves the twin idle": (
        model(
            CONVS + "self.norm1 = nn.BatchNorm2d(d)\nself.norm2 = nn.BatchNorm2d(d)",
            "x = self.norm1(self.conv1(x))\nreturn self.norm1(self.conv2(x))",
        ),
        {"unused-twin": WARNING},
    ),
    "a helper that hides the multiplication": (
        model(
            "self.m = stack(nn.Linear(d, d), n)",
            "for m in self.m:\n    x = m(x)\nreturn x",
            "\ndef stack(layer, n):\n    return nn.ModuleList([layer for _ in range(n)])\n\n",
        ),
        {"repeated-instance": WARNING},
    ),
}
DESIGNS = {
    "GenerativeModels #352: a discriminator with batch norm on real and fake": model(
        "self.discriminator = Normed(nn.Linear(d, d), d)\nself.generator = nn.Linear(d, d)",
        "return self.discriminator(x), self.discriminator(self.generator(y))",
        NORMED,
    ),
    "DSBN: a batch norm for each domain": model(
        "self.conv = nn.Conv2d(d, d, 3)\nself.bns = nn.ModuleList([nn.BatchNorm2d(d) for _ in range(n)])",
        "return self.bns[0](self.conv(x)), self.bns[1](self.conv(y))",
    ),
    "torchvision heads: called for every level": model(
        "self.conv = nn.Conv2d(d, d, 3)", "out = []\nfor f in x:\n    out.append(self.conv(f))\nreturn out"
    ),
    "torchvision RAFT: an update block that refines": model(
        "self.update = nn.GRUCell(d, d)", "h = x\nfor _ in range(n):\n    h = self.update(y, h)\nreturn h"
    ),
    "mmyolo #103: convolutions shared and norms per level": model(
        "self.conv = nn.Conv2d(d, d, 3)\nself.bns = nn.ModuleList([nn.BatchNorm2d(d) for _ in range(n)])",
        "return [bn(self.conv(f)) for bn, f in zip(self.bns, x)]",
    ).replace("self.conv = nn.Conv2d(d, d, 3)", "self.conv = nn.Conv2d(d, d, 3)  # shared by all levels"),
    "ALBERT: one layer applied n times": model(
        "self.layer = Block(d)", "for _ in range(12):\n    x = self.layer(x)\nreturn x", BLOCK
    ),
    "ALBERT: the index of a group computed from the depth": model(
        "self.groups = nn.ModuleList([Block(d) for _ in range(2)])",
        "for i in range(12):\n    x = self.groups[int(i / (12 / 2))](x)\nreturn x",
        BLOCK,
    ),
    "T5, BART: one embedding held by encoder and decoder": model(
        "self.shared = nn.Embedding(9, d)\nself.encoder = Part(self.shared)\nself.decoder = Part(self.shared)",
        "return self.encoder(x) + self.decoder(y)",
        PART,
    ),
    "BART: embed_tokens is the shared one": model(
        "self.shared = nn.Embedding(9, d)\nself.embed_tokens = self.shared",
        "return self.shared(x) + self.embed_tokens(y)",
    ),
    "DEIMv2: a named head multiplied under a flag": model(
        "head = nn.Linear(d, d)\nif share_head:\n    self.m = nn.ModuleList([head] * n)\n"
        "else:\n    self.m = nn.ModuleList([nn.Linear(d, d) for _ in range(n)])",
        "return [m(x) for m in self.m]",
    ),
    "BiDAF: one encoder on question and passage": model(
        "self.encoder = nn.LSTM(d, d)",
        "question, _ = self.encoder(x)\npassage, _ = self.encoder(y)\nreturn question, passage",
    ),
    "siamese: one encoder left and right": model(
        "self.encoder = Block(d)", "return self.encoder(x) - self.encoder(y)", BLOCK
    ),
    "AWD-LSTM: one locked dropout": model(
        "self.drop = nn.Dropout(0.5)\nself.a, self.b = nn.Linear(d, d), nn.Linear(d, d)",
        "return self.drop(self.b(self.drop(self.a(x))))",
    ),
    "an RNN cell once per step": model(
        "self.cell = nn.LSTMCell(d, d)", "state = y\nfor t in x:\n    state = self.cell(t, state)\nreturn state"
    ),
    "ultralytics: a stateless default in the class body": model(
        "self.act = self.default_act", "return self.act(x)"
    ).replace("    def __init__", "    default_act = nn.SiLU()\n\n    def __init__", 1),
    "gradient gating, MPNN: one convolution n times": model(
        "self.conv = nn.Linear(d, d)", "for _ in range(n):\n    x = torch.tanh(self.conv(x))\nreturn x"
    ),
    "a parallel block: one norm whose result feeds both branches": model(
        "self.norm = nn.LayerNorm(d)\nself.a, self.b = nn.Linear(d, d), nn.Linear(d, d)",
        "h = self.norm(x)\nreturn x + self.a(h) + self.b(h)",
    ),
    "a comment in Chinese that says so": model(
        "self.fc = nn.Linear(d, d)  # 权重共享\nself.mix = nn.Linear(d, d)", "return self.fc(self.mix(self.fc(x)))"
    ),
    "a flag that a helper reads": model(
        "self.share_head = share_head\nself.m = self.heads(nn.Linear(d, d), n)", "return [m(x) for m in self.m]"
    )
    + "\n    def heads(self, head, n):\n        if self.share_head:\n            return nn.ModuleList([head] * n)\n"
    "        return nn.ModuleList([nn.Linear(4, 4) for _ in range(n)])\n",
}
NO_REUSE = [
    "a parallel block: one norm whose result feeds both branches",
    "AWD-LSTM: one locked dropout",
    "ultralytics: a stateless default in the class body",
    "an RNN cell once per step",
]
TWICE = model(CONVS + "self.act = nn.ReLU()", "return self.act(self.conv2(self.act(self.conv1(x))))")
ADDING = "import torch.ao.nn.quantized as nnq\n"
PROFILED: dict[str, tuple[str, Profile | None, str]] = {
    "CLIP #239, open_clip #78, captum #200: an activation that hooks see twice": (
        TWICE,
        "attribution",
        "reused-activation",
    ),
    "captum #200: one max pooling behind two convolutions": (
        model(CONVS + "self.pool = nn.MaxPool2d(2)", "return self.pool(self.conv2(self.pool(self.conv1(x))))"),
        "attribution",
        "reused-activation",
    ),
    "captum #578: one ReLU of a decoder, in every step": (
        model(
            "self.fc, self.act = nn.Linear(d, d), nn.ReLU()",
            "for _ in range(3):\n    x = self.act(self.fc(x))\nreturn x",
        ),
        "attribution",
        "reused-activation",
    ),
    "captum #1082: an activation made where it is called": (
        model(CONVS, "x = nn.ReLU()(self.conv1(x))\nreturn nn.ReLU()(self.conv2(x))"),
        "attribution",
        "module-created-in-forward",
    ),
    "pytorch #132993: a linear on its own result, which unflatten takes for one call": (
        model("self.fc = nn.Linear(d, d)", "return self.fc(self.fc(x))"),
        None,
        "shared-parameters",
    ),
    "vision #1948: one ReLU for two convolutions to be fused": (TWICE, "quantization", "reused-activation"),
    "vision #1948: one FloatFunctional, one observer": (
        model("self.skip = nnq.FloatFunctional()", "return self.skip.add(self.skip.add(x, y), y)", ADDING),
        None,
        "reused-quantization-stub",
    ),
    "pytorch #29657: one observer for two tensors": (
        model(
            "self.observer = MinMaxObserver()",
            "return self.observer(x) + self.observer(y)",
            "from torch.ao.quantization.observer import MinMaxObserver\n",
        ),
        None,
        "reused-quantization-stub",
    ),
    "pytorch #183702: FSDP2 and parameters shared across groups": (
        model(
            "shared = nn.Linear(d, d)\nself.a, self.b = Part(shared), Part(shared)",
            "return self.a(x) + self.b(y)",
            PART,
        ),
        "fsdp",
        "shared-across-groups",
    ),
    "transformers #19728: an activation table that returns one instance": (
        model(
            "self.a, self.b = ACTS['prelu'], ACTS['prelu']",
            "return self.a(x) + self.b(y)",
            "ACTS = {'prelu': nn.PReLU()}\n",
        ),
        None,
        "global-module",
    ),
}


@pytest.mark.parametrize("case", SLIPS)
def test_slips_are_found(case: str) -> None:
    text, expected = SLIPS[case]
    found = said(text)
    assert expected.items() <= found.items()


@pytest.mark.parametrize("case", DESIGNS)
def test_designs_are_left_alone(case: str) -> None:
    assert not {"warning", "error"} & set(said(DESIGNS[case]).values())


@pytest.mark.parametrize("case", NO_REUSE)
def test_where_nothing_is_shared_nothing_is_said(case: str) -> None:
    assert said(DESIGNS[case]) == {}


@pytest.mark.parametrize("case", PROFILED)
def test_stateless_reuse_is_found_where_it_hurts(case: str) -> None:
    text, profile, rule = PROFILED[case]
    assert rule in said(text, profile)
    assert profile is None or rule not in said(text)
