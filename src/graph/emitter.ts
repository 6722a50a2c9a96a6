/**
 * Writes instructions in single-assignment form, each distinct one once, folding what is known when the program is made.
 *
 * @module
 */
import type { ValueType } from "../base/dtype.ts";
import { roundToHalf } from "../base/half.ts";
import { COMPARISONS } from "../device/instructions.ts";
import type { BinaryOp, Guard, Inst, ReduceKind, UnaryOp, View } from "../device/contract.ts";

/** Functions that give numbers of f16 for numbers of f16. */
const KEEPS_HALF: ReadonlySet<UnaryOp> = new Set(["neg", "abs", "sign", "floor", "ceil", "round"]);

/** A growing body of instructions. Methods return the number of the instruction that holds the value. */
export class Emitter {
  readonly body: Inst[] = [];
  readonly #types: ValueType[] = [];
  readonly #known = new Map<string, number>();
  /** Whether f16 has the value of each instruction. */
  readonly #halves: boolean[] = [];

  /** The type of instruction `i`. */
  type(i: number): ValueType {
    return this.#types[i];
  }

  #push(inst: Inst, type: ValueType, key: string): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.body.push(inst);
    this.#types.push(type);
    this.#halves.push(this.#isHalf(inst));
    this.#known.set(key, this.body.length - 1);
    return this.body.length - 1;
  }

  constant(value: number, type: ValueType = "f32"): number {
    return this.#push({ k: "const", value, type }, type, `const ${Object.is(value, -0) ? "-0" : value} ${type}`);
  }

  scalar(word: number, type: ValueType): number {
    return this.#push({ k: "scalar", word, type }, type, `scalar ${word} ${type}`);
  }

  load(
    view: View,
    type: ValueType,
    guards?: readonly Guard[],
    index?: { value: number; stride: number; size: number },
  ): number {
    const inst: Inst = {
      k: "load",
      view,
      ...(guards && guards.length > 0 ? { guards } : {}),
      ...(index ? { index } : {}),
    };
    return this.#push(inst, type, JSON.stringify(inst));
  }

  coord(offset: number, strides: readonly number[]): number {
    if (strides.every((s) => s === 0)) return this.constant(offset, "i32");
    return this.#push({ k: "coord", offset, strides }, "i32", `coord ${offset} ${strides}`);
  }

  segment(starts: readonly number[]): number {
    if (starts.length === 1) return this.constant(0, "i32");
    return this.#push({ k: "segment", starts }, "i32", `segment ${starts}`);
  }

  random(dist: "bits" | "uniform" | "normal", seed: number, stream: number, index: number): number {
    const inst: Inst = { k: "random", dist, seed, stream, index };
    return this.#push(inst, dist === "bits" ? "u32" : "f32", `random ${dist} ${seed} ${stream} ${index}`);
  }

  cast(a: number, type: ValueType): number {
    if (this.type(a) === type) return a;
    const inst = this.body[a];
    if (inst.k === "const" && type === "f32" && inst.type !== "bool") {
      return this.constant(Math.fround(inst.value), "f32");
    }
    return this.#push({ k: "cast", a, type }, type, `cast ${a} ${type}`);
  }

  unary(op: UnaryOp, a: number): number {
    return this.#push({ k: "unary", op, a }, this.type(a), `${op} ${a}`);
  }

  /** The nearest number to f32 `a` that f16 has: `a` itself where that is one. */
  half(a: number): number {
    if (this.#halves[a]) return a;
    const inst = this.body[a];
    return inst.k === "const" ? this.constant(roundToHalf(inst.value)) : this.unary("half", a);
  }

  #isHalf(inst: Inst): boolean {
    const halves = this.#halves;
    switch (inst.k) {
      case "load":
        return inst.view.dtype === "f16";
      case "const":
        return Object.is(roundToHalf(inst.value), inst.value);
      case "unary":
        return inst.op === "half" || (KEEPS_HALF.has(inst.op) && halves[inst.a]);
      case "binary":
        return (inst.op === "max" || inst.op === "min") && halves[inst.a] && halves[inst.b];
      case "select":
        return halves[inst.a] && halves[inst.b];
      case "reduce":
        return (inst.kind === "max" || inst.kind === "min") && halves[inst.a];
      case "cast":
        return this.#types[inst.a] === "bool";
      default:
        return false;
    }
  }

  binary(op: BinaryOp, a: number, b: number): number {
    const x = this.body[a], y = this.body[b];
    // x * 1 and x + (-0) keep every bit; x + 0 would turn -0 into 0, so it stays
    if (op === "mul" && y.k === "const" && y.value === 1) return a;
    if (op === "mul" && x.k === "const" && x.value === 1) return b;
    return this.#push(
      { k: "binary", op, a, b },
      COMPARISONS.has(op) ? "bool" : this.type(a),
      `${op} ${a} ${b}`,
    );
  }

  select(cond: number, a: number, b: number): number {
    if (a === b) return a;
    return this.#push({ k: "select", cond, a, b }, this.type(a), `select ${cond} ${a} ${b}`);
  }

  reduce(kind: ReduceKind, a: number): number {
    const type = kind === "argmax" || kind === "argmin" ? "i32" : this.type(a);
    return this.#push({ k: "reduce", kind, a }, type, `reduce ${kind} ${a}`);
  }

  acc(): number {
    return this.#push({ k: "acc" }, "f32", "acc");
  }
}
