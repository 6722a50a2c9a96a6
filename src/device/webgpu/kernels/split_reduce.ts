/**
 * Few, long rows: each row is cut into chunks, a workgroup per chunk, and the partial results are folded in their order.
 *
 * @module
 */
import type { ReduceKernel } from "../../contract.ts";
import { Access } from "./access.ts";
import { ExprWriter } from "./expr_writer.ts";
import { Folds } from "./folds.ts";
import { closure } from "../../data_flow.ts";
import { type Reduction, type RowPasses, rowPasses } from "../../rows.ts";
import {
  coordinates,
  type Dispatch,
  fold,
  indent,
  kernelText,
  type PlanContext,
  Segments,
  sizeOf,
  usesSegments,
} from "./plan.ts";
import { Words } from "./words.ts";

const WG = 256;
/** Most chunks of a row: one partial result per thread of the workgroup that folds them. */
const MOST_CHUNKS = 128;
const SMALLEST_CHUNK = 4096;

/** Chunks that a row is cut into, by the shape alone; 1 where it is not worth it. */
export function chunksPerRow({ outer, inner, outs }: ReduceKernel): number {
  const [rows, length] = [sizeOf(outer), sizeOf(inner)];
  if (rows >= MOST_CHUNKS || length < 4 * SMALLEST_CHUNK || !outs.every((out) => out.perRow)) return 1;
  return Math.min(Math.ceil(MOST_CHUNKS / rows), Math.ceil(length / SMALLEST_CHUNK));
}

/** Plans one dispatch per level of reductions, and a last one that stores. */
export function planSplitReduce(kernel: ReduceKernel, context: PlanContext, label: string): Dispatch[] {
  const chunks = chunksPerRow(kernel);
  const rows = sizeOf(kernel.outer);
  const info = rowPasses(kernel);
  const needed = closure(kernel.body, kernel.outs.map((out) => out.value));
  const all = info.passes.flat();
  // per fold and chunk of a row: the bits of the value, and its index
  const scratch = context.scratch(all.length * 2 * rows * chunks * 4);
  const dispatches: Dispatch[] = [];
  for (let level = 0; level <= info.passes.length; level++) {
    dispatches.push(
      planPass({ kernel, context, chunks, info, needed, all, scratch, level, label: `${label} pass ${level}` }),
    );
  }
  return dispatches;
}

interface Pass {
  readonly kernel: ReduceKernel;
  readonly context: PlanContext;
  readonly chunks: number;
  readonly info: RowPasses;
  readonly needed: readonly number[];
  readonly all: readonly Reduction[];
  readonly scratch: number;
  readonly level: number;
  readonly label: string;
}

function planPass(pass: Pass): Dispatch {
  const { kernel, context, chunks, info, all, scratch, level, label } = pass;
  const { outer, inner, body, outs } = kernel;
  const last = level === info.passes.length;
  const words = new Words();
  const access = new Access({ body, outs, uniformParams: context.uniformParams, halves: context.halves });
  const segments = new Segments(words);
  const rowNames = outer.map((_, axis) => `c${axis}`);
  const innerNames = inner.map((_, axis) => `c${outer.length + axis}`);
  const writer = new ExprWriter({
    body,
    access,
    words,
    coords: [...rowNames, ...innerNames],
    segments: (starts) => segments.add(starts),
  });
  const rows = sizeOf(outer);
  const groups = last ? rows : rows * chunks;
  const [x, y] = fold(groups);
  const [width, total, count] = [words.add(x), words.add(groups), words.add(chunks)];
  const partials = (position: number, part: 0 | 1) =>
    `partials[${words.add((2 * position + part) * rows * chunks)} + row * ${count}`;
  const isRow = (i: number) => info.perRow[i];
  const main = [
    `let group_at = group.y * ${width} + group.x;`,
    `if (group_at >= ${total}) {`,
    `  return;`,
    `}`,
    last ? `let row = group_at;` : `let row = group_at / ${count};`,
    ...coordinates(rowNames, outer, "row", words, "rest_of_row"),
  ];
  for (let below = 0; below <= level; below++) {
    if (below > 0) main.push(...combine(info.passes[below - 1], pass, { writer, words, count, partials }));
    main.push(...writer.statements(
      pass.needed.filter((i) => info.perRow[i] && info.level[i] === below && body[i].k !== "reduce"),
    ));
  }
  if (last) {
    main.push(
      "if (local == 0u) {",
      ...indent([
        ...innerNames.map((name) => `let ${name} = 0u;`),
        ...writer.statements(closure(body, outs.map((out) => out.value), isRow)),
        ...writer.stores(outs),
      ]),
      "}",
    );
  } else {
    const now = info.passes[level];
    const folds = new Folds(now, writer, words);
    const chunk = words.add(Math.ceil(sizeOf(inner) / chunks));
    main.push(
      `let chunk = group_at % ${count};`,
      `let end = min((chunk + 1u) * ${chunk}, ${words.add(sizeOf(inner))});`,
      ...folds.start(),
      `for (var j = chunk * ${chunk} + local; j < end; j += WG) {`,
      ...indent([
        ...coordinates(innerNames, inner, "j", words, "rest_of_j"),
        ...writer.statements(closure(body, now.map((f) => f.a), isRow)),
        ...folds.step("j"),
      ]),
      `}`,
      ...folds.keep((i, part) => `${partials(all.indexOf(now[i]), part)} + chunk]`),
    );
  }
  const bindings = [...segments.bindings(context), ...access.bindings(), { slot: scratch, writable: true }];
  const extra = `@group(0) @binding(${bindings.length}) var<storage, read_write> partials: array<u32>;`;
  const text = kernelText({
    lanes: 1,
    words,
    access,
    used: writer.used,
    segments: usesSegments(body),
    extra,
    main,
  });
  return { label, text, overrides: { WG }, constants: words.toArray(), bindings, grid: [x, y] };
}

interface Combining {
  readonly writer: ExprWriter;
  readonly words: Words;
  readonly count: string;
  readonly partials: (position: number, part: 0 | 1) => string;
}

/** Folds the partial results of earlier passes: every workgroup of the row does the same. */
function combine(folds: readonly Reduction[], { all }: Pass, { writer, words, count, partials }: Combining): string[] {
  if (folds.length === 0) return [];
  const part = new Folds(folds, writer, words);
  return [
    ...part.start(),
    `if (local < ${count}) {`,
    ...indent(part.take((i, which) => `${partials(all.indexOf(folds[i]), which)} + local]`)),
    `}`,
    ...part.finish(true),
  ];
}
