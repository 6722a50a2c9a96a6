/**
 * Makes sure that WebGPU finds an adapter, a software one if need be: does nothing where there is one; installs Mesa's
 * llvmpipe as root on a Debian-like system; otherwise prints the line to type. Never fails.
 * With `--device cpu` it does nothing at all.
 *
 * @module
 */
const PACKAGES = ["mesa-vulkan-drivers", "libvulkan1"];
const INSTALL = `apt-get update && apt-get install -y --no-install-recommends ${PACKAGES.join(" ")}`;

/** Exit code and whether it ran at all; `quiet` hides what it prints. */
async function run(
  command: string,
  args: readonly string[],
  quiet = true,
): Promise<boolean> {
  const to = quiet ? "null" : "inherit";
  try {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    const { success } = await new Deno.Command(command, {
      args: [...args],
      env,
      stdout: to,
      stderr: to,
    }).output();
    return success;
  } catch {
    return false; // there is no such command
  }
}

/** Whether there is an adapter, asked in another process: a driver that crashes takes only that one with it. */
function hasAdapter(): Promise<boolean> {
  const code = "Deno.exit(await navigator.gpu?.requestAdapter() ? 0 : 1)";
  return run(Deno.execPath(), ["eval", "--no-lock", "--no-config", code]);
}

/** Installs or advises, where there is no adapter. */
export async function setup(): Promise<void> {
  const at = Deno.args.indexOf("--device");
  if (
    Deno.args.includes("--device=cpu") ||
    (at >= 0 && Deno.args[at + 1] === "cpu")
  ) return;
  if (await hasAdapter()) return;
  const advice = `No WebGPU adapter was found. A software one, for Debian and Ubuntu: sudo sh -c "${INSTALL}"`;
  if (
    Deno.build.os !== "linux" || Deno.uid() !== 0 ||
    !await run("apt-get", ["--version"])
  ) {
    console.error(
      `${advice}\nWithout it the CPU device is used, and tests of WebGPU are skipped.`,
    );
    return;
  }
  console.error(
    `No WebGPU adapter was found: installing a software one (${PACKAGES.join(", ")})`,
  );
  await run("sh", ["-c", INSTALL]);
  if (!await hasAdapter()) {
    console.error(
      `The installation did not help. To see why, type: ${INSTALL}`,
    );
  }
}

if (import.meta.main) await setup();
