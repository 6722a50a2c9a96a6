/**
 * From a program to WebAssembly: one module whose `run` goes through the kernels, each thread taking its share.
 *
 * @module
 */
import {
  COUNTED_BYTES,
  type Kernel,
  type MapKernel,
  type MatmulKernel,
  type Program,
  type ReduceKernel,
  type ScatterAddKernel,
  type SegmentSumKernel,
  type View,
} from "../contract.ts";
import { slotsOf } from "../last_access.ts";
import { attentionStage } from "./attention.ts";
import { convStages } from "./conv.ts";
import type { Tile } from "./tile.ts";
import { Fn, OP, T } from "./encoder/code.ts";
import { Context } from "./encoder/context.ts";
import { product, type Work } from "./encoder/loops.ts";
import { mapLoop } from "./encoder/map_loop.ts";
import { reduceLoop } from "./encoder/reduce_loop.ts";
import { partsOfRow, splitReduce } from "./encoder/split_reduce.ts";
import { segmentSumLoop } from "./encoder/segment_loop.ts";
import { packedOperands, packedProduct, packStage } from "./packed_operand.ts";
import { thinProduct } from "./thin_product.ts";
import { bodyCost, productCost, pushBase, type Stage } from "./stage.ts";
import { PROGRESS } from "./threads.ts";
import { widenOperands } from "./widen.ts";

/** A program's module. */
export interface Compiled {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of memory for products on their way to an epilogue: the slot after the program's. */
  readonly scratchBytes: number;
  /** Bytes of memory for packed operands: the slot after that. */
  readonly packedBytes: number;
  /** Bytes of memory for operands of f16 as f32: the slots after these. */
  readonly operandBytes: readonly number[];
  /** Estimated time of a run on one thread, in microseconds. */
  readonly cost: number;
}

/** A stage below this is done by one thread: waking and meeting costs as much. */
const WORTH = 8;

