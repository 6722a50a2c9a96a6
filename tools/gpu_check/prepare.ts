/**
 * Loads what `deno task gpu:check` needs into Deno's cache.
 *
 * @module
 */
import { DAWN } from "../../tests/support/dawn.ts";
import { NETS } from "./plan.ts";

const root = new URL("../../", import.meta.url).pathname;

/** What is loaded: arguments of `deno cache`, and whether a run can do without. */
const STEPS: readonly { readonly what: string; readonly args: readonly string[]; readonly needed: boolean }[] = [
  {
    what: "the check itself",
    args: [
      "tools/gpu_check.ts",
      ...["parts", "products", "bench"].map((name) => `tools/gpu_check/${name}.ts`),
      "bench/anneal.ts",
      ...Object.values(NETS),
    ],
    needed: true,
  },
  {
    what: "jax-js and TensorFlow.js",
    args: ["--config", "bench/peers/deno.json", "bench/peers/jax.ts", "bench/peers/tfjs.ts"],
    needed: true,
  },
  { what: "Dawn", args: ["--no-lock", DAWN], needed: false },
  // a lock file of the others knows no Dawn: without it the registry's own records are asked
  {
    what: "what jax-js and TensorFlow.js need on Dawn",
    args: ["--no-lock", "--config", "bench/peers/deno.json", "bench/peers/jax.ts", "bench/peers/tfjs.ts"],
    needed: false,
  },
];

/** Loads everything; the exit code. */
export async function prepare(): Promise<number> {
  let code = 0;
  for (const { what, args, needed } of STEPS) {
    const status = await new Deno.Command(Deno.execPath(), { args: ["cache", "--quiet", ...args], cwd: root }).spawn()
      .status;
    console.log(`${what}: ${status.success ? "in Deno's cache" : "could not be loaded"}`);
    if (!status.success && needed) code = 1;
  }
  console.log("A run needs no network now. For another machine take this checkout and Deno's cache (DENO_DIR) along.");
  return code;
}
