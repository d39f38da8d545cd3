"""Seconds that PyTorch, with one thread, takes for the training of examples/solutions/mlp: 50 epochs of Adam on 2,048 rows
in batches of 128, a network of 384-384-128. Data are random numbers of the same shape: only time is measured here.

Run by `cargo xtask bench --against torch`.
"""

import time

import torch

torch.set_num_threads(1)
torch.manual_seed(1)
rows, inputs, hidden, classes = 2048, 384, 384, 128
features, labels = torch.randn(rows, inputs), torch.randint(classes, (rows,))
validation = torch.randn(256, inputs)


def train():
    network = torch.nn.Sequential(
        torch.nn.Linear(inputs, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, classes)
    )
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss = torch.nn.CrossEntropyLoss()
    for epoch in range(1, 51):
        for batch in torch.randperm(rows).split(128):
            scores = network(features[batch])
            adam.zero_grad()
            loss(scores, labels[batch]).backward()
            adam.step()
            (scores.argmax(1) == labels[batch]).sum().item()
        if epoch % 5 == 0:
            with torch.no_grad():
                network(validation).argmax(1).sum().item()


times = []
for _ in range(3):
    start = time.perf_counter()
    train()
    times.append(time.perf_counter() - start)
print(f"{min(times):.3f}")
