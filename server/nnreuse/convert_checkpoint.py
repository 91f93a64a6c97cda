# pyright: basic
"""Converts a checkpoint saved before a module was split: each new module gets what the shared one had, optimizer state too.

Runs apart, in an interpreter that has torch: `python -I convert_checkpoint.py CHECKPOINT --plan PLAN --output OUTPUT`. Imports
the standard library, torch, and safetensors where a file is of that kind. A checkpoint is a file that `torch.save` or
safetensors wrote, or the index (`….index.json`) of several; OUTPUT is then a folder. `--optimizer FILE` is the state of an optimizer
in a file of its own, whose parameters must have names; OUTPUT is a folder then too. Files are loaded as tensors and plain
values only (`weights_only=True`). The input is opened for reading; the output appears once it is whole and has been verified.

A plan, which `nnreuse check --write-plan` writes, lists splits in the order in which they were made:

    {"version": 1, "splits": [{"class": "Net", "attribute": "bn", "names": ["bn", "bn2"], "beside": ["conv1"], "at": ["layer1.*"]}]}

A module that became a list has, in place of `names`, `"each": {"list": "bns", "of": "convs", "count": null, "moved": false}`: as
many as `of` holds, or `count`. `moved`: the list stands behind what it counts, so that an optimizer's numbers cannot follow.

The first of `names` is what the shared module is called now. A module of the checkpoint is of the class where it holds
`attribute` and everything in `beside`; `at`, where given, names the modules' paths, `*` for any text.
"""

import argparse
import collections
import fnmatch
import itertools
import json
import os
import pickle
import shutil
import sys
import tempfile
from pathlib import Path

import torch

BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
STEPS = 200_000
"""How far ways of naming an optimizer's parameters are followed before they count as unknown."""

UNNAMED = (
    "the optimizer's {count} parameters have no names, and {why}. "
    "An optimizer that is made with `model.named_parameters()` saves them"
)


class Problem(Exception):
    """Why a checkpoint cannot be converted, in words for its owner."""


