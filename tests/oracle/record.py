"""Records what torch really calls: runs the models of a plan under hooks, and prints rows that `score.py` compares facts with.

usage: record.py PLAN SITE

PLAN names a module of `plans`; SITE is the folder its library is installed in. One JSON line for each class whose code makes
calls and each access path of a callee, integer indices written `*`.
"""

import importlib.util
import itertools
import json
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import torch
from torch import nn
from torch_truth import Lineage, carried

_TORCH = str(Path(torch.__file__).parent) + os.sep
_PASSED_OVER = tuple(
    _TORCH + part
    for part in (
        "nn/modules/module.py",
        "utils/",
        "_dynamo",
        "autograd",
        "amp/",
        "overrides.py",
        "_jit_internal.py",
        "_compile.py",
    )
)
_OF_PYTHON = ("functools.py", "contextlib.py")


@dataclass
class Row:
    """What stands at one access path of the classes that share one piece of code."""

    calls: int = 0
    child_type: str = ""
    types: dict[str, tuple[bool, bool]] = field(default_factory=dict[str, tuple[bool, bool]])
    relations: set[str] = field(default_factory=set[str])
    lines: set[int] = field(default_factory=set[int])
    owners: set[str] = field(default_factory=set[str])


@dataclass
class Running:
    """One forward that runs: of which module, and which calls it has made so far."""

    module: nn.Module
    calls: "dict[tuple[str, str, int], list[tuple[int, bool, int]]]" = field(default_factory=dict)
    called: dict[int, nn.Module] = field(default_factory=dict[int, nn.Module])


class Recorder:
    """The rows of all runs."""

    def __init__(self, site: Path) -> None:
        self.site = str(site) + os.sep
        self.rows: dict[tuple[str, str, str], Row] = {}
        self.stack: list[Running] = []
        self.number = 0
        self.lineage = Lineage()

    def run(self, model: nn.Module, inputs: tuple[object, ...]) -> None:
        """One forward. Raises what the model raises."""
        self.stack, self.number, self.lineage = [], 0, Lineage()
        with torch.no_grad(), self.lineage:
            model(*inputs)

    def call(self, module: nn.Module, args: tuple[object, ...], kwargs: dict[str, object], frame: FrameType) -> object:
        """Instead of `nn.Module.__call__`."""
        number = self.number = self.number + 1
        noted = self._note(module, self.lineage.of((args, kwargs)), frame, number)
        self.stack.append(Running(module))
        try:
            result = module._wrapped_call_impl(*args, **kwargs)
        except BaseException:
            self.stack.pop()
            if noted:
                noted.pop()
            raise
        self._end(self.stack.pop())
        result = _apart(result)
        self.lineage.mark(result, 1 << number)
        return result

    def _note(
        self, module: nn.Module, bits: int, frame: FrameType | None, number: int
    ) -> list[tuple[int, bool, int]] | None:
        while frame is not None and frame.f_code.co_filename.startswith(_PASSED_OVER) or _is_python(frame):
            frame = frame.f_back if frame else None
        calling = frame
        while frame is not None and not isinstance(frame.f_locals.get("self"), nn.Module):
            frame = frame.f_back
        if frame is None or calling is None or not calling.f_code.co_filename.startswith(self.site):
            return None
        owner = frame.f_locals["self"]
        running = next((one for one in reversed(self.stack) if one.module is owner), None)
        cls = _defining(owner, frame.f_code.co_qualname)
        if running is None or cls is None:
            return None
        earlier = running.calls.setdefault((cls.__module__, cls.__qualname__, id(module)), [])
        running.called[id(module)] = module
        earlier.append((number, any(bits >> n & 1 for n, _, _ in earlier), calling.f_lineno))
        return earlier

    def _end(self, running: Running) -> None:
        paths = _paths(running.module)
        for (module, cls, ident), calls in running.calls.items():
            if not calls or ident not in paths:
                continue
            row = self.rows.setdefault((module, cls, paths[ident]), Row())
            kind, parameters, statistics = carried(running.called[ident])
            row.types.setdefault(kind, (parameters, statistics))
            if len(calls) > row.calls:
                row.calls, row.child_type = len(calls), kind
            later = {chained for _, chained, _ in calls[1:]}
            if later:
                row.relations.add("mixed" if len(later) > 1 else "chained" if later == {True} else "parallel")
            row.lines |= {line for _, _, line in calls}
            row.owners.add(f"{type(running.module).__module__}.{type(running.module).__qualname__}")

    def lines(self) -> Iterator[str]:
        """The rows as JSON."""
        for (module, cls, path), row in sorted(self.rows.items()):
            file = sys.modules[module].__file__
            parameters, statistics = row.types[row.child_type]
            relation = row.relations.pop() if len(row.relations) == 1 else "mixed" if row.relations else "single"
            yield json.dumps(
                {
                    "file": str(file).removeprefix(self.site),
                    "class": cls,
                    "attr": path,
                    "child_type": row.child_type,
                    "child_types": list(row.types),
                    "has_params": parameters,
                    "has_running_stats": statistics,
                    "calls_per_forward": row.calls,
                    "relation": relation,
                    "call_site_lines": sorted(row.lines),
                    "runtime_classes": sorted(row.owners),
                }
            )


