/**
 * Taking leave of MPICH's launcher without MPI's own farewell.
 *
 * Between machines MPICH's `MPI_Finalize` over UCX's TCP waits, one time in six, for the answer of a process that is past
 * answering (MPICH 4.0.2; the same as github.com/openucx/ucx/issues/2254), for ever. When nothing is under way any more
 * the launcher is all that has to know; it is told by one line on the descriptor it gave us, as MPI's library would.
 *
 * @module
 */
import { environment } from "../base/environment.ts";
import { LIBC } from "./libc.ts";

/** Tells the launcher that this process is done with MPI. False where it is not MPICH's, or answers otherwise. */
export function leaveLauncher(): boolean {
  const fd = Number(environment("PMI_FD") ?? NaN);
  if (!Number.isInteger(fd) || Deno.build.os !== "linux") return false;
  const { symbols: libc } = Deno.dlopen(LIBC, {
    write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  });
  const line = new TextEncoder().encode("cmd=finalize\n");
  if (Number(libc.write(fd, line, BigInt(line.length))) !== line.length) return false;
  const answer = new Uint8Array(256);
  const n = Number(libc.read(fd, answer, BigInt(answer.length)));
  return n > 0 && new TextDecoder().decode(answer.subarray(0, n)).startsWith("cmd=finalize_ack");
}
