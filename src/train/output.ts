/**
 * Text to a stream that somebody else reads: a terminal, a file, a pipe that may be full or closed.
 *
 * @module
 */
import { host } from "../base/host.ts";

/** What {@link Output} writes to, as `Deno.stdout`. */
export interface TextSink {
  /** Writes some of the bytes; says how many. */
  writeSync(bytes: Uint8Array): number;
}

/** Bytes that are kept for a reader who has been too slow; what comes after them is dropped. */
const MOST_WAITING = 1 << 20;
/** Milliseconds that {@link Output.flush} waits for a slow reader, and between two tries. */
const PATIENCE_MS = 2000, RETRY_MS = 10;

/** Writes text, and never throws: a reader that is gone, or a disk that is full, is told of once and done without. */
export class Output {
  readonly #sink: TextSink;
  readonly #lost: (error: unknown) => void;
  readonly #encoder = new TextEncoder();
  #waiting: Uint8Array = new Uint8Array(0);
  #closed = false;

  /**
   * Makes an Output.
   *
   * @param sink Where the text goes.
   * @param lost Called once, when nothing can be written any more.
   */
  constructor(sink: TextSink, lost: (error: unknown) => void = () => {}) {
    this.#sink = sink;
    this.#lost = lost;
  }

  /** Writes `text` now, or as much of it as the reader takes; the rest goes out before the next text. */
  write(text: string): void {
    if (this.#closed || this.#waiting.length > MOST_WAITING) return;
    const more = this.#encoder.encode(text);
    const bytes = new Uint8Array(this.#waiting.length + more.length);
    bytes.set(this.#waiting);
    bytes.set(more, this.#waiting.length);
    let at = 0;
    try {
      while (at < bytes.length) at += this.#sink.writeSync(bytes.subarray(at));
    } catch (error) {
      if (!host.isBusy(error)) {
        this.#closed = true;
        this.#waiting = new Uint8Array(0);
        return this.#lost(error);
      }
    }
    this.#waiting = bytes.slice(at);
  }

  /** Gives a slow reader some time to take what waits. */
  async flush(): Promise<void> {
    for (let ms = 0; this.#waiting.length > 0 && !this.#closed && ms < PATIENCE_MS; ms += RETRY_MS) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      this.write("");
    }
  }
}

/** Standard error, for what has to be said where standard output can't. */
export function complain(text: string): void {
  new Output(host.errors).write(text + "\n");
}
