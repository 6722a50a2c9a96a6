/**
 * States as plain data: what checkpoints hold, and how it is taken out again.
 *
 * @module
 */
import { CheckpointError } from "../base/errors.ts";
import { Tensor } from "../tensor/mod.ts";

/** What a state may hold: JSON's values, any number (NaN, infinities and -0 too), typed arrays, tensors. */
export type StateValue =
  | null
  | boolean
  | number
  | string
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint8Array
  | Tensor
  | readonly StateValue[]
  | StateDict;

/** Values by name; entries that are `undefined` are left out. */
export interface StateDict {
  /** A value; `undefined` counts as left out. */
  readonly [name: string]: StateValue | undefined;
}

/** A state that was read from a file: each value is checked as it is taken out. */
export class SavedState {
  readonly #values: ReadonlyMap<string, StateValue>;
  readonly #where: string;

  /**
   * Wraps values.
   *
   * @param values What was saved.
   * @param where What it is, for errors.
   */
  constructor(values: StateDict, where: string = "the state") {
    this.#values = new Map(Object.entries(values).filter((e): e is [string, StateValue] => e[1] !== undefined));
    this.#where = where;
  }

  /** Names of the values. */
  get names(): readonly string[] {
    return [...this.#values.keys()];
  }

  /** Whether there is a value, null included. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** A number. */
  number(name: string): number {
    const v = this.#get(name);
    return typeof v === "number" ? v : this.#fail(name, "a number", v);
  }

  /** A whole number from 0. */
  count(name: string): number {
    const v = this.#get(name);
    return typeof v === "number" && Number.isSafeInteger(v) && v >= 0
      ? v
      : this.#fail(name, "a whole number from 0", v);
  }

  /** True or false. */
  boolean(name: string): boolean {
    const v = this.#get(name);
    return typeof v === "boolean" ? v : this.#fail(name, "true or false", v);
  }

  /** Text. */
  string(name: string): string {
    const v = this.#get(name);
    return typeof v === "string" ? v : this.#fail(name, "text", v);
  }

  /** A list of numbers, in an array of its own. */
  numbers(name: string): number[] {
    const v = this.#get(name);
    if (v instanceof Float64Array || v instanceof Float32Array || v instanceof Int32Array || v instanceof Uint8Array) {
      return Array.from(v);
    }
    if (!Array.isArray(v) || !v.every((x) => typeof x === "number")) this.#fail(name, "a list of numbers", v);
    return [...v as number[]];
  }

  /** A list of texts. */
  strings(name: string): string[] {
    return this.values(name).map((v) => typeof v === "string" ? v : this.#fail(name, "a list of texts", v));
  }

  /** A tensor. */
  tensor(name: string): Tensor {
    const v = this.#get(name);
    return v instanceof Tensor ? v : this.#fail(name, "a tensor", v);
  }

  /** A state inside this one. */
  state(name: string): SavedState {
    const v = this.#get(name);
    return isDict(v) ? new SavedState(v, `${this.#where}.${name}`) : this.#fail(name, "a state", v);
  }

  /** A list of states. */
  states(name: string): SavedState[] {
    return this.values(name).map((v, i) =>
      isDict(v) ? new SavedState(v, `${this.#where}.${name}[${i}]`) : this.#fail(name, "a list of states", v)
    );
  }

  /** A list of anything. */
  values(name: string): readonly StateValue[] {
    const v = this.#get(name);
    if (v instanceof Float64Array) return Array.from(v);
    return Array.isArray(v) ? v : this.#fail(name, "a list", v);
  }

  /** A value, whatever it is; null where there is none. */
  value(name: string): StateValue {
    return this.#values.get(name) ?? null;
  }

  #get(name: string): StateValue | undefined {
    return this.#values.get(name);
  }

  #fail(name: string, wanted: string, got: StateValue | undefined): never {
    throw new CheckpointError(
      `Cannot restore ${this.#where}.${name}: it must be ${wanted}, got ${describe(got)}`,
    );
  }
}

/** Whether a value is a state of its own. */
export function isDict(v: StateValue | undefined): v is StateDict {
  return typeof v === "object" && v !== null && !Array.isArray(v) && !ArrayBuffer.isView(v) && !(v instanceof Tensor);
}

function describe(v: StateValue | undefined): string {
  if (v === undefined) return "nothing";
  if (v === null || typeof v === "boolean" || typeof v === "number") return String(v);
  if (typeof v === "string") return "text";
  if (v instanceof Tensor) return "a tensor";
  return Array.isArray(v) ? "a list" : ArrayBuffer.isView(v) ? "numbers" : "a state";
}
