# pyright: basic
"""Probe: asks torch what its module classes own, by building and running them; prints the answer as JSON.

Runs apart, in an interpreter that has torch: `python -I probe.py [--write PATH]`
(-I, since this folder's `types` would hide the standard library's). Imports the standard library and torch alone.
Refresh the shipped catalog: `python -I server/nnreuse/probe.py --write server/nnreuse/types/torch_catalog.json`.
"""

import argparse
import contextlib
import importlib
import inspect
import itertools
import json
import logging
import os
import pkgutil
import re
import sys
import typing
import warnings

import torch
from torch import nn

SCHEMA = 2
# A star: with all that lies below. Elsewhere submodules are slow to import and hold no class that user code creates.
ROOTS = (
    "torch.nn* torch.ao.nn* torch.quantization torch.ao.quantization torch.ao.quantization.stubs "
    "torch.ao.quantization.observer torch.ao.quantization.fake_quantize"
)
FIELDS = ("parameters", "running_stats", "stochastic", "other_state", "shapes")

# Every size is 8, so that one input of each rank fits nearly every class.
SIZE = 8
SEEDS = 4
# For constructor parameters that have no default.
EIGHTS = (
    "in_features out_features in1_features in2_features in_channels out_channels num_features num_channels embed_dim "
    "normalized_shape input_size hidden_size input_dim hidden_dim embedding_dim num_embeddings n_classes num_classes"
)
TWOS = "num_heads num_groups groups num_layers kernel_size output_size upscale_factor downscale_factor norm_type size"
ONES = "padding dim scale output_scale value num_chunks"
HALVES = "threshold negative_slope p drop_prob"
REQUIRED = {
    **dict.fromkeys(EIGHTS.split(), SIZE),
    **dict.fromkeys(TWOS.split(), 2),
    **dict.fromkeys(ONES.split(), 1),
    **dict.fromkeys(HALVES.split(), 0.5),
    **dict.fromkeys(("zero_point", "output_zero_point"), 0),
    "mode": "LSTM",
    "bias": True,
    "cutoffs": [4],
    "unflattened_size": (2, 4),
    "block_size": 3,
    "dtype": torch.quint8,
    "weight": torch.ones(SIZE),
}
# Instead of the default: too large, or none that works.
ALWAYS = {"d_model": SIZE, "nhead": 2, "dim_feedforward": SIZE, "num_encoder_layers": 1, "num_decoder_layers": 1}
BY_CLASS = {
    "torch.nn.modules.fold.Fold": {"output_size": (3, 5)},
    "torch.nn.modules.pooling.FractionalMaxPool2d": {"output_ratio": 0.5},
    "torch.nn.modules.pooling.FractionalMaxPool3d": {"output_ratio": 0.5},
    "torch.nn.utils.parametrizations._SpectralNorm": {"weight": torch.ones(SIZE, SIZE)},
    **{
        f"torch.ao.nn.quantized.modules.normalization.{name}": {
            "weight": nn.Parameter(torch.ones(SIZE)),
            "bias": nn.Parameter(torch.zeros(SIZE)),
        }
        for name in ("GroupNorm", "LayerNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d")
    },
}
# Where the usual configuration of quantization is refused.
QCONFIGS = ("default_dynamic_qat_qconfig", "default_embedding_qat_qconfig")
# Floats that scale a computation rather than choose one.
SCALES = {"eps", "momentum", "layer_norm_eps"}
# `LSTM(*args, **kwargs)` and its like do not say what they take.
UNDECLARED = {"input_size": SIZE, "hidden_size": SIZE}
CONTAINERS = {
    nn.Sequential: "sequential",
    nn.ModuleList: "list",
    nn.ModuleDict: "dict",
    nn.ParameterList: "parameters",
    nn.ParameterDict: "parameters",
}
# Parameters that take a module, by name and rank. (Annotations tell of others.)
MODULES = {
    "module": lambda _: nn.Linear(SIZE, SIZE),
    "linear": lambda _: nn.Linear(SIZE, SIZE),
    "conv": lambda rank: getattr(nn, f"Conv{rank}d")(SIZE, SIZE, 2),
    "bn": lambda rank: getattr(nn, f"BatchNorm{rank}d")(SIZE),
    "batch_norm": lambda rank: getattr(nn, f"BatchNorm{rank}d")(SIZE),
    "relu": lambda _: nn.ReLU(),
    "leaky_relu": lambda _: nn.LeakyReLU(),
    "tanh": lambda _: nn.Tanh(),
    "encoder_layer": lambda _: nn.TransformerEncoderLayer(SIZE, 2, SIZE),
    "decoder_layer": lambda _: nn.TransformerDecoderLayer(SIZE, 2, SIZE),
    **dict.fromkeys(("args", "modules", "add", "norm", "custom_encoder", "custom_decoder"), lambda _: Given()),
}


