/**
 * The WebGPU device.
 *
 * @module
 */
import { DeviceError } from "../../base/errors.ts";
import type { Device, DeviceBuffer, DeviceProfile, DeviceStats, Executable, Program, Range } from "../contract.ts";
import type { OpenedAdapter } from "./adapter.ts";
import { BufferPool, PooledBuffer } from "./buffers.ts";
import { Counters } from "./counters.ts";
import { MOST_HELD, WebgpuExecutable } from "./executable.ts";
import { Faults } from "./faults.ts";
import type { Family } from "./kernels/plan.ts";
import { Pipelines } from "./pipelines.ts";
import { planProgram } from "./planner.ts";
import { probeFamily } from "./probe.ts";
import { type DispatchTime, profileDispatches } from "./profile.ts";
import { Recorder } from "./recorder.ts";
import { Readback, type Source } from "./readback.ts";
import { settledFamily } from "./settled.ts";
import { TexturePool } from "./textures.ts";

/** Most runs that are handed over and not finished. */
const MOST_IN_FLIGHT = 8;

/**
 * For how long runs are gathered to be handed over together: steps that are over in a moment cost less than handing them
 * over, and the GPU has better things to do than to wait for long ones.
 */
const LONGEST_HOLD_MS = 0.5;
/** How often others that wait for the end of the script's task go first: a learner's events between two batches are many. */
const MOST_TURNS = 200;

/** Bindings that a kernel may need beside its slots: both operands of a matmul, and a table. */
const SPARE_BINDINGS = 2;

/**
 * A {@link Device} on WebGPU. Runs that follow each other at once share a command encoder, a compute pass and a submit; they
 * are handed over before anything else happens, and at the latest when the script's current task is over.
 */
export class WebgpuDevice implements Device {
  readonly kind = "webgpu";
  readonly name: string;
  readonly profile: DeviceProfile;
  /** Present where the runtime maps buffers without waiting for the event loop. */
  readonly readSync?: (ranges: readonly Range[]) => Uint8Array[];
  readonly #gpu: GPUDevice;
  readonly #counters = new Counters();
  readonly #faults: Faults;
  readonly #pool: BufferPool;
  readonly #textures: TexturePool;
  readonly #pipelines: Pipelines;
  readonly #readback: Readback;
  readonly #family: () => Family;
  /** Buffers that must be cleared before anything else happens to them. */
  readonly #dirty = new Set<PooledBuffer>();
  /** What has been recorded and not handed over, and the programs that it runs. */
  #recorder: Recorder | null = null;
  readonly #held: WebgpuExecutable[] = [];
  #heldSince = 0;
  #inFlight = 0;
  #closed = false;

