"""Record random cases of every function, layer and loss: odd shapes, views, options.

    python3 tests/oracle/record_random.py [seed]

Writes tests/golden/random.json; see recorder.py for what a case is. The cases of losses and layers are in random_layers.py.
"""
import math
import random
import sys
import zlib
from contextlib import contextmanager

import torch
import torch.nn.functional as F

import unary
from recorder import case, filled, seen, whole, write

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 1
R = random.Random(SEED)
cases = []
seed = SEED * 100_000


def next_seed():
    global seed
    seed += 1
    return seed


def add(name, fn, inputs, args=None, about=None, **rest):
    """A case whose digits are counted from the largest element."""
    try:
        cases.append(case(name, fn, inputs, args, seed=next_seed(), single=False, **rest))
    except Exception as error:
        raise RuntimeError(f"{name} {args} {[x['json'] for x in inputs]}") from error


def size(low=1, high=6):
    return R.randint(low, high)


def shape_of(rank, low=1, high=6):
    return [size(low, high) for _ in range(rank)]


def views_for(shape, kinds):
    """A base shape, and views that lead from it to `shape`."""
    views, rank = [], len(shape)
    for _ in range(R.choice([0, 0, 1, 1, 1, 2])):
        kind = R.choice(kinds)
        if rank == 0:
            break
        if kind == "flip":
            views.insert(0, ["flip", sorted(R.sample(range(rank), R.randint(1, rank)))])
        elif kind == "permute":
            order = list(range(rank))
            R.shuffle(order)
            shape = [shape[order.index(a)] for a in range(rank)]
            views.insert(0, ["permute", order])
        elif kind == "slice":
            ranges, base = [], []
            for n in shape:
                if n == 0 or R.random() < 0.4:
                    ranges.append(None)
                    base.append(n)
                    continue
                step, before, after = R.choice([1, 2, 3, -1, -2]), R.randint(0, 2), R.randint(0, 2)
                span = (n - 1) * abs(step) + 1
                base.append(before + span + after)
                end = before + span
                if step > 0:
                    ranges.append([before, end, step])
                else:
                    ranges.append([end - 1, before - 1 if before > 0 else None, step])
            views.insert(0, ["slice", ranges])
            shape = base
        elif kind == "expand" and any(n > 1 for n in shape):
            axis = R.choice([a for a, n in enumerate(shape) if n > 1])
            views.insert(0, ["expand", list(shape)])
            shape = [1 if a == axis else n for a, n in enumerate(shape)]
        elif kind == "reshape":
            views.insert(0, ["reshape", list(shape)])
            shape = [math.prod(shape)]
            rank = 1
    return shape, views


ALL = ["flip", "permute", "slice", "slice", "expand", "reshape"]
APART = ["flip", "permute", "slice", "slice", "reshape"]  # no two elements are one: of equal ones some gradients are nothing but rounding


def look(shape, scale=1, offset=0, kinds=ALL):
    """A float input that is seen in `shape`."""
    base, views = views_for(list(shape), kinds)
    x = filled(next_seed(), base, scale, offset)
    return seen(x, *views) if views else x


def integers(shape, low, high, kinds=ALL, dtype="i32"):
    """Whole numbers in [low, high), seen in `shape`."""
    base, views = views_for(list(shape), kinds)
    n = math.prod(base)
    values = torch.tensor([R.randrange(low, high) for _ in range(n)], dtype=torch.long).reshape(base)
    x = whole(values.numpy(), dtype)
    return seen(x, *views) if views else x


def maybe(options, chance=0.5):
    """Some of the options."""
    return {k: v for k, v in options.items() if R.random() < chance}


def axes_of(rank):
    """An `axis` option for several axes, and PyTorch's `dim`."""
    kind = R.choice(["all", "one", "some", "negative"])
    if kind == "all":
        return {}, list(range(rank))
    if kind == "one":
        a = R.randrange(rank)
        return {"axis": a}, [a]
    if kind == "negative":
        a = R.randrange(rank)
        return {"axis": a - rank}, [a]
    some = sorted(R.sample(range(rank), R.randint(1, rank)))
    return {"axis": some}, some


def pair(low, high):
    """One number, or one for each of two axes; and both."""
    a, b = R.randint(low, high), R.randint(low, high)
    return (a, [a, a]) if R.random() < 0.4 else ([a, b], [a, b])


