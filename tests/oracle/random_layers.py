"""Random cases of layers and losses, for record_random.py."""
from functools import partial

import torch
import torch.nn.functional as F
from torchvision.ops import SqueezeExcitation, stochastic_depth

from recorder import filled


def record(r):
    """Adds the cases to the generator `r`."""
    layers(r)
    norms(r)
    element_losses(r)
    class_losses(r)
    # what came later stands at the end: the numbers of the others stay
    rms_norm(r)
    activations(r)
    vision(r)


def layers(r):
    R, add, look, size = r.R, r.add, r.look, r.size
    parameter = lambda *shape: filled(r.next_seed(), list(shape))
    for _ in range(5):
        n, m = size(), size()
        bias = R.random() < 0.6
        add("nn.Linear", lambda x, w, b=None: F.linear(x, w, b), [look([*r.shape_of(R.randint(1, 2), 1, 4), n]), parameter(m, n), *([parameter(m)] if bias else [])],
            ["$0"], new=[n, m, {"bias": bias}], state={"weight": "$1", **({"bias": "$2"} if bias else {})})
        options = {"paddingIdx": R.randrange(n)} if R.random() < 0.5 else {}
        index = r.integers(r.shape_of(R.randint(1, 2)), 0, n, dtype=R.choice(["i32", "u8"]))
        add("nn.Embedding", lambda i, w: F.embedding(i, w, padding_idx=options.get("paddingIdx")), [index, parameter(n, m)], ["$0"], new=[n, m, options],
            state={"weight": "$1"})
    for _ in range(6):
        for d, name, fn in [(1, "Conv1d", F.conv1d), (2, "Conv2d", F.conv2d)]:
            groups = R.choice([1, 2])
            cin, cout = groups * size(1, 2), groups * size(1, 2)
            taps = r.shape_of(d, 1, 3)
            mode = R.choice(["zeros", "reflect", "replicate", "circular"])
            stride, dilation = [R.randint(1, 2) for _ in range(d)], [R.randint(1, 2) for _ in range(d)]
            same = R.random() < 0.3
            if same:
                stride = [1] * d
            padding = [R.randint(0, 2) for _ in range(d)]
            image = [(k - 1) * e + size(3, 5) for k, e in zip(taps, dilation)]
            layer = lambda x, w, b: conv_layer(fn, x, w, b, stride, "same" if same else padding, dilation, groups, mode)
            add("nn." + name, layer, [look([size(1, 2), cin, *image]), parameter(cout, cin // groups, *taps), parameter(cout)], ["$0"],
                new=[cin, cout, taps if d == 2 else taps[0],
                     {"stride": stride if d == 2 else stride[0], "padding": "same" if same else padding if d == 2 else padding[0],
                      "dilation": dilation if d == 2 else dilation[0], "groups": groups, "padMode": mode}],
                state={"weight": "$1", "bias": "$2"})
        cin, cout, taps, stride = size(1, 2), size(1, 2), r.shape_of(2, 1, 3), [R.randint(1, 3), R.randint(1, 3)]
        extra = [R.randrange(s) for s in stride]
        add("nn.ConvTranspose2d", lambda x, w, b: F.conv_transpose2d(x, w, b, stride, 0, extra), [look([1, cin, size(), size()]), parameter(cin, cout, *taps), parameter(cout)],
            ["$0"], new=[cin, cout, taps, {"stride": stride, "outputPadding": extra}], state={"weight": "$1", "bias": "$2"})
    image = lambda low=3: look([size(1, 2), size(1, 2), size(low, 6), size(low, 6)])
    for _ in range(2):
        add("nn.MaxPool2d", lambda x: F.max_pool2d(x, 2, 1, 1), [image()], ["$0"], new=[2, {"stride": 1, "padding": 1}])
        add("nn.AvgPool2d", lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), [image()], ["$0"], new=[3, {"stride": 2, "padding": 1, "countIncludePad": False}])
        add("nn.AdaptiveAvgPool2d", lambda x: F.adaptive_avg_pool2d(x, 2), [image()], ["$0"], new=[2])
        add("nn.AdaptiveMaxPool2d", lambda x: F.adaptive_max_pool2d(x, [2, 3]), [image()], ["$0"], new=[[2, 3]])
        add("nn.AdaptiveConcatPool2d", lambda x: torch.cat([F.adaptive_max_pool2d(x, 1), F.adaptive_avg_pool2d(x, 1)], 1), [image()], ["$0"], new=[1])
        add("nn.Upsample", lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True), [image(2)], ["$0"],
            new=[{"scale": 2, "mode": "bilinear", "alignCorners": True}])
        add("nn.PixelShuffle", lambda x: F.pixel_shuffle(x, 2), [look([2, 4 * size(1, 2), size(), size()])], ["$0"], new=[2])
        flat = lambda: look(r.shape_of(R.randint(1, 3)), 3)
        for name, fn, new in [("ReLU", F.relu, []), ("LeakyReLU", lambda x: F.leaky_relu(x, 0.2), [0.2]), ("GELU", F.gelu, []), ("SiLU", F.silu, []),
                              ("GELU", lambda x: F.gelu(x, approximate="tanh"), [{"approximate": "tanh"}]), ("Sigmoid", torch.sigmoid, []), ("Tanh", torch.tanh, []),
                              ("SigmoidRange", lambda x: torch.sigmoid(x) * 7 - 2, [-2, 5]), ("Softmax", lambda x: x.softmax(-1), []), ("Identity", lambda x: x, []),
                              ("Dropout", lambda x: x, [0.5])]:
            add("nn." + name, fn, [flat()], ["$0"], new=new)
        add("nn.Dropout2d", lambda x: x, [image()], ["$0"], new=[0.5])
        add("nn.Unflatten", lambda x: x.unflatten(1, [2, -1]), [look([size(), 6, size()])], ["$0"], new=[1, [2, -1]])
        add("nn.Flatten", lambda x: x.flatten(1), [look(r.shape_of(3))], ["$0"], new=[])


