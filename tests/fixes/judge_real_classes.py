"""Torch judges the fixes over real classes: plant a slip, fix it as the rule offers, build, and compare with the untouched class.

    PYTHONPATH=server:tests/fixes python tests/fixes/judge_real_classes.py FOLDER [--only WORD] [--at-least N]

FOLDER holds timm and torchvision as source. Prints a line for each class and slip. Judged is what was found and fixed: the
parameters and buffers of the fixed class have the shapes of the untouched one's; a checkpoint of the slip loads strictly; in
evaluation the fixed class then gives, bit for bit, what the slip gave. A twin that goes uncalled must come back byte for byte.
Exit 1 when one of these fails, or fewer than N classes were judged.
"""

import argparse
import ast
import importlib
import io
import sys
import tokenize
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from judge import operators
from judge.harvest import Usage, loaded, timm_models, torchvision_models, usages
from judge.planting import Slip, slips
from torch import nn
from torch.utils._pytree import tree_leaves

from nnreuse.config.settings import Settings
from nnreuse.syntax.edits import apply_edits
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import Source
from nnreuse.workspace.project import Project


@dataclass(frozen=True, slots=True)
class Verdict:
    """`good` None: there was nothing to judge, since the class is in no model that runs, or no fix is offered."""

    good: bool | None
    word: str


def fixed_text(project: Project, path: Path, slip: Slip) -> tuple[str | None, str]:
    """The text after the first fix that a finding about the slip's attribute offers, and that fix's title; or why there is none."""
    analysis = project.analyse(path, FileIndex.of(Source(slip.text)))
    about = [f for f in analysis.findings if f.owner == slip.cls and (f.attribute or "").split(".")[0] == slip.kept]
    if not about:
        return None, "not found"
    for finding in about:
        for fix in finding.fixes:
            edits = fix.edits(analysis.index)
            if edits:
                return apply_edits(slip.text, edits), fix.title
    return None, f"{about[0].rule}: no fix is offered"


def judged(original: types.ModuleType, slip: Slip, fixed: str, usage: Usage) -> Verdict:
    """What torch says of a fixed text."""
    kept = Path(str(original.__file__)).read_text(encoding="utf-8")
    lost = _comments(slip.text) - _comments(fixed)
    if lost:
        return Verdict(False, f"a comment is lost: {next(iter(lost))[:60]}")
    if slip.kind == "typo":
        return Verdict(fixed == kept, "byte for byte" if fixed == kept else "another text than the untouched one")
    try:
        untouched = usage.build(getattr(original, slip.cls))
        with loaded(original, slip.text) as module:
            shared = usage.build(getattr(module, slip.cls))
        with loaded(original, fixed) as module:
            repaired = usage.build(getattr(module, slip.cls))
    except Exception as error:  # noqa: BLE001
        return Verdict(None, f"cannot be built: {type(error).__name__}: {str(error)[:60]}")
    return _compared(untouched, shared, repaired, usage)


def _compared(untouched: nn.Module, shared: nn.Module, repaired: nn.Module, usage: Usage) -> Verdict:
    if _shapes(shared) == _shapes(untouched):
        return Verdict(None, "what is shared carries nothing here")
    if _shapes(repaired) != _shapes(untouched):
        return Verdict(False, f"shapes differ: {(_shapes(repaired) - _shapes(untouched)) or 'some are missing'}")
    try:
        usage.call(untouched.eval())
        usage.call(shared.eval())
    except Exception as error:  # noqa: BLE001
        return Verdict(None, f"cannot be called on its own: {type(error).__name__}: {str(error)[:60]}")
    _trained(shared)
    try:
        repaired.load_state_dict(shared.state_dict(), strict=True)
    except RuntimeError as error:
        return Verdict(False, f"the checkpoint does not load: {error}"[:160].replace("\n", " "))
    before, after = (tree_leaves(usage.call(module.eval())) for module in (shared, repaired))
    tensors = [(a, b) for a, b in zip(before, after, strict=True) if isinstance(a, torch.Tensor)]
    if not tensors or not all(torch.isfinite(a).all() for a, _ in tensors):
        return Verdict(None, "no finite output to compare")
    same = all(torch.equal(a, b) for a, b in tensors)
    return Verdict(same, "shapes, strict load, output" if same else "the output differs")


def _comments(text: str) -> Counter[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return Counter(token.string for token in tokens if token.type == tokenize.COMMENT)


def _shapes(module: nn.Module) -> Counter[tuple[int, ...]]:
    return Counter(tuple(tensor.shape) for tensor in [*module.parameters(), *module.buffers()])


def _trained(module: nn.Module) -> None:
    """Weights and statistics that no fresh module has."""
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
        for name, buffer in module.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                buffer.add_(torch.rand_like(buffer))


def files(
    folder: Path, only: str
) -> Iterator[tuple[Path, Callable[[types.ModuleType], Iterator[Callable[[], nn.Module]]]]]:
    """The files that define models, each with the function that lists its models."""
    chosen = (
        ("timm/models", timm_models),
        ("torchvision/models", torchvision_models),
    )
    for part, models in chosen:
        for path in sorted((folder / part).rglob("*.py")):
            if not path.stem.startswith("_") and only in f"{part}/{path.stem}":
                yield path, models


def verdicts(folder: Path, only: str) -> Iterator[tuple[str, Slip, str, Verdict]]:
    project = Project(Settings(checkpoint_compat="hook"))
    for path, models in files(folder, only):
        text = path.read_text(encoding="utf-8")
        planted = list(slips(text))
        if not planted:
            continue
        name = ".".join(path.relative_to(folder).with_suffix("").parts)
        original = importlib.import_module(name)
        fixes = [(slip, *fixed_text(project, path, slip)) for slip in planted]
        wanted = {slip.cls for slip, fixed, _ in fixes if fixed is not None and slip.kind != "typo"}
        used = usages(original, wanted, models(original))
        for slip, fixed, title in fixes:
            yield name, slip, title, _verdict(original, slip, fixed, title, used)


def _verdict(original: types.ModuleType, slip: Slip, fixed: str | None, title: str, used: dict[str, Usage]) -> Verdict:
    if fixed is None:
        return Verdict(None, title)
    ast.parse(fixed)
    if slip.kind == "typo":
        return judged(original, slip, fixed, Usage((), {}, (), {}))
    usage = used.get(slip.cls)
    return judged(original, slip, fixed, usage) if usage else Verdict(None, "in no model that runs on meta")


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--only", default="", metavar="WORD", help="only files whose path holds it")
    options.add_argument("--at-least", type=int, default=1, metavar="N", help="classes that torch must have judged")
    given = options.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    sys.path.insert(0, str(given.folder))
    operators.define()
    words = {True: "good", False: "BAD", None: "-"}
    counts: Counter[tuple[str, bool | None]] = Counter()
    built: set[tuple[str, str]] = set()
    for name, slip, title, verdict in verdicts(given.folder, given.only):
        where = f"{name}.{slip.cls}.{slip.kept}"
        counts[slip.kind, verdict.good] += 1
        if verdict.good is not None and slip.kind != "typo":
            built.add((name, slip.cls))
        _say(f"{words[verdict.good]:5}{slip.kind:8} {where}: {verdict.word} ({title})")
    for kind in sorted({kind for kind, _ in counts}):
        good, bad, other = (counts[kind, value] for value in (True, False, None))
        _say(f"{kind:8} good {good}  bad {bad}  not judged {other}")
    _say(f"{len(built)} classes were built and compared")
    return int(len(built) < given.at_least or any(value is False for _, value in counts if counts[_, value]))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
