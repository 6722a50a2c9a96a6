/**
 * Element-wise kernels: one element a thread, or four neighbours where memory lies well.
 *
 * @module
 */
import type { Inst, MapKernel, View } from "../../contract.ts";
import { Access } from "./access.ts";
import { ExprWriter } from "./expr_writer.ts";
import { fitsVector, Lanes } from "./lanes.ts";
import { closure } from "../../data_flow.ts";
import {
  coordinates,
  type Dispatch,
  fold,
  kernelText,
  type PlanContext,
  Segments,
  sizeOf,
  usesSegments,
} from "./plan.ts";
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

/**
 * Plans an element-wise kernel. Along a single axis, up to three elements that fill no vector take a dispatch of their
 * own; its pipeline is made in any case, so that a last batch of odd size compiles nothing.
 */
export function planMap(kernel: MapKernel, context: PlanContext, label: string): Dispatch[] {
  const { shape, body, outs } = kernel;
  const { uniformParams, halves } = context;
  const lanesOf = new Lanes(body);
  const fits = (view: View, load?: Inst & { k: "load" }) => load === undefined ? fitsVector(view) : lanesOf.fits(load);
  const vectors = new Access({ body, outs, uniformParams, halves, fits });
  const count = sizeOf(shape);
  const plain = () => new Access({ body, outs, uniformParams, halves });
  if (!isVector(kernel, vectors, lanesOf)) return [planElements(kernel, context, label, plain(), 1, [0, count])];
  const whole = count - count % 4;
  const main = planElements(kernel, context, label, vectors, 4, [0, whole]);
  if (shape.length > 1) return [main];
  return [main, planElements(kernel, context, `${label} tail`, plain(), 1, [whole, count])];
}

/** Elements `[start, end)`, `lanes` a thread. */
function planElements(
  kernel: MapKernel,
  context: PlanContext,
  label: string,
  access: Access,
  lanes: 1 | 4,
  [start, end]: readonly [number, number],
): Dispatch {
  const { shape, body, outs } = kernel;
  const words = new Words();
  const segments = new Segments(words);
  const grid = fold(Math.ceil((end - start) / (lanes * WG)));
  const coords = shape.map((_, axis) => `c${axis}`);
  const writer = new ExprWriter({ body, access, words, coords, lanes, segments: (starts) => segments.add(starts) });
  const [width, first, last] = [words.add(grid[0]), words.add(start), words.add(end)];
  const at = `(group.y * ${width} + group.x) * WG + local`;
  const main = [
    `let i = ${first} + ${lanes === 4 ? `4u * (${at})` : at};`,
    `if (i >= ${last}) {`,
    `  return;`,
    `}`,
    ...coordinates(coords, shape, "i", words),
    ...writer.statements(closure(body, outs.map((out) => out.value))),
    ...writer.stores(outs),
  ];
  const text = kernelText({ lanes, words, access, used: writer.used, segments: usesSegments(body), main });
  const bindings = [...segments.bindings(context), ...access.bindings()];
  return { label, text, overrides: { WG }, constants: words.toArray(), bindings, grid };
}
