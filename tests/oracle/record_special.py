"""Record values and gradients at special points: 0, the smallest numbers, kinks, 1 - 2^-24, large, infinite, NaN, equal elements.

    python3 tests/oracle/record_special.py

Writes tests/golden/special.json; see recorder.py for what a case is.
"""
import math

import torch
import torch.nn.functional as F

import unary
from recorder import case, given, whole, write

INF, NAN = float("inf"), float("nan")
BELOW_1 = 1 - 2.0**-24
SIZES = [1.5e-45, 1e-40, 1.2e-38, 1e-30, 1e-20, 1e-10, 1e-8, 6e-8, 1e-7, 3e-6, 1e-5, 3e-4, 1e-3, 0.01, 0.05, 0.1, 0.24, 0.26, 0.3, 0.36, 0.5,
         0.6, 0.69, 0.71, 0.83, 0.85, BELOW_1, 1, 1 + 2.0**-23, 1.5, 2, 2.5, 2.9999998, 3, 3.0000002, 4, 5, 5.9999995, 6, 6.0000005, 7, 8, 9, 10, 12, 15,
         17, 19.999998, 20, 20.000002, 25, 30, 40, 50, 60, 80, 87, 88, 89, 95, 100, 103, 104, 110, 200, 1000, 8388609, 1e8, 1e10, 1e18, 1e20, 1e30,
         3.4e38, INF]
POINTS = [0.0, -0.0] + SIZES + [-x for x in SIZES] + [NAN]
FEW = [0.0, -0.0, 1.5e-45, 1e-30, 1e-10, 0.5, BELOW_1, 1, 2, 3, 1e20, INF]
FEW = FEW + [-x for x in FEW if x != 0] + [NAN]
cases = []


def add(name, fn, inputs, args=None, **rest):
    cases.append(case(name, fn, inputs, args, **rest))


def each(name, fn, *args, without=(), points=POINTS):
    """Each point but `without`, in which -0.0 stands for itself only."""
    left_out = lambda x: any((x != x and w != w) or (x == w and math.copysign(1, x) == math.copysign(1, w)) for w in without)
    add("ops." + name, fn, [given([x for x in points if not left_out(x)])], ["$0", *args])


# ---------------------------------------------------------------- one operand
for name, fn in {
    "neg": torch.neg, "exp": torch.exp, "log": torch.log, "log1p": torch.log1p, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt,
    "reciprocal": torch.reciprocal, "abs": torch.abs, "square": torch.square, "tanh": torch.tanh, "erf": torch.erf,
    "sigmoid": torch.sigmoid, "relu": torch.relu, "relu6": F.relu6, "silu": F.silu, "mish": F.mish,
    "floor": torch.floor, "ceil": torch.ceil, "round": torch.round,
    "leakyRelu": F.leaky_relu, "elu": F.elu, "gelu": F.gelu, "softplus": F.softplus,
}.items():
    each(name, fn)
each("atan", torch.atan)
each("hardswish", F.hardswish, without=[-INF])  # 0 here, the limit; NaN in PyTorch
each("hardsigmoid", F.hardsigmoid, without=[NAN])  # the gradient at NaN is 0 in PyTorch
each("sign", torch.sign, without=[NAN])  # NaN here, 0 in PyTorch
SMALL_ANGLES = [x for x in POINTS if not abs(x) > 1000 or abs(x) == INF or x != x]
each("sin", torch.sin, points=SMALL_ANGLES)
each("cos", torch.cos, points=SMALL_ANGLES)
each("leakyRelu", lambda x: F.leaky_relu(x, 0.3), 0.3)
each("elu", lambda x: F.elu(x, 1.7), 1.7)
each("gelu", lambda x: F.gelu(x, approximate="tanh"), {"approximate": "tanh"})
each("softplus", lambda x: F.softplus(x, 2.5, 10), {"beta": 2.5, "threshold": 10})
# the derivative at a bound is 1 here and in PyTorch before 2.14; at NaN it is 1 here
each("clamp", lambda x: x.clamp(-1, 2), {"min": -1, "max": 2}, without=[-1, 2, NAN])
each("clamp", lambda x: x.clamp(min=0), {"min": 0}, without=[0, -0.0, NAN])
each("clamp", lambda x: x.clamp(max=6), {"max": 6}, without=[6, NAN])
for e in [0, 0.5, 1, 1.5, 2, 3, 4, -1, -0.5, -2, 0.1, 2.5]:
    each("pow", lambda x: x.pow(e), e, without=[-0.0, -INF] if e == -0.5 else [])  # here as IEEE 754 has it

# ---------------------------------------------------------------- two operands: all pairs
A = given([a for a in FEW for _ in FEW])
B = given([b for _ in FEW for b in FEW])
for name, fn in {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow, "maximum": torch.maximum,
    "minimum": torch.minimum,
}.items():
    add("ops." + name, fn, [A, B])
