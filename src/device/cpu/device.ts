/**
 * The CPU device: WebAssembly SIMD with threads. No driver, no installation, no permission.
 *
 * @module
 */
import { ConfigError, DeviceError } from "../../base/errors.ts";
import { host } from "../../base/host.ts";
import type { Device, DeviceBuffer, DeviceProfile, DeviceStats, Executable, Program, Range } from "../contract.ts";
import { SCORE_BYTES } from "./attention.ts";
import { nativeTile, WASM_TILE } from "./conv_plan.ts";
import { CONSTANTS_AT, mathConstants } from "./encoder/math.ts";
import type { Tile } from "./tile.ts";
import { isFused, type Kernels, type KernelTexts, loadKernels, type Matmul, SCALARS, type Simd } from "./kernels.ts";
import { Memory } from "./memory.ts";
import type { Level, NativeCode } from "./native/mod.ts";
import { compileProgram } from "./program.ts";
import { PROGRESS, RESERVED, Threads } from "./threads.ts";

/** Options of the CPU device. */
export interface CpuOptions {
  /** Threads, this one included: 1 to 256; by default one for each core. Results do not depend on it. */
  readonly threads?: number;
  /** Variant of the WebAssembly kernels, products included; by default with fused multiply-add where the engine has it. */
  readonly simd?: Simd;
  /**
   * Whether products and convolutions are machine code: `false` for never, `true` or the width of its vectors to insist; by default where
   * it may and can be, and `simd` is not given. Results do not depend on it.
   */
  readonly native?: boolean | Level;
}

/** What the device is made of, as far as it may be loaded when it is known what is needed. */
export interface CpuParts {
  /** The kernels for memory that is shared, or not. */
  kernels(shared: boolean): KernelTexts;
  /** The machine code, or why there is none. */
  openNative(memory: WebAssembly.Memory, level?: Level): NativeCode | string;
}

type Run = (table: number, thread: number, threads: number, work: number, barrier: number) => void;

class CpuBuffer implements DeviceBuffer {
  constructor(readonly id: number, readonly bytes: number, readonly address: number) {}
}

class CpuExecutable implements Executable {
  /** Number by which helper threads know the program; 0 before they do. */
  known = 0;

  constructor(
    readonly program: Program,
    /** The bytes of its module. */
    readonly module: Uint8Array,
    readonly run: Run,
    readonly table: number,
    readonly params: number,
    readonly bound: readonly number[],
    readonly cost: number,
    readonly release: () => void,
  ) {}

  dispose(): void {
    this.release();
  }
}

/** Programs that take less than this many microseconds run on one thread: waking the others would cost more. */
const WORTH_THREADS = 60;

/** Bytes of an array: kernels count them in 32 bits with a sign. */
const MAX_BUFFER = 2 ** 31 - 1;
/** Elements that a kernel goes over in a row: it counts their bytes, up to a part beyond the end before it sees the end. */
const MAX_ROW = (2 ** 31 - 2 ** 20) / 4;

function checkBytes(bytes: number): void {
  if (bytes <= MAX_BUFFER) return;
  throw new DeviceError(
    `Cannot use an array of ${bytes} bytes on the CPU: one has at most ${MAX_BUFFER} bytes there (2^31 - 1); ` +
      "use smaller batches, or several arrays",
  );
}

/** Whether or not it is in memory. */
function checkRows(kernel: Program["kernels"][number]): void {
  if (kernel.op !== "map" && kernel.op !== "reduce") return;
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const { outer, inner } = kernel.op === "reduce"
    ? kernel
    : { outer: kernel.shape.slice(0, -1), inner: kernel.shape.slice(-1) };
  const most = Math.max(size(inner), size(outer));
  if (most <= MAX_ROW) return;
  throw new DeviceError(
    `Cannot go over ${most} elements in a row on the CPU: there are at most ${MAX_ROW} (2 GiB less 1 MiB); ` +
      "use smaller batches, or several arrays",
  );
}