def conv_layer(fn, x, w, b, stride, padding, dilation, groups, mode):
    """PyTorch's layers pad by other numbers before they convolve."""
    if padding == "same":
        total = [e * (k - 1) for k, e in zip(w.shape[2:], dilation)]
        sides = [(t // 2, t - t // 2) for t in total]
    else:
        sides = [(p, p) for p in padding]
    flat = [n for pair in reversed(sides) for n in pair]
    x = F.pad(x, flat) if mode == "zeros" else F.pad(x, flat, mode=mode)
    return fn(x, w, b, stride, 0, dilation, groups)


def norms(r):
    R, add, look, size = r.R, r.add, partial(r.look, kinds=r.APART), r.size
    parameter = lambda *shape: filled(r.next_seed(), list(shape))
    for name, rank in [("BatchNorm1d", 2), ("BatchNorm1d", 3), ("BatchNorm2d", 4)]:
        for _ in range(4):
            c = size()
            shape = [size(3, 6), c, *r.shape_of(rank - 2, 1, 4)]
            offset = R.choice([0, 0, 100])
            eps = R.choice([1e-5, 1e-3])
            add("nn." + name, lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True, eps=eps), [look(shape, 1, offset), parameter(c), parameter(c)], ["$0"],
                new=[c, {"eps": eps}], state={"weight": "$1", "bias": "$2"}, train=True)
            add("nn." + name, lambda x, m, v: F.batch_norm(x, m.detach(), v.detach(), eps=eps), [look(shape), parameter(c), filled(r.next_seed(), [c], 0.9, 1)], ["$0"],
                new=[c, {"eps": eps, "affine": False}], state={"running_mean": "$1", "running_var": "$2"}, constant=[1, 2])
    for _ in range(5):
        lead, own = r.shape_of(R.randint(1, 2), 1, 4), r.shape_of(R.randint(1, 2), 3, 6)
        offset = R.choice([0, 0, 30])
        add("nn.LayerNorm", lambda x, w, b: F.layer_norm(x, own, w, b), [look([*lead, *own], 1, offset), parameter(*own), parameter(*own)], ["$0"], new=[own],
            state={"weight": "$1", "bias": "$2"})
        groups = size(1, 3)
        c = groups * size(1, 3)
        add("nn.GroupNorm", lambda x, w, b: F.group_norm(x, groups, w, b), [look([size(1, 3), c, *r.shape_of(R.randint(1, 2), 2, 4)], 1, offset), parameter(c), parameter(c)],
            ["$0"], new=[groups, c], state={"weight": "$1", "bias": "$2"})
        c = size(1, 3)
        add("nn.InstanceNorm2d", lambda x: F.instance_norm(x), [look([size(1, 3), c, size(2, 4), size(2, 4)])], ["$0"], new=[c])


def rms_norm(r):
    R, add, look = r.R, r.add, partial(r.look, kinds=r.APART)
    for eps in [None, None, 1e-3, 0.25]:
        lead, own = r.shape_of(R.randint(1, 2), 1, 4), r.shape_of(R.randint(1, 2), 3, 6)
        add("nn.RMSNorm", lambda x, w: F.rms_norm(x, own, w, eps or 2**-23), [look([*lead, *own], 1, R.choice([0, 0, 30])), filled(r.next_seed(), own)], ["$0"],
            new=[own, {} if eps is None else {"eps": eps}], state={"weight": "$1"})
    add("nn.RMSNorm", lambda x: F.rms_norm(x, [5], None, 2**-23), [look([3, 5])], ["$0"], new=[5, {"affine": False}])


def activations(r):
    """Those that came later: numbers by the name, which depend on no others."""
    R, add, look = r.R, r.add, r.look
    for name, fn, new in [("ELU", F.elu, []), ("ELU", lambda x: F.elu(x, 0.7), [0.7]), ("Mish", F.mish, []), ("Hardswish", F.hardswish, []),
                          ("LogSoftmax", lambda x: x.log_softmax(-1), [])]:
        with r.apart(f"nn.{name} {new}"):
            add("nn." + name, fn, [look(r.shape_of(R.randint(1, 3)), 3)], ["$0"], new=new)
    for n, lead in [(1, [2, 3]), (3, [4, 3]), (2, [3, 2, 5]), (4, [2, 4, 3, 2])]:
        with r.apart(f"nn.PReLU {n}"):
            add("nn.PReLU", F.prelu, [look(lead, 2), filled(r.next_seed(), [n], 0.5)], ["$0"], new=[n], state={"weight": "$1"})


def vision(r):
    """Layers of torchvision's nets: numbers by the name, too."""
    R, add, look = r.R, r.add, r.look
    for name, fn, new in [("Hardsigmoid", F.hardsigmoid, []), ("ReLU6", F.relu6, []), ("Permute", lambda x: x.permute([2, 0, 1]), [[2, 0, 1]]),
                          ("StochasticDepth", lambda x: stochastic_depth(x, 0.0, "row"), [0]), ("StochasticDepth", lambda x: stochastic_depth(x, 1.0, "batch"), [1, "batch"])]:
        with r.apart(f"nn.{name} {new}"):
            add("nn." + name, fn, [look(r.shape_of(3), 7)], ["$0"], new=new, train=True)
    for c, eps, offset in [(3, 1e-5, 0), (5, 1e-6, 0), (12, 1e-5, 30)]:
        with r.apart(f"nn.LayerNorm2d {c}"):
            add("nn.LayerNorm2d", lambda x, w, b: F.layer_norm(x.permute(0, 2, 3, 1), [c], w, b, eps).permute(0, 3, 1, 2),
                [look([2, c, *r.shape_of(2, 1, 4)], 1, offset), filled(r.next_seed(), [c]), filled(r.next_seed(), [c])], ["$0"], new=[c, {"eps": eps}], state={"weight": "$1", "bias": "$2"})
    for c, s in [(4, 2), (9, 1)]:
        with r.apart(f"nn.SqueezeExcitation {c}"):
            parameter = lambda *shape: filled(r.next_seed(), list(shape))
            def excite(x, w1, b1, w2, b2):
                layer = SqueezeExcitation(c, s).to(x.dtype)
                state = {"fc1.weight": w1, "fc1.bias": b1, "fc2.weight": w2, "fc2.bias": b2}
                return torch.func.functional_call(layer, state, (x,))
            add("nn.SqueezeExcitation", excite, [look([2, c, 3, 4]), parameter(s, c, 1, 1), parameter(s), parameter(c, s, 1, 1), parameter(c)], ["$0"], new=[c, s],
                state={"fc1.weight": "$1", "fc1.bias": "$2", "fc2.weight": "$3", "fc2.bias": "$4"})


def element_losses(r):
    R, add, look = r.R, r.add, r.look
    for name, fn, options, theirs in [
        ("MSELoss", F.mse_loss, {}, {}), ("L1Loss", F.l1_loss, {}, {}), ("SmoothL1Loss", F.smooth_l1_loss, {"beta": 0.7}, {"beta": 0.7}),
        ("SmoothL1Loss", F.smooth_l1_loss, {}, {}), ("HuberLoss", F.huber_loss, {"delta": 0.6}, {"delta": 0.6}),
    ]:
        for reduction in ["mean", "sum", "none"]:
            shape = r.shape_of(R.randint(1, 3))
            add("nn." + name, lambda p, t: fn(p, t, reduction=reduction, **theirs), [look(shape, 2), look(shape, 2)], ["$0", "$1"], new=[{"reduction": reduction, **options}])
    for reduction in ["mean", "sum", "none"]:
        shape = r.shape_of(2)
        add("nn.BCELoss", lambda p, t: F.binary_cross_entropy(p, t.detach(), reduction=reduction), [look(shape, 0.45, 0.5), look(shape, 0.5, 0.5)], ["$0", "$1"],
            new=[{"reduction": reduction}], constant=[1])
        add("nn.BCEWithLogitsLoss", lambda p, t: F.binary_cross_entropy_with_logits(p, t, reduction=reduction), [look(shape, 4), look(shape, 0.5, 0.5)], ["$0", "$1"],
            new=[{"reduction": reduction}])
        n, c = shape
        weight, positive = look([n, c], 0.5, 1), look([c], 0.5, 1.5)
        add("nn.BCEWithLogitsLoss", lambda p, t, w, q: F.binary_cross_entropy_with_logits(p, t, w.detach(), pos_weight=q.detach(), reduction=reduction),
            [look(shape, 4), look(shape, 0.5, 0.5), weight, positive], ["$0", "$1"], new=[{"reduction": reduction, "weight": "$2", "posWeight": "$3"}], constant=[2, 3])
        for log in [False, True]:
            target = look(shape, 1, -2) if log else look(shape, 0.45, 0.5)
            add("nn.KLDivLoss", lambda p, t: F.kl_div(p, t, reduction=reduction, log_target=log), [look(shape, 1, -2), target], ["$0", "$1"],
                new=[{"reduction": reduction, "logTarget": log}])
    add("nn.KLDivLoss", lambda p, t: F.kl_div(p, t, reduction="batchmean"), [look([3, 4], 1, -2), look([3, 4], 0.45, 0.5)], ["$0", "$1"], new=[{"reduction": "batchmean"}])


def class_losses(r):
    R, add, look = r.R, r.add, partial(r.look, kinds=r.APART)
    for i in range(24):
        n, c, tail = r.size(2, 5), r.size(2, 5), R.choice([[], [], [3], [2, 3]])
        reduction = ["mean", "sum", "none"][i % 3]
        labels = r.integers([n, *tail], 0, c, dtype=R.choice(["i32", "u8"]))
        options, theirs, inputs, constant = {"reduction": reduction}, {}, [], []
        if R.random() < 0.5:
            options["weight"], inputs, constant = "$2", [filled(r.next_seed(), [c], 0.8, 1)], [2]
        ignore = None
        if R.random() < 0.4:
            ignore = options["ignoreIndex"] = R.randrange(c)
        pred = lambda: look([n, c, *tail], 2)
        index = -100 if ignore is None else ignore
        weight = lambda w: None if w is None else w.detach()
        smoothing = R.choice([0, 0.2])
        more = {"labelSmoothing": smoothing} if smoothing else {}
        if not (all_ignored(labels, ignore) and reduction == "mean"):  # NaN in PyTorch
            add("nn.CrossEntropyLoss", lambda p, t, w=None: F.cross_entropy(p, t, weight(w), ignore_index=index, reduction=reduction, label_smoothing=smoothing),
                [pred(), labels, *inputs], ["$0", "$1"], new=[{**options, **more}], constant=constant)
            add("nn.NLLLoss", lambda p, t, w=None: F.nll_loss(p.contiguous(), t, weight(w), ignore_index=index, reduction=reduction), [pred(), labels, *inputs], ["$0", "$1"],
                new=[options], constant=constant)
            if i % 2 == 0:
                gamma = R.choice([0.5, 1, 2, 3.5])
                add("nn.FocalLoss", lambda p, t, w=None: focal(p, t, weight(w), index, reduction, gamma), [pred(), labels, *inputs], ["$0", "$1"],
                    new=[{**options, "gamma": gamma}], constant=constant)
                eps = R.choice([0.1, 0.3])
                add("nn.LabelSmoothingCrossEntropy", lambda p, t, w=None: smoothed(p, t, weight(w), index, reduction, eps), [pred(), labels, *inputs], ["$0", "$1"],
                    new=[{**options, "eps": eps}], constant=constant)
    for reduction in ["mean", "sum", "none"]:
        shape = [r.size(2, 4), r.size(2, 4), 3]
        add("nn.CrossEntropyLoss", lambda p, t, w: F.cross_entropy(p, t, w.detach(), reduction=reduction, label_smoothing=0.1),
            [look(shape, 2), look(shape, 0.5, 0.5), filled(r.next_seed(), [shape[1]], 0.8, 1)], ["$0", "$1"],
            new=[{"reduction": reduction, "labelSmoothing": 0.1, "weight": "$2"}], constant=[2])
        for square in [False, True]:
            c = r.size(2, 4)
            add("nn.DiceLoss", lambda p, t: dice(p, t, square, reduction), [look([2, c, 3, 2], 2), r.integers([2, 3, 2], 0, c)], ["$0", "$1"],
                new=[{"reduction": reduction, "squareInUnion": square}])
        c, axis = r.size(2, 4), -1
        add("nn.CrossEntropyLoss", lambda p, t: F.cross_entropy(p.movedim(-1, 1), t, reduction=reduction), [look([2, 3, c], 2), r.integers([2, 3], 0, c)], ["$0", "$1"],
            new=[{"reduction": reduction, "axis": axis}])


def all_ignored(labels, ignore):
    return bool((labels["data"] == ignore).all())


def brought(items, counts, reduction):
    return items.sum() / counts.sum() if reduction == "mean" else items.sum() if reduction == "sum" else items


def focal(p, t, w, index, reduction, gamma):
    """fastai's FocalLoss; items that are ignored count neither above nor below the line."""
    ce = F.cross_entropy(p, t, w, ignore_index=index, reduction="none")
    q = -torch.expm1(-ce)
    safe = torch.where(q > 0, q, 1)
    return brought(torch.where(q > 0, safe**gamma, 0) * ce, (t != index).to(p.dtype), reduction)


def smoothed(p, t, w, index, reduction, eps):
    """fastai's LabelSmoothingCrossEntropy: class weights do not apply to the smoothing term."""
    log = F.log_softmax(p, 1)
    counts = (t != index).to(p.dtype)
    smooth = brought(-log.sum(1) * counts, counts, reduction)
    return smooth * eps / p.shape[1] + (1 - eps) * F.nll_loss(log, t, w, ignore_index=index, reduction=reduction)


def dice(p, t, square, reduction):
    """fastai's DiceLoss, for each item and class."""
    truth = F.one_hot(t, p.shape[1]).movedim(-1, 1).to(p.dtype)
    q = p.softmax(1)
    inter = (q * truth).sum((2, 3))
    union = ((q**2 if square else q) + truth).sum((2, 3))
    loss = 1 - (2 * inter + 1e-6) / (union + 1e-6)
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss
