/**
 * Rows of reductions: a thread per row where rows are many, a workgroup per row where they are long.
 *
 * @module
 */
import { isFloat } from "../../../base/dtype.ts";
import type { Inst, ReduceKernel, Store } from "../../contract.ts";
import { Access } from "./access.ts";
import { ExprWriter } from "./expr_writer.ts";
import { Folds } from "./folds.ts";
import { closure } from "../../data_flow.ts";
import { rowPasses } from "../../rows.ts";
import { typesOf } from "../../instructions.ts";
import {
  coordinates,
  counters,
  type Dispatch,
  fold,
  indent,
  kernelText,
  type PlanContext,
  Segments,
  sizeOf,
  usesSegments,
} from "./plan.ts";
import { chunksPerRow, planSplitReduce } from "./split_reduce.ts";
import { Words } from "./words.ts";

/** Most threads that share a row on adapters that run on a CPU: there threads that wait for each other take turns, those of one vector need not. */
const FEW_THREADS = 8;

/** Rows that keep the cores of a CPU busy, a vector of threads each. */
const ROWS_FOR_A_CPU = 16;

/**
 * Whether a row is summed by fours: the sums of its first, second, third and last elements are kept apart, as CPUs load four
 * neighbours at once. By the shape alone, so that a sum has the same bits whatever else its kernel does.
 */
function sumsByFours({ inner, body }: ReduceKernel): boolean {
  const last = inner[inner.length - 1] ?? 1;
  const types = typesOf(body);
  return Math.ceil(last / 4) * 4 <= 1.5 * last &&
    body.some((inst) => inst.k === "reduce" && inst.kind === "sum" && types[inst.a] === "f32");
}

/** Whether a thread can take four neighbours at a time: elements that follow each other in memory. */
function takesFours({ body, outs }: ReduceKernel): boolean {
  const views = [...body.flatMap((inst) => inst.k === "load" ? [inst.view] : []), ...outs.map(({ view }) => view)];
  const types = typesOf(body);
  return views.some(({ strides }) => strides.at(-1) === 1) &&
    views.every(({ strides, dtype }) => isFloat(dtype) && (strides.at(-1) === 0 || strides.at(-1) === 1)) &&
    body.every((inst) =>
      inst.k === "reduce"
        ? inst.kind === "sum" && types[inst.a] === "f32"
        : inst.k === "load"
        ? inst.index === undefined && (inst.guards ?? []).length === 0
        : inst.k !== "segment"
    );
}

/**
 * Threads that share a row. A function of the shape and the strides alone, with bounds far from where the size of a
 * batch lies: a last, shorter batch must not need other kernels.
 */
function threadsPerRow({ outer, inner, body }: ReduceKernel): number {
  const [rows, length] = [sizeOf(outer), sizeOf(inner)];
  if (rows === 1) return length <= 4 ? 1 : 256;
  const along = body.some((inst) => inst.k === "load" && inst.view.strides.at(-1) === 1 && inner.length > 0);
  // down the columns, neighbouring threads read neighbouring elements
  if (!along) return length <= 4096 ? 1 : 64;
  if (length <= 32) return 1;
  return length >= 1024 ? 256 : 64;
}

/** Plans rows of reductions. */
export function planReduce(kernel: ReduceKernel, context: PlanContext, label: string): Dispatch[] {
  const { outer, inner, body, outs } = kernel;
  const wanted = threadsPerRow(kernel);
  const onCpu = wanted > 1 && (context.strategy() === "register" || context.strategy() === "texel");
  if (chunksPerRow(kernel) > 1 && !(onCpu && sizeOf(outer) >= ROWS_FOR_A_CPU)) {
    return planSplitReduce(kernel, context, label);
  }
  const threads = onCpu ? Math.min(wanted, FEW_THREADS) : wanted;
  const fours = onCpu && sumsByFours(kernel);
  const lanes = fours && takesFours(kernel) ? 4 : 1;
  const words = new Words();
  const access = new Access({ body, outs, uniformParams: context.uniformParams, halves: context.halves });
  const segments = new Segments(words);
  const outerNames = outer.map((_, axis) => `c${axis}`);
  const innerNames = inner.map((_, axis) => `c${outer.length + axis}`);
  const coords = [...outerNames, ...innerNames];
  const writer = new ExprWriter({ body, access, words, coords, lanes, segments: (starts) => segments.add(starts) });
  const rows = sizeOf(outer);
  const wg = threads === 1 ? 64 : threads;
  const [x, y] = fold(threads === 1 ? Math.ceil(rows / wg) : rows);
  const [width, total] = [words.add(x), words.add(rows)];
  const group = `group.y * ${width} + group.x`;
  const main = [
    `let row = ${threads === 1 ? `(${group}) * WG + local` : group};`,
    `if (row >= ${total}) {`,
    `  return;`,
    `}`,
    ...coordinates(outerNames, outer, "row", words, "rest_of_row"),
    ...rowStatements(kernel, { writer, words, threads, innerNames, fours }),
  ];
  const text = kernelText({ lanes, words, access, used: writer.used, segments: usesSegments(body), main });
  const bindings = [...segments.bindings(context), ...access.bindings()];
  return [{ label, text, overrides: { WG: wg }, constants: words.toArray(), bindings, grid: [x, y] }];
}

