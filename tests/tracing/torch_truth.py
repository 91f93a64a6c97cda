"""What torch does with a program: its classes are built in every configuration, and every call of a module is written down.

What an input depends on is followed operator by operator, through the storages that results share.
"""

import copy
import inspect
import itertools
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType, FrameType

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

FILE = "<program>"
CHOICES: dict[str, tuple[object, ...]] = {
    "flag": (True, False),
    "gate": (True, False),
    "mode": ("a", "b", "c"),
    "n": (3,),
    "opt": (None, torch.Tensor),
}
"""What a parameter may be, by its name without digits; any other is a tensor."""
_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
_RETURNING = (nn.Identity, nn.Dropout, nn.Sequential)
"""Modules of torch that may return what they are given."""
Site = tuple[object, ...]


@dataclass(frozen=True)
class Called:
    """One call: the frames it came through and which of those there it is, its line, and how it depends on the earlier ones.

    `nth` counts the calls of the same instance, `turn` those of any.
    """

    site: Site
    nth: int
    turn: int
    line: int
    chained: bool


@dataclass
class Made:
    """What one allocating expression made, over all configurations: how it turned out, and its calls in each that has it."""

    carried: set[tuple[str, bool, bool]] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    runs: list[list[Called]] = field(default_factory=list)


class Lineage(TorchDispatchMode):
    """For each storage, a bit for every call that its content was computed from."""

    def __init__(self) -> None:
        super().__init__()
        self.bits: dict[int, int] = {}
        self.kept: list[torch.Tensor] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else torch imports all of its compiler

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        bits = self.of(args) | self.of(kwargs) if self.bits else 0
        if bits:
            self.mark(out, bits)
            if func._schema.is_mutable:
                self.mark(args[0], bits)
        return out

    def of(self, value: object) -> int:
        bits = 0
        if self.bits:
            for tensor in _tensors(value):
                bits |= self.bits.get(tensor.untyped_storage()._cdata, 0)
        return bits

    def mark(self, value: object, bits: int) -> None:
        for tensor in _tensors(value):
            self.kept.append(tensor)
            where = tensor.untyped_storage()._cdata
            self.bits[where] = self.bits.get(where, 0) | bits


