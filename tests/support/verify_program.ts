/**
 * Static checks of a program against the guarantees of `src/device/contract.ts`. What depends on memory (indices,
 * guards, double stores, temporaries read before written) is checked by the reference device while it runs.
 *
 * @module
 */
import type { ValueType } from "../../src/base/dtype.ts";
import { bytesPerElement, valueType } from "../../src/base/dtype.ts";
import { sizeOf } from "../../src/base/shape.ts";
import { attentionLoads } from "../../src/device/attention_kernel.ts";
import type { AttentionGradKernel, AttentionKernel } from "../../src/device/attention_kernel.ts";
import type {
  ConvKernel,
  DeviceProfile,
  Guard,
  Inst,
  Kernel,
  Program,
  Store,
  View,
} from "../../src/device/contract.ts";
import { type Access, bodyOf, type Domain, domainOf, fail, kernelName, loadsOf, storesOf } from "./kernel_access.ts";

/** Throws unless the program keeps the contract, as far as can be told without running it. */
export function verifyProgram(program: Program, profile?: DeviceProfile): void {
  const name = `program "${program.label}"`;
  verifySlots(program, name, profile);
  program.kernels.forEach((kernel, i) => verifyKernel(program, kernel, kernelName(program, i), profile));
  const stored = new Set(program.kernels.flatMap((kernel) => storesOf(kernel).map(({ view }) => view.slot)));
  program.slots.forEach((slot, i) => {
    if (slot.written && !stored.has(i)) fail(name, `slot ${i} is marked written, but no kernel stores to it`);
  });
}

function verifySlots(program: Program, name: string, profile: DeviceProfile | undefined): void {
  program.slots.forEach((slot, i) => {
    if ((slot.kind === "params") !== (i === 0)) {
      fail(name, `slot ${i} is of kind ${slot.kind}; slot 0, alone, is params`);
    }
    if (!isCount(slot.bytes) || (i > 0 && slot.bytes === 0)) fail(name, `slot ${i} has ${slot.bytes} bytes`);
    if (slot.kind === "temporary" && !slot.written) fail(name, `slot ${i} is temporary, but marked not written`);
    if (i === 0 && slot.bytes % 4 !== 0) fail(name, `slot 0 has ${slot.bytes} bytes, no multiple of 4`);
    if (i === 0 && slot.written) fail(name, "slot 0 is marked written; parameters are read-only");
    if (profile && slot.bytes > profile.maxBufferBytes) {
      fail(name, `slot ${i} has ${slot.bytes} bytes, more than the profile's ${profile.maxBufferBytes}`);
    }
  });
  if (program.slots.length === 0) fail(name, "there is no slot 0 for the parameters");
}

function verifyKernel(program: Program, kernel: Kernel, where: string, profile: DeviceProfile | undefined): void {
  const domain = domainOf(kernel);
  checkSizes(domain.shape, where);
  if (kernel.op === "matmul") checkSizes([kernel.k], where);
  if (kernel.op === "conv") verifyWindows(kernel, where);
  if (kernel.op === "scatterAdd") checkSizes([kernel.n], where);
  if (kernel.op === "segmentSum") checkStarts(kernel.starts, where, kernel.n);
  const loads = loadsOf(kernel);
  const stores = storesOf(kernel);
  for (const access of [...loads, ...stores]) verifyView(program, access, where);
  for (const { view, what } of stores) {
    if (!program.slots[view.slot].written) {
      fail(where, `${what} stores to slot ${view.slot}, which is marked not written`);
    }
    if (view.dtype === "u8") fail(where, `${what} stores u8, which is storage for loads only`);
  }
  if (stores.length === 0) fail(where, "it stores nothing");
  if (kernel.op === "attention" || kernel.op === "attentionGrad") verifyAttention(program, kernel, where);
  const types = typesOf(kernel, where, program.slots[0].bytes / 4);
  verifyOuts(kernel, types, domain, where);
  verifySharing(kernel, loads, stores, where);
  const slots = new Set([...loads, ...stores].map(({ view }) => view.slot));
  if (usesParams(kernel)) slots.add(0);
  if (profile && slots.size > profile.maxSlotsPerKernel) {
    fail(where, `it touches ${slots.size} slots, more than the profile's ${profile.maxSlotsPerKernel}`);
  }
}

