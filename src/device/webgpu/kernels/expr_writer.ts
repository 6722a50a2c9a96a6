/**
 * Writes a kernel's expressions as WGSL statements: one `let v<i>` per instruction of its body.
 *
 * @module
 */
import { type ValueType, valueType } from "../../../base/dtype.ts";
import type { Inst, Store, View } from "../../contract.ts";
import { typesOf } from "../../instructions.ts";
import type { Access } from "./access.ts";
import { hidesSecond, isHidden } from "./algebra.ts";
import { Lanes } from "./lanes.ts";
import { ALIAS, binaryText, castText, unaryText } from "./operations.ts";
import { FEW_SEGMENTS } from "./plan.ts";
import type { Words } from "./words.ts";

/** An affine form of the domain coordinate. */
interface Form {
  readonly offset: number;
  readonly strides: readonly number[];
  readonly dyn?: number;
}

/** What a {@link ExprWriter} works with. */
export interface ExprOptions {
  readonly body: readonly Inst[];
  readonly access: Access;
  readonly words: Words;
  /** WGSL text of each axis's coordinate, u32. */
  readonly coords: readonly string[];
  /** Elements a value holds; with 4, the last coordinate is that of the first of four neighbours. */
  readonly lanes?: 1 | 4;
  /** Where the table of segment starts lies: WGSL text of its name, first entry and number of entries. */
  readonly segments?: (starts: readonly number[]) => { first: string; count: string };
}

type Load = Inst & { readonly k: "load" };

const LANES = ["x", "y", "z", "w"];

/** Writes statements; {@link used} collects the library functions that they call. */
export class ExprWriter {
  readonly used = new Set<string>();
  readonly types: readonly ValueType[];
  readonly lanes: 1 | 4;
  readonly #o: ExprOptions;
  readonly #same: Lanes;
  #names = 0;
  /** WGSL text of a 0 that compilers do not know. */
  #zero: string | null = null;

  constructor(options: ExprOptions) {
    this.#o = options;
    this.lanes = options.lanes ?? 1;
    this.types = typesOf(options.body);
    this.#same = new Lanes(options.body);
  }

  /** Statements for the instructions in `list`, in order. Results of `reduce` and `acc` must have been declared. */
  statements(list: readonly number[]): string[] {
    return list.flatMap((i) => {
      const inst = this.#o.body[i];
      if (inst.k === "reduce") return [];
      if (inst.k === "load") return this.#load(inst, i);
      const text = this.#text(inst);
      return [`let v${i} = ${this.#note(isHidden(inst) && this.types[i] === "f32" ? this.#hidden(text) : text)};`];
    });
  }

