/**
 * The page of `deno task demo:browser` in Chromium: looks for a learning rate, trains, reads a drawn digit, goes on after a
 * reload.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Page } from "playwright-core";
import { serveDemo } from "../../examples/browser/server.ts";
import { chromiumPath, startChromium } from "../support/chromium.ts";

/** A test with the pages of the demo; what goes wrong in them, and what they ask of others, fails it. */
function demoTest(name: string, path: string, fn: (page: Page) => Promise<void>): void {
  Deno.test({
    name: `browser: ${name} (${chromiumPath ?? "no Chromium here"})`,
    ignore: chromiumPath === undefined,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using server = await serveDemo();
      const browser = await startChromium();
      try {
        const problems: string[] = [];
        const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true });
        const page = await context.newPage();
        page.on("pageerror", (error) => problems.push(error.message));
        page.on("request", (request) => {
          if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(server.url)) {
            problems.push(`asks for ${request.url()}`);
          }
        });
        await page.goto(server.url + path);
        await fn(page);
        const [wide, width] = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]") as number[];
        assert(wide <= width, `${wide} pixels on a screen of ${width}`);
        assertEquals(problems, []);
      } finally {
        await browser.close();
      }
    },
  });
}

const has = (page: Page, selector: string, text: RegExp) =>
  page.locator(selector, { hasText: text }).waitFor({ timeout: 60_000 });

/** Draws a stroke through points of the canvas, from 0 to 1. */
async function draw(page: Page, points: readonly (readonly [number, number])[]): Promise<void> {
  const { x, y, width, height } = (await page.locator("#canvas").boundingBox())!;
  for (const [i, [px, py]] of points.entries()) {
    await page.mouse.move(x + px * width, y + py * height, { steps: 5 });
    if (i === 0) await page.mouse.down();
  }
  await page.mouse.up();
}

const query = "?device=cpu&pictures=1600&epochs=5&lr=0.02";

demoTest(
  "the demo finds a rate, trains, reads what is drawn, stops, and goes on after a reload",
  query,
  async (page) => {
    await has(page, "#said", /^Ready/);
    assertEquals(await page.evaluate("crossOriginIsolated"), true);
    const ids = await page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)") as string[];
    assertEquals(ids.filter((id, i) => ids.indexOf(id) !== i), []);

    // the finder: a curve with its suggestions, one of which is taken
    await page.click("#find");
    await has(page, "#said", /suggestion/);
    await page.locator("#finder circle").nth(1).waitFor(); // a halo and its point
    await page.locator("#suggestions button", { hasText: "valley" }).click();
    const rate = Number(await page.inputValue("#lr"));
    assert(rate > 1e-5 && rate < 1 && rate !== 0.02, `${rate}`);

    // pauses, reads a picture meanwhile, and stops
    await page.fill("#lr", "0.02");
    await page.click("#train");
    await page.click("#pause"); // as soon as it can be
    await has(page, "#status", /^Paused/);
    await page.click("#sample");
    await has(page, "#answer", /It is read as \d, and it is \d/);
    await page.click("#stop");
    await has(page, "#said", /^Stopped/);

    // after a reload it goes on where it stood, and is shown from its beginning
    await page.reload();
    await has(page, "#said", /A run is saved here, not done/);
    await page.click("#continue");
    await has(page, "#said", /^Trained/);
    assertEquals(await page.inputValue("#lr"), "0.02");
    assertEquals(await page.locator("#table tr").count(), 6);
    const said = (await page.textContent("#said"))!;
    assertMatch(said, /Accuracy on the test pictures: [6-9]\d\.\d\d %/);

    // a one and a seven
    await page.click("#clear");
    await draw(page, [[0.5, 0.15], [0.48, 0.85]]);
    await has(page, "#answer", /It is read as 1/);
    await page.click("#clear");
    await draw(page, [[0.25, 0.2], [0.75, 0.2], [0.45, 0.85]]);
    await has(page, "#answer", /It is read as 7/);
    const shares = await page.locator("#probabilities em").allTextContents();
    assert(Math.abs(shares.reduce((sum, text) => sum + parseFloat(text), 0) - 100) < 1, shares.join());

    // downloaded, it is a run as any other
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
    const bytes = await Deno.readFile(await download.path());
    assertEquals(download.suggestedFilename(), "digits.tar");
    assert(new TextDecoder().decode(bytes.subarray(0, 100)).startsWith("run/"));
  },
);
