/**
 * Which textures of a program hold what, planned like a cache: operands that several kernels read are copied once, and the
 * least recently used texture is taken for another operand.
 *
 * @module
 */
import { TEXELS_LOG2 } from "./plan.ts";

/** Textures of a program; beyond that the least recently used one is evicted. */
const MOST_TEXTURES = 6;
/** Rows that every adapter's textures may have. */
const MOST_ROWS = 8192;

interface Texture {
  readonly slot: number;
  texels: number;
  /** What it holds, and the slot that this came from; null once that slot has changed. */
  tag: string | null;
  source: number;
  /** Number of the kernel that used it last. */
  used: number;
}

/** Allocates textures, kernel by kernel in the order of the program. */
export class TextureCache {
  readonly #make: (texels: number, slot?: number) => number;
  readonly #all: Texture[] = [];
  #kernel = 0;

  /** @param make Adds a texture, or changes the size of the one at `slot`; returns its slot. */
  constructor(make: (texels: number, slot?: number) => number) {
    this.#make = make;
  }

  /** See {@link PlanContext.texture}. */
  take(tag: string, source: number, texels: number): { slot: number; held: boolean } | null {
    if (texels > MOST_ROWS * 2 ** TEXELS_LOG2) return null;
    const held = this.#all.find((texture) => texture.tag === tag && texture.source === source);
    if (held !== undefined) {
      held.used = this.#kernel;
      return { slot: held.slot, held: true };
    }
    const idle = this.#all.filter(({ used }) => used < this.#kernel);
    const stale = idle.filter((texture) => texture.tag === null);
    const free = leastRecent(stale) ?? (this.#all.length >= MOST_TEXTURES ? leastRecent(idle) : undefined);
    if (free === undefined) {
      const slot = this.#make(texels);
      this.#all.push({ slot, texels, tag, source, used: this.#kernel });
      return { slot, held: false };
    }
    free.texels = Math.max(free.texels, texels);
    this.#make(free.texels, free.slot);
    Object.assign(free, { tag, source, used: this.#kernel });
    return { slot: free.slot, held: false };
  }

  /** Invalidates what came from `slot`. */
  written(slot: number): void {
    for (const texture of this.#all) if (texture.source === slot) texture.tag = null;
  }

  /** Goes on to the next kernel: what the last one used may be evicted. */
  next(): void {
    this.#kernel++;
  }
}

/** The least recently used one. */
function leastRecent(textures: readonly Texture[]): Texture | undefined {
  return textures.reduce<Texture | undefined>((a, b) => a === undefined || b.used < a.used ? b : a, undefined);
}
