/**
 * Kernels whose outputs lie too far apart in one slot for one window of it, such as a concatenation: each output on its own.
 *
 * @module
 */
import { bytesPerElement } from "../../../base/dtype.ts";
import type { Store, View } from "../../contract.ts";
import { dense, outline } from "./outline.ts";
import { type PlainKernel, pruned } from "./rewrite.ts";

/** What can be had of the memory. */
interface ApartRoom {
  readonly limit: number;
  scratch(bytes: number): number;
}

/** Kernels that do what `kernel` does, of whose outputs in `slot` no two are stored together; null where they are near enough. */
export function storedApart(kernel: PlainKernel, slot: number, { limit, scratch }: ApartRoom): PlainKernel[] | null {
  if (kernel.op === "scatterAdd") return null;
  const own = kernel.outs.filter(({ view }) => view.slot === slot);
  const starts = own.map(({ view }) => view.offset * bytesPerElement(view.dtype));
  if (own.length < 2 || Math.max(...starts) - Math.min(...starts) < limit) return null;
  if (kernel.op === "map" && kernel.body.every((inst) => inst.k !== "load" || inst.view.slot !== slot)) {
    const others = own.slice(1), rest = kernel.outs.filter((out) => !others.includes(out));
    return [rest, ...others.map((out) => [out])].map((outs) => ({ ...kernel, ...pruned(kernel.body, outs) }));
  }
  const { sizes, reaches } = outline(kernel), copies: PlainKernel[] = [];
  const aside = <T extends Store>(out: T): T => {
    if (!own.includes(out)) return out;
    const { axes } = reaches.find(({ view }) => view === out.view)!;
    const perRow = kernel.op === "reduce" && "perRow" in out && out.perRow;
    const shape = axes.map((axis) => perRow && axis >= kernel.outer.length ? 1 : sizes[axis]);
    const strides = dense(shape).map((stride, i) => shape[i] === 1 ? 0 : stride);
    const bytes = 4 * shape.reduce((a, b) => a * b, 1);
    const view: View = { slot: scratch(bytes), dtype: out.view.dtype, offset: 0, strides };
    copies.push({ op: "map", shape, body: [{ k: "load", view }], outs: [{ view: out.view, value: 0 }] });
    return { ...out, view };
  };
  const whole: PlainKernel = kernel.op === "reduce"
    ? { ...kernel, outs: kernel.outs.map(aside) }
    : { ...kernel, outs: kernel.outs.map(aside) };
  return [whole, ...copies];
}
