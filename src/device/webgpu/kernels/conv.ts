/**
 * Products whose right operand is read through windows: a hand-written tile kernel, with text for where the operands lie
 * and for what is padding spliced in. The matrix of the windows is never stored.
 *
 * @module
 */
import type { ConvKernel, View } from "../../contract.ts";
import { CONV_FOLD, CONV_REGISTER, CONV_SHARED } from "../wgsl.gen.ts";
import { Access } from "./access.ts";
import { BodyWriter } from "./body.ts";
import { type Epilogue, splice, withConstants, writeEpilogue } from "./epilogue.ts";
import { guardsText } from "./guards.ts";
import { fold, type PlanContext, sizeOf, type Step } from "./plan.ts";
import { Words } from "./words.ts";

/** A hand-written tile kernel: the tile of a workgroup. */
interface Tile {
  readonly text: string;
  readonly overrides: Readonly<Record<string, number>>;
  readonly high: number;
  readonly wide: number;
}

const REGISTER: Tile = { text: CONV_REGISTER, overrides: { WG: 8 }, high: 8, wide: 32 };
const SHARED: Tile = { text: CONV_SHARED, overrides: {}, high: 64, wide: 64 };

/** Terms that the shared kernel takes a round. */
const ROUND = 16;
/** Fewest terms of a chunk, and how many tiles are enough for every adapter. */
const SMALLEST_CHUNK = 512;
const ENOUGH_TILES = 128;

/** Chunks that the terms are cut into, by the shape alone: few outputs with long sums (gradients of weights) need more workers. */
function chunksOf(groups: number, m: number, n: number, k: number): number {
  const tiles = groups * Math.ceil(m / 64) * Math.ceil(n / 64);
  return Math.max(1, Math.min(Math.floor(ENOUGH_TILES / tiles), Math.floor(k / SMALLEST_CHUNK)));
}

/** `values` as three axes, by leading ones of `fill`. */
function three(values: readonly number[], fill: number): [number, number, number] {
  const [x, y, z] = [...Array<number>(3 - values.length).fill(fill), ...values];
  return [x, y, z];
}

/** Plans a product over windows: one dispatch, or one that computes chunks of the sums and one that folds them. */
export function planConv(kernel: ConvKernel, context: PlanContext, label: string): Step[] {
  const { groups, m, a, b, body, outs } = kernel;
  const [kDepth, nDepth] = [kernel.k.length, kernel.n.length];
  const [k, n] = [three(kernel.k, 1), three(kernel.n, 1)];
  const [terms, places] = [sizeOf(k), sizeOf(n)];
  const tile = context.family() === "shared" ? SHARED : REGISTER;
  const wanted = chunksOf(groups, m, places, terms);
  const chunk = Math.ceil(terms / wanted);
  const chunks = Math.ceil(terms / chunk);
  const [x, y] = fold(chunks * groups * Math.ceil(m / tile.high) * Math.ceil(places / tile.wide));
  const words = new Words([
    ...[m, places, terms, groups],
    ...[k[1], k[2], n[1], n[2]],
    ...[a.strides[1], ...three(a.strides.slice(2), 0)],
    ...[...three(b.strides.slice(1, 1 + kDepth), 0), chunks],
    ...[...three(b.strides.slice(1 + kDepth), 0), chunk],
    ...[x, 8, 0, 0],
    ...[Math.floor(ROUND / (k[1] * k[2])), Math.floor(ROUND / k[2]) % k[1], ROUND % k[2], 0],
  ]);
  const { uniformParams } = context;
  const scratch = chunks === 1 ? -1 : context.scratch(chunks * groups * m * Math.ceil(places / 4) * 16);
  const params = a.dyn !== undefined || b.dyn !== undefined;
  const product = { batch: [groups], n: kernel.n, body, outs, uniformParams };
  const epilogue = chunks === 1
    ? writeEpilogue({ ...product, words, params, binding: 3 })
    : partialsOut(scratch, params, uniformParams);
  const start = (view: View) => {
    const writer = new BodyWriter({ body: [], access: epilogue.access, words, coords: ["g"] });
    return writer.form({ ...view, strides: view.strides.slice(0, 1) });
  };
  const guards = guardsText(kernel.guards, { words, kDepth, nDepth });
  let text = splice(tile.text, "a", operandText("a", 1, start(a)));
  text = splice(text, "b", `${operandText("b", 2, start(b))}\n${guards}`);
  const steps: Step[] = [{
    label,
    text: withConstants(splice(text, "epilogue", epilogue.text), words),
    overrides: tile.overrides,
    constants: words.toArray(),
    bindings: [{ slot: a.slot, writable: false }, { slot: b.slot, writable: false }, ...epilogue.bindings],
    grid: [x, y],
  }];
  if (chunks > 1) steps.push(planFold({ product, m, places, chunks, scratch, label }));
  return steps;
}

function operandText(name: "a" | "b", binding: number, base: string): string {
  return [
    `@group(0) @binding(${binding}) var<storage, read> ${name}_data: array<f32>;`,
    `fn ${name}_base(g: u32) -> u32 {`,
    `  return ${base};`,
    `}`,
  ].join("\n");
}

/** Stores chunks of sums, row by row, rows padded to whole vectors. */
function partialsOut(scratch: number, params: boolean, uniformParams: boolean): Epilogue {
  const access = new Access({ body: [], outs: [], uniformParams, params });
  const own = access.bindings();
  const text = [
    access.declare(3),
    `@group(0) @binding(${3 + own.length}) var<storage, read_write> partials: array<vec4f>;`,
    "fn epilogue(b: u32, m: u32, n: u32, acc: vec4f) {",
    "  partials[(b * K[0].x + m) * ((K[0].y + 3u) / 4u) + n / 4u] = acc;",
    "}",
  ].filter((part) => part !== "").join("\n");
  return { text, access, bindings: [...own, { slot: scratch, writable: true }] };
}

interface Folding {
  readonly product: Pick<ConvKernel, "n" | "body" | "outs"> & { batch: readonly number[]; uniformParams: boolean };
  readonly m: number;
  readonly places: number;
  readonly chunks: number;
  readonly scratch: number;
  readonly label: string;
}

function planFold({ product, m, places, chunks, scratch, label }: Folding): Step {
  const [groups] = product.batch;
  const [x, y] = fold(Math.ceil(groups * m * Math.ceil(places / 4) / 64));
  const words = new Words([m, places, chunks, groups, x, 0, 0, 0]);
  const epilogue = writeEpilogue({ ...product, words, params: false, binding: 2 });
  return {
    label: `${label} fold`,
    text: withConstants(splice(CONV_FOLD, "epilogue", epilogue.text), words),
    overrides: { WG: 64 },
    constants: words.toArray(),
    bindings: [{ slot: scratch, writable: false }, ...epilogue.bindings],
    grid: [x, y],
  };
}
