# pyright: basic
"""Trace a model: which of its modules one forward calls, how often, from which lines, and on what of whose results.

Runs apart, in the interpreter that the model runs in: `python trace_model.py FILE NAME --input SHAPE...`. It imports FILE, and so runs
what stands there. Imports torch and the standard library only. Prints one JSON document, and what the model prints to standard error.
Where there is no trace, the document has an `error`, and the code is 2.
"""

import sys

if __name__ == "__main__":
    del sys.path[0]  # the folder of this file is no place to import from

import argparse
import ast
import importlib
import importlib.util
import json
import os
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SHAPE = re.compile(r"(?:([A-Za-z_]\w*)=)?(\d+(?:[x,]\d+)*)?(?::(\w+))?")


class NoTrace(Exception):
    """Why a model cannot be traced, in a sentence for its author."""


def said(error: BaseException, file: Path) -> str:
    """An error of the model's code, and the last line of the file that it came through."""
    lines = [entry.lineno for entry in traceback.extract_tb(error.__traceback__) if Path(entry.filename) == file]
    where = f" (line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {error}{where}"


def imported(file: Path) -> Any:
    """The module of a file, under its name in its package, so that relative imports work."""
    folder, name = file.parent, [] if file.stem == "__init__" else [file.stem]
    while (folder / "__init__.py").is_file():
        name.insert(0, folder.name)
        folder = folder.parent
    sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module(".".join(name))
        if Path(module.__file__ or "").resolve() == file.resolve():
            return module
        spec = importlib.util.spec_from_file_location("traced_" + file.stem, file)  # another module has this name
        assert spec is not None and spec.loader is not None
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise NoTrace(f"{file.name} cannot be imported: {said(error, file)}") from None
    else:
        return module


def argument(text: str) -> tuple[str, Any]:
    """`NAME=VALUE` or `VALUE`; a value is a Python literal, and any other text stands for itself."""
    name, found, value = text.partition("=")
    if not found or not name.isidentifier():
        name, value = "", text
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def called_with(texts: list[str], parse: Any) -> tuple[list[Any], dict[str, Any]]:
    parsed = [parse(text) for text in texts]
    return [value for name, value in parsed if not name], {name: value for name, value in parsed if name}


def tensor(text: str) -> tuple[str, Any]:
    """A tensor of a shape such as `2x3x32x32`, `tokens=2x16:int64`: normal numbers, zeros for integers, all true for booleans."""
    import torch

    match = _SHAPE.fullmatch(text)
    dtype = getattr(torch, match[3] or "float32", None) if match else None
    if match is None or not isinstance(dtype, torch.dtype):
        raise NoTrace(f"{text!r} is no input: give a shape such as 2x3x32x32, 2x16:int64 or mask=2x16:bool")
    shape = [int(size) for size in re.findall(r"\d+", match[2] or "")]
    if dtype.is_floating_point:
        return match[1] or "", torch.randn(shape).to(dtype)
    return match[1] or "", torch.ones(shape, dtype=dtype) if dtype == torch.bool else torch.zeros(shape, dtype=dtype)


def built(module: Any, name: str, arguments: list[str], file: Path) -> Any:
    """The model: an instance of the class, or what the function of this name returns."""
    import torch

    make = module
    for part in name.split("."):
        make = getattr(make, part, None)
    if not callable(make):
        raise NoTrace(f"{file.name} has no class {name}")
    positional, keywords = called_with(arguments, argument)
    try:
        model = make(*positional, **keywords)
    except (Exception, SystemExit) as error:
        raise NoTrace(f"{name} cannot be built: {said(error, file)}") from None
    if not isinstance(model, torch.nn.Module):
        raise NoTrace(f"{name}(...) is no nn.Module but {type(model).__name__}")
    return model


class Call:
    """One call of a module. `before`: the calls whose results its arguments come from."""

    def __init__(self, module: Any, line: "int | None", before: frozenset) -> None:
        self.module, self.line, self.before = module, line, before


class Recorder:
    """Notes the calls inside each run of a module's forward; what a Sequential calls is called by who calls that."""

    def __init__(self, file: Path) -> None:
        import torch

        self.file = file
        self.forwards: list[tuple[Any, list[Call]]] = []
        self._transparent = torch.nn.Sequential
        self._torch = str(Path(torch.__file__).parent) + os.sep
        self._running: list[list[Call]] = []

    def call(self, original: Any, module: Any, *args: Any, **kwargs: Any) -> Any:
        call = Call(module, self._line(), tags((args, kwargs)))
        if self._running:
            self._running[-1].append(call)
        if self._running and isinstance(module, self._transparent):
            self._running.append(self._running[-1])
        else:
            self._running.append([])
            self.forwards.append((module, self._running[-1]))
        try:
            result = original(module, *args, **kwargs)
        finally:
            self._running.pop()
        tag(result, call.before | {call})
        return result

    def _line(self) -> "int | None":
        """Where in the file the call at hand is made; None where other code makes it."""
        frame = sys._getframe(2)
        while frame is not None:
            name = frame.f_code.co_filename
            if not name.startswith(self._torch) and name != __file__:
                return frame.f_lineno if Path(name) == self.file else None
            frame = frame.f_back
        return None


