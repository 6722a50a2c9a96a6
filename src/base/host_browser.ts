/**
 * A browser: a page, or a worker of one.
 *
 * @module
 */
import { browserCache } from "./host_browser_cache.ts";
import type { Hash, Host, HostThread, TextSink } from "./host_interface.ts";

/** The headers that let threads share memory. */
const HEADERS = '"Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp"';

/** Writes to the console, a line at a time. */
function consoleSink(write: (line: string) => void): TextSink {
  const decoder = new TextDecoder();
  let line = "";
  return {
    writeSync: (bytes) => {
      const lines = (line + decoder.decode(bytes, { stream: true })).split("\n");
      line = lines.pop()!;
      lines.forEach(write);
      return bytes.length;
    },
    isTerminal: () => false,
  };
}

/** Whether this thread may sleep: a page's own throws. */
function mayBlock(): boolean {
  try {
    return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0) === "not-equal";
  } catch {
    return false;
  }
}

function noSharedMemory(blocks: boolean): string | null {
  if (blocks) return null;
  if (
    typeof SharedArrayBuffer === "undefined" ||
    (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === false
  ) {
    return `the page is not cross-origin isolated: serve it with the headers ${HEADERS}`;
  }
  return "a page's own thread must not wait for others: train in a worker, as startEngine() does";
}

/** A thread in a worker of a `blob:`, which starts once the event loop turns. */
function startThread(source: string, data: unknown): HostThread {
  const text =
    `const data = await new Promise((go) => self.onmessage = (event) => go(event.data));\n${source}\nself.close();`;
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  worker.postMessage(data);
  return {
    onFailure: (told) => {
      worker.onerror = (event) =>
        told(event.message || "a worker from a blob: URL was refused; see the page's Content-Security-Policy");
    },
    end: () => worker.terminate(),
  };
}

async function startHash(kind: "sha256" | "md5"): Promise<Hash> {
  const hash = kind === "sha256"
    ? (await import("@noble/hashes/sha2.js")).sha256.create()
    : (await import("@noble/hashes/legacy.js")).md5.create();
  const encoder = new TextEncoder();
  return {
    update: (data) =>
      hash.update(
        typeof data === "string"
          ? encoder.encode(data)
          : new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
      ),
    digest: () => Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, "0")).join(""),
  };
}

/** Unpacks what gzip packed, in one part. */
async function* gunzip(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const unpacking = new DecompressionStream("gzip");
  const writer = unpacking.writable.getWriter(), reader = unpacking.readable.getReader();
  const fed = (async () => {
    for await (const piece of pieces) await writer.write(piece as Uint8Array<ArrayBuffer>);
    await writer.close();
  })();
  fed.catch((error) => writer.abort(error).catch(() => {}));
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  await fed;
}

/** The host in a browser. */
export function browserHost(): Host {
  const blocks = mayBlock();
  const missing = noSharedMemory(blocks);
  // a task of its own, so that messages, drawing and timers come in between; a timer would wait for 4 ms
  const channel = new MessageChannel();
  const waiting: (() => void)[] = [];
  channel.port1.onmessage = () => waiting.shift()?.();
  const cache = browserCache();
  return {
    kind: "browser",
    name: `browser ${navigator.userAgent}`,
    os: "other",
    processors: navigator.hardwareConcurrency,
    get gpu() {
      return navigator.gpu;
    },
    environment: () => undefined,
    setEnvironment: () => {},
    granted: () => true,
    folder: () => "/",
    windowsPaths: () => null,
    mayBlock: blocks,
    startsWhileBlocked: false,
    noSharedMemory: missing,
    prepareThreads: () => Promise.resolve(),
    startThread,
    turn: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        channel.port2.postMessage(null);
      }),
    callContext: null,
    output: consoleSink((line) => console.log(line)),
    errors: consoleSink((line) => console.warn(line)),
    isBusy: () => false,
    columns: () => null,
    notebook: () => null,
    cache: () => cache,
    startHash,
    gunzip,
    onExit: (f) => globalThis.addEventListener("pagehide", f),
    onSignal: () => null,
    pid: Math.floor(performance.timeOrigin) % 2 ** 31,
    exit: () => {},
  };
}
