/**
 * A device that interprets programs in plain TypeScript: the oracle for the real devices, and the verifier of what the
 * lowering emits. Arithmetic is f32 after every instruction; sums and products of matrices are kept in float64.
 *
 * @module
 */
import type {
  Device,
  DeviceBuffer,
  DeviceProfile,
  DeviceStats,
  Executable,
  Program,
  Range,
} from "../../src/device/contract.ts";
import type { RunState } from "./reference_device_body.ts";
import { compileKernel } from "./reference_device_kernels.ts";
import { GARBAGE, SlotMemory } from "./reference_device_memory.ts";
import { kernelName } from "./kernel_access.ts";
import { verifyProgram } from "./verify_program.ts";

class ReferenceBuffer implements DeviceBuffer {
  static #ids = 0;
  readonly id: number = ++ReferenceBuffer.#ids;
  readonly data: ArrayBuffer;
  readonly bytes: number;
  freed = false;

  constructor(readonly owner: ReferenceDevice, bytes: number) {
    this.bytes = Math.ceil(bytes / 16) * 16;
    this.data = new ArrayBuffer(this.bytes);
  }
}

class ReferenceExecutable implements Executable {
  readonly #state: RunState;
  readonly #kernels: readonly (() => void)[];
  disposed = false;

  constructor(readonly owner: ReferenceDevice, readonly program: Program) {
    const memory = program.slots.map((slot, i) => new SlotMemory(slot, i));
    this.#state = { memory, params: new Uint32Array(0), kernelRun: 0 };
    this.#kernels = program.kernels.map((kernel, i) => compileKernel(kernel, kernelName(program, i), this.#state));
  }

  run(bound: readonly ReferenceBuffer[], params: Uint8Array): void {
    const bytes = params.slice().buffer;
    const state = this.#state;
    state.params = new Uint32Array(bytes);
    let next = 0;
    this.program.slots.forEach(({ kind }, i) => {
      if (kind === "params") state.memory[i].bind(bytes);
      else if (kind === "bound") state.memory[i].bind(bound[next++].data);
      else state.memory[i].spoil();
    });
    for (const kernel of this.#kernels) {
      state.kernelRun++;
      kernel();
    }
  }

  dispose(): void {
    this.disposed = true;
  }
}

/** Options of {@link ReferenceDevice}; the defaults are WebGPU's portable limits. */
export interface ReferenceDeviceOptions {
  readonly profile?: DeviceProfile;
}

/**
 * The reference device. Everything happens at once, in the calling thread; whatever breaks the contract throws a plain
 * `Error` that names program, kernel and instruction.
 */