# ---------------------------------------------------------------- elements
UNARY = {
    "neg": torch.neg, "exp": torch.exp, "abs": torch.abs, "square": torch.square, "sin": torch.sin, "cos": torch.cos, "tanh": torch.tanh,
    "erf": torch.erf, "sigmoid": torch.sigmoid, "relu": torch.relu, "relu6": F.relu6, "silu": F.silu, "mish": F.mish, "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid, "floor": torch.floor, "ceil": torch.ceil, "round": torch.round, "sign": torch.sign,
    "leakyRelu": F.leaky_relu, "elu": F.elu, "gelu": F.gelu, "softplus": F.softplus, "detach": lambda x: x.detach() + 0 * x,
}
POSITIVE = {"log": torch.log, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "reciprocal": torch.reciprocal, "log1p": torch.log1p}


def elements():
    for name, fn in UNARY.items():
        for _ in range(2):
            add("ops." + name, fn, [look(shape_of(R.randint(1, 4), 1, 5), R.choice([1, 5]))])
    for name, fn in POSITIVE.items():
        for _ in range(2):
            add("ops." + name, fn, [look(shape_of(R.randint(1, 3)), 0.9, 1.1)])
    x = lambda: look(shape_of(2), 4)
    a, slope, (low, high), beta = 1.3, 0.2, (-1.5, 0.75), 1.75
    add("ops.elu", lambda t: F.elu(t, a), [x()], ["$0", a])
    add("ops.leakyRelu", lambda t: F.leaky_relu(t, slope), [x()], ["$0", slope])
    add("ops.gelu", lambda t: F.gelu(t, approximate="tanh"), [x()], ["$0", {"approximate": "tanh"}])
    add("ops.softplus", lambda t: F.softplus(t, beta, 5), [x()], ["$0", {"beta": beta, "threshold": 5}])
    for options in [{"min": low}, {"max": high}, {"min": low, "max": high}]:
        add("ops.clamp", lambda t: t.clamp(**options), [x()], ["$0", options])
    for e in [2, 0.5, -1, 3, 1.5, -0.5]:
        add("ops.pow", lambda t: t.pow(e), [look(shape_of(2), 0.9, 1.1)], ["$0", e])


def broadcast(rank):
    """Two shapes that broadcast to one."""
    full = shape_of(rank, 1, 5)
    thin = lambda: [1 if R.random() < 0.3 else n for n in full[R.randint(0, rank - 1):]]
    return (full, thin()) if R.random() < 0.5 else (thin(), full)


