/**
 * What the kernels for products over windows have in common: sizes, chunks of long sums, and the kernel that folds them.
 *
 * @module
 */
import type { ConvKernel, Inst, Store, View } from "../../contract.ts";
import { CONV_FOLD } from "../wgsl.gen.ts";
import { Access } from "./access.ts";
import { ExprWriter } from "./expr_writer.ts";
import { type Epilogue, splice, withConstants, writeEpilogue } from "./epilogue.ts";
import { memoryText, type OperandMemory } from "./operand_memory.ts";
import { type Dispatch, fold, type PlanContext, sizeOf } from "./plan.ts";
import { chunksOfTerms } from "./tiles.ts";
import { Words } from "./words.ts";

/** Three sizes or strides. */
export type Three = readonly [number, number, number];

/** A product over windows, with three axes of terms and of places. */
export interface Product {
  /** `[groups]`; of a product of matrices, any. */
  readonly batch: readonly number[];
  readonly m: number;
  readonly k: Three;
  readonly n: Three;
  readonly terms: number;
  readonly places: number;
  /** Axes of the places that the kernel itself has. */
  readonly axes: readonly number[];
  /** Number of axes that the kernel itself has. */
  readonly kDepth: number;
  readonly nDepth: number;
  readonly body: readonly Inst[];
  readonly outs: readonly Store[];
  readonly uniformParams: boolean;
  readonly halves: boolean;
}

/** `values` as three, with leading ones of `fill`. */
export function three(values: readonly number[], fill: number): Three {
  const [x, y, z] = [...Array<number>(3 - values.length).fill(fill), ...values];
  return [x, y, z];
}

/** The product that `kernel` is. */
export function productOf(
  kernel: ConvKernel,
  { uniformParams, halves }: Pick<PlanContext, "uniformParams" | "halves">,
): Product {
  const { groups, m, body, outs } = kernel;
  return {
    batch: [groups],
    m,
    k: three(kernel.k, 1),
    n: three(kernel.n, 1),
    axes: kernel.n,
    terms: sizeOf(kernel.k),
    places: sizeOf(kernel.n),
    kDepth: kernel.k.length,
    nDepth: kernel.n.length,
    body,
    outs,
    uniformParams,
    halves,
  };
}

/** Chunks that the terms are cut into; see {@link chunksOfTerms}. */
export function chunksOf({ batch, m, places, terms }: Product): { chunk: number; chunks: number } {
  return chunksOfTerms(sizeOf(batch) * Math.ceil(m / 64) * Math.ceil(places / 64), terms);
}

/** Writes where an operand starts in group `g`. */
export function baseText(words: Words, access: Access): (view: View) => string {
  const writer = new ExprWriter({ body: [], access, words, coords: ["g"] });
  return (view) => writer.form({ ...view, strides: view.strides.slice(0, 1) });
}

/** Declares an operand, and says where it starts. */
export function operandText(memory: OperandMemory, base: string): string {
  return [
    memoryText(memory),
    `fn ${memory.name}_base(g: u32) -> u32 {`,
    `  return ${base};`,
    `}`,
  ].join("\n");
}

/** What {@link partialsOut} is made from. */
export interface PartialsOptions {
  readonly scratch: number;
  /** Whether the kernel itself reads the run's parameters. */
  readonly params: boolean;
  readonly uniformParams: boolean;
  /** Functions that use `partials`, an array of vectors. */
  readonly text: readonly string[];
}

/** In an epilogue's place: what keeps partial sums. */
export function partialsOut({ scratch, params, uniformParams, text }: PartialsOptions): Epilogue {
  const access = new Access({ body: [], outs: [], uniformParams, params });
  const own = access.bindings();
  const lines = [
    access.declare(3),
    `@group(0) @binding(${3 + own.length}) var<storage, read_write> partials: array<vec4f>;`,
    ...text,
  ];
  return {
    text: lines.filter((line) => line !== "").join("\n"),
    access,
    bindings: [...own, { slot: scratch, writable: true }],
  };
}

/** What {@link planFold} is made from. */
export interface Folding {
  readonly product: Product;
  readonly chunks: number;
  /** Quads of all places, and of a row of `row` places that they do not cross. */
  readonly quads: number;
  readonly line: number;
  readonly row: number;
  /** Slot of the partial sums `[chunk, g, m, quad, 4]`. */
  readonly scratch: number;
  readonly label: string;
}

/** Plans the sum of the chunks, in their order. */
export function planFold({ product, chunks, quads, line, row, scratch, label }: Folding): Dispatch {
  const { batch, m, places } = product;
  const [x, y] = fold(Math.ceil(sizeOf(batch) * m * quads / 64));
  const words = new Words([m, places, chunks, sizeOf(batch), x, quads, line, row]);
  const epilogue = writeEpilogue({
    ...product,
    n: product.axes,
    words,
    params: false,
    binding: 2,
    end: "(n / K[1].w + 1u) * K[1].w",
  });
  return {
    label: `${label} fold`,
    text: withConstants(splice(CONV_FOLD, "epilogue", epilogue.text), words),
    overrides: { WG: 64 },
    constants: words.toArray(),
    bindings: [{ slot: scratch, writable: false }, ...epilogue.bindings],
    grid: [x, y],
  };
}