class Given(nn.Module):
    """A module handed to a constructor, to see whether the instance itself or a copy comes to be held."""

    def forward(self, x, *_, **__):
        return x


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--write", metavar="PATH", help="write to a file instead of standard output")
    chosen = options.parse_args()
    with silence():
        text = to_text(probe())
    if chosen.write:
        with open(chosen.write, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    else:
        sys.stdout.write(text)


def probe():
    """The whole document. What cannot be imported, built or run is left out or null; nothing raises."""
    modules = load()
    found = aliases_of(modules, lambda value: isinstance(value, type) and issubclass(value, nn.Module))
    functions = aliases_of(modules, inspect.isfunction)
    with process_group():
        classes = {name: describe(cls, paths) for name, (cls, paths) in found.items()}
        wrappers = {name: wrapping(function, paths) for name, (function, paths) in functions.items()}
    return {
        "schema": SCHEMA,
        "torch": torch.__version__,
        "classes": classes,
        "functions": {name: facts for name, facts in wrappers.items() if facts},
        "keeping": keeping(),
    }


def to_text(document):
    """JSON with one class on each line, keys sorted, so that two versions of torch differ in readable lines."""
    parts = []
    for key, value in sorted(document.items()):
        if isinstance(value, dict) and value:
            lines = (f"  {json.dumps(name)}: {json.dumps(value[name], sort_keys=True)}" for name in sorted(value))
            parts.append(f"{json.dumps(key)}: {{\n" + ",\n".join(lines) + "\n}")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


@contextlib.contextmanager
def silence():
    """Nothing but the document is printed: not even by torch's C++, which writes past `sys.stderr`."""
    warnings.simplefilter("ignore")
    disabled = logging.root.manager.disable
    logging.disable()
    torch.set_num_threads(1)
    sys.stdout.flush()
    saved = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        with torch.no_grad():
            yield
    finally:
        sys.stdout.flush()
        os.dup2(saved[0], 1)
        os.dup2(saved[1], 2)
        logging.disable(disabled)


@contextlib.contextmanager
def process_group():
    """One process is group enough for DistributedDataParallel to be built."""
    try:
        store = importlib.import_module("torch.distributed").HashStore()
        torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    except Exception:
        yield
        return
    yield
    torch.distributed.destroy_process_group()


# What there is


def load():
    roots = ROOTS.split()
    plain = [imported(root.rstrip("*")) for root in roots]
    below = [
        imported(found.name)
        for root, module in zip(roots, plain, strict=True)
        if module and root.endswith("*")
        for found in pkgutil.walk_packages(module.__path__, module.__name__ + ".", onerror=lambda _: None)
    ]
    return [module for module in plain + below if module]


def imported(name):
    try:
        return importlib.import_module(name)
    except Exception:
        return None


def aliases_of(modules, wanted):
    """Canonical name -> the object, and the other dotted paths that lead to it, the shortest first."""
    packages = {module.__name__.split(".")[0] for module in modules}
    found = {}
    for module in modules:
        for name, value in vars(module).items():
            if wanted(value) and value.__module__.split(".")[0] in packages and "<" not in value.__qualname__:
                paths = found.setdefault(canonical(value), (value, set()))[1]
                paths.add(f"{module.__name__}.{name}")
    return {name: (value, by_length(paths - {name})) for name, (value, paths) in found.items()}


def by_length(paths):
    return sorted((path for path in paths if "._" not in path), key=lambda path: (path.count("."), path))


def canonical(value):
    return f"{value.__module__}.{value.__qualname__}"


# One class


def describe(cls, aliases):
    """The facts of one class; null where it could not be built."""
    signature = signature_of(cls)
    keeps, copies = given_modules(cls, signature)
    facts, variants = outcomes(cls, signature)
    return {
        "aliases": aliases,
        "bases": [canonical(base) for base in cls.__mro__[1:] if issubclass(base, nn.Module)],
        "signature": [encoded(parameter) for parameter in signature],
        "container": container_of(cls),
        "keeps": keeps,
        "copies": copies,
        "recurrent": is_recurrent(cls),
        **facts,
        "variants": variants,
    }


def container_of(cls):
    """The kind of container, unless a forward of its own makes it another thing."""
    kinds = (kind for base, kind in CONTAINERS.items() if issubclass(cls, base) and cls.forward is base.forward)
    return next(kinds, None)


def is_recurrent(cls):
    """Takes a hidden state, or is a base of those that do."""
    with contextlib.suppress(ValueError, TypeError):
        if {"hx", "hidden"} & set(inspect.signature(cls.forward).parameters):
            return True
    return any(base.__name__ in ("RNNBase", "RNNCellBase") for base in cls.__mro__)


def signature_of(cls):
    """The constructor's parameters without self; of an overloaded one, the first overload's."""
    overloads = getattr(typing, "get_overloads", lambda _: [])(cls.__init__)
    try:
        parameters = inspect.signature(overloads[0] if overloads else cls.__init__).parameters
    except (ValueError, TypeError):
        return []
    return list(parameters.values())[1:]


def encoded(parameter):
    kinds = {parameter.KEYWORD_ONLY: "keyword", parameter.VAR_POSITIONAL: "args", parameter.VAR_KEYWORD: "kwargs"}
    entry = {"name": parameter.name}
    if parameter.kind in kinds:
        entry["kind"] = kinds[parameter.kind]
    if parameter.default is not parameter.empty:
        entry.update({"default": parameter.default} if is_literal(parameter.default) else {"nonliteral": True})
    return entry


def is_literal(value):
    if type(value) in (tuple, list):
        return all(map(is_literal, value))
    return value is None or type(value) in (bool, int, str) or type(value) is float and abs(value) < float("inf")


# What an instance is built with


def arguments_for(cls, signature):
    """A plausible value for each parameter that needs one, or that would be large."""
    fixed = ALWAYS | BY_CLASS.get(canonical(cls), {})
    arguments = {}
    for parameter in signature:
        name, rank = parameter.name, rank_of(cls)
        if name in fixed:
            arguments[name] = fixed[name]
        elif name == "qconfig":
            arguments[name] = qconfig("default_qat_qconfig")
        elif name == "scale_factor" and parameter.default is None:
            arguments[name] = 2
        elif parameter.default is parameter.empty and name in REQUIRED:
            arguments[name] = REQUIRED[name]
        elif parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            arguments[name] = made(name, rank)
    return arguments


def qconfig(name):
    return getattr(imported("torch.ao.quantization"), name, None)


def rank_of(cls):
    """2 for Conv2d; 1 where the name does not say."""
    digits = re.search(r"([123])d", cls.__name__)
    return int(digits[1]) if digits else 1


def made(name, rank):
    """A module such as a parameter of that name asks for."""
    return MODULES[name](rank) if name in MODULES else Given()


def build(cls, signature, changes):
    """(An instance in training mode or None, the arguments it was given.)"""
    if changes.get("stride") == 0 and ".quantized." in cls.__module__:
        return (
            None,
            [],
        )  # some back ends refuse it; FBGEMM, that of processors without AVX-512, divides by it: the process would end
    arguments = {**arguments_for(cls, signature), **changes}
    spread = arguments.pop("args", ())
    # A name that says nothing may well be a size, and a `dim` the width.
    sizes = {name: SIZE if type(value) is Given or name == "dim" else value for name, value in arguments.items()}
    torch.manual_seed(0)
    attempts = [arguments, {**UNDECLARED, **arguments}, {**sizes, **changes}]
    if "qconfig" in arguments:
        attempts += [{**arguments, "qconfig": qconfig(name)} for name in QCONFIGS]
    for attempt in attempts:
        with contextlib.suppress(Exception):
            return cls(*spread, **attempt).train(), list(attempt.values())
    return None, []


# Modules that a constructor is given


def given_modules(cls, signature):
    """Names of the parameters whose module is held itself, and of those whose module is held as a copy."""
    fates = {parameter.name: fate(cls, signature, parameter) for parameter in signature if may_be_module(parameter)}
    return [sorted(name for name, seen in fates.items() if seen == kind) for kind in ("kept", "copied")]


def may_be_module(parameter):
    if parameter.name in REQUIRED or is_literal(parameter.default) and parameter.default is not None:
        return False
    return parameter.name in MODULES or bool(re.search("Module|Callable", str(parameter.annotation)))


def fate(cls, signature, parameter):
    given = made(parameter.name, rank_of(cls))
    shapes = [given, [given], {"a": given}]
    for value in shapes[1:] if parameter.kind is parameter.VAR_POSITIONAL else shapes:
        instance, _ = build(cls, signature, {parameter.name: value})
        held = list(instance.modules()) if instance is not None else []
        if any(module is given for module in held):
            return "kept"
        if any(type(module) is type(given) for module in held):
            return "copied"
    return None


# What it owns, under which arguments


def outcomes(cls, signature) -> tuple[dict, list]:
    """The facts under the defaults, and the settings of arguments that change them, in order of application."""
    base = observe(cls, signature, {})
    if base is None:
        return dict.fromkeys(FIELDS), []
    flips = dict(filter(None, map(flip, signature)))
    variants = []
    for size in (1, 2):
        for names in itertools.combinations(flips, size):
            add_variant(cls, signature, base, variants, {name: flips[name] for name in names})
    deciding = sorted({name for variant in variants for name in variant["when"]})
    for names in itertools.combinations(deciding, 3):
        add_variant(cls, signature, base, variants, {name: flips[name] for name in names})
    return base, variants


def flip(parameter):
    """(name, (condition, value)): the value to try instead of the default, and what it stands for.

    Conditions: false and true speak of truth (so that 0.0 is false); ">1" of a number.
    """
    name, default = parameter.name, parameter.default
    if type(default) is bool:
        return name, (not default, not default)
    if type(default) is float and name not in SCALES and 0 <= default <= 1:
        return name, (not default, 0.0 if default else 0.5)
    if name == "num_layers" and default == 1:
        return name, (">1", 2)
    if name in ("values", "parameters") and default is None:
        weight = nn.Parameter(torch.ones(1))
        return name, (True, [weight] if name == "values" else {"a": weight})
    return None


def add_variant(cls, signature, base, variants, flipped):
    seen = observe(cls, signature, {name: value for name, (_, value) in flipped.items()})
    if seen is None:
        return
    when = {name: condition for name, (condition, _) in flipped.items()}
    expected = dict(base)
    for variant in variants:
        if variant["when"].items() <= when.items():
            expected.update({field: variant[field] for field in FIELDS if field in variant})
    news = {field: seen[field] for field in FIELDS if seen[field] is not None and seen[field] != expected[field]}
    if news:
        variants.append({"when": when, **news})


def observe(cls, signature, changes):
    """What an instance owns besides the modules that it was given and holds."""
    instance, arguments = build(cls, signature, changes)
    if instance is None:
        return None
    held = {id(module) for module in instance.modules()}
    given = [value for value in arguments if isinstance(value, nn.Module) and id(value) in held]
    foreign = {id(tensor) for module in given for tensor in [*module.parameters(), *module.buffers()]}
    buffers = {name: buffer for name, buffer in instance.named_buffers() if id(buffer) not in foreign}
    running = any(name.endswith(("running_mean", "running_var")) for name in buffers)
    stochastic, changed = run(instance, rank_of(cls))
    return {
        "parameters": any(id(parameter) not in foreign for parameter in instance.parameters()),
        "running_stats": running,
        "stochastic": stochastic,
        "other_state": bool(changed & set(buffers)) if changed is not None else (running or None if buffers else False),
        "shapes": shapes_of(cls, signature, changes),
    }


# What it does to shapes
#
# `a in_channels b c -> a out_channels ? ?`: a letter is any size, the same on both sides; a name is the constructor's argument,
# which the input must agree with; `?` may be anything. `... in_features -> ... out_features` stands for any number of leading axes.


OTHER = SIZE + 2
LETTERS = "abcde"


def shapes_of(cls, signature, changes):
    """The patterns of a class whose forward takes one tensor and gives one, measured by changing one size at a time.

    None where an argument changes the rank, or an axis wants something that no argument says.
    """
    if container_of(cls) or cls.forward.__name__ == "_forward_unimplemented" or cls.__name__.startswith("Lazy"):
        return []
    sizes = sizes_of(cls, signature)
    found = [shape_at(cls, signature, changes, sizes, rank) for rank in range(1, len(LETTERS) + 1)]
    unclear = any(pattern is not None and ("?" in pattern[0] or "rank" in pattern[1]) for pattern in found)
    return [] if unclear else generalised([pattern for pattern in found if pattern is not None])


def sizes_of(cls, signature):
    """The constructor's parameters that stand for an integer, and the value each is given."""
    given = arguments_for(cls, signature)
    sizes = {parameter.name: given.get(parameter.name, parameter.default) for parameter in signature}
    return {name: value for name, value in sizes.items() if type(value) is int}


def shape_at(cls, signature, changes, sizes, rank):
    """(What each axis of the input must be, what each axis of the output is), or None where no such input fits."""
    base = [SIZE] * rank
    out = result(cls, signature, changes, base)
    if out is None:
        return None
    given, left = [], ["?"] * len(out)
    for axis in range(rank):
        changed = [*base[:axis], OTHER, *base[axis + 1 :]]
        other = result(cls, signature, changes, changed)
        if other is None:
            given.append(required(cls, signature, changes, sizes, base, changed))
        else:
            given.append(LETTERS[axis])
            decide(left, out, LETTERS[axis], SIZE, other)
    for name, value in sizes.items():
        adjusted = [OTHER if token == name else SIZE for token in given]
        decide(left, out, name, value, result(cls, signature, {**changes, name: value + 2}, adjusted))
        for one in (0, 1, 2, 3) if name not in given else ():
            decide(left, out, name, None, result(cls, signature, {**changes, name: one}, base))
    return given, ["?" if token == "!" else token for token in left]


def required(cls, signature, changes, sizes, base, changed):
    """The parameter that an axis must agree with."""
    for name, value in sizes.items():
        grown = {**changes, name: OTHER}
        fits = value == SIZE and result(cls, signature, grown, changed) is not None
        if fits and result(cls, signature, grown, base) is None:
            return name
    return "?"


def decide(left, out, name, value, other):
    """What a change of `name` from `value`, by two, says of each axis of the output: that it is that, or not what it seemed."""
    if other is None:
        return
    for at in range(len(out)):
        if len(other) != len(out):
            left[at] = "rank"
        elif other[at] != out[at] and not (left[at] == name and value is None):
            follows = value is not None and (out[at], other[at], left[at]) == (value, value + 2, "?")
            left[at] = name if follows else "!"


def result(cls, signature, changes, shape):
    """The shape of the output for an input of this shape; None where torch refuses it, or the output is not one tensor."""
    instance, _ = build(cls, signature, changes)
    if instance is None:
        return None
    for make in (torch.randn, lambda shape: torch.randint(0, SIZE, shape)):
        with contextlib.suppress(Exception):
            output = instance(make(shape))
            return list(output.shape) if isinstance(output, torch.Tensor) else None
    return None


def generalised(patterns) -> list[str]:
    """The patterns as text; one with leading dots where all ranks tell the same."""
    plain = [f"{' '.join(given)} -> {' '.join(left)}" for given, left in patterns]
    for tail in (0, 1, 2):
        short = {shortened(given, left, tail) for given, left in patterns if len(given) >= tail}
        found = [text for text in short if text is not None]
        if found and len(short) == 1 and len(patterns) == len(LETTERS) - max(0, tail - 1):
            return found
    return plain


def shortened(given, left, tail):
    """A pattern with dots for all axes but the last `tail`; None where these do not pass through as they are."""
    leading = len(given) - tail
    if given[:leading] != left[:leading] or any(token not in LETTERS for token in given[:leading]):
        return None
    names = {letter: LETTERS[-1 - at] for at, letter in enumerate(reversed(given)) if letter in LETTERS}
    return " -> ".join(
        " ".join(["...", *(names.get(token) or token for token in tokens[leading:])]) for tokens in (given, left)
    )


# Running it


def run(instance, rank):
    """Whether two forwards on one input differ, and the buffers that forwards change; None if none of the inputs fits."""
    if instance.forward.__name__ == "_forward_unimplemented":
        return False, set()
    before = snapshot(instance)
    for inputs in candidates(rank):
        with contextlib.suppress(Exception):
            for seed in (1, 2):
                forward(instance, inputs, seed, 0)
            after = snapshot(instance)
            changed = {name for name in after if not same(before.get(name), after[name])}
            return is_stochastic(instance, inputs, after), changed
    return None, None


def is_stochastic(instance, inputs, state):
    """Whether the seed decides what comes out. Restores the buffers each time: what a state changes is no chance.

    Nor is what differs under one seed: some quantized kernels read memory that nobody wrote.
    """
    first = under_seeds(instance, inputs, state)
    if all(alike(first[0], other) for other in first):
        return False
    return all(map(alike, first, under_seeds(instance, inputs, state)))


def under_seeds(instance, inputs, state):
    """What comes out under each of some seeds."""
    outputs = []
    for seed in range(SEEDS):
        for name, buffer in instance.named_buffers():
            if buffer.shape == state[name].shape:
                buffer.copy_(state[name])
        outputs.append(flat(forward(instance, inputs, 1, seed)))
    return outputs


def alike(outputs, others):
    return len(outputs) == len(others) and all(map(same, outputs, others))


def forward(instance, inputs, input_seed, seed):
    torch.manual_seed(input_seed)
    arguments = inputs()
    torch.manual_seed(seed)
    return instance(*arguments)


def snapshot(instance):
    lazy = nn.parameter.is_lazy
    return {name: buffer.clone() for name, buffer in instance.named_buffers() if not lazy(buffer)}


def same(one, other):
    if one is None or one.shape != other.shape:
        return False
    if one.is_quantized:
        one, other = one.dequantize(), other.dequantize()
    return torch.equal(torch.nan_to_num(one), torch.nan_to_num(other))


def flat(output):
    if isinstance(output, torch.Tensor):
        return [output]
    if isinstance(output, (tuple, list)):
        return [tensor for item in output for tensor in flat(item)]
    return []


def candidates(rank):
    """Makers of inputs, the likeliest first."""
    ranks = sorted((2, 3, 4, 5), key=lambda number: (number != rank + 2, number))
    for number in ranks:
        yield lambda number=number: (real(number),)
    for number in ranks:
        yield lambda number=number: (real(number), real(number))
        yield lambda number=number: (real(number), whole(number))
        yield lambda number=number: (torch.quantize_per_tensor(real(number), 0.1, 128, torch.quint8),)
    yield lambda: (unit(2), unit(2))
    yield lambda: (real(2), whole(1))
    yield lambda: (whole(2),)
    yield lambda: (real(2), real(2), real(2))
    yield lambda: (unit(2), unit(2), unit(2))
    yield lambda: (real(2), real(2), torch.ones(SIZE))
    yield lambda: (real(3), real(3), real(3))
    lengths = torch.full((SIZE,), SIZE), torch.full((SIZE,), 2)
    yield lambda: (real(3).log_softmax(2), whole(2).clamp(min=1), *lengths)


def real(rank):
    return torch.randn([SIZE] * rank)


def unit(rank):
    return torch.rand([SIZE] * rank)


def whole(rank):
    return torch.randint(0, SIZE, [SIZE] * rank)


# Functions and methods that leave the shape of their first tensor as it is


KEPT = ((6,), (4, 1), (3, 1, 5), (2, 9, 8, 12))
BESIDES = ((), (0.5,), (1,), (2,), (3,), (-1,), (1, 2), (0, 1, 2))


def keeping():
    """Names of torch's functions and of tensor methods whose result has the shape of their first argument, whatever else they are given.

    `with_numbers`: of those that broadcast, only where all that they are given besides is no tensor.
    """
    functional = importlib.import_module("torch.nn.functional")
    builtin = type(torch.relu)
    plain = {name: value for name, value in vars(torch).items() if type(value) is builtin}
    tensor = {name: getattr(torch.Tensor, name) for name in dir(torch.Tensor)}
    methods = {name: value for name, value in tensor.items() if type(value) is type(torch.Tensor.relu)}
    groups = {"torch": plain, "torch.nn.functional": vars(functional), "torch.Tensor": methods}
    found = {"always": [], "with_numbers": []}
    for prefix, group in groups.items():
        for name, function in sorted(group.items()):
            if callable(function) and not name.startswith("_") and not isinstance(function, type):
                kind = how_it_keeps(function)
                if kind:
                    found[kind].append(f"{prefix}.{name}")
    return found


def how_it_keeps(function):
    outcomes = [{same_shape(function, shape, besides) for besides in BESIDES} for shape in KEPT]
    if any(False in one for one in outcomes) or sum(True in one for one in outcomes) < len(KEPT) - 1:
        return None
    wider = [torch.rand(2, *shape) for shape in KEPT]
    broadcasts = {same_shape(function, shape, (other,)) for shape, other in zip(KEPT, wider, strict=True)}
    return "with_numbers" if broadcasts != {None} else "always"


def same_shape(function, shape, besides):
    """None where torch refuses the arguments."""
    given = torch.rand(shape)
    with contextlib.suppress(Exception):
        output = function(given, *besides)
        return isinstance(output, torch.Tensor) and tuple(output.shape) == shape
    return None


# Functions that take a module and hand it back


def wrapping(function, aliases):
    """The parameter that a function returns after changing it, and whether forwards then change buffers."""
    names = list(inspect.signature(function).parameters)
    if not names or names[0] != "module":
        return None
    for extra in ((), ("weight",), ("weight", 1), ("weight", Given())):
        module = nn.Linear(SIZE, SIZE)
        with contextlib.suppress(Exception):
            if function(module, *extra) is not module:
                return None
            _, changed = run(module.train(), 1)
            return {"aliases": aliases, "returns_argument": "module", "adds_state": bool(changed)}
    return None


if __name__ == "__main__":
    main()
