"""PyTorch's side of the workloads of bench/sequences.ts: the same nets, data and start values."""
import math
import re

import torch
import torch.nn.functional as F

CHARS = 65


def hashed(n, scale, seed):
    """Numbers evenly drawn from [-scale, scale), each from its own index."""
    mask = 0xFFFFFFFF
    h = (torch.arange(n) * 0x9E3779B1 + seed * 0x85EBCA6B) & mask
    h = ((h ^ (h >> 16)) * 0x7FEB352D) & mask
    h = ((h ^ (h >> 15)) * 0x846CA68B) & mask
    return ((h ^ (h >> 16)).double() / 2**31 * scale - scale).float()


def tokens(count, below):
    return torch.clamp(((hashed(count, 1, 7).double() + 1) / 2 * below).floor().long(), max=below - 1)


def set_weights(model):
    named = dict(model.named_parameters())
    with torch.no_grad():
        for place, name in enumerate(sorted(named)):
            p = named[name]
            if p.dim() < 2:
                p.fill_(1 if re.search(r"norm\d?\.weight$", name) else 0)
            else:
                scale = 0.1 if name in ("words.weight", "places") else 1 / math.sqrt(p.shape[1])
                p.copy_(hashed(p.numel(), scale, place + 1).view_as(p))
    return model


def blocks(count, dim, heads, hidden, norm_first):
    make = lambda: torch.nn.TransformerEncoderLayer(dim, heads, hidden, 0.0, "gelu", batch_first=True, norm_first=norm_first)
    return torch.nn.ModuleList(make() for _ in range(count))


class CharGpt(torch.nn.Module):
    def __init__(self, n=64, dim=128):
        super().__init__()
        self.words, self.places = torch.nn.Embedding(CHARS, dim), torch.nn.Parameter(torch.zeros(n, dim))
        self.layers, self.norm = blocks(4, dim, 4, 512, True), torch.nn.LayerNorm(dim)
        self.head = torch.nn.Linear(dim, CHARS, bias=False)
        self.register_buffer("mask", torch.nn.Transformer.generate_square_subsequent_mask(n), persistent=False)

    def forward(self, ids):
        x = self.words(ids) + self.places
        for layer in self.layers:
            x = layer(x, src_mask=self.mask, is_causal=True)
        return self.head(self.norm(x))


class CharLstm(torch.nn.Module):
    def __init__(self, dim=256):
        super().__init__()
        self.words, self.head = torch.nn.Embedding(CHARS, dim), torch.nn.Linear(dim, CHARS)
        self.lstm = torch.nn.LSTM(dim, dim, 2, batch_first=True)

    def forward(self, ids):
        return self.head(self.lstm(self.words(ids))[0])


class MiniLm(torch.nn.Module):
    def __init__(self, n=64, dim=384, words=30522):
        super().__init__()
        self.words, self.places = torch.nn.Embedding(words, dim), torch.nn.Parameter(torch.zeros(n, dim))
        self.norm, self.layers = torch.nn.LayerNorm(dim), blocks(6, dim, 12, 1536, False)
        self.head = torch.nn.Linear(dim, 2)

    def forward(self, given):
        ids, lengths = given
        padding = torch.arange(ids.shape[1], device=ids.device) >= lengths[:, None]
        x = self.norm(self.words(ids) + self.places)
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=padding)
        return self.head((x * ~padding[:, :, None]).sum(1) / lengths[:, None])


def subject(workload):
    """Model, learning rate, loss, batch and targets."""
    if workload == "minilm":
        rows, n = 16, 64
        lengths = torch.tensor([n - (i * 7) % (n // 2) for i in range(rows)])
        y = torch.tensor([(i * 5 + 1) % 3 % 2 for i in range(rows)])
        return set_weights(MiniLm()), 2e-5, F.cross_entropy, (tokens(rows * n, 30522).view(rows, n), lengths), y
    rows, n = 32, 64
    ids = tokens(rows * n, CHARS)
    model = set_weights(CharGpt() if workload == "chargpt" else CharLstm())
    loss = lambda pred, y: F.cross_entropy(pred.view(-1, CHARS), y)
    return model, 1e-3, loss, ids.view(rows, n), ids.roll(-1)
