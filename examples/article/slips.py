"""One slip in each class."""

import torch
from torch import nn


class OneActivationForAll(nn.Module):
    """PReLU looks like an activation and has a parameter: its slope is shared by both layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3)
        self.conv2 = nn.Conv2d(32, 32, 3)
        self.act = nn.PReLU(32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.conv1(x))
        return self.act(self.conv2(x))


class DeepInNameOnly(nn.Module):
    """`[layer] * 6` holds one layer six times."""

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(width, width)] * 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = torch.relu(layer(x))
        return x


class IdleTwin(nn.Module):
    """`bn2` was defined, and `bn1` is called where it was meant."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(16, 32, 3)
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 32, 3)
        self.bn2 = nn.BatchNorm2d(32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn1(self.conv2(x)))


class OneNormForTwo(nn.Module):
    """A layer norm has no running statistics: it is its weight and bias that serve attention and MLP alike."""

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 8, batch_first=True)
        self.mlp = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.norm(x))


class OneLinearTwice(nn.Module):
    """Two layers of one weight."""

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        self.stem = nn.Linear(3, width)
        self.fc = nn.Linear(width, width)
        self.mix = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.fc(self.stem(x)))
        return torch.relu(self.fc(torch.relu(self.mix(x))))