BINARY = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "maximum": torch.maximum, "minimum": torch.minimum}
COMPARE = {"eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge}


def pairs():
    for name, fn in BINARY.items():
        for _ in range(4):
            a, b = broadcast(R.randint(1, 4))
            add("ops." + name, fn, [look(a, 2), look(b, 2)])
        a, b = broadcast(2)
        add("ops." + name, fn, [integers(a, -5, 6), integers(b, -5, 6)])
    for _ in range(4):
        a, b = broadcast(R.randint(1, 4))
        add("ops.div", torch.div, [look(a, 2), look(b, 0.9, 1.5)])
        a, b = broadcast(R.randint(1, 3))
        add("ops.pow", torch.pow, [look(a, 0.9, 1.5), look(b, 2)])
    add("ops.div", lambda a, b: a / b, [integers([3, 4], -5, 6), integers([4], 1, 6)])
    for name, fn in COMPARE.items():
        for _ in range(2):
            a, b = broadcast(R.randint(1, 3))
            add("ops." + name, fn, [integers(a, -2, 3), integers(b, -2, 3)])
        add("ops." + name, lambda t: fn(t, 0.25), [look(shape_of(2))], ["$0", 0.25])
    for name, fn in {"and": torch.logical_and, "or": torch.logical_or}.items():
        for _ in range(2):
            a, b = broadcast(R.randint(1, 3))
            add("ops." + name, fn, [integers(a, 0, 2, dtype="bool"), integers(b, 0, 2, dtype="bool")])
    for _ in range(2):
        add("ops.not", torch.logical_not, [integers(shape_of(2), -1, 2)])
    for _ in range(4):
        a, b = broadcast(R.randint(1, 3))
        add("ops.where", torch.where, [integers(b, 0, 2, dtype="bool"), look(a), look(b)])
    add("ops.cast", lambda t: t.to(torch.int64), [look(shape_of(2), 6)], ["$0", "i32"])
    add("ops.cast", lambda t: t != 0, [integers(shape_of(2), -1, 2)], ["$0", "bool"])
    add("ops.cast", lambda t: t, [integers(shape_of(2), 0, 256, dtype="u8")], ["$0", "f32"])
    add("ops.cast", lambda t: t, [integers(shape_of(3), -9, 9)], ["$0", "f32"])


# ---------------------------------------------------------------- folds
def folds():
    total = {"sum": torch.sum, "mean": torch.mean, "logsumexp": torch.logsumexp, "var": torch.var, "std": torch.std}
    for name, fn in total.items():
        for _ in range(6):
            rank = R.randint(1, 4)
            axis, dims = axes_of(rank)
            keep = maybe({"keepdim": True})
            shape = shape_of(rank, 2, 6)
            more = maybe({"correction": 0}) if name in ("var", "std") else {}
            add("ops." + name, lambda t: fn(t, dims, keepdim="keepdim" in keep, **more), [look(shape, 2)], ["$0", {**axis, **keep, **more}])
    add("ops.sum", lambda t: t.sum(), [integers([4, 3], -5, 6)], ["$0"])
    add("ops.sum", lambda t: t.sum(1), [integers([4, 3], 0, 2, dtype="bool")], ["$0", {"axis": 1}])
    add("ops.sum", lambda t: t.sum(1), [integers([4, 3], 0, 256, dtype="u8")], ["$0", {"axis": 1}])
    for name, fn in {"max": torch.amax, "min": torch.amin}.items():
        for _ in range(5):
            rank = R.randint(1, 4)
            axis, dims = axes_of(rank)
            keep = maybe({"keepdim": True})
            kinds = APART if isinstance(axis.get("axis"), int) else ALL  # of equal elements one axis takes the first
            add("ops." + name, lambda t: fn(t, dims, keepdim="keepdim" in keep), [look(shape_of(rank), 2, kinds=kinds)], ["$0", {**axis, **keep}])
    for name, fn in {"argmax": torch.argmax, "argmin": torch.argmin}.items():
        for _ in range(4):
            rank = R.randint(1, 4)
            a = R.choice([None, *range(-rank, rank)])
            keep = maybe({"keepdim": True}) if a is not None else {}
            add("ops." + name, lambda t: fn(t, a, keepdim="keepdim" in keep), [look(shape_of(rank), 2, kinds=APART)],
                ["$0", {**({} if a is None else {"axis": a}), **keep}])
    for name, fn in {"any": torch.any, "all": torch.all}.items():
        for _ in range(3):
            rank = R.randint(1, 3)
            a = R.randrange(rank)
            add("ops." + name, lambda t: fn(t, a), [integers(shape_of(rank), 0, 2)], ["$0", {"axis": a}])
    for name, fn in {"softmax": torch.softmax, "logSoftmax": torch.log_softmax, "cumsum": torch.cumsum}.items():
        for _ in range(5):
            rank = R.randint(1, 4)
            a = R.randrange(-rank, rank)
            add("ops." + name, lambda t: fn(t, a), [look(shape_of(rank, 1, 7), 3, kinds=APART)], ["$0", {"axis": a}])
    add("ops.cumsum", lambda t: t.cumsum(0), [look([150, 1], 1)], ["$0", {"axis": 0}])
    for of, i in [("values", 0), ("indices", 1)]:
        for _ in range(3):
            rank = R.randint(1, 3)
            shape = shape_of(rank, 2, 7)
            a = R.randrange(-rank, rank)
            k = R.randint(1, shape[a])
            add("ops.topk", lambda t: t.topk(k, a)[i], [look(shape, 2, kinds=APART)], ["$0", k, {"axis": a}], of=of)
    for _ in range(14):
        m, k, n = size(1, 7), size(1, 9), size(1, 7)
        batch, other = R.choice([([], []), ([], []), ([3], [3]), ([3], []), ([], [2]), ([2, 1], [3]), ([2, 3], [2, 3])])
        add("ops.matmul", torch.matmul, [look([*batch, m, k]), look([*other, k, n])])
    add("ops.matmul", torch.matmul, [look([5]), look([5, 3])])
    add("ops.matmul", torch.matmul, [look([2, 3, 5]), look([5])])
    add("ops.matmul", torch.matmul, [look([5]), look([5])])


# ---------------------------------------------------------------- shapes
def moves():
    for _ in range(4):
        shape = shape_of(3)
        rest = R.choice([[-1], [shape[0], -1], [-1, shape[2]]])
        add("ops.reshape", lambda t: t.reshape(rest), [look(shape)], ["$0", rest])
        shape = [1 if R.random() < 0.5 else n for n in shape_of(2)]
        wide = [size(), *[size() if n == 1 else n for n in shape]]
        add("ops.expand", lambda t: t.expand(wide), [look(shape)], ["$0", wide])
        order = R.sample(range(4), 4)
        add("ops.permute", lambda t: t.permute(order), [look(shape_of(4, 1, 4))], ["$0", order])
        a, b = R.sample(range(3), 2)
        add("ops.transpose", lambda t: t.transpose(a, b), [look(shape_of(3))], ["$0", a, b])
        axes = sorted(R.sample(range(3), R.randint(1, 3)))
        add("ops.flip", lambda t: t.flip(axes), [look(shape_of(3))], ["$0", axes])
        shifts = [R.randint(-7, 7) for _ in axes]
        add("ops.roll", lambda t: t.roll(shifts, axes), [look(shape_of(3))], ["$0", shifts, {"axis": axes}])
        k = R.randint(-3, 3)
        add("ops.tril", lambda t: t.tril(k), [look(shape_of(3))], ["$0", k])
        shape = shape_of(2, 1, 4)
        axis = R.randrange(2)
        parts = [[size(1, 4) if i == axis else n for i, n in enumerate(shape)] for _ in range(R.randint(2, 3))]
        names = ["$%d" % i for i in range(len(parts))]
        add("ops.cat", lambda *t: torch.cat(t, axis), [look(p) for p in parts], [names, {"axis": axis}])
        axis = R.randrange(3)
        add("ops.stack", lambda *t: torch.stack(t, axis), [look(shape) for _ in range(3)], [["$0", "$1", "$2"], {"axis": axis}])
        n = size(3, 7)
        add("ops.split", lambda t: t.split(2, 1)[1], [look([2, n])], ["$0", 2, {"axis": 1}], of=1)
    for axis in [0, 2]:
        add("ops.unsqueeze", lambda t: t.unsqueeze(axis), [look(shape_of(2))], ["$0", axis])
        add("ops.squeeze", lambda t: t.squeeze(axis), [look([1, 4, 1])], ["$0", axis])
    add("ops.squeeze", lambda t: t.squeeze(), [look([1, 4, 1])], ["$0"])
    for _ in range(10):
        rank = R.randint(1, 4)
        shape = shape_of(rank, 2, 7)
        ranges = [R.choice([None, [R.randrange(n), None, R.choice([1, 2, -1, -2])], [-1, None, -1], [0, -1], [R.randrange(n), n, 3]]) for n in shape]

        def slices(t):
            for a, r in enumerate(ranges):
                if r is not None:
                    index = torch.tensor(list(range(t.shape[a]))[slice(*r)], dtype=torch.long)
                    t = t.index_select(a, index)
            return t
        add("ops.slice", slices, [look(shape)], ["$0", ranges])
    for mode in ["constant", "constant", "reflect", "replicate", "circular"]:
        for _ in range(3):
            shape = [size(1, 3), size(1, 3), size(3, 6), size(3, 6)]
            w = [[0, 0], [0, 0], [R.randint(0, 2), R.randint(0, 2)], [R.randint(0, 2), R.randint(0, 2)]]
            flat = w[3] + w[2]
            value = R.choice([0, 2.5]) if mode == "constant" else 0
            add("ops.pad", lambda t: F.pad(t, flat, mode=mode, **({"value": value} if mode == "constant" else {})), [look(shape)],
                ["$0", w, {"mode": mode, **({"value": value} if mode == "constant" else {})}])
    w = [[-1, 2], [1, -2]]
    add("ops.pad", lambda t: F.pad(t, w[1] + w[0]), [look([4, 5])], ["$0", w])


# ---------------------------------------------------------------- by index
def lookups():
    for _ in range(6):
        rank = R.randint(1, 4)
        shape, axis = shape_of(rank), R.randrange(rank)
        index = integers([size(1, 9)], 0, shape[axis], dtype=R.choice(["i32", "u8"]))
        add("ops.indexSelect", lambda t, i: t.index_select(axis, i), [look(shape), index], ["$0", "$1", {"axis": axis}])
    for _ in range(8):
        rank = R.randint(1, 3)
        shape, axis = shape_of(rank), R.randrange(rank)
        want = [size(1, 7) if a == axis else R.randint(1, n) for a, n in enumerate(shape)]
        add("ops.gather", lambda t, i: t.gather(axis, i), [look(shape), integers(want, 0, shape[axis])], ["$0", "$1", {"axis": axis}])
        add("ops.scatterAdd", lambda t, i, s: t.scatter_add(axis, i, s), [look(shape), integers(want, 0, shape[axis]), look(want)],
            ["$0", "$1", "$2", {"axis": axis}])
    for _ in range(4):
        add("ops.oneHot", lambda i: F.one_hot(i, 5).to(torch.float64), [integers(shape_of(R.randint(1, 3)), 0, 5)], ["$0", 5])


# ---------------------------------------------------------------- images
def conv_options(d, groups):
    one = (lambda low, high: (lambda v: (v, v))(R.randint(low, high))) if d == 1 else pair
    stride, s = one(1, 3)
    padding, p = one(0, 2)
    dilation, e = one(1, 2)
    as_torch = dict(stride=s, padding=p, dilation=e, groups=groups)
    ours = {k: v for k, v in dict(stride=stride, padding=padding, dilation=dilation, groups=groups).items() if R.random() < 0.8 or k == "groups"}
    for k, least in [("stride", 1), ("padding", 0), ("dilation", 1)]:
        if k not in ours:
            as_torch[k] = least
    return ours, as_torch


def with_bias(channels):
    return [look([channels])] if R.random() < 0.4 else []


def images():
    for count, name, fn, d in [(16, "conv1d", F.conv1d, 1), (44, "conv2d", F.conv2d, 2)]:
        for _ in range(count):
            groups = R.choice([1, 1, 1, 2, 3])
            ours, theirs = conv_options(d, groups)
            cin, cout = groups * size(1, 2), groups * size(1, 3)
            taps = shape_of(d, 1, 3)
            dilation = theirs["dilation"] if isinstance(theirs["dilation"], list) else [theirs["dilation"]] * d
            image = [max((k - 1) * e + 1, size(1, 7 if d == 2 else 12)) for k, e in zip(taps, dilation)]
            bias = with_bias(cout)
            options = {**ours, **({"bias": "$2"} if bias else {})}
            add("ops." + name, lambda x, w, b=None: fn(x, w, b, **theirs), [look([size(1, 2), cin, *image]), look([cout, cin // groups, *taps]), *bias],
                ["$0", "$1", options])
    for _ in range(26):
        groups = R.choice([1, 1, 2])
        ours, theirs = conv_options(2, groups)
        cin, cout = groups * size(1, 2), groups * size(1, 2)
        taps = shape_of(2, 1, 3)
        extra = [R.randint(0, max(s, e) - 1) if R.random() < 0.5 else 0 for s, e in
                 zip(*[v if isinstance(v, list) else [v] * 2 for v in (theirs["stride"], [1, 1])])]
        e = theirs["dilation"] if isinstance(theirs["dilation"], list) else [theirs["dilation"]] * 2
        s = theirs["stride"] if isinstance(theirs["stride"], list) else [theirs["stride"]] * 2
        p = theirs["padding"] if isinstance(theirs["padding"], list) else [theirs["padding"]] * 2
        image = shape_of(2, 1, 5)
        for i in range(2):
            while (image[i] - 1) * s[i] - 2 * p[i] + e[i] * (taps[i] - 1) + extra[i] + 1 < 1:
                image[i] += 1
        bias = with_bias(cout)
        options = {**ours, "outputPadding": extra, **({"bias": "$2"} if bias else {})}
        add("ops.convTranspose2d", lambda x, w, b=None: F.conv_transpose2d(x, w, b, output_padding=extra, **theirs),
            [look([size(1, 2), cin, *image]), look([cin, cout // groups, *taps]), *bias], ["$0", "$1", options])
    for name, fn in {"maxPool2d": F.max_pool2d, "avgPool2d": F.avg_pool2d}.items():
        for _ in range(12):
            kernel, k = pair(1, 3)
            ours, theirs = {}, {}
            if R.random() < 0.7:
                ours["stride"], theirs["stride"] = pair(1, 3)
            if R.random() < 0.5:
                p = [R.randint(0, n // 2) for n in k]
                ours["padding"] = theirs["padding"] = p
            if R.random() < 0.4:
                ours["ceilMode"] = theirs["ceil_mode"] = True
            if name == "maxPool2d" and R.random() < 0.4:
                ours["dilation"], theirs["dilation"] = pair(1, 2)
            if name == "avgPool2d" and R.random() < 0.5:
                ours["countIncludePad"] = theirs["count_include_pad"] = False
            add("ops." + name, lambda x: fn(x, k, **theirs), [look([size(1, 2), size(1, 2), size(5, 8), size(5, 8)])], ["$0", kernel, ours])
    for name, fn in {"adaptiveAvgPool2d": F.adaptive_avg_pool2d, "adaptiveMaxPool2d": F.adaptive_max_pool2d}.items():
        for _ in range(5):
            out, o = pair(1, 4)
            add("ops." + name, lambda x: fn(x, o), [look([size(1, 2), size(1, 2), size(2, 8), size(2, 8)])], ["$0", out])
    for mode in ["nearest", "bilinear"]:
        for corners in [False, True] if mode == "bilinear" else [None]:
            more = {} if corners is None else {"align_corners": corners}
            ours = {"mode": mode, **({} if corners is None else {"alignCorners": corners})}
            for _ in range(5):
                out, o = pair(1, 8)
                add("ops.interpolate", lambda x: F.interpolate(x, size=o, mode=mode, **more), [look([size(1, 2), size(1, 2), size(1, 6), size(1, 6)])],
                    ["$0", {"size": out, **ours}])
                scale = R.choice([2, 3, 1.1, 2.1, 1.5, 0.6, [2, 1.3], [0.7, 2.4]])
                add("ops.interpolate", lambda x: F.interpolate(x, scale_factor=tuple(scale) if isinstance(scale, list) else scale, mode=mode, **more),
                    [look([1, size(1, 2), size(2, 6), size(2, 6)])], ["$0", {"scale": scale, **ours}])
    for mode in ["bilinear", "nearest"]:
        for padding in ["zeros", "border", "reflection"]:
            for corners in [False, True]:
                add("ops.gridSample", lambda x, g: F.grid_sample(x, g, mode=mode, padding_mode=padding, align_corners=corners),
                    [look([2, size(1, 2), size(2, 5), size(2, 5)]), look([2, size(1, 3), size(1, 3), 2], 1.4)],
                    ["$0", "$1", {"mode": mode, "paddingMode": padding, "alignCorners": corners}])
    for corners in [False, True]:
        out = [2, 3, size(), size()]
        add("ops.affineGrid", lambda t: F.affine_grid(t, out, align_corners=corners), [look([2, 2, 3])], ["$0", out, {"alignCorners": corners}])


def later():
    """Operations that came later: behind the others, whose numbers stay."""
    for scale in [1, 5]:
        add("ops.atan", torch.atan, [look(shape_of(R.randint(1, 4), 1, 5), scale)])
    for name, fn, domains in unary.later(cases):
        with apart(name):
            for scale, offset in domains:
                add("ops." + name, fn, [look(shape_of(R.randint(1, 4), 1, 5), scale, offset)])


@contextmanager
def apart(name):
    """Numbers by the name: they depend on no others, and no others on them."""
    global seed
    before = seed, R.getstate()
    R.seed(f"{SEED} {name}")
    seed = SEED * 100_000 + 50_000 + zlib.crc32(name.encode()) % 40_000
    yield
    seed = before[0]
    R.setstate(before[1])


if __name__ == "__main__":
    import random_layers

    for part in [elements, pairs, folds, moves, lookups, images]:
        part()
    random_layers.record(sys.modules["__main__"])
    later()
    write("random.json", f"python3 tests/oracle/record_random.py {SEED}", cases)
