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
        module = make().to(given[0].dtype)
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


if __name__ == "__main__":
    recurrent()
    attention()
    write("sequence.json", "python3 tests/oracle/record_sequence.py", cases)
