/**
 * Products over windows on adapters that read textures much faster than buffers. Both operands are repacked, four
 * terms along one axis to a texel: channels in the forward direction and for the input's gradient, the batch for the weight's.
 *
 * @module
 */
import type { ConvKernel, Guard, Inst, Kernel, View } from "../../contract.ts";
import { CONV_TEXEL, TEXEL_PACK } from "../wgsl.gen.ts";
import { Access } from "./access.ts";
import { baseText, partialsOut, planFold, type Product, productOf, three } from "./conv_parts.ts";
import { type Epilogue, splice, withConstants, writeEpilogue } from "./epilogue.ts";
import { guardsText } from "./guards.ts";
import { memoryText } from "./operand_memory.ts";
import { type Dispatch, fold, type PlanContext } from "./plan.ts";
import { Words } from "./words.ts";

/** Rows and quads of places of a tile, threads of a workgroup. */
const ROWS = 16;
const QUADS = 2;
const WG = 8;
/** Fewest tiles that keep the cores of a CPU busy; with fewer, sums are split into chunks. */
const ENOUGH_TILES = 64;
/** Terms below which repacking the operands costs more than it saves. */
const FEWEST_TERMS = 16;
/** Terms of a sequential sum; longer ones lose precision. */
const LONG_SUM = 1024;
/** Most partial sums; more cost too much memory traffic. */
const MOST_PARTIALS = 2 ** 20;
/** Places of an operand beyond which it is not packed together with another. */
const MOST_PLACES = 64;
/** Most texels of a repacked operand; more take too much memory. */
const MOST_TEXELS = 2 ** 23;

/** An axis of the terms or of the places, as both operands and the guards see it. */
interface Axis {
  readonly size: number;
  readonly a: number;
  readonly b: number;
  readonly guards: readonly number[];
}

/** `[g, o, quads, p]`: how an operand is laid out. */
export interface Packing {
  readonly view: View;
  readonly groups: number;
  readonly outer: { readonly size: number; readonly stride: number };
  readonly vector: { readonly size: number; readonly stride: number };
  /** Element of the slot where places start, and how many there are. */
  readonly start: number;
  readonly span: number;
}

/**
 * Plans the layouts of the operands, the product, and the sum of the chunks where there are some; null for what does not
 * fit this way.
 */
export function planConvTexel(kernel: ConvKernel, context: PlanContext, label: string): Dispatch[] | null {
  const product = productOf(kernel, context);
  const axes = axesOf(kernel);
  if (axes === null || product.terms < FEWEST_TERMS) return null;
  const [own, right] = packings(kernel, axes);
  if (right === null) return null;
  const left = context.mergePacking(own);
  const from = take(left, context), to = take(right, context);
  if (from === null || to === null) return null;
  const dispatches: Dispatch[] = [];
  if (!from.held) dispatches.push(planPack(left, from.slot, product, `${label} left`));
  if (!to.held) dispatches.push(planPack(right, to.slot, product, `${label} right`));
  return [
    ...dispatches,
    ...planProduct({ kernel, product, axes, left, right, textures: [from.slot, to.slot], label, context }),
  ];
}

interface Axes {
  /** The axis of the terms of which four make a texel, if any. */
  readonly vector: Axis | null;
  readonly taps: readonly Axis[];
  /** The first axis of the places, where the others do not reach from one of its steps to the next. */
  readonly outer: Axis | null;
  readonly places: readonly Axis[];
}

function axesOf({ k, n, a, b, guards }: ConvKernel): Axes | null {
  const of = (size: number, a: number, at: number): Axis => ({
    size,
    a,
    b: b.strides[at],
    guards: guards.map((guard) => guard.strides[at]),
  });
  const terms = k.map((size, i) => of(size, a.strides[2 + i], 1 + i));
  const all = n.map((size, i) => of(size, 0, 1 + k.length + i));
  const open = ({ guards }: Axis) => guards.every((stride) => stride === 0);
  const vector = terms.filter(open).reduce<Axis | null>((x, y) => x === null || y.size > x.size ? y : x, null);
  const taps = terms.filter((axis) => axis !== vector);
  const [first, ...rest] = all;
  const reach = [...taps, ...rest].reduce((sum, { size, b }) => sum + (size - 1) * Math.abs(b), 0);
  const outer = open(first) && first.b > 0 && (all.length === 3 || first.b > reach) ? first : null;
  const places = outer === null ? all : rest;
  return taps.length > 2 || places.length > 2 ? null : { vector, taps, outer, places };
}

