/**
 * Products and convolutions of the tiles in `tiles.ts`, with text for how each operand lies and a generated epilogue.
 *
 * @module
 */
import type { ConvKernel, MatmulKernel } from "../../contract.ts";
import { CONV_SHARED } from "../wgsl.gen.ts";
import {
  baseText,
  chunksOf,
  operandText,
  partialsOut,
  planFold,
  type Product,
  productOf,
  three,
} from "./conv_parts.ts";
import { withConstants, writeEpilogue } from "./epilogue.ts";
import { guardsText } from "./guards.ts";
import { layoutOf, operandText as blocksText } from "./operands.ts";
import { type Dispatch, fold, type PlanContext, sizeOf } from "./plan.ts";
import { chunksOfTerms, type Source, tileText, type Tiling, TILINGS } from "./tiles.ts";
import { leftTerms, rightTerms, windowBlocks } from "./window_blocks.ts";
import { Words } from "./words.ts";

const CONSTANTS = "@group(0) @binding(0) var<uniform> K: array<vec4u, 4>;";

/** Blocks of an operand that any strides allow; beyond its end, terms are 0. */
const BLOCKS = `
fn a_or_0(base: u32, m: u32, k: u32) -> f32 {
  return select(0.0, a_at(base, min(m, K[0].x - 1u), min(k, K[0].z - 1u)), k < K[0].z);
}
fn b_or_0(base: u32, k: u32, n: u32) -> f32 {
  return select(0.0, b_at(base, min(k, K[0].z - 1u), min(n, K[0].y - 1u)), k < K[0].z);
}
fn a_line(base: u32, m: u32, k: u32) -> vec4f {
  return vec4f(a_or_0(base, m, k), a_or_0(base, m + 1u, k), a_or_0(base, m + 2u, k), a_or_0(base, m + 3u, k));
}
fn b_line(base: u32, k: u32, n: u32) -> vec4f {
  return vec4f(b_or_0(base, k, n), b_or_0(base, k, n + 1u), b_or_0(base, k, n + 2u), b_or_0(base, k, n + 3u));
}
fn a_terms(base: u32, m: u32, k: u32) -> mat4x4f {
  if (k + 4u <= K[0].z) {
    return transpose(a_block(base, m, k));
  }
  return mat4x4f(a_line(base, m, k), a_line(base, m, k + 1u), a_line(base, m, k + 2u), a_line(base, m, k + 3u));
}
fn b_terms(base: u32, k: u32, n: u32) -> mat4x4f {
  if (k + 4u <= K[0].z) {
    return b_block(base, k, n);
  }
  return mat4x4f(b_line(base, k, n), b_line(base, k + 1u, n), b_line(base, k + 2u, n), b_line(base, k + 3u, n));
}
`;

/** Plans a product, with a second dispatch for the sum of the chunks where long sums are cut into some. */
export function planMatmulTiled(kernel: MatmulKernel, context: PlanContext, label: string): Dispatch[] {
  const { batch, m, n, k, a, b } = kernel, batches = sizeOf(batch);
  const tiling: Tiling = TILINGS[context.tiling({ kind: "matmul", batches, m, n, k })];
  const { chunk, chunks } = chunksOfTerms(batches * Math.ceil(m / 64) * Math.ceil(n / 64), k);
  const [x, y] = fold(chunks * batches * Math.ceil(m / tiling.high) * Math.ceil(n / tiling.wide));
  const words = new Words([
    m,
    n,
    k,
    batches,
    ...a.strides.slice(-2),
    ...b.strides.slice(-2),
    x,
    tiling.deep,
    chunks,
    chunk,
  ]);
  const params = a.dyn !== undefined || b.dyn !== undefined;
  const product: Product = {
    ...{ batch, m, k: [1, 1, k], n: [1, 1, n], terms: k, places: n, axes: [n], kDepth: 1, nDepth: 1 },
    ...{ body: kernel.body, outs: kernel.outs, uniformParams: context.uniformParams, halves: context.halves },
  };
  const out = outOf({ product, chunks, words, params, context });
  const operands = [{ name: "a", view: a, ends: [m, k] }, { name: "b", view: b, ends: [k, n] }] as const;
  const layouts = operands.map(({ view, ends }) => layoutOf(view, ends));
  const texts = operands.map(({ name, view }, i) =>
    blocksText({ name, view, layout: layouts[i], halves: context.halves }, batch, words, out.epilogue.access)
      .replace("i < K[2].z", "i < 4u")
  );
  // neighbouring threads read neighbouring elements
  const left: Source = {
    start: () => [],
    fetch: (_, across, deep) => `a_terms(a_from, m + 4u * ${across}, k + ${deep})`,
    termsFirst: layouts[0] === "rows",
  };
  const right: Source = {
    start: () => [],
    fetch: (_, across, deep) => `b_terms(b_from, k + ${deep}, n + 4u * ${across})`,
    termsFirst: layouts[1] === "columns",
  };
  const main = tileText({
    ...{
      tiling,
      lanes: context.lanes,
      a: left,
      b: right,
      rounds: "K[2].y",
      width: "K[2].x",
      chunks: "K[2].z",
      chunk: "K[2].w",
    },
    start: ["let a_from = a_base(batch);", "let b_from = b_base(batch);"],
  });
  return [
    {
      label,
      text: withConstants([CONSTANTS, ...texts, out.epilogue.text, BLOCKS, main].join("\n"), words),
      overrides: {},
      constants: words.toArray(),
      bindings: [
        ...operands.map(({ view }) => ({ slot: view.slot, writable: false })),
        ...out.epilogue.bindings,
      ],
      grid: [x, y],
    },
    ...out.fold(label),
  ];
}

