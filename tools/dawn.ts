/**
 * Runs tests of the WebGPU device on Dawn, the WebGPU of Chromium, in place of Deno's own: those that are named, or the hand-made
 * programs and the tests beside them. `--install` only installs it.
 *
 * @module
 */
import { DAWN, dawnDriver } from "../tests/support/dawn.ts";

const TESTS = [
  "conformance",
  "matmul",
  "quotient",
  "numbers",
  "memory",
  "steady",
  "self_test",
  "shaders",
  "subgroups",
  "tiles",
  "tuning",
];

/** Runs `deno`; its exit code. */
async function deno(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
  return (await new Deno.Command(Deno.execPath(), { args: [...args], env: { ...env } }).spawn().status).code;
}

const files = Deno.args.filter((arg) => !arg.startsWith("--"));
const root = new URL("../", import.meta.url);
let code = await deno(["cache", "--quiet", "--no-lock", DAWN]);
if (code !== 0 || Deno.args.includes("--install")) Deno.exit(code);

const driver = await dawnDriver();
if (driver === null) {
  console.error(
    "Cannot test on Dawn: it finds no driver that it takes. It needs a GPU's own, or Mesa's from version 25 on: Debian 12 has that " +
      "among its backports (mesa-vulkan-drivers); unpacked into a folder (dpkg-deb -x), it is found by VK_DRIVER_FILES, the " +
      "path of its lvp_icd.json, whose library_path must be the full one. Or install Chromium, which brings a driver along",
  );
  Deno.exit(1);
}
console.log(`Dawn runs on ${driver.adapter}`);
const preload = new URL("tests/support/dawn_preload.ts", root).href;
// a process for each: drivers in software keep what they compiled
for (const file of files.length > 0 ? files : TESTS.map((name) => `tests/device/webgpu/${name}_test.ts`)) {
  const args = ["test", "--allow-all", "--no-check", "--no-lock", "--cached-only", "--preload", preload, file];
  code = await deno(args, driver.env) || code;
}
Deno.exit(code);
