/**
 * Programs with attention and its gradient: sizes that end within blocks, masks, grouped heads, dropout, operands that lie in any way.
 *
 * @module
 */
import { contiguousStrides } from "../../src/base/shape.ts";
import type { View } from "../../src/device/contract.ts";
import { fillF32 as fill } from "./fill.ts";
import { CaseBuilder, type ProgramCase, type Tolerance } from "./programs_builder.ts";

interface Sizes {
  readonly batch?: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly n: number;
  readonly m?: number;
  readonly d: number;
  readonly dv?: number;
}

interface Options {
  readonly causal?: boolean;
  /** Axes of `[batch, heads, n, m]` along which the mask is repeated. */
  readonly mask?: { readonly dtype: "bool" | "f32"; readonly repeated?: readonly number[]; readonly hidden?: boolean };
  readonly p?: number;
  /** Whether heads lie beside each other in memory: `[batch, rows, heads, columns]`, q, k and v in one. */
  readonly packed?: boolean;
}

/** All attention cases. */
export function attentionCases(): ProgramCase[] {
  const cases: ProgramCase[] = [];
  const add = (note: string, sizes: Sizes, options: Options = {}) =>
    cases.push(forwardCase(note, sizes, options), gradientCase(note, sizes, options));
  add("of one row, one key, one column", { n: 1, d: 1 });
  add("of 5 rows", { batch: 2, heads: 2, n: 5, m: 3, d: 4 });
  add("of one row and 300 keys", { heads: 3, n: 1, m: 300, d: 5 });
  add("of 67 rows, causal", { heads: 2, n: 67, d: 16 }, { causal: true });
  add("of 130 rows and 259 keys, odd columns", { n: 130, m: 259, d: 7, dv: 3 });
  add("of 130 rows and 259 keys, causal", { n: 130, m: 259, d: 9 }, { causal: true });
  add("of 140 rows, causal, more rows than keys", { n: 140, m: 20, d: 8 }, { causal: true });
  add("of 270 rows, causal, heads beside each other", { heads: 2, n: 270, d: 8 }, {
    causal: true,
    packed: true,
  });
  add("of 6 heads on 2 of keys", { batch: 2, heads: 6, kvHeads: 2, n: 33, m: 30, d: 12, dv: 20 });
  add("with a mask of keys", { batch: 3, heads: 2, n: 12, m: 37, d: 8 }, { mask: { dtype: "bool", repeated: [1, 2] } });
  add("with a mask that hides whole rows", { heads: 2, n: 20, m: 20, d: 8 }, {
    mask: { dtype: "bool", hidden: true },
    causal: true,
  });
  add("with a mask of rows", { n: 9, m: 6, d: 8 }, { mask: { dtype: "bool", repeated: [3], hidden: true } });
  add("with added numbers", { batch: 2, heads: 2, n: 66, m: 70, d: 8 }, { mask: { dtype: "f32", repeated: [0] } });
  add("with added numbers, -infinity among them", { n: 6, m: 7, d: 3 }, { mask: { dtype: "f32", hidden: true } });
  add("with dropout", { batch: 2, heads: 2, n: 9, m: 263, d: 16 }, { p: 0.25 });
  add("with dropout, causal", { heads: 2, n: 70, d: 4 }, { p: 0.5, causal: true });
  return cases;
}

function tolerance({ n, m = n, d, dv = d }: Sizes): Tolerance {
  // exponentials of scores that are sums of d products each, then sums over rows or keys
  return { rel: 4e-5, abs: 1.5e-6 * Math.sqrt(d + dv) * Math.log2(n + m + 2) };
}

/** The operands that both directions read. */
function inputs(
  c: CaseBuilder,
  { batch = 1, heads = 1, kvHeads = heads, n, m = n, d, dv = d }: Sizes,
  options: Options,
) {
  const { causal = false, mask, p, packed = false } = options;
  const operand = (rows: number, of: number, columns: number, seed: number): View => {
    const shape = [batch, of, rows, columns];
    const slot = c.input(fill(seed, batch * of * rows * columns));
    const strides = packed ? [rows * of * columns, columns, of * columns, 1] : contiguousStrides(shape);
    return c.view(slot, shape, { strides });
  };
  let q: View, k: View, v: View;
  if (packed) {
    const slot = c.input(fill(7, batch * n * heads * 3 * d));
    [q, k, v] = [0, 1, 2].map((i) =>
      c.view(slot, [batch, heads, n, d], { strides: [n * heads * 3 * d, d, heads * 3 * d, 1], offset: i * heads * d })
    );
  } else [q, k, v] = [operand(n, heads, d, 1), operand(m, kvHeads, d, 2), operand(m, kvHeads, dv, 3)];
  const maskView = (): View => {
    const whole = [batch, heads, n, m];
    const own = whole.map((size, i) => mask!.repeated?.includes(i) ? 1 : size);
    const strides = contiguousStrides(own).map((s, i) => own[i] === 1 ? 0 : s);
    const numbers = fill(4, own.reduce((a, b) => a * b, 1));
    const rowsOf = own[3];
    const hides = (i: number) => mask!.hidden === true && Math.floor(i / rowsOf) % 3 === 1;
    const data = mask!.dtype === "bool"
      ? Uint32Array.from(numbers, (x, i) => x > -0.3 && !hides(i) ? 1 : 0)
      : numbers.map((x, i) => hides(i) || (mask!.hidden && x > 0.5) ? (x > 0 ? -Infinity : -3.4028234663852886e38) : x);
    return c.view(c.input(data, mask!.dtype), whole, { strides });
  };
  const dropout = () => {
    const seed = c.words(Uint32Array.of(0x12345678, 0x9abcdef0)), stream = c.words(Uint32Array.of(17));
    return { p: c.words(Float32Array.of(p!)), seed, stream };
  };
  return {
    batch,
    heads,
    kvHeads,
    n,
    m,
    d,
    dv,
    scale: Math.fround(1 / Math.sqrt(d)),
    causal,
    q,
    k,
    v,
    ...(mask ? { mask: maskView() } : {}),
    ...(p === undefined ? {} : { dropout: dropout() }),
  };
}

function forwardCase(note: string, sizes: Sizes, options: Options): ProgramCase {
  const c = new CaseBuilder(`attention ${note}`, tolerance(sizes));
  const given = inputs(c, sizes, options);
  const size = given.batch * given.heads * given.n * (given.dv + 1);
  const out = c.view(c.output("f32", size + 3), [size], { offset: 3 });
  return c.kernel({ op: "attention", ...given, out }).build();
}

function gradientCase(note: string, sizes: Sizes, options: Options): ProgramCase {
  const c = new CaseBuilder(`gradient of attention ${note}`, tolerance(sizes));
  const given = inputs(c, sizes, options);
  const { batch, heads, kvHeads, n, m, d, dv } = given;
  const size = batch * heads * n * (dv + 1), all = batch * (n * heads * d + m * kvHeads * (d + dv));
  const shape = [batch, heads, n, dv];
  const strides = options.packed ? [n * heads * dv, dv, heads * dv, 1] : contiguousStrides(shape);
  const dy = c.view(c.input(fill(5, batch * heads * n * dv)), shape, { strides });
  const y = c.view(c.temporary("f32", size), [size]);
  const out = c.view(c.output("f32", all), [all]);
  return c.kernel({ op: "attention", ...given, out: y }).kernel({ op: "attentionGrad", ...given, dy, y, out }).build();
}
