/**
 * The contract between the graph and the devices: **kernels are data**. The lowering in `src/graph` ends in a
 * {@link Program}; a {@link Device} turns it into what it runs. Nothing above this file knows WGSL or WebAssembly.
 *
 * What the lowering guarantees, so that devices need not check it:
 * - every view lies inside its slot; domains have no axis of size 0 (a kernel without work is not emitted);
 *   axes of size 1 and mergeable axes are folded away where that is possible; at most 2^31 - 1 elements a domain;
 * - kernels of a program run in order, each seeing the writes of the earlier ones;
 * - a slot that is stored to in a kernel may be loaded by the same kernel, in `map` only at the very element that is
 *   stored (in place) or in a disjoint range, in `reduce` likewise (an element that a kernel both loads and stores is
 *   loaded, for all its uses, by the same row that stores it, and stored in the last pass); operands of `matmul` and `conv`, and
 *   the `src` and `index` of `scatterAdd`, and what attention reads, never share a slot with an output;
 * - outputs of one kernel are disjoint; no element is stored twice in a kernel.
 *
 * What devices guarantee:
 * - results depend on the program, the inputs and the adapter alone: the same bits every time, whatever the number of
 *   threads; sums run in a fixed tree that depends on the shape alone; f32 arithmetic with f32 accumulation, NaN and
 *   infinities travelling as IEEE 754 says;
 * - integers are 32 bits and wrap.
 *
 * @module
 */
import type { Dtype, ValueType } from "../base/dtype.ts";
import type { AttentionGradKernel, AttentionKernel } from "./attention_kernel.ts";

/**
 * Where the elements of a tensor lie. Element at domain coordinate `c` is at
 * `offset + sum(c[i] * strides[i])` elements of `dtype` from the slot's start; strides may be 0 or negative.
 * With `dyn`, the u32 in word `dyn` of the run's parameters is added, times one element.
 */
export interface View {
  readonly slot: number;
  readonly dtype: Dtype;
  readonly offset: number;
  readonly strides: readonly number[];
  readonly dyn?: number;
}

/** An affine form of the domain coordinate that must lie in `[0, size)`. */
export interface Guard {
  readonly offset: number;
  readonly strides: readonly number[];
  readonly size: number;
}

/** One-operand instructions. `not` takes and gives bool; the others keep the type (f32, where not said otherwise). */
export type UnaryOp =
  | "neg" // f32, i32
  | "abs" // f32, i32
  | "sign" // f32, i32; sign(0) = 0, sign(NaN) = NaN
  | "exp"
  | "log" // log(0) = -inf, log(<0) = NaN
  | "log1p"
  | "sqrt"
  | "rsqrt"
  | "reciprocal"
  | "sin"
  | "cos"
  | "atan"
  | "tanh"
  | "erf"
  | "floor"
  | "ceil"
  | "round" // half to even
  | "half" // the nearest number that f16 has, ties to even; from 65520 on infinity
  | "not"; // bool

/**
 * Two-operand instructions. Both operands have one type, which is the result's, but comparisons give bool.
 * `max` and `min` give NaN if either operand is NaN. Integer `div` and `mod` truncate as C does; by zero they give 0.
 * `pow` is f32 as C's `powf`. `and or xor` work on bool, i32 and u32; `shl shr` on u32.
 */
export type BinaryOp =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "mod"
  | "pow"
  | "max"
  | "min"
  | "eq"
  | "ne"
  | "lt"
  | "le"
  | "gt"
  | "ge"
  | "and"
  | "or"
  | "xor"
  | "shl"
  | "shr";

/** Kinds of reduction. `argmax` and `argmin` give the first index (i32, row-major in `inner`); a NaN wins. */
export type ReduceKind = "sum" | "prod" | "max" | "min" | "argmax" | "argmin";