def _tensors(value: object) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _tensors(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _tensors(one)


class _Recorder:
    """The calls that a root's own code makes in one forward, with or without torch's containers between."""

    def __init__(self, root: nn.Module) -> None:
        self.root = root
        self.lineage = Lineage()
        self.owners: list[nn.Module] = []
        self.number = 0
        self.calls: dict[int, list[tuple[int, Called]]] = {}
        self.turns: dict[Site, int] = {}

    def call(self, module: nn.Module, args: tuple[object, ...], kwargs: dict[str, object], frame: FrameType) -> object:
        owner = next((one for one in reversed(self.owners) if type(one) not in _CONTAINERS), None)
        if owner is self.root:
            self._record(module, self.lineage.of((args, kwargs)), frame)
        self.owners.append(module)
        number = self.number
        self.number += 1
        try:
            result = module._wrapped_call_impl(*args, **kwargs)
        finally:
            self.owners.pop()
        if type(module) in _RETURNING or not type(module).__module__.startswith("torch."):
            result = _apart(result)
        self.lineage.mark(result, 1 << number)
        return result

    def _record(self, module: nn.Module, bits: int, frame: FrameType) -> None:
        earlier = self.calls.setdefault(id(module), [])
        site, line = _site(frame)
        nth = sum(one.site == site for _, one in earlier)
        chained = any(bits >> number & 1 for number, _ in earlier)
        turn = self.turns[site] = self.turns.get(site, 0) + 1
        earlier.append((self.number, Called(site, nth, turn, line, chained)))


def _apart(result: object) -> object:
    """The result in a storage of its own: Identity returns what it was given."""
    if isinstance(result, torch.Tensor):
        return result.clone()
    return tuple(map(_apart, result)) if isinstance(result, tuple) else result


def _site(frame: FrameType | None) -> tuple[Site, int]:
    """The calls of the program that are running, innermost first, and the line of the innermost."""
    frames: list[object] = []
    line = 0
    while frame is not None:
        if frame.f_code.co_filename == FILE:
            line = line or frame.f_lineno
            # not `f_lasti` itself: one call may be several instructions, and which of them runs changes
            frames.append((frame.f_code.co_qualname, _positions(frame.f_code)[frame.f_lasti // 2]))
        frame = frame.f_back
    return tuple(frames), line


@lru_cache(maxsize=64)
def _positions(code: CodeType) -> list[object]:
    return list(code.co_positions())


@dataclass
class _Watch:
    """Who is told of calls, and who of modules that are made: by object, through which frames, and as the n-th of those."""

    recorder: _Recorder | None = None
    places: dict[int, tuple[nn.Module, object]] | None = None
    passes: dict[Site, int] = field(default_factory=dict)


_watch = _Watch()


@contextmanager
def watching() -> Iterator[None]:
    """Hooks on every module. For many runs at once: changing a class of torch makes Python look up its subclasses anew."""
    call, init, deepcopy = nn.Module.__call__, nn.Module.__init__, copy.deepcopy

    def watched(module: nn.Module, *args: object, **kwargs: object) -> object:
        if _watch.recorder is None:
            return call(module, *args, **kwargs)
        return _watch.recorder.call(module, args, kwargs, sys._getframe(1))

    def noted(module: nn.Module, *args: object, **kwargs: object) -> None:
        init(module, *args, **kwargs)
        if _watch.places is not None:
            site, _ = _site(sys._getframe(1))
            _watch.passes[site] = _watch.passes.get(site, 0) + 1
            _watch.places[id(module)] = (module, (site, _watch.passes[site]))
            vars(module)["_made"] = site  # copies have it too

    def copied(value: object, *args: object) -> object:
        made, caller = deepcopy(value, *args), sys._getframe(1)  # type: ignore[arg-type]
        if caller.f_code.co_filename == FILE:
            for module in _modules(made):  # a copy of a copy is another one for each copy it may be of
                vars(module)["_made"] = vars(module)["_made"], _site(caller)[0]
        return made

    nn.Module.__call__, nn.Module.__init__, copy.deepcopy = watched, noted, copied  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        nn.Module.__call__, nn.Module.__init__, copy.deepcopy = call, init, deepcopy  # type: ignore[method-assign]


def _modules(value: object) -> Iterator[nn.Module]:
    if isinstance(value, nn.Module):
        yield from value.modules()
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _modules(one)


def configurations(function: object) -> Iterator[dict[str, object]]:
    """Every way to call a function: the product of the choices that its parameters' names stand for."""
    names = [name for name in inspect.signature(function).parameters if name != "self"]  # type: ignore[arg-type]
    choices = [CHOICES.get(re.sub(r"\d+$", "", name), (torch.Tensor,)) for name in names]
    for values in itertools.product(*choices):
        yield {n: torch.randn(2, 2) if v is torch.Tensor else v for n, v in zip(names, values, strict=True)}


def run(source: str, name: str) -> list[Made]:
    """What the class of that name makes and calls, over all configurations; raises what the program raises."""
    cls = _namespace(source)[name]
    assert isinstance(cls, type) and issubclass(cls, nn.Module)
    found: dict[object, Made] = {}
    trains = (True, False) if ".training" in source else (True,)
    for given in configurations(cls.__init__):
        places: dict[int, tuple[nn.Module, object]] = {}
        _watch.places, _watch.passes = places, {}
        try:
            root = cls(**given)
        finally:
            _watch.places = None
        held = _held(root)
        for inputs, training in itertools.product(configurations(cls.forward), trains):
            _run_once(root.train(training), inputs, held, places, found)
    return list(found.values())


@lru_cache(maxsize=1)
def _namespace(source: str) -> dict[str, object]:
    namespace: dict[str, object] = {"__name__": "program"}
    exec(compile(source, FILE, "exec"), namespace)
    return namespace


def _run_once(
    root: nn.Module,
    inputs: dict[str, object],
    held: dict[int, tuple[nn.Module, set[str]]],
    places: dict[int, tuple[nn.Module, object]],
    found: dict[object, Made],
) -> None:
    recorder = _watch.recorder = _Recorder(root)
    try:
        with torch.no_grad(), recorder.lineage:
            root(**inputs)
    finally:
        _watch.recorder = None
    for ident, (module, paths) in held.items():
        key = places[ident][1] if ident in places else ("copy", vars(module)["_made"], min(paths))
        made = found.setdefault(key, Made())
        made.carried.add(carried(module))
        made.paths |= paths
        made.runs.append([one for _, one in recorder.calls.get(ident, ())])


def carried(module: nn.Module) -> tuple[str, bool, bool]:
    """A module's type, and whether it holds parameters and running statistics."""
    kind = f"{type(module).__module__}.{type(module).__qualname__}"
    buffers = [name for name, buffer in module.named_buffers() if buffer is not None]
    running = any(name.endswith(("running_mean", "running_var")) for name in buffers)
    return kind, any(True for _ in module.parameters()), running


def _held(root: nn.Module) -> dict[int, tuple[nn.Module, set[str]]]:
    """Every module below a root, and the paths it is held under."""
    held: dict[int, tuple[nn.Module, set[str]]] = {}
    queue: list[tuple[str, object]] = [("", root)]
    while queue:
        path, one = queue.pop()
        if isinstance(one, nn.Module):
            if path:
                held.setdefault(id(one), (one, set()))[1].add(path)
            prefix = f"{path}." if path else ""
            plain = [(k, v) for k, v in vars(one).items() if not k.startswith("_")]
            queue += [(prefix + k, v) for k, v in (*one._modules.items(), *plain)]
        elif isinstance(one, list | tuple | dict):
            path = path if "(unregistered)" in path else f"{path}(unregistered)"
            queue += [(f"{path}.{k}", v) for k, v in (one.items() if isinstance(one, dict) else enumerate(one))]
    return held
