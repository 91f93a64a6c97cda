"""The catalog against real torch instances, and its reading of arguments."""

import importlib
import inspect
import itertools
import json
from dataclasses import astuple

import pytest

from nnreuse.types.catalog import REQUIRED, UNKNOWN, Carries, Catalog, ModuleFacts

CATALOG = Catalog.shipped()
LITERALS = (False, True, 0, 0.0, 0.5, 1, 2, None)


def found(name: str) -> ModuleFacts:
    facts = CATALOG.find(name)
    assert facts is not None
    return facts


def carried(name: str, **arguments: object) -> str:
    """One letter for each thing carried: parameters, running statistics, chance, other state; ? where unknown."""
    values = astuple(found(f"torch.nn.{name}").carries(arguments))
    return "".join({True: letter, False: "-", None: "?"}[value] for letter, value in zip("prso", values, strict=True))


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("Linear", {}, "p---"),
        ("Linear", {"bias": False}, "p---"),
        ("Linear", {"bias": UNKNOWN}, "p---"),
        ("ReLU", {}, "----"),
        ("PReLU", {}, "p---"),
        ("RReLU", {}, "--s-"),
        ("BatchNorm1d", {}, "pr-o"),
        ("BatchNorm1d", {"affine": False}, "-r-o"),
        ("BatchNorm1d", {"track_running_stats": False}, "p---"),
        ("BatchNorm1d", {"affine": False, "track_running_stats": False}, "----"),
        ("BatchNorm1d", {"affine": UNKNOWN}, "?r-o"),
        ("BatchNorm1d", {"track_running_stats": UNKNOWN, "affine": 0}, "-?-?"),
        ("InstanceNorm2d", {}, "----"),
        ("InstanceNorm2d", {"affine": True}, "p---"),
        ("InstanceNorm2d", {"track_running_stats": True}, "-r-o"),
        ("LayerNorm", {}, "p---"),
        ("LayerNorm", {"elementwise_affine": False}, "----"),
        ("GroupNorm", {"affine": False}, "----"),
        ("Dropout", {}, "--s-"),
        ("Dropout", {"p": 0.1}, "--s-"),
        ("Dropout", {"p": 0.0}, "----"),
        ("Dropout", {"p": UNKNOWN}, "--?-"),
        ("MultiheadAttention", {}, "p---"),
        ("MultiheadAttention", {"dropout": 0.1}, "p-s-"),
        ("LSTM", {}, "p---"),
        ("LSTM", {"dropout": 0.5}, "p---"),
        ("LSTM", {"dropout": 0.5, "num_layers": 2}, "p-s-"),
        ("LSTM", {"dropout": UNKNOWN, "num_layers": 3}, "p-?-"),
        ("LSTM", {"dropout": UNKNOWN, "num_layers": 1}, "p---"),
        ("LazyLinear", {}, "p---"),
        ("Embedding", {}, "p---"),
        ("TransformerEncoderLayer", {}, "p-s-"),
        ("TransformerEncoderLayer", {"dropout": 0}, "p---"),
        ("Sequential", {}, "----"),
        ("ModuleList", {}, "----"),
        ("DataParallel", {}, "----"),
        ("ParameterList", {}, "----"),
        ("ParameterList", {"values": UNKNOWN}, "?---"),
        ("Module", {}, "----"),
    ],
)
def test_constructor_arguments_decide_what_an_instance_carries(name: str, arguments: dict[str, object], expected: str):
    assert carried(name, **arguments) == expected


def settings(facts: ModuleFacts) -> list[dict[str, object]]:
    """Every combination of values for the arguments that decide."""
    deciding = sorted({name for variant in facts.variants for name in variant.when})
    return [dict(zip(deciding, values, strict=True)) for values in itertools.product(LITERALS, repeat=len(deciding))]


def test_an_unknown_argument_leaves_unknown_exactly_what_it_decides():
    for name in CATALOG:
        facts = found(name)
        for arguments, unknown in ((known, one) for known in settings(facts) for one in known):
            outcomes = {astuple(facts.carries({**arguments, unknown: value})) for value in LITERALS}
            common = [values.pop() if len(values) == 1 else None for values in map(set, zip(*outcomes, strict=True))]
            assert astuple(facts.carries({**arguments, unknown: UNKNOWN})) == tuple(common), (name, arguments, unknown)


@pytest.mark.parametrize("path", ["Conv2d", "modules.Conv2d", "modules.conv.Conv2d"])
def test_a_class_is_found_by_every_path_that_torch_exports(path: str):
    assert found(f"torch.nn.{path}").name == "torch.nn.modules.conv.Conv2d"


@pytest.mark.parametrize(
    "path", ["torch.relu", "torch.nn.functional.relu", "torch.nn", "Conv2d", "", "torch.nn.Conv9d"]
)
def test_what_is_no_module_class_is_not_found(path: str):
    assert CATALOG.find(path) is None
    assert not CATALOG.is_module(path)


