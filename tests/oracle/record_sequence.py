"""Record cases of layers of sequences: recurrence, attention, positions.

    python3 tests/oracle/record_sequence.py

Writes tests/golden/sequence.json; see recorder.py for what a case is. What PyTorch lacks is written out here: lengths from 0,
rows of which nothing may be attended (they give 0).
"""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from recorder import case, filled, given, whole, write

cases = []
seed = 900_000


def next_seed():
    global seed
    seed += 1
    return seed


def x(*shape, scale=1.0, offset=0.0):
    return filled(next_seed(), list(shape), scale, offset)


def add(name, fn, inputs, args, **rest):
    cases.append(case(name, fn, inputs, args, seed=next_seed(), single=False, whole=True, **rest))


def stateful(make, **fill):
    """The names of a module's state, and inputs for them; `fill` has scales of some."""
    return {name: x(*p.shape, scale=fill.get(name, 0.5)) for name, p in make().state_dict().items()}


def layer_case(name, make, new, inputs, args, call, of, scales={}, **rest):
    """`call(module, *inputs)` with a module whose parameters are inputs of the case too."""
    state = stateful(make, **scales)
    first = len(inputs)

    def fn(*given):
        module = make().to(given[-1].dtype)
        if not rest.get("train"):
            module.eval()
        values = dict(zip(state, given[first:]))
        return torch.func.functional_call(Called(module, call), {f"module.{k}": v for k, v in values.items()}, given[:first])

    add(name, fn, [*inputs, *state.values()], args, new=new, state={k: f"${first + i}" for i, k in enumerate(state)}, of=of, **rest)


class Called(nn.Module):
    """Calls `call` with the module, so that its parameters may be given."""

    def __init__(self, module, call):
        super().__init__()
        self.module, self.call = module, call

    def forward(self, *given):
        return self.call(self.module, *given)


# ---------------------------------------------------------------- recurrence
def masked(module, xs, lengths, states):
    """Item by item, without its padding; an item of length 0 keeps its state."""
    lstm = isinstance(module, nn.LSTM)
    ys, ends = [], []
    for i, n in enumerate(lengths):
        own = tuple(s[:, i : i + 1].contiguous() for s in states)
        pad = xs.new_zeros(1, xs.shape[1] - n, module.hidden_size * (2 if module.bidirectional else 1))
        if n == 0:
            y, end = pad, own
        else:
            y, end = module(xs[i : i + 1, :n], own if lstm else own[0])
            y, end = torch.cat([y, pad], 1), end if lstm else (end,)
        ys.append(y)
        ends.append(end)
    return torch.cat(ys), tuple(torch.cat([e[k] for e in ends], 1) for k in range(len(states)))


def recurrent():
    kinds = [("RNN", nn.RNN, 1), ("GRU", nn.GRU, 1), ("LSTM", nn.LSTM, 2)]
    for name, kind, states in kinds:
        shapes = [
            (3, 5, 4, 4, 2, True, True, "lengths"),
            (2, 1, 4, 4, 3, False, False, "state"),
            (2, 4, 3, 5, 1, False, True, "plain"),
            (4, 3, 4, 4, 1, False, True, "lengths"),
            (1, 6, 1, 1, 2, True, False, "state"),
            (2, 3, 4, 4, 2, True, True, "end"),
        ]
        for b, n, inp, hidden, layers, both, bias, how in shapes[: {"RNN": 2, "GRU": 4, "LSTM": 6}[name]]:
            options = {"layers": layers, "bidirectional": both, "bias": bias}
            more = {}
            if name == "RNN" and how in ("lengths", "end"):
                options["nonlinearity"] = more["nonlinearity"] = "relu"
            make = lambda: kind(inp, hidden, num_layers=layers, bidirectional=both, bias=bias, batch_first=True, **more)
            width = layers * (2 if both else 1)
            carried = [x(width, b, hidden) for _ in range(states)] if how != "plain" else []
            pack = lambda given: None if not given else tuple(given) if states == 2 else given[0]
            names = [f"${1 + i}" for i in range(len(carried))]
            args = ["$0", names if states == 2 else names[0]] if carried else ["$0"]
            of, call = [0], lambda m, xs, *given: m(xs, pack(given))[0]
            if how == "end":
                of = [1] if states == 1 else [1, 1]
                call = lambda m, xs, *given: m(xs, pack(given))[1] if states == 1 else m(xs, pack(given))[1][1]
            if how == "lengths":
                lengths = [n, 2, 1] if b == 3 else [n, 0, 1, 2]
                args = [*args, {"lengths": lengths}]
                of = [0] if b == 3 else [1] if states == 1 else [1, 0]
                call = lambda m, xs, *given: masked(m, xs, lengths, given)[0] if b == 3 else masked(m, xs, lengths, given)[1][0]
            layer_case(f"nn.{name}", make, [inp, hidden, options], [x(b, n, inp), *carried], args, call, of)
        if name != "LSTM":
            continue
        # the whole state of a padded batch, both ways
        make = lambda: kind(2, 3, num_layers=2, bidirectional=True, batch_first=True)
        carried = [x(4, 3, 3) for _ in range(states)]
        names = [f"${1 + i}" for i in range(states)]
        layer_case(f"nn.{name}", make, [2, 3, {"layers": 2, "bidirectional": True}], [x(3, 4, 2), *carried],
                   ["$0", names if states == 2 else names[0], {"lengths": [3, 4, 0]}], lambda m, xs, *given: masked(m, xs, [3, 4, 0], given)[1][-1],
                   [1, 1] if states == 2 else [1])