/** A {@link Device} on the CPU. */
export class CpuDevice implements Device {
  readonly kind = "cpu";
  readonly name: string;
  /** One view for good: memory that threads share stays where it is when it grows. */
  readonly progress: Int32Array<ArrayBufferLike> | undefined;
  readonly profile: DeviceProfile = { maxSlotsPerKernel: 32, maxBufferBytes: MAX_BUFFER };
  readonly #memory: Memory;
  readonly #parts: CpuParts;
  readonly #kernels: Kernels;
  readonly #imports: WebAssembly.ModuleImports;
  readonly #count: number;
  readonly #fused: boolean;
  readonly #native: NativeCode | null;
  readonly #tile: Tile;
  readonly #work: number[] = [];
  #threads: Threads | null = null;
  /** Those that were started before they were needed. */
  #ahead: Threads | null = null;
  /** Why there are no helper threads. */
  #failed: DeviceError | null = null;
  #programs = 0;
  #closed = false;
  #runs = 0;
  #dispatches = 0;
  #compiled = 0;
  #buffers = 0;
  #reads = 0;
  #writes = 0;
  #live = 0;
  #peak = 0;

  /** @param parts What it is made of. */
  constructor({ threads = defaultThreads(), simd, native }: CpuOptions, parts: CpuParts) {
    this.#parts = parts;
    if (!Number.isInteger(threads) || threads < 1 || threads > 256) {
      throw new ConfigError(`Cannot use ${threads} threads: the number is a whole one from 1 to 256`);
    }
    const shared = host.noSharedMemory === null && sharedMemory();
    this.#count = shared ? threads : 1;
    this.#memory = new Memory(shared, RESERVED);
    this.progress = shared ? this.#memory.words.subarray(PROGRESS / 4, PROGRESS / 4 + 1) : undefined;
    this.#memory.words.set(mathConstants(), CONSTANTS_AT / 4);
    this.#kernels = loadKernels(parts.kernels(shared), simd);
    const memory = this.#memory.memory;
    const exports = new WebAssembly.Instance(this.#kernels.module, { env: { memory, abort() {} } }).exports;
    this.#imports = {
      ...exports,
      barrier: () => this.#threads?.barrier(),
      convPackThin: exports.convPack,
      convPadNarrow: exports.convPad,
      ...SCALARS,
      memory,
    };
    this.#fused = this.#kernels.simd === "relaxed" && isFused(this.#imports.matmul as Matmul, this.#memory);
    this.#native = this.#openNative(native ?? (simd === undefined ? undefined : false));
    this.#tile = this.#native === null ? WASM_TILE : nativeTile(this.#native.native.lanes);
    if (this.#native !== null) {
      const imports = { ...this.#native.imports(memory), thin: exports.convThin };
      const { loops } = this.#native.native;
      Object.assign(
        this.#imports,
        new WebAssembly.Instance(loops, { env: { memory, abort() {} }, native: imports }).exports,
      );
    }
    const { calling } = this.#kernels;
    Object.assign(
      this.#imports,
      new WebAssembly.Instance(calling, { env: { memory, abort() {} }, k: this.#imports }).exports,
    );
    const own = this.#kernels.simd === "plain"
      ? "WebAssembly SIMD"
      : `WebAssembly relaxed SIMD${this.#fused ? "" : " with two roundings"}`;
    const threadsText = `${this.#count} ${this.#count === 1 ? "thread" : "threads"}`;
    this.name = `CPU (${this.#native?.native.level ?? own}, ${threadsText})`;
  }

  /** The machine code, if it is wanted and can be; bits are those of WebAssembly, or it is not taken. */
  #openNative(wanted: boolean | Level | undefined): NativeCode | null {
    if (wanted === false) return null;
    const level = typeof wanted === "string" ? wanted : undefined;
    const { memory, shared } = this.#memory;
    const code = !shared
      ? "threads cannot share memory here"
      : !this.#fused
      ? "it multiplies and adds with one rounding, and the WebAssembly kernels of this device do not"
      : this.#parts.openNative(memory, level);
    if (typeof code !== "string") return code;
    if (wanted === undefined) return null;
    throw new DeviceError(
      `Cannot compute on the CPU with machine code: ${code}; without the option "native" WebAssembly does`,
    );
  }

  #open(): void {
    if (this.#closed) throw new DeviceError("Cannot use this CPU device: it was closed");
  }

  alloc(bytes: number, { zeroed = true }: { readonly zeroed?: boolean } = {}): DeviceBuffer {
    this.#open();
    checkBytes(bytes);
    const size = Math.ceil(bytes / 16) * 16;
    const address = this.#memory.alloc(size);
    if (zeroed) this.#memory.bytes.fill(0, address, address + size);
    this.#buffers++;
    this.#account(size);
    return new CpuBuffer(this.#buffers, size, address);
  }

  #account(bytes: number): void {
    this.#live += bytes;
    if (this.#live > this.#peak) this.#peak = this.#live;
  }

  free(buffer: DeviceBuffer): void {
    const { address, bytes } = buffer as CpuBuffer;
    if (!this.#closed && this.#memory.free(address)) this.#live -= bytes;
  }

  write(buffer: DeviceBuffer, offset: number, data: ArrayBufferView): void {
    this.#open();
    this.#writes++;
    const source = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    this.#memory.bytes.set(source, (buffer as CpuBuffer).address + offset);
  }

  copy({ buffer, offset, bytes }: Range, target: DeviceBuffer, targetOffset: number): void {
    this.#open();
    const from = (buffer as CpuBuffer).address + offset;
    this.#memory.bytes.copyWithin((target as CpuBuffer).address + targetOffset, from, from + bytes);
  }

  // deno-lint-ignore require-await -- the same face as devices that have to wait
  async read(ranges: readonly Range[]): Promise<Uint8Array[]> {
    return this.readSync(ranges);
  }

  readSync(ranges: readonly Range[]): Uint8Array[] {
    this.#open();
    this.#threads?.check();
    this.#reads++;
    return ranges.map(({ buffer, offset, bytes }) => {
      const from = (buffer as CpuBuffer).address + offset;
      return new Uint8Array(this.#memory.bytes.subarray(from, from + bytes)); // a copy, not of shared memory
    });
  }

  hostBytes({ buffer, offset, bytes }: Range): Uint8Array<ArrayBuffer> {
    this.#open();
    this.#threads?.check();
    const from = (buffer as CpuBuffer).address + offset;
    return this.#memory.bytes.subarray(from, from + bytes);
  }

  compile(program: Program): Executable {
    this.#open();
    for (const { bytes } of program.slots) checkBytes(bytes); // before any memory is taken
    program.kernels.forEach(checkRows);
    const memory = this.#memory;
    const owned: number[] = [];
    let bytesOwned = 0;
    const hold = (bytes: number) => {
      checkBytes(bytes);
      const address = memory.alloc(bytes);
      owned.push(address);
      bytesOwned += bytes;
      this.#account(bytes);
      return address;
    };
    const fused = this.#kernels.simd === "relaxed";
    const compiled = compileProgram(program, { shared: memory.shared, fused, tile: this.#tile }, (words) => {
      const address = hold(words.byteLength);
      memory.words.set(words, address / 4);
      return address;
    });
    const table = hold((program.slots.length + 2 + compiled.operandBytes.length) * 4);
    const bound: number[] = [];
    let params = 0;
    program.slots.forEach((slot, i) => {
      if (slot.kind === "bound") {
        bound.push(i);
        return;
      }
      const address = hold(Math.max(16, slot.bytes));
      if (slot.kind === "params") params = address;
      memory.words[table / 4 + i] = address;
    });
    [compiled.scratchBytes, compiled.packedBytes, ...compiled.operandBytes].forEach((bytes, i) => {
      if (bytes === 0) return;
      const address = hold(bytes); // first: where it grows the memory, earlier views of it are dead
      memory.words[table / 4 + program.slots.length + i] = address;
    });
    const { run } = new WebAssembly.Instance(new WebAssembly.Module(compiled.bytes), { k: this.#imports }).exports;
    this.#compiled++;
    const executable: CpuExecutable = new CpuExecutable(
      program,
      compiled.bytes,
      run as Run,
      table,
      params,
      bound,
      compiled.cost,
      () => {
        if (this.#closed) return;
        for (const address of owned.splice(0)) memory.free(address);
        this.#live -= bytesOwned;
        bytesOwned = 0;
        if (executable.known !== 0 && this.#threads?.alive === true) this.#threads.load(executable.known, null);
      },
    );
    return executable;
  }

  run(executable: Executable, bound: readonly DeviceBuffer[], params: Uint8Array): void {
    this.#open();
    const e = executable as CpuExecutable;
    const { bytes, words } = this.#memory;
    for (let i = 0; i < e.bound.length; i++) words[e.table / 4 + e.bound[i]] = (bound[i] as CpuBuffer).address;
    bytes.set(params, e.params);
    this.#runs++;
    this.#writes++;
    this.#dispatches += e.program.kernels.length;
    if (e.program.kernels.length === 0) return;
    if (this.#count === 1 || e.cost < WORTH_THREADS) {
      e.run(e.table, 0, 1, this.#workOf(0), 0);
      return;
    }
    const threads = this.#threads ??= this.#startThreads();
    if (e.known === 0) {
      const id = ++this.#programs;
      threads.load(id, e.module);
      e.known = id;
    }
    threads.run(e.known, e.table, e.cost, (count, barrier) => e.run(e.table, 0, count, this.#workOf(0), barrier));
  }

  /** Starts the helper threads, once: where that failed, it would fail again, after as long a wait. */
  #startThreads(): Threads {
    if (this.#failed !== null) throw this.#failed;
    try {
      const threads = this.#ahead ?? this.#newThreads();
      threads.ready();
      return threads;
    } catch (error) {
      if (error instanceof DeviceError) this.#failed = error;
      throw error;
    }
  }

  #newThreads(): Threads {
    return new Threads(this.#count, this.#memory, this.#kernels, (t) => this.#workOf(t), this.#native);
  }

  /** Starts the helper threads, for runtimes where they do not while this thread sleeps. */
  async startAhead(): Promise<void> {
    if (this.#count === 1) return;
    this.#ahead = this.#newThreads();
    await this.#ahead.started();
    this.#threads = this.#startThreads();
  }

  /** Working memory of a thread. */
  #workOf(thread: number): number {
    return this.#work[thread] ??= this.#memory.alloc(this.#tile.workBytes + SCORE_BYTES);
  }

  flush(): void {}

  // deno-lint-ignore require-await -- runs have finished when they return
  async sync(): Promise<void> {
    this.#threads?.check();
  }

  stats(): DeviceStats {
    return {
      device: "cpu",
      name: this.name,
      runs: this.#runs,
      dispatches: this.#dispatches,
      submits: this.#runs,
      programs: this.#compiled,
      pipelines: this.#compiled,
      buffers: this.#buffers,
      bindings: 0,
      reads: this.#reads,
      writes: this.#writes,
      liveBytes: this.#live,
      peakBytes: this.#peak,
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#threads?.close();
    // a thread that failed may have left others in the middle of it
    if (this.#failed === null && this.#threads?.alive !== false) this.#native?.free();
  }

  /** The helper threads, once there are any; for tests. */
  get threads(): Threads | null {
    return this.#threads;
  }
}

/** One for each core. */
export function defaultThreads(): number {
  return Math.min(256, Math.max(1, host.processors));
}

/** Whether WebAssembly has memory that threads share. */
export function sharedMemory(): boolean {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer instanceof SharedArrayBuffer;
  } catch {
    return false;
  }
}