interface RowParts {
  readonly writer: ExprWriter;
  readonly words: Words;
  readonly threads: number;
  /** Whether rows are summed by fours, one after the other if a thread takes one element at a time. */
  readonly fours: boolean;
  readonly innerNames: readonly string[];
}

function rowStatements(kernel: ReduceKernel, parts: RowParts): string[] {
  const { inner, body, outs } = kernel;
  const { writer, words, threads, innerNames, fours } = parts;
  const { level, perRow, passes } = rowPasses(kernel);
  const needed = closure(body, outs.map((out) => out.value));
  const last = inner.length - 1;
  const wide = writer.lanes === 4;
  const counted = fours ? [...inner.slice(0, -1), Math.ceil(inner[last] / 4)] : inner;
  const names = fours ? [...innerNames.slice(0, -1), `${innerNames[last]}_four`] : innerNames;
  const start = fours ? [`let ${innerNames[last]} = 4u * ${names[last]}${wide ? "" : " + lane"};`] : [];
  const size = fours && inner[last] % 4 !== 0 ? words.add(inner[last]) : undefined;
  if (size !== undefined && wide) {
    start.push(`let inside = U(${innerNames[last]}) + vec4u(0u, 1u, 2u, 3u) < U(${size});`);
  }
  // of an element in its row, for the largest and smallest ones
  const four = names[last], line = fours ? words.add(counted[last]) : "";
  const place = !fours || wide
    ? "j"
    : size === undefined
    ? "4u * j + lane"
    : `quotient(j - ${four}, ${line}) * ${size} + 4u * ${four} + lane`;
  const length = words.add(sizeOf(counted));
  const lines: string[] = [];
  const isRow = (i: number) => perRow[i];
  const rowsOf = (after: number) =>
    writer.statements(needed.filter((i) => perRow[i] && level[i] === after && body[i].k !== "reduce"));
  const elements = (content: readonly string[]) => {
    if (!fours || wide) return content;
    const inside = size === undefined ? "lane < 4u" : `lane < min(4u, ${size} - 4u * ${names[last]})`;
    return [`for (var lane = 0u; ${inside}; lane++) {`, ...indent(content), `}`];
  };
  const loop = (content: readonly string[]) => {
    const index = threads === 1 ? "0u" : "local";
    const counting = counters(names, counted, words, { index, step: threads, rest: "rest_of_j" });
    return [
      `{`,
      ...indent([
        ...counting.start,
        `for (var j = ${index}; j < ${length}; j += ${threads === 1 ? "1u" : "WG"}) {`,
        ...indent([...elements([...start, ...content]), ...counting.next]),
        `}`,
      ]),
      `}`,
    ];
  };
  const full = outs.filter((out) => !out.perRow);
  const once = outs.filter((out) => out.perRow);
  // what needs no sum is stored on the way
  const early = passes.length === 1 && full.every((out) => level[out.value] === 0);
  passes.forEach((now, pass) => {
    lines.push(...rowsOf(pass));
    const folds = new Folds(now, writer, words, fours && !wide);
    lines.push(...folds.start());
    lines.push(...loop([
      ...writer.statements(closure(body, [...now.map((f) => f.a), ...(early ? full.map((o) => o.value) : [])], isRow)),
      ...folds.step(place, size !== undefined),
      ...(early ? writer.stores(full, wide ? size : undefined) : []),
    ]));
    lines.push(...folds.finish(threads > 1));
  });
  lines.push(...rowsOf(passes.length));
  if (full.length > 0 && !early) {
    lines.push(...loop([
      ...writer.statements(closure(body, full.map((out) => out.value), isRow)),
      ...writer.stores(full, wide ? size : undefined),
    ]));
  }
  if (once.length > 0) lines.push(...storeRows(once, parts, body, isRow, full.length > 0));
  return lines;
}

// Stored last: other threads of the row may still be reading what is overwritten
function storeRows(
  outs: readonly Store[],
  { writer, threads, innerNames }: RowParts,
  body: readonly Inst[],
  isRow: (i: number) => boolean,
  afterLoop: boolean,
): string[] {
  const first = innerNames.map((name) => `let ${name} = 0u;`);
  const content = [
    ...writer.statements(closure(body, outs.map((out) => out.value), isRow)),
    ...writer.stores(outs),
  ];
  const barrier = threads > 1 && afterLoop ? ["storageBarrier();"] : [];
  return [...barrier, threads > 1 ? "if (local == 0u) {" : "{", ...indent([...first, ...content]), "}"];
}
