/**
 * Products over windows on adapters that run on a CPU. There a load costs as much as dozens of multiplications, but for
 * uniforms at addresses that all threads share: the left operand is repacked, and bound in pieces as uniforms.
 *
 * @module
 */
import type { ConvKernel } from "../../contract.ts";
import { CONV_PACK, CONV_UNIFORM } from "../wgsl.gen.ts";
import { Access, PARAM_VECTORS } from "./access.ts";
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
import { type Epilogue, splice, withConstants, writeEpilogue } from "./epilogue.ts";
import { guardsText } from "./guards.ts";
import { type Dispatch, fold, type PlanContext } from "./plan.ts";
import { type WindowLayout, windowLayout, WINDOWS } from "./windows.ts";
import { Words } from "./words.ts";

/** Rows of a tile, quads of a thread, threads. */
const ROWS = 16;
const QUADS = 2;
const WG = 8;
/** Terms of a tile that are bound at once: a uniform binding's 64 KiB. */
const MOST_TERMS = PARAM_VECTORS * 4 / ROWS;

const STORED = CONV_UNIFORM.replace(
  /var<uniform> a_data: array<vec4f, \d+>/,
  "var<storage, read> a_data: array<vec4f>",
);

/** How the work is tiled and partitioned. */
interface Partition {
  /** Terms of a chunk, and chunks: partial sums that are added up at the end. */
  readonly chunk: number;
  readonly chunks: number;
  /** Terms of a part of a chunk, a multiple of 4, and parts: each starts from what the one before left. */
  readonly part: number;
  readonly parts: number;
  /** Tiles of 16 rows in a group, in all groups and chunks, and in one dispatch. */
  readonly high: number;
  readonly tiles: number;
  readonly most: number;
  /** Whether partial sums are kept. */
  readonly partial: boolean;
  /** Whether the left operand is bound as uniforms; in one piece as storage otherwise. */
  readonly uniform: boolean;
}

/** Workgroups of a dispatch below which its launch costs more than uniforms save. */
const FEWEST_GROUPS = 4;

function partition(product: Product, strips: number): Partition {
  const { chunk, chunks } = chunksOf(product);
  const high = Math.ceil(product.m / ROWS);
  const tiles = chunks * product.batch[0] * high;
  const parts = Math.ceil(chunk / MOST_TERMS);
  const part = Math.ceil(chunk / parts / 4) * 4;
  const dispatches = Math.ceil(tiles / Math.floor(MOST_TERMS / part));
  const most = Math.ceil(tiles / dispatches);
  const rest = { chunk, chunks, high, tiles };
  if (dispatches * parts > 1 && most * strips < FEWEST_GROUPS) {
    const whole = Math.ceil(chunk / 4) * 4;
    return { ...rest, part: whole, parts: 1, most: tiles, partial: chunks > 1, uniform: false };
  }
  return { ...rest, part, parts, most, partial: chunks * parts > 1, uniform: true };
}

/** Bytes that the left operand takes as it is laid out. */
export function packedBytes(kernel: ConvKernel, context: PlanContext): number {
  return packedSize(workOf(kernel, context).work) * 4;
}

// the last piece is bound with 64 KiB too
function packedSize({ tiles, parts, part }: Partition): number {
  return tiles * parts * part * ROWS + PARAM_VECTORS * 4;
}

function workOf(kernel: ConvKernel, context: PlanContext) {
  const product = productOf(kernel, context);
  const layout = windowLayout(kernel);
  const row = layout === "flat" ? product.places : product.n[2];
  const line = Math.ceil(row / 4);
  const quads = product.places / row * line;
  return { product, layout, row, line, quads, work: partition(product, Math.ceil(quads / (QUADS * WG))) };
}

/** Plans the layout of the left operand, the product piece by piece, and the sum of the chunks where there are some. */
export function planConvUniform(kernel: ConvKernel, context: PlanContext, label: string): Dispatch[] {
  const { product, layout, row, line, quads, work } = workOf(kernel, context);
  const { parts, tiles, most, chunks, partial } = work;
  const packed = context.scratch(packedSize(work) * 4);
  const scratch = partial ? context.scratch(chunks * product.batch[0] * product.m * quads * 16) : -1;
  const pieces: Piece[] = [];
  for (let i = 0; i < parts; i++) {
    for (let first = 0; first < tiles; first += most) {
      pieces.push({ index: i, first, count: Math.min(most, tiles - first) });
    }
  }
  const shape = { kernel, product, work, layout, row, line, quads, packed, scratch, label };
  return [
    planPack(shape),
    ...pieces.map((piece) => planPiece(shape, piece)),
    ...(partial ? [planFold({ product, chunks, quads, line, row, scratch, label })] : []),
  ];
}

interface Shape {
  readonly kernel: ConvKernel;
  readonly product: Product;
  readonly work: Partition;
  readonly layout: WindowLayout;
  readonly row: number;
  readonly line: number;
  readonly quads: number;
  readonly packed: number;
  readonly scratch: number;
  readonly label: string;
}

