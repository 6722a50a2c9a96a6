"""Records fastai's EmbeddingDotBias and EmbeddingNN into tests/golden/collab.json: outputs and gradients, in float64.

    pip install fastai
    python3 tests/oracle/record_collab.py

Weights are `fill` by the parameter's number, as tests/nn/collab_test.ts sets them.
"""
import json

import torch
from fastai.collab import EmbeddingDotBias, EmbeddingNN
from fastai.tabular.model import emb_sz_rule

from recorder import GOLDEN, fill

X = torch.tensor([[1, 2], [3, 0], [4, 6], [0, 1], [2, 5]])


def case(name, model, **options):
    model = model.double().train()
    named = [(n, p) for n, p in model.named_parameters() if p.numel() > 0]  # fastai keeps a norm of no numbers
    for k, (_, p) in enumerate(named):
        p.data = torch.tensor(fill(40 + k, p.numel(), 0.5)).float().double().reshape(p.shape)
    y = model(X) if name.startswith("dot") else model(X, torch.zeros(5, 0).double())
    (y * torch.tensor(fill(3, y.numel())).reshape(y.shape)).sum().backward()
    return {
        "name": name, **options, "state": [[n, list(p.shape)] for n, p in named],
        "y": y.reshape(-1).tolist(), "grads": {n: p.grad.reshape(-1).tolist() for n, p in named},
    }


def nn_model(**options):
    return EmbeddingNN([(5, emb_sz_rule(5)), (7, emb_sz_rule(7))], [6], **options)


json.dump([
    case("dot free", EmbeddingDotBias(3, 5, 7)),
    case("dot in a range", EmbeddingDotBias(4, 5, 7, y_range=(0, 5.5)), yRange=[0, 5.5]),
    case("nn free", nn_model()),
    case("nn in a range", nn_model(y_range=(1, 5)), yRange=[1, 5]),
], open(GOLDEN / "collab.json", "w"))
