/**
 * Makes sure that MPI is there for its tests: does nothing where it is; installs Debian's MPICH as root; otherwise prints
 * the line to type. Never fails.
 *
 * @module
 */
const INSTALL = "apt-get update && apt-get install -y --no-install-recommends mpich";

async function runs(command: string, args: readonly string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, {
      args: [...args],
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false; // there is no such command
  }
}

if (import.meta.main && !await runs("mpiexec.hydra", ["--version"])) {
  if (Deno.build.os === "linux" && Deno.uid() === 0 && await runs("apt-get", ["--version"])) {
    console.error("MPICH was not found: installing it (mpich)");
    await runs("sh", ["-c", INSTALL]);
  } else {
    console.error(`MPICH was not found. For Debian and Ubuntu: sudo sh -c "${INSTALL}"\nTests of MPI are skipped.`);
  }
}
