import { assert } from "@std/assert";
import { sizesOf, smallSize } from "../../tools/browser.ts";

const root = new URL("../../", import.meta.url);

/** Most bytes of `gzip -9`: what a page loads at the start. */
const CORE = 150_000, WHOLE = 250_000;
/** The same of a small program. */
const SMALL = 127_000;
/** The same of a device, besides: one of them is loaded. */
const CPU = 38_500, WEBGPU = 60_000;

Deno.test("what a page loads stays small: the core, a device, and the main entry point", async () => {
  const core = await sizesOf(root, "src/entry/core.ts"), whole = await sizesOf(root, "mod.ts");
  const told = JSON.stringify({ core, whole });
  assert(core.start <= CORE && whole.start <= WHOLE, told);
  for (const { cpu, webgpu } of [core, whole]) assert(cpu <= CPU && webgpu <= WEBGPU, told);
  assert(core.start < whole.start && core.cpu > 10_000 && core.webgpu > 10_000, told);
});

Deno.test("what a small program does not use is left out of its bundle", async () => {
  const size = await smallSize(root);
  assert(size <= SMALL && size > 50_000, `${size}`);
});
