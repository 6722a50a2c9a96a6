/**
 * Leaving MPI when the script ends.
 *
 * @module
 */
import type { Mpi } from "./mpi.ts";
import { leaveLauncher } from "./pmi.ts";
import { pause } from "./polling.ts";

/** Time for last messages, in milliseconds. */
const DRAIN_MS = 50;
/** How long a process that calls `Deno.exit()` waits for the others to do so. */
const EXIT_MS = 5000;

/** What leaving needs to know. */
export interface LeaveOptions {
  /** Waits for all processes. */
  readonly barrier: () => Promise<void>;
  /** Ends the watch over the others: processes end from here on. */
  readonly unwatch: () => void;
  /** Whether the launcher is MPICH's. */
  readonly mpich: boolean;
  /** Whether the processes run on several hosts. */
  readonly hosts: boolean;
}

/**
 * Leaves MPI when the script is done: a launcher takes a process that does not for a failed one. A process that ends by
 * an error, or says so by its exit code, does not: the launcher then ends the others.
 */
export function leaveAtExit(mpi: Mpi, options: LeaveOptions): void {
  const { barrier, unwatch, mpich } = options;
  let left = false;
  // MPICH's launcher sends it to the others when a process dies and it was told not to end them: it must not kill
  const ignore = () => {};
  if (mpich) Deno.addSignalListener("SIGUSR1", ignore);
  const leave = async () => {
    await barrier();
    unwatch();
    await barrier();
    left = true;
    finalize(mpi, options);
  };
  let leaving: Promise<void> | null = null;
  globalThis.addEventListener("beforeunload", (event) => {
    if (left || leaving !== null) return;
    event.preventDefault(); // the others may still be busy: waiting for them goes on in the event loop
    leaving = leave();
  });
  globalThis.addEventListener("unload", () => {
    if (left || leaving !== null || Deno.exitCode !== 0) return;
    // Deno.exit(): nothing asynchronous runs any more; the others may leave the other way, by two barriers
    for (let i = 0; i < 2; i++) {
      const request = mpi.barrier("leave");
      for (let ms = 0; ms < EXIT_MS && !mpi.test(request); ms++) pause();
      if (!request.done) return;
    }
    finalize(mpi, options);
  });
}

function finalize(mpi: Mpi, { mpich, hosts }: LeaveOptions): void {
  if (hosts && mpich) {
    // the last words to slower processes may still be on their way out
    const last = mpi.barrier("leave");
    for (let ms = 0; ms < DRAIN_MS && !mpi.test(last); ms++) pause();
    if (leaveLauncher()) return;
  }
  mpi.finalize();
}
