/**
 * Attention as products and row kernels over blocks of rows: of the matrix of scores there is never more than a block. Each block's
 * products are as fast as any other, on every adapter.
 *
 * @module
 */
import { type AttentionGradKernel, type AttentionKernel, LOWEST } from "../attention_kernel.ts";
import type { Inst, MapKernel, MatmulKernel, ReduceKernel, View } from "../contract.ts";

/** Bytes that a block of scores may take, where the queries take less. */
const BLOCK_BYTES = 2 ** 24;
/** What numbers of rows are rounded up to: a tile's. */
const ROWS = 16;

/** What attention is made of. */
type Part = MapKernel | ReduceKernel | MatmulKernel;

/** A body in the making; each call appends an instruction and gives its number. */
class Body {
  readonly list: Inst[] = [];

  add(inst: Inst): number {
    return this.list.push(inst) - 1;
  }

  value(value: number): number {
    return this.add({ k: "const", value, type: "f32" });
  }

  binary(op: Extract<Inst, { k: "binary" }>["op"], a: number, b: number): number {
    return this.add({ k: "binary", op, a, b });
  }

  select(cond: number, a: number, b: number): number {
    return this.add({ k: "select", cond, a, b });
  }
}

/** Rows that are worked on together: `rows` from `first` on, which see `keys` keys. */
interface Block {
  readonly first: number;
  readonly rows: number;
  readonly keys: number;
}

/**
 * Kernels that do what `kernel` does.
 *
 * @param scratch Gives a slot for at least so many bytes; every call another one.
 * @param blockBytes What a block of scores may take, unless 16 rows take more.
 */
export function expandAttention(
  kernel: AttentionKernel | AttentionGradKernel,
  scratch: (bytes: number) => number,
  blockBytes: number = Math.max(BLOCK_BYTES, kernel.batch * kernel.heads * kernel.n * kernel.d * 4),
): Part[] {
  const blocks = blocksOf(kernel, blockBytes);
  return kernel.op === "attention" ? forward(kernel, scratch, blocks) : backward(kernel, scratch, blocks);
}

/** Blocks of rows, in the order of their numbers. */
function blocksOf({ batch, heads, n, m, causal }: AttentionKernel | AttentionGradKernel, bytes: number): Block[] {
  const most = Math.max(ROWS, Math.floor(bytes / (batch * heads * m * 4) / ROWS) * ROWS);
  const count = Math.ceil(n / most), each = Math.ceil(n / count / ROWS) * ROWS;
  const blocks: Block[] = [];
  for (let first = 0; first < n; first += each) {
    const rows = Math.min(each, n - first);
    blocks.push({ first, rows, keys: causal ? Math.min(m, first + rows) : m });
  }
  return blocks;
}

/** A part of a view over `[batch, heads, rows, columns]`, as `[batch, heads of keys, heads that share them, rows, columns]`. */
function shared({ heads, kvHeads }: AttentionKernel | AttentionGradKernel, view: View, first = 0): View {
  const [b, h, r, c] = view.strides;
  return { ...view, offset: view.offset + first * r, strides: [b, h * (heads / kvHeads), h, r, c] };
}

/** The same of keys or values, which all heads that share them read. */
function repeated(view: View): View {
  const [b, h, r, c] = view.strides;
  return { ...view, strides: [b, h, 0, r, c] };
}

function turned(view: View): View {
  const [r, c] = view.strides.slice(-2);
  return { ...view, strides: [...view.strides.slice(0, -2), c, r] };
}

/** Rows of scores in scratch memory, as `[batch, kvHeads, group, rows, keys]`. */
function blockView(kernel: AttentionKernel | AttentionGradKernel, slot: number, { rows, keys }: Block): View {
  const { heads, kvHeads } = kernel, size = rows * keys;
  return { slot, dtype: "f32", offset: 0, strides: [heads * size, heads / kvHeads * size, size, keys, 1] };
}

