/**
 * Leaves out copies: where a kernel does nothing but bring to other places what kernels before it have stored, those store
 * there at once. The parts of a strided convolution's gradient are interleaved that way.
 *
 * @module
 */
import type { ConvKernel, Kernel, MapKernel, Program, Store, View } from "../contract.ts";
import { loadsOf, slotsOf, storesOf } from "../last_access.ts";

/**
 * The kernels of `program`, null where a copy was left out. A copy stays where a kernel between touches its target: what
 * lies there may share its memory, or be another part of the same tensor.
 */
export function forwardStores(program: Program): (Kernel | null)[] {
  const kernels: (Kernel | null)[] = [...program.kernels];
  kernels.forEach((kernel, i) => {
    const copy = kernel === null ? null : copyOf(kernel);
    if (copy === null || program.slots[copy.from.slot].kind !== "temporary") return;
    const writers = writersOf(kernels, i, copy);
    if (writers === null) return;
    const between = kernels.slice(Math.min(...writers), i);
    if (between.some((other) => other !== null && slotsOf(other).has(copy.to.slot))) return;
    const moved = writers.map((at) => redirect(kernels[at]!, copy));
    if (moved.some((other) => other === null)) return;
    writers.forEach((at, w) => kernels[at] = moved[w]);
    kernels[i] = null;
  });
  return kernels;
}

/** A kernel that stores what it loads, elsewhere. */
interface Copy {
  readonly shape: readonly number[];
  readonly from: View;
  readonly to: View;
}

function copyOf(kernel: Kernel): Copy | null {
  if (kernel.op !== "map" || kernel.body.length !== 1 || kernel.outs.length !== 1) return null;
  const [inst] = kernel.body, [{ view: to }] = kernel.outs;
  if (inst.k !== "load" || inst.index !== undefined || (inst.guards ?? []).length > 0) return null;
  const from = inst.view;
  const plain = [from, to].every(({ dtype, dyn, slot }) => dtype === "f32" && dyn === undefined && slot !== 0);
  return plain && from.slot !== to.slot ? { shape: kernel.shape, from, to } : null;
}

/** Kernels that store what `copy`, kernel `at`, loads; null unless nobody else reads that. */
function writersOf(kernels: readonly (Kernel | null)[], at: number, { shape, from }: Copy): number[] | null {
  const writers: number[] = [];
  let missing = shape.reduce((a, b) => a * b, 1);
  for (let i = at - 1; i >= 0 && missing > 0; i--) {
    const kernel = kernels[i];
    if (kernel === null) continue;
    const written = storesOf(kernel).filter(({ slot }) => slot === from.slot);
    if (reads(kernel, from.slot)) return null;
    if (written.length === 0) continue;
    if (written.length > 1 || (kernel.op !== "map" && kernel.op !== "conv")) return null;
    missing -= sizeOf(kernel);
    writers.push(i);
  }
  if (missing !== 0) return null;
  for (const kernel of kernels.slice(at + 1)) {
    if (kernel === null) continue;
    if (reads(kernel, from.slot)) return null;
    if (slotsOf(kernel).has(from.slot)) break;
  }
  return writers;
}

/** `kernel` with its store to the slot that `copy` loads going where `copy` stores; null if that is no affine address. */
function redirect(kernel: Kernel, copy: Copy): Kernel | null {
  if (kernel.op !== "map" && kernel.op !== "conv") return null;
  const lead = kernel.op === "conv" ? 2 : 0;
  // an axis that runs through several of the copy's is taken apart
  for (let whole: MapKernel | ConvKernel | null = kernel; whole !== null;) {
    const sizes = whole.op === "conv" ? [whole.groups, whole.m, ...whole.n] : whole.shape;
    const at: number = whole.outs.findIndex(({ view }) => view.slot === copy.from.slot);
    const found = placeOf(whole.outs[at].view, sizes, copy);
    if (found === null) return null;
    if ("view" in found) {
      return { ...whole, outs: whole.outs.map((out, i): Store => i === at ? { ...out, view: found.view } : out) };
    }
    whole = found.axis < lead ? null : split(whole, found.axis - lead, found.size);
  }
  return null;
}

