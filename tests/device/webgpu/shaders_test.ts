import { assertEquals } from "@std/assert";
import * as generated from "../../../src/device/webgpu/wgsl.gen.ts";
import { adapter } from "../../support/webgpu.ts";

const folder = new URL("../../../shaders/", import.meta.url);
const files = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".wgsl")).sort();

/** Override sets that a header declares: `// variants WG=8|32 INDEX_BYTES=1|4`. */
function variantsOf(text: string): Record<string, number>[] {
  const declared = /^\/\/ variants (.*)$/m.exec(text)?.[1] ?? "";
  return declared.split(" ").filter((part) => part !== "").reduce<Record<string, number>[]>((sets, part) => {
    const [name, values] = part.split("=");
    return sets.flatMap((set) => values.split("|").map((value) => ({ ...set, [name]: Number(value) })));
  }, [{}]);
}

Deno.test({
  name: "webgpu: every shader file compiles by itself, with every declared override set",
  ignore: adapter === null,
  fn: async () => {
    const device = await adapter!.requestDevice();
    const faults: string[] = [];
    for (const name of files) {
      const text = await Deno.readTextFile(new URL(name, folder));
      for (const constants of variantsOf(text)) {
        device.pushErrorScope("validation");
        const module = device.createShaderModule({ code: text });
        for (const [, entryPoint] of text.matchAll(/@compute[^{]*\nfn (\w+)/g)) {
          device.createComputePipeline({ layout: "auto", compute: { module, entryPoint, constants } });
        }
        const error = await device.popErrorScope();
        if (error !== null) faults.push(`${name} ${JSON.stringify(constants)}: ${error.message}`);
      }
    }
    device.destroy();
    assertEquals(faults, []);
  },
});

Deno.test("webgpu: every shader's header has its parts in the fixed order", async () => {
  const faults: string[] = [];
  for (const name of files) {
    const text = await Deno.readTextFile(new URL(name, folder));
    const header = text.split("\n").slice(0, text.split("\n").findIndex((line) => !line.startsWith("//")));
    const parts = header.map((line) => /^\/\/ (\w+)/.exec(line)?.[1]);
    const order = ["in", "out", "grid", "WG", "maths", "oracle", "variants"];
    const at = order.map((part) => parts.indexOf(part)).filter((i) => i >= 0);
    if (!header[0]?.startsWith(`// ${name}   `)) faults.push(`${name}: the first line must name the file`);
    if (!parts.includes("in") || !parts.includes("out")) faults.push(`${name}: "in" or "out" is missing`);
    if (at.some((line, i) => i > 0 && line < at[i - 1])) faults.push(`${name}: the order must be ${order.join(", ")}`);
  }
  assertEquals(faults, []);
});

Deno.test("webgpu: the generated module carries the shader files of today", async () => {
  const texts: Record<string, string> = { ...generated };
  assertEquals(Object.keys(texts).sort(), files.map((name) => name.slice(0, -5).toUpperCase()).sort());
  for (const name of files) {
    assertEquals(texts[name.slice(0, -5).toUpperCase()], await Deno.readTextFile(new URL(name, folder)), name);
  }
});