function verifyWindows({ groups, k, n, guards }: ConvKernel, where: string): void {
  checkSizes(k, where);
  for (const [name, axes] of [["k", k], ["n", n]] as const) {
    if (axes.length < 1 || axes.length > 3) fail(where, `${name} has ${axes.length} axes, not one to three`);
  }
  for (const guard of guards) checkGuard(guard, [groups, ...k, ...n], where);
}

function verifyAttention(program: Program, kernel: AttentionKernel | AttentionGradKernel, where: string): void {
  const { batch, heads, kvHeads, n, m, d, dv, dropout } = kernel;
  checkSizes([batch, heads, n, m], where);
  checkSizes([batch, kvHeads, m, d + dv], where);
  if (heads % kvHeads !== 0) fail(where, `${heads} heads cannot share ${kvHeads} of keys`);
  for (const { view, what } of attentionLoads(kernel)) {
    const allowed = what === "mask" ? ["f32", "f16", "bool"] : what === "y" ? ["f32"] : ["f32", "f16"];
    if (!allowed.includes(view.dtype)) fail(where, `${what} is ${view.dtype}, not ${allowed.join(" or ")}`);
  }
  if (kernel.out.dtype !== "f32" || kernel.out.strides[0] !== 1) fail(where, "out is no row of f32");
  if (dropout === undefined) return;
  for (const word of [dropout.p, dropout.seed + 1, dropout.stream]) {
    checkWord(word, program.slots[0].bytes / 4, "dropout", where);
  }
}

function usesParams(kernel: Kernel): boolean {
  const dyn = [...loadsOf(kernel), ...storesOf(kernel)].some(({ view }) => view.dyn !== undefined);
  return dyn || ("dropout" in kernel && kernel.dropout !== undefined) ||
    bodyOf(kernel).some((inst) => inst.k === "scalar" || inst.k === "random");
}

function isCount(n: number): boolean {
  return Number.isInteger(n) && n >= 0;
}

function checkSizes(shape: readonly number[], where: string): void {
  for (const n of shape) if (!Number.isInteger(n) || n < 1) fail(where, `an axis has size ${n} in [${shape}]`);
  if (sizeOf(shape) > 2 ** 31 - 1) fail(where, `domain [${shape}] has more than 2^31 - 1 elements`);
}

function checkStarts(starts: readonly number[], where: string, n = Infinity): void {
  if (starts[0] !== 0) fail(where, `starts begin with ${starts[0]}, not 0`);
  starts.forEach((s, i) => {
    if (!isCount(s) || s > n || (i > 0 && s < starts[i - 1])) {
      fail(where, `starts[${i}] is ${s}, not ascending within ${n}`);
    }
  });
}

function verifyView(program: Program, { view, shape, what, conditional }: Access, where: string): void {
  const slot = program.slots[view.slot];
  if (slot === undefined) fail(where, `${what} refers to slot ${view.slot} of ${program.slots.length}`);
  checkAffine(view, shape, what, where);
  if (view.dyn !== undefined) checkWord(view.dyn, program.slots[0].bytes / 4, what, where);
  if (conditional || view.dyn !== undefined) return;
  const [low, high] = extent(view, shape);
  const size = slot.bytes / bytesPerElement(view.dtype);
  if (low < 0 || high >= size) {
    fail(
      where,
      `${what} reaches elements ${low} to ${high} of slot ${view.slot}, which holds ${size} of ${view.dtype}`,
    );
  }
}

/** Smallest and largest value of an affine form over a domain. */
export function extent(
  form: { offset: number; strides: readonly number[] },
  shape: readonly number[],
): [number, number] {
  let [low, high] = [form.offset, form.offset];
  shape.forEach((n, i) => {
    const reach = (n - 1) * form.strides[i];
    if (reach < 0) low += reach;
    else high += reach;
  });
  return [low, high];
}

function checkAffine(
  form: { offset: number; strides: readonly number[] },
  shape: readonly number[],
  what: string,
  where: string,
): void {
  if (form.strides.length !== shape.length) {
    fail(where, `${what} has ${form.strides.length} strides for the ${shape.length} axes of [${shape}]`);
  }
  for (const n of [form.offset, ...form.strides]) {
    if (!Number.isInteger(n)) fail(where, `${what} has offset or stride ${n}`);
  }
}

function checkWord(word: number, words: number, what: string, where: string): void {
  if (!isCount(word) || word >= words) fail(where, `${what} refers to word ${word} of ${words} parameters`);
}

