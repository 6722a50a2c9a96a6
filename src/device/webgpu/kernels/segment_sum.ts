/**
 * Sums of segments: a workgroup per segment.
 *
 * @module
 */
import type { SegmentSumKernel, View } from "../../contract.ts";
import { Access } from "./access.ts";
import { ExprWriter } from "./expr_writer.ts";
import { Folds } from "./folds.ts";
import { closure } from "../../data_flow.ts";
import { type Dispatch, fold, indent, kernelText, type PlanContext, Segments } from "./plan.ts";
import { Words } from "./words.ts";

/** Longest stretch that one workgroup sums. */
const CHUNK = 8192;

/** Plans sums of segments; long segments are cut into chunks, whose sums are summed in turn. */
export function planSegmentSum(kernel: SegmentSumKernel, context: PlanContext, label: string): Dispatch[] {
  const { n, starts, body, outs } = kernel;
  const ends = [...starts.slice(1), n];
  if (starts.every((start, s) => ends[s] - start <= 2 * CHUNK)) return planSegments(kernel, context, label);
  const chunkStarts: number[] = [];
  const firstChunks = starts.map((start, s) => {
    const first = chunkStarts.length;
    for (let at = start; at < ends[s]; at += CHUNK) chunkStarts.push(at);
    return first;
  });
  const chunks = chunkStarts.length;
  const slot = context.scratch(outs.length * chunks * 4);
  const partial = (t: number): View => ({ slot, dtype: "f32", offset: t * chunks, strides: [1] });
  const first: SegmentSumKernel = {
    op: "segmentSum",
    n,
    starts: chunkStarts,
    body,
    outs: outs.map(({ value }, t) => ({ value, view: partial(t) })),
  };
  const second: SegmentSumKernel = {
    op: "segmentSum",
    n: chunks,
    starts: firstChunks,
    body: outs.map((_, t) => ({ k: "load", view: partial(t) })),
    outs: outs.map(({ view }, t) => ({ view, value: t })),
  };
  return [...planSegments(first, context, `${label} chunks`), ...planSegments(second, context, label)];
}

function planSegments(kernel: SegmentSumKernel, context: PlanContext, label: string): Dispatch[] {
  const { n, starts, body, outs } = kernel;
  const words = new Words();
  const access = new Access({ body, outs, uniformParams: context.uniformParams, halves: context.halves });
  const segments = new Segments(words);
  const writer = new ExprWriter({ body, access, words, coords: ["c0"], segments: (s) => segments.add(s) });
  // stores are per segment: the same slots, but a coordinate of their own
  const storer = new ExprWriter({ body, access, words, coords: ["s"] });
  const [x, y] = fold(starts.length);
  const wg = n / starts.length >= 1024 ? 256 : 64;
  const { first, count } = segments.add([...starts, n]);
  const width = words.add(x);
  const sums = [...new Set(outs.map((out) => out.value))];
  // instruction numbers beyond the body name the sums
  const folds = new Folds(sums.map((a, i) => ({ id: body.length + i, kind: "sum", a })), writer, words);
  const main = [
    `let s = group.y * ${width} + group.x;`,
    `if (s + 1u >= ${count}) {`,
    `  return;`,
    `}`,
    `let end = table[${first} + s + 1u];`,
    ...folds.start(),
    `for (var c0 = table[${first} + s] + local; c0 < end; c0 += WG) {`,
    ...indent([...writer.statements(closure(body, sums)), ...folds.step("c0")]),
    `}`,
    ...folds.finish(true),
    `if (local == 0u) {`,
    ...outs.flatMap((out) =>
      indent([
        `{`,
        `  let v${out.value} = v${body.length + sums.indexOf(out.value)};`,
        ...indent(storer.stores([out])),
        `}`,
      ])
    ),
    `}`,
  ];
  const text = kernelText({ lanes: 1, words, access, used: writer.used, segments: true, main });
  const bindings = [...segments.bindings(context), ...access.bindings()];
  return [{ label, text, overrides: { WG: wg }, constants: words.toArray(), bindings, grid: [x, y] }];
}
