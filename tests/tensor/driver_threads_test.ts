import { assertEquals, assertStringIncludes } from "@std/assert";
import { adapter } from "../support/webgpu.ts";

const mod = new URL("../../mod.ts", import.meta.url);
const config = new URL("../../deno.json", import.meta.url).pathname;

/** Runs a script in a process of its own: the driver reads its variables once. */
async function run(
  lines: string,
  { env = {}, permissions = ["-A"] }: { env?: Record<string, string>; permissions?: string[] } = {},
) {
  const folder = await Deno.makeTempDir();
  const script = `${folder}/script.ts`;
  await Deno.writeTextFile(script, `import { ConfigError, init, tensor } from "${mod}";\n${lines}`);
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--no-lock", `--config=${config}`, ...permissions, script],
    env: { ...env },
  }).output();
  await Deno.remove(folder, { recursive: true });
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** Prints the driver's threads (those that it numbers: others, without names of their own, are as many), a sum, the variable. */
const SHOW = `const names = [...Deno.readDirSync("/proc/self/task")].map(({ name }) =>
  Deno.readTextFileSync("/proc/self/task/" + name + "/comm"));
console.log(new Set(names.filter((name) => name.startsWith("llvmpipe"))).size, await tensor([1, 2]).sum().item(),
  Deno.env.get("LP_NUM_THREADS"));`;

/** What the process of this test was started with must not reach the others. */
async function clean<T>(fn: () => Promise<T>): Promise<T> {
  const own = Deno.env.get("LP_NUM_THREADS");
  Deno.env.delete("LP_NUM_THREADS");
  try {
    return await fn();
  } finally {
    if (own !== undefined) Deno.env.set("LP_NUM_THREADS", own);
  }
}

Deno.test("threads of a driver that computes on the CPU are chosen once in a process", {
  ignore: Deno.build.os !== "linux" || adapter === null,
}, async () => {
  await clean(async () => {
    assertEquals(await run(`await init({ device: "webgpu", threads: 1 }); ${SHOW}`), "0 3 undefined\n");
    assertEquals(await run(`await init({ device: "webgpu", threads: 3 }); ${SHOW}`), "3 3 undefined\n");
    const cores = navigator.hardwareConcurrency;
    if (cores > 1 && cores <= 8) {
      assertEquals(await run(`await init({ device: "webgpu" }); ${SHOW}`), `${2 * cores} 3 undefined\n`);
    }
    const late = await run(`await init({ device: "webgpu", threads: 2 });
      try { await init({ device: "webgpu", threads: 1 }); } catch (error) {
        console.log(error instanceof ConfigError, error.message);
      }
      ${SHOW}`);
    assertStringIncludes(late, "true Cannot give the driver 1 threads: it has been started with LP_NUM_THREADS=2");
    assertStringIncludes(late, "2 3 undefined\n");
  });
});

Deno.test("what the user has set for the driver stands", {
  ignore: Deno.build.os !== "linux" || adapter === null,
}, async () => {
  const env = { LP_NUM_THREADS: "1" };
  assertEquals(await run(`await init({ device: "webgpu" }); ${SHOW}`, { env }), "1 3 1\n");
  const other = await run(`await init({ device: "webgpu", threads: 2 });`, { env });
  assertStringIncludes(other, "Cannot give the driver 2 threads: it has been started with LP_NUM_THREADS=1");
});

Deno.test("without the permission the driver keeps its threads, and nobody is asked", {
  ignore: Deno.build.os !== "linux" || adapter === null,
}, async () => {
  await clean(async () => {
    const plain = await run(`await init({ device: "webgpu" }); console.log(await tensor([1, 2]).sum().item());`, {
      permissions: [],
    });
    assertStringIncludes(plain, "3\n");
    const wanted = await run(`await init({ device: "webgpu", threads: 1 });`, { permissions: [] });
    assertStringIncludes(wanted, "run again with --allow-env=LP_NUM_THREADS");
  });
});