  /**
   * Statements that store each of `outs`.
   *
   * @param size WGSL text of the last axis's size, if some of four neighbours may lie beyond it: those are left out.
   */
  stores(outs: readonly Store[], size?: string): string[] {
    return outs.flatMap(({ view, value }) => {
      const { name, float, vector, half } = this.#o.access.memory(view.slot);
      const type = this.types[value];
      let text = `v${value}`;
      if (type === "bool") text = `select(U(0), U(1), ${text})`;
      else if (!float && half === null && type !== "u32") text = `bitcast<U>(${text})`;
      const at = this.form(view);
      if (vector) {
        if (half === "own") text = `vec4<f16>(${text})`;
        else if (half === "words") text = this.#note(`half_words(${text})`);
        return [`${name}[${at} / 4u] = ${text};`];
      }
      if (this.lanes === 1) return [this.#put(view, at, text)];
      const step = this.#lastStride(view.strides);
      if (step === "0u") return [this.#put(view, at, `${text}.x`)];
      const [base, whole] = [`w${this.#names++}`, `w${this.#names++}`];
      const lines = LANES.map((lane, l) => this.#put(view, laneAt(base, step, l), `${whole}.${lane}`));
      const start = [`let ${base} = ${at};`, `let ${whole} = ${text};`];
      if (size === undefined) return [...start, ...lines];
      const last = this.#o.coords[this.#o.coords.length - 1];
      // four at once where they all exist: compilers make one store of neighbours
      return [
        ...start,
        `if (${last} + 3u < ${size}) {`,
        ...lines.map((line) => `  ${line}`),
        "} else {",
        ...lines.slice(0, 3).map((line, l) => `  if (${last} + ${l}u < ${size}) { ${line} }`),
        "}",
      ];
    });
  }

  /** The statement that stores `text`, one number, at element `at`. */
  #put({ slot }: View, at: string, text: string): string {
    const { name, half } = this.#o.access.memory(slot);
    if (half === null) return `${name}[${at}] = ${text};`;
    if (half === "own") return `${name}[${at}] = f16(${text});`;
    // a word has two numbers, and the other may be another thread's: each clears and sets bits of its own alone
    const word = `h${this.#names++}`;
    const bits = this.#note(`half_bits(${text})`);
    return `{ let ${word} = ${at}; atomicAnd(&${name}[${word} / 2u], 0xffff0000u >> (16u * (${word} % 2u))); ` +
      `atomicOr(&${name}[${word} / 2u], ${bits} << (16u * (${word} % 2u))); }`;
  }

  /** `offset + sum(c[i] * strides[i])` as u32 text, wrapping. */
  form({ offset, strides, dyn }: Form): string {
    const { words, coords, access } = this.#o;
    const terms = [words.add(offset)];
    strides.forEach((stride, i) => {
      if (stride === 1) terms.push(coords[i]);
      else if (stride !== 0) terms.push(`${coords[i]} * ${words.add(stride)}`);
    });
    if (dyn !== undefined) terms.push(access.param(words.add(dyn)));
    return terms.length === 1 ? terms[0] : `(${terms.join(" + ")})`;
  }

  #lastStride(strides: readonly number[]): string {
    const last = strides.at(-1) ?? 0;
    return last === 0 || last === 1 ? `${last}u` : this.#o.words.add(last);
  }

  #note(text: string): string {
    for (const name of text.match(/\w+/g) ?? []) this.used.add(name);
    return text;
  }