/** What becomes of the tiles: the kernel's outputs, or partial sums and a kernel that adds them in their order. */
function outOf({ product, chunks, words, params, context }: {
  readonly product: Product;
  readonly chunks: number;
  readonly words: Words;
  readonly params: boolean;
  readonly context: PlanContext;
}) {
  const { m, places, uniformParams, axes } = product;
  if (chunks === 1) {
    return { epilogue: writeEpilogue({ ...product, n: axes, words, params, binding: 3 }), fold: () => [] };
  }
  const quads = Math.ceil(places / 4);
  const scratch = context.scratch(chunks * sizeOf(product.batch) * m * quads * 16);
  const epilogue = partialsOut({
    scratch,
    params,
    uniformParams,
    text: [
      "fn epilogue(b: u32, m: u32, n: u32, acc: vec4f) {",
      "  partials[(b * K[0].x + m) * ((K[0].y + 3u) / 4u) + n / 4u] = acc;",
      "}",
    ],
  });
  const fold = (label: string) => [planFold({ product, chunks, quads, line: quads, row: places, scratch, label })];
  return { epilogue, fold };
}

/** Windows as the hand-written kernel has them. */
const PLACES = CONV_SHARED.slice(
  CONV_SHARED.indexOf("struct Places"),
  CONV_SHARED.indexOf("fn b_line"),
);
const ADVANCE = CONV_SHARED.slice(
  CONV_SHARED.indexOf("fn advance"),
  CONV_SHARED.indexOf("fn row1"),
);

/** Plans a product over windows, with a second dispatch for the sum of the chunks where long sums are cut into some. */
export function planConvTiled(kernel: ConvKernel, context: PlanContext, label: string): Dispatch[] {
  const { groups, m, a, b } = kernel;
  const product = productOf(kernel, context);
  const { k, n, terms, places, kDepth, nDepth, halves } = product;
  const tiling: Tiling = TILINGS[context.tiling({ kind: "conv", batches: groups, m, n: places, k: terms })];
  const { chunk, chunks } = chunksOf(product);
  const [x, y] = fold(chunks * groups * Math.ceil(m / tiling.high) * Math.ceil(places / tiling.wide));
  const { deep } = tiling;
  const words = new Words([
    ...[m, places, terms, groups],
    ...[k[1], k[2], n[1], n[2]],
    ...[a.strides[1], ...three(a.strides.slice(2), 0)],
    ...[...three(b.strides.slice(1, 1 + kDepth), 0), chunks],
    ...[...three(b.strides.slice(1 + kDepth), 0), chunk],
    ...[x, deep, 0, 0],
    ...[Math.floor(deep / (k[1] * k[2])), Math.floor(deep / k[2]) % k[1], deep % k[2], 0],
  ]);
  const out = outOf({ product, chunks, words, params: a.dyn !== undefined || b.dyn !== undefined, context });
  const base = baseText(words, out.epilogue.access), blocks = windowBlocks(kernel);
  const terms3 = (share: number, deep: string) => [
    `let start${share} = first + ${deep};`,
    `var k${share} = vec3u(start${share} / (K[1].x * K[1].y), (start${share} / K[1].y) % K[1].x, start${share} % K[1].y);`,
  ];
  const next = (share: number) => [`k${share} = advance(k${share}, K[6].xyz);`];
  const left: Source = {
    start: (share, across, deep) => [
      `let rows${share} = vec4u(a_base(batch)) + min(vec4u(m + 4u * ${across}) + vec4u(0u, 1u, 2u, 3u), vec4u(K[0].x - 1u)) * K[2].x;`,
      ...terms3(share, deep),
    ],
    fetch: (share, _, deep) => `a_terms(rows${share}, k${share}, k + ${deep}, end)`,
    next,
    termsFirst: blocks.a.termsFirst,
  };
  const right: Source = {
    start: (share, across, deep) => [`let place${share} = places(batch, n + 4u * ${across});`, ...terms3(share, deep)],
    fetch: (share, _, deep) => `b_terms(place${share}, k${share}, k + ${deep}, end)`,
    next,
    termsFirst: blocks.b.termsFirst,
  };
  const main = tileText({
    ...{
      tiling,
      lanes: context.lanes,
      a: left,
      b: right,
      rounds: "K[5].y",
      width: "K[5].x",
      chunks: "K[3].w",
      chunk: "K[4].w",
      start: [],
    },
  });
  const parts = [
    CONSTANTS,
    operandText({ name: "a", binding: 1, dtype: a.dtype, halves, vectors: blocks.a.vectors !== "none" }, base(a)),
    operandText({ name: "b", binding: 2, dtype: b.dtype, halves, vectors: blocks.b.vectors !== "none" }, base(b)),
    guardsText(kernel.guards, { words, kDepth, nDepth }),
    out.epilogue.text,
    PLACES,
    ADVANCE,
    leftTerms(blocks.a.vectors),
    rightTerms(blocks.b.vectors),
    main,
  ];
  return [
    {
      label,
      text: withConstants(parts.join("\n"), words),
      overrides: {},
      constants: words.toArray(),
      bindings: [{ slot: a.slot, writable: false }, { slot: b.slot, writable: false }, ...out.epilogue.bindings],
      grid: [x, y],
    },
    ...out.fold(label),
  ];
}
