/**
 * The worker's side of an engine.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { type Logger, setDefaultLogger } from "../train/mod.ts";
import { type FromEngine, textOfError, type ToEngine } from "./messages.ts";

/** The page that a task works for. */
export interface EnginePage {
  /** Aborted when the page aborts the task: for `fit`, `validate` and whatever else takes a signal. */
  readonly signal: AbortSignal;
  /** Tells the page something: a clone of it. `transfer`: buffers that are handed over instead. */
  post(data: unknown, transfer?: Transferable[]): void;
  /** Calls `f` with whatever the page posts; the function given back ends that, as does the end of the task. */
  onMessage(f: (data: unknown) => void): () => void;
}

/** A task: called with what the page gives, a clone of it; the page gets a clone of what it gives back. */
// deno-lint-ignore no-explicit-any -- what pages give is theirs
export type EngineTask = (argument: any, page: EnginePage) => unknown;

/** What is used of a worker's global scope. */
interface WorkerScope {
  readonly WorkerGlobalScope?: unknown;
  onmessage: ((event: MessageEvent<ToEngine>) => void) | null;
  postMessage(message: FromEngine, transfer?: Transferable[]): void;
}

/**
 * Serves tasks to the page that started this worker with `startEngine`. What learners print, their tables and their
 * status, goes to the page by itself.
 *
 * @throws ConfigError outside of a worker.
 * @example
 * ```ts ignore
 * // train.ts
 * serveEngine({
 *   async train({ epochs }, { signal }) {
 *     await init();
 *     const learn = new Learner(dls, model, { lossFunc: new nn.CrossEntropyLoss() });
 *     await learn.fitOneCycle(epochs, { signal });
 *     return learn.recorder.rows;
 *   },
 * });
 * ```
 */
export function serveEngine(tasks: Readonly<Record<string, EngineTask>>): void {
  const scope = globalThis as unknown as WorkerScope;
  if (scope.WorkerGlobalScope === undefined) {
    throw new ConfigError("Cannot serve an engine here: only a worker does, which a page starts with startEngine()");
  }
  const post = (message: FromEngine, transfer: Transferable[] = []): void => scope.postMessage(message, transfer);
  const aborts = new Map<number, AbortController>();
  const listeners = new Set<(data: unknown) => void>();
  setDefaultLogger(pageLogger(post));

  const run = async (id: number, name: string, argument: unknown): Promise<void> => {
    const abort = new AbortController(), own: (() => void)[] = [];
    aborts.set(id, abort);
    const page: EnginePage = {
      signal: abort.signal,
      post: (data, transfer) => post({ kind: "message", data }, transfer),
      onMessage: (f) => {
        listeners.add(f);
        const end = (): void => void listeners.delete(f);
        own.push(end);
        return end;
      },
    };
    try {
      post({ kind: "done", id, result: await tasks[name](argument, page) });
    } catch (error) {
      post({ kind: "failed", id, error: textOfError(error) });
    } finally {
      aborts.delete(id);
      own.forEach((end) => end());
    }
  };

  scope.onmessage = ({ data }) => {
    if (data.kind === "run") void run(data.id, data.task, data.argument);
    else if (data.kind === "abort") aborts.get(data.id)?.abort(data.reason);
    else listeners.forEach((f) => f(data.data));
  };
  post({ kind: "ready", tasks: Object.keys(tasks) });
}

/** A logger whose lines, status and tables the page gets. */
function pageLogger(post: (message: FromEngine) => void): Logger {
  return {
    line: (text) => post({ kind: "line", text }),
    status: (text) => post({ kind: "status", text }),
    table: (view) => post({ kind: "table", view }),
    columns: 80,
  };
}
