"""The parameter counts that hover shows are those of the modules that torch makes."""

from pathlib import Path

import pytest
import torch
from torch import nn

from nnreuse.config.settings import Settings
from nnreuse.rules.hover import explain
from nnreuse.rules.subjects import Subject
from nnreuse.tracing.parameters import count_of
from nnreuse.types.parameter_counts import _FORMULAS, parameter_count
from nnreuse.workspace.project import Project

CALLS = [
    "nn.Linear(256, 512)",
    "nn.Linear(3, 4, bias=False)",
    "nn.Bilinear(2, 3, 4)",
    "nn.Bilinear(2, 3, 4, bias=False)",
    *(f"nn.Conv{n}d(4, 8, 3)" for n in (1, 2, 3)),
    *(f"nn.ConvTranspose{n}d(4, 8, 3, bias=False)" for n in (1, 2, 3)),
    "nn.Conv2d(4, 8, (3, 5), groups=2)",
    "nn.Conv2d(8, 8, 3, 1, 1, 1, 8, False)",
    *(f"nn.BatchNorm{n}d(7)" for n in (1, 2, 3)),
    "nn.BatchNorm2d(7, affine=False)",
    "nn.SyncBatchNorm(7)",
    *(f"nn.InstanceNorm{n}d(5, affine=True)" for n in (1, 2, 3)),
    "nn.InstanceNorm2d(5)",
    "nn.GroupNorm(2, 6)",
    "nn.GroupNorm(2, 6, affine=False)",
    "nn.LayerNorm(9)",
    "nn.LayerNorm((3, 4))",
    "nn.LayerNorm([3, 4], bias=False)",
    "nn.LayerNorm(9, elementwise_affine=False)",
    "nn.RMSNorm(9)",
    "nn.RMSNorm(9, elementwise_affine=False)",
    "nn.PReLU()",
    "nn.PReLU(6)",
    "nn.MultiheadAttention(8, 2)",
    "nn.MultiheadAttention(8, 2, bias=False)",
    "nn.MultiheadAttention(8, 2, kdim=4, vdim=6)",
    "nn.MultiheadAttention(8, 2, add_bias_kv=True)",
    "nn.Embedding(10, 3)",
    "nn.EmbeddingBag(10, 3)",
    *(f"nn.{kind}(5, 7)" for kind in ("RNN", "GRU", "LSTM", "RNNCell", "GRUCell", "LSTMCell")),
    *(f"nn.{kind}(5, 7, num_layers=3, bidirectional=True)" for kind in ("RNN", "GRU", "LSTM")),
    "nn.LSTM(5, 7, 2, proj_size=3, bidirectional=True)",
    "nn.GRU(5, 7, bias=False)",
    "nn.LSTMCell(5, 7, bias=False)",
    "nn.TransformerEncoderLayer(8, 2, dim_feedforward=16)",
    "nn.TransformerDecoderLayer(8, 2, dim_feedforward=16)",
    "nn.TransformerEncoderLayer(8, 2, 16, bias=False)",
    "nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 5), nn.Dropout()))",
    "nn.ModuleList([nn.Linear(3, 4) for _ in range(3)])",
    "nn.ModuleList([nn.Linear(3, 4)] * 3)",
]
NET = """import torch.nn as nn
from own import Own


class Net(nn.Module):
    def __init__(self, d, k):
        super().__init__()
        self.m = {}

    def forward(self, x):
        return self.m(x)
"""
UNKNOWN = [
    "nn.Linear(d, 4)",
    "nn.Conv2d(3, 4, k)",
    "nn.Sequential(nn.Linear(3, 4), Own())",
    "nn.ModuleList([nn.Linear(3, 4) for _ in range(d)])",
    "nn.utils.parametrizations.spectral_norm(nn.Linear(3, 4))",
    "nn.LazyLinear(4)",
]


def counted(call: str) -> int | None:
    return count_of(subject(NET.format(call)).instance)


def subject(text: str) -> Subject:
    project, path = Project(Settings()), Path("model.py").absolute()
    project.admit(path, text)
    file = project.library.known(path)
    assert file is not None
    (trace,) = project.traces(file)
    instance = trace.held["m"][0]
    assert instance.place is not None
    return Subject(trace, instance, instance.place)


@pytest.mark.parametrize("call", CALLS)
def test_the_count_is_that_of_torch(call: str) -> None:
    made = eval(call, {"nn": nn})  # noqa: S307 (the table above)
    assert counted(call) == sum(parameter.numel() for parameter in made.parameters())


@pytest.mark.parametrize("call", UNKNOWN)
def test_what_no_constant_says_is_not_counted(call: str) -> None:
    assert counted(call) is None


def test_every_formula_is_compared_with_torch() -> None:
    kinds = {call.removeprefix("nn.").partition("(")[0] for call in CALLS}
    assert {name.rpartition(".")[2] for name in _FORMULAS} <= kinds


def test_a_class_of_another_library_is_not_counted() -> None:
    assert parameter_count("other.Linear", {"in_features": 1, "out_features": 1, "bias": True}) is None


def test_hover_says_the_count() -> None:
    assert "It carries 131,584 learnable parameters." in explain(
        subject(NET.format("nn.Linear(256, 512)")), lambda _: "line 1"
    )
    assert torch.nn.Linear(256, 512).weight.numel() + 512 == 131_584
