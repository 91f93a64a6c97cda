"""The smallest model of every sixteenth of pytorchcv's files, on an input of its own size."""

import functools
import importlib
import pkgutil
import re
from collections.abc import Callable

import torch
from pytorchcv import models
from torch import nn

Model = tuple[nn.Module, tuple[object, ...]]
_MODEL = re.compile(r"[a-z][a-z0-9_]*$")
_SMALL = re.compile(
    r"(?<!\d)(8|10|11|14|18|20|26|32|35|40|50|atto|small|tiny|nano|wd4|w1d?4?|w3d4|b0|x0_\d+|1x\d?|s|t)(?!\d)"
)


def _first(module: object) -> str | None:
    """The name of the smallest model that a file offers, going by names."""
    offered = [
        name for name in getattr(module, "__all__", []) if _MODEL.match(name) and not name.startswith(("get_", "calc_"))
    ]
    return min(offered, key=lambda name: (not _SMALL.search(name), len(name), name), default=None)


def _made(module: object, name: str) -> Model:
    model = getattr(module, name)(pretrained=False)
    size, channels = getattr(model, "in_size", (64, 64)), getattr(model, "in_channels", 3)
    return model, (torch.randn(2, channels, *size),)


_FILES = sorted(one.name for one in pkgutil.iter_modules(models.__path__) if not one.ispkg)
MODELS: dict[str, Callable[[], Model]] = {}
for _file in _FILES[::16]:
    try:
        _module = importlib.import_module(f"pytorchcv.models.{_file}")
    except ImportError:
        continue  # what needs more than torch and numpy
    _name = _first(_module)
    if _name is not None:
        MODELS[_name] = functools.partial(_made, _module, _name)
