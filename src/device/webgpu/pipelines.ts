/**
 * Pipelines by shader text and overrides. Text holds no shapes, so that programs share them.
 *
 * @module
 */
import type { Counters } from "./counters.ts";
import { ShaderStage } from "./flags.ts";
import type { Faults } from "./faults.ts";
import { type Binding, PARAM_VECTORS } from "./kernels/access.ts";
import type { Dispatch } from "./kernels/plan.ts";

/** A pipeline, and the layout its bind groups take. */
export interface Pipeline {
  readonly gpu: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** What kind of resource each binding after the constants is. */
type Access =
  | "read-only-storage"
  | "storage"
  | "uniform"
  | "read-only"
  | "write-only"
  | "uniform parameters"
  | "stored parameters";

/** The cache. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #counters: Counters;
  readonly #faults: Faults;
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #layouts = new Map<string, { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();

  constructor(device: GPUDevice, counters: Counters, faults: Faults) {
    this.#device = device;
    this.#counters = counters;
    this.#faults = faults;
  }

  /** The pipeline of a dispatch, compiled if it is not cached. Errors surface at the next flush. */
  get({ label, text, overrides, bindings, constants }: Dispatch): Pipeline {
    const access = bindings.map(accessOf);
    const key = `${JSON.stringify(overrides)}${access.join()}\n${text}`;
    const known = this.#pipelines.get(key);
    if (known !== undefined) return known;
    this.#device.pushErrorScope("validation");
    const layout = this.#layout(access, constants.byteLength);
    const gpu = this.#device.createComputePipeline({
      label,
      layout: layout.pipeline,
      compute: {
        module: this.#device.createShaderModule({ label, code: text }),
        entryPoint: "main",
        constants: { ...overrides },
      },
    });
    this.#faults.scope(this.#device, `compile the kernel "${label}"`);
    this.#counters.pipelines++;
    const made = { gpu, layout: layout.group };
    this.#pipelines.set(key, made);
    return made;
  }

  // The size of the constants belongs to the layout: without it, wgpu holds buffers against the size that an earlier
  // pipeline of the same layout expected
  #layout(access: readonly Access[], bytes: number): { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout } {
    const key = `${bytes},${access.join()}`;
    const known = this.#layouts.get(key);
    if (known !== undefined) return known;
    const label = `anneal [${key}]`;
    const visibility = ShaderStage.COMPUTE;
    const constants = { binding: 0, visibility, buffer: { type: "uniform" as const, minBindingSize: bytes } };
    const others = access.map((type, i) => ({ binding: i + 1, visibility, ...resource(type) }));
    const group = this.#device.createBindGroupLayout({ label, entries: [constants, ...others] });
    const made = { group, pipeline: this.#device.createPipelineLayout({ label, bindGroupLayouts: [group] }) };
    this.#layouts.set(key, made);
    return made;
  }
}

function accessOf({ slot, writable, uniform, texture }: Binding): Access {
  if (texture !== undefined) return texture === "read" ? "read-only" : "write-only";
  if (slot === 0) return uniform ? "uniform parameters" : "stored parameters";
  return uniform ? "uniform" : writable ? "storage" : "read-only-storage";
}

function resource(access: Access): Pick<GPUBindGroupLayoutEntry, "buffer" | "storageTexture"> {
  switch (access) {
    case "read-only":
    case "write-only":
      return { storageTexture: { access, format: "rgba32float" } };
    case "uniform":
      return { buffer: { type: "uniform", minBindingSize: PARAM_VECTORS * 16 } };
    // those of each run lie elsewhere
    case "uniform parameters":
      return { buffer: { type: "uniform", minBindingSize: PARAM_VECTORS * 16, hasDynamicOffset: true } };
    case "stored parameters":
      return { buffer: { type: "read-only-storage", hasDynamicOffset: true } };
    default:
      return { buffer: { type: access } };
  }
}
