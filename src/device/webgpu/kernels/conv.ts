/**
 * Products whose right operand is read through windows: a hand-written tile kernel, with text for where the operands lie
 * and for what is padding spliced in. The matrix of the windows is never stored.
 *
 * @module
 */
import type { ConvKernel } from "../../contract.ts";
import { CONV_SHARED } from "../wgsl.gen.ts";
import { baseText, chunksOf, operandText, partialsOut, planFold, productOf, three } from "./conv_parts.ts";
import { planConvTexel } from "./conv_texel.ts";
import { isThin, planConvThin } from "./conv_thin.ts";
import { packedBytes, planConvUniform } from "./conv_uniform.ts";
import { splice, withConstants, writeEpilogue } from "./epilogue.ts";
import { guardsText } from "./guards.ts";
import { type Dispatch, fold, type PlanContext } from "./plan.ts";
import { planConvTiled } from "./tiled.ts";
import { Words } from "./words.ts";

/** Terms that the shared kernel takes a round. */
const ROUND = 16;

/** Plans a product over windows, with a second dispatch for the sum of the chunks where long sums are cut into some. */
export function planConv(kernel: ConvKernel, context: PlanContext, label: string): Dispatch[] {
  if (isThin(kernel)) return planConvThin(kernel, context, label);
  const strategy = context.strategy();
  if (strategy === "shared") return planConvShared(kernel, context, label);
  if (strategy === "tiled") return planConvTiled(kernel, context, label);
  const texels = strategy === "texel" ? planConvTexel(kernel, context, label) : null;
  if (texels !== null) return texels;
  return packedBytes(kernel, context) <= context.mostScratch
    ? planConvUniform(kernel, context, label)
    : planConvShared(kernel, context, label);
}

function planConvShared(kernel: ConvKernel, context: PlanContext, label: string): Dispatch[] {
  const { groups, m, a, b } = kernel;
  const product = productOf(kernel, context);
  const { k, n, terms, places, kDepth, nDepth, halves } = product;
  const { chunk, chunks } = chunksOf(product);
  const [x, y] = fold(chunks * groups * Math.ceil(m / 64) * Math.ceil(places / 64));
  const words = new Words([
    ...[m, places, terms, groups],
    ...[k[1], k[2], n[1], n[2]],
    ...[a.strides[1], ...three(a.strides.slice(2), 0)],
    ...[...three(b.strides.slice(1, 1 + kDepth), 0), chunks],
    ...[...three(b.strides.slice(1 + kDepth), 0), chunk],
    ...[x, 8, 0, 0],
    ...[Math.floor(ROUND / (k[1] * k[2])), Math.floor(ROUND / k[2]) % k[1], ROUND % k[2], 0],
  ]);
  const quads = Math.ceil(places / 4);
  const scratch = chunks === 1 ? -1 : context.scratch(chunks * groups * m * quads * 16);
  const params = a.dyn !== undefined || b.dyn !== undefined;
  const epilogue = chunks === 1
    ? writeEpilogue({ ...product, n: product.axes, words, params, binding: 3 })
    : partialsOut({
      scratch,
      params,
      uniformParams: product.uniformParams,
      text: [
        "fn epilogue(b: u32, m: u32, n: u32, acc: vec4f) {",
        "  partials[(b * K[0].x + m) * ((K[0].y + 3u) / 4u) + n / 4u] = acc;",
        "}",
      ],
    });
  const base = baseText(words, epilogue.access);
  const guards = guardsText(kernel.guards, { words, kDepth, nDepth });
  let text = splice(CONV_SHARED, "a", operandText({ name: "a", binding: 1, dtype: a.dtype, halves }, base(a)));
  text = splice(text, "b", `${operandText({ name: "b", binding: 2, dtype: b.dtype, halves }, base(b))}\n${guards}`);
  const dispatches: Dispatch[] = [{
    label,
    text: withConstants(splice(text, "epilogue", epilogue.text), words),
    overrides: {},
    constants: words.toArray(),
    bindings: [{ slot: a.slot, writable: false }, { slot: b.slot, writable: false }, ...epilogue.bindings],
    grid: [x, y],
  }];
  if (chunks > 1) dispatches.push(planFold({ product, chunks, quads, line: quads, row: places, scratch, label }));
  return dispatches;
}
