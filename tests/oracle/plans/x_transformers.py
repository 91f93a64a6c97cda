"""x-transformers in tiny configurations."""

from collections.abc import Callable

import torch
from torch import nn
from x_transformers import (
    Attention,
    AttentionPool,
    AutoregressiveWrapper,
    ContinuousTransformerWrapper,
    Decoder,
    Encoder,
    FeedForward,
    MultiInputTransformerWrapper,
    NonAutoregressiveWrapper,
    PrefixDecoder,
    TransformerWrapper,
    ViTransformerWrapper,
    XLAutoregressiveWrapper,
    XTransformer,
    XValTransformerWrapper,
)

Model = tuple[nn.Module, tuple[object, ...]]
_DIM = 16


def _tokens() -> torch.Tensor:
    return torch.randint(0, 20, (2, 16))


def _decoder(**options: object) -> Callable[[], Model]:
    """A language model whose layers are built with these options."""
    layers = {"dim": _DIM, "depth": 2, "heads": 2, "attn_dim_head": 8, **options}
    return lambda: (
        TransformerWrapper(num_tokens=20, max_seq_len=16, attn_layers=Decoder(**layers)),  # type: ignore[arg-type]
        (_tokens(),),
    )


def _encoder(**options: object) -> nn.Module:
    return Encoder(**{"dim": _DIM, "depth": 2, "heads": 2, "attn_dim_head": 8, **options})  # type: ignore[arg-type]


def _wrapper(layers: nn.Module, **options: object) -> nn.Module:
    return TransformerWrapper(num_tokens=20, max_seq_len=16, attn_layers=layers, **options)  # type: ignore[arg-type]


MODELS: dict[str, Callable[[], Model]] = {
    "decoder": _decoder(),
    "rms norm": _decoder(use_rmsnorm=True),
    "glu": _decoder(ff_glu=True, ff_swish=True, ff_no_bias=True),
    "rotary": _decoder(rotary_pos_emb=True),
    "relative bias": _decoder(rel_pos_bias=True),
    "dynamic bias": _decoder(dynamic_pos_bias=True),
    "alibi": _decoder(alibi_pos_bias=True, alibi_num_heads=1),
    "qk norm": _decoder(attn_qk_norm=True),
    "sandwich": _decoder(sandwich_norm=True),
    "residual gates": _decoder(gate_residual=True),
    "scaled residual": _decoder(scale_residual=True),
    "talking heads": _decoder(attn_pre_talking_heads=True, attn_post_talking_heads=True),
    "one key head": _decoder(attn_one_kv_head=True),
    "macaron": _decoder(macaron=True),
    "dropout": _decoder(layer_dropout=0.1, attn_dropout=0.1, ff_dropout=0.1),
    "shift": _decoder(shift_tokens=1),
    "memory": lambda: (_wrapper(Decoder(dim=_DIM, depth=2, heads=2), num_memory_tokens=2), (_tokens(),)),
    "tied": lambda: (_wrapper(Decoder(dim=_DIM, depth=2, heads=2), tie_embedding=True), (_tokens(),)),
    "encoder": lambda: (_wrapper(_encoder(), emb_dropout=0.1), (_tokens(),)),
    "prefix": lambda: (_wrapper(PrefixDecoder(dim=_DIM, depth=2, heads=2)), (_tokens(),)),
    "vision": lambda: (
        ViTransformerWrapper(image_size=16, patch_size=8, num_classes=4, attn_layers=_encoder()),
        (torch.randn(2, 3, 16, 16),),
    ),
    "continuous": lambda: (
        ContinuousTransformerWrapper(dim_in=4, dim_out=5, max_seq_len=16, attn_layers=_encoder()),
        (torch.randn(2, 16, 4),),
    ),
    "autoregressive": lambda: (AutoregressiveWrapper(_decoder()()[0]), (_tokens(),)),
    "non-autoregressive": lambda: (
        NonAutoregressiveWrapper(TransformerWrapper(num_tokens=21, max_seq_len=16, attn_layers=_encoder()), mask_id=20),
        (_tokens(),),
    ),
    "recurrent memory": lambda: (
        XLAutoregressiveWrapper(_wrapper(Decoder(dim=_DIM, depth=2, heads=2, rel_pos_bias=True), max_mem_len=8)),
        (torch.randint(0, 20, (2, 40)),),
    ),
    "sequence to sequence": lambda: (
        XTransformer(
            dim=_DIM,
            enc_num_tokens=20,
            enc_depth=1,
            enc_heads=2,
            enc_max_seq_len=16,
            dec_num_tokens=20,
            dec_depth=1,
            dec_heads=2,
            dec_max_seq_len=16,
            tie_token_emb=True,
        ),
        (_tokens(), _tokens()),
    ),
    "several inputs": lambda: (
        MultiInputTransformerWrapper(
            num_tokens={"note": 20, "pitch": 20}, max_seq_len=16, attn_layers=Decoder(dim=_DIM, depth=1, heads=2)
        ),
        ({"note": _tokens(), "pitch": _tokens()},),
    ),
    "numbers": lambda: (
        XValTransformerWrapper(
            num_tokens=20, numerical_token_id=3, max_seq_len=16, attn_layers=Decoder(dim=_DIM, depth=1, heads=2)
        ),
        (_tokens(), torch.randn(2, 16)),
    ),
    "continuous only in": lambda: (
        ContinuousTransformerWrapper(dim_in=4, max_seq_len=16, attn_layers=_encoder(), dim_out=None),
        (torch.randn(2, 16, 4),),
    ),
    "attention": lambda: (Attention(dim=_DIM, heads=2, dim_head=8), (torch.randn(2, 4, _DIM),)),
    "feed-forward": lambda: (FeedForward(_DIM, post_act_ln=True, dropout=0.1), (torch.randn(2, 4, _DIM),)),
    "pool": lambda: (AttentionPool(_DIM), (torch.randn(2, 4, _DIM),)),
}