/**
 * Instructions in single-assignment form: an instruction is named by its index in `body` and refers to earlier ones.
 * - `load`: the element of `view` at the domain coordinate. With `guards`, elements for which any guard fails are 0 and
 *   memory is not touched. With `index`, `value * stride` elements are added to the address, where `value` is an
 *   earlier i32 instruction; outside `[0, size)` the result is NaN (0 for integers) and memory is not touched.
 * - `scalar`: word `word` of the run's parameters, the same for all elements.
 * - `coord`: `offset + sum(c[i] * strides[i])` as i32.
 * - `segment`: for one-axis domains: the number of the last entry of `starts` (ascending, first 0) that is `<=` the
 *   coordinate, as i32.
 * - `random`: counter-based numbers, Philox4x32-10 with counter `(index, words[stream], 0, 0)` and key
 *   `(words[seed], words[seed + 1])` of the parameters, `index` an i32 instruction taken as u32. `bits` is the first
 *   output word (u32). `uniform` is `(x0 >>> 8) * 2^-24`. `normal` is
 *   `sqrt(-2 ln((x0 >>> 8) * 2^-24 + 2^-25)) * cos(2 pi (x1 >>> 8) * 2^-24)`.
 * - `cast`: f32 to integers truncates towards zero and saturates (NaN gives 0); to bool is `!= 0`; bool to numbers is 0 or 1.
 *   i32 to u32 and back keep the bits.
 * - `reduce`: only in `reduce` kernels; folds `a` over the inner axes and is the same for the whole row.
 * - `acc`: only in `matmul` and `conv` kernels: the product's element.
 */
export type Inst =
  | {
    readonly k: "load";
    readonly view: View;
    readonly guards?: readonly Guard[];
    readonly index?: { readonly value: number; readonly stride: number; readonly size: number };
  }
  | { readonly k: "const"; readonly value: number; readonly type: ValueType }
  | { readonly k: "scalar"; readonly word: number; readonly type: ValueType }
  | { readonly k: "coord"; readonly offset: number; readonly strides: readonly number[] }
  | { readonly k: "segment"; readonly starts: readonly number[] }
  | {
    readonly k: "random";
    readonly dist: "bits" | "uniform" | "normal";
    readonly seed: number;
    readonly stream: number;
    readonly index: number;
  }
  | { readonly k: "cast"; readonly a: number; readonly type: ValueType }
  | { readonly k: "unary"; readonly op: UnaryOp; readonly a: number }
  | { readonly k: "binary"; readonly op: BinaryOp; readonly a: number; readonly b: number }
  | { readonly k: "select"; readonly cond: number; readonly a: number; readonly b: number } // cond ? a : b
  | { readonly k: "reduce"; readonly kind: ReduceKind; readonly a: number }
  | { readonly k: "acc" };

/**
 * Stores instruction `value` (of `view.dtype`'s value type; never u8) at `view`. What is stored as f16 is a number that f16 has,
 * as `half` gives it, and is stored exactly.
 */
export interface Store {
  readonly view: View;
  readonly value: number;
}

/** Element-wise work over `shape`. Strides have one entry per axis of `shape`. `[]` is one element. */
export interface MapKernel {
  readonly op: "map";
  readonly shape: readonly number[];
  readonly body: readonly Inst[];
  readonly outs: readonly Store[];
}

/**
 * Rows of reductions. The domain is `[...outer, ...inner]` and every view, guard and coord has strides for all of it.
 * A `reduce` instruction folds over `inner`; later instructions may use its result with full-domain values, and reduce
 * again (softmax: max, then sum of exp, then the quotient): a device loops over a row once per level and once more for
 * the full-domain outputs. Outputs whose strides are all 0 over `inner` (`perRow`) are stored once a row; the others
 * for every element of the domain.
 */
export interface ReduceKernel {
  readonly op: "reduce";
  readonly outer: readonly number[];
  readonly inner: readonly number[];
  readonly body: readonly Inst[];
  readonly outs: readonly (Store & { readonly perRow: boolean })[];
}

/**
 * Batched product with f32 sums: `acc[b, m, n] = sum over k of a[b, m, k] * b[b, k, n]`. `a`'s strides are
 * `[...batch, m, k]`, `b`'s `[...batch, k, n]`; any strides, 0 included, each f32 or f16. The domain of `body` and `outs` is
 * `[...batch, m, n]`; `body` (the epilogue) refers to the product as `{ k: "acc" }`.
 */