  /** @param family Matmul kernels to use; what a trial settled for the adapter, made when first needed, if left out. */
  constructor({ device, name, identity }: OpenedAdapter, family?: Family) {
    this.#gpu = device;
    this.name = name;
    const { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } = device.limits;
    this.profile = {
      maxSlotsPerKernel: maxStorageBuffersPerShaderStage - SPARE_BINDINGS,
      maxBufferBytes: Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / 16) * 16,
    };
    this.#faults = new Faults(device);
    this.#pool = new BufferPool(device, this.#counters, this.profile.maxBufferBytes, () => this.#handOver());
    this.#textures = new TexturePool(device, this.#counters);
    this.#pipelines = new Pipelines(device, this.#counters, this.#faults);
    this.#readback = new Readback(device, this.#counters);
    this.#readback.selfTest();
    let known = family;
    const trial = () => probeFamily(device, () => this.#readback.wait());
    this.#family = () => known ??= this.#readback.synchronous ? settledFamily(identity, trial) : "shared";
    if (this.#readback.synchronous) this.readSync = (ranges) => this.#readNow(ranges);
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
    this.#handOver();
    this.#gpu.queue.writeBuffer(own.block.gpu, offset, this.#wholeWords(own, offset, data));
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
    this.#handOver();
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
    const plan = planProgram(program, this.profile, this.#family);
    return new WebgpuExecutable(program, plan, {
      device: this.#gpu,
      pool: this.#pool,
      textures: this.#textures,
      pipelines: this.#pipelines,
      counters: this.#counters,
      flush: () => this.#handOver(),
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
    this.#held.push(own);
    this.#inFlight++;
    this.#counters.runs++;
    this.#counters.dispatches += own.size;
    if (fresh) {
      this.#heldSince = performance.now();
      this.#afterOthers(MOST_TURNS);
    } else if (this.#held.length >= MOST_HELD || performance.now() - this.#heldSince > LONGEST_HOLD_MS) {
      this.#handOver();
    }
  }

  flush(): void {
    this.#checkOpen();
    this.#handOver();
  }

  async sync(): Promise<void> {
    this.#checkOpen();
    this.#faults.check();
    this.#handOver();
    await this.#gpu.queue.onSubmittedWorkDone();
    this.#inFlight = 0;
    this.#faults.check();
  }

  stats(): DeviceStats {
    return this.#counters.snapshot(this.kind, this.name);
  }

  close(): void {
    if (this.#closed) return;
    this.#settle();
    this.#closed = true;
    this.#gpu.destroy();
  }

  /** Waits until nothing runs any more: drivers that are torn down in the middle of their work may take the process along. */
  #settle(): void {
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
  timeDispatches(executable: Executable, bound: readonly DeviceBuffer[], params: Uint8Array): Promise<DispatchTime[]> {
    const own = this.#ownExecutable(executable);
    this.#handOver();
    own.writeParams(params);
    own.rewind();
    const buffers = bound.map((buffer) => this.#own(buffer, "profile on"));
    return profileDispatches(this.#gpu, this.#readback, own, buffers);
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

  // Work beyond this only fills the queue: wait for what is under way, where waiting is possible
  #throttle(): void {
    if (this.#inFlight < MOST_IN_FLIGHT || !this.#readback.synchronous) return;
    this.#handOver();
    this.#readback.wait();
    this.#inFlight = 0;
  }

  /** The recorder of what is to be handed over next; memory that must be cleared is cleared first. */
  #record(label: string): Recorder {
    const recorder = this.#recorder ??= new Recorder(this.#gpu, label);
    if (this.#dirty.size === 0) return recorder;
    const encoder = recorder.outside();
    for (const { block } of this.#dirty) encoder.clearBuffer(block.gpu);
    this.#dirty.clear();
    return recorder;
  }

  /** Hands over when all others that wait for the end of the current task have had their turn, and asked for nothing more. */
  #afterOthers(turns: number): void {
    queueMicrotask(() => {
      if (this.#recorder === null) return;
      if (turns === 0) this.#handOver();
      else this.#afterOthers(turns - 1);
    });
  }

  /** Hands over what has been recorded, if anything. */
  #handOver(): void {
    const recorder = this.#recorder;
    if (recorder === null || this.#closed) return;
    this.#recorder = null;
    for (const executable of this.#held.splice(0)) executable.rewind();
    recorder.finish();
    this.#counters.submits++;
  }

  #clear(): void {
    if (this.#dirty.size > 0) this.#record("anneal clear");
    this.#handOver();
  }

  /** `data` as whole words: bytes of the last word that are not written keep their values. */
  #wholeWords(buffer: PooledBuffer, offset: number, data: ArrayBufferView): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    const rest = bytes.byteLength % 4;
    if (rest === 0) return bytes;
    const out = new Uint8Array(bytes.byteLength + 4 - rest);
    const at = out.byteLength - 4;
    if (this.#readback.synchronous) {
      const [word] = this.#readback.readNow([{ gpu: buffer.block.gpu, offset: offset + at, bytes: 4 }]);
      out.set(word, at);
    }
    out.set(bytes);
    return out;
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
