/**
 * Operands of products: how their elements lie, and the text that reads 4x4 blocks of them.
 *
 * @module
 */
import type { View } from "../../contract.ts";
import { OPERAND_ANY, OPERAND_COLUMNS, OPERAND_ROWS, OPERAND_TEXELS } from "../wgsl.gen.ts";
import type { Access } from "./access.ts";
import { splice } from "./epilogue.ts";
import { ExprWriter } from "./expr_writer.ts";
import { memoryText } from "./operand_memory.ts";
import { coordinates, type Dispatch, indent, type TexelCopy } from "./plan.ts";
import { section } from "./wgsl_library.ts";
import type { Words } from "./words.ts";

/** How the elements of an operand lie: rows contiguous, columns contiguous, or anything. */
export type Layout = "rows" | "columns" | "any";

const OPERANDS: Record<Layout, string> = { rows: OPERAND_ROWS, columns: OPERAND_COLUMNS, any: OPERAND_ANY };

/**
 * How the elements of `view` lie.
 *
 * @param ends Sizes of the operand's last two axes.
 */
export function layoutOf(view: View, ends: readonly [number, number]): Layout {
  const [row, column] = view.strides.slice(-2);
  const batchFits = view.strides.slice(0, -2).every((stride) => stride % 4 === 0);
  if (view.dyn !== undefined || view.offset % 4 !== 0 || !batchFits) return "any";
  const vectors = (step: number, length: number) => step > 0 && step % 4 === 0 && length % 4 === 0;
  if (column === 1 && ends[1] % 4 === 0 && (vectors(row, ends[1]) || ends[0] === 1)) return "rows";
  if (row === 1 && ends[0] % 4 === 0 && (vectors(column, ends[0]) || ends[1] === 1)) return "columns";
  return "any";
}

/** An operand, and how it lies. */
export interface Operand {
  readonly name: "a" | "b";
  readonly view: View;
  readonly layout: Layout;
  /** Whether f16 is a type of the adapter's. */
  readonly halves: boolean;
  /** The texture that the operand is read from, and what fills it, if any. */
  readonly texture?: number;
  readonly copies?: readonly TexelCopy[];
  readonly fill?: readonly Dispatch[];
}

/** Text that gives elements of an operand, and 4x4 blocks of them. */
export function operandText(operand: Operand, batch: readonly number[], words: Words, access: Access): string {
  const { name, view, layout, halves, texture } = operand;
  const memory = { name: "x", binding: 1, dtype: view.dtype, halves, vectors: layout !== "any" };
  const data = texture === undefined ? memoryText(memory) : section(OPERAND_TEXELS, "data");
  const text = splice(section(OPERANDS[layout], "operand"), "data", data);
  const names = batch.map((_, axis) => `c${axis}`);
  const writer = new ExprWriter({ body: [], access, words, coords: names });
  const [stride, end] = name === "a" ? ["K[1].xy", "K[0].xz"] : ["K[1].zw", "K[0].zy"];
  return [
    `fn ${name}_base(b: u32) -> u32 {`,
    ...indent(coordinates(names, batch, "b", words)),
    `  return ${writer.form({ ...view, strides: view.strides.slice(0, -2) })};`,
    `}`,
    text.replaceAll("x_stride()", stride).replaceAll("x_end()", end).replace(/\bx_(\w+)/g, `${name}_$1`)
      .replace(/@binding\(1\)/, `@binding(${name === "a" ? 1 : 2})`),
  ].join("\n");
}
