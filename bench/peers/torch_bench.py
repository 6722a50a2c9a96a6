"""PyTorch, eager: python3 bench/peers/torch_bench.py <workload> <cpu> <secs>

Prints one line of JSON, as measure.ts does; data and start values are those of workloads.ts.
"""
import json
import math
import sys
import time

import torch
import torch.nn.functional as F

BLOCK_SECS, BLOCKS, WARM_SECS, EARLY_STEPS = 0.4, 5, 1.0, 5


def uniform(n, scale, seed):
    """Numbers evenly drawn from [-scale, scale) by xorshift32."""
    values, s = [0.0] * n, (seed * 2654435761) & 0xFFFFFFFF
    for i in range(n):
        s ^= (s << 13) & 0xFFFFFFFF
        s ^= s >> 17
        s ^= (s << 5) & 0xFFFFFFFF
        values[i] = (s / 2**32 * 2 - 1) * scale
    return torch.tensor(values, dtype=torch.float32)


class Line(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Parameter(torch.tensor(0.1))
        self.b = torch.nn.Parameter(torch.tensor(0.0))

    def forward(self, x):
        return self.a * x + self.b


def training(model, opt, loss_func, x, y):
    """First losses, and what runs `count` steps and waits for the last loss."""

    def run(count):
        for _ in range(count):
            loss = loss_func(model(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
        return loss.item()

    return [run(1), run(EARLY_STEPS - 1)], run


def tiny():
    model, x = Line(), uniform(16, 1, 3)
    return training(model, torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9), F.mse_loss, x, 3 * x + 1)


def mlp(rows):
    layers = []
    for i, (inputs, outputs) in enumerate([(784, 512), (512, 256), (256, 10)]):
        linear = torch.nn.Linear(inputs, outputs)
        weight = uniform(inputs * outputs, 1 / math.sqrt(inputs), i + 1).view(inputs, outputs)
        with torch.no_grad():
            linear.weight.copy_(weight.t())
            linear.bias.zero_()
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    opt = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
    x = uniform(rows * 784, 1, 9).view(rows, 784)
    y = torch.tensor([(i * 7 + 3) % 10 for i in range(rows)])
    return training(model, opt, F.cross_entropy, x, y)


def product(n):
    a, b = uniform(n * n, 1, 1).view(n, n), uniform(n * n, 1, 2).view(n, n)

    def run(count):
        for _ in range(count):
            c = torch.mm(a, b)
        return c[0, 0].item()

    return [run(1)], run


def time_blocks(run, secs):
    """Steps a second of each block, and the steps of a block."""
    count, rates = 1, []

    def block():
        nonlocal count
        start, steps = time.perf_counter(), count
        run(steps)
        took = time.perf_counter() - start
        if took >= BLOCK_SECS:
            return steps / took
        count = math.ceil(count * min(8, 1.15 * BLOCK_SECS / max(took, 1e-4)))
        return 0

    end = time.perf_counter() + WARM_SECS
    while time.perf_counter() < end:
        block()
    end = time.perf_counter() + secs
    while time.perf_counter() < end or len(rates) < BLOCKS:
        rate = block()
        if rate > 0:
            rates.append(rate)
    return rates, count


def main():
    workload, _, secs = sys.argv[1:]
    torch.manual_seed(0)
    size = int("".join(c for c in workload if c.isdigit()) or 0)
    kind = mlp if workload.startswith("mlp") else product if workload.startswith("mm") else None
    check, run = kind(size) if kind else tiny()
    rates, count = time_blocks(run, float(secs))
    scale = 2e-9 * size**3 if kind is product else 1
    result = {
        "runner": f"PyTorch {torch.__version__} eager",
        "backend": f"cpu, {torch.get_num_threads()} threads",
        "rates": [r * scale for r in rates],
        "stepsPerBlock": count,
        "check": check,
    }
    if workload == "tiny-learner":
        result["note"] = "a loop by hand: there is no learner"
    print(json.dumps(result))


main()
