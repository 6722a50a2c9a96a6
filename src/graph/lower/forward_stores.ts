/**
 * Store forwarding: where a kernel does nothing with a value but copy it elsewhere, the kernels that store the value store
 * it there at once, and the copy is left out. So the parts of a strided convolution's gradient are interleaved, and what
 * is concatenated is stored in place. A value that others read as well, such as the gradient of a recurrent layer's gates, which
 * the step before needs and the weights' gradient, is stored twice.
 *
 * @module
 */
import { sizeOf } from "../../base/shape.ts";
import type { Kernel, MapKernel, Store, View } from "../../device/contract.ts";
import { loadsOf, slotsOf, storesOf } from "../../device/last_access.ts";
import { pruned } from "./prune.ts";

/** What forwarding needs to know of memory. */
export interface Memory {
  /** Whether a slot holds one value of this program, each element stored once. */
  readonly isTemporary: (slot: number) => boolean;
  /** Most slots, parameters included, that a kernel may touch. */
  readonly maxSlots: number;
}

/**
 * `kernels` without the copies whose source is a temporary; no two values share a slot yet. A copy to memory that is no temporary stays
 * where a kernel between the first store and the copy touches the target: it may be what an assignment overwrites.
 */
export function forwardStores(kernels: readonly Kernel[], memory: Memory): Kernel[] {
  const program = new Kernels(kernels);
  for (let i = 0; i < kernels.length; i++) {
    // a kernel may hold several copies: what is left of it is looked through again
    for (let kernel = program.at(i); kernel?.op === "map"; kernel = program.at(i)) {
      if (!kernel.outs.some((_, out) => forward(program, i, out, memory))) break;
    }
  }
  return program.list();
}

/** Forwards the stores to what output `out` of kernel `at` copies, if it does and they can be. */
function forward(program: Kernels, at: number, out: number, { isTemporary, maxSlots }: Memory): boolean {
  const kernel = program.at(at) as MapKernel;
  const copy = copyOf(kernel, out);
  if (copy === null || !isTemporary(copy.from.slot)) return false;
  const others = kernel.outs.filter((_, o) => o !== out);
  const rest = others.length === 0 ? null : { ...kernel, ...pruned(kernel.body, others) };
  const loads = rest === null ? [] : loadsOf(rest);
  if (loads.some(({ slot }) => slot === copy.to.slot)) return false;
  const found = writersOf(program, at, copy);
  if (found === null) return false;
  const { writers } = found, keeps = found.read || loads.some(({ slot }) => slot === copy.from.slot);
  const first = Math.min(...writers);
  if (!isTemporary(copy.to.slot) && program.touching(copy.to.slot).some((i) => i >= first && i < at)) return false;
  const moved = writers.map((writer) => redirect(program.at(writer) as Writer, copy, keeps));
  if (moved.some((other) => other === null || slotsOf(other).size >= maxSlots)) return false;
  writers.forEach((writer, w) => program.set(writer, moved[w]));
  program.set(at, rest);
  return true;
}

/** The kernels of a program, null where one was left out, and who touches which slot. */
class Kernels {
  readonly #kernels: (Kernel | null)[];
  readonly #touching = new Map<number, Set<number>>();

  constructor(kernels: readonly Kernel[]) {
    this.#kernels = [...kernels];
    kernels.forEach((kernel, i) => this.set(i, kernel));
  }

  at(i: number): Kernel | null {
    return this.#kernels[i];
  }

  set(i: number, kernel: Kernel | null): void {
    this.#kernels[i] = kernel;
    if (kernel === null) return;
    for (const slot of slotsOf(kernel)) {
      const list = this.#touching.get(slot);
      if (list === undefined) this.#touching.set(slot, new Set([i]));
      else list.add(i);
    }
  }

  /** Numbers of the kernels that load from or store to `slot`. */
  touching(slot: number): number[] {
    return [...this.#touching.get(slot) ?? []].filter((i) => {
      const kernel = this.#kernels[i];
      return kernel !== null && slotsOf(kernel).has(slot);
    });
  }

  list(): Kernel[] {
    return this.#kernels.filter((kernel) => kernel !== null);
  }
}

/** A value that is stored as it is loaded, elsewhere. */
interface Copy {
  readonly shape: readonly number[];
  readonly from: View;
  readonly to: View;
}

function copyOf({ shape, body, outs }: MapKernel, out: number): Copy | null {
  const { view: to, value } = outs[out];
  const inst = body[value];
  if (inst.k !== "load" || inst.index !== undefined || (inst.guards ?? []).length > 0) return null;
  const from = inst.view;
  const plain = from.dtype === to.dtype && from.dyn === undefined && to.dyn === undefined && from.slot !== 0;
  return plain && from.slot !== to.slot ? { shape, from, to } : null;
}

