"""PyTorch, eager: python3 bench/peers/torch_bench.py <workload> <cpu|cuda|cuda f16> <secs> [most]

Prints one line of JSON, as measure.ts does; data and start values are those of workloads.ts. f32 is f32: allow_tf32 is
False. f16 is autocast with a GradScaler.
"""
import json
import math
import sys
import time

import torch
import torch.nn.functional as F

# what a reader of the figures must know
NOTES = []
BLOCK_SECS, BLOCKS, WARM_SECS, EARLY_STEPS = 0.4, 5, 1.0, 5
WORKLOAD, BACKEND, SECS = sys.argv[1:4]
MOST = float(sys.argv[4]) if len(sys.argv) > 4 else math.inf
DEVICE, HALF = BACKEND.split()[0], BACKEND.endswith(" f16")
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.benchmark = True


def uniform(n, scale, seed):
    """Numbers evenly drawn from [-scale, scale) by xorshift32."""
    values, s = [0.0] * n, (seed * 2654435761) & 0xFFFFFFFF
    for i in range(n):
        s ^= (s << 13) & 0xFFFFFFFF
        s ^= s >> 17
        s ^= (s << 5) & 0xFFFFFFFF
        values[i] = (s / 2**32 * 2 - 1) * scale
    return torch.tensor(values, dtype=torch.float32)


def hashed(n, scale, seed):
    """Numbers evenly drawn from [-scale, scale), each from its own index."""
    mask = 0xFFFFFFFF
    h = (torch.arange(n) * 0x9E3779B1 + seed * 0x85EBCA6B) & mask
    h = ((h ^ (h >> 16)) * 0x7FEB352D) & mask
    h = ((h ^ (h >> 15)) * 0x846CA68B) & mask
    return ((h ^ (h >> 16)).double() / 2**31 * scale - scale).float()


class Line(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Parameter(torch.tensor(0.1))
        self.b = torch.nn.Parameter(torch.tensor(0.0))

    def forward(self, x):
        return self.a * x + self.b


def live_bytes(model, loss_func, x, y):
    """Bytes of what the forward pass keeps for the backward pass, and of four copies of the weights."""
    model, x, y = model.to(DEVICE), moved(x), moved(y)
    kept, weights = {}, {p.data_ptr(): p.untyped_storage().nbytes() for p in model.parameters()}

    def keep(t):
        storage = t.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return t

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        loss = loss_func(model(x), y)
    del loss
    return sum(kept.values()) + 4 * sum(weights.values())


def moved(data):
    """Tensors, alone or in a tuple, on the device."""
    return tuple(t.to(DEVICE) for t in data) if isinstance(data, tuple) else data.to(DEVICE)


def training(model, make_opt, loss_func, x, y):
    """First losses, and what runs `count` steps and waits for the last loss."""
    model, x, y = model.to(DEVICE), moved(x), moved(y)
    opt, scaler = make_opt(model.parameters()), torch.amp.GradScaler(DEVICE, enabled=HALF)

    def run(count):
        for _ in range(count):
            with torch.autocast(DEVICE, torch.float16, enabled=HALF):
                pred = model(x)
            loss = loss_func(pred.float(), y)
            opt.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(opt)
            scaler.update()
        return loss.item()

    return [run(1), run(EARLY_STEPS - 1)], run


def sgd(params):
    return torch.optim.SGD(params, lr=0.01, momentum=0.9)


def adam(params, lr=1e-3):
    return torch.optim.Adam(params, lr=lr, betas=(0.9, 0.999), eps=1e-8)


def tiny():
    model, x = Line(), uniform(16, 1, 3)
    return training(model, sgd, F.mse_loss, x, 3 * x + 1)


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
    return training(model, adam, F.cross_entropy, uniform(rows * 784, 1, 9).view(rows, 784), labels(rows))


def labels(rows):
    return torch.tensor([(i * 7 + 3) % 10 for i in range(rows)])


def conv(cin, cout, k, stride, seed, bias):
    layer = torch.nn.Conv2d(cin, cout, k, stride, (k - 1) // 2, bias=bias)
    with torch.no_grad():
        layer.weight.copy_(hashed(cout * cin * k * k, math.sqrt(3 / (k * k * cin)), seed).view(cout, cin, k, k))
        if bias:
            layer.bias.zero_()
    return layer


def head(inputs):
    linear = torch.nn.Linear(inputs, 10)
    with torch.no_grad():
        linear.weight.copy_(hashed(inputs * 10, 1 / math.sqrt(inputs), 99).view(inputs, 10).t())
        linear.bias.zero_()
    return linear


def cnn():
    layers = []
    for i, (cin, cout) in enumerate([(1, 16), (16, 32), (32, 64)]):
        layers += [conv(cin, cout, 3, 2, i + 1, True), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), head(64))
    return training(model, adam, F.cross_entropy, hashed(64 * 28 * 28, 1, 9).view(64, 1, 28, 28), labels(64))


class Block(torch.nn.Module):
    def __init__(self, cin, cout, stride, conv_norm):
        super().__init__()
        self.first, self.second = conv_norm(cin, cout, 3, stride), conv_norm(cout, cout, 3, 1)
        self.short = conv_norm(cin, cout, 1, stride) if stride != 1 or cin != cout else torch.nn.Identity()

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x), inplace=True)) + self.short(x), inplace=True)


