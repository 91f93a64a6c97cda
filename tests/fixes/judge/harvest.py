"""How real models build and call their classes: constructor arguments and inputs, recorded on the meta device.

A whole model costs nothing there; the class alone is then built on the CPU.
"""

import copy
import importlib
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch import nn
from torch.utils._pytree import tree_map


@dataclass(frozen=True)
class Usage:
    """The arguments of one construction of a class and of one call of the instance, tensors and modules of meta among them."""

    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    inputs: tuple[Any, ...]
    input_keywords: dict[str, Any]

    def build(self, cls: type[nn.Module]) -> nn.Module:
        torch.manual_seed(0)
        return cls(*tree_map(_real, self.arguments), **tree_map(_real, self.keywords)).float()

    def call(self, module: nn.Module) -> Any:
        torch.manual_seed(1)
        with torch.no_grad():
            return module(*tree_map(_real, self.inputs), **tree_map(_real, self.input_keywords))


def _real(value: Any) -> Any:
    """Something on the CPU in place of something on meta; the same each time it is asked after one seed."""
    if isinstance(value, nn.Module):
        return _filled(copy.deepcopy(value).to_empty(device="cpu"))
    if not isinstance(value, torch.Tensor):
        return value
    if value.is_floating_point():
        return torch.randn(value.shape, dtype=value.dtype)
    return torch.ones(value.shape, dtype=value.dtype)


def _filled(module: nn.Module) -> nn.Module:
    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            tensor.fill_(1) if name.endswith("running_var") else tensor.zero_()
            if name.endswith("weight"):
                tensor.copy_(torch.randn(tensor.shape) * 0.1)
    return module


def usages(
    module: types.ModuleType, names: Iterable[str], models: Iterable[Callable[[], nn.Module]]
) -> dict[str, Usage]:
    """How classes of a module are used by the first models that use them. What cannot be built or run is passed over."""
    wanted = {name: getattr(module, name) for name in names}
    found: dict[str, Usage] = {}
    for make in models:
        if len(found) == len(wanted):
            break
        left = {name: cls for name, cls in wanted.items() if name not in found}
        try:
            found |= _recorded(left, make)
        except Exception:  # noqa: BLE001 (a model that does not run on meta tells nothing)
            continue
    return found


def _recorded(classes: dict[str, type[nn.Module]], make: Callable[[], nn.Module]) -> dict[str, Usage]:
    made: dict[int, tuple[tuple[Any, ...], dict[str, Any]]] = {}
    found: dict[str, Usage] = {}

    def watch(module: nn.Module, inputs: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        name = type(module).__name__
        if name not in found and id(module) in made:
            found[name] = Usage(*made[id(module)], inputs, keywords)

    with ExitStack() as stack:
        for cls in classes.values():
            stack.enter_context(patch.object(cls, "__init__", _noting(cls, made)))
        stack.enter_context(torch.device("meta"))
        stack.enter_context(torch.no_grad())
        model = make().eval()
        for part in model.modules():
            if type(part) in classes.values():
                part.register_forward_pre_hook(watch, with_kwargs=True)
        for size in _sizes(model):
            try:
                model(torch.empty(size))
            except Exception:  # noqa: BLE001
                continue
            break
    return found


def _noting(cls: type[nn.Module], made: dict[int, tuple[tuple[Any, ...], dict[str, Any]]]) -> Callable[..., None]:
    original: Callable[..., None] = cls.__init__

    def initialise(self: nn.Module, *arguments: Any, **keywords: Any) -> None:
        if type(self) is cls:
            made[id(self)] = (arguments, keywords)
        original(self, *arguments, **keywords)

    return initialise


def _sizes(model: nn.Module) -> Iterator[tuple[int, ...]]:
    configured: tuple[int, ...] = getattr(model, "default_cfg", {}).get("input_size", ())
    if configured:
        yield (2, *configured)
    yield from ((2, 3, 224, 224), (2, 3, 64, 64), (2, 3, 8, 112, 112))


@contextmanager
def loaded(original: types.ModuleType, text: str) -> Iterator[types.ModuleType]:
    """The text run as a module beside the original one, whose registries it leaves alone."""
    module = types.ModuleType(f"{original.__name__}__judged")
    module.__package__ = original.__package__
    module.__file__ = original.__file__
    sys.modules[module.__name__] = module
    try:
        with ExitStack() as stack:
            stack.enter_context(patch("timm.models._registry.register_model", lambda function: function))
            stack.enter_context(patch("torchvision.models._api.register_model", lambda *_: lambda function: function))
            exec(compile(text, str(original.__file__), "exec"), module.__dict__)
        yield module
    finally:
        del sys.modules[module.__name__]


def timm_models(module: types.ModuleType) -> Iterator[Callable[[], nn.Module]]:
    """The models of one of timm's files, those with small names first."""
    timm = importlib.import_module("timm")
    names: list[str] = timm.list_models(module=module.__name__.rsplit(".", 1)[-1])
    for name in sorted(names, key=lambda name: (not _is_small(name), names.index(name)))[:6]:
        yield lambda name=name: timm.create_model(name, pretrained=False)


def torchvision_models(module: types.ModuleType) -> Iterator[Callable[[], nn.Module]]:
    """The models of one of torchvision's files."""
    models = importlib.import_module("torchvision.models")
    for name in models.list_models():
        builder = models.get_model_builder(name)
        if builder.__module__ == module.__name__:
            yield lambda builder=builder: builder(weights=None)


def _is_small(name: str) -> bool:
    return any(word in name for word in ("test", "atto", "nano", "tiny", "small", "_s", "_xs", "18", "26", "b0"))
