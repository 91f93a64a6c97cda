"""Declares the compiled operators of torchvision, whose source is installed without them. To be called before its import.

That makes the library importable. No model that is judged calls one.
"""

import torch

_LIBRARY = torch.library.Library("torchvision", "FRAGMENT")
_POOL = "Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt pooled_width"
_BACK = "SymInt batch_size, SymInt channels, SymInt height, SymInt width"
_SIGNATURES = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "roi_align": f"({_POOL}, int sampling_ratio, bool aligned) -> Tensor",
    "roi_pool": f"({_POOL}) -> (Tensor, Tensor)",
    "ps_roi_align": f"({_POOL}, int sampling_ratio) -> (Tensor, Tensor)",
    "ps_roi_pool": f"({_POOL}) -> (Tensor, Tensor)",
    "_roi_align_backward": "(Tensor grad, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt pooled_width, "
    f"{_BACK}, int sampling_ratio, bool aligned) -> Tensor",
    "_roi_pool_backward": "(Tensor grad, Tensor rois, Tensor argmax, float spatial_scale, SymInt pooled_height, "
    f"SymInt pooled_width, {_BACK}) -> Tensor",
    "_ps_roi_align_backward": "(Tensor grad, Tensor rois, Tensor channel_mapping, float spatial_scale, "
    f"SymInt pooled_height, SymInt pooled_width, int sampling_ratio, {_BACK}) -> Tensor",
    "_ps_roi_pool_backward": "(Tensor grad, Tensor rois, Tensor channel_mapping, float spatial_scale, "
    f"SymInt pooled_height, SymInt pooled_width, {_BACK}) -> Tensor",
    "deform_conv2d": "(Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, SymInt stride_h, "
    "SymInt stride_w, SymInt pad_h, SymInt pad_w, SymInt dilation_h, SymInt dilation_w, SymInt groups, "
    "SymInt offset_groups, bool use_mask) -> Tensor",
    "_deform_conv2d_backward": "(Tensor grad, Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, "
    "SymInt stride_h, SymInt stride_w, SymInt pad_h, SymInt pad_w, SymInt dilation_h, SymInt dilation_w, SymInt groups, "
    "SymInt offset_groups, bool use_mask) -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
}


def define() -> None:
    """Declares every operator that the library's Python code speaks of; none is implemented.

    The library's own compiled operators stay unloaded: they are built for another torch, and where they load all the
    same, declaring an operator twice ends the process.
    """

    def refuse(path: str) -> None:
        raise OSError(f"{path}: not loaded here")

    torch.ops.load_library = refuse
    for name, signature in _SIGNATURES.items():
        _LIBRARY.define(name + signature)