# ---------------------------------------------------------------- attention
def attend(q, k, v, mask=None, causal=False, scale=None):
    """torch's own, but for rows that see nothing, which give 0; it refuses a mask beside `causal`."""
    n, m = q.shape[-2], k.shape[-2]
    if mask is not None and mask.dtype != torch.bool:
        mask = mask.to(q.dtype)
    if causal and mask is not None:
        below = torch.ones(n, m, dtype=torch.bool).tril()
        mask, causal = (mask & below) if mask.dtype == torch.bool else torch.where(below, mask, -torch.inf), False
    return F.scaled_dot_product_attention(q, k, v, mask, is_causal=causal, scale=scale, enable_gqa=q.dim() > 2 and q.shape[-3] != k.shape[-3])


def bools(*shape, p=0.6):
    return whole(np.random.RandomState(next_seed()).rand(*shape) < p, "bool")


def attention():
    for q, k, e, mask, options in [
        ([2, 4, 5, 8], [2, 4, 7, 8], 6, None, {}),
        ([2, 4, 8, 8], [2, 2, 8, 8], 8, None, {"causal": True}),
        ([1, 6, 3, 4], [1, 1, 9, 4], 5, None, {"scale": 0.3}),
        ([2, 2, 6, 4], [2, 2, 6, 4], 4, bools(2, 1, 1, 6), {"causal": True}),
        ([2, 4, 3, 4], [2, 2, 5, 4], 4, bools(2, 4, 3, 5), {}),
        ([2, 2, 5, 4], [2, 2, 5, 4], 4, x(5, 5, scale=2), {"causal": True}),
        ([3, 4, 4], [3, 6, 4], 2, bools(3, 4, 6, p=0.3), {}),
        ([4, 3], [5, 3], 3, None, {"causal": True}),
        ([1, 1, 1, 1], [1, 1, 1, 1], 1, None, {}),
        ([1, 2, 9, 4], [1, 2, 3, 4], 4, None, {"causal": True}),
        ([1, 2, 17, 4], [1, 2, 33, 4], 4, bools(17, 33, p=0.05), {}),
    ]:
        masks = [] if mask is None else [mask]
        args = ["$0", "$1", "$2", {**options, **({"mask": "$3"} if masks else {})}]
        add("ops.scaledDotProductAttention", lambda a, b, c, m=None: attend(a, b, c, m, **options), [x(*q, scale=2), x(*k, scale=2), x(*k[:-1], e), *masks], args)
    hidden = np.where(np.random.RandomState(1).rand(2, 1, 3, 4) < 0.5, -np.inf, 0.5).astype(np.float32)
    hidden[0, 0, 1] = -np.inf
    add("ops.scaledDotProductAttention", lambda a, b, c, m: attend(a, b, c, m), [x(2, 2, 3, 4), x(2, 2, 4, 4), x(2, 2, 4, 4), given(hidden)], ["$0", "$1", "$2", {"mask": "$3"}],
        constant=[3], about="a mask of -inf, and a row that sees nothing")


