"""`nnreuse migrate` on real checkpoints: training goes on where it stopped; what cannot be converted is said and leaves nothing."""

import importlib
import json
import re
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from nnreuse.cli.main import nnreuse

torch = pytest.importorskip("torch")
convert_checkpoint: Any = importlib.import_module("nnreuse.convert_checkpoint")

MODEL = """import torch
import torch.nn as nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(4, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.bn(self.conv1(x))
        return self.bn(self.conv2(x))


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm2d(4)

    def forward(self, x):
        return self.bn(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.plain = Plain()
        self.blocks = nn.Sequential(Block(), Block())
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.blocks(self.plain(x)).mean((2, 3)))
"""
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "adam": lambda model: torch.optim.Adam(model.parameters(), lr=1e-2),
    "sgd": lambda model: torch.optim.SGD(model.parameters(), lr=1e-2, momentum=0.9),
    "named": lambda model: torch.optim.AdamW(model.named_parameters(), lr=1e-2),
    "decay": lambda model: torch.optim.AdamW(
        [
            {"params": [p for p in model.parameters() if p.dim() > 1]},
            {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
        ]
    ),
}
X = torch.randn(6, 4, 5, 5, generator=torch.Generator().manual_seed(1))


class Code:
    """The model's code before and after the fix, and the plan that the fix wrote."""

    def __init__(self, folder: Path) -> None:
        file, self.plan = folder / "model.py", folder / "plan.json"
        file.write_text(MODEL)
        self.old = self._loaded(file)
        run("check", "--unsafe-fixes", "--write-plan", self.plan, file, code=0)
        self.new = self._loaded(file)

    def _loaded(self, file: Path) -> Any:
        module = types.ModuleType("model")
        exec(compile(file.read_text(), str(file), "exec"), module.__dict__)
        return module


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Code:
    return Code(tmp_path_factory.mktemp("code"))


