/**
 * Decoded images: as many decoded at once as memory allows, and some of them kept for the next epoch.
 *
 * @module
 */
import { host } from "../../base/host.ts";
import { files } from "../../base/host_files.ts";
import type { PixelImage } from "../../plot/mod.ts";
import { decodeImage, type DecodeOptions, type ImageSource } from "./read_image.ts";

/** Bytes of images that may be in the making at the same time. */
const IN_FLIGHT_BYTES = 256 << 20;
/** Most images in the making at the same time. */
const IN_FLIGHT = 128;

/** Lets as many tasks run at once as their results fit into memory, judged by the largest one so far; first come, first served. */
export class Gate {
  #running = 0;
  #largest = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #first: number;

  /** @param first Tasks at once before a size is known. */
  constructor(first: number = host.processors) {
    this.#first = Math.max(1, first);
  }

  get #limit(): number {
    if (this.#largest === 0) return this.#first;
    return Math.max(1, Math.min(IN_FLIGHT, Math.floor(IN_FLIGHT_BYTES / this.#largest)));
  }

  /** Runs `task` when its turn comes. */
  async run<T>(task: () => Promise<T>, bytesOf: (result: T) => number): Promise<T> {
    if (this.#running < this.#limit && this.#waiting.length === 0) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve)); // whoever lets it in has counted it
    try {
      const result = await task();
      this.#largest = Math.max(this.#largest, bytesOf(result));
      return result;
    } finally {
      this.#running--;
      while (this.#running < this.#limit && this.#waiting.length > 0) {
        this.#running++;
        this.#waiting.shift()!();
      }
    }
  }
}

/** An image that is kept, and the file as it was when it was decoded. */
interface Kept {
  readonly image: PixelImage;
  readonly stamp: string;
}

/** What changes where a file is written anew. */
async function stampOf(file: string): Promise<string | null> {
  try {
    const { size, mtime } = await files.stat(file);
    return `${size} ${mtime?.getTime() ?? 0}`;
  } catch {
    return null; // told by whoever decodes it
  }
}

/**
 * Images by file, as the file is now: its size and time are looked at each time. Decoded ones are kept until `cacheBytes` are full; then those kept stay and others are decoded anew every
 * time, which for epochs over a whole set serves more from memory than keeping the latest would.
 */
export class ImageStore {
  readonly #cache = new Map<string, Kept>();
  readonly #gate = new Gate();
  readonly #cacheBytes: number;
  #kept = 0;

  /** Whether images are turned by their EXIF orientation. */
  readonly orient: boolean;

  /** @param cacheBytes Most bytes of decoded images that are kept; 0 keeps none. */
  constructor(cacheBytes: number, { orient = true }: DecodeOptions = {}) {
    this.#cacheBytes = cacheBytes;
    this.orient = orient;
  }

  /** Bytes of the images that are kept. */
  get keptBytes(): number {
    return this.#kept;
  }

  /** The image in `file`; see {@link decodeImage}. Its pixels are shared: they must not be changed. */
  async load(file: string): Promise<PixelImage> {
    const stamp = this.#cacheBytes === 0 ? null : await stampOf(file);
    const kept = this.#cache.get(file);
    if (kept !== undefined) {
      if (kept.stamp === stamp) return kept.image;
      this.#cache.delete(file);
      this.#kept -= kept.image.data.length;
    }
    const { orient } = this;
    const image = await this.#gate.run(() => decodeImage(file, { orient }), ({ data }) => data.length);
    const bytes = image.data.length;
    if (stamp !== null && this.#kept + bytes <= this.#cacheBytes && !this.#cache.has(file)) {
      this.#cache.set(file, { image, stamp });
      this.#kept += bytes;
    }
    return image;
  }

  /** The image in a file's bytes or behind its URL, which is not kept. */
  decode(source: ImageSource): Promise<PixelImage> {
    const { orient } = this;
    return this.#gate.run(() => decodeImage(source, { orient }), ({ data }) => data.length);
  }

  /** Forgets all images. */
  clear(): void {
    this.#cache.clear();
    this.#kept = 0;
  }
}