def multihead():
    """nn.MultiheadAttention: bool masks are true where nothing is seen; without weights, so that rows that see nothing give 0."""
    for (b, n, m), options, masks, extra in [
        ((2, 3, 3), {}, {}, {}),
        ((2, 4, 4), {"bias": False}, {"keyPaddingMask": bools(2, 4, p=0.3)}, {"causal": True}),
        ((1, 2, 5), {"kdim": 6, "vdim": 3}, {"mask": x(2, 5)}, {}),
        ((2, 3, 4), {}, {"mask": bools(3, 4, p=0.3), "keyPaddingMask": x(2, 4)}, {}),
        ((2, 3, 4), {}, {"mask": bools(4, 3, 4, p=0.3)}, {"weights": True}),
        ((2, 2, 3), {}, {}, {"weights": True, "averageWeights": False}),
    ]:
        dim, heads = 8, 2
        kdim, vdim = options.get("kdim", dim), options.get("vdim", dim)
        more = {k: v for k, v in options.items()}
        make = lambda: nn.MultiheadAttention(dim, heads, batch_first=True, **more)
        own = n == m
        inputs = [x(b, n, dim)] if own else [x(b, n, dim), x(b, m, kdim), x(b, m, vdim)]
        first, names = len(inputs), list(masks)
        asked = extra.get("weights", False)
        given_options = {**{k: f"${first + i}" for i, k in enumerate(names)}, **({"causal": True} if "causal" in extra else {}), **({"needWeights": True} if asked else {}),
                         **({"averageWeights": False} if "averageWeights" in extra else {})}

        def call(module, q, *rest):
            k, v = (q, q) if own else rest[:2]
            given_masks = dict(zip(names, rest[first - 1 :]))
            mask, padding = given_masks.get("mask"), given_masks.get("keyPaddingMask")
            added = q.new_zeros(b * heads, n, m)
            if mask is not None:
                added = added + (added.masked_fill(mask, -torch.inf) if mask.dtype == torch.bool else mask)
            if padding is not None:
                wide = padding.repeat_interleave(heads, 0)[:, None, :]
                added = added + (added.masked_fill(wide, -torch.inf) if padding.dtype == torch.bool else wide)
            if "causal" in extra:
                added = added.masked_fill(~torch.ones(n, m, dtype=torch.bool).tril(), -torch.inf)
            y, w = module(q, k, v, attn_mask=added, need_weights=asked, average_attn_weights=extra.get("averageWeights", True))
            return w if asked else y

        layer_case("nn.MultiheadAttention", make, [dim, heads, options], [*inputs, *masks.values()], [*[f"${i}" for i in range(first)], *(["$0", "$0"] if own else []), given_options],
                   call, [1 if asked else 0])


def transformers():
    names = {"dimFeedforward": "dim_feedforward", "normFirst": "norm_first", "layerNormEps": "layer_norm_eps"}
    theirs = lambda options: {names.get(k, k): v for k, v in options.items()}
    padding = whole([[0, 0, 0, 1], [0, 0, 1, 1]], "bool")
    causal = nn.Transformer.generate_square_subsequent_mask
    for options, ours in [({"dimFeedforward": 6}, {}), ({"dimFeedforward": 6, "normFirst": True, "activation": "gelu", "layerNormEps": 1e-3}, {"causal": True}),
                          ({"dimFeedforward": 5, "bias": False, "activation": "gelu"}, {"keyPaddingMask": "$1"})]:
        masks = [padding] if "keyPaddingMask" in ours else []
        kind = lambda: nn.TransformerEncoderLayer(8, 2, batch_first=True, **theirs(options))
        layer_case("nn.TransformerEncoderLayer", kind, [8, 2, options], [x(2, 4, 8), *masks], ["$0", ours],
                   lambda m, xs, pad=None: m(xs, src_mask=causal(4, dtype=xs.dtype) if "causal" in ours else None, src_key_padding_mask=pad), [])
    for options, ours in [({"dimFeedforward": 6}, {"causal": True}), ({"dimFeedforward": 6, "normFirst": True, "activation": "gelu"}, {"memoryKeyPaddingMask": "$2"})]:
        masks = [padding] if "memoryKeyPaddingMask" in ours else []
        kind = lambda: nn.TransformerDecoderLayer(8, 2, batch_first=True, **theirs(options))
        layer_case("nn.TransformerDecoderLayer", kind, [8, 2, options], [x(2, 3, 8), x(2, 4, 8), *masks], ["$0", "$1", ours],
                   lambda m, xs, memory, pad=None: m(xs, memory, tgt_mask=causal(3, dtype=xs.dtype) if "causal" in ours else None, memory_key_padding_mask=pad), [])