/** The type of every instruction of a kernel's body; throws where operands do not fit. */
export function typesOf(kernel: Kernel, where: string, paramWords = Infinity): ValueType[] {
  const { shape } = domainOf(kernel);
  const types: ValueType[] = [];
  bodyOf(kernel).forEach((inst, i) => {
    const place = `${where}, instruction ${i} (${inst.k})`;
    types.push(typeOf(inst, types, { kernel, shape, place, paramWords }));
  });
  return types;
}

interface TypeContext {
  readonly kernel: Kernel;
  readonly shape: readonly number[];
  readonly place: string;
  readonly paramWords: number;
}

function operand(types: readonly ValueType[], ref: number, place: string): ValueType {
  if (!isCount(ref) || ref >= types.length) fail(place, `it refers to instruction ${ref}, which is not an earlier one`);
  return types[ref];
}

function expectType(got: ValueType, allowed: readonly ValueType[], place: string): ValueType {
  if (!allowed.includes(got)) fail(place, `its operand is ${got}, not ${allowed.join(" or ")}`);
  return got;
}

function typeOf(inst: Inst, types: readonly ValueType[], context: TypeContext): ValueType {
  const { kernel, shape, place, paramWords } = context;
  const get = (ref: number): ValueType => operand(types, ref, place);
  switch (inst.k) {
    case "load":
      if (inst.index) {
        expectType(get(inst.index.value), ["i32"], place);
        if (!Number.isInteger(inst.index.stride) || !isCount(inst.index.size)) fail(place, "its index has odd numbers");
      }
      for (const guard of inst.guards ?? []) checkGuard(guard, shape, place);
      return valueType(inst.view.dtype);
    case "const":
      checkConst(inst.value, inst.type, place);
      return inst.type;
    case "scalar":
      checkWord(inst.word, paramWords, "it", place);
      return inst.type;
    case "coord":
      checkAffine(inst, shape, "it", place);
      return "i32";
    case "segment":
      if (shape.length !== 1) fail(place, `it needs a domain of one axis, got [${shape}]`);
      checkStarts(inst.starts, place);
      return "i32";
    case "random":
      checkWord(inst.seed + 1, paramWords, "its key", place);
      checkWord(inst.stream, paramWords, "its stream", place);
      expectType(get(inst.index), ["i32"], place);
      return inst.dist === "bits" ? "u32" : "f32";
    case "cast":
      get(inst.a);
      return inst.type;
    case "unary":
      return expectType(get(inst.a), UNARY_TYPES[inst.op] ?? ["f32"], `${place} ${inst.op}`);
    case "binary":
      return binaryType(inst, get(inst.a), get(inst.b), `${place} ${inst.op}`);
    case "select":
      expectType(get(inst.cond), ["bool"], place);
      if (get(inst.a) !== get(inst.b)) fail(place, `it chooses between ${get(inst.a)} and ${get(inst.b)}`);
      return get(inst.a);
    case "reduce":
      if (kernel.op !== "reduce") fail(place, "it stands in a kernel that is no reduce");
      expectType(get(inst.a), NUMBERS, place);
      return inst.kind === "argmax" || inst.kind === "argmin" ? "i32" : get(inst.a);
    case "acc":
      if (kernel.op !== "matmul" && kernel.op !== "conv") fail(place, "it stands in a kernel that is no product");
      return "f32";
  }
}

const NUMBERS: readonly ValueType[] = ["f32", "i32", "u32"];
const ALL: readonly ValueType[] = ["f32", "i32", "u32", "bool"];
const UNARY_TYPES: Record<string, readonly ValueType[]> = {
  neg: ["f32", "i32"],
  abs: ["f32", "i32"],
  sign: ["f32", "i32"],
  not: ["bool"],
};
const BINARY_TYPES: Record<string, readonly ValueType[]> = {
  pow: ["f32"],
  eq: ALL,
  ne: ALL,
  and: ["bool", "i32", "u32"],
  or: ["bool", "i32", "u32"],
  xor: ["bool", "i32", "u32"],
  shl: ["u32"],
  shr: ["u32"],
};
const COMPARISONS: readonly string[] = ["eq", "ne", "lt", "le", "gt", "ge"];

function binaryType(inst: { op: string }, a: ValueType, b: ValueType, place: string): ValueType {
  if (a !== b) fail(place, `its operands are ${a} and ${b}`);
  expectType(a, BINARY_TYPES[inst.op] ?? NUMBERS, place);
  return COMPARISONS.includes(inst.op) ? "bool" : a;
}

