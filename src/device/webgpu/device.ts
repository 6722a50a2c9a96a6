/**
 * The WebGPU device.
 *
 * @module
 */
import { DeviceError } from "../../base/errors.ts";
import type { DeviceBuffer, DeviceProfile, DeviceStats, Executable, Program, Range } from "../contract.ts";
import type { OpenedAdapter } from "./adapter.ts";
import { BufferPool, PooledBuffer } from "./buffers.ts";
import { Counters } from "./counters.ts";
import { MOST_BATCHED, WebgpuExecutable } from "./executable.ts";
import { Faults } from "./faults.ts";
import type { KernelStrategy, PlanContext } from "./kernels/plan.ts";
import { tilingBy, type TilingName, type Tuning, UNTRIED } from "./kernels/tiles.ts";
import { Pipelines } from "./pipelines.ts";
import { type BindingLimits, planProgram } from "./planner.ts";
import { probeStrategy } from "./probe.ts";
import type { DispatchTime } from "./profile.ts";
import { CommandRecorder } from "./command_recorder.ts";
import { Readback, type Source } from "./readback.ts";
import { cachedStrategy } from "./adapter_cache.ts";
import { usableLanes } from "./subgroups.ts";
import { TexturePool } from "./texture_pool.ts";
import type { TunedDevice } from "./tuning.ts";
import { WordPatch } from "./word_patch.ts";

/** Most runs in flight: submitted and not finished. */
const MOST_IN_FLIGHT = 8;
/** Most submissions in flight, where loops await {@link WebgpuDevice.pressure}. */
const MOST_SUBMITTED = 3;

/**
 * How long runs are batched into one submission: short programs cost less than a submission does, and the GPU should not
 * idle while long ones are recorded.
 */
const LONGEST_BATCH_MS = 0.5;
/** Microtasks that are let run first before a batch is submitted: a learner fires many events between two training batches. */
const MOST_TURNS = 200;

/** Bindings that a kernel may need beside its slots: both operands of a matmul, and a table. */
const SPARE_BINDINGS = 2;
/** Most windows of one buffer that a kernel may have to bind, to look rows up anywhere in it. */
const MOST_WINDOWS = 4;
/** What kernels address: bytes by 32 bits. */
const MOST_BYTES = 2 ** 32 - 16;

/** How a {@link WebgpuDevice} is made. */
export interface WebgpuDeviceOptions {
  readonly strategy?: KernelStrategy;
  readonly awaits?: boolean;
  readonly limits?: LowerLimits;
  readonly subgroups?: boolean;
  readonly lanes?: number;
  readonly tiling?: TilingName;
}

/** Limits that a device is to keep, below those of its adapter. */
export interface LowerLimits {
  readonly maxBufferSize?: number;
  readonly maxStorageBufferBindingSize?: number;
}

/**
 * A {@link Device} on WebGPU. Consecutive runs share a command encoder, a compute pass and a submission; they are submitted
 * before any other operation, and at the latest when the script's current task ends.
 */
export class WebgpuDevice implements TunedDevice {
  readonly kind = "webgpu";
  readonly name: string;
  readonly profile: DeviceProfile;
  /** Present where the runtime maps buffers without waiting for the event loop. */
  readonly readSync?: (ranges: readonly Range[]) => Uint8Array[];
  readonly #provider: GPU;
  readonly #gpu: GPUDevice;
  readonly #counters = new Counters();
  readonly #faults: Faults;
  readonly #pool: BufferPool;
  readonly #textures: TexturePool;
  readonly #pipelines: Pipelines;
  readonly #readback: Readback;
  readonly #patch: WordPatch;
  readonly #identity: string;
  readonly #bindings: BindingLimits;
  readonly #info: GPUAdapterInfo;
  #strategy: KernelStrategy | undefined;
  #lanes = 0;
  readonly #subgroups: boolean;
  /** Whether numbers of f16 are read and written as the adapter's own; else by their bits. */
  halves: boolean;
  #tiling: PlanContext["tiling"] = tilingBy(UNTRIED);
  /** Buffers that must be cleared before anything else happens to them. */
  readonly #dirty = new Set<PooledBuffer>();
  /** Commands that have been recorded and not submitted, and the programs that they run. */
  #recorder: CommandRecorder | null = null;
  readonly #batch: WebgpuExecutable[] = [];
  #batchStart = 0;
  #inFlight = 0;
  /** The ends of the latest submissions, oldest first, where they cannot be waited for at once. */
  readonly #ends: Promise<void>[] = [];
  #submitted = 0;
  #closed = false;

