/**
 * Writes of less than a word, where the rest of it cannot be read at once.
 *
 * @module
 */
import { BufferUsage } from "./flags.ts";
import { PATCH_WORD } from "./wgsl.gen.ts";

/** Replaces bytes inside of words, by a kernel. */
export class WordPatch {
  readonly #device: GPUDevice;
  #pipeline: GPUComputePipeline | null = null;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Replaces the first `bytes.length` (1 to 3) bytes of the word at `offset`, in the order of the queue. */
  write(buffer: GPUBuffer, offset: number, bytes: Uint8Array): void {
    const device = this.#device, label = "anneal patch";
    this.#pipeline ??= device.createComputePipeline({
      label,
      layout: "auto",
      compute: { module: device.createShaderModule({ label, code: PATCH_WORD }), entryPoint: "main" },
    });
    const word = new Uint8Array(4);
    word.set(bytes);
    const mask = 2 ** (8 * bytes.length) - 1;
    const constants = device.createBuffer({ label, size: 16, usage: BufferUsage.UNIFORM | BufferUsage.COPY_DST });
    device.queue.writeBuffer(constants, 0, new Uint32Array([offset / 4, mask, new Uint32Array(word.buffer)[0], 0]));
    const group = device.createBindGroup({
      label,
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: [constants, buffer].map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    const encoder = device.createCommandEncoder({ label });
    const pass = encoder.beginComputePass({ label });
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(1);
    pass.end();
    device.queue.submit([encoder.finish()]);
    constants.destroy(); // once that has been done
  }
}
