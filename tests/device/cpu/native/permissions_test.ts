import { assertEquals, assertMatch } from "@std/assert";
import { runScript } from "../support.ts";
import { LEVELS } from "./support.ts";

/** Opens the device as users do, computes a product that wakes the helper threads, and prints what it is. */
const SCRIPT = `
import { deviceStats, init, ones } from "$ROOT/mod.ts";
const { name } = await init({ device: "cpu", threads: 3, ...OPTIONS });
const x = ones([300, 300]);
console.log(name, await x.matmul(x).sum().item(), deviceStats().name === name);
`;
const script = (options = "{}") => SCRIPT.replace("OPTIONS", options);

const best = LEVELS.find(({ missing }) => missing === null);

for (const permissions of [[], ["--allow-ffi=/nowhere/library.so"], ["--deny-ffi"]]) {
  Deno.test(`native: with ${permissions.join() || "no permission"} it is WebAssembly, and nobody is asked`, async () => {
    const { code, output, timedOut } = await runScript(script(), 60000, permissions);
    assertEquals({ code, timedOut }, { code: 0, timedOut: false }, output);
    assertMatch(output, /^CPU \(WebAssembly relaxed SIMD, 3 threads\) 27000000 true\n$/);
  });
}

Deno.test("native: without permission, who insists on machine code is told what it needs", async () => {
  const { code, output } = await runScript(script("{ native: true }"), 60000);
  assertEquals(code, 1);
  assertMatch(
    output,
    /DeviceError: Cannot compute on the CPU with machine code: it needs the permission --allow-ffi; /,
  );
});

for (const options of ["{}", "{ native: true }"]) {
  Deno.test({
    name: `native: with --allow-ffi and ${options} threads run machine code, and the process exits by itself`,
    ignore: best === undefined,
    fn: async () => {
      const { code, output, timedOut } = await runScript(script(options), 60000, ["--allow-ffi"]);
      assertEquals({ code, timedOut }, { code: 0, timedOut: false }, output);
      assertEquals(output, `CPU (${best!.level}, 3 threads) 27000000 true\n`);
    },
  });
}

Deno.test("native: with --allow-ffi and native: false it is WebAssembly", async () => {
  const { output } = await runScript(script("{ native: false }"), 60000, ["--allow-ffi"]);
  assertMatch(output, /^CPU \(WebAssembly relaxed SIMD, 3 threads\) 27000000 true\n$/);
});

for (const permissions of [["--allow-ffi"], []]) {
  Deno.test(`native: a user's deno test ${permissions.join() || "without permissions"} finds nothing leaked`, async () => {
    const root = new URL("../../../../", import.meta.url), dir = await Deno.makeTempDir();
    try {
      const lines = script().replaceAll("$ROOT", root.href).trim().split("\n");
      const text = `${lines[0]}\nDeno.test("a product", async () => {\n${lines.slice(1).join("\n")}\n});\n`;
      await Deno.writeTextFile(`${dir}/a_test.ts`, text);
      const args = [
        "test",
        "--no-check",
        "--no-prompt",
        ...permissions,
        "--config",
        new URL("deno.json", root).pathname,
      ];
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: [...args, `${dir}/a_test.ts`] })
        .output();
      const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      assertEquals(code, 0, decode(stdout) + decode(stderr));
      assertMatch(decode(stdout), /27000000 true/);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}
