/**
 * Convolutions: the right operand gets a border of zeros and the left one is packed, both in scratch memory; then blocks
 * of the product are formed from panels that are gathered as they are needed, and each goes through the epilogue while it
 * is in the cache.
 *
 * @module
 */
import type { ConvKernel, View } from "../contract.ts";
import { type Blocks, DEPTH, type Padding, planBlocks, planPadding } from "./conv_plan.ts";
import { blockLoop } from "./encoder/block_loop.ts";
import { Fn, OP, T } from "./encoder/code.ts";
import type { Context } from "./encoder/context.ts";
import { product } from "./encoder/loops.ts";
import { bodyCost, productCost, pushBase, type Stage } from "./stage.ts";

/** Three entries, as the hand-written kernels take them. */
const three = (list: readonly number[], fill: number) => [...new Array<number>(3 - list.length).fill(fill), ...list];

/** The stages of a convolution and the scratch memory that they need; `scratch` is its slot. */
export function convStages(
  context: Context,
  kernel: ConvKernel,
  scratch: number,
): { readonly stages: readonly Stage[]; readonly bytes: number } {
  const { groups, m, k, n, b, body, outs } = kernel;
  const depth = product(k), columns = product(n);
  let bytes = 0;
  const reserve = (elements: number): View => {
    const view: View = { slot: scratch, dtype: "f32", offset: bytes / 4, strides: [] };
    bytes += Math.ceil(elements / 4) * 16;
    return view;
  };
  const blocks = planBlocks(groups, m, columns, depth, context.tile);
  const packed = blocks.packed ? reserve(groups * Math.ceil(m / blocks.height) * blocks.height * depth) : null;
  const padding = planPadding(kernel);
  const copy = padding && reserve(padding.elements);
  const from = padding && copy ? { ...copy, offset: copy.offset + padding.offset, strides: padding.strides } : b;
  const plan = placePlan(context, kernel, from.strides);
  const sums = blocks.parts > 1 ? reserve(groups * blocks.count * blocks.parts * blocks.size) : null;
  const epilogue = blockLoop(context, { shape: [groups, m, ...n], body, outs }, blocks.columns);
  const work = productCost(groups * m, columns, depth), last = bodyCost(groups * m * columns, body.length);
  const parts: Parts = { context, kernel, plan, blocks, packed, from, sums, epilogue };
  const stages: Stage[] = [];
  if (packed) stages.push({ ...packLoop(parts, packed), cost: bodyCost(groups * m * depth, 1) });
  if (padding && copy) stages.push({ ...padLoop(context, b, padding, copy), cost: bodyCost(padding.elements, 1) });
  stages.push({ ...blocksLoop(parts), cost: sums ? work : work + last });
  if (sums) stages.push({ ...sumLoop(parts, sums), cost: last + bodyCost(groups * m * columns, blocks.parts) });
  return { stages, bytes };
}

/** What the stages that go over blocks share. */
interface Parts {
  readonly context: Context;
  readonly kernel: ConvKernel;
  readonly plan: number;
  readonly blocks: Blocks;
  /** The packed left operand, if it is packed once for all blocks. */
  readonly packed: View | null;
  /** The right operand, or its copy with a border. */
  readonly from: View;
  /** Where parts of blocks wait for each other, if a block has several. */
  readonly sums: View | null;
  /** Function of the epilogue. */
  readonly epilogue: number;
}

/** Puts sizes and strides where the hand-written kernels read them, in the order of `wasm/conv.as.ts`. */
function placePlan(context: Context, { groups, m, k, n, a }: ConvKernel, strides: readonly number[]): number {
  const steps = [groups, ...k, ...n].map((size, i) => size === 1 ? 0 : strides[i] * 4);
  const own = mergeInner(k, a.strides.slice(2));
  return context.place([
    m,
    product(k),
    ...three(own.sizes, 1),
    a.strides[0],
    a.strides[1],
    ...three(own.strides, 0),
    ...three(k, 1),
    ...three(steps.slice(1, 1 + k.length), 0),
    ...three(n, 1),
    ...three(steps.slice(1 + k.length), 0),
    groups,
  ]);
}

/** Axes with strides, as few as possible. */
function mergeInner(sizes: readonly number[], strides: readonly number[]) {
  const merged: [size: number, stride: number][] = [];
  sizes.forEach((size, i) => {
    const last = merged.at(-1);
    if (size === 1) return;
    if (last !== undefined && last[1] === strides[i] * size) merged[merged.length - 1] = [last[0] * size, strides[i]];
    else merged.push([size, strides[i]]);
  });
  return { sizes: merged.map(([size]) => size), strides: merged.map(([, stride]) => stride) };
}

/** Packs the left operand for register tiles; work items are panels by blocks of the inner axis. */
function packLoop({ context, kernel: { groups, m, k, a }, plan, blocks: { height } }: Parts, packed: View) {
  const f = new Fn([T.i32, T.i32, T.i32, T.i32]);
  f.i32(plan).i32(height);
  pushBase(f, a);
  pushBase(f, packed);
  f.get(1).get(2).get(3).call(height > 1 ? context.imports.convPack : context.imports.convPackThin);
  return {
    index: context.module.add(f),
    items: groups * Math.ceil(m / height) * Math.ceil(product(k) / DEPTH),
    wide: true,
  };
}

