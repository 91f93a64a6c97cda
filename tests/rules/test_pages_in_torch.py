"""What the rules' pages say of torch, torch does: each sentence with a number, a message or a surprise in it."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.ao.quantization import MinMaxObserver


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[None]:
    """A process group of this process alone."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/group", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_shared_batch_norm_is_normal_in_training_and_far_off_in_evaluation() -> None:
    torch.manual_seed(0)
    bn = nn.BatchNorm1d(4)
    for _ in range(200):
        trained = [bn(torch.randn(256, 4) + mean).mean().item() for mean in (-10, 10)]
    bn.eval()
    low, high = (bn(torch.randn(4096, 4) + mean).mean().item() for mean in (-10, 10))
    assert max(map(abs, trained)) < 0.01
    assert low == pytest.approx(-10.4, abs=0.3)
    assert high == pytest.approx(9.4, abs=0.3)


def test_reused_quantization_stub_leaves_the_narrow_input_a_step_or_two() -> None:
    observer = MinMaxObserver(dtype=torch.quint8)
    observer(torch.linspace(-1, 1, 100))
    observer(torch.linspace(-200, 200, 100))
    scale, zero = observer.calculate_qparams()
    steps = (torch.linspace(-1, 1, 100) / scale + zero).round().unique()
    assert len(steps) - 1 in (1, 2)


def test_incompatible_features_raise_what_the_page_says() -> None:
    with pytest.raises(RuntimeError, match="running_mean should contain 128 elements not 64"):
        nn.BatchNorm2d(64)(torch.randn(2, 128, 4, 4))
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be"):
        nn.Linear(64, 10)(torch.randn(2, 128))


def test_kept_hidden_state_raises_at_the_second_backward() -> None:
    rnn, state = nn.RNN(2, 2), None
    with pytest.raises(RuntimeError, match=r"Trying to\s+backward through the graph a second time"):
        for _ in range(2):
            y, state = rnn(torch.randn(1, 1, 2), state)
            y.sum().backward()


def test_class_level_module_is_found_before_what_self_is_given() -> None:
    class Block(nn.Module):
        act = nn.PReLU()

        def __init__(self) -> None:
            super().__init__()
            self.act = nn.PReLU()

    block = Block()
    assert block.act is Block.act
    assert block.act is not block._modules["act"]


def test_module_default_argument_ties_models_and_loading_one_changes_the_other() -> None:
    class Block(nn.Module):
        def __init__(self, act: nn.Module = nn.PReLU()) -> None:  # noqa: B008 (the slip itself)
            super().__init__()
            self.act = act

    first, second = Block(), Block()
    saved = {name: value + 1 for name, value in second.state_dict().items()}
    second.load_state_dict(saved)
    assert next(first.parameters()).item() == pytest.approx(1.25)


def test_unregistered_module_is_missed_by_all_that_the_page_names() -> None:
    model = nn.Module()
    vars(model)["layers"] = [nn.Dropout(), nn.Linear(1, 1)]  # what assigning a list comes to
    assert not list(model.parameters())
    assert not model.state_dict()
    model.double().eval()
    dropout, linear = vars(model)["layers"]
    assert dropout.training
    assert linear.weight.dtype is torch.float32


def test_module_created_in_forward_is_in_training_mode_after_eval() -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.BatchNorm1d(2)(x)

    x = torch.randn(64, 2) + 5
    assert Net().eval()(x).mean().abs() < 0.01


def test_uncalled_module_stops_distributed_training(alone: None) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.norm = nn.Linear(2, 2), nn.LayerNorm(2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc(x)

    model = nn.parallel.DistributedDataParallel(Net())
    model(torch.randn(1, 2)).sum().backward()
    with pytest.raises(RuntimeError, match="Expected to have finished reduction in the prior iteration"):
        model(torch.randn(1, 2)).sum().backward()


def test_shared_across_groups_stops_fully_shard_and_copies_do_not(alone: None) -> None:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    class Block(nn.Module):
        def __init__(self, head: nn.Module) -> None:
            super().__init__()
            self.head = head

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(x)

    mesh, head = init_device_mesh("cpu", (1,)), nn.Linear(4, 4)
    for one in (Block(head), Block(copy.deepcopy(head))):
        fully_shard(one, mesh=mesh)
    head = nn.Linear(4, 4)
    with pytest.raises(Exception, match="Invariant encountered: value was None when it should not be"):
        for one in (Block(head), Block(head)):
            fully_shard(one, mesh=mesh)