/** One dispatch: some tiles of one part of every chunk. */
interface Piece {
  readonly index: number;
  readonly first: number;
  readonly count: number;
}

function planPack({ kernel: { a, m, groups }, product, work, packed, label }: Shape): Dispatch {
  const { k, terms } = product;
  const { part, parts, high, chunk, chunks, tiles } = work;
  const [x, y] = fold(Math.ceil(parts * tiles * part * 4 / 64));
  const strides = [a.strides[1], ...three(a.strides.slice(2), 0)];
  const words = new Words([m, terms, groups, high, k[1], k[2], chunk, chunks, ...strides, part, parts, x, 0]);
  const { uniformParams, halves } = product;
  const access = new Access({ body: [], outs: [], uniformParams, params: a.dyn !== undefined });
  const base = baseText(words, access)(a);
  const own = access.bindings();
  const binding = 2 + own.length;
  let text = splice(
    CONV_PACK,
    "a",
    `${operandText({ name: "a", binding: 1, dtype: a.dtype, halves }, base)}\n${access.declare(2)}`,
  );
  text = splice(text, "packed", `@group(0) @binding(${binding}) var<storage, read_write> packed: array<vec4f>;`);
  return {
    label: `${label} pack`,
    text: withConstants(text, words),
    overrides: { WG: 64 },
    constants: words.toArray(),
    bindings: [{ slot: a.slot, writable: false }, ...own, { slot: packed, writable: true }],
    grid: [x, y],
  };
}

function planPiece(shape: Shape, { index, first, count }: Piece): Dispatch {
  const { kernel, product, work, layout, row, line, quads, packed, label } = shape;
  const { b, m, groups, guards } = kernel;
  const { k, n, terms, places, kDepth, nDepth, halves } = product;
  const strips = Math.ceil(quads / (QUADS * WG));
  const [x, y] = fold(strips * count);
  const words = new Words([
    ...[m, places, terms, groups],
    ...[k[1], k[2], n[1], n[2]],
    ...[work.high, line, quads, strips],
    ...[...three(b.strides.slice(1, 1 + kDepth), 0), work.chunk],
    ...[...three(b.strides.slice(1 + kDepth), 0), work.part],
    ...[x, 8, first, count],
    ...[index, row, 0, 0],
  ]);
  const out = outText({ ...shape, params: b.dyn !== undefined }, words);
  const windows = [
    operandText({ name: "b", binding: 2, dtype: b.dtype, halves }, baseText(words, out.access)(b)),
    guardsText(guards, { words, kDepth, nDepth }),
    WINDOWS[layout],
  ].join("\n");
  return {
    label,
    text: withConstants(splice(splice(work.uniform ? CONV_UNIFORM : STORED, "b", windows), "out", out.text), words),
    overrides: { WG },
    constants: words.toArray(),
    bindings: [
      work.uniform
        ? { slot: packed, writable: false, uniform: true, offset: (index * work.tiles + first) * work.part * ROWS * 4 }
        : { slot: packed, writable: false },
      { slot: b.slot, writable: false },
      ...out.bindings,
    ],
    grid: [x, y],
  };
}

/** What becomes of the quads of places: `start`, what each starts from, and `finish`. */
export function outText(
  { product, work, scratch, layout, params }: Pick<Shape, "product" | "scratch" | "layout"> & {
    readonly work: Pick<Partition, "partial" | "parts">;
    /** Whether the kernel itself reads the run's parameters. */
    readonly params: boolean;
  },
  words: Words,
): Epilogue {
  const { uniformParams } = product;
  if (work.partial) {
    const at = "partials[(b * K[0].x + m) * K[2].z + quad]";
    const text = [
      "fn start(b: u32, m: u32, quad: u32) -> vec4f {",
      ...(work.parts === 1
        ? ["  return vec4f();"]
        : ["  if (K[6].x > 0u) {", `    return ${at};`, "  }", "  return vec4f();"]),
      "}",
      "fn finish(b: u32, m: u32, quad: u32, acc: vec4f) {",
      `  ${at} = acc;`,
      "}",
    ];
    return partialsOut({ scratch, params, uniformParams, text });
  }
  const epilogue = writeEpilogue({
    ...product,
    n: product.axes,
    words,
    params,
    binding: 3,
    end: "(n / K[6].y + 1u) * K[6].y",
    rows: layout !== "flat",
  });
  const text = [
    epilogue.text,
    "fn start(b: u32, m: u32, quad: u32) -> vec4f {",
    "  return vec4f();",
    "}",
    "fn finish(b: u32, m: u32, quad: u32, acc: vec4f) {",
    "  let row = quotient(quad, K[2].y);",
    "  epilogue(b, m, row * K[6].y + 4u * (quad - row * K[2].y), acc);",
    "}",
  ];
  return { ...epilogue, text: text.join("\n") };
}
