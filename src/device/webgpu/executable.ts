/**
 * A program with every GPU object made: constants, temporaries, pipelines, and bind groups by the memory bound.
 *
 * @module
 */
import type { Executable, Program } from "../contract.ts";
import type { Block, BufferPool, PooledBuffer } from "./buffers.ts";
import type { Counters } from "./counters.ts";
import { type Binding, PARAM_VECTORS } from "./kernels/access.ts";
import type { TexelCopy } from "./kernels/plan.ts";
import type { Pipeline, Pipelines } from "./pipelines.ts";
import type { CommandRecorder } from "./command_recorder.ts";
import { BufferUsage } from "./flags.ts";
import { fitsUniform, type Plan } from "./planner.ts";
import { copyTexels, type TexelBlock, type TexturePool } from "./texture_pool.ts";

/** Most bind groups that one dispatch caches, by the buffers bound. */
const MOST_GROUPS = 64;
/** Most runs of an executable in one submission: the parameters of each have a region of their own. */
export const MOST_BATCHED = 8;
/** Alignment of dynamic offsets into the parameters, on every adapter. */
const ALIGNMENT = 256;

/** The device's parts that an executable is made from. */
export interface Parts {
  readonly device: GPUDevice;
  readonly pool: BufferPool;
  readonly textures: TexturePool;
  readonly pipelines: Pipelines;
  readonly counters: Counters;
  /** Most bytes of a storage binding. */
  readonly bindingBytes: number;
  /** Submits what has been recorded, before memory that it uses is freed. */
  readonly flush: () => void;
}

/** A dispatch with its GPU objects. */
interface PreparedDispatch {
  readonly label: string;
  readonly pipeline: Pipeline;
  readonly grid: readonly [number, number];
  readonly bindings: readonly Binding[];
  readonly copies: readonly TexelCopy[];
  /** Dynamic offsets: where the parameters of a run lie, once for each binding of them. */
  readonly offsets: number[];
  readonly constants: { readonly offset: number; readonly size: number };
  /** Bind groups by the ids of the blocks bound. */
  readonly groups: Map<string, GPUBindGroup>;
  last: { key: string; group: GPUBindGroup } | null;
}

/** A part of a slot. */
interface Window {
  readonly window: number;
  readonly offset: number;
  readonly bytes: number;
}

/** What `compile` returns. */
export class WebgpuExecutable implements Executable {
  readonly #parts: Parts;
  readonly #constants: GPUBuffer;
  readonly #dispatches: readonly PreparedDispatch[];
  /** Memory of each slot, the device's own included; bound slots change from run to run, textures have none. */
  readonly #blocks: (Block | null)[];
  readonly #own: PooledBuffer[] = [];
  /** Bytes from one run's parameters to the next one's, how many fit the buffer, and how many have been written. */
  readonly #paramStride: number;
  #room = 1;
  #written = 0;
  /** Dynamic offset of the parameters of the run that is being recorded. */
  #paramOffset = 0;
  /** By slot. */
  readonly #texels = new Map<number, TexelBlock>();
  /** Slots that are parts of others. */
  readonly #windows = new Map<number, Window>();
  readonly #boundSlots: readonly number[];
  /** Bytes of parameters. */
  readonly paramBytes: number;
  disposed = false;