function packings(kernel: ConvKernel, { vector, taps, outer, places }: Axes): [Packing, Packing | null] {
  const { groups, m, a, b, guards } = kernel;
  const lowest = taps.reduce((sum, axis) => sum + Math.min(0, (axis.size - 1) * axis.a), 0);
  const span = taps.reduce((sum, axis) => sum + (axis.size - 1) * Math.abs(axis.a), 1);
  const left: Packing = {
    view: a,
    groups,
    outer: { size: m, stride: a.strides[1] },
    vector: { size: vector?.size ?? 1, stride: vector?.a ?? 0 },
    start: a.offset + lowest,
    span,
  };
  const window = windowOf(b.offset, [...taps, ...places], guards);
  if (window === null) return [left, null];
  const right: Packing = {
    view: b,
    groups,
    outer: { size: outer?.size ?? 1, stride: outer?.b ?? 0 },
    vector: { size: vector?.size ?? 1, stride: vector?.b ?? 0 },
    ...window,
  };
  return [left, right];
}

/**
 * Merges the packings of left operands of a program's products: windows into the same memory that are adjacent or overlap
 * become one packing, which is copied once. The parts of a strided convolution's gradient read such windows of its weights.
 *
 * @returns The merged packing that holds a given one.
 */
export function mergeLeftPackings(kernels: readonly Kernel[]): (packing: Packing) => Packing {
  const known = new Map<string, Packing[]>();
  for (const kernel of kernels) {
    const axes = kernel.op === "conv" ? axesOf(kernel) : null;
    if (kernel.op !== "conv" || axes === null) continue;
    const [left] = packings(kernel, axes), key = layoutOf(left);
    const all = known.get(key) ?? [], at = all.findIndex((other) => together(other, left) !== null);
    if (at < 0) known.set(key, [...all, left]);
    else all[at] = together(all[at], left)!;
  }
  return (packing) => {
    const wide = known.get(layoutOf(packing))?.map((other) => together(other, packing)).find((both) => both !== null);
    return wide ?? packing;
  };
}

/** All of a packing but the places. */
function layoutOf({ view, groups, outer, vector }: Packing): string {
  return [view.slot, view.dyn, groups, view.strides[0], outer.size, outer.stride, vector.size, vector.stride].join(" ");
}

/** The packing of the places of both; null where they are not of the same few that follow on from each other. */
function together(a: Packing, b: Packing): Packing | null {
  const start = Math.min(a.start, b.start), span = Math.max(a.start + a.span, b.start + b.span) - start;
  const steps = [a.outer, a.vector].flatMap(({ size, stride }) => size > 1 ? [Math.abs(stride)] : []);
  return span <= Math.min(...steps, MOST_PLACES) ? { ...a, start, span } : null;
}

/** The elements that windows reach and that are not padding: without it, all packings of an image are the same. */
function windowOf(
  offset: number,
  axes: readonly Axis[],
  guards: readonly Guard[],
): { start: number; span: number } | null {
  let [start, span] = [offset, 1];
  const guarded = new Set<Axis>();
  for (const [i, guard] of guards.entries()) {
    const moving = axes.filter((axis) => axis.guards[i] !== 0);
    // padding around a single place: what no axis moves holds for all places or for none
    if (moving.length === 0 && guard.offset >= 0 && guard.offset < guard.size) continue;
    if (moving.length === 0) return null;
    const along = moving[0].b / moving[0].guards[i];
    const one = moving.every((axis) => axis.b === along * axis.guards[i] && !guarded.has(axis));
    if (!one || !Number.isInteger(along) || along <= 0) return null;
    moving.forEach((axis) => guarded.add(axis));
    start -= guard.offset * along;
    span += (guard.size - 1) * along;
  }
  for (const axis of axes) {
    if (guarded.has(axis)) continue;
    start += Math.min(0, (axis.size - 1) * axis.b);
    span += (axis.size - 1) * Math.abs(axis.b);
  }
  return { start, span };
}

