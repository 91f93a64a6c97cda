"""Random programs: small module classes as source text, one program for each seed.

Tensors are two by two, so that every layer takes every tensor. Parameters are named for what they may be, see
`torch_truth.CHOICES`: branches on them are what the configurations of a program decide.
"""

import random
from dataclasses import dataclass

from random_constructors import constructor
from random_forwards import forward, module, tensor
from random_writer import Lines, Writer, under

_HEADER = """\
import copy
import functools
from collections import OrderedDict
from functools import partial, reduce

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

ACTIVATIONS = {"relu": nn.ReLU, "prelu": nn.PReLU}


def make_layer(dim=2, norm=False):
    if norm:
        return nn.LayerNorm(dim)
    return nn.Linear(dim, dim)


def make_layers(n, make=make_layer):
    return [make() for _ in range(n)]


def conv_bn(dim, act=nn.ReLU):
    return nn.Sequential(nn.Linear(dim, dim), nn.BatchNorm1d(dim), act())


def apply_to(f, *args):
    return f(*args)


def apply_all(modules, x):
    for module in modules:
        x = module(x)
    return x


"""


@dataclass(frozen=True)
class Program:
    """A text, and the classes of it to compare."""

    source: str
    classes: tuple[str, ...]


def program(seed: int) -> Program:
    """The program of a seed: one class, or a block and a class that uses it."""
    rng = random.Random(seed)
    lines: Lines = []
    classes: list[str] = []
    for name in ["Block", "Net"] if rng.randrange(100) < 35 else ["Net"]:
        lines += _module_class(Writer(rng, list(classes)), name)
        classes.append(name)
    return Program(_HEADER + "\n".join(lines) + "\n", tuple(classes))


def _module_class(w: Writer, name: str) -> Lines:
    made = constructor(w, w.rng.randint(1, 3 if name == "Block" else 5))
    arguments = ["x"]
    if name == "Net" and len(w.parameters) < 2:  # every choice is one more factor in the number of configurations
        arguments += w.rng.choice([[], [], ["y"], ["gate=False"], ["opt=None"], ["mode='a'"]])
    inherited: Lines = []
    base = "nn.Module"
    initial = _initial(w, base, made)
    if w.chance(12):
        base = f"{name}Base"
        inherited = [*under(f"class {base}(nn.Module):", initial), ""]
        initial = _initial(w, base, constructor(w, 1))
    _methods(w)
    w.known.tensors = ["x", "y"] if "y" in arguments else ["x"]
    w.known.flags += ["gate"] if "gate=False" in arguments else []
    w.known.modes += ["mode"] if "mode='a'" in arguments else []
    w.known.optional += ["opt"] if "opt=None" in arguments else []
    body = forward(w, w.rng.randint(1, 4 if name == "Block" else 6))
    helpers = [line for method in w.methods for line in method]
    if helpers and w.chance(25):
        inherited += [*under(f"class {name}Mixin:", helpers), ""]
        base, helpers = f"{name}Mixin, {base}", []
    members = [*initial, *helpers, *_function("forward", arguments, body)]
    return [*inherited, *under(f"class {name}({base}):", members), "", ""]


def _initial(w: Writer, base: str, made: Lines) -> Lines:
    """A constructor; that of a subclass hands on the parameters of its base."""
    given = ", ".join(f"{p.split('=')[0]}={p.split('=')[0]}" for p in w.handed) if base != "nn.Module" else ""
    w.handed = list(w.parameters)
    return _function("__init__", w.parameters, [f"super().__init__({given})", *made])


def _function(name: str, parameters: Lines, body: Lines) -> Lines:
    return under(f"def {name}({', '.join(['self', *parameters])}):", body)


def _methods(w: Writer) -> None:
    """Helpers that forward may call."""
    for _ in range(w.rng.choice([0, 0, 1, 1, 2])):
        w.rng.choices([_helper, _caller, _property, _stages, _recursion], [5, 3, 2, 2, 2])[0](w, w.fresh("_help"))


def _helper(w: Writer, name: str) -> None:
    with w.scope(["t"]):
        w.methods.append(under(f"def {name}(self, t):", forward(w, w.rng.choice([0, 1, 2]))))
    w.known.helpers.append(f"self.{name}")


def _caller(w: Writer, name: str) -> None:
    with w.scope(["t"], ["f"]):
        w.methods.append(under(f"def {name}(self, f, t):", [f"t = f({tensor(w)})", f"return {tensor(w)}"]))
    w.known.callers.append(f"self.{name}")


def _property(w: Writer, name: str) -> None:
    found = module(w)
    if found is not None:
        w.methods.append(["@property", *under(f"def {name}(self):", [f"return {found}"])])
        w.known.modules.append(f"self.{name}")


def _stages(w: Writer, name: str) -> None:
    """A generator of modules."""
    stages = [found for _ in range(w.rng.randint(1, 3)) if (found := module(w)) is not None]
    if stages:
        lines = [f"yield {stage}" for stage in stages]
        if len(stages) > 1 and w.chance(40):
            lines = [f"yield from [{', '.join(stages)}]"]
        w.methods.append(under(f"def {name}(self):", lines))
        w.known.streams.append(f"self.{name}()")


def _recursion(w: Writer, name: str) -> None:
    """A method that calls itself a few times."""
    with w.scope(["t"]):
        inner, last = tensor(w), tensor(w)
    lines = [*under("if depth == 0:", [f"return {last}"]), f"return self.{name}x({inner}, depth - 1)"]
    w.methods.append(under(f"def {name}x(self, t, depth):", lines))
    w.methods.append(under(f"def {name}(self, t):", [f"return self.{name}x(t, {w.rng.randint(1, 3)})"]))
    w.known.helpers.append(f"self.{name}")
