/**
 * How a kernel sees memory: each slot is one storage binding, read-only or read-write, and every access goes through it.
 *
 * @module
 */
import type { Inst, Store, View } from "../../contract.ts";

/** One storage binding of a kernel, after the constants at binding 0. */
export interface Binding {
  readonly slot: number;
  readonly writable: boolean;
}

interface Entry {
  readonly name: string;
  readonly slot: number;
  readonly float: boolean;
  readonly written: boolean;
  readonly vector: boolean;
}

/** Type of a slot's elements in the text. */
export interface Memory {
  readonly name: string;
  /** Whether elements are f32; else u32, from which other types are bitcast. */
  readonly float: boolean;
  /** Whether elements are vectors of four. */
  readonly vector: boolean;
}

/** Whether the body reads the run's parameters other than through a view. */
function readsParams(inst: Inst): boolean {
  return inst.k === "scalar" || inst.k === "random" || (inst.k === "load" && inst.view.dyn !== undefined);
}

/** The storage bindings of one kernel. */
export class Access {
  readonly #entries = new Map<number, Entry>();

  /**
   * @param fits Whether an access of four elements through the view is one aligned vector.
   * @param params Whether the parameters are read in any case.
   */
  constructor(
    body: readonly Inst[],
    outs: readonly Store[],
    fits: (view: View) => boolean = () => false,
    params: boolean = false,
  ) {
    const views = [...body.flatMap((inst) => inst.k === "load" ? [inst.view] : []), ...outs.map((out) => out.view)];
    const slots = new Set(views.map((view) => view.slot));
    if (params || body.some(readsParams) || outs.some((out) => out.view.dyn !== undefined)) slots.add(0);
    const guarded = new Set<View>();
    for (const inst of body) if (inst.k === "load" && (inst.guards?.length || inst.index)) guarded.add(inst.view);
    for (const slot of slots) {
      const mine = views.filter((view) => view.slot === slot);
      this.#entries.set(slot, {
        name: `s${this.#entries.size}`,
        slot,
        // numbers are moved as bits unless all of them are floats
        float: slot !== 0 && mine.every((view) => view.dtype === "f32"),
        written: outs.some((out) => out.view.slot === slot),
        vector: slot !== 0 && mine.every((view) => fits(view) && !guarded.has(view)),
      });
    }
  }

  memory(slot: number): Memory {
    return this.#entries.get(slot)!;
  }

  /** Word `index` (WGSL text) of the run's parameters, as u32. */
  param(index: string): string {
    return `${this.memory(0).name}[${index}]`;
  }

  /** Declarations, the first at binding `first`. */
  declare(first: number): string {
    return [...this.#entries.values()].map(({ name, float, written, vector }, i) => {
      const element = float ? "f32" : "u32";
      const mode = written ? "read_write" : "read";
      const type = vector ? `vec4<${element}>` : element;
      return `@group(0) @binding(${first + i}) var<storage, ${mode}> ${name}: array<${type}>;`;
    }).join("\n");
  }

  /** What is bound, in the order of {@link declare}. */
  bindings(): Binding[] {
    return [...this.#entries.values()].map(({ slot, written }) => ({ slot, writable: written }));
  }
}
