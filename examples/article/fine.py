"""Reuse that is right: nothing here is reported."""

import torch
from torch import nn


class StatelessReuse(nn.Module):
    """Dropout draws a fresh mask at each call, ReLU and pooling carry nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(256, 128)
        self.fc2 = nn.Linear(128, 64)
        self.fc3 = nn.Linear(64, 10)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.dropout(self.relu(self.fc1(x)))
        x = self.dropout(self.relu(self.fc2(x)))
        return self.fc3(x)


class OwnInstances(nn.Module):
    """A comprehension makes a fresh block at each step."""

    def __init__(self, width: int = 64, depth: int = 4) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            [nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)) for _ in range(depth)]
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = torch.relu(block(x))
        return x


class Siamese(nn.Module):
    """One encoder for two inputs of one kind: sharing its weights is the point."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(128, 64)

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        return torch.cosine_similarity(self.encoder(left), self.encoder(right))