def test_bases_run_from_the_nearest_to_module():
    assert found("torch.nn.Conv2d").bases == ("torch.nn.modules.conv._ConvNd", "torch.nn.modules.module.Module")
    assert found("torch.nn.Module").bases == ()


def test_containers_are_those_whose_forward_is_the_containers_own():
    kinds = {"Sequential": "sequential", "ModuleList": "list", "ModuleDict": "dict", "ParameterDict": "parameters"}
    assert {name: found(f"torch.nn.{name}").container for name in kinds} == kinds
    assert found("torch.ao.nn.intrinsic.qat.ConvBn2d").container is None


def test_copied_and_kept_modules_are_told_apart():
    encoder = found("torch.nn.TransformerEncoder")
    assert (encoder.copies, encoder.keeps) == ({"encoder_layer"}, {"norm"})
    assert found("torch.nn.DataParallel").keeps == {"module"}
    assert found("torch.nn.Transformer").keeps >= {"custom_encoder", "custom_decoder"}


def test_recurrent_classes_are_those_that_take_a_hidden_state():
    recurrent = {name for name in CATALOG if found(name).recurrent and name.startswith("torch.nn.modules.")}
    names = ["RNNBase", "RNN", "LSTM", "GRU", "RNNCellBase", "RNNCell", "LSTMCell", "GRUCell"]
    assert recurrent == {f"torch.nn.modules.rnn.{name}" for name in names}


@pytest.mark.parametrize(
    ("path", "adds_state"),
    [
        ("torch.nn.utils.spectral_norm", True),
        ("torch.nn.utils.parametrizations.spectral_norm", True),
        ("torch.nn.utils.weight_norm", False),
        ("torch.nn.utils.parametrizations.orthogonal", False),
    ],
)
def test_functions_that_hand_back_their_module_are_known(path: str, adds_state: bool):
    facts = CATALOG.function(path)
    assert facts is not None
    assert (facts.returns_argument, facts.adds_state) == ("module", adds_state)


@pytest.mark.parametrize("text", ["[]", "{}", '{"schema": 99, "classes": {}}', '{"schema": 2}', "", "{"])
def test_another_document_is_refused(text: str):
    with pytest.raises(ValueError, match=r"schema|missing|line 1"):
        Catalog.from_json(text)


def test_a_catalog_can_be_empty():
    assert (
        Catalog.from_json(json.dumps({"schema": 2, "classes": {}, "functions": {}, "keeping": {}})).find(
            "torch.nn.Linear"
        )
        is None
    )


def test_surplus_and_strange_arguments_are_bound_without_complaint():
    relu, sequential = found("torch.nn.ReLU"), found("torch.nn.Sequential")
    assert relu.bind([True, 1, 2], {"odd": 3}) == {"inplace": True, "odd": 3}
    assert sequential.bind(["a", "b"], {}) == {"args": ("a", "b")}
    assert found("torch.nn.LSTM").bind([3, 4, 2], {}) == {"input_size": 3, "hidden_size": 4, "num_layers": 2}


# Against torch itself

EXAMPLES = {
    "normalized_shape": 4,
    "num_heads": 2,
    "nhead": 2,
    "num_groups": 2,
    "cutoffs": [2],
    "mode": "LSTM",
    "unflattened_size": (2, 2),
    "bias": True,
}


def public_classes() -> list[str]:
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    values = {name: getattr(torch.nn, name) for name in dir(torch.nn)}
    return [name for name, cls in values.items() if isinstance(cls, type) and issubclass(cls, torch.nn.Module)]


def required(facts: ModuleFacts) -> dict[str, object]:
    import torch

    layers = {"encoder_layer": torch.nn.TransformerEncoderLayer, "decoder_layer": torch.nn.TransformerDecoderLayer}
    arguments: dict[str, object] = {"output_ratio": 0.5} if "FractionalMaxPool" in facts.name else {}
    for parameter in facts.parameters_in_order:
        if parameter.default is REQUIRED and parameter.kind == "either":
            name = parameter.name
            arguments[name] = layers[name](4, 2, 4) if name in layers else EXAMPLES.get(name, 4)
    if facts.keeps >= {"module"}:
        arguments["module"] = torch.nn.ReLU()
    return arguments


def owned(instance) -> tuple[bool, bool]:
    statistics = [name for name, _ in instance.named_buffers() if name.endswith(("running_mean", "running_var"))]
    return any(True for _ in instance.parameters()), bool(statistics)


def booleans(facts: ModuleFacts) -> list[dict[str, bool]]:
    names = [parameter.name for parameter in facts.parameters_in_order if isinstance(parameter.default, bool)]
    return [dict(zip(names, values, strict=True)) for values in itertools.product((True, False), repeat=len(names))]


@pytest.mark.filterwarnings("ignore")
def test_every_public_class_of_torch_nn_carries_what_its_instances_have():
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    for name in public_classes():
        facts, cls = found(f"torch.nn.{name}"), getattr(torch.nn, name)
        for flags in booleans(facts):
            arguments = {**required(facts), **flags}
            with torch.device("meta"):
                instance = cls(**arguments)
            carries = facts.carries(arguments)
            assert (carries.parameters, carries.running_stats) == owned(instance), (name, flags)