/** Kernels whose stores can go elsewhere: those that store one element for each of a domain. */
type Writer = Extract<Kernel, { readonly op: "map" | "reduce" | "matmul" | "conv" }>;

const isWriter = (kernel: Kernel): kernel is Writer => "outs" in kernel && kernel.op !== "segmentSum";

/** Numbers of the kernels that store what `copy`, of kernel `at`, loads, and whether others read it; null where that is not clear. */
function writersOf(program: Kernels, at: number, { shape, from }: Copy): { writers: number[]; read: boolean } | null {
  const writers: number[] = [];
  let missing = sizeOf(shape), read = false;
  for (const i of program.touching(from.slot)) {
    if (i === at) continue;
    const kernel = program.at(i)!;
    const loads = loadsOf(kernel).some(({ slot }) => slot === from.slot);
    if (loads) read = true;
    if (!storesOf(kernel).some(({ slot }) => slot === from.slot)) continue;
    if (i > at || !isWriter(kernel) || loads) return null;
    for (const out of storesTo(kernel, from.slot)) {
      if (kernel.outs[out].view.dtype !== from.dtype) return null;
      missing -= sizeOf(domainOf(kernel, out));
    }
    writers.push(i);
  }
  return missing === 0 ? { writers, read } : null;
}

/** Numbers of the outputs that go to `slot`. */
function storesTo({ outs }: Writer, slot: number): number[] {
  return outs.flatMap(({ view }, out) => view.slot === slot ? [out] : []);
}

/**
 * `kernel` with its stores to the slot that `copy` loads going where `copy` stores, or also going there if it `keeps` them; null if that
 * is no affine address.
 */
function redirect(kernel: Writer, copy: Copy, keeps: boolean): Writer | null {
  const places = new Map<number, View>();
  for (const out of storesTo(kernel, copy.from.slot)) {
    const found = placeOf(kernel.outs[out].view, domainOf(kernel, out), copy);
    if (found === null) return null;
    if ("axis" in found) { // it spans several axes of the copy: it is split first
      const whole = split(kernel, found.axis, found.size);
      return whole && redirect(whole, copy, keeps);
    }
    places.set(out, found.view);
  }
  const to = <S extends Store>(out: S, i: number): S[] => {
    const view = places.get(i);
    return view === undefined ? [out] : keeps ? [out, { ...out, view }] : [{ ...out, view }];
  };
  return kernel.op === "reduce"
    ? { ...kernel, outs: kernel.outs.flatMap(to) }
    : { ...kernel, outs: kernel.outs.flatMap(to) };
}

/** Where `view` goes, or an axis that must be split first, and the size of the inner part. */
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

/** `kernel` with axis `axis` of its domain as two, the inner one of `size`; null if its kind of kernel cannot have that. */
function split(kernel: Writer, axis: number, size: number): Writer | null {
  const cut = <T extends { readonly strides: readonly number[] }>(of: T, at = axis): T => ({
    ...of,
    strides: [...of.strides.slice(0, at), of.strides[at] * size, of.strides[at], ...of.strides.slice(at + 1)],
  });
  const apart = (sizes: readonly number[], at: number) => [
    ...sizes.slice(0, at),
    sizes[at] / size,
    size,
    ...sizes.slice(at + 1),
  ];
  const body = kernel.body.map((inst) =>
    inst.k === "load"
      ? { ...inst, view: cut(inst.view), ...(inst.guards && { guards: inst.guards.map((g) => cut(g)) }) }
      : inst.k === "coord"
      ? cut(inst)
      : inst
  );
  const outs = kernel.outs.map((out) => ({ ...out, view: cut(out.view) }));
  if (kernel.body.some(({ k }) => k === "segment")) return null;
  switch (kernel.op) {
    case "map":
      return { ...kernel, body, outs, shape: apart(kernel.shape, axis) };
    case "reduce":
    case "matmul":
      return null; // how devices sum may depend on the number of axes
    case "conv": {
      const place = axis - 2; // among `n`
      if (place < 0 || kernel.n.length === 3) return null;
      const own = 1 + kernel.k.length + place; // among the axes of `b`
      return {
        ...kernel,
        body,
        outs,
        n: apart(kernel.n, place),
        b: cut(kernel.b, own),
        guards: kernel.guards.map((guard) => cut(guard, own)),
      };
    }
  }
}

/** The sizes of the axes that output `out` of `kernel` runs over; 1 for an axis that it stores one element for. */
function domainOf(kernel: Writer, out: number): readonly number[] {
  switch (kernel.op) {
    case "map":
      return kernel.shape;
    case "reduce":
      return [...kernel.outer, ...kernel.inner.map((size) => kernel.outs[out].perRow ? 1 : size)];
    case "matmul":
      return [...kernel.batch, kernel.m, kernel.n];
    case "conv":
      return [kernel.groups, kernel.m, ...kernel.n];
  }
}
