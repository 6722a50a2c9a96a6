"""Records torchvision's and fastai's architectures into tests/golden/architectures.json, in float64.

    pip install fastai torchvision
    python3 tests/oracle/record_architectures.py

Of every architecture the number of parameters and the SHA-256 of its state's names and shapes; of one of each family the
outputs, of small nets of the same blocks also the gradients of one step. The weights are `fill` by the parameter's number, as
tests/vision/architectures_test.ts sets them; dropout and stochastic depth are off.
"""
import hashlib
import json
import math
import re
from functools import partial

import torch
import torchvision
from fastai.vision.models import xresnet
from torch import nn
from torchvision.models import convnext, efficientnet, mobilenetv3
from torchvision.models.convnext import CNBlockConfig
from torchvision.ops import StochasticDepth

from recorder import GOLDEN, fill

SEED, INPUT = 700, 90


def signature(model):
    """Number of parameters, and a digest of the state's names and shapes, in order."""
    lines = "".join(f"{name} {list(v.shape)}\n".replace(" ", "") for name, v in model.state_dict().items())
    return [sum(p.numel() for p in model.parameters()), hashlib.sha256(lines.encode()).hexdigest()]


def filled(model):
    model = model.double()
    for k, (name, p) in enumerate(model.named_parameters()):
        matrix = p.dim() > 1
        scale = 0.5 if name.endswith("layer_scale") else math.sqrt(6 / (p.numel() / p.shape[0])) if matrix else 0.1
        offset = 0 if matrix or not name.endswith("weight") else 1
        p.data = torch.tensor(fill(SEED + k, p.numel(), scale) + offset).float().double().reshape(p.shape)
    return model


def digits(values):
    return [float(f"{float(v):.8g}") for v in values]


def images(batch, size):
    return torch.tensor(fill(INPUT, batch * 3 * size * size)).float().double().reshape(batch, 3, size, size)


def whole(model, size, batch=2):
    with torch.no_grad():
        return {"size": size, "batch": batch, "eval": digits(filled(model).eval()(images(batch, size)).reshape(-1))}


def step(model, size, batch=4):
    model = filled(model).train()
    for m in model.modules():
        if isinstance(m, (nn.Dropout, StochasticDepth)):
            m.eval()
    x = images(batch, size)
    targets = torch.arange(batch) * 3 % 10
    logits = model(x)
    loss = nn.functional.cross_entropy(logits, targets)
    loss.backward()
    grads = {name: digits([p.grad.norm(), p.grad.reshape(-1)[0]]) for name, p in model.named_parameters()}
    means = [(name, b) for name, b in model.named_buffers() if name.endswith("running_mean")]
    with torch.no_grad():
        evaluated = model.eval()(x)
    return {
        "size": size, "batch": batch, "train": digits(logits.reshape(-1)), "loss": loss.item(), "grads": grads,
        "running": {name: digits(b[:4]) for name, b in means[-2:]}, "eval": digits(evaluated.reshape(-1)),
    }


def vgg():
    """vgg16_bn with one layer behind its pool: the two that are left out are 120 million numbers."""
    with torch.device("meta"):
        model = torchvision.models.vgg16_bn()
    model.classifier = nn.Sequential(nn.Linear(512 * 7 * 7, 10))
    model = model.to_empty(device="cpu")
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.reset_running_stats()
    return model


def small_efficientnet():
    rows, last = efficientnet._efficientnet_conf("efficientnet_b0", width_mult=0.25, depth_mult=0.3)
    return efficientnet.EfficientNet(rows, 0.2, last_channel=last, num_classes=10)


def small_mobilenet():
    row = partial(mobilenetv3.InvertedResidualConfig, dilation=1, width_mult=1.0)
    rows = [row(8, 3, 8, 8, True, "RE", 2), row(8, 5, 24, 12, True, "HS", 2), row(16, 5, 24, 16, False, "HS", 1)]
    return mobilenetv3.MobileNetV3(rows, 20, num_classes=10)


def name_of(snake):
    return re.sub(r"_(\w)", lambda m: m[1].upper(), snake)


THEIRS = {
    torchvision.models: "convnext_tiny convnext_small convnext_base convnext_large efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4 "
    "efficientnet_b5 efficientnet_b6 efficientnet_b7 mobilenet_v3_small mobilenet_v3_large vgg11_bn vgg13_bn vgg16_bn vgg19_bn resnet101 resnet152",
    xresnet: "xresnet18 xresnet50 xresnet101 xresnet152 xse_resnet18 xse_resnet34 xse_resnet50 xse_resnet101 xse_resnet152 xresnext18 xresnext34 xresnext50 "
    "xresnext101 xse_resnext18 xse_resnext34 xse_resnext50 xse_resnext101",
}

signatures = {}
for module, names in THEIRS.items():
    for name in names.split():
        with torch.device("meta"):
            signatures[name_of(name)] = signature(getattr(module, name)())

torch.manual_seed(0)
net = lambda name: getattr(torchvision.models, name)(num_classes=10)
cases = {
    "convnextTiny": whole(net("convnext_tiny"), 64),
    "efficientnetB0": whole(net("efficientnet_b0"), 64),
    "mobilenetV3Small": whole(net("mobilenet_v3_small"), 64),
    "vgg16Bn": whole(vgg(), 32),
    "xseResnet18": whole(xresnet.xse_resnet18(n_out=10), 64),
    "small ConvNeXt": step(convnext.ConvNeXt([CNBlockConfig(8, 12, 1), CNBlockConfig(12, None, 2)], 0.1, num_classes=10), 32),
    "small EfficientNet": step(small_efficientnet(), 64),
    "small MobileNetV3": step(small_mobilenet(), 32),
    "small XResNeXt": step(xresnet.XResNet(xresnet.SEResNeXtBlock, 4, [1, 1, 1, 1], n_out=10, **xresnet.se_kwargs2), 32),
}
versions = {"torch": torch.__version__, "torchvision": torchvision.__version__}
text = json.dumps({"meta": {**versions, "seed": SEED, "input": INPUT}, "signatures": signatures, "cases": cases}, separators=(",", ":"))
(GOLDEN / "architectures.json").write_text(text + "\n")
print(len(text), "bytes")