function quadsOf({ vector }: Packing): number {
  return Math.ceil(vector.size / 4);
}

function texelsOf(packing: Packing): number {
  return packing.groups * packing.outer.size * quadsOf(packing) * packing.span;
}

function take(packing: Packing, context: PlanContext): { slot: number; held: boolean } | null {
  const texels = texelsOf(packing) + 1;
  if (texels > MOST_TEXELS) return null;
  const { view, start, span } = packing;
  return context.texture(`packed ${layoutOf(packing)} from ${start} ${span}`, view.slot, texels);
}

function planPack(packing: Packing, slot: number, { uniformParams, halves }: Product, label: string): Dispatch {
  const { view, outer, vector, start, span } = packing;
  const quads = quadsOf(packing), four = Math.ceil(span / 4);
  const blocks = packing.groups * outer.size * quads * four;
  const [x, y] = fold(Math.ceil((blocks + 1) / 64));
  const words = new Words([
    ...[span, quads, outer.size, texelsOf(packing)],
    ...[outer.stride, vector.stride, vector.size, x],
    ...[four, blocks, 4, 0],
  ]);
  const access = new Access({ body: [], outs: [], uniformParams, params: view.dyn !== undefined });
  const base = baseText(words, access)({ ...view, offset: start });
  const own = access.bindings();
  const binding = 2 + own.length;
  const source = [
    memoryText({ name: "x", binding: 1, dtype: view.dtype, halves }),
    `fn x_base(g: u32) -> u32 {`,
    `  return ${base};`,
    `}`,
    access.declare(2),
  ];
  let text = splice(TEXEL_PACK, "x", source.join("\n"));
  text = splice(text, "texels", `@group(0) @binding(${binding}) var texels: texture_storage_2d<rgba32float, write>;`);
  return {
    label: `${label} pack`,
    text: withConstants(splice(text, "quotient", ""), words),
    overrides: { WG: 64 },
    constants: words.toArray(),
    bindings: [{ slot: view.slot, writable: false }, ...own, { slot, writable: true, texture: "write" }],
    grid: [x, y],
  };
}

interface Whole {
  readonly kernel: ConvKernel;
  readonly product: Product;
  readonly axes: Axes;
  readonly left: Packing;
  readonly right: Packing;
  readonly textures: readonly [number, number];
  readonly label: string;
  readonly context: PlanContext;
}

function planProduct({ kernel, product, axes, left, right, textures, label, context }: Whole): Dispatch[] {
  const { groups, m, a, b, guards } = kernel;
  const { places: all } = product;
  const quads = quadsOf(left);
  const t = three(axes.taps.map(({ size }) => size), 1), n = three(axes.places.map(({ size }) => size), 1);
  const joined = joinPlaces(product);
  const length = joined.axes[joined.axes.length - 1];
  const line = Math.ceil(length / 4);
  const lines = all / length * line;
  const tiles = groups * Math.ceil(m / ROWS) * Math.ceil(lines / QUADS);
  // by the shape alone: enough workers, and no long sums where keeping partial ones costs little
  const parts = Math.min(Math.ceil(product.terms / LONG_SUM), Math.floor(MOST_PARTIALS / (groups * m * all)));
  const wanted = Math.max(1, Math.min(Math.max(Math.floor(ENOUGH_TILES / tiles), parts), quads));
  const chunk = Math.ceil(quads / wanted);
  const chunks = Math.ceil(quads / chunk);
  const [x, y] = fold(Math.ceil(tiles * chunks / WG));
  const aT = three(axes.taps.map((axis) => axis.a), 0), bT = three(axes.taps.map((axis) => axis.b), 0);
  const bN = three(axes.places.map((axis) => axis.b), 0);
  const row = quads * left.span, block = quads * right.span;
  const words = new Words([
    ...[m, all, groups, quads],
    ...[n[1], n[2], t[1], t[2]],
    ...[row, left.span, aT[1], aT[2]],
    ...[block, right.span, bT[1], bT[2]],
    ...[bN[1], bN[2], b.offset - right.start, texelsOf(right)],
    ...[x, 8, chunk, chunks],
    ...[a.offset - left.start, m * row, right.outer.size * block, 0],
    ...[lines, line, length, 0],
  ]);
  const at = (axis: Axis | undefined, i: number) => axis === undefined ? 0 : axis.guards[i];
  const [t1, t2] = axes.taps.length === 2 ? axes.taps : [undefined, axes.taps[0]];
  const [n1, n2] = axes.places.length === 2 ? axes.places : [undefined, axes.places[0]];
  const moved = guards.map((guard, i): Guard => ({
    ...guard,
    strides: [0, 0, at(t1, i), at(t2, i), 0, at(n1, i), at(n2, i)],
  }));
  const scratch = chunks === 1 ? -1 : context.scratch(chunks * groups * m * lines * 16);
  const out = outText(joined, words, chunks > 1 ? scratch : null);
  let text = splice(CONV_TEXEL, "guards", guardsText(moved, { words, kDepth: 3, nDepth: 3 }));
  text = splice(splice(text, "out", out.text), "quotient", "");
  const dispatch: Dispatch = {
    label,
    text: withConstants(text, words),
    overrides: { WG },
    constants: words.toArray(),
    bindings: [
      { slot: textures[0], writable: false, texture: "read" },
      { slot: textures[1], writable: false, texture: "read" },
      ...out.bindings,
    ],
    grid: [x, y],
  };
  if (chunks === 1) return [dispatch];
  return [dispatch, planFold({ product, chunks, quads: lines, line, row: length, scratch, label })];
}

