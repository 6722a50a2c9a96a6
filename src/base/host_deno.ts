/**
 * Deno.
 *
 * @module
 */
import { folderCache } from "./host_cache.ts";
import type { Host } from "./host_interface.ts";
import { nodeContext, nodeGunzip, nodeHash, nodeThread, type WorkerThreads } from "./host_node_modules.ts";

/**
 * Tasks after which Deno's scheduler (tokio's, for one thread) looks for input and output though more are ready; see
 * `event_interval` in its `runtime/tokio_util.rs`. A turn of the event loop is one task.
 */
const TURNS_TO_A_LOOK = 61;
/** The first look finds what came, and the second what the answer to that made possible: a connection, then its request. */
const LOOKS = 2;

/** Some 0.1 ms where nothing waits. */
function turn(): Promise<void> {
  // Nothing else is sure: one turn finds messages and timers, but a server or a signal would wait for seconds, and who hands
  // work to another thread, so that the loop comes to rest, may find it done before (always so where the cores are busy).
  let left = LOOKS * (TURNS_TO_A_LOOK + 1);
  return new Promise((resolve) => {
    const next = (): void => {
      if (--left === 0) resolve();
      else setImmediate(next); // deno-lint-ignore no-node-globals -- importing it takes 6 ms of every start
    };
    next();
  });
}

/** The state of a permission, without asking. */
function granted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

/** The host in Deno; nothing in it asks for a permission. */
export function denoHost(): Host {
  const { os: system } = Deno.build;
  const os: Host["os"] = system === "linux" || system === "darwin" || system === "windows" ? system : "other";
  const environment = (variable: string): string | null | undefined =>
    granted({ name: "env", variable }) ? Deno.env.get(variable) ?? null : undefined;
  let threads: WorkerThreads | null = null;
  return {
    kind: "deno",
    name: `deno ${Deno.version.deno}`,
    os,
    get processors() {
      return navigator.hardwareConcurrency;
    },
    get gpu() {
      return navigator.gpu;
    },
    environment,
    setEnvironment: (variable, value) => value === null ? Deno.env.delete(variable) : Deno.env.set(variable, value),
    granted: (name, which) => {
      if (which === undefined) return granted({ name });
      if (name === "read" || name === "write") return granted({ name, path: which });
      return granted(name === "net" ? { name, host: which } : name === "env" ? { name, variable: which } : { name });
    },
    folder: () => Deno.cwd(),
    windowsPaths: () => process.getBuiltinModule("node:path"),
    mayBlock: true,
    startsWhileBlocked: true,
    noSharedMemory: null,
    prepareThreads: async () => {
      const name = "node:worker_threads"; // a literal would be looked for by bundlers for browsers
      threads ??= await import(name);
    },
    // the module without waiting: that takes 10 ms more of a start
    startThread: (source, data) =>
      nodeThread(threads ??= process.getBuiltinModule("node:worker_threads"), source, data),
    turn,
    callContext: nodeContext,
    output: Deno.stdout,
    errors: Deno.stderr,
    isBusy: (error) => error instanceof Deno.errors.WouldBlock,
    columns: () => {
      try {
        const { columns } = Deno.consoleSize();
        return columns > 0 ? columns : null;
      } catch {
        return null;
      }
    },
    notebook: () => {
      try {
        const { broadcast } = Deno.jupyter; // throws outside of the kernel
        return (kind, content) => broadcast(kind, content);
      } catch {
        return null;
      }
    },
    cache: () =>
      folderCache({ os, environment }, {
        read: (path) => {
          if (!granted({ name: "read", path })) throw new Error("reading is not permitted");
          return Deno.readTextFileSync(path);
        },
        write: (folder, path, text) => {
          if (!granted({ name: "write", path: folder })) return;
          // written elsewhere and renamed: readers see all of it or nothing
          const part = `${path}.${crypto.randomUUID()}`;
          Deno.mkdirSync(folder, { recursive: true });
          Deno.writeTextFileSync(part, text);
          Deno.renameSync(part, path);
        },
      }),
    startHash: nodeHash,
    gunzip: nodeGunzip,
    onExit: (f) => globalThis.addEventListener("unload", f),
    onSignal: (name, f) => {
      if (os === "windows" && name === "SIGTERM") return null;
      Deno.addSignalListener(name, f);
      return () => Deno.removeSignalListener(name, f);
    },
    get pid() {
      return Deno.pid;
    },
    exit: (code) => Deno.exit(code),
  };
}
