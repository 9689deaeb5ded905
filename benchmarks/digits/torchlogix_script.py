"""One network of torchlogix on bits in a file, by its own Python: BITS.npz LAYERS STEPS RATE; prints its hardened test accuracy."""

import json
import sys

import numpy as np
import torch
from torchlogix.layers import GroupSum, LogicDense


def main(file, layers, steps, rate):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    parts = np.load(file)
    x, y = torch.tensor(parts["x"], dtype=torch.float32), torch.tensor(parts["y"], dtype=torch.long)
    sizes = [x.shape[1], *layers]
    gates = [LogicDense(a, b, connections_kwargs={"init_method": "random-unique"}) for a, b in zip(sizes, layers, strict=False)]
    # Temperature as in our own plans; its default 1 is worse.
    model = torch.nn.Sequential(*gates, GroupSum(10, tau=(sizes[-1] / 10) ** 0.5 / 4))
    optimizer, loss = torch.optim.Adam(model.parameters(), lr=rate), torch.nn.CrossEntropyLoss()
    order = torch.randperm(len(x))
    for step in range(steps):
        at = step * 128 % (len(x) - 127)
        if at < 128:
            order = torch.randperm(len(x))
        chosen = order[at : at + 128]
        optimizer.zero_grad()
        loss(model(x[chosen]), y[chosen]).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        test = torch.tensor(parts["u"], dtype=torch.float32)
        found = torch.cat([model(part).argmax(1) for part in test.split(1000)])
    print(json.dumps({"test": float((found.numpy() == parts["v"]).mean())}))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
