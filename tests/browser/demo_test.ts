/**
 * The page of `deno task demo:browser` in Chromium: looks for a learning rate, trains, reads a drawn digit, goes on after a
 * reload; and that of the benchmark.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import { COLUMNS } from "../../examples/browser/bench_table.ts";
import { serveDemo } from "../../examples/browser/server.ts";
import { chromiumPath, startChromium } from "../support/chromium.ts";

/** What goes wrong in a page, and what it asks of others. */
function watch(page: Page, own: string): string[] {
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("request", (request) => {
    const url = request.url();
    if (!/^(data|blob):/.test(url) && !url.startsWith(own)) problems.push(`asks for ${url}`);
  });
  return problems;
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

async function digits(page: Page): Promise<void> {
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

  // and comes back; other files are refused with a reason
  await page.setInputFiles("#file", {
    name: "a.tar",
    mimeType: "application/x-tar",
    buffer: Buffer.from("no archive"),
  });
  await has(page, "#said", /^DataError: Cannot unpack/);
  assertEquals(await page.locator("#continue").isVisible(), false);
  await page.setInputFiles("#file", { name: "digits.tar", mimeType: "application/x-tar", buffer: Buffer.from(bytes) });
  await has(page, "#said", /^It is here/);
  await page.click("#continue");
  await has(page, "#said", /^Trained/);
}

async function benchmark(page: Page): Promise<void> {
  // the package of the third is not asked of CI: a library that fails says so in its row
  await page.route("**/bench/prepare/tfjs", (route) => route.fulfill({ json: { failed: "there is no package" } }));
  await has(page, "#said", /^(Ready|There is no WebGPU)/);
  await page.click("#run");
  await has(page, "#said", /^Done/);
  const lines = page.locator("#results tr"), rows: string[][] = [];
  for (let i = 0; i < await lines.count(); i++) rows.push(await lines.nth(i).locator("th, td").allTextContents());
  assertEquals(rows.slice(0, 2), [[...COLUMNS], ["MNIST net 784-512-256-10, Adam, batch 64"]]);
  const [anneal, jax, tfjs] = rows.slice(2);
  assertEquals(rows.length, 5);
  assertMatch(anneal[1], /^[\d.]+ steps\/s$/);
  assertEquals([anneal[0], anneal[2], anneal[5]], ["Anneal", "–", ""]);
  assertMatch(jax[1], /^[\d.]+ steps\/s$/);
  assertMatch(jax[2], /^[\d.e+]+ x as fast$/);
  assertEquals([jax[0], jax[4], jax[5]], ["jax-js", "wasm", ""]); // and its losses are ours
  assertEquals([tfjs[0], tfjs[1], tfjs[5]], ["TensorFlow.js", "–", "fails: there is no package"]);
  await page.click("#copy");
  await has(page, "#said", /^Copied/);
  const copied = await page.evaluate("navigator.clipboard.readText()") as string;
  assertEquals(copied.split("\n").at(-2), `| MNIST net 784-512-256-10, Adam, batch 64 | ${jax.join(" | ")} |`);
}

Deno.test({
  name: `browser: the demo's pages (${chromiumPath ?? "no Chromium here"})`,
  ignore: chromiumPath === undefined,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using server = await serveDemo();
    const browser = await startChromium();
    const tryPage = (name: string, path: string, body: (page: Page) => Promise<void>) =>
      t.step(name, async () => {
        const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true });
        await context.grantPermissions(["clipboard-read", "clipboard-write"]);
        const page = await context.newPage(), problems = watch(page, server.url);
        await page.goto(server.url + path);
        await body(page);
        const [wide, width] = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]") as number[];
        assert(wide <= width, `${wide} pixels on a screen of ${width}`);
        assertEquals(problems, []);
        await context.close();
      });
    try {
      await tryPage(
        "finds a rate, trains, reads what is drawn, stops, and goes on after a reload",
        "?device=cpu&pictures=1600&epochs=5&lr=0.02",
        digits,
      );
      await tryPage(
        "compares speeds, and gives a table to copy",
        "bench?device=cpu&workloads=mlp64&rounds=1&secs=0.001&warm=0",
        benchmark,
      );
    } finally {
      await browser.close();
    }
  },
});