  constructor(readonly program: Program, plan: Plan, parts: Parts) {
    this.#parts = parts;
    const { device, pool, pipelines, counters } = parts;
    const own = this.#own;
    const keep = (bytes: number): PooledBuffer => {
      const { buffer } = pool.alloc(bytes);
      own.push(buffer);
      return buffer;
    };
    this.paramBytes = program.slots[0].bytes;
    // parameters that are bound as uniforms take a whole uniform buffer
    const paramBytes = fitsUniform(program) ? PARAM_VECTORS * 16 : this.paramBytes;
    this.#paramStride = Math.ceil(Math.max(paramBytes, 16) / ALIGNMENT) * ALIGNMENT;
    this.#blocks = program.slots.map(({ kind, bytes }, i) =>
      kind === "bound" ? null : keep(i === 0 ? this.#paramStride : Math.max(bytes, 16)).block
    );
    const texels = plan.extra.flatMap((extra, i) =>
      "texels" in extra ? [{ slot: program.slots.length + i, texels: extra.texels }] : []
    );
    parts.textures.take(texels.map((extra) => extra.texels)).forEach((block, i) =>
      this.#texels.set(texels[i].slot, block)
    );
    for (const extra of plan.extra) {
      if ("window" in extra) this.#windows.set(this.#blocks.length, extra);
      if ("texels" in extra || "window" in extra) {
        this.#blocks.push(null);
        continue;
      }
      if ("bytes" in extra) {
        this.#blocks.push(keep(extra.bytes).block);
        continue;
      }
      const { block } = keep(Math.max(extra.words.byteLength, 16));
      device.queue.writeBuffer(block.gpu, 0, extra.words.slice());
      this.#blocks.push(block);
    }
    this.#boundSlots = program.slots.flatMap(({ kind }, i) => kind === "bound" ? [i] : []);
    const align = device.limits.minUniformBufferOffsetAlignment;
    const offsets: number[] = [];
    let bytes = 0;
    for (const { constants } of plan.dispatches) {
      offsets.push(bytes);
      bytes = Math.ceil((bytes + constants.byteLength) / align) * align;
    }
    this.#constants = this.#makeConstants(plan, offsets, Math.max(bytes, 16));
    const dispatches = plan.dispatches.map((dispatch, i) => ({
      label: dispatch.label,
      pipeline: pipelines.get(dispatch),
      grid: dispatch.grid,
      bindings: dispatch.bindings,
      copies: dispatch.copies ?? [],
      offsets: dispatch.bindings.filter(({ slot }) => slot === 0).map(() => 0),
      constants: { offset: offsets[i], size: dispatch.constants.byteLength },
      groups: new Map<string, GPUBindGroup>(),
      last: null,
    }));
    this.#dispatches = dispatches.filter(({ grid }) => grid[0] > 0);
    counters.programs++;
  }

  /** Whether the device with this pool made it. */
  belongsTo(pool: BufferPool): boolean {
    return this.#parts.pool === pool;
  }

  /** Number of buffers that a run takes. */
  get boundCount(): number {
    return this.#boundSlots.length;
  }

  /** Number of dispatches of a run. */
  get size(): number {
    return this.#dispatches.length;
  }

