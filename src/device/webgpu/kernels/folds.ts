/**
 * Accumulators of reductions: initialization, update, and combination over a workgroup.
 *
 * @module
 */
import type { ValueType } from "../../../base/dtype.ts";
import type { ReduceKind } from "../../contract.ts";
import type { Reduction } from "../../rows.ts";
import type { ExprWriter } from "./expr_writer.ts";
import type { Words } from "./words.ts";

/** Smallest and largest values, as bits where they are infinite. */
const EXTREMES: Record<ValueType, { readonly low: number; readonly high: number }> = {
  f32: { low: 0xff800000, high: 0x7f800000 },
  i32: { low: 0x80000000, high: 0x7fffffff },
  u32: { low: 0, high: 0xffffffff },
  bool: { low: 0, high: 1 },
};

/** The accumulators of one pass over a row. */
export class Folds {
  readonly #folds: readonly Reduction[];
  readonly #writer: ExprWriter;
  readonly #words: Words;

  readonly #apart: boolean;

  /** @param apart Whether there is one f32 sum for each value of the variable `lane`, as in a vector of four. */
  constructor(folds: readonly Reduction[], writer: ExprWriter, words: Words, apart = false) {
    this.#apart = apart;
    this.#folds = folds;
    this.#writer = writer;
    this.#words = words;
  }

  /** Declarations of the accumulators. */
  start(): string[] {
    return this.#folds.flatMap(({ id, kind, a }) => {
      const type = this.#type(a);
      if (this.#writer.lanes === 4 || this.#isApart(kind, type)) return [`var r${id} = vec4f();`];
      const lines = [`var r${id} = ${this.#identity(kind, type)};`];
      if (kind.startsWith("arg")) lines.push(`var at${id} = 0xffffffffu;`);
      return lines;
    });
  }

  /**
   * Takes the values of element `index` (WGSL text) in. With four lanes, which only sums may have, `partly` says that the
   * variable `inside` tells which of them belong to the row.
   */
  step(index: string, partly = false): string[] {
    return this.#folds.flatMap(({ id, kind, a }) => {
      if (this.#writer.lanes === 4) {
        return [`r${id} += ${partly ? `select(F(), v${a}, inside)` : `v${a}`};`];
      }
      const type = this.#type(a);
      const value = this.#writer.types[a] === "bool" ? `u32(v${a})` : `v${a}`;
      const r = `r${id}`;
      if (this.#isApart(kind, type)) {
        return [`${r} += select(vec4f(), vec4f(${value}), vec4u(lane) == vec4u(0u, 1u, 2u, 3u));`];
      }
      switch (kind) {
        case "sum":
          return [`${r} += ${value};`];
        case "prod":
          return [`${r} *= ${value};`];
        case "max":
        case "min":
          return [`${r} = ${this.#call(type === "f32" ? `nan_${kind}` : kind)}(${r}, ${value});`];
        case "argmax":
        case "argmin": {
          const better = this.#call(`better_${kind.slice(3)}_${type}`);
          return [
            `if (${better}(${r}, at${id}, ${value}, ${index})) {`,
            `  ${r} = ${value};`,
            `  at${id} = ${index};`,
            `}`,
          ];
        }
      }
    });
  }

  /** Declares the results `v<id>`; `shared` combines the accumulators of a workgroup. */
  finish(shared: boolean): string[] {
    return this.#folds.map(({ id, kind, a }) => {
      const type = this.#type(a);
      const tree = `tree_${kind}_${type}`;
      if (this.#writer.lanes === 4 || this.#isApart(kind, type)) {
        const sum = `(r${id}.x + r${id}.y) + (r${id}.z + r${id}.w)`;
        return `let v${id} = F(${shared ? `${this.#call(tree)}(${sum}, local)` : sum});`;
      }
      if (kind === "argmax" || kind === "argmin") {
        return `let v${id} = bitcast<i32>(${shared ? `${this.#call(tree)}(r${id}, at${id}, local)` : `at${id}`});`;
      }
      const text = shared ? `${this.#call(tree)}(r${id}, local)` : `r${id}`;
      return `let v${id} = ${this.#writer.types[a] === "bool" ? `${text} != 0u` : text};`;
    });
  }

  /**
   * Combines over the workgroup and stores; `place(i, 0)` is WGSL text of where the bits of fold `i` go, `place(i, 1)`
   * of its index.
   */
  keep(place: (i: number, part: 0 | 1) => string): string[] {
    const lines: string[] = [];
    const stores: string[] = [];
    this.#folds.forEach(({ id, kind, a }, i) => {
      const type = this.#type(a);
      const tree = `tree_${kind}_${type}`;
      if (kind === "argmax" || kind === "argmin") {
        lines.push(`let t${id} = ${this.#call(tree)}(r${id}, at${id}, local);`);
        // the thread that has the winner knows its value; a chunk has at least one element, so there is one
        stores.push(`if (at${id} == t${id}) {`, `  ${place(i, 0)} = bitcast<u32>(r${id});`);
        stores.push(`  ${place(i, 1)} = t${id};`, `}`);
      } else {
        lines.push(`let t${id} = ${this.#call(tree)}(r${id}, local);`);
        stores.push(`if (local == 0u) {`, `  ${place(i, 0)} = bitcast<u32>(t${id});`, `}`);
      }
    });
    return [...lines, ...stores];
  }

  /** Combines with what {@link keep} stored. */
  take(place: (i: number, part: 0 | 1) => string): string[] {
    return this.#folds.flatMap(({ id, kind, a }, i) => {
      const lines = [`r${id} = bitcast<${this.#type(a)}>(${place(i, 0)});`];
      if (kind.startsWith("arg")) lines.push(`at${id} = ${place(i, 1)};`);
      return lines;
    });
  }

  #isApart(kind: ReduceKind, type: ValueType): boolean {
    return this.#apart && kind === "sum" && type === "f32";
  }

  #type(a: number): Exclude<ValueType, "bool"> {
    const type = this.#writer.types[a];
    return type === "bool" ? "u32" : type;
  }

  #call(name: string): string {
    this.#writer.used.add(name);
    return name;
  }

  #identity(kind: ReduceKind, type: Exclude<ValueType, "bool">): string {
    if (kind === "sum") return `${type}(0)`;
    if (kind === "prod") return `${type}(1)`;
    const { low, high } = EXTREMES[type];
    const word = this.#words.add(kind === "max" || kind === "argmax" ? low : high);
    return type === "u32" ? word : `bitcast<${type}>(${word})`;
  }
}
