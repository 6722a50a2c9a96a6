/**
 * The files of the runtime: those of the system, or in a browser those of the page's origin (OPFS).
 *
 * @module
 */
import { host } from "./host.ts";
import { denoFiles } from "./host_deno_files.ts";
import type { HostFiles } from "./host_files_interface.ts";

export type { FileInfo, FolderEntry, HostFile, HostFiles, HostLock } from "./host_files_interface.ts";

/** Files, by paths of `path.ts`. */
export const files: HostFiles = host.kind === "deno"
  ? denoFiles()
  : host.kind === "browser"
  ? later(false, async () => (await import("./host_browser_files.ts")).browserFiles())
  : later(true, async () => (await import("./host_node_files.ts")).nodeFiles());

/** Files whose code comes with the first call; only Deno's is short. */
function later(movesFolders: boolean, load: () => Promise<HostFiles>): HostFiles {
  let loaded: Promise<HostFiles> | null = null;
  const own: Pick<HostFiles, "movesFolders" | "readDir"> = {
    movesFolders,
    async *readDir(path) {
      yield* (await (loaded ??= load())).readDir(path);
    },
  };
  return new Proxy(own as HostFiles, {
    get: (_, name: keyof HostFiles) =>
      name in own
        ? own[name as keyof typeof own]
        : async (...args: unknown[]) =>
          await ((await (loaded ??= load()))[name] as (...args: unknown[]) => Promise<unknown>)(...args),
  });
}

/** What is wrong with a path, as far as runtimes say it alike. */
export type FileFault = "missing" | "denied" | "folder" | "no folder" | "exists";

const FAULTS: Readonly<Record<string, FileFault>> = {
  // Deno's classes; code and name may both be there, the class says more
  NotFound: "missing",
  PermissionDenied: "denied",
  NotCapable: "denied",
  IsADirectory: "folder",
  NotADirectory: "no folder",
  AlreadyExists: "exists",
  // Node's and Bun's codes
  ENOENT: "missing",
  EACCES: "denied",
  EPERM: "denied",
  EISDIR: "folder",
  ENOTDIR: "no folder",
  EEXIST: "exists",
  // browsers
  NotFoundError: "missing",
  NotAllowedError: "denied",
  TypeMismatchError: "folder",
};

/** What an error of {@link files} says of the path; null where it is something else. */
export function fileFault(error: unknown): FileFault | null {
  if (!(error instanceof Error)) return null;
  const { name, code } = error as Error & { code?: unknown };
  return (Object.hasOwn(FAULTS, name) ? FAULTS[name] : null) ??
    (typeof code === "string" && Object.hasOwn(FAULTS, code) ? FAULTS[code] : null);
}

/** Whether an error of {@link files} says that there is nothing of that name. */
export function isMissing(error: unknown): boolean {
  return fileFault(error) === "missing";
}

/** The pieces of a stream; not every browser iterates over streams. */
export async function* piecesOf<T>(stream: ReadableStream<T>): AsyncGenerator<T, void, undefined> {
  const reader = stream.getReader();
  let done = false;
  try {
    for (;;) {
      const next = await reader.read();
      done = next.done;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    if (!done) await reader.cancel().catch(() => {});
  }
}

/** Whether a folder of this name is there. */
export async function isFolder(path: string): Promise<boolean> {
  return await files.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}