def read_plan(path):
    """The splits of a plan file."""
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Problem(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise Problem(f"{path}: not a plan: {error}") from None
    splits = plan.get("splits") if isinstance(plan, dict) else None
    if not isinstance(splits, list) or not splits or plan.get("version") != 1:
        raise Problem(f'{path}: not a plan: it is to be {{"version": 1, "splits": […]}} with at least one split')
    for split in splits:
        _require_split(path, split)
    return splits


def _require_split(path, split):
    if not isinstance(split, dict) or not isinstance(split.get("attribute"), str):
        raise Problem(f"{path}: a split needs an `attribute`, the name of the module that was shared")
    for key in ("names", "beside", "at"):
        value = split.setdefault(key, [])
        if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
            raise Problem(f"{path}: `{key}` of `{split['attribute']}` must be a list of names")
    each = split.setdefault("each", None)
    if each is not None:
        counted = isinstance(each, dict) and (isinstance(each.get("of"), str) or isinstance(each.get("count"), int))
        if not counted or not isinstance(each.get("list"), str) or split["names"]:
            raise Problem(
                f"{path}: `each` of `{split['attribute']}` needs `list`, and `of` or `count`, and no `names` beside it"
            )
        return
    if not split["names"] or len(set(split["names"])) < len(split["names"]):
        raise Problem(f"{path}: `names` of `{split['attribute']}` must hold different names")


# Keys: which entries of a state dict go to which names.


def steps(keys, splits):
    """Each split with the modules of a checkpoint it is about. Raises Problem where it is about none."""
    found, now = [], list(keys)
    for split in splits:
        found.append((split, {owner: _names(now, split, owner) for owner in _owners(now, split)}))
        now = [new for new, _ in renamed(now, found[-1:])]
    if len(set(now)) < len(now):
        raise Problem("the plan gives one name to two entries of the checkpoint")
    return found


def renamed(keys, found):
    """The keys after some steps, each with the key it had: those of a copy stand behind all those of the module it copies."""
    pairs = [(key, key) for key in keys]
    for split, owners in found:
        shared = [f"{owner}{split['attribute']}." for owner in owners]
        runs = itertools.groupby(
            pairs, key=lambda pair, shared=shared: next((s for s in shared if pair[0].startswith(s)), "")
        )
        now = []
        for prefix, run in runs:
            run = list(run)
            owner = prefix.removesuffix(f"{split['attribute']}.")
            names = [f"{owner}{name}." for name in owners[owner]] if prefix else [""]
            now += [(name + new[len(prefix) :], old) for name in names for new, old in run]
        pairs = now
    return pairs


def _names(keys, split, owner):
    """What the shared module of an owner is called after a split."""
    each = split["each"]
    if each is None:
        return split["names"]
    inside = _children(keys)[f"{owner}{each['of']}."] if each.get("of") else ()
    count = sum(name.isdigit() for name in inside) or each.get("count") or 0
    if not count:
        raise Problem(f"the checkpoint does not say how many `{owner}{each['of']}` there are")
    return [f"{each['list']}.{number}" for number in range(count)]


def _owners(keys, split):
    """The prefixes of the modules that hold the attribute and what stands beside it, and none of the new names yet."""
    attribute, children = split["attribute"], _children(keys)
    found = sorted(prefix for prefix, names in children.items() if {attribute, *split["beside"]} <= names)
    if split["at"]:
        found = [p for p in found if any(fnmatch.fnmatchcase(p.removesuffix("."), pattern) for pattern in split["at"])]
    new = ({split["each"]["list"]} if split["each"] else set(split["names"])) - {attribute}
    owners = [prefix for prefix in found if not new & children[prefix]]
    where = f"`{attribute}`" + (f" beside {', '.join(split['beside'])}" if split["beside"] else "")
    if not owners:
        why = f"already holds {', '.join(sorted(new))}" if found else f"has no module with {where}"
        raise Problem(f"the checkpoint {why}: it is not from before this split of `{split.get('class', attribute)}`")
    kinds = {frozenset(children[prefix]) for prefix in owners}
    if len(kinds) > 1 and not split["beside"] and not split["at"]:
        listed = ", ".join(prefix.removesuffix(".") or "(the model itself)" for prefix in owners[:8])
        raise Problem(f"modules of different kinds hold {where}: {listed}. Say in the plan which, with `at`")
    return owners


def _children(keys):
    """The names below each prefix: `layer1.bn.weight` says that `layer1.` holds `bn`."""
    children = collections.defaultdict(set)
    for key in keys:
        parts = key.split(".")
        for number in range(len(parts) - 1):
            children["".join(part + "." for part in parts[:number])].add(parts[number])
    return children


def converted(state, found):
    """A state dict after some steps; what stands in it a second time is a clone."""
    pairs, seen = [], set()
    for new, old in renamed(state, found):
        pairs.append((new, _cloned(state[old]) if old in seen else state[old]))
        seen.add(old)
    if not isinstance(state, collections.OrderedDict):
        return dict(pairs)
    result = collections.OrderedDict(pairs)
    vars(result).update(vars(state))  # `_metadata`: the versions of the modules
    return result


def _cloned(value):
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: _cloned(part) for key, part in value.items()}
    return [_cloned(part) for part in value] if isinstance(value, list) else value


# Optimizers: parameters are numbers there, in the order in which the optimizer was given them.


def converted_optimizer(optimizer, state, found):
    """An optimizer's state dict after some steps; its numbers are counted anew, and a copy stands in the group of what it copies."""
    for split, _ in found:
        if split["each"] and split["each"].get("moved"):
            of, to = split["each"].get("of"), split["each"]["list"]
            raise Problem(
                f"the optimizer's parameters are numbered, and `{to}` stands behind `{of}` in the new model's order"
            )
    names = _names_of_parameters(optimizer, state)
    numbers = {name: number for number, name in names.items()}
    groups, entries, count = [], {}, 0
    for group in optimizer["param_groups"]:
        pairs = renamed([names[number] for number in group["params"]], found)
        for position, (_, old) in enumerate(pairs):
            if numbers[old] in optimizer["state"]:
                entries[count + position] = _cloned(optimizer["state"][numbers[old]])
        changed = {**group, "params": list(range(count, count + len(pairs)))}
        if "param_names" in group:
            changed["param_names"] = [new for new, _ in pairs]
        groups.append(changed)
        count += len(pairs)
    return {**optimizer, "state": entries, "param_groups": groups}


