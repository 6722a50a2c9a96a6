/**
 * The instructions of one kernel, for four lanes at a time or for one element, and when each is computed. What does not
 * change in a loop is computed before it.
 *
 * @module
 */
import type { ValueType } from "../../../base/dtype.ts";
import type { Guard, Inst, View } from "../../contract.ts";
import { operandsOf, typesOf } from "../../instructions.ts";
import { type Fn, LANE, MEM, OP, T } from "./code.ts";
import type { Context } from "./context.ts";
import { LaneAccess, widthOf } from "./lane_access.ts";
import { uniform } from "./philox.ts";
import { emitBinary, emitCast, emitUnary } from "./values.ts";

/** How the loops over a kernel's domain are nested. */
export interface Nest {
  /** Sizes of the domain's axes. */
  readonly sizes: readonly number[];
  /** The axis whose neighbours share a vector; -1 for a domain of one element. */
  readonly vector: number;
  /** The axis of the innermost loop; -1 for none. */
  readonly inner: number;
  /** Axes that are fixed while a row is worked on. */
  readonly outer: ReadonlySet<number>;
  /** Starts of the segments that are worked on one after the other, if they are. */
  readonly segments?: readonly number[];
}

/** When something is computed: once, for each row, at each start of the innermost loop, or in it. */
export type Level = 0 | 1 | 2 | 3;

const ZERO = [0, 0, 0, 0] as const;

/** Writes instructions of one kernel into a function whose first parameter is the address of the slot table. */
export class VectorWriter {
  readonly f: Fn;
  readonly body: readonly Inst[];
  readonly types: readonly ValueType[];
  readonly nest: Nest;
  readonly levels: readonly Level[];
  /** Locals of the domain's coordinates; of the vector axis, that of the first lane. */
  readonly coords: readonly number[];
  /** Four times the coordinate along the innermost axis. */
  readonly position: number;
  /** Local that holds the number of the segment worked on. */
  segment = -1;
  /** Local that holds where the product's element at position 0 would be; elements along the innermost axis are neighbours. */
  acc = -1;
  readonly #context: Context;
  readonly #values: number[];
  readonly #varies: boolean[];
  readonly #access: LaneAccess;
  readonly #valid = new Map<Inst, number>();
  #lanes: 4 | 1 = 4;

  /** @param nest How the domain is looped over. */
  constructor(f: Fn, context: Context, body: readonly Inst[], nest: Nest) {
    this.f = f;
    this.#context = context;
    this.body = body;
    this.types = typesOf(body);
    this.nest = nest;
    this.coords = nest.sizes.map(() => f.local(T.i32));
    this.position = f.local(T.i32);
    const { vector, inner } = nest;
    this.#access = new LaneAccess(f, { coords: this.coords, position: this.position, vector, inner }, context.math);
    const levels: Level[] = [], varies: boolean[] = [];
    for (const inst of body) {
      const from = operandsOf(inst);
      let level = from.reduce<Level>((m, a) => Math.max(m, levels[a]) as Level, 0);
      let vary = from.some((a) => varies[a]);
      for (const strides of stridesOf(inst)) {
        level = Math.max(level, this.#levelOf(strides)) as Level;
        if (nest.vector >= 0 && strides[nest.vector] !== 0) vary = true;
      }
      if (inst.k === "segment") {
        const looped = inst.starts === nest.segments;
        level = looped ? 1 : 3;
        vary = !looped && nest.vector >= 0;
      }
      if (inst.k === "acc") {
        level = 3;
        vary = true;
      }
      if (inst.k === "reduce") {
        level = 1;
        vary = nest.vector !== nest.inner && vary;
      }
      levels.push(level);
      varies.push(vary);
    }
    this.levels = levels;
    this.#varies = varies;
    this.#values = body.map(() => f.local(T.v128));
  }

  /** The local that holds the value of instruction `i`. */
  value(i: number): number {
    return this.#values[i];
  }

  #levelOf(strides: readonly number[], withInner = true): Level {
    let level = 0;
    strides.forEach((s, axis) => {
      if (s === 0) return;
      const own = axis === this.nest.inner ? withInner ? 3 : 0 : this.nest.outer.has(axis) ? 1 : 2;
      level = Math.max(level, own);
    });
    return level as Level;
  }

