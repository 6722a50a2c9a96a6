/**
 * How a kernel sees memory: each slot is one storage binding, read-only or read-write, and every access goes through it.
 *
 * @module
 */
import type { Inst, Store, View } from "../../contract.ts";

/** One binding of a kernel, after the constants at binding 0. */
export interface Binding {
  readonly slot: number;
  readonly writable: boolean;
  /** Whether it is bound as a uniform buffer of {@link PARAM_VECTORS}: the parameters, where they are small enough. */
  readonly uniform?: boolean;
  /** Where a uniform binding starts, in bytes: a multiple of 256. */
  readonly offset?: number;
  /** What the kernel does with the slot, if that is a texture. */
  readonly texture?: "read" | "write";
}

/** Vectors in the uniform buffer of parameters: 64 KiB, which every adapter binds. */
export const PARAM_VECTORS = 4096;

/** How a slot's elements look in the text. */
export interface Memory {
  readonly name: string;
  /** Whether elements are f32; else u32, from which other types are bitcast. */
  readonly float: boolean;
  /** Whether elements are vectors of four. */
  readonly vector: boolean;
  /** Whether it is the uniform buffer of parameters. */
  readonly uniform: boolean;
  /**
   * How numbers of f16 lie there: as the adapter's own, two in a word, or so in words that threads change one after the other,
   * since each of a word's numbers may be another thread's; null where there are none.
   */
  readonly half: "own" | "words" | "atomic" | null;
}

interface Entry extends Memory {
  readonly slot: number;
  readonly written: boolean;
}

/** What {@link Access} is made from. */
export interface AccessOptions {
  readonly body: readonly Inst[];
  readonly outs: readonly Store[];
  /** Whether the parameters fit a uniform buffer. */
  readonly uniformParams: boolean;
  /** Whether f16 is a type of the adapter's; else numbers of it lie in words. */
  readonly halves?: boolean;
  /** Whether the parameters are read in any case. */
  readonly params?: boolean;
  /** Whether an access of four elements, by a load or (undefined) a store, is one aligned vector. */
  readonly fits?: (view: View, load?: Inst & { k: "load" }) => boolean;
}

/** Whether the body reads the run's parameters other than through a view. */
function readsParams(inst: Inst): boolean {
  return inst.k === "scalar" || inst.k === "random" || (inst.k === "load" && inst.view.dyn !== undefined);
}

/** The bindings of one kernel. */
export class Access {
  readonly #entries = new Map<number, Entry>();

  constructor({ body, outs, uniformParams, halves = false, params = false, fits = () => false }: AccessOptions) {
    const loads = body.filter((inst) => inst.k === "load");
    const slots = new Set([...loads, ...outs].map(({ view }) => view.slot));
    if (params || body.some(readsParams) || outs.some((out) => out.view.dyn !== undefined)) slots.add(0);
    for (const slot of slots) {
      const [from, to] = [loads, outs].map((all) => all.filter(({ view }) => view.slot === slot));
      const vector = slot !== 0 && to.every(({ view }) => fits(view)) &&
        loads.every((load) => load.view.slot !== slot || (load.view.dtype !== "u8" && fits(load.view, load)));
      const isHalf = [...from, ...to].some(({ view }) => view.dtype === "f16"); // then all of them are
      this.#entries.set(slot, {
        name: `s${this.#entries.size}`,
        slot,
        // numbers are moved as bits unless all of them are floats
        float: slot !== 0 && [...from, ...to].every(({ view }) => view.dtype === "f32"),
        written: to.length > 0,
        vector,
        uniform: slot === 0 && uniformParams,
        half: !isHalf ? null : halves ? "own" : to.length > 0 && !vector ? "atomic" : "words",
      });
    }
  }

  memory(slot: number): Memory {
    return this.#entries.get(slot)!;
  }

  /** Word `index` (WGSL text) of the run's parameters, as u32. */
  param(index: string): string {
    const { name, uniform } = this.memory(0);
    return uniform ? `${name}[${index} / 4u][${index} % 4u]` : `${name}[${index}]`;
  }

  /** Declarations, the first at binding `first`. */
  declare(first: number): string {
    return [...this.#entries.values()].map(({ name, float, written, vector, uniform, half }, i) => {
      const at = `@group(0) @binding(${first + i})`;
      if (uniform) return `${at} var<uniform> ${name}: array<vec4u, ${PARAM_VECTORS}>;`;
      const element = half === "own" ? "f16" : half === "atomic" ? "atomic<u32>" : float ? "f32" : "u32";
      const mode = written ? "read_write" : "read";
      return `${at} var<storage, ${mode}> ${name}: array<${
        !vector ? element : half === "words" ? "vec2u" : `vec4<${element}>`
      }>;`;
    }).join("\n");
  }

  /** What is bound, in the order of {@link declare}. */
  bindings(): Binding[] {
    return [...this.#entries.values()].map(({ slot, written, uniform }) => ({ slot, writable: written, uniform }));
  }
}