for name, fn in {"eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge}.items():
    add("ops." + name, fn, [A, B])
C = whole([i % 2 for i in range(len(FEW))], "bool")
add("ops.where", torch.where, [C, given(FEW), given(FEW[::-1])])
for b in [0, 2, -3, 0.5]:
    add("ops.pow", lambda x: torch.pow(b, x), [given(FEW)], [b, "$0"])
    add("ops.div", lambda x: b / x, [given(FEW)], [b, "$0"])

# ---------------------------------------------------------------- rows
ROWS = {
    "equal": [[2.5] * 7, [0.1] * 7], "zeros": [[0.0] * 5], "one": [[1.75]], "single": [[3.0], [-2.0]],
    "far": [[1000, 0.1, 0.2, -0.3, 0.05], [1e-3, 1e6, 2, 3, 4]], "offset": [[1e4 + k / 8 for k in range(9)]],
    "large": [[3e38, 1e38, -3e38, 1]], "huge": [[1e20, -1e20, 3e19, 4e19]], "tiny": [[1e-30, 2e-30, -1e-30, 3e-38]], "below": [[-INF, 1, 2, -INF]], "none": [[-INF, -INF, -INF]],
    "infinite": [[INF, 1, 2, 3]], "nan": [[1, NAN, 3, -1]], "both": [[INF, -INF, 0, 1]], "ties": [[3, 1, 3, 3, 1], [0, -0.0, 0, -0.0, 0]],
    "apart": [[1000, -1000, 0, 999], [-1e4, 1e4, 0, 1]], "two": [[1, 1 + 2.0**-22], [5, 5]],
}
for label, rows in ROWS.items():
    x = given(rows)
    sums = {"sum": torch.sum, "mean": torch.mean, "logsumexp": torch.logsumexp, "softmax": torch.softmax, "logSoftmax": torch.log_softmax,
            "cumsum": torch.cumsum}
    for name, fn in sums.items():
        if name != "cumsum" or label not in ("both", "large"):  # PyTorch adds up in float64
            add("ops." + name, lambda t: fn(t, 1), [x], ["$0", {"axis": 1}], seed=3, about=label, whole=True)
    for name, fn in {"max": torch.amax, "min": torch.amin}.items():
        add("ops." + name, lambda t: fn(t, [1]), [x], ["$0", {"axis": [1]}], about=label, whole=True)
        if label != "nan":
            add("ops." + name, lambda t: getattr(t, name)(1)[0], [x], ["$0", {"axis": 1}], about=label, whole=True)
    for c in [0, 1]:
        if len(rows[0]) > c and label != "large":  # infinite in PyTorch
            add("ops.var", lambda t: t.var(1, correction=c), [x], ["$0", {"axis": 1, "correction": c}], about=label, whole=True)
            add("ops.std", lambda t: t.std(1, correction=c), [x], ["$0", {"axis": 1, "correction": c}], about=label, whole=True)
    n = len(rows[0])
    if n > 1 and label != "large":  # NaN in PyTorch
        add("nn.LayerNorm", lambda t: F.layer_norm(t, [n]), [x], ["$0"], new=[n, {"affine": False}], seed=4, about=label, whole=True)
        flipped = given([list(r) for r in zip(*rows)])
        add("nn.BatchNorm1d", lambda t: F.batch_norm(t, None, None, training=True), [flipped], ["$0"],
            new=[len(rows), {"affine": False}], train=True, seed=4, about=label, whole=True)
        spread = given([[[list(r)]] for r in rows])
        add("nn.InstanceNorm2d", lambda t: F.instance_norm(t), [spread], ["$0"], new=[1], seed=4, about=label, whole=True)
        add("nn.GroupNorm", lambda t: F.group_norm(t, 1), [spread], ["$0"], new=[1, 1, {"affine": False}], seed=4, about=label, whole=True)

# ---------------------------------------------------------------- losses
P = [0.0, 1.5e-45, 1e-40, 1e-38, 1e-30, 1e-13, 1e-12, 1e-8, 1e-3, 0.3, 0.5, 0.9, BELOW_1, 1.0]
T = [0.0, 0.3, 1.0]
probs, targets = given([p for p in P for _ in T]), given([t for _ in P for t in T])
bce = lambda r: lambda p, t: F.binary_cross_entropy(p, t.detach(), reduction=r)
for r in ["none", "mean", "sum"]:
    add("nn.BCELoss", bce(r), [probs, targets], ["$0", "$1"], new=[{"reduction": r}], constant=[1])
Z = [x for x in FEW if abs(x) < INF]
logit, truth = given([z for z in Z for _ in T]), given([t for _ in Z for t in T])
add("nn.BCEWithLogitsLoss", lambda z, t: F.binary_cross_entropy_with_logits(z, t.detach(), reduction="none"), [logit, truth], ["$0", "$1"],
    new=[{"reduction": "none"}], constant=[1])
D = [0.0, -0.0, 1.5e-45, 1e-30, 1e-8, 0.3, 0.49999997, 0.5, 0.50000006, BELOW_1, 1, 1.0000001, 2, 1e4, 1e19, 3e38, INF]
D = given(D + [-d for d in D] + [NAN])
zeros = given([0.0] * 35)
for name, fn, options in [
    ("MSELoss", lambda a, b: F.mse_loss(a, b, reduction="none"), {}), ("L1Loss", lambda a, b: F.l1_loss(a, b, reduction="none"), {}),
    ("SmoothL1Loss", lambda a, b: F.smooth_l1_loss(a, b, reduction="none"), {}),
    ("SmoothL1Loss", lambda a, b: F.smooth_l1_loss(a, b, reduction="none", beta=0.5), {"beta": 0.5}),
    ("HuberLoss", lambda a, b: F.huber_loss(a, b, reduction="none"), {}),
    ("HuberLoss", lambda a, b: F.huber_loss(a, b, reduction="none", delta=0.5), {"delta": 0.5}),
]:
    add("nn." + name, fn, [D, zeros], ["$0", "$1"], new=[{"reduction": "none", **options}])
KT = [0.0, 1.5e-45, 1e-38, 1e-20, 0.5, 1.0, 2.0]
KP = [-1e4, -100, -1, 0.0, 1.0]
kp, kt = given([p for p in KP for _ in KT]), given([t for _ in KP for t in KT])
add("nn.KLDivLoss", lambda p, t: F.kl_div(p, t, reduction="none"), [kp, kt], ["$0", "$1"], new=[{"reduction": "none"}])
kl = given([-INF, -1e4, -90, -1, 0.0, 1.0] * 5)
add("nn.KLDivLoss", lambda p, t: F.kl_div(p, t, reduction="none", log_target=True), [given([p for p in KP for _ in range(6)]), kl],
    ["$0", "$1"], new=[{"reduction": "none", "logTarget": True}])
LOGITS = [[20, 0, 0], [0, 20, 0], [100, 0, -100], [1000, -1000, 0], [1e-20, 0, 0], [-INF, 1, 2], [17, -17, 3], [88, 0, 89], [0, 0, 0], [200, 1, 1]]
for label in [0, 1, 2]:
    rows = [r for r in LOGITS if r[label] > -INF]
    labels = whole([label] * len(rows))
    for options, torch_options in [({}, {}), ({"labelSmoothing": 0.1}, {"label_smoothing": 0.1})]:
        rows_ = [r for r in rows if -INF not in r] if options else rows
        for r in ["none", "mean"]:
            add("nn.CrossEntropyLoss", lambda z, t: F.cross_entropy(z, t, reduction=r, **torch_options),
                [given(rows_), whole([label] * len(rows_))], ["$0", "$1"], new=[{"reduction": r, **options}], whole=True)
    add("nn.NLLLoss", lambda z, t: F.nll_loss(F.log_softmax(z, 1), t, reduction="none"), [given(rows), labels],
        ["$0", "$1"], new=[{"reduction": "none"}], through="logSoftmax", whole=True)


def focal(z, t, gamma, ignore=-100):
    """(1 - p)^gamma cross-entropy with 1 - p = -expm1(-ce), which has all its digits; 0^gamma has no gradient at gamma above 0."""
    ce = F.cross_entropy(z, t, reduction="none")
    q = -torch.expm1(-ce)
    return (torch.where(q > 0, torch.where(q > 0, q, 1) ** gamma, 0 if gamma else 1) * ce).mean()


for gamma in [0, 0.25, 0.5, 1, 2, 3.5]:
    z = given([[20, 0], [100, 0], [0, 0], [-20, 0], [1, 2], [200, 0]])
    add("nn.FocalLoss", lambda z, t: focal(z, t, gamma), [z, whole([0] * 6)], ["$0", "$1"], new=[{"gamma": gamma}], single=False, whole=True)

# minus infinity among the logits of an item that is ignored; labels that are ignored; smoothing
masked = given([[-INF, 1, 2], [0.5, -INF, 3], [1, 2, 3]])
for r in ["mean", "sum", "none"]:
    for name, through in [("CrossEntropyLoss", None), ("NLLLoss", "logSoftmax")]:
        add("nn." + name, lambda z, t: F.cross_entropy(z, t, ignore_index=-100, reduction=r), [masked, whole([-100, 0, 2])], ["$0", "$1"],
            new=[{"reduction": r, "ignoreIndex": -100}], whole=True, **({"through": through} if through else {}))

for name, fn, _ in unary.later(cases):
    each(name, fn, points=[x for x in POINTS if not unary.NO_MEASURE.get(name, lambda x: False)(x)])

if __name__ == "__main__":
    write("special.json", "python3 tests/oracle/record_special.py", cases)
