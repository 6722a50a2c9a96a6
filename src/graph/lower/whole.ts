/**
 * Kernels that take whole operands from memory and share with nobody: scattered sums and attention.
 *
 * @module
 */
import { sizeOf } from "../../base/shape.ts";
import type { Kernel, View } from "../../device/contract.ts";
import type { Item } from "./graph.ts";
import { KernelBody, MustStore, type Places, restride } from "./kernel_body.ts";
import type { Unit } from "./units.ts";

/** Views of all places in memory that a unit's value is stored to, by an address over the domain. */
export type Stores = (unit: Unit, offset: number, strides: readonly number[]) => View[];

/** A kernel on whole operands, before memory is planned. */
export interface WholeDraft {
  readonly frame: { readonly kind: "whole" };
  readonly units: readonly [Unit];
  /** What it reads, not resolved yet. */
  readonly reads: readonly View[];
  /** The kernels that store the unit's value everywhere it goes. */
  readonly kernels: (stores: Stores, resolve: (view: View) => View) => Kernel[];
}

/** The draft of a scattered sum. */
export function scatterDraft(unit: Unit, places: Places): WholeDraft {
  const [src, index] = unit.item.inputs;
  const [axis] = unit.item.node.attr;
  const { shape } = src;
  const three = [sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))];
  const view = (item: Item): View => {
    const at = new KernelBody([], places).strided(item);
    const strides = restride(at.strides, item.shape, three);
    if (strides === null) throw new MustStore(item);
    return { ...at, strides };
  };
  const [outer, n, inner] = three, size = unit.item.shape[axis];
  const from = view(src), at = view(index);
  return {
    frame: { kind: "whole" },
    units: [unit],
    reads: [from, at],
    kernels: (stores, resolve) =>
      stores(unit, 0, [size * inner, inner, 1]).map((out) => ({
        op: "scatterAdd",
        outer,
        n,
        inner,
        size,
        src: resolve(from),
        index: resolve(at),
        out,
      })),
  };
}