def leaves(value: Any, depth: int = 0) -> Iterator[Any]:
    import torch

    if isinstance(value, torch.Tensor):
        yield value
    elif depth < 6 and isinstance(value, (list, tuple, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves(one, depth + 1)


def tags(value: Any) -> frozenset:
    """The calls that the tensors of a value come from."""
    return frozenset().union(*(getattr(one, "_comes_from", frozenset()) for one in leaves(value)))


def tag(value: Any, calls: frozenset) -> None:
    for one in leaves(value):
        one._comes_from = getattr(one, "_comes_from", frozenset()) | calls


def run(model: Any, inputs: list[str], file: Path) -> Recorder:
    """Calls the model once, and notes every call of a module inside."""
    import torch
    from torch.overrides import TorchFunctionMode

    class Lineage(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = function(*args, **(kwargs or {}))
            given = tags((args, kwargs or {}))
            if given:
                tag(result, given)
            return result

    recorder, original = Recorder(file), torch.nn.Module.__call__
    positional, keywords = called_with(inputs, tensor)

    def call(module: Any, *args: Any, **kwargs: Any) -> Any:
        return recorder.call(original, module, *args, **kwargs)

    torch.nn.Module.__call__ = call
    try:
        with torch.no_grad(), Lineage():
            model(*positional, **keywords)
    except (Exception, SystemExit) as error:
        raise NoTrace(f"forward fails: {said(error, file)}") from None
    finally:
        torch.nn.Module.__call__ = original
    return recorder


def paths(owner: Any) -> Iterator[tuple[str, Any, bool]]:
    """The modules that an owner holds under names of its own, and whether torch knows of them: children, and those in containers."""
    import torch

    containers = (torch.nn.Sequential, torch.nn.ModuleList, torch.nn.ModuleDict)

    def below(prefix: str, module: Any) -> Iterator[tuple[str, Any, bool]]:
        for name, child in module._modules.items():
            if child is not None:
                yield prefix + name, child, True
                if isinstance(child, containers):
                    yield from below(f"{prefix}{name}.", child)

    yield from below("", owner)
    for name, held in vars(owner).items():
        entries = dict(enumerate(held)) if isinstance(held, (list, tuple)) else held
        if isinstance(entries, dict) and not name.startswith("_"):
            for key, child in entries.items():
                if isinstance(child, torch.nn.Module):
                    yield f"{name}.{key}", child, False


def relations(calls: list[Call]) -> set:
    """How the calls of one module in one forward relate: each with those before it."""
    return {
        "parallel" if call.before.isdisjoint(calls[:number]) else "chained"
        for number, call in enumerate(calls)
        if number
    }


class Row:
    """What is seen of one attribute of a class, over all its objects."""

    def __init__(self) -> None:
        self.types: set[str] = set()
        self.parameters = self.running_stats = False
        self.registered = True
        self.calls = 0
        self.lines: set[int] = set()
        self.relations: set[str] = set()

    def see(self, child: Any, registered: bool, forwards: list[list[Call]]) -> None:
        self.types.add(f"{type(child).__module__}.{type(child).__qualname__}")
        self.parameters |= any(True for _ in child.parameters())
        self.running_stats |= any(name.rpartition(".")[2] == "running_mean" for name, _ in child.named_buffers())
        self.registered &= registered
        for forward in forwards:
            calls = [call for call in forward if call.module is child]
            self.calls = max(self.calls, len(calls))
            self.lines |= {call.line for call in calls if call.line}
            self.relations |= relations(calls)

    def document(self) -> dict:
        relation = (
            "mixed" if len(self.relations) > 1 else next(iter(self.relations), "single" if self.calls else "none")
        )
        return {
            "type": next(iter(self.types)) if len(self.types) == 1 else None,
            "parameters": self.parameters,
            "running_stats": self.running_stats,
            "calls": self.calls,
            "sites": sorted(self.lines),
            "relation": relation,
            "registered": self.registered,
        }


def rows(model: Any, recorder: Recorder) -> Iterator[dict]:
    """For each class of the file and each attribute: the most calls of one instance in one forward, as `nnreuse facts` counts."""
    seen: dict[tuple[str, str], Row] = {}
    owners = {id(owner): owner for owner in [*model.modules(), *(owner for owner, _ in recorder.forwards)]}
    for owner in owners.values():
        source = getattr(sys.modules.get(type(owner).__module__), "__file__", None)
        if source is None or Path(source).resolve() != recorder.file.resolve():
            continue
        forwards = [calls for one, calls in recorder.forwards if one is owner]
        for path, child, registered in paths(owner):
            pattern = ".".join("*" if part.isdecimal() else part for part in path.split("."))
            seen.setdefault((type(owner).__qualname__, pattern), Row()).see(child, registered, forwards)
    for (cls, attribute), row in seen.items():
        yield {"class": cls, "attribute": attribute, **row.document()}


def traced(options: argparse.Namespace) -> dict:
    try:
        import torch
    except Exception as error:
        raise NoTrace(f"{sys.executable} cannot import torch: {error}") from None
    file = options.file.absolute()
    torch.manual_seed(0)
    with torch.device(options.device):
        model = built(imported(file), options.name, options.arg, file)
        model.train(options.train)
        recorder = run(model, options.input, file)
    return {"torch": torch.__version__, "model": type(model).__qualname__, "rows": list(rows(model, recorder))}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("name")
    parser.add_argument("--input", action="append", default=[])
    parser.add_argument("--arg", action="append", default=[])
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        document, code = traced(options), 0
    except NoTrace as error:
        document, code = {"error": str(error)}, 2
    with answer:
        json.dump(document, answer)
    return code


if __name__ == "__main__":
    sys.exit(main())
