"""
Records 100 steps of a small network in mixed precision, as PyTorch's autocast and GradScaler train it on the CPU in float16, and the
same in f32: what lies between them is what f16 costs. One run starts with a scale at which first steps overflow.

    python3 tests/oracle/record_mixed_precision.py
"""
import json
from pathlib import Path

import torch
from torch import nn

OUT = Path(__file__).resolve().parents[1] / "golden/mixed_precision.json"


def fill(seed, n, scale=1.0):
    """As `tests/support/fill.ts`."""
    out = []
    for i in range(n):
        x = (seed * 0x9E3779B1 + i * 0x85EBCA77 + 1) & 0xFFFFFFFF
        x ^= x >> 16
        x = x * 0x7FEB352D & 0xFFFFFFFF
        x ^= x >> 15
        x = x * 0x846CA68B & 0xFFFFFFFF
        x ^= x >> 16
        out.append((x / 2**32 * 2 - 1) * scale)
    return torch.tensor(out, dtype=torch.float64).float()


def net():
    m = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(96, 24), nn.GELU(), nn.Linear(24, 4))
    with torch.no_grad():
        for i, p in enumerate(m.parameters()):
            p.copy_(fill(40 + i, p.numel(), 0.2).reshape(p.shape))
    return m


def run(half, init_scale=65536.0):
    x, y = fill(1, 64 * 64).reshape(64, 1, 8, 8), torch.tensor([i * 5 % 4 for i in range(64)])
    m = net()
    opt = torch.optim.Adam(m.parameters(), lr=2e-3, betas=(0.9, 0.99), eps=1e-5)
    scaler = torch.amp.GradScaler("cpu", enabled=half, init_scale=init_scale, growth_interval=40)
    losses, scales = [], []
    for step in range(100):
        at = step % 4 * 16
        with torch.autocast("cpu", dtype=torch.float16, enabled=half):
            pred = m(x[at:at + 16])
        loss = nn.functional.cross_entropy(pred.float(), y[at:at + 16])
        opt.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(opt)
        scaler.update()
        losses.append(loss.item())
        if half:
            scales.append(scaler.get_scale())
    return {"losses": losses, "scales": scales}


OUT.write_text(json.dumps({
    "versions": {"torch": torch.__version__},
    "command": "python3 tests/oracle/record_mixed_precision.py",
    "f32": run(False)["losses"],
    "f16": run(True),
    "overflowing": run(True, 2.0**24),
}) + "\n")
d = json.loads(OUT.read_text())
print(max(abs(a - b) for a, b in zip(d["f32"], d["f16"]["losses"])), d["f16"]["scales"][::20], d["overflowing"]["scales"][:12], d["f32"][::20])
