"""MONAI's networks in tiny configurations."""

from collections.abc import Callable

import torch
from monai.networks import nets
from torch import nn

Model = tuple[nn.Module, tuple[object, ...]]


def _image(*size: int, batch: int = 2, channels: int = 1) -> torch.Tensor:
    return torch.randn(batch, channels, *size)


def _of(make: Callable[[], nn.Module], *inputs: object) -> Callable[[], Model]:
    return lambda: (make(), inputs)


_S = 32
MODELS: dict[str, Callable[[], Model]] = {
    "UNet": _of(lambda: nets.UNet(2, 1, 2, (4, 8, 16), (2, 2), num_res_units=2), _image(_S, _S)),
    "UNet plain": _of(lambda: nets.UNet(3, 1, 2, (4, 8, 16), (2, 2)), _image(16, 16, 16)),
    "BasicUNet": _of(lambda: nets.BasicUNet(2, 1, 2, (4, 4, 8, 8, 8, 4)), _image(_S, _S)),
    "BasicUNetPlusPlus": _of(lambda: nets.BasicUNetPlusPlus(2, 1, 2, features=(4, 4, 8, 8, 8, 4)), _image(_S, _S)),
    "AttentionUnet": _of(lambda: nets.AttentionUnet(2, 1, 2, (4, 8, 16), (2, 2)), _image(_S, _S)),
    "DenseNet": _of(lambda: nets.DenseNet(2, 1, 2, 4, 4, (2, 2), dropout_prob=0.1), _image(_S, _S)),
    "DenseNet121": _of(lambda: nets.DenseNet121(2, 1, 2), _image(64, 64)),
    "ResNet": _of(lambda: nets.ResNet("basic", [1, 1, 1, 1], [4, 8, 8, 8], 2, 1), _image(64, 64)),
    "ResNet bottleneck": _of(lambda: nets.ResNet("bottleneck", [1, 1, 1, 1], [4, 8, 8, 8], 2, 1), _image(64, 64)),
    "SEResNet50": _of(lambda: nets.SEResNet50(spatial_dims=2, in_channels=1, num_classes=2), _image(64, 64)),
    "SEResNext50": _of(lambda: nets.SEResNext50(spatial_dims=2, in_channels=1, num_classes=2), _image(64, 64)),
    "UNETR": _of(lambda: nets.UNETR(1, 2, (32, 32), 4, 24, 48, 4, spatial_dims=2), _image(_S, _S)),
    "SwinUNETR": _of(lambda: nets.SwinUNETR(1, 2, feature_size=12, spatial_dims=2), _image(64, 64)),
    "SwinUNETR v2": _of(lambda: nets.SwinUNETR(1, 2, feature_size=12, spatial_dims=2, use_v2=True), _image(64, 64)),
    "ViT": _of(
        lambda: nets.ViT(1, (32, 32), (16, 16), 24, 48, 2, 4, classification=True, spatial_dims=2), _image(_S, _S)
    ),
    "ViTAutoEnc": _of(
        lambda: nets.ViTAutoEnc(1, (32, 32), (16, 16), 1, 16, 24, 48, 2, 4, spatial_dims=2), _image(_S, _S)
    ),
    "VNet": _of(lambda: nets.VNet(3, 1, 2), _image(32, 32, 32, batch=1)),
    "SegResNet": _of(lambda: nets.SegResNet(2, 8, 1, 2, blocks_down=(1, 1, 1), blocks_up=(1, 1)), _image(_S, _S)),
    "SegResNet dropout": _of(
        lambda: nets.SegResNet(2, 8, 1, 2, 0.1, blocks_down=(1, 1), blocks_up=(1,)), _image(_S, _S)
    ),
    "SegResNetVAE": _of(
        lambda: nets.SegResNetVAE((32, 32), spatial_dims=2, blocks_down=(1, 1), blocks_up=(1,)), _image(_S, _S)
    ),
    "SegResNetDS": _of(lambda: nets.SegResNetDS(2, 8, 1, 2, blocks_down=(1, 1), dsdepth=2), _image(_S, _S)),
    "AHNet": _of(lambda: nets.AHNet(spatial_dims=2, psp_block_num=0), _image(64, 64)),
    "DynUNet": _of(lambda: nets.DynUNet(2, 1, 2, [3, 3, 3], [1, 2, 2], [2, 2], deep_supervision=False), _image(_S, _S)),
    "DynUNet deep": _of(
        lambda: nets.DynUNet(2, 1, 2, [3] * 4, [1, 2, 2, 2], [2] * 3, deep_supervision=True, res_block=True),
        _image(_S, _S),
    ),
    "HighResNet": _of(lambda: nets.HighResNet(2, 1, 2), _image(_S, _S)),
    "EfficientNet": _of(
        lambda: nets.EfficientNetBN("efficientnet-b0", False, spatial_dims=2, in_channels=1), _image(64, 64)
    ),
    "FlexibleUNet": _of(lambda: nets.FlexibleUNet(1, 2, "efficientnet-b0", spatial_dims=2), _image(64, 64)),
    "AutoEncoder": _of(lambda: nets.AutoEncoder(2, 1, 1, (4, 8), (2, 2), inter_channels=(4,)), _image(_S, _S)),
    "VarAutoEncoder": _of(lambda: nets.VarAutoEncoder(2, (32, 32), 1, 4, (4, 8), (2, 2)), _image(_S, _S)),
    "Regressor": _of(lambda: nets.Regressor((1, 32, 32), (4,), (4, 8), (2, 2)), _image(_S, _S)),
    "Classifier": _of(lambda: nets.Classifier((1, 32, 32), 2, (4, 8), (2, 2)), _image(_S, _S)),
    "Critic": _of(lambda: nets.Critic((1, 32, 32), (4, 8), (2, 2)), _image(_S, _S)),
    "Generator": _of(lambda: nets.Generator((8,), (8, 4, 4), (8, 1), (2, 2)), torch.randn(2, 8)),
    "FullyConnectedNet": _of(lambda: nets.FullyConnectedNet(4, 2, [8, 8], 0.1), torch.randn(2, 4)),
    "VarFullyConnectedNet": _of(lambda: nets.VarFullyConnectedNet(4, 2, 3, [8], [8]), torch.randn(2, 4)),
    "HoVerNet": _of(lambda: nets.HoVerNet("fast", out_classes=3), _image(256, 256, batch=1, channels=3)),
    "Quicknat": _of(lambda: nets.Quicknat(num_channels=1, num_filters=8), _image(_S, _S)),
    "RegUNet": _of(lambda: nets.RegUNet(2, 1, 4, 2), _image(_S, _S)),
    "LocalNet": _of(lambda: nets.LocalNet(2, 1, 4, [0, 1, 2], out_channels=2), _image(_S, _S)),
    "VoxelMorph": _of(lambda: nets.VoxelMorphUNet(2, 2, 4, (4, 8, 8, 8)), _image(_S, _S, channels=2)),
    "PatchDiscriminator": _of(lambda: nets.PatchDiscriminator(2, 8, 1, num_layers_d=2), _image(_S, _S)),
    "MultiScalePatchDiscriminator": _of(
        lambda: nets.MultiScalePatchDiscriminator(2, 2, 2, channels=8, in_channels=1, minimum_size_im=32),
        _image(64, 64),
    ),
    "AutoencoderKL": _of(
        lambda: nets.AutoencoderKL(2, 1, 1, (1, 1), (8, 8), (False, True), norm_num_groups=4), _image(_S, _S)
    ),
    "VQVAE": _of(
        lambda: nets.VQVAE(2, 1, 1, (8, 8), 1, (8, 8), ((2, 4, 1, 1),) * 2, ((2, 4, 1, 1, 0),) * 2, 8, 4),
        _image(_S, _S),
    ),
    "DiffusionModelUNet": _of(
        lambda: nets.DiffusionModelUNet(2, 1, 1, (1, 1), (8, 8), (False, True), 4, num_head_channels=4),
        _image(_S, _S),
        torch.tensor([1, 2]),
    ),
    "DiffusionModelUNet text": _of(
        lambda: nets.DiffusionModelUNet(
            2,
            1,
            1,
            (1, 1),
            (8, 8),
            (False, True),
            4,
            num_head_channels=4,
            with_conditioning=True,
            cross_attention_dim=6,
        ),
        _image(_S, _S),
        torch.tensor([1, 2]),
        torch.randn(2, 3, 6),
    ),
    "ControlNet": _of(
        lambda: nets.ControlNet(
            2, 1, (1, 1), (8, 8), (False, True), 4, num_head_channels=4, conditioning_embedding_num_channels=(8,)
        ),
        _image(_S, _S),
        torch.tensor([1, 2]),
        _image(_S, _S),
    ),
    "SPADENet": _of(
        lambda: nets.SPADENet(2, 1, 1, 3, [32, 32], [8, 8], 4, is_vae=False), _image(_S, _S, channels=3), _image(_S, _S)
    ),
    "Transformer": _of(lambda: nets.DecoderOnlyTransformer(10, 8, 8, 2, 2), torch.randint(0, 10, (2, 8))),
    "MedNeXt": _of(
        lambda: nets.MedNeXt(2, 8, 1, 2, blocks_down=(1, 1), blocks_bottleneck=1, blocks_up=(1, 1)), _image(_S, _S)
    ),
    "MILModel": _of(lambda: nets.MILModel(2, pretrained=False, mil_mode="att"), torch.randn(1, 2, 3, 64, 64)),
    "DAF3D": _of(lambda: nets.DAF3D(3, 1, 2), _image(32, 32, 32, batch=1)),
}
