/**
 * Dawn, the WebGPU of Chromium, as a package of npm: a process of its own runs it, since it may end that with a fault of the
 * system once all is done.
 *
 * @module
 */
import type { KernelText } from "./kernel_texts.ts";

/** The package; some 130 MB. */
export const DAWN = "npm:webgpu@0.6.2";

/** What is used of it. */
export interface DawnModule {
  create(flags: readonly string[]): GPU;
}

const ARGS = ["--allow-all", "--cached-only", "--no-lock", "--no-config", "--node-modules-dir=none"];

/** Whether it has been installed: `deno cache npm:webgpu@0.6.2`. */
export async function dawnIsInstalled(): Promise<boolean> {
  const code = `await import("${DAWN}"); Deno.exit(0)`;
  const args = ["run", ...ARGS, `data:application/javascript,${encodeURIComponent(code)}`];
  const { success } = await new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "null" }).output();
  return success;
}

/** What Tint, Dawn's compiler, says against `texts`, by their labels; on Dawn's backend that computes nothing. */
export async function tintFaults(texts: readonly KernelText[]): Promise<Record<string, string>> {
  const folder = await Deno.makeTempDir();
  try {
    const files = [`${folder}/texts.json`, `${folder}/faults.json`];
    await Deno.writeTextFile(files[0], JSON.stringify(texts));
    const script = new URL("dawn_compile.ts", import.meta.url).href;
    const args = ["run", ...ARGS, "--no-check", script, ...files];
    const { stderr } = await new Deno.Command(Deno.execPath(), { args, stdout: "null" }).output();
    try {
      return JSON.parse(await Deno.readTextFile(files[1]));
    } catch (cause) {
      throw new Error(`Dawn did not come to its end: ${new TextDecoder().decode(stderr)}`, { cause });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