  /** Computes the instructions of `level` that `want` names, and the pointers of `views` that are settled there. */
  emit(level: Level, lanes: 4 | 1, want: (i: number) => boolean, views: readonly View[] = []): void {
    this.#lanes = lanes;
    for (const view of views) if (this.#levelOf(view.strides, false) === level) this.#access.point(view);
    this.body.forEach((inst, i) => {
      if (!want(i)) return;
      if (inst.k === "load") this.#prepare(inst, i, level);
      if (this.levels[i] !== level || inst.k === "reduce") return;
      this.#compute(inst, i);
      this.f.set(this.#values[i]);
    });
  }

  /** Pointers of loads: as soon as all they depend on is known, the index included if all lanes share it. */
  #prepare(inst: Extract<Inst, { k: "load" }>, i: number, level: Level): void {
    const { f } = this;
    const own = this.#levelOf(inst.view.strides, false);
    const { index } = inst;
    const shared = index !== undefined && !this.#varies[index.value];
    const at = Math.max(own, shared ? this.levels[index.value] : 0);
    if (at !== level) return;
    if (at === 3 && this.levels[i] !== 3) return;
    this.#access.point(inst.view);
    if (!shared) return;
    // one index for all lanes: it moves the pointer, and tells whether the element exists
    const n = f.local(T.i32);
    const valid = this.#valid.get(inst) ?? f.local(T.i32);
    this.#valid.set(inst, valid);
    const pointer = this.#access.pointer(inst.view);
    f.get(this.#values[index.value]).lane(LANE.i32x4Extract, 0).tee(n).i32(index.size).op(OP.i32LtU).set(valid);
    f.get(pointer).get(n).i32(index.stride * widthOf(inst.view.dtype)).op(OP.i32Mul).i32(0).get(valid).op(OP.select).op(
      OP.i32Add,
    ).set(pointer);
    f.release(n);
  }

  /** Pushes an affine form of the coordinates, one i32 a lane. */
  #form({ offset, strides }: { readonly offset: number; readonly strides: readonly number[] }): void {
    const { f, nest } = this;
    f.i32(offset);
    strides.forEach((s, axis) => {
      if (s === 0) return;
      if (axis === nest.inner) f.get(this.position).i32(2).op(OP.i32ShrU);
      else f.get(this.coords[axis]);
      f.i32(s).op(OP.i32Mul).op(OP.i32Add);
    });
    f.op(OP.i32x4Splat);
    const s = nest.vector < 0 ? 0 : strides[nest.vector];
    if (s !== 0 && this.#lanes === 4) f.v128([0, s, 2 * s, 3 * s]).op(OP.i32x4Add);
  }

  #compute(inst: Inst, i: number): void {
    const { f } = this;
    const v = this.#values;
    switch (inst.k) {
      case "const": {
        if (inst.type === "f32") f.f32x4(inst.value);
        else {
          const bits = inst.type === "bool" ? inst.value !== 0 ? -1 : 0 : inst.value | 0;
          f.v128([bits, bits, bits, bits]);
        }
        return;
      }
      case "scalar":
        f.get(0).mem(MEM.i32Load).mem(MEM.v128Load32Splat, inst.word * 4);
        if (inst.type === "bool") f.v128(ZERO).op(OP.i32x4Ne);
        return;
      case "coord":
        this.#form(inst);
        return;
      case "segment":
        if (inst.starts === this.nest.segments) f.get(this.segment).op(OP.i32x4Splat);
        else this.#findSegment(inst.starts);
        return;
      case "random":
        this.#random(inst);
        return;
      case "cast":
        emitCast(f, this.types[inst.a], inst.type, v[inst.a]);
        return;
      case "unary":
        emitUnary(f, this.#context, inst.op, this.types[inst.a], v[inst.a]);
        return;
      case "binary":
        emitBinary(f, this.#context, inst.op, this.types[inst.a], v[inst.a], v[inst.b]);
        return;
      case "select":
        f.get(v[inst.a]).get(v[inst.b]).get(v[inst.cond]).op(OP.v128Bitselect);
        return;
      case "load":
        this.#load(inst, i);
        return;
      case "acc":
        f.get(this.acc).get(this.position).op(OP.i32Add).mem(this.#lanes === 4 ? MEM.v128Load : MEM.v128Load32Splat);
        return;
      default:
        throw new Error(`Instruction ${inst.k} has no place here`);
    }
  }

  /** Pushes the number of starts, after the first, that lie at or before the position. */
  #findSegment(starts: readonly number[]): void {
    const { f } = this;
    const at = f.local(T.v128), count = f.local(T.v128), entry = f.local(T.i32);
    const table = this.#context.place(starts);
    this.#form({ offset: 0, strides: this.nest.sizes.map(() => 1) });
    f.set(at).v128(ZERO).set(count).i32(table + 4).set(entry);
    f.loop(entry, () => f.i32(table + starts.length * 4), 4, () => {
      f.get(count).get(at).get(entry).mem(MEM.v128Load32Splat).op(OP.i32x4GeS).op(OP.i32x4Sub).set(count);
    });
    f.get(count);
    for (const l of [at, count]) f.release(l);
    f.release(entry);
  }

  #random({ dist, seed, stream, index }: Extract<Inst, { k: "random" }>): void {
    const { f } = this;
    const word = (n: number) => f.get(0).mem(MEM.i32Load).mem(MEM.i32Load, n * 4);
    const draw = (which: "word0" | "word1") => {
      f.get(this.#values[index]);
      word(stream);
      word(seed);
      word(seed + 1);
      f.call(this.#context.random(which));
    };
    draw("word0");
    if (dist === "uniform") uniform(f);
    else if (dist === "normal") {
      draw("word1");
      f.call(this.#context.random("normal"));
    }
  }

  #load(inst: Extract<Inst, { k: "load" }>, i: number): void {
    const { f } = this;
    const { view, guards = [], index } = inst;
    const type = this.types[i];
    const out = this.#values[i];
    const shared = this.#valid.get(inst);
    const mask = guards.length > 0 ? this.#guardMask(guards) : -1;
    const half = view.dtype === "f16", fill = index && type === "f32" ? NaN : 0;
    if (mask < 0 && (index === undefined || shared !== undefined)) this.#access.load(view, this.#lanes);
    else {
      // lanes of f16 are bits until all of them are there
      if (half && index) f.v128([0x7e00, 0x7e00, 0x7e00, 0x7e00]).set(out);
      else f.f32x4(fill).set(out);
      const own = index === undefined || shared !== undefined ? null : { ...index, local: this.#values[index.value] };
      const lane = (k: number) => this.#access.loadLane(view, out, k, own);
      const lanes = () => {
        for (let k = 0; k < this.#lanes; k++) {
          if (mask < 0) lane(k);
          else f.get(mask).lane(LANE.i32x4Extract, k).if(() => lane(k));
        }
        if (this.#lanes === 1) f.get(out).shuffleSelf(out);
        if (half) {
          f.get(out);
          this.#access.widen(view);
          f.set(out);
        }
      };
      if (mask >= 0 && (index === undefined || shared !== undefined)) {
        f.get(mask).op(OP.i32x4AllTrue).if(() => {
          this.#access.load(view, this.#lanes);
          f.set(out);
        }, lanes);
      } else lanes();
      f.get(out);
    }
    if (shared !== undefined) { // an index that is no row: NaN, or 0
      f.set(out).get(out).f32x4(fill).get(shared).i32(0).op(OP.i32Ne).i32(-1).op(OP.i32Mul).op(OP.i32x4Splat).op(
        OP.v128Bitselect,
      );
    }
    if (mask >= 0) {
      f.get(mask).op(OP.v128And);
      f.release(mask);
    }
    if (view.dtype === "bool") f.v128(ZERO).op(OP.i32x4Ne);
  }

  #guardMask(guards: readonly Guard[]): number {
    const { f } = this;
    const mask = f.local(T.v128);
    guards.forEach((g, n) => {
      this.#form(g);
      f.v128([g.size, g.size, g.size, g.size]).op(OP.i32x4LtU);
      if (n > 0) f.get(mask).op(OP.v128And);
      f.set(mask);
    });
    return mask;
  }

  /** Reads the addresses of the slots; at the start of the function. */
  prologue(views: readonly View[]): void {
    this.#access.prologue([...views, ...this.body.flatMap((i) => i.k === "load" ? [i.view] : [])]);
  }

  /** Stores the first lane of instruction `i`, `position` bytes from where `view` points. */
  storeAt(view: View, i: number): void {
    this.#access.storeFirst(view, this.#values[i]);
  }

  /** Stores instruction `i` at `view`: all lanes, or the first. */
  store(view: View, i: number, lanes: 4 | 1): void {
    const { f } = this;
    this.#lanes = lanes;
    if (this.types[i] !== "bool") return this.#access.store(view, this.#values[i], lanes);
    const one = f.local(T.v128);
    f.get(this.#values[i]).v128([1, 1, 1, 1]).op(OP.v128And).set(one);
    this.#access.store(view, one, lanes);
    f.release(one);
  }
}

function stridesOf(inst: Inst): (readonly number[])[] {
  if (inst.k === "load") return [inst.view.strides, ...(inst.guards ?? []).map((g) => g.strides)];
  return inst.k === "coord" ? [inst.strides] : [];
}
