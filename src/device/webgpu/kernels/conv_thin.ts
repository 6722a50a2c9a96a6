/**
 * Products over windows in groups of few rows, as depthwise convolutions are in every direction: tiles of many rows would
 * multiply by nothing, so a thread has places of one row, and both operands are read where they lie.
 *
 * @module
 */
import type { ConvKernel } from "../../contract.ts";
import { CONV_THIN } from "../wgsl.gen.ts";
import { baseText, operandText, planFold, type Product, productOf, three } from "./conv_parts.ts";
import { outText } from "./conv_uniform.ts";
import { splice, withConstants } from "./epilogue.ts";
import { guardsText } from "./guards.ts";
import { type Dispatch, fold, type PlanContext } from "./plan.ts";
import { windowLayout, WINDOWS } from "./windows.ts";
import { Words } from "./words.ts";

/** Rows of a group up to which a row of its own pays. */
const FEW_ROWS = 4;
/** Threads of a workgroup. */
const WG = 64;
/** Terms of a sequential sum; longer ones lose precision, and leave threads idle. */
const CHUNK = 256;
/** Most quads of partial sums. */
const MOST_PARTIALS = 2 ** 20;

/** Whether a product is of this kind. */
export function isThin({ groups, m }: ConvKernel): boolean {
  return groups > 1 && m <= FEW_ROWS;
}

/** Terms of a chunk, and chunks, by the shape alone. */
function chunksOf({ batch, m, terms }: Product, quads: number): { readonly chunk: number; readonly chunks: number } {
  const room = Math.max(1, Math.floor(MOST_PARTIALS / (batch[0] * m * quads)));
  const chunk = Math.ceil(terms / Math.min(Math.ceil(terms / CHUNK), room));
  return { chunk, chunks: Math.ceil(terms / chunk) };
}

/** Plans the product, and the sum of the chunks where long sums are cut into some. */
export function planConvThin(kernel: ConvKernel, context: PlanContext, label: string): Dispatch[] {
  const { a, b, groups, guards, m } = kernel;
  const product = productOf(kernel, context), layout = windowLayout(kernel);
  const { k, n, terms, places, kDepth, nDepth, halves } = product;
  const row = layout === "flat" ? places : n[2], line = Math.ceil(row / 4), quads = places / row * line;
  const { chunk, chunks } = chunksOf(product, quads), strips = Math.ceil(quads / 2);
  const scratch = chunks === 1 ? -1 : context.scratch(chunks * groups * m * quads * 16);
  const [x, y] = fold(Math.ceil(chunks * groups * m * strips / WG));
  const words = new Words([
    ...[m, places, terms, groups],
    ...[k[1], k[2], n[1], n[2]],
    ...[chunks, line, quads, strips],
    ...[...three(b.strides.slice(1, 1 + kDepth), 0), chunk],
    ...[...three(b.strides.slice(1 + kDepth), 0), 0],
    ...[x, 0, 0, 0],
    ...[0, row, 0, 0],
    ...[a.strides[1], ...three(a.strides.slice(2), 0)],
  ]);
  const params = a.dyn !== undefined || b.dyn !== undefined;
  const out = outText({ product, work: { partial: chunks > 1, parts: 1 }, scratch, layout, params }, words);
  const base = baseText(words, out.access);
  const windows = [
    operandText({ name: "b", binding: 2, dtype: b.dtype, halves }, base(b)),
    guardsText(guards, { words, kDepth, nDepth }),
    WINDOWS[layout],
  ].join("\n");
  const text = splice(
    splice(
      splice(CONV_THIN, "a", operandText({ name: "a", binding: 1, dtype: a.dtype, halves }, base(a))),
      "b",
      windows,
    ),
    "out",
    out.text,
  );
  return [
    {
      label,
      text: withConstants(text, words),
      overrides: { WG },
      constants: words.toArray(),
      bindings: [{ slot: a.slot, writable: false }, { slot: b.slot, writable: false }, ...out.bindings],
      grid: [x, y],
    },
    ...(chunks > 1 ? [planFold({ product, chunks, quads, line, row, scratch, label })] : []),
  ];
}