def resnet18(rows, size):
    seed = 0

    def conv_norm(cin, cout, k, stride):
        nonlocal seed
        seed += 1
        return torch.nn.Sequential(conv(cin, cout, k, stride, seed, False), torch.nn.BatchNorm2d(cout))

    layers, cin = [conv_norm(3, 64, 7, 2), torch.nn.ReLU(inplace=True), torch.nn.MaxPool2d(3, 2, 1)], 64
    for cout, stride in [(64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)]:
        layers.append(Block(cin, cout, stride, conv_norm))
        cin = cout
    model = torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), head(512))
    x, y = hashed(rows * 3 * size * size, 1, 9).view(rows, 3, size, size), labels(rows)
    NOTES.append(f"activations and four copies of the weights: {live_bytes(model, F.cross_entropy, x, y) / 2**20:.0f} MiB")
    return training(model, sgd, F.cross_entropy, x, y)


def sequences(workload):
    import torch_sequences

    model, lr, loss_func, x, y = torch_sequences.subject(workload)
    return training(model, lambda params: adam(params, lr), loss_func, x, y)


def product(n):
    dtype = torch.float16 if HALF else torch.float32
    a, b = (hashed(n * n, 1, seed).view(n, n).to(DEVICE, dtype) for seed in (1, 2))

    def run(count):
        for _ in range(count):
            c = torch.mm(a, b)
        return c[0, 0].item()

    return [run(1)], run


def time_blocks(run, secs, most):
    """Steps a second of each block, and the steps of a block; fewer blocks where those would take longer than `most`."""
    count, rates, begin = 1, [], time.perf_counter()

    def block():
        nonlocal count
        start, steps = time.perf_counter(), count
        run(steps)
        took = time.perf_counter() - start
        if took >= BLOCK_SECS:
            return steps / took
        count = math.ceil(count * min(8, 1.15 * BLOCK_SECS / max(took, 1e-4)))
        return 0

    warm = 0
    while time.perf_counter() < begin + WARM_SECS:
        warm = block() or warm
    start = time.perf_counter()
    while time.perf_counter() < start + secs or len(rates) < BLOCKS:
        if time.perf_counter() > begin + most:
            if not rates and warm > 0:
                rates.append(warm)
            if rates:
                break
        rate = block()
        if rate > 0:
            rates.append(rate)
    return rates, count


def where():
    if DEVICE == "cuda":
        return f"{torch.cuda.get_device_name()}{', f16' if HALF else ', f32'}"
    return f"{DEVICE}, {torch.get_num_threads()} threads{', f16' if HALF else ''}"


def main():
    workload = WORKLOAD
    torch.manual_seed(0)
    size = int("".join(c for c in workload if c.isdigit()) or 0)
    kind = mlp if workload.startswith("mlp") else product if workload.startswith("mm") else None
    plain = {"cnn": cnn, "resnet18": lambda: resnet18(16, 64), "resnet18-224": lambda: resnet18(64, 224)}
    plain = plain.get(workload, tiny)
    if workload in ("chargpt", "lstm", "minilm"):
        kind, plain = None, lambda: sequences(workload)
    check, run = kind(size) if kind else plain()
    rates, count = time_blocks(run, float(SECS), MOST)
    scale = 2e-9 * size**3 if kind is product else 1
    result = {
        "runner": f"PyTorch {torch.__version__} eager",
        "backend": where(),
        "rates": [r * scale for r in rates],
        "stepsPerBlock": count,
        "check": check,
    }
    if workload.endswith("-learner"):
        NOTES.append("a loop by hand: there is no learner")
    if NOTES:
        result["note"] = "; ".join(NOTES)
    print(json.dumps(result))


main()