  /** Writes the parameters of one more run of the batch, which {@link rewind} ends. */
  writeParams(params: Uint8Array): void {
    if (params.byteLength === 0) return;
    if (this.#written === this.#room) this.#makeRoom();
    this.#paramOffset = this.#written++ * this.#paramStride;
    const { buffer, byteOffset, byteLength } = params;
    const target = this.#blocks[0]!.gpu;
    this.#parts.device.queue.writeBuffer(target, this.#paramOffset, buffer as ArrayBuffer, byteOffset, byteLength);
  }

  /** Ends the batch: what was recorded has been submitted. */
  rewind(): void {
    this.#written = 0;
  }

  /** Encodes all dispatches into the open pass; copies into textures end it. */
  record(recorder: CommandRecorder, bound: readonly PooledBuffer[]): void {
    this.#bind(bound);
    let pass: GPUComputePassEncoder | null = null;
    let pipeline: Pipeline | null = null;
    for (const dispatch of this.#dispatches) {
      if (dispatch.copies.length > 0) {
        this.#copy(recorder.outside(), dispatch);
        pass = null;
      }
      if (pass === null) {
        pass = recorder.pass();
        pipeline = null;
      }
      if (dispatch.pipeline !== pipeline) pass.setPipeline(dispatch.pipeline.gpu);
      pipeline = dispatch.pipeline;
      pass.setBindGroup(0, this.#group(dispatch), dispatch.offsets.fill(this.#paramOffset));
      pass.dispatchWorkgroups(...dispatch.grid);
    }
  }

  /** Encodes one dispatch, in a pass that may take timestamps. */
  recordOne(
    encoder: GPUCommandEncoder,
    bound: readonly PooledBuffer[],
    { index, timestampWrites }: { readonly index: number; readonly timestampWrites?: GPUComputePassTimestampWrites },
  ): void {
    this.#bind(bound);
    const dispatch = this.#dispatches[index];
    this.#copy(encoder, dispatch);
    const pass = encoder.beginComputePass({
      label: dispatch.label,
      ...(timestampWrites === undefined ? {} : { timestampWrites }),
    });
    pass.setPipeline(dispatch.pipeline.gpu);
    pass.setBindGroup(0, this.#group(dispatch), dispatch.offsets.fill(this.#paramOffset));
    pass.dispatchWorkgroups(...dispatch.grid);
    pass.end();
  }

  /** Labels of the dispatches, in order. */
  labels(): string[] {
    return this.#dispatches.map(({ label }) => label);
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.#parts.flush();
    for (const buffer of this.#own) this.#parts.pool.free(buffer);
    this.#parts.textures.release([...this.#texels.values()]);
    this.#constants.destroy();
    for (const dispatch of this.#dispatches) {
      dispatch.groups.clear();
      dispatch.last = null;
    }
  }

  #makeConstants(plan: Plan, offsets: readonly number[], size: number): GPUBuffer {
    const { device, counters } = this.#parts;
    const usage = BufferUsage.UNIFORM | BufferUsage.COPY_DST;
    const buffer = device.createBuffer({ label: `${this.program.label} constants`, size, usage });
    counters.buffers++;
    const all = new Uint32Array(size / 4);
    plan.dispatches.forEach(({ constants }, i) => all.set(constants, offsets[i] / 4));
    device.queue.writeBuffer(buffer, 0, all);
    return buffer;
  }

  /** Grows the parameters from one run to a batch; runs in flight keep the old buffer. */
  #makeRoom(): void {
    this.#room = MOST_BATCHED;
    const { buffer } = this.#parts.pool.alloc(this.#paramStride * MOST_BATCHED);
    this.#own.push(buffer);
    this.#blocks[0] = buffer.block;
  }

  #bind(bound: readonly PooledBuffer[]): void {
    this.#boundSlots.forEach((slot, i) => this.#blocks[slot] = bound[i].block);
  }

  #copy(encoder: GPUCommandEncoder, { copies }: PreparedDispatch): void {
    for (const { from, offset, bytes, to } of copies) {
      copyTexels(encoder, { buffer: this.#blocks[from]!.gpu, offset, bytes }, this.#texels.get(to)!);
    }
  }

  /** The memory of a slot, or of the one that it is a part of. */
  #blockOf(slot: number): Block {
    return this.#blocks[this.#windows.get(slot)?.window ?? slot]!;
  }

  #group(dispatch: PreparedDispatch): GPUBindGroup {
    let key = "";
    for (const { slot, texture } of dispatch.bindings) if (texture === undefined) key += `${this.#blockOf(slot).id},`;
    if (dispatch.last?.key === key) return dispatch.last.group;
    const group = dispatch.groups.get(key) ?? this.#makeGroup(dispatch, key);
    dispatch.last = { key, group };
    return group;
  }

  #makeGroup({ label, pipeline, bindings, constants, groups }: PreparedDispatch, key: string): GPUBindGroup {
    const { device, counters, bindingBytes } = this.#parts;
    const group = device.createBindGroup({
      label,
      layout: pipeline.layout,
      entries: [
        { binding: 0, resource: { buffer: this.#constants, ...constants } },
        ...bindings.map(({ slot, uniform, texture, offset = 0 }, i) => {
          if (texture !== undefined) return { binding: i + 1, resource: this.#texels.get(slot)!.view };
          const { gpu: buffer, bytes } = this.#blockOf(slot);
          const part = slot === 0
            ? { size: this.#paramStride }
            : uniform
            ? { offset, size: PARAM_VECTORS * 16 }
            : this.#windows.get(slot) ?? {};
          const size = "bytes" in part ? part.bytes : "size" in part ? part.size : Math.min(bytes, bindingBytes);
          return { binding: i + 1, resource: { buffer, size, offset: "offset" in part ? part.offset : 0 } };
        }),
      ],
    });
    counters.bindings++;
    if (groups.size >= MOST_GROUPS) groups.delete(groups.keys().next().value!);
    groups.set(key, group);
    return group;
  }
}