def _is_python(frame: FrameType | None) -> bool:
    return frame is not None and os.path.basename(frame.f_code.co_filename) in _OF_PYTHON


def _defining(owner: nn.Module, function: str) -> type | None:
    """The class in whose body a function stands."""
    return next((c for c in type(owner).__mro__ if function.startswith(f"{c.__qualname__}.")), None)


def _paths(owner: nn.Module) -> dict[int, str]:
    """The shortest access path of every module below an owner."""
    found: dict[int, str] = {}
    queue: list[tuple[str, object]] = [("", owner)]
    while queue:
        path, one = queue.pop(0)
        if isinstance(one, nn.Module):
            if id(one) in found:
                continue
            found[id(one)] = path
            prefix = f"{path}." if path else ""
            queue += [(prefix + ("*" if k.isdigit() else k), v) for k, v in one._modules.items()]
            plain = [
                (k, v) for k, v in vars(one).items() if isinstance(v, list | tuple | dict) and not k.startswith("_")
            ]
            queue += [(f"{prefix}{k}(unregistered)", v) for k, v in plain if len(v) < 200]
        elif isinstance(one, list | tuple):
            queue += [(f"{path}.*", v) for v in one if isinstance(v, nn.Module)]
        elif isinstance(one, dict):
            queue += [(f"{path}.{k}", v) for k, v in one.items() if isinstance(v, nn.Module)]
    return found


def _apart(result: object) -> object:
    """The result in a storage of its own, so that a module that returns its input is seen to have been called."""
    if isinstance(result, torch.Tensor):
        return result.clone()
    if type(result) in (list, tuple):
        return type(result)(map(_apart, result))  # type: ignore[call-overload]
    return result


def main(plan: str, site: Path) -> None:
    """Runs a plan's models, in training and in evaluation; what fails is named on standard error."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    sys.path.insert(0, str(site))
    where = Path(__file__).parent / "plans" / f"{plan}.py"
    spec = importlib.util.spec_from_file_location(f"plan_{plan}", where)
    assert spec and spec.loader
    planned = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(planned)
    recorder = Recorder(site.resolve())
    nn.Module.__call__ = lambda m, *a, **k: recorder.call(m, a, k, sys._getframe(1))  # type: ignore[method-assign,assignment]
    ran = 0
    for (name, make), training in itertools.product(planned.MODELS.items(), (True, False)):
        torch.manual_seed(0)
        try:
            recorder.run(*_training(make(), training))
            ran += 1
        except Exception as error:
            print(f"{plan}: {name} did not run: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
    print(f"{plan}: {ran} of {2 * len(planned.MODELS)} runs, {len(recorder.rows)} rows", file=sys.stderr)
    for line in recorder.lines():
        print(line)


def _training(made: tuple[nn.Module, tuple[object, ...]], training: bool) -> tuple[nn.Module, tuple[object, ...]]:
    return made[0].train(training), made[1]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