def _names_of_parameters(optimizer, state):
    """The key of each of an optimizer's parameters, by number: as it says itself, or the one way in which order and shapes agree."""
    groups = optimizer["param_groups"]
    numbers = [number for group in groups for number in group["params"]]
    if sorted(map(str, numbers)) != sorted(map(str, range(len(numbers)))) or not set(optimizer["state"]) <= set(
        numbers
    ):
        raise Problem("the optimizer's state is not of the form that torch.optim saves: parameters numbered from 0")
    named = [pair for g in groups for pair in zip(g["params"], g.get("param_names") or (), strict=False)]
    count = len(numbers)
    if len(named) == count and all(name in state for _, name in named):
        return dict(named)
    ways = list(itertools.islice(_ways(_parameters(state), optimizer), 2))
    if len(ways) != 1:
        why = "do not fit the model's, in its order" if not ways else "fit the model's in more than one way"
        raise Problem(UNNAMED.format(count=count, why=why))
    return ways[0]


def _parameters(state):
    """The entries that may be parameters, in the model's order: of several that share their memory the first."""
    seen, found = set(), []
    for key, value in state.items():
        if isinstance(value, torch.Tensor) and value.is_floating_point() and key.rsplit(".", 1)[-1] not in BUFFERS:
            memory = (value.data_ptr(), tuple(value.shape), value.stride())
            if value.numel() == 0 or memory not in seen:
                found.append((key, value))
            seen.add(memory)
    return found


def _ways(parameters, optimizer):
    """Every way to give the parameters, in order, to the groups, each of them in order too. Raises Problem after too many steps."""
    groups = [group["params"] for group in optimizer["param_groups"]]
    total = sum(map(len, groups))
    looked_at = itertools.count()
    todo: list[tuple[int, tuple[int, ...], tuple[tuple[int, str], ...]]] = [(0, (0,) * len(groups), ())]
    while todo:
        number, taken, chosen = todo.pop()
        if number == len(parameters):
            if sum(taken) == total:
                yield dict(chosen)
            continue
        if next(looked_at) > STEPS:
            raise Problem(UNNAMED.format(count=total, why="can be named in too many ways"))
        if len(parameters) - number < total - sum(taken):
            continue
        key, value = parameters[number]
        if len(parameters) - number > total - sum(taken):
            todo.append((number + 1, taken, chosen))
        for which, group in enumerate(groups):
            at = taken[which]
            if at < len(group) and _fits(optimizer["state"].get(group[at], {}), value):
                more = (*taken[:which], at + 1, *taken[which + 1 :])
                todo.append((number + 1, more, (*chosen, (group[at], key))))


def _fits(entry, value):
    """Whether the state of a parameter, where it has any that is as large, is of its shape."""
    tensors = [part for part in entry.values() if isinstance(part, torch.Tensor) and part.dim() > 0]
    return not tensors or any(part.shape == value.shape for part in tensors)


# Checkpoints: state dicts and optimizers wherever they lie in what was saved.


def is_state(value):
    """Whether a value is a state dict: names and tensors, with a module's extra state at most beside them."""
    if not isinstance(value, dict) or not value or not all(isinstance(key, str) for key in value):
        return False
    return all(isinstance(v, torch.Tensor) or k.endswith("_extra_state") for k, v in value.items())


def is_optimizer(value):
    return (
        isinstance(value, dict) and isinstance(value.get("param_groups"), list) and isinstance(value.get("state"), dict)
    )


def _within(value):
    """The parts of a saved value that are state dicts or optimizers, in order."""
    if is_state(value) or is_optimizer(value):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _within(part)


def convert(saved, splits):
    """A saved value with all its state dicts and optimizers converted. Raises Problem where none is a state dict that the plan fits."""
    states = [part for part in _within(saved) if is_state(part)]
    if not states:
        raise Problem("the file holds no state dict: nothing that maps names to tensors")
    found, trouble = {}, []
    for state in states:
        try:
            found[id(state)] = steps(state, splits)
        except Problem as problem:
            trouble.append(problem)
    if not found:
        raise trouble[0]
    owner = next(state for state in states if id(state) in found)
    new = _replaced(saved, found, owner)
    _verify(saved, new, found, owner)
    return new


