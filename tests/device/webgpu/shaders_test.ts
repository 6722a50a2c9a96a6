import { assert, assertEquals } from "@std/assert";
import * as generated from "../../../src/device/webgpu/wgsl.gen.ts";
import { shaderFiles } from "../../support/shader_files.ts";
import { adapter } from "../../support/webgpu.ts";

const files = shaderFiles();

Deno.test({
  name: "webgpu: every shader file compiles by itself, with every declared override set",
  ignore: adapter === null,
  fn: async () => {
    const device = await adapter!.requestDevice();
    const faults: string[] = [];
    for (const { name, text, variants, entryPoints } of files) {
      for (const constants of variants) {
        device.pushErrorScope("validation");
        const module = device.createShaderModule({ code: text });
        for (const entryPoint of entryPoints) {
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

Deno.test("webgpu: every shader's header has its parts in the fixed order", () => {
  const faults: string[] = [];
  for (const { name, text } of files) {
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

Deno.test("webgpu: the generated module carries the shader files of today", () => {
  const texts: Record<string, string> = { ...generated };
  assertEquals(Object.keys(texts).sort(), files.map(({ name }) => name.slice(0, -5).toUpperCase()).sort());
  // word by word, but for comments, of which only the marks of parts stay
  const words = (text: string) =>
    text.replace(/\/\/(?! (?:begin|end|hook)\b).*$/gm, "").split(/\s+/).filter((word) => word !== "");
  for (const { name, text } of files) {
    const carried = texts[name.slice(0, -5).toUpperCase()];
    assertEquals(words(carried), words(text), name);
    assert(carried.length < text.length && !/^$/m.test(carried.trimEnd()), name);
  }
});
