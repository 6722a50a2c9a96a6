/**
 * Node 20.16 or later, and Bun.
 *
 * @module
 */
import { folderCache } from "./host_cache.ts";
import type { Host, TextSink } from "./host_interface.ts";
import { nodeContext, nodeGunzip, nodeHash, nodeThread, type WorkerThreads } from "./host_node_modules.ts";

/** What is used of Node's `process`. */
interface NodeProcess {
  readonly versions: { readonly node: string };
  readonly platform: string;
  readonly env: Record<string, string | undefined>;
  readonly stdout: { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: { readonly isTTY?: boolean };
  getBuiltinModule(name: "node:worker_threads"): WorkerThreads;
  getBuiltinModule(name: "node:os"): { availableParallelism(): number };
  getBuiltinModule(name: "node:fs"): NodeFiles;
  getBuiltinModule(name: "node:path"): unknown;
  readonly pid: number;
  cwd(): string;
  on(event: string, f: () => void): unknown;
  off(event: string, f: () => void): unknown;
  exit(code: number): void;
}

/** What is used of `node:fs`. */
interface NodeFiles {
  readFileSync(path: string, encoding: "utf8"): string;
  writeFileSync(path: string, text: string): void;
  mkdirSync(path: string, options: { readonly recursive: true }): unknown;
  renameSync(from: string, to: string): void;
  writeSync(descriptor: number, bytes: Uint8Array): number;
}

const SYSTEMS: Readonly<Record<string, Host["os"]>> = { linux: "linux", darwin: "darwin", win32: "windows" };

/** The host in Node and Bun. */
export function nodeHost(): Host {
  const { process: node, Bun: bun, navigator } = globalThis as unknown as {
    process: NodeProcess;
    Bun?: { readonly version: string };
    navigator?: { readonly gpu?: GPU };
  };
  const fs = node.getBuiltinModule("node:fs");
  const os = SYSTEMS[node.platform] ?? "other";
  const environment = (variable: string): string | null => node.env[variable] ?? null;
  const sink = (descriptor: number, stream: { readonly isTTY?: boolean }): TextSink => ({
    writeSync: (bytes) => fs.writeSync(descriptor, bytes),
    isTerminal: () => stream.isTTY === true,
  });
  return {
    kind: bun === undefined ? "node" : "bun",
    name: bun === undefined ? `node ${node.versions.node}` : `bun ${bun.version}`,
    os,
    get processors() {
      return node.getBuiltinModule("node:os").availableParallelism();
    },
    get gpu() {
      return navigator?.gpu; // Node 20 has no navigator
    },
    environment,
    setEnvironment: (variable, value) => {
      if (value === null) delete node.env[variable];
      else node.env[variable] = value;
    },
    granted: () => true,
    folder: () => node.cwd(),
    windowsPaths: () => node.getBuiltinModule("node:path"),
    mayBlock: true,
    startsWhileBlocked: true,
    noSharedMemory: null,
    prepareThreads: () => Promise.resolve(),
    startThread: (source, data) => nodeThread(node.getBuiltinModule("node:worker_threads"), source, data),
    turn: () => new Promise((resolve) => void setImmediate(resolve)), // deno-lint-ignore no-node-globals
    callContext: nodeContext,
    output: sink(1, node.stdout),
    errors: sink(2, node.stderr),
    isBusy: (error) => (error as { code?: string }).code === "EAGAIN",
    columns: () => node.stdout.columns ?? null,
    notebook: () => null,
    cache: () =>
      folderCache({ os, environment }, {
        read: (path) => fs.readFileSync(path, "utf8"),
        write: (folder, path, text) => {
          const part = `${path}.${crypto.randomUUID()}`;
          fs.mkdirSync(folder, { recursive: true });
          fs.writeFileSync(part, text);
          fs.renameSync(part, path);
        },
      }),
    startHash: nodeHash,
    gunzip: nodeGunzip,
    onExit: (f) => void node.on("exit", f),
    onSignal: (name, f) => {
      if (os === "windows" && name === "SIGTERM") return null;
      node.on(name, f);
      return () => void node.off(name, f);
    },
    pid: node.pid,
    exit: (code) => node.exit(code),
  };
}