export interface MatmulKernel {
  readonly op: "matmul";
  readonly batch: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: View;
  readonly b: View;
  readonly body: readonly Inst[];
  readonly outs: readonly Store[];
}

/**
 * A product whose right operand is read through windows, with f32 sums; operands are f32 or f16:
 * `acc[g, m, ...n] = sum over ...k of a[g, m, ...k] * b[g, ...k, ...n]`. It is a convolution in any direction, without
 * the matrix of its windows: for the forward one, `a` is the weight, `b` the input with strides for channel and taps
 * (`k`) and for batch and places (`n`); for the gradient of the weight, `a` is the output's gradient and `b` the input
 * with batch and places in `k`, channel and taps in `n`; for the gradient of the input, `a` is the weight turned round.
 * `k` and `n` have one to three axes, summed and laid out row-major. `a`'s strides are `[groups, m, ...k]`, `b`'s and
 * the guards' `[groups, ...k, ...n]`; elements of `b` for which any guard fails are 0 and memory is not touched. The
 * domain of `body` and `outs` is `[groups, m, ...n]`.
 */
export interface ConvKernel {
  readonly op: "conv";
  readonly groups: number;
  readonly m: number;
  readonly k: readonly number[];
  readonly n: readonly number[];
  readonly a: View;
  readonly b: View;
  readonly guards: readonly Guard[];
  readonly body: readonly Inst[];
  readonly outs: readonly Store[];
}

/**
 * `out[o, s, i] = init[o, s, i] + sum over j with index[o, j, i] == s of src[o, j, i]`, in the order of `j`; f32, but
 * `src` may be f16. `src` and `index` (i32, u32 or u8) have strides `[outer, n, inner]`, `init` and `out` `[outer, size, inner]`; without `init` it
 * starts from 0. Entries of `index` outside `[0, size)` add nothing. `init` may be `out` itself.
 */
export interface ScatterAddKernel {
  readonly op: "scatterAdd";
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly size: number;
  readonly src: View;
  readonly index: View;
  readonly init?: View;
  readonly out: View;
}

/**
 * One sum a segment: `outs[t].view[s] = sum of value over coordinates c in [starts[s], starts[s + 1])`; the last segment ends
 * at `n`. The domain of `body` is `[n]`; each out's view has one stride, per segment. `values[t]` are f32 instructions.
 */
export interface SegmentSumKernel {
  readonly op: "segmentSum";
  readonly n: number;
  readonly starts: readonly number[];
  readonly body: readonly Inst[];
  readonly outs: readonly Store[];
}

/** Everything a device can be asked to run. The one owner of this union is this file. */
export type Kernel =
  | MapKernel
  | ReduceKernel
  | MatmulKernel
  | ConvKernel
  | ScatterAddKernel
  | SegmentSumKernel
  | AttentionKernel
  | AttentionGradKernel;

/**
 * Memory that a program refers to. Slot 0 is always the run's parameters: `params` words of 4 bytes, scalars and small
 * arrays that change from run to run (learning rates, seeds, row indices), read-only for kernels; it may be loaded from
 * like any other slot. `bound` slots are supplied at every run, in order of slot number; `temporary` ones belong to the
 * executable, hold garbage at the start of a run, and are already shared out by liveness.
 */
export interface Slot {
  readonly bytes: number;
  readonly kind: "params" | "bound" | "temporary";
  /** Whether some kernel stores to it. */
  readonly written: boolean;
}

/** A flat list of kernels, and the memory they work on. */
export interface Program {
  readonly label: string;
  readonly slots: readonly Slot[];
  readonly kernels: readonly Kernel[];
}

/** Memory on a device. `id` is unique for the process; a buffer is never resized. */
export interface DeviceBuffer {
  readonly id: number;
  readonly bytes: number;
}

/** A program that a device has compiled, with every object it needs made. */
export interface Executable {
  readonly program: Program;
  /** Frees temporaries and objects. */
  dispose(): void;
}