function checkGuard(guard: Guard, shape: readonly number[], place: string): void {
  checkAffine(guard, shape, "a guard", place);
  if (!Number.isInteger(guard.size) || guard.size < 0) fail(place, `a guard has size ${guard.size}`);
}

function checkConst(value: number, type: ValueType, place: string): void {
  const [low, high] = type === "i32" ? [-(2 ** 31), 2 ** 31 - 1] : [0, type === "bool" ? 1 : 2 ** 32 - 1];
  if (type !== "f32" && (!Number.isInteger(value) || value < low || value > high)) {
    fail(place, `${value} is no ${type}`);
  }
}

function verifyOuts(kernel: Kernel, types: readonly ValueType[], domain: Domain, where: string): void {
  if (kernel.op === "scatterAdd") {
    if (kernel.src.dtype !== "f32" && kernel.src.dtype !== "f16") fail(where, `src is of ${kernel.src.dtype}`);
    for (const view of [kernel.out, ...(kernel.init ? [kernel.init] : [])]) {
      if (view.dtype !== "f32") fail(where, `init and out are f32, got ${view.dtype}`);
    }
    if (!["i32", "u32", "u8"].includes(kernel.index.dtype)) fail(where, `index is of ${kernel.index.dtype}`);
    return;
  }
  if (!("outs" in kernel)) return;
  const product = kernel.op === "matmul" || kernel.op === "conv";
  const isFloat = ({ dtype }: View) => dtype === "f32" || dtype === "f16";
  if (product && !(isFloat(kernel.a) && isFloat(kernel.b))) {
    fail(where, `operands are f32 or f16, got ${kernel.a.dtype} and ${kernel.b.dtype}`);
  }
  kernel.outs.forEach(({ view, value }: Store, i) => {
    const type = operand(types, value, `${where}, out ${i}`);
    if (type !== valueType(view.dtype)) fail(where, `out ${i} stores ${type} into ${view.dtype}`);
    if (kernel.op === "segmentSum" && type !== "f32") fail(where, `out ${i} sums ${type}, not f32`);
  });
  if (kernel.op !== "reduce") return;
  const constant = rowConstant(kernel.body, domain);
  kernel.outs.forEach(({ view, value, perRow }, i) => {
    const flat = flatOverRow(view.strides, domain);
    if (perRow ? !flat : flat && sizeOf(kernel.inner) > 1) {
      fail(where, `out ${i} has perRow ${perRow}, and strides [${view.strides}] over [${domain.shape}]`);
    }
    if (perRow && !constant[value]) fail(where, `out ${i} is stored per row, but instruction ${value} varies in a row`);
  });
}

function flatOverRow(strides: readonly number[], { rowAxes }: Domain): boolean {
  return strides.slice(rowAxes).every((s) => s === 0);
}

/** Which instructions have one value for a whole row, by their form. */
function rowConstant(body: readonly Inst[], domain: Domain): boolean[] {
  const flat = (strides: readonly number[]): boolean =>
    strides.every((s, i) => i < domain.rowAxes || s === 0 || domain.shape[i] === 1);
  const constant: boolean[] = [];
  for (const inst of body) {
    switch (inst.k) {
      case "load":
        constant.push(
          flat(inst.view.strides) && (inst.guards ?? []).every((g) => flat(g.strides)) &&
            (inst.index === undefined || constant[inst.index.value]),
        );
        break;
      case "coord":
        constant.push(flat(inst.strides));
        break;
      case "random":
        constant.push(constant[inst.index]);
        break;
      case "cast":
      case "unary":
        constant.push(constant[inst.a]);
        break;
      case "binary":
        constant.push(constant[inst.a] && constant[inst.b]);
        break;
      case "select":
        constant.push(constant[inst.cond] && constant[inst.a] && constant[inst.b]);
        break;
      default:
        constant.push(inst.k !== "segment");
    }
  }
  return constant;
}

function verifySharing(kernel: Kernel, loads: readonly Access[], stores: readonly Access[], where: string): void {
  const operands = ["operand a", "operand b", "src", "index", "q", "k", "v", "mask", "dy", "y"];
  for (const { view, what } of loads) {
    if (operands.includes(what) && stores.some((store) => store.view.slot === view.slot)) {
      fail(where, `${what} shares slot ${view.slot} with an output of this ${kernel.op}`);
    }
  }
}
