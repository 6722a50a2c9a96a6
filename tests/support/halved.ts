/**
 * Programs whose operands are f16, and the same with copies of them as f32.
 *
 * @module
 */
import { floatToHalf } from "../../src/base/half.ts";
import type { Kernel, Program, Slot, View } from "../../src/device/contract.ts";
import { widenOperands } from "../../src/device/cpu/widen.ts";
import type { ProgramCase } from "./programs.ts";

/** `kernel` with other views. */
function mapViews(kernel: Kernel, of: (view: View) => View): Kernel {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    const own = Object.fromEntries(Object.entries(value).map(([name, part]) => [name, walk(part)]));
    return "slot" in own && "dtype" in own ? of(own as unknown as View) : own;
  };
  return walk(kernel) as Kernel;
}

/** Views that are f32 whatever the others are. */
function fixed(kernel: Kernel): readonly View[] {
  if (kernel.op === "scatterAdd") return [kernel.out, ...kernel.init === undefined ? [] : [kernel.init]];
  if (kernel.op === "attention") return [kernel.out];
  return kernel.op === "attentionGrad" ? [kernel.y, kernel.out] : [];
}

/** The case with f16 in place of f32 in whatever it only reads. */
export function halved(testCase: ProgramCase): ProgramCase {
  const { program, bound } = testCase;
  const views: View[] = [];
  for (const kernel of program.kernels) mapViews(kernel, (view) => (views.push(view), view));
  const kept = new Set(program.kernels.flatMap((kernel) => fixed(kernel).map(({ slot }) => slot)));
  const numbers = program.slots.flatMap(({ kind }, slot) => kind === "bound" ? [slot] : []);
  const half = new Set(
    numbers.filter((slot, i) =>
      bound[i] instanceof Float32Array && !program.slots[slot].written && !kept.has(slot) &&
      views.every((view) => view.slot !== slot || view.dtype === "f32")
    ),
  );
  return {
    ...testCase,
    program: {
      ...program,
      slots: program.slots.map((slot, i) =>
        half.has(i) ? { ...slot, bytes: Math.ceil(bound[numbers.indexOf(i)].length / 2) * 4 } : slot
      ),
      kernels: program.kernels.map((kernel) =>
        mapViews(kernel, (view) => half.has(view.slot) ? { ...view, dtype: "f16" } : view)
      ),
    },
    bound: bound.map((data, i) => half.has(numbers[i]) ? floatToHalf(data as Float32Array) : data),
  };
}

/** The case with copies in place of what {@link widenOperands} copies, and how many there are. */
export function widened(testCase: ProgramCase): { readonly testCase: ProgramCase; readonly copies: number } {
  const { program } = testCase, slots: Slot[] = [...program.slots];
  let copies = 0;
  const kernels = program.kernels.flatMap((given): Kernel[] => {
    const wide = widenOperands(
      given,
      program.slots,
      (bytes) => slots.push({ kind: "temporary", bytes: Math.ceil(bytes / 16) * 16, written: true }) - 1,
    );
    copies += wide.copies.length;
    return [...wide.copies, wide.kernel];
  });
  const own: Program = { ...program, slots, kernels };
  return { testCase: { ...testCase, program: own }, copies };
}
