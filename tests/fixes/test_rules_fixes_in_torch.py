"""The rules' fixes judged by torch: each gives the parameters that independence means; with the hook old checkpoints load."""

import copy
import io
import pickle
import sys
import types
from collections import Counter

import pytest
import torch
from repairing import fixes, model

SHARED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = {first}
        self.shared = {shared}
        self.last = {first}

    def forward(self, x):
        x = self.shared(self.first(x))
        return self.shared(self.last(x))
"""
IMAGE = torch.randn(4, 6, 5, 5, generator=torch.Generator().manual_seed(1))
ROWS = torch.randn(4, 7, 6, generator=torch.Generator().manual_seed(2))
KINDS = {
    "nn.BatchNorm2d(6)": ("nn.Conv2d(6, 6, 3, padding=1)", IMAGE),
    "nn.GroupNorm(2, 6)": ("nn.Conv2d(6, 6, 1)", IMAGE),
    "nn.Conv2d(6, 6, 3, padding=1)": ("nn.Conv2d(6, 6, 1)", IMAGE),
    "nn.PReLU()": ("nn.Linear(6, 6)", ROWS),
    "nn.LayerNorm(6)": ("nn.Linear(6, 6)", ROWS),
    "nn.Linear(6, 6)": ("nn.Linear(6, 6)", ROWS),
    "nn.Sequential(nn.Linear(6, 6), nn.LayerNorm(6))": ("nn.Linear(6, 6)", ROWS),
}


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch):
    """Builds the class `Net` of a text in a module of its own, so that it can be pickled."""

    def build(text: str):
        module = types.ModuleType(f"built_{abs(hash(text))}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(text, "model.py", "exec"), module.__dict__)
        torch.manual_seed(0)
        return module.Net()

    return build


def shapes(module: torch.nn.Module) -> Counter[tuple[int, ...]]:
    return Counter(tuple(p.shape) for p in module.parameters())


def names(attribute: str, fixed: str) -> list[str]:
    return [n for n in ("shared", "shared1", "shared2") if f"self.{n} = " in fixed]


@pytest.mark.parametrize("shared", KINDS)
@pytest.mark.parametrize(
    "title",
    [
        "Split `self.shared` into `shared`, `shared2`",
        "Split `self.shared` into `shared1`, `shared2`",
        "Split `self.shared` into `shared`, `shared2`, loading old checkpoints",
    ],
)
def test_a_split_adds_the_parameters_of_one_more_instance(built, shared: str, title: str) -> None:
    before = model(SHARED.format(first=KINDS[shared][0], shared=shared))
    fixed = fixes(before)[title]
    assert fixed is not None
    old, new = built(before), built(fixed)
    assert shapes(new) == shapes(old) + shapes(old.shared)
    assert new(KINDS[shared][1]).shape == old(KINDS[shared][1]).shape


@pytest.mark.parametrize("shared", KINDS)
@pytest.mark.parametrize("assign", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_with_the_hook_an_old_checkpoint_loads_and_evaluates_bit_for_bit(
    built, shared: str, assign: bool, nested: bool
) -> None:
    before = model(SHARED.format(first=KINDS[shared][0], shared=shared))
    fixed = fixes(before)["Split `self.shared` into `shared`, `shared2`, loading old checkpoints"]
    assert fixed is not None
    old, new = built(before), built(fixed)
    inputs = KINDS[shared][1]
    old(inputs)  # one training step's worth of running statistics
    saved = copy.deepcopy((torch.nn.Sequential(old) if nested else old).state_dict())
    new = pickle.loads(pickle.dumps(copy.deepcopy(new)))
    whole = torch.nn.Sequential(new) if nested else new
    whole.load_state_dict(saved, strict=True, assign=assign)
    assert torch.equal(old.eval()(inputs), new.eval()(inputs))
    first, second = (next(getattr(new, n).parameters()) for n in ("shared", "shared2"))
    assert torch.equal(first, second) and first.data_ptr() != second.data_ptr()


def test_a_checkpoint_saved_after_the_split_loads_as_it_is(built) -> None:
    before = model(SHARED.format(first="nn.Conv2d(6, 6, 1)", shared="nn.BatchNorm2d(6)"))
    fixed = fixes(before)["Split `self.shared` into `shared`, `shared2`, loading old checkpoints"]
    assert fixed is not None
    new, other = built(fixed), built(fixed)
    new(IMAGE)
    stream = io.BytesIO()
    torch.save(new.state_dict(), stream)
    stream.seek(0)
    other.load_state_dict(torch.load(stream))
    assert torch.equal(new.eval()(IMAGE), other.eval()(IMAGE))


def test_calling_the_idle_twin_trains_what_was_idle(built) -> None:
    before = model("""
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(6, 6)
                self.fc2 = nn.Linear(6, 6)

            def forward(self, x):
                return self.fc1(torch.relu(self.fc1(x)))
    """)
    fixed = fixes(before)["Call `self.fc2` here"]
    assert fixed is not None
    old, new = built(before), built(fixed)
    for net in (old, new):
        net(ROWS).sum().backward()
    assert shapes(old) == shapes(new)
    assert old.fc2.weight.grad is None and new.fc2.weight.grad is not None


@pytest.mark.parametrize(
    "multiplied", ["[nn.Linear(6, 6)] * 3", "3 * [nn.Linear(6, 6)]", "[nn.Linear(6, 6), nn.LayerNorm(6)] * 2"]
)
def test_a_multiplied_list_becomes_instances_of_their_own_and_loads_without_a_hook(built, multiplied: str) -> None:
    before = model(f"""
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = nn.ModuleList({multiplied})

            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return x
    """)
    fixed = fixes(before)["Make a fresh instance for each position"]
    assert fixed is not None
    old, new = built(before), built(fixed)
    count = sum(shapes(old).values()) * (3 if "3" in multiplied else 2)
    assert sum(shapes(new).values()) == count
    new.load_state_dict(old.state_dict(), strict=True)
    assert torch.equal(old.eval()(ROWS), new.eval()(ROWS))
