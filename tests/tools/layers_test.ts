import { assertEquals } from "@std/assert";
import { circlesOf, forbidden, importsOf, namesRuntime, violations } from "../../tools/layers.ts";

Deno.test("imports of the project point down the layers only, and run in no circles", async () => {
  assertEquals(await violations(new URL("../../", import.meta.url)), []);
});

Deno.test("imports that point up or sideways are found", () => {
  assertEquals(forbidden("src/fit/a.ts", "src/train/b.ts"), null);
  assertEquals(forbidden("src/nn/a.ts", "src/nn/b.ts"), null);
  assertEquals(
    forbidden("src/tensor/a.ts", "src/nn/b.ts"),
    "src/tensor/a.ts (layer 3) imports src/nn/b.ts (layer 4): imports point down",
  );
  assertEquals(
    forbidden("src/nn/a.ts", "src/optim/b.ts"),
    "src/nn/a.ts imports src/optim/b.ts: parts of layer 4 are independent of each other",
  );
  assertEquals(forbidden("src/tensor/a.ts", "src/graph/b.ts"), null);
  assertEquals(
    forbidden("src/train/a.ts", "src/graph/b.ts"),
    "src/train/a.ts imports src/graph/b.ts: only src/tensor/ may, use what src/tensor/mod.ts has of it",
  );
  assertEquals(
    forbidden("src/new/a.ts", "src/base/b.ts"),
    "src/new/a.ts belongs to no layer: add it to tools/layers.ts",
  );
});

Deno.test("a runtime is named only in the rooms for it", () => {
  const core = (text: string) => namesRuntime("src/train/a.ts", text);
  assertEquals(core('await Deno.readFile("x");'), "Deno.readFile");
  assertEquals(core("const n = navigator.hardwareConcurrency;"), "navigator.hardwareConcurrency");
  assertEquals(core("globalThis.navigator?.gpu"), "globalThis.navigator?.gpu");
  assertEquals(core("x = process?.env"), "process?.env");
  assertEquals(core('import { Buffer } from "node:buffer";'), '"node:buffer"');
  assertEquals(core('const { createHash } = await import("node:crypto");'), '"node:crypto"');
  assertEquals(core("const usage = GPUBufferUsage.STORAGE;"), "GPUBufferUsage.STORAGE");
  assertEquals(core('throw new Error("no navigator.gpu"); // Deno.exit\n/* process.env */'), null);
  assertEquals(core('const s = Symbol.for("Deno.customInspect"), url = "https://x"; worker.process.go;'), null);
  assertEquals(namesRuntime("src/cli/a.ts", 'import { join } from "@std/path";'), '"@std/path"');
  assertEquals(namesRuntime("src/base/host_deno.ts", "Deno.exit(0)"), null);
  assertEquals(namesRuntime("src/live/server.ts", "Deno.serve()"), null);
});

Deno.test("every form of import is seen, and documentation is not", () => {
  const text = `/** @example
 * import { x } from "./example.ts";
 */
import a from "./a.ts";
import {
  b,
} from "../b.ts";
export * from "./c.ts";
import "./d.ts";
import { far } from "@std/path";
const e = await import("./e.ts");`;
  assertEquals(importsOf(text).map(({ path }) => path), ["./a.ts", "../b.ts", "./c.ts", "./d.ts", "./e.ts"]);
});

Deno.test("imports of nothing but types are told from others", () => {
  const text = `import type { A } from "./a.ts";
import { type B, type C } from "./b.ts";
export { c, type D } from "./c.ts";
export type { E } from "./d.ts";
import * as f from "./e.ts";`;
  assertEquals(importsOf(text).filter(({ typeOnly }) => typeOnly).map(({ path }) => path), [
    "./a.ts",
    "./b.ts",
    "./d.ts",
  ]);
});

Deno.test("circles are found, whatever leads into them", () => {
  const graph = new Map([["a", ["b", "d"]], ["b", ["c"]], ["c", ["b"]], ["d", ["e"]], ["e", ["f"]], ["f", ["d"]], [
    "g",
    ["a"],
  ]]);
  assertEquals(circlesOf(graph).sort(), [["b", "c"], ["d", "e", "f"]]);
  assertEquals(circlesOf(new Map([["a", ["b"]], ["b", []]])), []);
});

Deno.test("an entry point is told by code that comes late, and by no other", async () => {
  const root = await Deno.makeTempDir();
  const write = async (path: string, text: string) => {
    await Deno.mkdir(`${root}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    await Deno.writeTextFile(`${root}/${path}`, text);
  };
  await write("src/entry/core.ts", 'export { predict } from "../fit/predict.ts";');
  await write("src/fit/predict.ts", 'export const predict = () => import("./later.ts");');
  await write("src/fit/later.ts", 'import "../entry/core.ts";\nexport const own = 1;');
  const found = () => violations(new URL(`file://${root}/`));
  assertEquals(await found(), []);
  await write("src/fit/predict.ts", 'import { own } from "./later.ts";\nexport const predict = () => own;');
  assertEquals(await found(), [
    "src/entry/core.ts, src/fit/later.ts, src/fit/predict.ts import each other in a circle",
  ]);
  await write("src/fit/predict.ts", 'export const predict = () => import("./later.ts");');
  await write("src/fit/later.ts", 'import { predict } from "../entry/core.ts";\nexport const own = predict;');
  const up = "src/fit/later.ts (layer 6) imports src/entry/core.ts (layer 11): imports point down";
  assertEquals((await found()).includes(up), true);
  await Deno.remove(root, { recursive: true });
});
