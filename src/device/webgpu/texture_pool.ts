/**
 * Textures that hold operands while a program runs. Adapters that run on a CPU read them much faster than buffers.
 *
 * @module
 */
import type { Counters } from "./counters.ts";
import { TextureUsage } from "./flags.ts";
import { TEXELS_LOG2 } from "./kernels/plan.ts";

/** A texture, in use or free. `id` differs from those of all other textures. */
export interface TexelBlock {
  readonly id: string;
  readonly gpu: GPUTexture;
  readonly view: GPUTextureView;
  readonly rows: number;
}

/** Texels of a row. */
export const ROW = 2 ** TEXELS_LOG2;

/** Textures by size. Programs run one after another, and no contents outlive a run, so all of them share the same ones. */
export class TexturePool {
  static #ids = 0;
  readonly #device: GPUDevice;
  readonly #counters: Counters;
  readonly #blocks: TexelBlock[] = [];
  readonly #users = new Map<TexelBlock, number>();

  constructor(device: GPUDevice, counters: Counters) {
    this.#device = device;
    this.#counters = counters;
  }

  /** Textures of at least these numbers of texels, each another one; the same ones may serve another program. */
  take(texels: readonly number[]): TexelBlock[] {
    const taken: TexelBlock[] = [];
    // the largest first, so that none of them takes what only another would fit
    const order = texels.map((_, i) => i).sort((i, j) => texels[j] - texels[i]);
    const out: TexelBlock[] = Array(texels.length);
    for (const i of order) {
      const rows = Math.max(1, Math.ceil(texels[i] / ROW));
      const fits = this.#blocks.filter((block) =>
        block.rows >= rows && block.rows <= 4 * rows && !taken.includes(block)
      );
      const block = fits.sort((a, b) => a.rows - b.rows)[0] ?? this.#make(rows);
      taken.push(block);
      this.#users.set(block, (this.#users.get(block) ?? 0) + 1);
      out[i] = block;
    }
    return out;
  }

  /** Gives textures back; those that no program uses are destroyed. */
  release(blocks: readonly TexelBlock[]): void {
    for (const block of blocks) {
      const users = this.#users.get(block)! - 1;
      this.#users.set(block, users);
      if (users > 0) continue;
      this.#users.delete(block);
      this.#blocks.splice(this.#blocks.indexOf(block), 1);
      this.#counters.use(-block.rows * ROW * 16);
      block.gpu.destroy();
    }
  }

  #make(rows: number): TexelBlock {
    const gpu = this.#device.createTexture({
      label: `anneal texels ${rows}`,
      size: [ROW, rows],
      format: "rgba32float",
      usage: TextureUsage.STORAGE_BINDING | TextureUsage.COPY_DST,
    });
    const block = { id: `t${++TexturePool.#ids}`, gpu, view: gpu.createView(), rows };
    this.#blocks.push(block);
    this.#counters.buffers++;
    this.#counters.use(rows * ROW * 16);
    return block;
  }
}

/** Records the copy of `bytes` of a buffer to the start of a texture. */
export function copyTexels(
  encoder: GPUCommandEncoder,
  source: { readonly buffer: GPUBuffer; readonly offset: number; readonly bytes: number },
  { gpu }: TexelBlock,
): void {
  const { buffer, offset, bytes } = source;
  const whole = Math.floor(bytes / 16 / ROW);
  const bytesPerRow = ROW * 16;
  if (whole > 0) encoder.copyBufferToTexture({ buffer, offset, bytesPerRow }, { texture: gpu }, [ROW, whole]);
  const rest = bytes / 16 - whole * ROW;
  if (rest === 0) return;
  const from = { buffer, offset: offset + whole * bytesPerRow, bytesPerRow };
  encoder.copyBufferToTexture(from, { texture: gpu, origin: [0, whole] }, [rest, 1]);
}