def positions():
    def turn(t, base, offset, interleaved, dims):
        """As transformers has it for Llama (halves) and GPT-J (neighbours), in the type of the input."""
        n, half = t.shape[-2], dims // 2
        angles = (torch.arange(n, dtype=t.dtype) + offset)[:, None] * base ** (-torch.arange(half, dtype=t.dtype) * 2 / dims)
        own, rest = t[..., :dims], t[..., dims:]
        if interleaved:
            a, b, cos, sin = own[..., ::2], own[..., 1::2], angles.cos(), angles.sin()
            y = torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)
        else:
            a, b = own[..., :half], own[..., half:]
            cos, sin = angles.cos(), angles.sin()
            y = torch.cat([a * cos - b * sin, b * cos + a * sin], -1)
        return torch.cat([y, rest], -1)

    for shape, options in [([2, 2, 5, 8], {}), ([3, 6], {"interleaved": True, "offset": 100}), ([1, 2, 4, 10], {"dims": 4, "base": 500}), ([2, 1, 2], {"dims": 2, "interleaved": True})]:
        full = {"base": 10000, "offset": 0, "interleaved": False, "dims": shape[-1], **options}
        add("ops.rotary", lambda t: turn(t, **full), [x(*shape)], ["$0", options])

    def waves(t, base, offset, halves):
        n, d = t.shape[-2:]
        angles = (torch.arange(n, dtype=t.dtype) + offset)[:, None] * base ** (-torch.arange(0, d, 2, dtype=t.dtype) / d)
        parts = [angles.sin(), angles.cos()]
        return t + (torch.cat(parts, -1) if halves else torch.stack(parts, -1).flatten(-2))

    add("nn.SinusoidalPositions", lambda t: waves(t, 10000, 0, False), [x(2, 5, 6)], ["$0"], new=[6])
    add("nn.SinusoidalPositions", lambda t: waves(t, 100, 7, True), [x(3, 4)], ["$0", 7], new=[4, {"base": 100, "layout": "halves"}])


def bags():
    index = lambda *shape: whole(np.random.RandomState(next_seed()).randint(0, 6, shape))
    for options, theirs, shape, offsets in [({}, {}, [3, 4], None), ({"mode": "sum", "paddingIdx": 2}, {"mode": "sum", "padding_idx": 2}, [5, 3], None),
                                           ({"paddingIdx": 1}, {"padding_idx": 1}, [4, 5], None), ({}, {}, [7], [0, 2, 2, 5]), ({"mode": "sum"}, {"mode": "sum"}, [4], [0, 4])]:
        places = [] if offsets is None else [whole(offsets)]
        layer_case("nn.EmbeddingBag", lambda: nn.EmbeddingBag(6, 4, **{"mode": "mean", **theirs}), [6, 4, options], [index(*shape), *places],
                   ["$0", *[f"$1" for _ in places]], lambda m, i, *at: m(i, *at), [])


def losses():
    """[b, n, classes] with padding that does not count."""
    ids = np.random.RandomState(next_seed()).randint(0, 5, [2, 4])
    ids[0, 2:] = ids[1, 3:] = -100
    for smoothing, reduction in [(0, "mean"), (0.1, "mean"), (0.1, "none"), (0, "sum")]:
        add("nn.CrossEntropyLoss", lambda p, t: F.cross_entropy(p.movedim(-1, 1), t, ignore_index=-100, label_smoothing=smoothing, reduction=reduction),
            [x(2, 4, 5, scale=2), whole(ids)], ["$0", "$1"], new=[{"axis": -1, "ignoreIndex": -100, "labelSmoothing": smoothing, "reduction": reduction}])


if __name__ == "__main__":
    recurrent()
    attention()
    multihead()
    transformers()
    positions()
    bags()
    losses()
    write("sequence.json", "python3 tests/oracle/record_sequence.py", cases)
