"""What the recordings of operations have in common: inputs that both sides make alike, and cases as JSON.

A case names a function of Anneal's public face and its arguments, in which "$0", "$1" ... stand for the inputs:

    {"fn": "ops.conv2d", "args": ["$0", "$1", {"stride": 2}], "x": [input, ...], "shape": [...], "y": numbers, "g": {"0": numbers}}

`nn.<Name>` is made by `new` and called by `args`; `state` says which inputs are its parameters; `train` is whether it
trains; `of` is the member or entry of the result that is meant, or a path of them. `g` holds the gradient by each input of
`sum(y * fill(seed, n))`, or of `sum(y)` where there is no `seed`.

An input is `{"s": shape}` with `f`: [seed, scale, offset] of `fill`, rounded to float32, or `v`: numbers; `d` is "i32", "u8" or
"bool" where it is no f32. `view` is what is done to it before it is used. Gradients are by the input before its views.

Numbers are float32, base64: the truth (float64 arithmetic on the float32 inputs), rounded. Where PyTorch's own float32
gives something else by more than 1e-6 of it, `y32` and `g32` hold that too: how many digits it keeps.
An input that several cases have is stored once, in `inputs`, and its number stands in `x`.
"""
import base64
import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import torch

torch.set_num_threads(1)
GOLDEN = Path(__file__).resolve().parent.parent / "golden"


def fill(seed, n, scale=1.0):
    """The numbers of tests/support/fill.ts."""
    i = np.arange(n, dtype=np.uint32)
    x = i * np.uint32(0x85EBCA77) + np.uint32((seed * 0x9E3779B1 + 1) & 0xFFFFFFFF)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return (x.astype(np.float64) / 2.0**32 * 2 - 1) * scale


def numbers(values):
    """float32, little-endian, base64."""
    with np.errstate(over="ignore"):
        return base64.b64encode(np.asarray(values, dtype=np.float64).astype("<f4").tobytes()).decode()


def filled(seed, shape, scale=1.0, offset=0.0):
    """An input made by the rule of `fill`."""
    data = (fill(seed, math.prod(shape), scale) + offset).astype(np.float32)
    return {"json": {"s": list(shape), "f": [seed, scale, offset] if offset else [seed, scale]}, "data": data}


def given(values, shape=None):
    """An input whose numbers are stored."""
    data = np.asarray(values, dtype=np.float32)
    shape = list(data.shape if shape is None else shape)
    return {"json": {"s": shape, "v": numbers(data.reshape(-1))}, "data": data.reshape(-1)}


def whole(values, dtype="i32"):
    """Whole numbers, or bools; no gradient."""
    data = np.asarray(values)
    return {"json": {"s": list(data.shape), "d": dtype, "v": data.reshape(-1).astype(int).tolist()}, "data": data.reshape(-1)}


def seen(spec, *views):
    """The input seen through views: ["flip", axes], ["slice", ranges], ["permute", axes], ["expand", shape], ["reshape", shape]."""
    return {**spec, "json": {**spec["json"], "view": [list(v) for v in views]}}


def cut(x, ranges):
    """Python's slices with steps below 0, which PyTorch lacks."""
    for axis, r in enumerate(ranges):
        if r is None:
            continue
        r = list(r) + [None] * (3 - len(r))
        index = torch.tensor(range(x.shape[axis])[slice(*r)], dtype=torch.long)
        x = x.index_select(axis, index)
    return x


VIEWS = {
    "flip": lambda x, a: x.flip(a),
    "slice": lambda x, ranges: cut(x, ranges),
    "permute": lambda x, a: x.permute(a),
    "expand": lambda x, s: x.expand(s),
    "reshape": lambda x, s: x.reshape(s),
}


def run(fn, inputs, float_type, seed):
    leaves, seen_as = [], []
    for spec in inputs:
        kind = spec["json"].get("d")
        t = torch.from_numpy(np.ascontiguousarray(spec["data"])).reshape(spec["json"]["s"])
        if kind is None:
            t = t.to(float_type).requires_grad_()
        elif kind == "bool":
            t = t.to(torch.bool)
        else:
            t = t.to(torch.long)
        leaves.append(t)
        for name, what in spec["json"].get("view", []):
            t = VIEWS[name](t, what)
        seen_as.append(t)
    y = fn(*seen_as)
    grads = {}
    if y.requires_grad:
        dy = torch.ones_like(y) if seed is None else torch.from_numpy(fill(seed, y.numel())).reshape(y.shape).to(float_type)
        wanted = [i for i, t in enumerate(leaves) if t.requires_grad]
        got = torch.autograd.grad(y, [leaves[i] for i in wanted], dy, allow_unused=True)
        grads = {i: (torch.zeros_like(leaves[i]) if g is None else g) for i, g in zip(wanted, got)}
    return y, grads


def flat(t):
    return t.detach().to(torch.float64).contiguous().reshape(-1).numpy()


def differs(a, b):
    with np.errstate(over="ignore", invalid="ignore"):
        a, b = a.astype(np.float32).astype(np.float64), b.astype(np.float32).astype(np.float64)
        same = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= 1e-6 * np.abs(a))
    return not same.all()


def case(name, fn, inputs, args=None, seed=None, single=True, constant=(), **rest):
    """Computes `fn(*inputs)` and gives the case. `single`: whether PyTorch's own float32 is kept where it differs; `constant`: inputs
    whose gradient is not asked for."""
    y, grads = run(fn, inputs, torch.float64, seed)
    grads = {i: g for i, g in grads.items() if i not in constant}
    c = {"fn": name, "args": ["$%d" % i for i in range(len(inputs))] if args is None else args, **rest,
         "x": [spec["json"] for spec in inputs], "shape": list(y.shape)}
    if seed is not None:
        c["seed"] = seed
    c["y"] = numbers(flat(y))
    if grads:
        c["g"] = {str(i): numbers(flat(g)) for i, g in grads.items()}
    if single:
        y32, grads32 = run(fn, inputs, torch.float32, seed)
        if differs(flat(y), flat(y32)):
            c["y32"] = numbers(flat(y32))
        g32 = {str(i): numbers(flat(grads32[i])) for i in grads if differs(flat(grads[i]), flat(grads32[i]))}
        if g32:
            c["g32"] = g32
    return c


def write(name, command, cases):
    """Writes the recording, a case a line."""
    dump = lambda o: json.dumps(o, separators=(",", ":"), allow_nan=False)
    uses = Counter(dump(x) for c in cases for x in c["x"])
    inputs = [x for x, n in uses.items() if n > 1 and len(x) > 60]
    number = {x: i for i, x in enumerate(inputs)}
    cases = [{**c, "x": [number.get(dump(x), x) for x in c["x"]]} for c in cases]
    meta = dump({"torch": torch.__version__, "command": command, "cases": len(cases)})
    text = '{"meta":' + meta + ',"inputs":[\n' + ",\n".join(inputs) + '\n],"cases":[\n' + ",\n".join(map(dump, cases)) + "\n]}\n"
    (GOLDEN / name).write_text(text)
    print(f"{name}: {len(cases)} cases, {len(text)} bytes")