/** Writes the module of `program`. `place` puts words in memory for as long as the program lives. */
export function compileProgram(
  program: Program,
  { shared, fused, tile }: { readonly shared: boolean; readonly fused: boolean; readonly tile: Tile },
  place: (words: Int32Array) => number,
): Compiled {
  const context = new Context(shared, fused, tile, place);
  const scratch = program.slots.length;
  let scratchBytes = 0;
  const operandBytes: number[] = [];
  const packed = packedOperands(program, tile.panel);
  const stages: Stage[] = [];
  const counts = new Map<number, number>(); // by stage: kernels finished after it
  program.kernels.forEach((given, i) => {
    const { copies, kernel: wide } = widenOperands(given, program.slots, (bytes, k) => {
      operandBytes[k] = Math.max(operandBytes[k] ?? 0, bytes);
      return scratch + 2 + k;
    });
    for (const copy of copies) stages.push(simpleStage(context, copy));
    const kernel = wide.op === "matmul" ? thinProduct(wide) ?? wide : wide;
    if (kernel.op === "matmul") {
      const operand = packed.of.get(i);
      const right: View | undefined = operand &&
        { ...kernel.b, slot: scratch + 1, offset: operand.offset, dyn: undefined };
      const { multiply, epilogue, bytes } = matmulSteps(context, kernel, scratch, right);
      if (right !== undefined && operand?.first === i) stages.push(packStage(context, kernel, right));
      stages.push(multiply);
      if (epilogue !== null) stages.push(epilogue);
      scratchBytes = Math.max(scratchBytes, bytes);
    } else if (kernel.op === "conv") {
      const { stages: own, bytes } = convStages(context, kernel, scratch);
      stages.push(...own);
      scratchBytes = Math.max(scratchBytes, bytes);
    } else if (kernel.op === "reduce" && partsOfRow(kernel) > 1) {
      const { parts, rows, bytes } = splitReduce(context, kernel, partsOfRow(kernel), scratch);
      stages.push({ ...parts, cost: reduceCost(kernel) }, { ...rows, cost: 0 });
      scratchBytes = Math.max(scratchBytes, bytes);
    } else if (kernel.op === "scatterAdd") stages.push(...scatterStages(context, kernel));
    else if (kernel.op === "attention" || kernel.op === "attentionGrad") stages.push(attentionStage(context, kernel));
    else stages.push(simpleStage(context, kernel));
    if (shared && isCounted(program, given)) counts.set(stages.length - 1, i + 1);
  });
  const run = new Fn([T.i32, T.i32, T.i32, T.i32, T.i32]); // table, thread, threads, work, barrier
  const begin = run.local(T.i32), end = run.local(T.i32);
  stages.forEach((stage, i) => {
    const alone = stage.cost < WORTH || stage.items < 2;
    const call = () => {
      run.get(0).get(begin).get(end);
      if (stage.wide) run.get(3);
      run.call(stage.index);
    };
    if (alone) {
      run.i32(0).set(begin).i32(stage.items).set(end);
      run.get(1).op(OP.i32Eqz).if(call);
    } else {
      const bound = (extra: number) => {
        run.get(1);
        if (extra) run.i32(1).op(OP.i32Add);
        run.i32(stage.items).op(OP.i32Mul).get(2).op(OP.i32DivU);
      };
      bound(0);
      run.set(begin);
      bound(1);
      run.set(end).get(begin).get(end).op(OP.i32LtS).if(call);
    }
    if (shared) run.get(2).i32(1).op(OP.i32GtS).if(() => run.get(4).get(2).call(context.imports.barrier));
    const count = counts.get(i);
    if (count === undefined) return;
    run.get(1).op(OP.i32Eqz).if(() => run.i32(PROGRESS).i32(count).atomicStore());
  });
  context.module.add(run, "run");
  return {
    bytes: context.module.encode(),
    scratchBytes,
    packedBytes: packed.bytes,
    operandBytes,
    cost: stages.reduce((s, x) => s + x.cost, 0),
  };
}

/** Whether somebody may wait for the end of the kernel. */
function isCounted({ slots }: Program, kernel: Kernel): boolean {
  return [...slotsOf(kernel)].some((i) => {
    const { kind, written, bytes } = slots[i];
    return kind === "bound" && written && bytes >= COUNTED_BYTES;
  });
}

function simpleStage(context: Context, kernel: MapKernel | ReduceKernel | SegmentSumKernel): Stage {
  switch (kernel.op) {
    case "map":
      return { ...mapLoop(context, kernel), cost: bodyCost(product(kernel.shape), kernel.body.length) };
    case "reduce":
      return { ...reduceLoop(context, kernel), cost: reduceCost(kernel) };
    case "segmentSum":
      return { ...segmentSumLoop(context, kernel), cost: bodyCost(kernel.n, kernel.body.length) };
  }
}

function reduceCost({ outer, inner, body }: ReduceKernel): number {
  return bodyCost(product(outer) * product(inner), body.length * 1.5);
}

/** The product into its place, or into scratch memory and from there through the epilogue; `packed`: its right operand. */
function matmulSteps(context: Context, kernel: MatmulKernel, scratch: number, packed?: View) {
  const { batch, m, n, k, body, outs } = kernel;
  const rank = batch.length;
  const direct = outs.length === 1 && body.length === 1 && body[0].k === "acc" &&
    outs[0].view.strides[rank + 1] === 1 &&
    outs[0].view.strides[rank] >= n;
  const shape = [...batch, m, n];
  const contiguous = shape.map((_, i) => product(shape.slice(i + 1)));
  const c: View = direct ? outs[0].view : { slot: scratch, dtype: "f32", offset: 0, strides: contiguous };
  const multiply = packed !== undefined
    ? packedProduct(context, kernel, packed, c)
    : { ...productLoop(context, kernel, c), cost: productCost(product(batch) * m, n, k) };
  if (direct) return { multiply, epilogue: null, bytes: 0 };
  const map: MapKernel = {
    op: "map",
    shape,
    body: body.map((inst) => inst.k === "acc" ? { k: "load", view: c } : inst),
    outs,
  };
  return { multiply, epilogue: simpleStage(context, map), bytes: product(shape) * 4 };
}

