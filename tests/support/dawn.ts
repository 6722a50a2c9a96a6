/**
 * Dawn, the WebGPU of Chromium, as a package of npm.
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

/** Arguments of a process that may use Dawn where it has been installed, and installs nothing. */
const ARGS = ["--allow-all", "--cached-only", "--no-lock", "--no-check", "--quiet"];

/** Where Debian's Chromium and others keep SwiftShader, a Vulkan driver that runs on the CPU and that Dawn takes. */
export const SWIFTSHADER = ["/usr/lib/chromium/vk_swiftshader_icd.json", "/opt/google/chrome/vk_swiftshader_icd.json"];

/** Variables that choose a Vulkan driver. */
export function chooseDriver(path: string): Record<string, string> {
  return Object.fromEntries(CHOSEN.map((name) => [name, path]));
}

/** Variables by which the Vulkan loader finds a driver. */
const CHOSEN = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/** Runs a program, a file or a `data:` URL, in a process of its own; what it prints. Throws where it fails. */
export async function runWithDawn(
  program: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const all = ["run", ...ARGS, program, ...args];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: all, env: { ...env } }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`${program} failed: ${out}${error}`);
  return out;
}

/** The URL of a module of this text. */
function module(text: string): string {
  return `data:application/javascript,${encodeURIComponent(text)}`;
}

/** Whether it has been installed: `deno cache npm:webgpu@0.6.2`. */
export function dawnIsInstalled(): Promise<boolean> {
  return runWithDawn(module(`await import("${DAWN}"); Deno.exit(0)`)).then(() => true, () => false);
}

/** The name of the adapter that Dawn finds with these variables; null where it finds none. */
async function adapterOf(env: Readonly<Record<string, string>>): Promise<string | null> {
  const text = `const { create } = await import("${DAWN}"), gpu = create([]);
    const adapter = await gpu.requestAdapter();
    console.log(adapter === null ? "" : "adapter " + adapter.info.description); Deno.exit(0);`;
  const out = await runWithDawn(module(text), [], env).catch(() => "");
  return /^adapter (.*)$/m.exec(out)?.[1] ?? null;
}

/** A driver that Dawn takes, and the variables that choose it. */
export interface DawnDriver {
  readonly adapter: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The driver that the environment chooses, or the system's, or that of a Chromium; null where there is none. */
export async function dawnDriver(): Promise<DawnDriver | null> {
  const own = await adapterOf({});
  if (own !== null) return { adapter: own, env: {} };
  if (CHOSEN.some((name) => Deno.env.has(name))) return null;
  for (const path of SWIFTSHADER) {
    const env = chooseDriver(path);
    const adapter = await Deno.stat(path).then(() => adapterOf(env), () => null);
    if (adapter !== null) return { adapter, env };
  }
  return null;
}

/** What Tint, Dawn's compiler, says against `texts`, by their labels; on Dawn's backend that computes nothing. */
export async function tintFaults(texts: readonly KernelText[]): Promise<Record<string, string>> {
  const folder = await Deno.makeTempDir();
  try {
    const [from, to] = [`${folder}/texts.json`, `${folder}/faults.json`];
    await Deno.writeTextFile(from, JSON.stringify(texts));
    await runWithDawn(new URL("dawn_compile.ts", import.meta.url).href, [from, to]);
    return JSON.parse(await Deno.readTextFile(to));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
