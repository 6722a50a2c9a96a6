"""Record operations, with their gradients, from PyTorch, and losses of fastai.

    python3 tests/oracle/record_ops.py

Writes tests/golden/ops.json. Inputs are not stored but described by (seed, scale[, offset]) of `fill`, in row-major order;
those with `values` (integers, booleans, ties) are stored. All in float64 unless said otherwise, 10 significant digits; NaN and
infinities are the strings "NaN", "Infinity", "-Infinity".
"""
import json
import math
import warnings

import fastai
import fastai.losses
import numpy as np
import torch
import torch.nn.functional as F
from fastai.losses import DiceLoss, FocalLossFlat, LabelSmoothingCrossEntropy

from recorder import GOLDEN, fill

torch.set_num_threads(1)
warnings.filterwarnings("ignore", message="reduction: 'mean' divides")  # kl_div
fastai.losses.TensorBase = lambda x: x  # TensorBase(x) would cast float64 to float32


def num(v):
    if isinstance(v, (bool, int)):
        return v
    if not math.isfinite(v):
        return "NaN" if v != v else "Infinity" if v > 0 else "-Infinity"
    v = float("%.10g" % v)
    return int(v) if v == int(v) and abs(v) < 1e15 and not (v == 0 and math.copysign(1, v) < 0) else v


def nums(t):
    if isinstance(t, torch.Tensor):
        t = t.detach().as_subclass(torch.Tensor)
    else:
        t = np.asarray(t)
    return [num(v) for v in t.reshape(-1).tolist()]


def tens(t):
    return {"shape": list(t.shape), "values": nums(t)}


def filled(seed, shape, scale=1):
    return torch.from_numpy(fill(seed, math.prod(shape), scale)).reshape(list(shape))


CASES = []
_seed = 0


def next_seed():
    global _seed
    _seed += 1
    return _seed


def f(*shape, scale=1, offset=0, grad=True):
    """A float input from fill."""
    return dict(shape=list(shape), scale=scale, offset=offset, grad=grad)


def val(values, grad=True, dtype=None):
    """An input with stored values."""
    t = torch.tensor(values)
    dtype = dtype or {torch.int64: "i64", torch.bool: "bool"}.get(t.dtype)
    return dict(shape=list(t.shape), values=values, dtype=dtype, grad=grad)


def ints(*shape, n):
    """Pseudo-random integers in [0, n), stored as values."""
    v = np.floor((fill(next_seed(), math.prod(shape)) + 1) / 2 * n).astype(int)
    return val(v.reshape(shape).tolist())


def rounded(*shape, levels=2):
    """Floats with many ties: multiples of 1/levels, stored as values."""
    v = np.round(fill(next_seed(), math.prod(shape)) * levels) / levels + 0.0
    return val(v.reshape(shape).tolist(), dtype="f64")


def bools(*shape):
    return val((fill(next_seed(), math.prod(shape)) > 0).reshape(shape).tolist())


def build(name, s):
    """Spec -> (JSON description, tensor)."""
    d = {"name": name, "shape": s["shape"]}
    if "values" in s:
        if s["dtype"] in ("i64", "bool"):
            t = torch.tensor(s["values"])
            d |= {"dtype": s["dtype"], "values": t.reshape(-1).tolist()}
        else:
            t = torch.tensor(s["values"], dtype=torch.float64)
            d |= {"values": nums(t)}
    else:
        d |= {"seed": next_seed(), "scale": s["scale"]}
        t = filled(d["seed"], s["shape"], s["scale"]) + s["offset"]
        if s["offset"]:
            d["offset"] = s["offset"]
    if t.is_floating_point() and s["grad"]:
        t.requires_grad_()
    return d, t


