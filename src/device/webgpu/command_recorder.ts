/**
 * Commands that have been recorded and not submitted: those of several runs, in one encoder and as few passes as possible.
 *
 * @module
 */

/** Records commands; nothing reaches the GPU before {@link submit}. */
export class CommandRecorder {
  readonly #device: GPUDevice;
  readonly #label: string;
  readonly #encoder: GPUCommandEncoder;
  #pass: GPUComputePassEncoder | null = null;

  constructor(device: GPUDevice, label: string) {
    this.#device = device;
    this.#label = label;
    this.#encoder = device.createCommandEncoder({ label });
  }

  /** The open pass, or a new one. */
  pass(): GPUComputePassEncoder {
    return this.#pass ??= this.#encoder.beginComputePass({ label: this.#label });
  }

  /** The encoder, for commands outside of passes (copies, clears): ends the open one. */
  outside(): GPUCommandEncoder {
    this.#pass?.end();
    this.#pass = null;
    return this.#encoder;
  }

  /** Submits all commands. */
  submit(): void {
    this.#device.queue.submit([this.outside().finish()]);
  }
}