function outText(product: Product, words: Words, scratch: number | null): Epilogue {
  if (scratch !== null) {
    const text = [
      "fn finish(b: u32, m: u32, quad: u32, acc: vec4f) {",
      "  partials[(b * K[0].x + m) * K[7].x + quad] = acc;",
      "}",
    ];
    return partialsOut({ scratch, params: false, uniformParams: product.uniformParams, text });
  }
  const epilogue = writeEpilogue({
    ...product,
    n: product.axes,
    words,
    params: false,
    binding: 3,
    end: "(n / K[7].z + 1u) * K[7].z",
    rows: true,
  });
  const text = [
    epilogue.text,
    "fn finish(b: u32, m: u32, quad: u32, acc: vec4f) {",
    "  let row = quotient(quad, K[7].y);",
    "  epilogue(b, m, row * K[7].z + 4u * (quad - row * K[7].y), acc);",
    "}",
  ];
  return { ...epilogue, text: text.join("\n") };
}

/** The product with the last axes of its places joined where all that the epilogue touches follows on: whole vectors. */
function joinPlaces(product: Product): Product {
  const joins = ({ axes, body, outs }: Product) => {
    const size = axes[axes.length - 1];
    const follows = (strides: readonly number[]) => strides[strides.length - 2] === strides[strides.length - 1] * size;
    return axes.length > 1 &&
      [...body, ...outs.map(({ view }) => ({ k: "load" as const, view }))].every((inst) =>
        inst.k === "load"
          ? follows(inst.view.strides) && ("guards" in inst ? inst.guards ?? [] : []).every((g) => follows(g.strides))
          : inst.k === "coord"
          ? follows(inst.strides)
          : inst.k !== "segment"
      );
  };
  let joined = product;
  while (joins(joined)) {
    const { axes, body, outs } = joined;
    const cut = <T extends { readonly strides: readonly number[] }>(of: T): T => ({
      ...of,
      strides: [...of.strides.slice(0, -2), of.strides[of.strides.length - 1]],
    });
    joined = {
      ...joined,
      axes: [...axes.slice(0, -2), axes[axes.length - 2] * axes[axes.length - 1]],
      body: body.map((inst): Inst =>
        inst.k === "load"
          ? { ...inst, view: cut(inst.view), ...(inst.guards === undefined ? {} : { guards: inst.guards.map(cut) }) }
          : inst.k === "coord"
          ? cut(inst)
          : inst
      ),
      outs: outs.map((out) => ({ ...out, view: cut(out.view) })),
    };
  }
  return joined;
}