/** Bytes of the largest block. */
function bytesOf({ batch, heads }: AttentionKernel | AttentionGradKernel, blocks: readonly Block[]): number {
  return batch * heads * 4 * Math.max(...blocks.map(({ rows, keys }) => rows * keys));
}

/** A product with its axes of matrices folded where all views allow it. */
function product(kernel: MatmulKernel): MatmulKernel {
  let { batch, a, b } = kernel, body = [...kernel.body], outs = [...kernel.outs];
  const drop = (axis: number, size: number) => {
    // the axis goes, or becomes one with the next, whose strides then are right for both
    const strides = (s: readonly number[]) => s.filter((_, i) => i !== axis);
    batch = batch.flatMap((n, i) => i === axis ? [] : i === axis + 1 ? [n * size] : [n]);
    [a, b] = [a, b].map((view) => ({ ...view, strides: strides(view.strides) }));
    outs = outs.map((out) => ({ ...out, view: { ...out.view, strides: strides(out.view.strides) } }));
    body = body.map((inst) =>
      inst.k === "load"
        ? { ...inst, view: { ...inst.view, strides: strides(inst.view.strides) } }
        : inst.k === "coord"
        ? { ...inst, strides: strides(inst.strides) }
        : inst
    );
  };
  const forms = (): { readonly strides: readonly number[] }[] => {
    const inside = body.flatMap((inst): { readonly strides: readonly number[] }[] =>
      inst.k === "load" ? [inst.view] : inst.k === "coord" ? [inst] : []
    );
    return [a, b, ...outs.map((o) => o.view), ...inside];
  };
  for (let axis = batch.length - 1; axis >= 0; axis--) {
    if (batch[axis] === 1) drop(axis, 1);
    else if (axis + 1 < batch.length && forms().every(({ strides: s }) => s[axis] === s[axis + 1] * batch[axis + 1])) {
      drop(axis, batch[axis]);
    }
  }
  return { ...kernel, batch, a, b, body, outs };
}

/** Appends the scores of a block, scaled and masked, from the product `acc`; the domain is `[batch, kvHeads, group, rows, keys]`. */
function scores(kernel: AttentionKernel | AttentionGradKernel, { first }: Block, body: Body): number {
  const { scale, mask, causal } = kernel;
  let s = body.add({ k: "acc" });
  if (scale !== 1) s = body.binary("mul", s, body.value(scale));
  const hidden = body.value(-Infinity);
  if (mask !== undefined) {
    const seen = body.add({ k: "load", view: shared(kernel, mask, first) });
    s = mask.dtype === "bool"
      ? body.select(seen, s, hidden)
      : body.select(body.binary("gt", seen, body.value(LOWEST)), body.binary("add", s, seen), hidden);
  }
  if (!causal) return s;
  const ahead = body.add({ k: "coord", offset: first, strides: [0, 0, 0, 1, -1] }); // row - key
  return body.select(body.binary("ge", ahead, body.add({ k: "const", value: 0, type: "i32" })), s, hidden);
}

/** Appends what the block's weights are multiplied by. */
function kept(
  kernel: AttentionKernel | AttentionGradKernel,
  index: { offset: number; strides: readonly number[] },
  body: Body,
): number {
  const { p, seed, stream } = kernel.dropout!;
  const chance = body.add({ k: "scalar", word: p, type: "f32" });
  const number = body.add({ k: "random", dist: "uniform", seed, stream, index: body.add({ k: "coord", ...index }) });
  const one = body.value(1);
  const more = body.binary("div", one, body.binary("sub", one, chance));
  return body.select(body.binary("ge", number, chance), more, body.value(0));
}

/** The index of a block's weights among all of them. */
function weightIndex({ heads, kvHeads, n, m }: AttentionKernel | AttentionGradKernel, { first }: Block) {
  return { offset: first * m, strides: [heads * n * m, heads / kvHeads * n * m, n * m, m, 1] };
}