  #splat(type: ValueType, text: string): string {
    return this.lanes === 1 ? text : `${ALIAS[type]}(${text})`;
  }

  #text(inst: Exclude<Inst, { k: "load" | "reduce" }>): string {
    const { types } = this;
    switch (inst.k) {
      case "const":
        return this.#constant(inst.value, inst.type);
      case "scalar":
        return this.#word(inst.word, inst.type);
      case "coord": {
        const at = this.form(inst);
        if (this.lanes === 1) return `bitcast<i32>(${at})`;
        const step = this.#lastStride(inst.strides);
        return `bitcast<I>(U(${at}) + vec4u(0u, 1u, 2u, 3u) * ${step})`;
      }
      case "segment":
        return this.#segment(inst.starts);
      case "random": {
        const word = (w: number) => this.#splat("u32", this.#o.access.param(this.#o.words.add(w)));
        const index = types[inst.index] === "u32" ? `v${inst.index}` : `bitcast<U>(v${inst.index})`;
        return `random_${inst.dist}(${index}, ${word(inst.stream)}, ${word(inst.seed)}, ${word(inst.seed + 1)})`;
      }
      case "cast":
        return castText(types[inst.a], inst.type, `v${inst.a}`);
      case "unary":
        return unaryText(inst.op, types[inst.a], `v${inst.a}`);
      case "binary":
        return binaryText(
          inst.op,
          types[inst.a],
          `v${inst.a}`,
          hidesSecond(this.#o.body, inst, types[inst.a]) ? this.#hidden(`v${inst.b}`) : `v${inst.b}`,
        );
      case "select":
        return `select(v${inst.b}, v${inst.a}, v${inst.cond})`;
      case "acc":
        return "acc";
    }
  }

  /** The f32 `text` as a number of which no compiler knows what it was made of: see `algebra.ts`. */
  #hidden(text: string): string {
    return `hidden(${text}, ${this.#zero ??= this.#o.words.add(0)})`;
  }

  // Integers 0 and 1 are structure; other constants may come from shapes (1 / n), which text must not hold. Compilers that see a
  // float know it by heart: x * 0 is 0 to them, whatever x
  #constant(value: number, type: ValueType): string {
    const alias = ALIAS[type];
    const { words } = this.#o;
    // (of four they are words too: wgpu cannot take a component out of a constant vector)
    if (type === "bool") {
      return this.lanes === 4 ? `${alias}(${words.add(value === 0 ? 0 : 1)} != 0u)` : `${alias}(${value !== 0})`;
    }
    if (type === "f32") return this.#splat(type, words.addFloat(value));
    if ((value === 0 || value === 1) && this.lanes === 1) return `${alias}(${value})`;
    return this.#splat(type, type === "i32" ? `bitcast<i32>(${words.add(value)})` : words.add(value));
  }

  #word(word: number, type: ValueType): string {
    const text = this.#o.access.param(this.#o.words.add(word));
    if (type === "u32") return this.#splat(type, text);
    return this.#splat(type, type === "bool" ? `(${text} != 0u)` : `bitcast<${type}>(${text})`);
  }

  #segment(starts: readonly number[]): string {
    const { words, coords: [c], segments } = this.#o;
    const aligned = this.lanes === 4 && starts.every((start) => start % 4 === 0);
    if (starts.length <= FEW_SEGMENTS) {
      // the number of starts that are passed; the first is 0
      const at = this.lanes === 4 && !aligned ? `(U(${c}) + vec4u(0u, 1u, 2u, 3u))` : this.#splat("u32", c);
      const passed = starts.slice(1).map((start) =>
        `select(I(0), I(1), ${at} >= ${this.#splat("u32", words.add(start))})`
      );
      return passed.length === 0 ? this.#constant(0, "i32") : passed.join(" + ");
    }
    const { first, count } = segments!(starts);
    const find = (at: string) => `segment_of(${at}, ${first}, ${count})`;
    if (this.lanes === 1) return find(c);
    return aligned ? `I(${find(c)})` : `I(${LANES.map((_, l) => find(`${c} + ${l}u`)).join(", ")})`;
  }

  #load(inst: Load, i: number): string[] {
    const { view, guards = [], index } = inst;
    const name = `v${i}`;
    if (this.lanes === 1) {
      if (guards.length === 0 && index === undefined) return [`let ${name} = ${this.#element(view, this.form(view))};`];
      return this.#guarded(inst, { name, index: `v${index?.value}`, at: this.form(view) });
    }
    const alias = ALIAS[this.types[i]];
    const first = `v${index?.value}.x`;
    if (this.#same.fits(inst)) {
      if (index === undefined) return [`let ${name} = ${this.#vector(view, this.form(view))};`];
      return this.#guarded(inst, { name, index: first, at: this.form(view), whole: true });
    }
    if (this.#same.isOne(inst)) {
      if (guards.length === 0 && index === undefined) {
        return [`let ${name} = ${alias}(${this.#element(view, this.form(view))});`];
      }
      const one = `w${this.#names++}`;
      return [
        ...this.#guarded(inst, { name: one, index: first, at: this.form(view) }),
        `let ${name} = ${alias}(${one});`,
      ];
    }
    const [base, step] = [`w${this.#names++}`, this.#lastStride(view.strides)];
    const lines = [`let ${base} = ${this.form(view)};`];
    const parts = LANES.map((letter, lane) => {
      const at = laneAt(base, step, lane);
      if (guards.length === 0 && index === undefined) return this.#element(view, at);
      const part = `w${this.#names++}`;
      lines.push(...this.#guarded(inst, { name: part, index: `v${index?.value}.${letter}`, at, lane }));
      return part;
    });
    return [...lines, `let ${name} = ${alias}(${parts.join(", ")});`];
  }

  /** Four neighbours from element `at` (a multiple of 4) on. */
  #vector(view: View, at: string): string {
    const { name, float, vector, half } = this.#o.access.memory(view.slot);
    const alias = ALIAS[this.#typeOf(view)];
    if (vector && half === "own") return `F(${name}[${at} / 4u])`;
    if (vector && half === "words") return this.#note(`half_four(${name}[${at} / 4u])`);
    if (view.dtype === "u8") return `bitcast<I>((U(${name}[${at} / 4u]) >> vec4u(0u, 8u, 16u, 24u)) & U(0xffu))`;
    if (!vector) {
      return `${alias}(${LANES.map((_, lane) => this.#element(view, laneAt(at, "1u", lane))).join(", ")})`;
    }
    const text = `${name}[${at} / 4u]`;
    if (view.dtype === "bool") return `${text} != U(0)`;
    return float || view.dtype === "u32" ? text : `bitcast<${alias}>(${text})`;
  }

  #typeOf(view: View): ValueType {
    return valueType(view.dtype);
  }

  /** The scalar at element `at` of the view's slot. */
  #element(view: View, at: string): string {
    const { name, float, uniform, half } = this.#o.access.memory(view.slot);
    const word = (i: string) => uniform ? `${name}[(${i}) / 4u][(${i}) % 4u]` : `${name}[${i}]`;
    switch (view.dtype) {
      case "f32":
        return float ? word(at) : `bitcast<f32>(${word(at)})`;
      case "i32":
        return `bitcast<i32>(${word(at)})`;
      case "u32":
        return word(at);
      case "bool":
        return `(${word(at)} != 0u)`;
      case "f16":
        if (half === "own") return `f32(${name}[${at}])`;
        return this.#note(
          half === "atomic"
            ? `half_at(atomicLoad(&${name}[(${at}) / 2u]), ${at})`
            : `half_at(${word(`(${at}) / 2u`)}, ${at})`,
        );
      case "u8":
        return `bitcast<i32>((${word(`(${at}) / 4u`)} >> (8u * ((${at}) % 4u))) & 0xffu)`;
    }
  }

  #guarded({ view, guards = [], index }: Load, parts: GuardedParts): string[] {
    const { name, at, lane = 0, whole = false } = parts;
    const { words } = this.#o;
    const type = this.#typeOf(view);
    const make = (text: string) => whole ? `${ALIAS[type]}(${text})` : text;
    const value = (address: string) => whole ? this.#vector(view, address) : this.#element(view, address);
    // one unsigned comparison holds for both ends
    const tests = guards.map((guard) => {
      const step = lane === 0 ? "" : ` + ${lane}u * ${this.#lastStride(guard.strides)}`;
      return `(${this.form(guard)}${step}) < ${words.add(guard.size)}`;
    });
    const lines = [`var ${name} = ${make(`${type}(0)`)};`];
    if (index === undefined) return [...lines, `if (${tests.join(" && ")}) {`, `  ${name} = ${value(at)};`, `}`];
    const { stride, size } = index;
    const number = `bitcast<u32>(${parts.index})`;
    const inside = [
      `if (${number} < ${words.add(size)}) {`,
      `  ${name} = ${value(`(${at} + ${number}${stride === 1 ? "" : ` * ${words.add(stride)}`})`)};`,
      ...(type === "f32" ? [`} else {`, `  ${name} = ${make(words.addFloat(NaN))};`] : []),
      `}`,
    ];
    if (tests.length === 0) return [...lines, ...inside];
    return [...lines, `if (${tests.join(" && ")}) {`, ...inside.map((line) => `  ${line}`), `}`];
  }
}

/** One conditional load. */
interface GuardedParts {
  /** Variable that gets the value. */
  readonly name: string;
  /** WGSL text of the index, i32. */
  readonly index: string;
  /** WGSL text of the address without the index. */
  readonly at: string;
  /** Which of four neighbours it is. */
  readonly lane?: number;
  /** Whether it loads four neighbours at once. */
  readonly whole?: boolean;
}

function laneAt(base: string, step: string, lane: number): string {
  if (lane === 0 || step === "0u") return base;
  return step === "1u" ? `(${base} + ${lane}u)` : `(${base} + ${lane}u * ${step})`;
}
