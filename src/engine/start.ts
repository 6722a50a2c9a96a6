/**
 * The page's side: an engine that trains in a worker of its own, so that the page goes on.
 *
 * @module
 */
import { AnnealError, ConfigError, DeviceError } from "../base/errors.ts";
import { abortSignal, checkOptions } from "../base/options.ts";
import type { TableView } from "../train/mod.ts";
import { errorOfText, type FromEngine, type ToEngine } from "./messages.ts";

/** What an engine tells its page. */
export interface EngineEvents {
  /** A line of a learner's output. */
  readonly line: string;
  /** What stands in place of the status before; "" removes it. */
  readonly status: string;
  /** A fit's table as far as it goes: names, rows, and the epoch under way. */
  readonly table: TableView;
  /** What a task posted. */
  readonly message: unknown;
}

/** Options of {@link Engine.run}. */
export interface EngineRunOptions {
  /** Aborts the task: its own `signal` is aborted, with the same reason. */
  readonly signal?: AbortSignal;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

type Listener<K extends keyof EngineEvents> = (event: EngineEvents[K]) => void;

/** A worker that serves tasks; {@link startEngine} starts one. */
export class Engine {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners: { readonly [K in keyof EngineEvents]: Set<Listener<K>> } = {
    line: new Set(),
    status: new Set(),
    table: new Set(),
    message: new Set(),
  };
  #ids = 0;
  #ended: Error | null = null;
  /** Names of its tasks. */
  readonly tasks: readonly string[];

  /**
   * See {@link startEngine}.
   *
   * @internal
   */
  constructor(worker: Worker, tasks: readonly string[]) {
    this.#worker = worker;
    this.tasks = tasks;
    worker.onmessage = ({ data }: MessageEvent<FromEngine>) => this.#take(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#end(
        new DeviceError(`Cannot go on with the engine: its worker failed, got ${event.message || "no reason"}`),
      );
    };
  }

  /**
   * Runs a task, and gives what it gives. Several run at the same time, as far as they await something.
   *
   * @param task Its name in `serveEngine`.
   * @param argument What it is called with; a clone of it, as everything that is posted to a worker.
   * @throws Whatever the task throws, of the same class if it is the package's own.
   */
  run(task: string, argument?: unknown, options: EngineRunOptions = {}): Promise<unknown> {
    const { signal } = checkOptions("run a task", options, { signal: abortSignal });
    if (this.#ended !== null) return Promise.reject(this.#ended);
    if (!this.tasks.includes(task)) {
      return Promise.reject(
        new ConfigError(`Cannot run "${task}": this engine's tasks are ${this.tasks.join(", ") || "none"}`),
      );
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = ++this.#ids;
    const onAbort = (): void => this.#post({ kind: "abort", id, reason: cloneable(signal!.reason) });
    signal?.addEventListener("abort", onAbort);
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#post({ kind: "run", id, task, argument });
    }).finally(() => signal?.removeEventListener("abort", onAbort));
  }

  /** Calls `f` at every event of a kind; the function given back ends that. */
  on<K extends keyof EngineEvents>(kind: K, f: (event: EngineEvents[K]) => void): () => void {
    const listeners = this.#listeners[kind];
    if (listeners === undefined) {
      const kinds = Object.keys(this.#listeners).join(", ");
      throw new ConfigError(`Cannot listen to "${kind}": an engine's events are ${kinds}`);
    }
    listeners.add(f);
    return () => void listeners.delete(f);
  }

  /** Posts something to the tasks, which hear it by `page.onMessage`. */
  post(data: unknown): void {
    if (this.#ended !== null) throw this.#ended;
    this.#post({ kind: "message", data });
  }

  /** Ends the worker at once; what a `Checkpoint` saved stays. */
  close(): void {
    this.#end(new AnnealError("Cannot go on with the engine: it was closed"));
    this.#worker.terminate();
  }

  #post(message: ToEngine): void {
    this.#worker.postMessage(message);
  }

  #take(message: FromEngine): void {
    switch (message.kind) {
      case "ready":
        return;
      case "done":
        this.#pending.get(message.id)?.resolve(message.result);
        return void this.#pending.delete(message.id);
      case "failed":
        this.#pending.get(message.id)?.reject(errorOfText(message.error));
        return void this.#pending.delete(message.id);
      case "line":
        return this.#listeners.line.forEach((f) => f(message.text));
      case "status":
        return this.#listeners.status.forEach((f) => f(message.text));
      case "table":
        return this.#listeners.table.forEach((f) => f(message.view));
      case "message":
        return this.#listeners.message.forEach((f) => f(message.data));
    }
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

/** The reason of an abort, as far as it can be posted. */
function cloneable(reason: unknown): unknown {
  return reason instanceof Error ? reason.message : typeof reason === "object" ? String(reason) : reason;
}

/**
 * Starts an engine: a module worker that calls `serveEngine`, where models are trained while the page goes on. The worker
 * has threads of its own where the page is cross-origin isolated (`Cross-Origin-Opener-Policy: same-origin` and
 * `Cross-Origin-Embedder-Policy: require-corp`), and the page's WebGPU in any case.
 *
 * @param module Address of the worker's module, or a worker that was made of it: bundlers look for
 *   `new Worker(new URL("./train.js", import.meta.url), { type: "module" })`.
 * @throws ConfigError where there are no such workers; DeviceError where the module does not load.
 * @example
 * ```ts ignore
 * // page.ts
 * const engine = await startEngine(new Worker(new URL("./train.ts", import.meta.url), { type: "module" }));
 * engine.on("table", ({ rows }) => console.table(rows));
 * const rows = await engine.run("train", { epochs: 3 });
 * ```
 */
export async function startEngine(module: string | URL | Worker): Promise<Engine> {
  if (typeof Worker === "undefined") {
    throw new ConfigError(
      "Cannot start an engine: this runtime has no workers of the web; call the training code itself",
    );
  }
  const worker = module instanceof Worker ? module : new Worker(module, { type: "module" });
  const tasks = await new Promise<readonly string[]>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<FromEngine>) => {
      if (data.kind === "ready") resolve(data.tasks);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      const why = event.message || "it was not found, or is no JavaScript module";
      reject(new DeviceError(`Cannot start the engine: its module does not load, got ${why}`));
    };
  });
  return new Engine(worker, tasks);
}
