"""How many learnable numbers an instance of torch's classes has, by its constructor's arguments.

The formulas are those of torch 2.13's constructors; the tests compare each with real modules.
"""

from collections.abc import Callable, Mapping
from math import prod

_Arguments = Mapping[str, object]


class _NotKnown(Exception):
    """An argument that the count depends on is no number here."""


def parameter_count(name: str, arguments: _Arguments) -> int | None:
    """The count for a class's canonical name; None where an argument is not known, or nothing is known of the class.

    `arguments` holds every argument that has an effect, defaults included.
    """
    formula = _FORMULAS.get(name.removeprefix("torch.nn.modules.")) if name.startswith("torch.nn.modules.") else None
    try:
        return formula(arguments) if formula is not None else None
    except _NotKnown:
        return None


def _size(given: _Arguments, name: str) -> int:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _NotKnown
    return value


def _flag(given: _Arguments, name: str) -> bool:
    value = given.get(name)
    if not isinstance(value, bool):
        raise _NotKnown
    return value


def _product(value: object, axes: int | None = None) -> int:
    """Of a kernel's sides or of a normalised shape; a single number stands for each of the `axes`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value ** (axes or 1))
    if isinstance(value, tuple | list) and all(type(one) is int for one in value) and axes in (None, len(value)):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return prod(value)  # pyright: ignore[reportUnknownArgumentType]
    raise _NotKnown


def _linear(given: _Arguments) -> int:
    return _size(given, "out_features") * (_size(given, "in_features") + _flag(given, "bias"))


def _bilinear(given: _Arguments) -> int:
    pairs = _size(given, "in1_features") * _size(given, "in2_features")
    return _size(given, "out_features") * (pairs + _flag(given, "bias"))


def _convolution(axes: int) -> Callable[[_Arguments], int]:
    def count(given: _Arguments) -> int:
        made, read = _size(given, "out_channels"), _size(given, "in_channels")
        groups = _size(given, "groups") or 1
        return made * read // groups * _product(given.get("kernel_size"), axes) + made * _flag(given, "bias")

    return count


def _affine(size: str) -> Callable[[_Arguments], int]:
    return lambda given: 2 * _size(given, size) if _flag(given, "affine") else 0


def _layer_norm(given: _Arguments) -> int:
    if not _flag(given, "elementwise_affine"):
        return 0
    return _product(given.get("normalized_shape")) * (2 if given.get("bias", True) is not False else 1)


def _rms_norm(given: _Arguments) -> int:
    return _product(given.get("normalized_shape")) if _flag(given, "elementwise_affine") else 0


def _embedding(given: _Arguments) -> int:
    return _size(given, "num_embeddings") * _size(given, "embedding_dim")


def _recurrent(gates: int) -> Callable[[_Arguments], int]:
    def count(given: _Arguments) -> int:
        hidden, projected = _size(given, "hidden_size"), given.get("proj_size", 0)
        if type(projected) is not int:
            raise _NotKnown
        ways, biases = 1 + _flag(given, "bidirectional"), 2 * gates * hidden * _flag(given, "bias")
        result = projected or hidden
        total, read = 0, _size(given, "input_size")
        for _ in range(_size(given, "num_layers")):
            total += ways * (gates * hidden * (read + result) + biases + projected * hidden)
            read = ways * result
        return total

    return count


def _cell(gates: int) -> Callable[[_Arguments], int]:
    def count(given: _Arguments) -> int:
        hidden = _size(given, "hidden_size")
        return gates * hidden * (_size(given, "input_size") + hidden + 2 * _flag(given, "bias"))

    return count


def _attention(given: _Arguments) -> int:
    width, bias = _size(given, "embed_dim"), _flag(given, "bias")
    keys, values = (width if given.get(n) is None else _size(given, n) for n in ("kdim", "vdim"))
    extra = 2 * width * _flag(given, "add_bias_kv")
    return width * (width + keys + values) + 3 * width * bias + width * (width + bias) + extra


def _transformer(attentions: int) -> Callable[[_Arguments], int]:
    def count(given: _Arguments) -> int:
        width, inner, bias = _size(given, "d_model"), _size(given, "dim_feedforward"), _flag(given, "bias")
        attention = 4 * width * (width + bias)
        norms = (attentions + 1) * width * (1 + bias)
        return attentions * attention + inner * (width + bias) + width * (inner + bias) + norms

    return count


_FORMULAS: dict[str, Callable[[_Arguments], int]] = {
    "linear.Linear": _linear,
    "linear.Bilinear": _bilinear,
    **{f"conv.Conv{n}d": _convolution(n) for n in (1, 2, 3)},
    **{f"conv.ConvTranspose{n}d": _convolution(n) for n in (1, 2, 3)},
    **{f"batchnorm.BatchNorm{n}d": _affine("num_features") for n in (1, 2, 3)},
    "batchnorm.SyncBatchNorm": _affine("num_features"),
    **{f"instancenorm.InstanceNorm{n}d": _affine("num_features") for n in (1, 2, 3)},
    "normalization.GroupNorm": _affine("num_channels"),
    "normalization.LayerNorm": _layer_norm,
    "normalization.RMSNorm": _rms_norm,
    "activation.PReLU": lambda given: _size(given, "num_parameters"),
    "activation.MultiheadAttention": _attention,
    "sparse.Embedding": _embedding,
    "sparse.EmbeddingBag": _embedding,
    "rnn.RNN": _recurrent(1),
    "rnn.GRU": _recurrent(3),
    "rnn.LSTM": _recurrent(4),
    "rnn.RNNCell": _cell(1),
    "rnn.GRUCell": _cell(3),
    "rnn.LSTMCell": _cell(4),
    "transformer.TransformerEncoderLayer": _transformer(1),
    "transformer.TransformerDecoderLayer": _transformer(2),
}
