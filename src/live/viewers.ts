/**
 * Pages that are open: each has a stream of server-sent events.
 *
 * @module
 */

/** Most pages that are served at once. */
const MAX_VIEWERS = 32;
/** Messages that may wait for a slow viewer; one more ends its stream, and it starts afresh when it can. */
const MAX_WAITING = 64;
const encoder = new TextEncoder();

/** A message as the stream has it. */
function frame(text: string): Uint8Array {
  return encoder.encode(`data: ${text}\n\n`);
}

/** The open streams. */
export class Viewers {
  readonly #open = new Set<ReadableStreamDefaultController<Uint8Array>>();

  /** How many pages are open. */
  get count(): number {
    return this.#open.size;
  }

  /** Whether no more pages are taken. */
  get full(): boolean {
    return this.#open.size >= MAX_VIEWERS;
  }

  /**
   * A stream that starts with `first`, and goes on with what is sent; without `stay` it ends there, and the browser asks
   * again after a second.
   */
  stream(first: string, stay: boolean): ReadableStream<Uint8Array> {
    let mine: ReadableStreamDefaultController<Uint8Array> | null = null;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(encoder.encode("retry: 1000\n"));
        controller.enqueue(frame(first));
        if (!stay) return controller.close();
        mine = controller;
        this.#open.add(controller);
      },
      cancel: () => {
        if (mine !== null) this.#open.delete(mine);
      },
    });
  }

  /** Sends a message to every page. */
  send(text: string): void {
    const bytes = frame(text);
    for (const viewer of this.#open) {
      if ((viewer.desiredSize ?? 0) < -MAX_WAITING) this.#end(viewer);
      else viewer.enqueue(bytes);
    }
  }

  /** Ends every stream: an open one would keep the process alive. */
  endAll(): void {
    for (const viewer of this.#open) this.#end(viewer);
  }

  #end(viewer: ReadableStreamDefaultController<Uint8Array>): void {
    this.#open.delete(viewer);
    try {
      viewer.close();
    } catch {
      // the browser closed it in the meantime
    }
  }
}