def _replaced(value, found, owner):
    if id(value) in found:
        return converted(value, found[id(value)])
    if is_optimizer(value):
        return converted_optimizer(value, owner, found[id(owner)])
    if is_state(value):
        return value
    if isinstance(value, dict):
        new = {key: _replaced(part, found, owner) for key, part in value.items()}
        return type(value)(new) if isinstance(value, collections.OrderedDict) else new
    return type(value)(_replaced(part, found, owner) for part in value) if type(value) in (list, tuple) else value


def _verify(saved, new, found, owner):
    """Raises Problem unless every entry is there under each of its names, with the very bits it had."""
    for before, after in zip(_within(saved), _within(new), strict=True):
        if is_optimizer(before):
            good = _is_counted(before, after, owner, found[id(owner)])
        elif id(before) in found:
            pairs = renamed(before, found[id(before)])
            good = len(pairs) == len(after) and all(_same(before[old], after[new]) for new, old in pairs)
        else:
            good = after is before
        if not good:
            raise Problem("what was converted is not what was saved; this is a bug, please report it")


def _is_counted(before, after, owner, found):
    """Whether an optimizer has a number for each parameter and copy, and for each the state of what it copies."""
    names = _names_of_parameters(before, owner)
    olds = {name: number for number, name in names.items()}
    pairs = [p for g in before["param_groups"] for p in renamed([names[n] for n in g["params"]], found)]
    numbers = [number for group in after["param_groups"] for number in group["params"]]
    return numbers == list(range(len(pairs))) and all(
        _same_entries(before["state"].get(olds[old], {}), after["state"].get(number, {}))
        for number, (_, old) in zip(numbers, pairs, strict=True)
    )


def _same_entries(a, b):
    return a.keys() == b.keys() and all(_same(value, b[key]) for key, value in a.items())


def _same(a, b):
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(_bits(a), _bits(b))
    return type(a) is type(b)


def _bits(tensor):
    """The bytes of a tensor: NaN is equal to itself there."""
    plain = tensor.detach().to_dense() if tensor.layout is not torch.strided else tensor.detach()
    return plain.contiguous().reshape(-1).view(torch.uint8) if not plain.is_quantized else plain.int_repr()


# Files.


def load(path):
    """What a file holds, tensors on the CPU, and the metadata of its format. Raises Problem."""
    if not path.is_file():
        raise Problem(f"{path}: there is no such file")
    try:
        if path.suffix == ".safetensors":
            return _load_safetensors(path)
        return torch.load(path, map_location="cpu", weights_only=True), None
    except pickle.UnpicklingError as error:
        named = str(error).partition("GLOBAL ")[2].partition(" ")[0] or "an object"
        if "GLOBAL" not in str(error):
            raise Problem(f"{path}: not a checkpoint that torch.save wrote, or a damaged one") from None
        raise Problem(
            f"{path}: holds a pickled object ({named}) and not only tensors; loading it could run any code, so it is refused. "
            "Save the state dicts alone"
        ) from None
    except Problem:
        raise
    except Exception as error:  # torch and safetensors raise many kinds for damaged files
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Problem(f"{path}: truncated, damaged, or not a checkpoint: {first}") from None


def _load_safetensors(path):
    try:
        from safetensors import safe_open
    except ImportError:
        raise Problem(f"{path}: {sys.executable} lacks the package safetensors, which this file needs") from None
    with safe_open(path, framework="pt", device="cpu") as file:
        return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118 (not a dict)


def save(value, metadata, path):
    """Writes a file and reads it again. Raises Problem where it is not what was to be written."""
    if metadata is not None:
        from safetensors.torch import save_file

        save_file({key: tensor.contiguous() for key, tensor in value.items()}, path, metadata or None)
    else:
        torch.save(value, path)
    written, _ = load(path)
    if not all(
        len(a) == len(b) and (is_optimizer(a) or all(_same(a[key], b[key]) for key in a))
        for a, b in zip(_within(value), _within(written), strict=True)
    ):
        raise Problem(f"{path}: reads differently from what was written")