/** Where `view` goes, or an axis that must be taken apart first, and how long the inner part is. */
function placeOf(
  view: View,
  sizes: readonly number[],
  { shape, from, to }: Copy,
): { view: View } | { axis: number; size: number } | null {
  const order = shape.map((_, j) => j).filter((j) => shape[j] > 1).sort((i, j) => from.strides[j] - from.strides[i]);
  if (view.dyn !== undefined || order.some((j) => from.strides[j] <= 0)) return null;
  // every element that is loaded has one address: axes reach from one of their steps to the next of the axis above
  for (let i = 1; i < order.length; i++) {
    if (from.strides[order[i]] * shape[order[i]] > from.strides[order[i - 1]]) return null;
  }
  const reached = shape.map(() => 0);
  let rest = view.offset - from.offset;
  if (rest < 0) return null;
  for (const j of order) {
    reached[j] = Math.floor(rest / from.strides[j]);
    rest -= reached[j] * from.strides[j];
  }
  if (rest !== 0) return null;
  const offset = reached.reduce((sum, digit, j) => sum + digit * to.strides[j], to.offset);
  const strides: number[] = [];
  for (const [axis, size] of sizes.entries()) {
    const stride = view.strides[axis];
    if (size === 1) {
      strides.push(0);
      continue;
    }
    const j = order.find((j) => stride >= from.strides[j]);
    if (j === undefined || stride % from.strides[j] !== 0) return null;
    const step = stride / from.strides[j];
    if (step === 1 && reached[j] === 0 && size > shape[j] && size % shape[j] === 0) return { axis, size: shape[j] };
    reached[j] += step * (size - 1);
    strides.push(step * to.strides[j]);
  }
  if (order.some((j) => reached[j] >= shape[j])) return null;
  return { view: { ...to, offset, strides } };
}

/** `kernel` with axis `axis` of its shape, or of its places, as two; null if it can't have more. */
function split(kernel: MapKernel | ConvKernel, axis: number, size: number): MapKernel | ConvKernel | null {
  const cut = <T extends { readonly strides: readonly number[] }>(of: T, at: number): T => ({
    ...of,
    strides: [...of.strides.slice(0, at), of.strides[at] * size, of.strides[at], ...of.strides.slice(at + 1)],
  });
  const apart = (sizes: readonly number[]) => [
    ...sizes.slice(0, axis),
    sizes[axis] / size,
    size,
    ...sizes.slice(axis + 1),
  ];
  const inside = <K extends MapKernel | ConvKernel>(of: K, at: number): K => ({
    ...of,
    body: of.body.map((inst) =>
      inst.k === "load"
        ? { ...inst, view: cut(inst.view, at), ...(inst.guards && { guards: inst.guards.map((g) => cut(g, at)) }) }
        : inst.k === "coord"
        ? cut(inst, at)
        : inst
    ),
    outs: of.outs.map((out) => ({ ...out, view: cut(out.view, at) })),
  });
  if (kernel.body.some(({ k }) => k === "segment")) return null;
  if (kernel.op === "map") return { ...inside(kernel, axis), shape: apart(kernel.shape) };
  if (kernel.n.length === 3) return null;
  const own = 1 + kernel.k.length + axis;
  return {
    ...inside(kernel, 2 + axis),
    n: apart(kernel.n),
    b: cut(kernel.b, own),
    guards: kernel.guards.map((guard) => cut(guard, own)),
  };
}

function sizeOf(kernel: MapKernel | ConvKernel): number {
  const sizes = kernel.op === "map" ? kernel.shape : [kernel.groups, kernel.m, ...kernel.n];
  return sizes.reduce((a, b) => a * b, 1);
}

function reads(kernel: Kernel, slot: number): boolean {
  return loadsOf(kernel).some((view) => view.slot === slot);
}