/** Copies the right operand into one with a border; work items are all axes of the copy but the last two. */
function padLoop(context: Context, b: View, { axes, source }: Padding, copy: View) {
  const f = new Fn([T.i32, T.i32, T.i32]);
  const rows = axes.flatMap(({ size, stride, from, to }) => [size, stride * 4, from, to]);
  f.i32(context.place([axes.length, ...rows]));
  pushBase(f, { ...b, offset: b.offset + source });
  pushBase(f, copy);
  const inner = axes[axes.length - 1];
  const narrow = context.tile.narrowPad > 0 && inner.stride === 1 && inner.size <= context.tile.narrowPad;
  f.get(1).get(2).call(narrow ? context.imports.convPadNarrow : context.imports.convPad);
  return { index: context.module.add(f), items: product(axes.slice(0, -2).map(({ size }) => size)) };
}

/** Locals that say which block is worked on. */
interface Place {
  readonly group: number;
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
}

/** Sets the place of block number `number`, row-major in (group, rows, columns). */
function locate(f: Fn, number: number, blocks: Blocks, m: number, n: number): Place {
  const [group, row, rows, column, columns] = [0, 0, 0, 0, 0].map(() => f.local(T.i32));
  f.get(number).i32(blocks.count).op(OP.i32DivU).set(group);
  f.get(number).i32(blocks.columnBlocks).op(OP.i32DivU).i32(blocks.rowBlocks).op(OP.i32RemU);
  f.i32(blocks.rows).op(OP.i32Mul).set(row);
  f.get(number).i32(blocks.columnBlocks).op(OP.i32RemU).i32(blocks.columns).op(OP.i32Mul).set(column);
  const rest = (from: number, whole: number, unit: number, to: number) => {
    f.i32(whole).get(from).op(OP.i32Sub).tee(to).i32(unit).op(OP.i32GtS).if(() => f.i32(unit).set(to));
  };
  rest(row, m, blocks.rows, rows);
  rest(column, n, blocks.columns, columns);
  return { group, row, rows, column, columns };
}

/** Forms the product block by block, or parts of it; finished blocks go through the epilogue. */
function blocksLoop({ context, kernel, plan, blocks, packed, from, sums, epilogue }: Parts) {
  const { groups, m, k, n } = kernel;
  const depth = product(k), { height } = blocks, panels = Math.ceil(m / height);
  const f = new Fn([T.i32, T.i32, T.i32, T.i32]);
  const [item, number, begin, end, block] = [0, 0, 0, 0, 0].map(() => f.local(T.i32));
  f.get(1).set(item);
  f.loop(item, () => f.get(2), 1, () => {
    f.get(item).i32(blocks.parts).op(OP.i32DivU).set(number);
    const at = locate(f, number, blocks, m, product(n));
    f.get(item).i32(blocks.parts).op(OP.i32RemU).i32(blocks.depth).op(OP.i32Mul).tee(begin);
    f.i32(blocks.depth).op(OP.i32Add).set(end);
    f.get(end).i32(depth).op(OP.i32GtS).if(() => f.i32(depth).set(end));
    if (sums) {
      pushBase(f, sums);
      f.get(item).i32(blocks.size * 4).op(OP.i32Mul).op(OP.i32Add).set(block);
    } else f.get(3).i32(context.tile.panelBytes).op(OP.i32Add).set(block);
    f.i32(plan);
    if (packed) {
      pushBase(f, packed);
      f.get(at.group).i32(panels).op(OP.i32Mul).get(at.row).i32(height).op(OP.i32DivU).op(OP.i32Add);
      f.i32(depth * height * 4).op(OP.i32Mul).op(OP.i32Add);
    } else {
      pushBase(f, kernel.a);
      f.get(at.group).i32(kernel.a.strides[0] * 4).op(OP.i32Mul).op(OP.i32Add);
    }
    pushBase(f, from);
    f.get(at.group).i32(from.strides[0] * 4).op(OP.i32Mul).op(OP.i32Add);
    f.get(block).i32(blocks.columns);
    if (height > 1) {
      if (packed) f.i32(0);
      else f.get(3).i32(context.tile.panelBytes + blocks.size * 4).op(OP.i32Add);
      f.get(at.row);
    }
    f.get(at.rows).get(at.column).get(at.columns).get(begin).get(end).get(3);
    f.call(height > 1 ? context.imports.convBlock : context.imports.convThin);
    if (!sums) finish(f, block, at, epilogue);
  });
  return { index: context.module.add(f), items: groups * blocks.count * blocks.parts, wide: true };
}

/** Calls the epilogue for a block. */
function finish(f: Fn, block: number, at: Place, epilogue: number): void {
  f.get(0).get(block).get(at.group).get(at.row).get(at.rows).get(at.column).get(at.columns).call(epilogue);
}

/** Adds up the parts of each block, in their order, and sends it through the epilogue. */
function sumLoop({ context, kernel, blocks, epilogue }: Parts, sums: View) {
  const f = new Fn([T.i32, T.i32, T.i32, T.i32]);
  const [number, block] = [f.local(T.i32), f.local(T.i32)];
  f.get(1).set(number);
  f.loop(number, () => f.get(2), 1, () => {
    const at = locate(f, number, blocks, kernel.m, product(kernel.n));
    f.get(3).i32(context.tile.panelBytes).op(OP.i32Add).tee(block);
    pushBase(f, sums);
    f.get(number).i32(blocks.size * blocks.parts * 4).op(OP.i32Mul).op(OP.i32Add);
    f.i32(blocks.size).i32(blocks.parts).call(context.imports.convSum);
    finish(f, block, at, epilogue);
  });
  return { index: context.module.add(f), items: kernel.groups * blocks.count, wide: true };
}
