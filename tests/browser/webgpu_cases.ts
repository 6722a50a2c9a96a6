/**
 * Tests of the WebGPU device in Chromium: every hand-made program, and the bits of Deno on the same driver.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import type { KernelStrategy } from "../../src/device/webgpu/kernels/plan.ts";
import { bundle, chromiumPath, openPage, servePages, startChromium } from "../support/chromium.ts";
import { chooseDriver, runWithDawn, SWIFTSHADER } from "../support/dawn.ts";

const driver = SWIFTSHADER.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** What the script of the page has. */
type InPage = typeof import("../hosts/page.ts");

let bundled: Promise<string> | null = null;

/** A test with a page of its own; what goes wrong in the page fails it. */
function chromiumTest(name: string, needed: string | undefined, fn: (page: Page) => Promise<void>): void {
  Deno.test({
    name: `browser: ${name} (${needed === undefined ? "no Chromium here" : chromiumPath})`,
    ignore: needed === undefined,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const folder = await (bundled ??= bundle(new URL("../hosts/page.ts", import.meta.url).pathname));
      await using server = servePages({ "/js/": `${folder}/` }, { isolated: false });
      const browser = await startChromium();
      try {
        const problems: string[] = [];
        const page = await openPage(browser, server.url, problems);
        await fn(page);
        assertEquals(problems, []);
      } finally {
        await browser.close();
      }
    },
  });
}

/** Registers the tests of some kinds of kernels, each with one of `oneOf` hand-made programs. */
export function testStrategies(strategies: readonly KernelStrategy[], oneOf: number): void {
  const which = oneOf === 1 ? "every hand-made program" : `one of ${oneOf} hand-made programs`;
  for (const strategy of strategies) {
    chromiumTest(`${which} gives what the reference gives, ${strategy}`, chromiumPath, async (page) => {
      await page.evaluate(async ({ strategy, oneOf }) => {
        const { conformance }: InPage = await import("/js/page.js" as string);
        await conformance(strategy, oneOf);
      }, { strategy, oneOf });
    });
    chromiumTest(`a training has Deno's bits on the same driver, ${strategy}`, chromiumPath && driver, async (page) => {
      const there = await page.evaluate(async (strategy) => {
        const { losses }: InPage = await import("/js/page.js" as string);
        return await losses(strategy);
      }, strategy);
      const script = new URL("../hosts/given_gpu.ts", import.meta.url).href;
      const { bits } = JSON.parse(await runWithDawn(script, ["own", strategy], chooseDriver(driver!)));
      assertEquals(there, bits);
    });
  }
}