def case(op, fn, inputs, attrs=None, note=None, extra=None):
    """Record fn(*inputs, **attrs). extra(tensors): further named results, read after the call."""
    attrs = attrs or {}
    built = {k: build(k, s) for k, s in inputs.items()}
    ts = [t for _, t in built.values()]
    out = fn(*ts, **attrs).as_subclass(torch.Tensor)
    c = {"op": op, "attrs": attrs, "inputs": [d for d, _ in built.values()], "output": tens(out)}
    if out.dtype in (torch.int64, torch.bool):
        c["output"]["dtype"] = "i64" if out.dtype == torch.int64 else "bool"
    elif out.requires_grad:
        g = {"seed": next_seed(), "scale": 1}
        (out * filled(g["seed"], out.shape)).sum().backward()
        c |= {"gradOut": g, "grads": {k: nums(t.grad) for k, (_, t) in built.items() if t.grad is not None}}
    if extra:
        c["extra"] = {k: tens(t) for k, t in extra({k: t for k, (_, t) in built.items()}).items()}
    if note:
        c["note"] = note
    CASES.append(c)


def record_ops():
    H, W, K, M = 7, 6, 5, 4

    # --- elementwise, two inputs
    binary = dict(add=torch.add, sub=torch.sub, mul=torch.mul, div=torch.div)
    for op, sa, sb in [("add", (3, K), (3, K)), ("add", (2, M, K), (K,)), ("add", (2, M, K), (2, 1, 1)),
                       ("add", (), (M, K)), ("sub", (M, 1), (1, K)), ("sub", (M, K), ()), ("mul", (2, 3, 1, K), (3, M, 1)),
                       ("mul", (1,), (M, K)), ("mul", (2, 3, M, K), (1, 3, 1, 1)), ("div", (M, K), (M, 1)),
                       ("div", (K,), (2, M, K))]:
        case(op, binary[op], {"a": f(*sa), "b": f(*sb, scale=0.5, offset=1.5 if op == "div" else 0)})
    case("pow", torch.pow, {"a": f(M, K, scale=0.8, offset=1.5), "b": f(K, scale=2)}, note="tensor exponent, both get gradients")
    for e in (2, 3, 0.5, -1):
        case("pow", lambda x, exponent: x.pow(exponent), {"x": f(M, K, scale=0.8, offset=1.5 if e != 3 else 0)}, {"exponent": e})
    for op in ("maximum", "minimum"):
        case(op, getattr(torch, op), {"a": f(M, K), "b": f(K)})
        case(op, getattr(torch, op), {"a": rounded(M, K), "b": rounded(M, K)}, note="ties: half of the gradient to each")
    case("where", torch.where, {"cond": bools(M, K), "a": f(M, K), "b": f(1, K)})

    # --- elementwise, one input
    pos = dict(scale=0.9, offset=1.2)
    unary = dict(neg=torch.neg, exp=torch.exp, log=torch.log, log1p=torch.log1p, sqrt=torch.sqrt, rsqrt=torch.rsqrt,
                 reciprocal=torch.reciprocal, abs=torch.abs, square=torch.square, sin=torch.sin, cos=torch.cos,
                 tanh=torch.tanh, sigmoid=torch.sigmoid, relu=F.relu, silu=F.silu, softplus=F.softplus, mish=F.mish,
                 hardswish=F.hardswish, hardsigmoid=F.hardsigmoid, relu6=F.relu6, erf=torch.erf)
    for op, fn in unary.items():
        case(op, fn, {"x": f(M, K, **(pos if op in ("log", "log1p", "sqrt", "rsqrt", "reciprocal") else {"scale": 4}))})
    edge = [-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0]
    # at a bound of clamp the derivative is 1 here, and was in PyTorch before 2.14; here the bounds are left out
    beside = [-0.4 if x == -0.5 else 0.9 if x == 1 else x for x in edge]
    for op, fn, attrs in [("relu", F.relu, {}), ("abs", torch.abs, {}), ("clamp", torch.clamp, {"min": -0.5, "max": 1.0}),
                          ("hardswish", F.hardswish, {}), ("leaky_relu", F.leaky_relu, {"negative_slope": 0.2})]:
        case(op, fn, {"x": val(beside if op == "clamp" else edge)}, attrs, note="at the kinks")
    case("leaky_relu", F.leaky_relu, {"x": f(M, K)}, {"negative_slope": 0.2})
    case("elu", F.elu, {"x": f(M, K, scale=3)}, {"alpha": 1.0})
    case("elu", F.elu, {"x": f(M, K, scale=3)}, {"alpha": 0.7})
    case("gelu", F.gelu, {"x": f(M, K, scale=3)}, {"approximate": "none"})
    case("gelu", F.gelu, {"x": f(M, K, scale=3)}, {"approximate": "tanh"})
    case("softplus", F.softplus, {"x": f(M, K, scale=60)}, note="linear above 20")
    case("sigmoid", torch.sigmoid, {"x": f(M, K, scale=800)}, note="must not overflow")
    case("clamp", torch.clamp, {"x": f(M, K)}, {"min": -0.4, "max": 0.6})
    case("clamp", torch.clamp, {"x": f(M, K)}, {"min": 0})

    # --- products
    for sa, sb in [((M, K), (K, 6)), ((2, M, K), (2, K, 3)), ((2, 1, M, K), (3, K, 2)), ((2, M, K), (K, 3)),
                   ((K,), (K,)), ((M, K), (K,)), ((K,), (2, K, 3))]:
        case("matmul", torch.matmul, {"a": f(*sa), "b": f(*sb)})
    case("linear", F.linear, {"x": f(M, K), "weight": f(6, K), "bias": f(6)})
    case("linear", F.linear, {"x": f(2, 3, K), "weight": f(M, K)})

    # --- reductions
    red = dict(sum=torch.sum, mean=torch.mean, amax=torch.amax, amin=torch.amin, logsumexp=torch.logsumexp)
    for op, fn in red.items():
        for dim, keep in (([1], False), ([0, 2], True)):
            case(op, fn, {"x": f(2, M, K)}, {"dim": dim, "keepdim": keep})
    case("sum", torch.sum, {"x": f(2, M, K)}, note="over everything")
    case("mean", torch.mean, {"x": f(2, M, K)}, note="over everything")
    case("amax", torch.amax, {"x": rounded(M, 8, levels=1)}, {"dim": [1], "keepdim": False}, note="ties: gradient evenly distributed")
    case("amin", torch.amin, {"x": rounded(M, 8, levels=1)}, {"dim": [1], "keepdim": False}, note="ties: gradient evenly distributed")
    case("max_dim", lambda x, dim: x.max(dim).values, {"x": rounded(M, 8, levels=1)}, {"dim": 1},
         note="torch.max(x, dim).values; ties: all of the gradient to one index, see extra",
         extra=lambda i: {"indices": i["x"].max(1).indices})
    case("max_all", torch.max, {"x": rounded(M, 8, levels=1)}, note="torch.max(x); ties: gradient evenly distributed")
    for op, fn in (("var", torch.var), ("std", torch.std)):
        case(op, fn, {"x": f(2, M, K)}, {"dim": [1], "correction": 1, "keepdim": False})
        case(op, fn, {"x": f(2, M, K)}, {"dim": [0, 2], "correction": 0, "keepdim": True})
    case("cumsum", torch.cumsum, {"x": f(2, M, K)}, {"dim": 1})
    case("argmax", torch.argmax, {"x": f(M, K)}, {"dim": 1})
    case("argmax", torch.argmax, {"x": rounded(M, 8, levels=1)}, {"dim": 1}, note="ties: first index")
    case("topk", lambda x, k, dim: x.topk(k, dim).values, {"x": f(M, 6)}, {"k": 3, "dim": 1},
         extra=lambda i: {"indices": i["x"].topk(3, 1).indices})

    # --- softmax
    for op, fn in (("softmax", F.softmax), ("log_softmax", F.log_softmax)):
        case(op, fn, {"x": f(M, K, scale=3)}, {"dim": -1})
        case(op, fn, {"x": f(2, K, 3, 2)}, {"dim": 1})
        case(op, fn, {"x": f(M, K, scale=1000)}, {"dim": 1}, note="must not overflow")
    case("logsumexp", torch.logsumexp, {"x": f(M, K, scale=1000)}, {"dim": [1], "keepdim": False}, note="must not overflow")

    # --- shapes
    case("reshape", torch.reshape, {"x": f(2, 6, K)}, {"shape": [3, -1]})
    case("permute", torch.permute, {"x": f(2, 3, M, K)}, {"dims": [2, 0, 3, 1]})
    case("transpose", torch.transpose, {"x": f(2, M, K)}, {"dim0": 0, "dim1": -1})
    case("expand", lambda x, size: x.expand(size), {"x": f(3, 1, K)}, {"size": [2, 3, M, K]})
    cut = lambda x, dim, start, end, step: x[(slice(None),) * dim + (slice(start, end, step),)]
    case("slice", cut, {"x": f(2, 6, K)}, {"dim": 1, "start": 1, "end": 5, "step": 1})
    case("slice", cut, {"x": f(2, 9, K)}, {"dim": 1, "start": -8, "end": None, "step": 3})
    case("flip", torch.flip, {"x": f(2, M, K)}, {"dims": [0, 2]})
    case("roll", torch.roll, {"x": f(M, K)}, {"shifts": [1, -2], "dims": [0, 1]})
    case("cat", lambda a, b, c, dim: torch.cat([a, b, c], dim), {"a": f(2, 1, K), "b": f(2, 3, K), "c": f(2, 2, K)}, {"dim": 1})
    case("stack", lambda a, b, dim: torch.stack([a, b], dim), {"a": f(M, K), "b": f(M, K)}, {"dim": 1})
    case("pad", F.pad, {"x": f(2, 3, M)}, {"pad": [1, 2, 0, 1], "mode": "constant", "value": 0.5}, note="last axis first; negative below")
    case("pad", F.pad, {"x": f(2, 5, 6)}, {"pad": [-1, 2, 1, -2], "mode": "constant", "value": 0})
    for mode in ("reflect", "replicate", "circular"):
        case("pad", F.pad, {"x": f(1, 2, M, K)}, {"pad": [2, 1, 1, 2], "mode": mode})
    case("tril", torch.tril, {"x": f(2, M, K)}, {"diagonal": 1})

    # --- indexing, with repeated indices
    case("index_select", lambda x, index, dim: x.index_select(dim, index), {"x": f(3, M, 2), "index": val([2, 0, 2, 2, 1])}, {"dim": 1})
    case("gather", lambda x, index, dim: x.gather(dim, index), {"x": f(M, K), "index": ints(M, 7, n=K)}, {"dim": 1})
    case("scatter_add", lambda x, index, src, dim: x.scatter_add(dim, index, src),
         {"x": f(M, K), "index": ints(M, 6, n=K), "src": f(M, 6)}, {"dim": 1})
    case("embedding", lambda index, weight: F.embedding(index, weight), {"index": val([[1, 4, 1], [0, 5, 1]]), "weight": f(6, K)})
    case("embedding", F.embedding, {"index": val([[1, 4, 1], [0, 5, 1]]), "weight": f(6, K)}, {"padding_idx": 1},
         note="row padding_idx gets no gradient")

    # --- convolutions: (x, weight, bias?, attrs)
    for xs, ws, bias, attrs in [((2, 3, 11), (4, 3, 3), True, dict(stride=1, padding=1)),
                                ((2, 4, 12), (6, 2, 5), False, dict(stride=2, padding=3, groups=2)),
                                ((1, 2, 13), (3, 2, 3), True, dict(stride=1, padding=0, dilation=2))]:
        case("conv1d", F.conv1d, {"x": f(*xs), "weight": f(*ws, scale=0.5)} | ({"bias": f(ws[0])} if bias else {}), attrs)
    for xs, ws, bias, attrs in [((2, 3, H, W), (4, 3, 1, 1), True, dict(stride=1, padding=0)),
                                ((2, 3, H, W), (4, 3, 3, 3), True, dict(stride=1, padding=1)),
                                ((2, 3, H, W), (4, 3, 3, 3), False, dict(stride=2, padding=1)),
                                ((1, 4, H, W), (6, 4, 1, 1), False, dict(stride=2, padding=0)),
                                ((1, 2, H, W), (3, 2, 5, 5), True, dict(stride=1, padding=2)),
                                ((1, 3, 15, 13), (4, 3, 7, 7), False, dict(stride=2, padding=3)),
                                ((1, 2, H, W), (3, 2, 3, 5), True, dict(stride=[2, 1], padding=[1, 2])),
                                ((1, 2, 9, W), (2, 2, 3, 3), True, dict(stride=1, padding=2, dilation=2)),
                                ((1, 2, 9, 10), (2, 2, 3, 2), False, dict(stride=2, padding=[3, 0], dilation=[2, 3])),
                                ((2, 4, H, W), (6, 2, 3, 3), True, dict(stride=1, padding=1, groups=2)),
                                ((1, 4, H, W), (4, 1, 3, 3), False, dict(stride=1, padding=1, groups=4)),
                                ((1, 3, H, W), (6, 1, 3, 3), True, dict(stride=2, padding=1, groups=3)),
                                ((1, 1, 5, 5), (1, 1, 5, 5), True, dict(stride=1, padding=0))]:
        case("conv2d", F.conv2d, {"x": f(*xs), "weight": f(*ws, scale=0.5)} | ({"bias": f(ws[0])} if bias else {}), attrs)
    for xs, ws, bias, attrs in [((1, 3, 4, 3), (3, 2, 3, 3), True, dict(stride=1, padding=0)),
                                ((1, 3, 4, 3), (3, 2, 3, 3), True, dict(stride=2, padding=1, output_padding=1)),
                                ((2, 4, 3, 4), (4, 2, 2, 2), False, dict(stride=2, padding=0, groups=2)),
                                ((1, 2, 3, 4), (2, 3, 3, 3), False, dict(stride=[2, 1], padding=[1, 0], dilation=[1, 2]))]:
        nout = ws[1] * attrs.get("groups", 1)
        case("conv_transpose2d", F.conv_transpose2d, {"x": f(*xs), "weight": f(*ws, scale=0.5)} | ({"bias": f(nout)} if bias else {}), attrs)

    # --- pooling and resampling
    mp = F.max_pool2d
    case("max_pool2d", mp, {"x": f(2, 2, H, W)}, dict(kernel_size=3, stride=2, padding=1))
    case("max_pool2d", mp, {"x": f(2, 2, H, W)}, dict(kernel_size=2, stride=2))
    case("max_pool2d", mp, {"x": f(1, 2, H, W)}, dict(kernel_size=3, stride=2, ceil_mode=True))
    case("max_pool2d", mp, {"x": f(1, 2, H, W, offset=-5)}, dict(kernel_size=3, stride=1, padding=1), note="all negative: padding never wins")
    case("max_pool2d", mp, {"x": rounded(1, 2, H, W, levels=1)}, dict(kernel_size=3, stride=2, padding=1), note="ties: first in row-major order")
    for inc in (True, False):
        case("avg_pool2d", F.avg_pool2d, {"x": f(1, 2, H, W)}, dict(kernel_size=3, stride=2, padding=1, count_include_pad=inc))
    case("avg_pool2d", F.avg_pool2d, {"x": f(2, 2, H, W)}, dict(kernel_size=2, stride=2, ceil_mode=True))
    case("adaptive_avg_pool2d", F.adaptive_avg_pool2d, {"x": f(2, 3, H, W)}, dict(output_size=1))
    case("adaptive_avg_pool2d", F.adaptive_avg_pool2d, {"x": f(1, 2, 7, 8)}, dict(output_size=3))
    case("adaptive_max_pool2d", F.adaptive_max_pool2d, {"x": f(2, 3, H, W)}, dict(output_size=1))
    case("adaptive_max_pool2d", F.adaptive_max_pool2d, {"x": rounded(2, 3, 4, 4, levels=1)}, dict(output_size=1), note="ties: first in row-major order")
    case("interpolate", F.interpolate, {"x": f(1, 2, 3, 4)}, dict(scale_factor=2, mode="nearest"))
    for ac in (False, True):
        case("interpolate", F.interpolate, {"x": f(1, 2, 3, 4)}, dict(size=[5, 7], mode="bilinear", align_corners=ac))
    case("pixel_shuffle", F.pixel_shuffle, {"x": f(1, 8, 3, 2)}, dict(upscale_factor=2))
    case("affine_grid", F.affine_grid, {"theta": f(2, 2, 3)}, dict(size=[2, 3, 3, 4], align_corners=True))
    for pm in ("zeros", "border", "reflection"):
        case("grid_sample", F.grid_sample, {"x": f(1, 2, 5, 4), "grid": f(1, 4, 3, 2, scale=1.4)},
             dict(mode="bilinear", padding_mode=pm, align_corners=True))

    # --- normalisation
    def batch_norm(x, rm, rv, w, b, **kw):
        return F.batch_norm(x, rm, rv, w, b, **kw)

    for xs in ((6, 4), (3, 4, K), (2, 3, M, K)):
        for training in (True, False):
            c = xs[1]
            case(f"batch_norm{2 if len(xs) == 4 else 1}d", batch_norm,
                 {"x": f(*xs, scale=2, offset=0.3), "running_mean": f(c, scale=0.1, grad=False),
                  "running_var": f(c, scale=0.2, offset=1, grad=False), "weight": f(c, scale=0.2, offset=1), "bias": f(c)},
                 {"training": training, "momentum": 0.1, "eps": 1e-5}, note="extra: running statistics afterwards (unbiased variance)",
                 extra=lambda i: {k: i[k] for k in ("running_mean", "running_var")})
    layer_norm = lambda x, weight=None, bias=None, *, normalized_shape, eps: F.layer_norm(x, normalized_shape, weight, bias, eps)
    case("layer_norm", layer_norm, {"x": f(2, M, K), "weight": f(K), "bias": f(K)}, {"normalized_shape": [K], "eps": 1e-5})
    case("layer_norm", layer_norm, {"x": f(2, 3, M, K)}, {"normalized_shape": [M, K], "eps": 1e-5})
    case("group_norm", lambda x, w, b, num_groups, eps: F.group_norm(x, num_groups, w, b, eps), {"x": f(2, 6, M, 3), "weight": f(6), "bias": f(6)}, {"num_groups": 3, "eps": 1e-5})
    case("instance_norm", lambda x, w, b, eps: F.instance_norm(x, weight=w, bias=b, eps=eps), {"x": f(2, 3, M, K), "weight": f(3), "bias": f(3)}, {"eps": 1e-5})

    # --- losses
    C = 5
    ce = lambda x, target, weight=None, **kw: F.cross_entropy(x, target, weight, **kw)
    T = lambda: ints(6, n=C)
    wt = lambda: f(C, scale=0.4, offset=1, grad=False)
    ign = val([1, -100, 4, 0, -100, 2])
    logits = lambda *s: f(*(s or (6, C)), scale=3)
    for x, tgt, w, attrs in [(logits(), T(), None, dict(reduction="mean")), (logits(), T(), None, dict(reduction="none")),
                             (logits(), T(), None, dict(reduction="sum")), (logits(), T(), wt(), dict(reduction="mean")),
                             (logits(), T(), wt(), dict(reduction="none")),
                             (logits(), T(), None, dict(reduction="mean", label_smoothing=0.1)),
                             (logits(), T(), wt(), dict(reduction="mean", label_smoothing=0.1)),
                             (logits(), ign, wt(), dict(reduction="mean", ignore_index=-100)),
                             (logits(), ign, None, dict(reduction="none", label_smoothing=0.1, ignore_index=-100)),
                             (logits(2, 3, M, K), ints(2, M, K, n=3), None, dict(reduction="mean")),
                             (logits(2, 3, M, K), ints(2, M, K, n=3), f(3, scale=0.4, offset=1, grad=False), dict(reduction="sum", label_smoothing=0.1))]:
        case("cross_entropy", ce, {"x": x, "target": tgt} | ({"weight": w} if w else {}), attrs)
    case("cross_entropy_prob", ce, {"x": logits(3, C), "target": f(3, C, scale=0.2, offset=0.2)}, dict(reduction="mean", label_smoothing=0.1), note="targets are class probabilities")
    case("nll_loss", lambda x, target, weight=None, **kw: F.nll_loss(x, target, weight, **kw), {"x": f(6, C, offset=-2), "target": T(), "weight": wt()}, dict(reduction="mean"))
    case("nll_loss", F.nll_loss, {"x": f(6, C, offset=-2), "target": ign}, dict(reduction="sum", ignore_index=-100))
    bce = lambda x, target, pos_weight=None, **kw: F.binary_cross_entropy_with_logits(x, target, pos_weight=pos_weight, **kw)
    case("bce_with_logits", bce, {"x": logits(M, 3), "target": f(M, 3, scale=0.5, offset=0.5)}, dict(reduction="mean"))
    case("bce_with_logits", bce, {"x": logits(M, 3), "target": f(M, 3, scale=0.5, offset=0.5, grad=False), "pos_weight": f(3, offset=2, grad=False)}, dict(reduction="sum"))
    case("bce_with_logits", bce, {"x": f(M, 3, scale=800), "target": f(M, 3, scale=0.5, offset=0.5, grad=False)}, dict(reduction="none"), note="must not overflow")
    case("binary_cross_entropy", F.binary_cross_entropy, {"x": f(M, 3, scale=0.45, offset=0.5), "target": f(M, 3, scale=0.5, offset=0.5, grad=False)}, dict(reduction="mean"))
    for op, fn, kws in [("mse_loss", F.mse_loss, [{}]), ("l1_loss", F.l1_loss, [{}]), ("smooth_l1_loss", F.smooth_l1_loss, [{"beta": 1.0}, {"beta": 0.5}]),
                        ("huber_loss", F.huber_loss, [{"delta": 1.0}, {"delta": 0.5}])]:
        for kw in kws:
            case(op, fn, {"x": f(M, K, scale=2), "target": f(M, K)}, dict(reduction="mean", **kw))
    case("mse_loss", F.mse_loss, {"x": f(M, K), "target": f(M, K)}, dict(reduction="none"))
    case("kl_div", F.kl_div, {"x": f(M, K, offset=-2), "target": f(M, K, scale=0.4, offset=0.5)}, dict(reduction="batchmean", log_target=False))
    case("kl_div", F.kl_div, {"x": f(M, K, offset=-2), "target": f(M, K, offset=-2)}, dict(reduction="mean", log_target=True))
    case("fastai_label_smoothing_cross_entropy", lambda x, t, **kw: LabelSmoothingCrossEntropy(**kw)(x, t), {"x": logits(), "target": T()}, dict(eps=0.1, reduction="mean"))
    case("fastai_label_smoothing_cross_entropy", lambda x, t, w, **kw: LabelSmoothingCrossEntropy(weight=w, **kw)(x, t),
         {"x": logits(), "target": T(), "weight": wt()}, dict(eps=0.1, reduction="mean"), note="with weights this differs from torch's label_smoothing: the smoothing term ignores them")
    case("fastai_focal_loss_flat", lambda x, t, **kw: FocalLossFlat(**kw)(x, t), {"x": logits(), "target": T()}, dict(gamma=2.0, axis=-1))
    case("fastai_focal_loss_flat", lambda x, t, w, **kw: FocalLossFlat(weight=w, **kw)(x, t), {"x": logits(2, 3, M, K), "target": ints(2, M, K, n=3), "weight": f(3, scale=0.4, offset=1, grad=False)},
         dict(gamma=1.5, axis=1, reduction="sum"))
    case("fastai_dice_loss", lambda x, t, **kw: DiceLoss(**kw)(x, t), {"x": logits(2, 3, M, K), "target": ints(2, M, K, n=3)}, dict(axis=1, smooth=1e-6, reduction="sum"))


def write():
    """The recording, a line for each case."""
    dump = lambda o: json.dumps(o, separators=(",", ":"), allow_nan=False)
    meta = {"torch": torch.__version__, "fastai": fastai.__version__, "command": "python3 tests/oracle/record_ops.py", "cases": len(CASES),
            "grads": "of sum(output * fill(gradOut.seed, n, gradOut.scale)) by each float input; inputs without an entry in grads are constants "
                     "(class weights, running statistics, some targets); dtype f64 unless given"}
    text = dump({"meta": meta})[:-1] + ',"cases":[\n' + ",\n".join(map(dump, CASES)) + "\n]}\n"
    (GOLDEN / "ops.json").write_text(text)
    print(f"ops.json: {len(CASES)} cases, {len(text)} bytes")


if __name__ == "__main__":
    record_ops()
    write()