/** `[batch, kvHeads, group]` */
function groupsOf({ batch, heads, kvHeads }: AttentionKernel | AttentionGradKernel): number[] {
  return [batch, kvHeads, heads / kvHeads];
}

function forward(
  kernel: AttentionKernel,
  scratch: (bytes: number) => number,
  blocks: readonly Block[],
): Part[] {
  const { batch, heads, n, d, dv, q, k, v, dropout, out } = kernel;
  const slot = scratch(bytesOf(kernel, blocks));
  const y: View = { ...out, strides: [n * heads * dv, dv, heads * dv, 1] };
  const logs: View = { ...out, offset: out.offset + batch * n * heads * dv, strides: [heads * n, n, 1, 0] };
  return blocks.flatMap((block): Part[] => {
    const { first, rows, keys } = block, at = blockView(kernel, slot, block);
    const raw = new Body(), value = scores(kernel, block, raw);
    // softmax of rows; those that are masked altogether are 0
    const row = new Body(), flat: View = { ...at, strides: [heads * rows * keys, rows * keys, keys, 1] };
    const s = row.add({ k: "load", view: flat }), zero = row.value(0);
    const most = row.add({ k: "reduce", kind: "max", a: s });
    const base = row.select(row.binary("eq", most, row.value(-Infinity)), zero, most);
    const power = row.add({ k: "unary", op: "exp", a: row.binary("sub", s, base) });
    const total = row.add({ k: "reduce", kind: "sum", a: power });
    const empty = row.binary("eq", total, zero);
    let weight = row.select(empty, zero, row.binary("div", power, total));
    const log = row.select(empty, zero, row.binary("add", base, row.add({ k: "unary", op: "log", a: total })));
    if (dropout !== undefined) {
      const index = { offset: first * kernel.m, strides: [heads * n * kernel.m, n * kernel.m, kernel.m, 1] };
      weight = row.binary("mul", weight, kept(kernel, index, row));
    }
    return [
      product({
        op: "matmul",
        batch: groupsOf(kernel),
        m: rows,
        n: keys,
        k: d,
        a: shared(kernel, q, first),
        b: turned(repeated(k)),
        body: raw.list,
        outs: [{ view: at, value }],
      }),
      {
        op: "reduce",
        outer: [batch, heads, rows],
        inner: [keys],
        body: row.list,
        outs: [{ view: flat, value: weight, perRow: false }, {
          view: { ...logs, offset: logs.offset + first },
          value: log,
          perRow: true,
        }],
      },
      product({
        op: "matmul",
        batch: groupsOf(kernel),
        m: rows,
        n: dv,
        k: keys,
        a: at,
        b: repeated(v),
        body: [{ k: "acc" }],
        outs: [{ view: shared(kernel, y, first), value: 0 }],
      }),
    ];
  });
}

