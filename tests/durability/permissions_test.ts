import { assert, assertEquals } from "@std/assert";

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Deno's folder of packages. */
async function cacheFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(decode(stdout)).denoDir;
}

async function run(dir: string, permissions: readonly string[]): Promise<{ code: number; errors: string }> {
  const script = new URL("./permitted.ts", import.meta.url).pathname;
  const args = ["run", "--no-check", "--no-prompt", ...permissions, script, dir];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  return { code, errors: decode(stderr) };
}

Deno.test("training on MNIST with checkpoints needs the permissions of the README, and no others", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const read = `--allow-read=${await cacheFolder()},${dir}`;
    const { code, errors } = await run(dir, [read, `--allow-write=${dir}`]);
    assertEquals(code, 0, errors);
    // what is not granted is said to be missing, and asked for by nobody else
    const without = await run(dir, [read]);
    assert(without.code !== 0 && /write access/.test(without.errors), without.errors);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
