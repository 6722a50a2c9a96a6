/**
 * Element-wise kernels: one element a thread, or four neighbours where memory lies well.
 *
 * @module
 */
import type { Inst, MapKernel, View } from "../../contract.ts";
import { Access } from "./access.ts";
import { BodyWriter } from "./body.ts";
import { fitsVector, Lanes } from "./lanes.ts";
import { closure } from "./operations.ts";
import { coordinates, fold, kernelText, type PlanContext, Segments, sizeOf, type Step, usesSegments } from "./plan.ts";
import { Words } from "./words.ts";

const WG = 64;

/** Loads that go element by element though the rest goes by four: more than these make long code. */
const MOST_LOOSE_LOADS = 4;

function isVector(kernel: MapKernel, access: Access, lanes: Lanes): boolean {
  const { shape, body, outs } = kernel;
  if (shape.length === 0) return false;
  // along a single axis the last vector may be partly filled
  if (shape.length > 1 && shape[shape.length - 1] % 4 !== 0) return false;
  const loose = body.filter((inst) => inst.k === "load" && lanes.isLoose(inst)).length;
  return loose <= MOST_LOOSE_LOADS && outs.every((out) => access.memory(out.view.slot).vector);
}

/** Plans an element-wise kernel. */
export function planMap(kernel: MapKernel, context: PlanContext, label: string): Step[] {
  const { shape, body, outs } = kernel;
  const { uniformParams } = context;
  const lanesOf = new Lanes(body);
  const fits = (view: View, load?: Inst & { k: "load" }) => load === undefined ? fitsVector(view) : lanesOf.fits(load);
  const vectors = new Access({ body, outs, uniformParams, fits });
  const wide = isVector(kernel, vectors, lanesOf);
  const access = wide ? vectors : new Access({ body, outs, uniformParams });
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

// The last vector along a single axis may reach beyond the end: those elements keep what they hold. Sizes that are
// multiples of 4, nearly all, go without: software adapters run both branches
function stores(writer: BodyWriter, kernel: MapKernel, lanes: 1 | 4, total: string): string[] {
  const plain = writer.stores(kernel.outs);
  if (lanes === 1 || kernel.shape.length > 1 || kernel.shape[0] % 4 === 0) return plain;
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