BEYOND = [
    "nn.quantized", "nn.quantized.dynamic", "nn.quantizable", "nn.qat", "nn.qat.dynamic", "nn.sparse.quantized", "nn.intrinsic",
    "nn.intrinsic.qat", "nn.intrinsic.quantized", "nn.intrinsic.quantized.dynamic", "quantization",
]  # fmt: skip


def quantization_classes() -> list[str]:
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    modules = [importlib.import_module(f"torch.ao.{name}") for name in BEYOND]
    return [
        f"{module.__name__}.{name}"
        for module in modules
        for name, cls in vars(module).items()
        if isinstance(cls, type) and issubclass(cls, torch.nn.Module) and not name.startswith("_")
    ]


def built(name: str):
    """An instance, and what it was built with; None where simple arguments do not do."""
    torch = pytest.importorskip("torch")
    quantization = torch.ao.quantization
    module, _, last = name.rpartition(".")
    cls, facts = getattr(importlib.import_module(module), last), found(name)
    vector = torch.nn.Parameter(torch.ones(8))
    sizes = {p.name: p.default for p in facts.parameters_in_order if p.default is REQUIRED and p.kind == "either"}
    given = {key: {"weight": vector, "bias": vector, "scale": 1.0, "zero_point": 0}.get(key, 8) for key in sizes}
    named = {parameter.name for parameter in facts.parameters_in_order}
    configurations = [quantization.default_qat_qconfig, quantization.default_embedding_qat_qconfig]
    for config in [*configurations, quantization.default_dynamic_qat_qconfig] if "qconfig" in named else [None]:
        arguments = {**given, **({"qconfig": config} if config else {})}
        try:
            return cls(**arguments), arguments
        except (TypeError, ValueError, AttributeError, AssertionError, RuntimeError, NotImplementedError):
            continue
    return None


@pytest.mark.filterwarnings("ignore")
def test_every_public_class_of_quantization_is_known_and_carries_what_its_instances_have():
    names = quantization_classes()
    assert [name for name in names if CATALOG.find(name) is None] == []
    compared = 0
    for name, (instance, arguments) in ((name, pair) for name in names if (pair := built(name))):
        carries = found(name).carries(arguments)
        assert (carries.parameters, carries.running_stats) == owned(instance), name
        compared += 1
    assert compared > 80


@pytest.mark.parametrize(("name", "state"), [("spectral_norm", True), ("weight_norm", False), ("orthogonal", False)])
def test_a_parametrization_hands_back_its_module_and_adds_state_where_torch_does(name: str, state: bool):
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    path = f"torch.nn.utils.parametrizations.{name}"
    facts, linear = CATALOG.function(path), torch.nn.Linear(64, 64)
    assert facts is not None
    parametrized = getattr(torch.nn.utils.parametrizations, name)(linear)
    assert parametrized is linear
    before = [buffer.clone() for buffer in linear.buffers()]
    linear(torch.randn(2, 64))
    changed = not all(map(torch.equal, before, linear.buffers()))
    assert (facts.returns_argument, facts.adds_state, changed) == ("module", state, state)


def test_a_lazy_class_carries_what_it_becomes():
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    lazy = [name for name in public_classes() if name.startswith("Lazy")]
    assert len(lazy) > 10
    for name in lazy:
        facts, cls = found(f"torch.nn.{name}"), getattr(torch.nn, name)
        instance = cls(**required(facts))
        assert facts.carries({}).parameters == bool(list(instance.parameters())), name
        statistics = any(key.endswith("running_mean") for key, _ in instance.named_buffers())
        assert facts.carries({}).running_stats == statistics, name


@pytest.mark.parametrize(
    "name", ["Dropout", "Dropout1d", "AlphaDropout", "RReLU", "ReLU", "BatchNorm1d", "GELU", "Linear"]
)
def test_chance_is_what_two_training_forwards_show(name: str):
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    facts = found(f"torch.nn.{name}")
    instance, x = getattr(torch.nn, name)(**dict.fromkeys(required(facts), 64)), torch.randn(64, 64)
    differ = not torch.equal(instance(x.clone()), instance(x.clone()))
    assert facts.carries({}).stochastic == differ


def test_arguments_are_bound_as_python_binds_them():
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    for name in public_classes():
        facts, signature = found(f"torch.nn.{name}"), inspect.signature(getattr(torch.nn, name).__init__)
        if {"args", "kwargs"} & set(signature.parameters):
            continue
        names = [parameter.name for parameter in facts.parameters_in_order if parameter.kind == "either"]
        for split in range(len(names) + 1):
            positional, keywords = names[:split], {name: name for name in names[split:]}
            expected = dict(signature.bind(None, *positional, **keywords).arguments)
            expected.pop("self")
            assert facts.bind(positional, keywords) == expected


def test_carries_compares_by_value():
    assert found("torch.nn.ReLU").carries({}) == Carries(False, False, False, False)