def convert_file(source, splits, target):
    saved, metadata = load(source)
    save(convert(saved, splits), metadata, target)


def convert_shards(index_path, splits, target):
    """Converts the files of an index into a folder: each copy lies in the file of what it copies."""
    try:
        index = json.loads(index_path.read_text(encoding="utf-8"))
        where = index["weight_map"]
        files = sorted(set(where.values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Problem(f"{index_path}: not an index of a checkpoint's files") from None
    if any(Path(name).name != name for name in files):
        raise Problem(f"{index_path}: names a file outside of its folder")
    found = steps(where, splits)
    target.mkdir()
    size = 0
    for name in files:
        saved, metadata = load(index_path.parent / name)
        missing = {key for key, file in where.items() if file == name} ^ set(saved if is_state(saved) else ())
        if missing:
            raise Problem(f"{index_path.parent / name}: its entries are not those that the index names")
        new = converted(saved, found)
        size += sum(tensor.numel() * tensor.element_size() for tensor in new.values())
        save(new, metadata, target / name)
    index["weight_map"] = {new: where[old] for new, old in renamed(where, found)}
    if "total_size" in index.get("metadata", {}):
        index["metadata"]["total_size"] = size
    (target / index_path.name).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def read_state(checkpoint):
    """The one state dict of a file, or of all files of an index. Raises Problem."""
    if not checkpoint.name.endswith(".index.json"):
        states = [part for part in _within(load(checkpoint)[0]) if is_state(part)]
        if len(states) != 1:
            raise Problem(
                f"{checkpoint}: holds {len(states) or 'no'} state dicts; an optimizer beside it belongs to one"
            )
        return states[0]
    files = sorted(set(json.loads(checkpoint.read_text(encoding="utf-8"))["weight_map"].values()))
    return {key: value for name in files for key, value in load(checkpoint.parent / name)[0].items()}


def convert_optimizer_file(source, checkpoint, splits, target):
    """Converts an optimizer that lies in a file of its own. Order says nothing there, so its parameters need names. Raises Problem."""
    saved, metadata = load(source)
    state = read_state(checkpoint)
    optimizers = [part for part in _within(saved) if is_optimizer(part)]
    if not optimizers:
        raise Problem(f"{source}: holds no state of an optimizer")
    for groups in (optimizer["param_groups"] for optimizer in optimizers):
        if not all(len(group.get("param_names") or ()) == len(group["params"]) for group in groups):
            count = sum(len(group["params"]) for group in groups)
            raise Problem(f"{source}: " + UNNAMED.format(count=count, why="files apart do not keep the model's order"))
    found = {id(state): steps(state, splits)}
    new = _replaced(saved, found, state)
    _verify(saved, new, found, state)
    save(new, metadata, target)


def migrate(checkpoint, plan, output, optimizer=None):
    """Converts; the output appears whole or not at all. Raises Problem."""
    splits = read_plan(plan)
    if output.exists():
        raise Problem(f"{output}: exists already; nothing is overwritten")
    if not output.parent.is_dir():
        raise Problem(f"{output.parent}: there is no such folder")
    folder = Path(tempfile.mkdtemp(prefix=".converting-", dir=output.parent))
    try:
        sharded = checkpoint.name.endswith(".index.json")
        target = folder / output.name
        if optimizer is not None and not sharded:
            target.mkdir()
            convert_file(checkpoint, splits, target / checkpoint.name)
        else:
            (convert_shards if sharded else convert_file)(checkpoint, splits, target)
        if optimizer is not None:
            convert_optimizer_file(optimizer, checkpoint, splits, target / optimizer.name)
        os.rename(folder / output.name, output)
    except OSError as error:
        raise Problem(f"{output}: cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("checkpoint", type=Path)
    options.add_argument("--plan", type=Path, required=True)
    options.add_argument("--output", type=Path, required=True)
    options.add_argument("--optimizer", type=Path)
    given = options.parse_args()
    try:
        migrate(given.checkpoint, given.plan, given.output, given.optimizer)
    except Problem as problem:
        print(f"nnreuse: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
