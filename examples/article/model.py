"""One batch norm after two convolutions: the slip that costs the most, since only evaluation shows it."""

import torch
from torch import nn


class Net(nn.Module):
    """`self.bn` keeps one set of running statistics for two different features."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1)
        self.conv2 = nn.Conv2d(64, 64, 3, padding=1)
        self.bn = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()  # no parameters, no state: one may serve both calls
        self.head = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.bn(self.conv1(x)))
        x = self.relu(self.bn(self.conv2(x)))
        return self.head(x.mean((2, 3)))