  /**
   * Makes a device, which {@link settle} makes ready.
   *
   * @param options `strategy`: matmul kernels to use; by default what a trial finds fastest on the adapter, cached. `awaits`: whether
   *   nothing is mapped without awaiting it, though the runtime may be able to. `limits`: lower ones than the adapter's. `subgroups`: whether kernels may use them (true).
   *   `lanes`: threads of a subgroup, where that is known. `tiling`: that of all products, where they are tiled.
   */
  constructor({ gpu, adapter, device, name, identity }: OpenedAdapter, options: WebgpuDeviceOptions = {}) {
    const { strategy, awaits = false, limits = {}, subgroups = true, lanes = 0, tiling } = options;
    if (tiling !== undefined) this.#tiling = () => tiling;
    this.#info = adapter.info;
    this.#subgroups = subgroups;
    this.#lanes = lanes;
    this.halves = device.features.has("shader-f16");
    this.#provider = gpu;
    this.#gpu = device;
    this.name = name;
    const { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage: count } = device.limits;
    const lowest = (...bytes: (number | undefined)[]) =>
      Math.floor(Math.min(...bytes.map((b) => b ?? Infinity)) / 16) * 16;
    const bytes = lowest(maxStorageBufferBindingSize, limits.maxStorageBufferBindingSize);
    this.#bindings = { bytes, count };
    this.profile = {
      maxSlotsPerKernel: count - SPARE_BINDINGS,
      maxBufferBytes: lowest(maxBufferSize, limits.maxBufferSize ?? MOST_WINDOWS * bytes, MOST_BYTES),
    };
    this.#faults = new Faults(device);
    this.#pool = new BufferPool(device, this.#counters, this.profile.maxBufferBytes, () => this.#submit());
    this.#textures = new TexturePool(device, this.#counters);
    this.#pipelines = new Pipelines(device, this.#counters, this.#faults);
    this.#readback = new Readback(device, this.#counters, lowest(maxBufferSize, limits.maxBufferSize));
    if (!awaits) this.#readback.selfTest();
    this.#patch = new WordPatch(device);
    this.#identity = identity;
    this.#strategy = strategy;
    if (this.#readback.synchronous) this.readSync = (ranges) => this.#readNow(ranges);
  }

  /** Finds out which kernels suit the adapter; to be awaited before anything else. */
  async settle(): Promise<void> {
    const { synchronous } = this.#readback;
    if (this.#subgroups) this.#lanes = await usableLanes(this.#gpu, this.#info, this.#readback);
    const wait = () => synchronous ? this.#readback.wait() : this.#gpu.queue.onSubmittedWorkDone();
    this.#strategy ??= await cachedStrategy(this.#identity, () => probeStrategy(this.#provider, this.#gpu, wait));
  }

  /** The kernels for products; known once it has settled. */
  get strategy(): KernelStrategy | undefined {
    return this.#strategy;
  }

  /** The tile of products of a shape, where they are tiled. */
  get tiling(): PlanContext["tiling"] {
    return this.#tiling;
  }

  /** Takes the kernels that a trial has found best, before anything is compiled. */
  choose({ strategy, tilings }: Tuning): void {
    this.#strategy = strategy;
    this.#tiling = tilingBy(tilings);
  }

  /** Gives memory that nobody uses back to the adapter. */
  release(): void {
    this.#pool.empty();
  }

  alloc(bytes: number, options: { readonly zeroed?: boolean } = {}): DeviceBuffer {
    this.#checkOpen();
    const { buffer, fresh } = this.#pool.alloc(bytes);
    if (!fresh && options.zeroed !== false) this.#dirty.add(buffer);
    return buffer;
  }

  free(buffer: DeviceBuffer): void {
    if (this.#closed) return;
    const own = this.#own(buffer, "free");
    this.#dirty.delete(own);
    this.#pool.free(own);
  }

  write(buffer: DeviceBuffer, offset: number, data: ArrayBufferView): void {
    const own = this.#own(buffer, "write to");
    this.#checkRange("write", own, offset, data.byteLength, 1);
    if (data.byteLength === 0) return;
    if (this.#dirty.has(own)) {
      if (data.byteLength === own.bytes) this.#dirty.delete(own);
      else this.#clear();
    }
    this.#submit();
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    const whole = bytes.byteLength - bytes.byteLength % 4;
    if (whole > 0) this.#gpu.queue.writeBuffer(own.block.gpu, offset, bytes, 0, whole);
    if (whole < bytes.byteLength) this.#writeInside(own, offset + whole, bytes.subarray(whole));
    this.#counters.writes++;
  }

  copy(source: Range, target: DeviceBuffer, targetOffset: number): void {
    const [from, to] = [this.#own(source.buffer, "copy from"), this.#own(target, "copy to")];
    this.#checkRange("copy from", from, source.offset, source.bytes);
    this.#checkRange("copy to", to, targetOffset, source.bytes);
    if (source.bytes === 0) return;
    if (from === to) throw new DeviceError(`Cannot copy within buffer ${from.id}: source and target must differ`);
    const encoder = this.#record("anneal copy").outside();
    encoder.copyBufferToBuffer(from.block.gpu, source.offset, to.block.gpu, targetOffset, source.bytes);
    this.#submit();
  }

  async read(ranges: readonly Range[]): Promise<Uint8Array[]> {
    const sources = this.#sources(ranges);
    // awaiting a mapping costs Deno 11 ms, though it has waited for the device already; but answers about compilation
    // come by the event loop alone
    const now = this.#readback.synchronous && !this.#faults.pending;
    const out = await (now ? this.#readback.readNow(sources) : this.#readback.read(sources).catch((cause) => {
      this.#faults.check();
      throw new DeviceError(`Cannot read ${ranges.length} ranges: mapping failed, got ${cause}`, { cause });
    }));
    this.#inFlight = 0;
    this.#faults.check();
    return out;
  }

  compile(program: Program): Executable {
    this.#checkOpen();
    const strategy = () => this.#strategy ?? "shared";
    const { profile, halves } = this, limits = this.#bindings, lanes = this.#lanes, tiling = this.#tiling;
    const plan = planProgram(program, { profile, strategy, limits, lanes, halves, tiling });
    return new WebgpuExecutable(program, plan, {
      device: this.#gpu,
      pool: this.#pool,
      textures: this.#textures,
      pipelines: this.#pipelines,
      counters: this.#counters,
      bindingBytes: this.#bindings.bytes,
      flush: () => this.#submit(),
    });
  }

  run(executable: Executable, bound: readonly DeviceBuffer[], params: Uint8Array): void {
    this.#checkOpen();
    this.#faults.check();
    const own = this.#ownExecutable(executable);
    if (params.byteLength !== own.paramBytes) {
      throw new DeviceError(
        `Cannot run "${own.program.label}": it takes ${own.paramBytes} bytes of parameters, got ${params.byteLength}`,
      );
    }
    if (bound.length !== own.boundCount) {
      throw new DeviceError(
        `Cannot run "${own.program.label}": it has ${own.boundCount} bound slots, got ${bound.length} buffers`,
      );
    }
    const buffers = bound.map((buffer) => this.#own(buffer, `run "${own.program.label}" on`));
    this.#throttle();
    own.writeParams(params);
    if (params.byteLength > 0) this.#counters.writes++;
    const fresh = this.#recorder === null;
    own.record(this.#record(own.program.label), buffers);
    this.#batch.push(own);
    this.#inFlight++;
    this.#counters.runs++;
    this.#counters.dispatches += own.size;
    if (fresh) {
      this.#batchStart = performance.now();
      this.#afterOthers(MOST_TURNS);
    } else if (this.#batch.length >= MOST_BATCHED || performance.now() - this.#batchStart > LONGEST_BATCH_MS) {
      this.#submit();
    }
  }

  flush(): void {
    this.#checkOpen();
    this.#submit();
  }

  async sync(): Promise<void> {
    this.#checkOpen();
    this.#faults.check();
    this.#submit();
    await this.#gpu.queue.onSubmittedWorkDone();
    this.#inFlight = 0;
    this.#faults.check();
  }

  /** Threads that follow each other and lie in one subgroup; 0 where kernels do without. */
  get lanes(): number {
    return this.#lanes;
  }

  get lost(): boolean {
    return this.#faults.lost;
  }

  pressure(): Promise<void> | null {
    return this.#submitted < MOST_SUBMITTED ? null : this.#ends[0];
  }

  stats(): DeviceStats {
    return this.#counters.snapshot(this.kind, this.name);
  }

  close(): void {
    if (this.#closed) return;
    this.#drain();
    this.#closed = true;
    this.#gpu.destroy();
  }

  /** Waits until nothing is in flight: a driver that is torn down in the middle of its work may crash the process. */
  #drain(): void {
    if (this.readSync === undefined) return;
    try {
      const probe = this.alloc(16);
      this.readSync([{ buffer: probe, offset: 0, bytes: 16 }]);
      this.free(probe);
    } catch {
      // a lost device has nothing left to wait for
    }
  }

  /**
   * Runs a program with a pass per dispatch, for measuring: milliseconds that each dispatch took.
   *
   * @throws {DeviceError} If the adapter takes no timestamps.
   */
  async timeDispatches(
    executable: Executable,
    bound: readonly DeviceBuffer[],
    params: Uint8Array,
  ): Promise<DispatchTime[]> {
    const { profileDispatches } = await import("./profile.ts");
    const own = this.#ownExecutable(executable);
    this.#submit();
    own.writeParams(params);
    own.rewind();
    const buffers = bound.map((buffer) => this.#own(buffer, "profile on"));
    return await profileDispatches(this.#gpu, this.#readback, own, buffers);
  }

  /** Milliseconds that `runs` runs take by the adapter's timestamps; null where it takes none. */
  async timeRuns(executable: Executable, bound: readonly DeviceBuffer[], runs: number): Promise<number | null> {
    if (!this.#gpu.features.has("timestamp-query")) return null;
    const { timeOfPasses } = await import("./profile.ts");
    const own = this.#ownExecutable(executable);
    this.#submit();
    const buffers = bound.map((buffer) => this.#own(buffer, "time on"));
    const passes = Array.from({ length: runs }, () => own.labels().map((_, index) => index)).flat();
    return await timeOfPasses(this.#gpu, this.#readback, own, { bound: buffers, passes });
  }

  #readNow(ranges: readonly Range[]): Uint8Array[] {
    const out = this.#readback.readNow(this.#sources(ranges));
    this.#inFlight = 0;
    return out;
  }

  #sources(ranges: readonly Range[]): Source[] {
    this.#checkOpen();
    this.#faults.check();
    const sources = ranges.map(({ buffer, offset, bytes }) => {
      const own = this.#own(buffer, "read");
      this.#checkRange("read", own, offset, bytes);
      return { gpu: own.block.gpu, offset, bytes };
    });
    this.#clear();
    this.#counters.reads++;
    return sources;
  }

  // More runs in flight only lengthen the queue: wait for them, where waiting is possible
  #throttle(): void {
    if (this.#inFlight < MOST_IN_FLIGHT || !this.#readback.synchronous) return;
    this.#submit();
    this.#readback.wait();
    this.#inFlight = 0;
  }

  /** The recorder of the next submission; memory that must be cleared is cleared first. */
  #record(label: string): CommandRecorder {
    const recorder = this.#recorder ??= new CommandRecorder(this.#gpu, label);
    if (this.#dirty.size === 0) return recorder;
    const encoder = recorder.outside();
    for (const { block } of this.#dirty) encoder.clearBuffer(block.gpu);
    this.#dirty.clear();
    return recorder;
  }

  /** Submits after `turns` microtasks, once those that were queued before have run and recorded what they may. */
  #afterOthers(turns: number): void {
    queueMicrotask(() => {
      if (this.#recorder === null) return;
      if (turns === 0) this.#submit();
      else this.#afterOthers(turns - 1);
    });
  }

  /** Submits what has been recorded, if anything. */
  #submit(): void {
    const recorder = this.#recorder;
    if (recorder === null || this.#closed) return;
    this.#recorder = null;
    for (const executable of this.#batch.splice(0)) executable.rewind();
    recorder.submit();
    this.#counters.submits++;
    if (!this.#readback.synchronous) this.#countEnd();
  }

  /** Counts a submission until it has finished. */
  #countEnd(): void {
    this.#submitted++;
    const end = this.#gpu.queue.onSubmittedWorkDone().catch(() => {}).then(() => void this.#submitted--);
    this.#ends.push(end);
    if (this.#ends.length > MOST_SUBMITTED) this.#ends.shift();
  }

  #clear(): void {
    if (this.#dirty.size > 0) this.#record("anneal clear");
    this.#submit();
  }

  /** Writes fewer bytes than a word has; the others keep their values. */
  #writeInside({ block: { gpu } }: PooledBuffer, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.#readback.synchronous) return this.#patch.write(gpu, offset, bytes);
    const [word] = this.#readback.readNow([{ gpu, offset, bytes: 4 }]);
    word.set(bytes);
    this.#gpu.queue.writeBuffer(gpu, offset, word);
  }

  #checkOpen(): void {
    if (this.#closed) throw new DeviceError("Cannot use the device: it has been closed");
  }

  #own(buffer: DeviceBuffer, verb: string): PooledBuffer {
    this.#checkOpen();
    if (!(buffer instanceof PooledBuffer) || buffer.owner !== this.#pool) {
      throw new DeviceError(`Cannot ${verb} buffer ${buffer?.id}: it belongs to another device`);
    }
    if (buffer.freed) throw new DeviceError(`Cannot ${verb} buffer ${buffer.id}: it has been freed`);
    return buffer;
  }

  #ownExecutable(executable: Executable): WebgpuExecutable {
    const { label } = executable.program;
    if (!(executable instanceof WebgpuExecutable) || !executable.belongsTo(this.#pool)) {
      throw new DeviceError(`Cannot run "${label}": another device compiled it`);
    }
    if (executable.disposed) throw new DeviceError(`Cannot run "${label}": it has been disposed`);
    return executable;
  }

  #checkRange(verb: string, buffer: PooledBuffer, offset: number, bytes: number, unit = 4): void {
    const whole = Number.isInteger(offset) && offset >= 0 && offset % 4 === 0 && bytes >= 0 && bytes % unit === 0;
    if (whole && offset + bytes <= buffer.bytes) return;
    throw new DeviceError(
      `Cannot ${verb} bytes ${offset} to ${offset + bytes} of buffer ${buffer.id}: ` +
        `offsets must be multiples of 4 inside it, got a buffer of ${buffer.bytes} bytes`,
    );
  }
}
