"""The README's second program in PyTorch, with the loop that one writes there."""

import numpy as np
import torch
from torch import nn


def network():
    return nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(144, 10))


def accuracy(model, x, y):
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


torch.manual_seed(0)
digits = {name: torch.from_numpy(v) for name, v in np.load("digits.npz").items()}
x, test = (digits[name].permute(0, 3, 1, 2) for name in ("x_train", "x_test"))
y = digits["y_train"].long()
order = torch.randperm(len(x))
held, kept = order[: len(x) // 10], order[len(x) // 10 :]
model = network()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
loss = nn.CrossEntropyLoss()
for _ in range(20):
    for part in kept[torch.randperm(len(kept))].split(32):
        optimizer.zero_grad()
        loss(model(x[part]), y[part]).backward()
        optimizer.step()
    accuracy(model, x[held], y[held])
torch.save(model.state_dict(), "digits.pt")
loaded = network()
loaded.load_state_dict(torch.load("digits.pt", weights_only=True))
print(f"accuracy on unseen digits: {accuracy(loaded, test, digits['y_test']):.3f}")