export class ReferenceDevice implements Device {
  readonly kind = "reference";
  readonly name = "reference interpreter";
  readonly profile: DeviceProfile;
  #closed = false;
  #stats = {
    runs: 0,
    dispatches: 0,
    submits: 0,
    programs: 0,
    pipelines: 0,
    buffers: 0,
    bindings: 0,
    reads: 0,
    writes: 0,
    liveBytes: 0,
    peakBytes: 0,
  };

  constructor(options: ReferenceDeviceOptions = {}) {
    this.profile = options.profile ?? { maxSlotsPerKernel: 8, maxBufferBytes: 2 ** 30 };
  }

  alloc(bytes: number, options: { readonly zeroed?: boolean } = {}): DeviceBuffer {
    this.#checkOpen();
    if (!Number.isInteger(bytes) || bytes <= 0) {
      throw new Error(`Cannot allocate ${bytes} bytes: a whole number above 0`);
    }
    if (bytes > this.profile.maxBufferBytes) throw new Error(`Cannot allocate ${bytes} bytes: the profile forbids it`);
    const buffer = new ReferenceBuffer(this, bytes);
    if (options.zeroed === false) new Uint32Array(buffer.data).fill(GARBAGE);
    const stats = this.#stats;
    stats.buffers++;
    stats.liveBytes += buffer.bytes;
    stats.peakBytes = Math.max(stats.peakBytes, stats.liveBytes);
    return buffer;
  }

  free(buffer: DeviceBuffer): void {
    const own = this.#own(buffer, "free");
    own.freed = true;
    this.#stats.liveBytes -= own.bytes;
  }

  write(buffer: DeviceBuffer, offset: number, data: ArrayBufferView): void {
    const own = this.#own(buffer, "write to");
    checkRange("write", own, offset, data.byteLength, 1);
    new Uint8Array(own.data).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    this.#stats.writes++;
  }

  copy(source: Range, target: DeviceBuffer, targetOffset: number): void {
    const [from, to] = [this.#own(source.buffer, "copy from"), this.#own(target, "copy to")];
    checkRange("copy from", from, source.offset, source.bytes);
    checkRange("copy to", to, targetOffset, source.bytes);
    if (from === to) throw new Error(`Cannot copy within buffer ${from.id}: source and target must differ`);
    new Uint8Array(to.data).set(new Uint8Array(from.data, source.offset, source.bytes), targetOffset);
  }

  // deno-lint-ignore require-await -- a device's read is asynchronous; this one has its answer at once
  async read(ranges: readonly Range[]): Promise<Uint8Array[]> {
    return this.readSync(ranges);
  }

  readSync(ranges: readonly Range[]): Uint8Array[] {
    this.#stats.reads++;
    return ranges.map(({ buffer, offset, bytes }) => {
      const own = this.#own(buffer, "read");
      checkRange("read", own, offset, bytes);
      return new Uint8Array(own.data.slice(offset, offset + bytes));
    });
  }

  compile(program: Program): Executable {
    this.#checkOpen();
    verifyProgram(program, this.profile);
    this.#stats.programs++;
    return new ReferenceExecutable(this, program);
  }

  run(executable: Executable, bound: readonly DeviceBuffer[], params: Uint8Array): void {
    this.#checkOpen();
    if (!(executable instanceof ReferenceExecutable) || executable.owner !== this) {
      throw new Error(`Cannot run program "${executable.program.label}": another device compiled it`);
    }
    const buffers = this.#checkRun(executable, bound, params);
    executable.run(buffers, params);
    const stats = this.#stats;
    stats.runs++;
    stats.submits++;
    stats.writes++;
    stats.dispatches += executable.program.kernels.length;
  }

  #checkRun(executable: ReferenceExecutable, bound: readonly DeviceBuffer[], params: Uint8Array): ReferenceBuffer[] {
    const { label, slots } = executable.program;
    const what = `Cannot run program "${label}"`;
    if (executable.disposed) throw new Error(`${what}: it has been disposed`);
    if (params.byteLength !== slots[0].bytes) {
      throw new Error(`${what}: slot 0 takes ${slots[0].bytes} bytes of parameters, got ${params.byteLength}`);
    }
    const boundSlots = slots.flatMap((slot, i) => slot.kind === "bound" ? [{ slot, i }] : []);
    if (boundSlots.length !== bound.length) {
      throw new Error(`${what}: it has ${boundSlots.length} bound slots, got ${bound.length} buffers`);
    }
    const seen = new Map<DeviceBuffer, { written: boolean; i: number }>();
    return boundSlots.map(({ slot, i }, position) => {
      const buffer = this.#own(bound[position], `run program "${label}" with slot ${i} bound to`);
      if (buffer.bytes < slot.bytes) {
        throw new Error(`${what}: slot ${i} needs ${slot.bytes} bytes, buffer ${buffer.id} has ${buffer.bytes}`);
      }
      const other = seen.get(buffer);
      if (other && (other.written || slot.written)) {
        throw new Error(`${what}: slots ${other.i} and ${i} are one buffer, and one of them is written`);
      }
      seen.set(buffer, { written: slot.written || (other?.written ?? false), i });
      return buffer;
    });
  }

  flush(): void {
    this.#checkOpen();
  }

  // deno-lint-ignore require-await -- nothing is ever under way
  async sync(): Promise<void> {
    this.#checkOpen();
  }

  stats(): DeviceStats {
    return { device: this.kind, name: this.name, ...this.#stats };
  }

  close(): void {
    this.#closed = true;
  }

  #checkOpen(): void {
    if (this.#closed) throw new Error("Cannot use the reference device: it has been closed");
  }

  #own(buffer: DeviceBuffer, verb: string): ReferenceBuffer {
    this.#checkOpen();
    if (!(buffer instanceof ReferenceBuffer) || buffer.owner !== this) {
      throw new Error(`Cannot ${verb} buffer ${buffer?.id}: it belongs to another device`);
    }
    if (buffer.freed) throw new Error(`Cannot ${verb} buffer ${buffer.id}: it has been freed`);
    return buffer;
  }
}

function checkRange(verb: string, buffer: ReferenceBuffer, offset: number, bytes: number, unit = 4): void {
  const whole = Number.isInteger(offset) && offset >= 0 && offset % 4 === 0 && bytes >= 0 && bytes % unit === 0;
  if (!whole || offset + bytes > buffer.bytes) {
    throw new Error(
      `Cannot ${verb} bytes ${offset} to ${offset + bytes} of buffer ${buffer.id}: it has ${buffer.bytes}`,
    );
  }
}
