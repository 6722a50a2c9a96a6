"""Records fastai's DynamicUnet into tests/golden/unet.json: names, outputs and gradients, in float64.

    pip install fastai torchvision
    python3 tests/oracle/record_unet.py

The weights are `fill` by the parameter's number among those of the state, as tests/vision/unet_test.ts sets them.
"""
import json
import math

import torch
from torch import nn
from fastai.vision.models.unet import DynamicUnet
from fastai.vision.learner import create_body
from torchvision.models import resnet18

from recorder import GOLDEN, fill

torch.manual_seed(0)


def encoder():
    """Two halvings, and a layer that keeps the size."""
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(),
        nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.ReLU(),
    )


def halved():
    """The first layer halves the image: the net ends with one more enlargement."""
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 8, 3, stride=2, padding=1), nn.ReLU())


def filled(model):
    model = model.double()
    names = {name for name, _ in model.named_parameters()}
    for k, (name, p) in enumerate((n, p) for n, p in model.state_dict().items() if n in names):
        matrix = p.dim() > 1
        scale = math.sqrt(6 / (p.numel() / p.shape[0])) if matrix else 0.1
        offset = 0 if matrix or not name.endswith("bn.weight") and not name.startswith("layers.1.weight") else 1
        p.copy_(torch.tensor(fill(500 + k, p.numel(), scale) + offset).float().double().reshape(p.shape))
    return model


def case(name, body, size, n_out, **options):
    model = filled(DynamicUnet(body, n_out, size, **options)).train()
    x = torch.tensor(fill(9, 2 * 3 * size[0] * size[1])).float().double().reshape(2, 3, *size)
    y = model(x)
    y = torch.as_tensor(y)
    (y * torch.tensor(fill(10, y.numel())).reshape(y.shape)).sum().backward()
    state = model.state_dict()
    grads = {n: p.grad for n, p in model.named_parameters()}
    return {
        "name": name, "size": list(size), "nOut": n_out, "options": options,
        "state": [[n, list(v.shape)] for n, v in state.items()],
        "y": [float(v) for v in y.reshape(-1)[::7]],
        "grads": {n: [float(g.norm()), float(g.reshape(-1)[0])] for n, g in grads.items()},
        "yEval": [float(v) for v in torch.as_tensor(model.eval()(x)).reshape(-1)[::7]],
    }


full = DynamicUnet(create_body(resnet18(), 3, False, -2), 2, (64, 64))
json.dump({
    "cases": [
        case("same", encoder(), (12, 16), 3),
        case("halved", halved(), (12, 16), 2, blur=True),
        case("no cross", halved(), (8, 8), 2, last_cross=False, y_range=(-1, 1), blur=True, blur_final=False),
        case("odd", encoder(), (11, 13), 2),
    ],
    "resnet18": [[n, list(v.shape)] for n, v in full.state_dict().items()],
}, open(GOLDEN / "unet.json", "w"))