function backward(
  kernel: AttentionGradKernel,
  scratch: (bytes: number) => number,
  blocks: readonly Block[],
): Part[] {
  const { batch, heads, kvHeads, n, m, d, dv, scale, q, k, v, dy, dropout, out } = kernel;
  const group = heads / kvHeads, bytes = bytesOf(kernel, blocks);
  const [weightSlot, scoreSlot, deltaSlot] = [scratch(bytes), scratch(bytes), scratch(batch * heads * n * 4)];
  const keptSlot = dropout === undefined ? weightSlot : scratch(bytes);
  const y: View = { ...kernel.y, strides: [n * heads * dv, dv, heads * dv, 1] };
  const logs: View = { ...kernel.y, offset: kernel.y.offset + batch * n * heads * dv, strides: [heads * n, n, 1, 0] };
  const delta: View = { slot: deltaSlot, dtype: "f32", offset: 0, strides: [heads * n, n, 1, 0] };
  const toQ: View = { ...out, strides: [n * heads * d, d, heads * d, 1] };
  const toK: View = {
    ...out,
    offset: out.offset + batch * n * heads * d,
    strides: [m * kvHeads * d, d, kvHeads * d, 1],
  };
  const toV: View = {
    ...out,
    offset: toK.offset + batch * m * kvHeads * d,
    strides: [m * kvHeads * dv, dv, kvHeads * dv, 1],
  };
  const kernels: Part[] = [{
    op: "reduce",
    outer: [batch, heads, n],
    inner: [dv],
    body: [
      { k: "load", view: dy },
      { k: "load", view: y },
      { k: "binary", op: "mul", a: 0, b: 1 },
      { k: "reduce", kind: "sum", a: 2 },
    ],
    outs: [{ view: delta, value: 3, perRow: true }],
  }];
  // the last block sees the most keys: it comes first, and the others add to what it has stored
  const last = blocks[blocks.length - 1];
  for (const [view, columns] of [[toK, d], [toV, dv]] as const) {
    if (last.keys === m) break;
    kernels.push({
      op: "map",
      shape: [batch, kvHeads, m - last.keys, columns],
      body: [{ k: "const", value: 0, type: "f32" }],
      outs: [{ view: { ...view, offset: view.offset + last.keys * view.strides[2] }, value: 0 }],
    });
  }
  for (const block of blocks.toReversed()) {
    const { first, rows, keys } = block;
    const weights = blockView(kernel, weightSlot, block), ds = blockView(kernel, scoreSlot, block);
    const dropped = blockView(kernel, keptSlot, block);
    const common = { op: "matmul", batch: groupsOf(kernel), m: rows } as const;
    const p = new Body(), score = scores(kernel, block, p);
    const log = p.add({ k: "load", view: shared(kernel, logs, first) });
    const weight = p.add({ k: "unary", op: "exp", a: p.binary("sub", score, log) });
    const outs = [{ view: weights, value: weight }];
    if (dropout !== undefined) {
      outs.push({ view: dropped, value: p.binary("mul", weight, kept(kernel, weightIndex(kernel, block), p)) });
    }
    // dS = P (dP - delta), and of dropped weights drop(P) dP - P delta
    const g = new Body(), acc = g.add({ k: "acc" }), own = g.add({ k: "load", view: weights });
    const below = g.binary("mul", own, g.add({ k: "load", view: shared(kernel, delta, first) }));
    const above = g.binary("mul", dropout === undefined ? own : g.add({ k: "load", view: dropped }), acc);
    const gradient = g.binary("mul", g.binary("sub", above, below), g.value(scale));
    kernels.push(
      product({
        ...common,
        n: keys,
        k: d,
        a: shared(kernel, q, first),
        b: turned(repeated(k)),
        body: p.list,
        outs,
      }),
      product({
        ...common,
        n: keys,
        k: dv,
        a: shared(kernel, dy, first),
        b: turned(repeated(v)),
        body: g.list,
        outs: [{ view: ds, value: gradient }],
      }),
      product({
        ...common,
        n: d,
        k: keys,
        a: ds,
        b: repeated(k),
        body: [{ k: "acc" }],
        outs: [{ view: shared(kernel, toQ, first), value: 0 }],
      }),
    );
    for (let shares = 0; shares < group; shares++) {
      const fresh = block === last && shares === 0;
      const one = (view: View): View => {
        const [b, h, g2, r, c] = view.strides;
        return { ...view, offset: view.offset + shares * g2, strides: [b, h, r, c] };
      };
      const sum = (scored: View, by: View, columns: number, to: View): MatmulKernel => ({
        op: "matmul",
        batch: [batch, kvHeads],
        m: keys,
        n: columns,
        k: rows,
        a: turned(one(scored)),
        b: one(shared(kernel, by, first)),
        body: fresh ? [{ k: "acc" }] : [{ k: "load", view: to }, { k: "acc" }, { k: "binary", op: "add", a: 0, b: 1 }],
        outs: [{ view: to, value: fresh ? 0 : 2 }],
      });
      kernels.push(product(sum(dropped, dy, dv, toV)), product(sum(ds, q, d, toK)));
    }
  }
  return kernels;
}