def run(*arguments: str | Path, code: int) -> Result:
    result = CliRunner().invoke(nnreuse, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def converted(checkpoint: Path, plan: Path, output: Path) -> Path:
    """What `migrate` does, without the start of another interpreter. Raises `Problem`."""
    convert_checkpoint.migrate(checkpoint, plan, output)
    return output


def trained(model: Any, optimizer: Any, steps: int = 3) -> Any:
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(X).square().mean()
        loss.backward()
        optimizer.step()
    return loss


def saved(code: Code, make: Callable[[Any], Any], path: Path) -> Any:
    torch.manual_seed(0)
    model = code.old.Net()
    optimizer = make(model)
    trained(model, optimizer)
    torch.save({"epoch": 3, "model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
    return model.eval()


def test_the_plan_says_what_was_split(code: Code) -> None:
    [split] = json.loads(code.plan.read_text())["splits"]
    assert split == {"class": "Block", "attribute": "bn", "names": ["bn", "bn2"], "beside": ["conv1", "conv2"]}


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_training_resumes(code: Code, tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / "last.pt", tmp_path / "last.migrated.pt"
    old = saved(code, OPTIMIZERS[kind], path)
    before = path.read_bytes()
    converted(path, code.plan, target)
    assert path.read_bytes() == before
    checkpoint = torch.load(target, weights_only=True)
    model = code.new.Net()
    model.load_state_dict(checkpoint["model"], strict=True)
    assert checkpoint["epoch"] == 3 and list(checkpoint["model"]) == list(model.state_dict())
    assert torch.equal(model.eval()(X), old(X))
    optimizer = OPTIMIZERS[kind](model)
    optimizer.load_state_dict(checkpoint["optimizer"])
    for parameter in model.parameters():
        entries = [e for e in optimizer.state[parameter].values() if isinstance(e, torch.Tensor) and e.dim()]
        assert entries and all(entry.shape == parameter.shape for entry in entries)
    block = model.blocks[0]
    first, second = optimizer.state[block.bn.weight], optimizer.state[block.bn2.weight]
    assert all(torch.equal(torch.as_tensor(first[key]), torch.as_tensor(second[key])) for key in first)
    assert torch.isfinite(trained(model.train(), optimizer, 10))
    assert not torch.equal(block.bn.weight, block.bn2.weight)


def test_safetensors_keep_their_metadata(code: Code, tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    old = code.old.Net().eval()
    save_file(old.state_dict(), tmp_path / "model.safetensors", {"format": "pt"})
    run(
        "migrate", tmp_path / "model.safetensors", "--plan", code.plan, "--output", tmp_path / "new.safetensors", code=0
    )
    model = code.new.Net().eval()
    model.load_state_dict(load_file(tmp_path / "new.safetensors"), strict=True)
    assert torch.equal(model(X), old(X))
    with safe_open(tmp_path / "new.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}


@pytest.mark.parametrize("suffix", [".bin", ".safetensors"])
def test_the_files_of_an_index(code: Code, tmp_path: Path, suffix: str) -> None:
    from safetensors.torch import load_file, save_file

    state = code.old.Net().state_dict()
    names = {key: f"model-{1 + number % 2}{suffix}" for number, key in enumerate(state)}
    for name in set(names.values()):
        part = {key: tensor for key, tensor in state.items() if names[key] == name}
        save_file(part, tmp_path / name) if suffix == ".safetensors" else torch.save(part, tmp_path / name)
    index = tmp_path / f"model{suffix}.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": names}))
    converted(index, code.plan, tmp_path / "new")
    written = json.loads((tmp_path / "new" / index.name).read_text())
    loaded: dict[str, Any] = {}
    for name in set(written["weight_map"].values()):
        file = tmp_path / "new" / name
        part = load_file(file) if suffix == ".safetensors" else torch.load(file, weights_only=True)
        assert all(written["weight_map"][key] == name for key in part)
        loaded |= part
    assert written["metadata"]["total_size"] == sum(t.numel() * t.element_size() for t in loaded.values())
    code.new.Net().load_state_dict(loaded, strict=True)


def truncated(code: Code, path: Path) -> None:
    saved(code, OPTIMIZERS["adam"], path)
    path.write_bytes(path.read_bytes()[:-2000])


def half_safetensors(code: Code, path: Path) -> None:
    from safetensors.torch import save_file

    save_file(code.old.Net().state_dict(), path)
    path.write_bytes(path.read_bytes()[:-20])


DAMAGED: dict[str, tuple[str, Callable[[Code, Path], object], str]] = {
    "truncated": ("a.pt", truncated, "truncated, damaged, or not a checkpoint"),
    "truncated safetensors": ("a.safetensors", half_safetensors, "truncated, damaged, or not a checkpoint"),
    "text": ("a.pt", lambda _, path: path.write_text("hello"), "not a checkpoint"),
    "empty": ("a.pt", lambda _, path: path.write_bytes(b""), "truncated, damaged, or not a checkpoint"),
    "another model": (
        "a.pt",
        lambda _, path: torch.save(torch.nn.Linear(2, 2).state_dict(), path),
        "has no module with",
    ),
    "converted already": (
        "a.pt",
        lambda code, path: torch.save(code.new.Net().state_dict(), path),
        "already holds bn2",
    ),
    "an object": ("a.pt", lambda _, path: torch.save(Path("x"), path), "holds a pickled object (pathlib"),
    "a whole model": ("a.pt", lambda _, path: torch.save(torch.nn.Linear(2, 2), path), "holds a pickled object"),
    "a number": ("a.pt", lambda _, path: torch.save({"epoch": 3}, path), "holds no state dict"),
    "missing": ("a.pt", lambda *_: None, "there is no such file"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_cannot_be_converted_is_said_and_leaves_nothing(code: Code, tmp_path: Path, case: str) -> None:
    name, make, said = DAMAGED[case]
    make(code, tmp_path / name)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(convert_checkpoint.Problem, match=re.escape(said)):
        converted(tmp_path / name, code.plan, tmp_path / "new.pt")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "text", ["", "[]", '{"version": 1, "splits": []}', '{"version": 1, "splits": [{"names": ["a"]}]}']
)
def test_a_plan_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(text)
    with pytest.raises(convert_checkpoint.Problem, match=re.escape(str(plan))):
        converted(tmp_path / "a.pt", plan, tmp_path / "new.pt")


def test_an_optimizer_whose_parameters_cannot_be_told_apart_is_refused(code: Code, tmp_path: Path) -> None:
    saved(code, lambda model: torch.optim.Adam([*model.parameters()][::-1]), tmp_path / "a.pt")
    with pytest.raises(convert_checkpoint.Problem, match="named_parameters"):
        converted(tmp_path / "a.pt", code.plan, tmp_path / "new.pt")


@pytest.mark.parametrize("files", ["one", "several"])
def test_an_optimizer_in_a_file_of_its_own_resumes(code: Code, tmp_path: Path, files: str) -> None:
    old = code.old.Net()
    optimizer = torch.optim.Adam(old.named_parameters(), lr=1e-2)
    trained(old, optimizer)
    torch.save(optimizer.state_dict(), tmp_path / "optimizer.pt")
    state, model_file = old.state_dict(), tmp_path / "model.bin"
    if files == "one":
        torch.save(state, model_file)
    else:
        names = {key: f"model-{1 + number % 2}.bin" for number, key in enumerate(state)}
        for name in set(names.values()):
            torch.save({key: value for key, value in state.items() if names[key] == name}, tmp_path / name)
        model_file = tmp_path / "model.bin.index.json"
        model_file.write_text(json.dumps({"weight_map": names}))
    arguments = ("--plan", code.plan, "--optimizer", tmp_path / "optimizer.pt", "--output", tmp_path / "new")
    run("migrate", model_file, *arguments, code=0)
    new = code.new.Net()
    parts = ["model.bin"] if files == "one" else ["model-1.bin", "model-2.bin"]
    loaded = {k: v for part in parts for k, v in torch.load(tmp_path / "new" / part, weights_only=True).items()}
    new.load_state_dict(loaded, strict=True)
    resumed = torch.optim.Adam(new.named_parameters(), lr=1e-2)
    resumed.load_state_dict(torch.load(tmp_path / "new" / "optimizer.pt", weights_only=True))
    block, before = new.blocks[0], old.blocks[0]
    for norm in (block.bn, block.bn2):
        for key in ("exp_avg", "exp_avg_sq"):
            assert torch.equal(resumed.state[norm.weight][key], optimizer.state[before.bn.weight][key])
    assert torch.isfinite(trained(new.train(), resumed, 10))


def test_an_optimizer_without_names_in_a_file_of_its_own_is_refused(code: Code, tmp_path: Path) -> None:
    old = code.old.Net()
    optimizer = torch.optim.Adam(old.parameters())
    trained(old, optimizer)
    torch.save(optimizer.state_dict(), tmp_path / "optimizer.pt")
    torch.save(old.state_dict(), tmp_path / "model.pt")
    with pytest.raises(
        convert_checkpoint.Problem, match="have no names, and files apart do not keep the model's order"
    ):
        convert_checkpoint.migrate(tmp_path / "model.pt", code.plan, tmp_path / "new", tmp_path / "optimizer.pt")
    assert not (tmp_path / "new").exists()


LEVELS = """import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(4, 4, 3, padding=1) for _ in range(3)])
        self.bn = nn.BatchNorm2d(4)

    def forward(self, x):
        for conv in self.convs:
            x = self.bn(conv(x))
        return x
"""
MOVED = LEVELS.replace("        self.bn = nn.BatchNorm2d(4)\n", "").replace(
    "        self.convs", "        self.bn = nn.BatchNorm2d(4)\n        self.convs"
)


@pytest.mark.parametrize(("text", "moved"), [(LEVELS, False), (MOVED, True)], ids=["in place", "moved"])
def test_a_module_that_becomes_a_list_is_converted(tmp_path: Path, text: str, moved: bool) -> None:
    def loaded() -> Any:
        module = types.ModuleType("levels")
        exec(compile(file.read_text(), str(file), "exec"), module.__dict__)
        return module.Net()

    file, plan, path = tmp_path / "levels.py", tmp_path / "plan.json", tmp_path / "a.pt"
    file.write_text(text)
    old = loaded()
    optimizer = torch.optim.Adam(old.parameters())
    trained(old, optimizer)
    torch.save({"model": old.state_dict(), "optimizer": optimizer.state_dict()}, path)
    torch.save(old.state_dict(), tmp_path / "state.pt")
    run("check", "--unsafe-fixes", "--write-plan", plan, file, code=0)
    new = loaded()
    converted(tmp_path / "state.pt", plan, tmp_path / "state.new.pt")
    new.load_state_dict(torch.load(tmp_path / "state.new.pt", weights_only=True), strict=True)
    assert torch.equal(new.eval()(X), old.eval()(X))
    if moved:
        with pytest.raises(convert_checkpoint.Problem, match="`bns` stands behind `convs`"):
            converted(path, plan, tmp_path / "b.pt")
        return
    converted(path, plan, tmp_path / "b.pt")
    resumed = torch.optim.Adam(new.parameters())
    resumed.load_state_dict(torch.load(tmp_path / "b.pt", weights_only=True)["optimizer"])
    for norm in new.bns:
        assert torch.equal(resumed.state[norm.weight]["exp_avg"], optimizer.state[old.bn.weight]["exp_avg"])
    assert torch.isfinite(trained(new.train(), resumed, 10))


def test_nothing_is_overwritten(code: Code, tmp_path: Path) -> None:
    (tmp_path / "b.pt").write_text("mine")
    with pytest.raises(convert_checkpoint.Problem, match="exists already"):
        converted(tmp_path / "a.pt", code.plan, tmp_path / "b.pt")
    assert (tmp_path / "b.pt").read_text() == "mine"


def test_the_command_writes_beside_the_checkpoint_and_reports_trouble(
    code: Code, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    old = saved(code, OPTIMIZERS["sgd"], tmp_path / "a.pt")
    run("migrate", tmp_path / "a.pt", "--plan", code.plan, "--python", sys.executable, code=0)
    model = code.new.Net()
    model.load_state_dict(torch.load(tmp_path / "a.migrated.pt", weights_only=True)["model"], strict=True)
    assert torch.equal(model.eval()(X), old(X))
    run("migrate", tmp_path / "a.pt", "--plan", code.plan, code=2)
    assert "a.migrated.pt: exists already; nothing is overwritten" in capfd.readouterr().err


def test_an_interpreter_that_is_none_is_named(code: Code, tmp_path: Path) -> None:
    result = run("migrate", tmp_path / "a.pt", "--plan", code.plan, "--python", tmp_path / "python", code=2)
    assert "cannot be run" in result.output