/** Threads share the columns, or the rows where there are more of them; matrix after matrix. */
function productLoop(
  context: Context,
  { batch, m, n, k, a, b }: MatmulKernel,
  c: View,
): Work & { readonly wide: true } {
  const f = new Fn([T.i32, T.i32, T.i32, T.i32]);
  const rank = batch.length;
  const byColumns = n >= m;
  const tile = byColumns ? context.tile.columns : context.tile.rows, extent = byColumns ? n : m;
  const begin = f.local(T.i32), count = f.local(T.i32), number = f.local(T.i32), rest = f.local(T.i32);
  f.get(1).i32(tile).op(OP.i32Mul).set(begin);
  f.get(2).i32(tile).op(OP.i32Mul).set(count);
  f.get(count).i32(extent).op(OP.i32GtS).if(() => f.i32(extent).set(count));
  f.get(count).get(begin).op(OP.i32Sub).set(count);
  const address = (view: View, axis: number) => {
    pushBase(f, view);
    // the matrix
    f.get(number).set(rest);
    for (let i = rank - 1; i >= 0; i--) {
      if (view.strides[i] !== 0) {
        f.get(rest);
        if (i > 0) f.i32(batch[i]).op(OP.i32RemU);
        f.i32(view.strides[i] * 4).op(OP.i32Mul).op(OP.i32Add);
      }
      if (i > 0) f.get(rest).i32(batch[i]).op(OP.i32DivU).set(rest);
    }
    // the share
    if (axis >= 0) f.get(begin).i32(view.strides[rank + axis] * 4).op(OP.i32Mul).op(OP.i32Add);
  };
  f.i32(0).set(number);
  f.loop(number, () => f.i32(product(batch)), 1, () => {
    if (byColumns) f.i32(m).get(count);
    else f.get(count).i32(n);
    f.i32(k);
    address(a, byColumns ? -1 : 0);
    f.i32(a.strides[rank]).i32(a.strides[rank + 1]);
    address(b, byColumns ? 1 : -1);
    f.i32(b.strides[rank]).i32(b.strides[rank + 1]);
    address(c, byColumns ? 1 : 0);
    f.i32(c.strides[rank]).get(3).i32(0).call(context.imports.matmul);
  });
  return { index: context.module.add(f), items: Math.ceil(extent / tile), wide: true };
}

/** Fills the result with what the sums start from, then adds up; threads share the inner columns. */
function scatterStages(context: Context, kernel: ScatterAddKernel): Stage[] {
  const { outer, n, inner, size, src, index, init, out } = kernel;
  const shape = [outer, size, inner];
  const start: MapKernel = {
    op: "map",
    shape,
    body: [init ? { k: "load", view: init } : { k: "const", value: 0, type: "f32" }],
    outs: [{ view: out, value: 0 }],
  };
  const f = new Fn([T.i32, T.i32, T.i32]);
  f.i32(outer).i32(n).i32(size).get(1).get(2);
  pushBase(f, src);
  for (const s of src.strides) f.i32(s);
  pushBase(f, index);
  for (const s of index.strides) f.i32(s);
  f.i32(index.dtype === "u8" ? 1 : 4);
  pushBase(f, out);
  for (const s of out.strides) f.i32(s);
  f.call(context.imports.scatterAdd);
  const add: Stage = { index: context.module.add(f), items: inner, cost: outer * n * inner * 0.002 };
  const inPlace = init !== undefined && init.slot === out.slot && init.offset === out.offset;
  return inPlace ? [add] : [simpleStage(context, start), add];
}