/** Part of a buffer; `offset` and `bytes` are multiples of 4. */
export interface Range {
  readonly buffer: DeviceBuffer;
  readonly offset: number;
  readonly bytes: number;
}

/** What a device has done since it was opened; the same fields on every device. */
export interface DeviceStats {
  /** Which device. */
  readonly device: "webgpu" | "cpu" | "reference";
  /** The adapter's or processor's name. */
  readonly name: string;
  /** Programs submitted. */
  readonly runs: number;
  /** Kernels in the programs that were run; on webgpu, dispatches. */
  readonly dispatches: number;
  /** Submits to the queue (webgpu) or calls into WebAssembly (cpu). */
  readonly submits: number;
  /** Programs compiled. */
  readonly programs: number;
  /** Pipelines or modules made. */
  readonly pipelines: number;
  /** Buffers made. */
  readonly buffers: number;
  /** Bind groups made. */
  readonly bindings: number;
  /** Reads back to the host. */
  readonly reads: number;
  /** Writes to the device, parameters of runs included. */
  readonly writes: number;
  /** Bytes in buffers that are in use now; pooled free memory not counted. */
  readonly liveBytes: number;
  /** The most bytes in use so far. */
  readonly peakBytes: number;
}

/** Limits that shape a program, part of its key. */
export interface DeviceProfile {
  /** Most distinct slots, parameters included, that one kernel may touch. */
  readonly maxSlotsPerKernel: number;
  /** Largest buffer in bytes. */
  readonly maxBufferBytes: number;
}

/** Kernels are counted by {@link Device.progress} where they touch a slot that is bound and written and has so many bytes. */
export const COUNTED_BYTES: number = 2 ** 16;

/**
 * A machine that runs programs. Runs, writes and copies happen in the order of the calls. A fault (memory, a lost
 * device, a worker that died) is kept and thrown, as a `DeviceError`, by the next call of `run`, `read`, `readSync` or `sync`.
 */
export interface Device {
  readonly kind: "webgpu" | "cpu" | "reference";
  readonly name: string;
  readonly profile: DeviceProfile;
  /**
   * Memory, from a pool where one of fitting size is free. `bytes` > 0 is rounded up to a multiple of 16. It holds zeros,
   * or, with `zeroed: false`, anything.
   */
  alloc(bytes: number, options?: { readonly zeroed?: boolean }): DeviceBuffer;
  free(buffer: DeviceBuffer): void;
  /** Copies `data` to `offset` bytes (a multiple of 4) of `buffer`. `data` may be changed after the call returns. */
  write(buffer: DeviceBuffer, offset: number, data: ArrayBufferView): void;
  copy(source: Range, target: DeviceBuffer, targetOffset: number): void;
  /** The bytes of each range, in one round trip. */
  read(ranges: readonly Range[]): Promise<Uint8Array[]>;
  /** The same without giving up the thread, where the device can. */
  readSync?(ranges: readonly Range[]): Uint8Array[];
  /**
   * The bytes of a range where they lie, on devices whose memory is the host's too. Everything submitted has finished;
   * what is changed is seen by later runs. Valid until the next call of `alloc` or `compile`.
   */
  hostBytes?(range: Range): Uint8Array<ArrayBuffer>;
  /**
   * A word for other threads to look at, on devices that have one: the run under way sets it to the number of kernels, in order,
   * that have finished (those counted, see {@link COUNTED_BYTES}). Nobody sets it back.
   */
  readonly progress?: Int32Array<ArrayBufferLike>;
  compile(program: Program): Executable;
  /** `bound` has one buffer per bound slot, in slot order; `params` is copied before the call returns. */
  run(executable: Executable, bound: readonly DeviceBuffer[], params: Uint8Array): void;
  /** Whether it is gone for good, and throws whatever it is asked. */
  readonly lost?: boolean;
  /** What a loop awaits before it submits more; null where it may go on. Absent where `run` itself holds loops back. */
  pressure?(): Promise<void> | null;
  /** Hands held-back work to the hardware. */
  flush(): void;
  /** Resolves when everything submitted has finished. */
  sync(): Promise<void>;
  stats(): DeviceStats;
  close(): void;
}
