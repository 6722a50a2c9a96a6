/**
 * Code for loads: contiguous, the same for all lanes, gathered lane by lane; guarded; indexed.
 *
 * @module
 */
import { bytesPerElement } from "../../../base/dtype.ts";
import type { Inst } from "../../contract.ts";
import { type Fn, LANE, MEM, OP, T } from "./code.ts";
import type { BodyEmitter, LoadForms } from "./emitter.ts";
import type { Lanes } from "./nest.ts";

type LoadInst = Inst & { readonly k: "load" };

/** One load, as it is being written. */
interface Load {
  readonly fn: Fn;
  readonly inst: LoadInst;
  readonly forms: LoadForms;
  /** The vector that gets the result. */
  readonly result: number;
  /** Bytes between the lanes' addresses. */
  readonly stride: number;
  /** The index, a vector, if it differs from lane to lane. */
  readonly laneIndex?: number;
}

/** Loads instruction `i` into the local `result`. */
export function pushLoad(
  emitter: BodyEmitter,
  i: number,
  inst: LoadInst,
  forms: LoadForms,
  lanes: Lanes,
  result: number,
): void {
  const { nest: { fn }, options: { lanesAxis } } = emitter;
  const single = lanes === 1 || !emitter.varies[i];
  const { index } = inst;
  const differs = index !== undefined && !single && emitter.varies[index.value];
  const load: Load = {
    fn,
    inst,
    forms,
    result,
    stride: forms.address.strides[lanesAxis],
    laneIndex: differs ? emitter.value(index.value) : undefined,
  };
  const along = forms.guards.filter(({ form }) => !single && form.strides[lanesAxis] !== 0);
  const fixed = forms.guards.filter((guard) => !along.includes(guard));
  const core = (address: number) => {
    if (single) pushSplat(load, address);
    else if (differs) gather(load, address, lanesAxis, along);
    else if (along.length === 0) pushFour(load, address);
    else guardedFour(load, address, lanesAxis, along);
  };
  const indexed = () => {
    if (index === undefined || differs) core(forms.address.local);
    else uniformIndex(load, emitter.value(index.value), core);
  };
  if (fixed.length === 0) indexed();
  else {
    fn.v128([0, 0, 0, 0]).set(result);
    pushAll(fn, fixed.map(({ form, size }) => () => fn.get(form.local).i32(size).op(OP.i32LtU)));
    fn.if(indexed);
  }
  if (inst.view.dtype === "bool") fn.get(result).v128([0, 0, 0, 0]).op(OP.i32x4Ne).set(result);
}

function pushAll(fn: Fn, conditions: readonly (() => void)[]): void {
  conditions.forEach((push, i) => {
    push();
    if (i > 0) fn.op(OP.i32And);
  });
}

/** What a load from outside an index's range gives. */
function setOutside({ fn, inst, result }: Load): void {
  if (inst.view.dtype === "f32") fn.f32x4(NaN).set(result);
  else fn.v128([0, 0, 0, 0]).set(result);
}

function uniformIndex(load: Load, index: number, core: (address: number) => void): void {
  const { fn, inst, forms } = load;
  const at = fn.local(T.i32), { stride, size } = inst.index!;
  setOutside(load);
  fn.get(index).lane(LANE.i32x4Extract, 0).tee(at).i32(size).op(OP.i32LtU);
  fn.if(() => {
    fn.get(at).i32(stride * bytesPerElement(inst.view.dtype)).op(OP.i32Mul).get(forms.address.local).op(OP.i32Add);
    fn.set(at);
    core(at);
  });
}

/** One element, in all lanes. */
function pushSplat({ fn, inst, result }: Load, address: number): void {
  fn.get(address);
  if (inst.view.dtype === "u8") fn.mem(MEM.i32Load8U).op(OP.i32x4Splat);
  else fn.mem(MEM.v128Load32Splat);
  fn.set(result);
}

/** Four elements, all there. */
function pushFour(load: Load, address: number): void {
  const { fn, inst, result, stride } = load;
  const size = bytesPerElement(inst.view.dtype);
  if (stride === 0) pushSplat(load, address);
  else if (stride === size && size === 1) {
    fn.get(address).mem(MEM.v128Load32Zero).op(OP.i16x8ExtendLowU8).op(OP.i32x4ExtendLowU16).set(result);
  } else if (stride === size) fn.get(address).mem(MEM.v128Load).set(result);
  else {
    pushSplat(load, address);
    for (let lane = 1; lane < 4; lane++) {
      pushLane(load, lane, () => fn.get(address).i32(stride * lane).op(OP.i32Add));
    }
  }
}

function pushLane({ fn, inst, result }: Load, lane: number, pushAddress: () => void): void {
  if (inst.view.dtype === "u8") {
    fn.get(result);
    pushAddress();
    fn.mem(MEM.i32Load8U).lane(LANE.i32x4Replace, lane);
  } else {
    pushAddress();
    fn.get(result).mem(MEM.v128Load32Lane, 0, lane);
  }
  fn.set(result);
}

type GuardForms = LoadForms["guards"];

/** Whether lane `lane` passes all guards. */
function pushInside(fn: Fn, guards: GuardForms, lanesAxis: number, lane: number): void {
  pushAll(
    fn,
    guards.map(({ form, size }) => () =>
      fn.get(form.local).i32(form.strides[lanesAxis] * lane).op(OP.i32Add).i32(size).op(OP.i32LtU)
    ),
  );
}

/** Guards are affine: if the first and the last lane pass, all do. */
function guardedFour(load: Load, address: number, lanesAxis: number, guards: GuardForms): void {
  const { fn, result, stride } = load;
  pushInside(fn, guards, lanesAxis, 0);
  pushInside(fn, guards, lanesAxis, 3);
  fn.op(OP.i32And).if(() => pushFour(load, address), () => {
    fn.v128([0, 0, 0, 0]).set(result);
    for (let lane = 0; lane < 4; lane++) {
      pushInside(fn, guards, lanesAxis, lane);
      fn.if(() => pushLane(load, lane, () => fn.get(address).i32(stride * lane).op(OP.i32Add)));
    }
  });
}

/** Four elements at four indices, with or without guards along the lanes. */
function gather(load: Load, address: number, lanesAxis: number, guards: GuardForms): void {
  const { fn, inst, result, stride, laneIndex = 0 } = load;
  const at = fn.local(T.i32), bytes = inst.index!.stride * bytesPerElement(inst.view.dtype);
  setOutside(load);
  for (let lane = 0; lane < 4; lane++) {
    const take = () => {
      fn.get(laneIndex).lane(LANE.i32x4Extract, lane).tee(at).i32(inst.index!.size).op(OP.i32LtU);
      fn.if(() =>
        pushLane(load, lane, () => {
          fn.get(at).i32(bytes).op(OP.i32Mul).get(address).op(OP.i32Add).i32(stride * lane).op(OP.i32Add);
        })
      );
    };
    if (guards.length === 0) take();
    else {
      pushInside(fn, guards, lanesAxis, lane);
      fn.if(take, () => fn.get(result).i32(0).lane(LANE.i32x4Replace, lane).set(result));
    }
  }
}
