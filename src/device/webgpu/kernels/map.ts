/**
 * Element-wise kernels: one element a thread, or four neighbours where memory lies well.
 *
 * @module
 */
import type { MapKernel, View } from "../../contract.ts";
import { Access } from "./access.ts";
import { BodyWriter } from "./body.ts";
import { closure } from "./operations.ts";
import { coordinates, fold, kernelText, type PlanContext, Segments, sizeOf, type Step, usesSegments } from "./plan.ts";
import { Words } from "./words.ts";

const WG = 64;

/** Whether four neighbours along the last axis are one aligned vector in memory. */
export function fitsVector(view: View): boolean {
  const { strides, offset, dyn, dtype } = view;
  return dtype !== "u8" && dyn === undefined && offset % 4 === 0 && strides.at(-1) === 1 &&
    strides.slice(0, -1).every((stride) => stride % 4 === 0);
}

function isVector(kernel: MapKernel, access: Access): boolean {
  const { shape, body, outs } = kernel;
  if (shape.length === 0) return false;
  // along a single axis the last vector may be partly filled
  if (shape.length > 1 && shape[shape.length - 1] % 4 !== 0) return false;
  if (body.some((inst) => inst.k === "load" && (inst.index !== undefined || (inst.guards?.length ?? 0) > 0))) {
    return false;
  }
  return outs.every((out) => access.memory(out.view.slot).vector);
}

/** Plans an element-wise kernel. */
export function planMap(kernel: MapKernel, context: PlanContext, label: string): Step[] {
  const { shape, body, outs } = kernel;
  const vectors = new Access(body, outs, fitsVector);
  const wide = isVector(kernel, vectors);
  const access = wide ? vectors : new Access(body, outs);
  const lanes = wide ? 4 : 1;
  const words = new Words();
  const segments = new Segments(words);
  const count = sizeOf(shape);
  const [x, y] = fold(Math.ceil(count / (lanes * WG)));
  const coords = shape.map((_, axis) => `c${axis}`);
  const writer = new BodyWriter({ body, access, words, coords, lanes, segments: (starts) => segments.add(starts) });
  const [width, total] = [words.add(x), words.add(count)];
  const at = `(group.y * ${width} + group.x) * WG + local`;
  const main = [
    `let i = ${lanes === 4 ? `4u * (${at})` : at};`,
    `if (i >= ${total}) {`,
    `  return;`,
    `}`,
    ...coordinates(coords, shape, "i", words),
    ...writer.statements(closure(body, outs.map((out) => out.value))),
    ...stores(writer, kernel, lanes, total),
  ];
  const text = kernelText({ lanes, words, access, used: writer.used, segments: usesSegments(body), main });
  const bindings = [...segments.bindings(context), ...access.bindings()];
  return [{ label, text, overrides: { WG }, constants: words.toArray(), bindings, grid: [x, y] }];
}

// The last vector along a single axis may reach beyond the end: those elements keep what they hold
function stores(writer: BodyWriter, kernel: MapKernel, lanes: 1 | 4, total: string): string[] {
  const plain = writer.stores(kernel.outs);
  if (lanes === 1 || kernel.shape.length > 1) return plain;
  const kept = plain.map((line) => line.replace(/^(.*) = (.*);$/, "$1 = select($1, $2, inside);"));
  return [
    `if (i + 4u <= ${total}) {`,
    ...plain.map((line) => `  ${line}`),
    `} else {`,
    `  let inside = vec4u(i) + vec4u(0u, 1u, 2u, 3u) < vec4u(${total});`,
    ...kept.map((line) => `  ${line}`),
    `}`,
  ];
}
