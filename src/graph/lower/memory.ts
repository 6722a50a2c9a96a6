/**
 * Shares temporary memory among values that are not needed at the same time.
 *
 * @module
 */
import type { Inst, Kernel, Store, View } from "../../device/contract.ts";
import { slotsOf } from "../../device/last_access.ts";

/** How long a value is needed, in numbers of kernels, both ends included. */
export interface Lifetime {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** For each lifetime the number of its memory, and the size of each memory. No two lives that overlap share one. */
export function shareMemory(lives: readonly Lifetime[]): { place: number[]; sizes: number[] } {
  const order = lives.map((_, i) => i).sort((a, b) =>
    lives[a].first - lives[b].first || lives[b].bytes - lives[a].bytes
  );
  const place = new Array<number>(lives.length);
  const sizes: number[] = [];
  const until: number[] = []; // last kernel that needs each memory
  for (const i of order) {
    const { bytes, first, last } = lives[i];
    let best = -1;
    for (let m = 0; m < sizes.length; m++) {
      if (until[m] >= first) continue;
      if (best < 0) best = m;
      else if (sizes[best] >= bytes) {
        if (sizes[m] >= bytes && sizes[m] < sizes[best]) best = m; // the tightest that is large enough
      } else if (sizes[m] > sizes[best]) best = m; // or the one that needs to grow least
    }
    if (best < 0) {
      best = sizes.length;
      sizes.push(0);
      until.push(-1);
    }
    sizes[best] = Math.max(sizes[best], bytes);
    until[best] = last;
    place[i] = best;
  }
  return { place, sizes };
}

/**
 * Liveness: the first and the last kernel that touch each temporary slot, which are those from `first` on. `kernels` over
 * the memories that slots share when they are not live together, and the size of each.
 */
export function shareTemporaries(kernels: readonly Kernel[], first: number, bytes: readonly number[]) {
  const lives = new Map<number, { bytes: number; first: number; last: number }>();
  kernels.forEach((kernel, i) => {
    for (const slot of slotsOf(kernel)) {
      if (slot < first) continue;
      const life = lives.get(slot);
      if (life === undefined) lives.set(slot, { bytes: bytes[slot - first], first: i, last: i });
      else life.last = i;
    }
  });
  const { place, sizes } = shareMemory([...lives.values()]);
  const of = new Map([...lives.keys()].map((slot, i) => [slot, first + place[i]]));
  return { kernels: kernels.map((kernel) => inSlots(kernel, (slot) => of.get(slot) ?? slot)), sizes };
}

/** `kernel` with every slot that it touches renamed. */
function inSlots(kernel: Kernel, slotOf: (slot: number) => number): Kernel {
  const moved = (view: View): View => ({ ...view, slot: slotOf(view.slot) });
  if (kernel.op === "scatterAdd") {
    const { src, index, init, out } = kernel;
    const own = { src: moved(src), index: moved(index), out: moved(out) };
    return { ...kernel, ...own, ...(init === undefined ? {} : { init: moved(init) }) };
  }
  if (kernel.op === "attention" || kernel.op === "attentionGrad") {
    const { q, k, v, mask, out } = kernel;
    const operands = { q: moved(q), k: moved(k), v: moved(v), ...(mask === undefined ? {} : { mask: moved(mask) }) };
    if (kernel.op === "attention") return { ...kernel, ...operands, out: moved(out) };
    return { ...kernel, ...operands, dy: moved(kernel.dy), y: moved(kernel.y), out: moved(out) };
  }
  const body = kernel.body.map((inst): Inst => inst.k === "load" ? { ...inst, view: moved(inst.view) } : inst);
  const store = <S extends Store>(out: S): S => ({ ...out, view: moved(out.view) });
  if (kernel.op === "reduce") return { ...kernel, body, outs: kernel.outs.map(store) };
  const own = { body, outs: kernel.outs.map(store) };
  if (kernel.op === "matmul" || kernel.op === "conv") {
    return { ...kernel, ...own, a: moved(kernel.a), b: moved(kernel.b) };
  }
  return { ...kernel, ...own };
}
