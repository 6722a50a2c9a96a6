/**
 * The live page in a browser: Chromium without a window, where there is one.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Browser, Page } from "playwright-core";
import { DataLoaders } from "../../src/data/mod.ts";
import { valley } from "../../src/fit/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import { LivePage } from "../../src/live/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { Callback, errorRate, silentLogger } from "../../src/train/mod.ts";
import { openOnce } from "../support/devices.ts";
import { session } from "../../src/graph/session.ts";
import { fillF32, fillInts } from "../support/fill.ts";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = PATHS.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** Slows a run down to what an eye, and a browser, can follow. */
class Slow extends Callback {
  override async afterBatch(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
}

function pictures(n: number, seed: number) {
  return { x: { data: fillF32(seed, n * 64), shape: [n, 8, 8] }, y: { data: fillInts(seed + 1, n, 3), shape: [n] } };
}

function learner(page: LivePage) {
  const train = pictures(160, 1), valid = pictures(24, 5);
  const dls = DataLoaders.fromArrays({ ...train, xValid: valid.x, yValid: valid.y }, { bs: 8, seed: 1 });
  const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(64, 3));
  return new Learner(dls, model, {
    lossFunc: new nn.CrossEntropyLoss(),
    metrics: errorRate,
    logger: silentLogger,
    cbs: [page, new Slow()],
  });
}

const status = (page: Page, text: string) => page.locator("#status", { hasText: text }).waitFor({ timeout: 60_000 });

/** Pixels of a line's path, `M x y L x y …`. */
async function points(page: Page, selector: string): Promise<number[][]> {
  const d = await page.locator(selector).first().getAttribute("d") ?? "";
  return d.split(/[ML]/).filter((p) => p !== "").map((p) => p.split(" ").map(Number));
}

Deno.test({
  name: `a browser shows the run, pauses, goes on and stops it, in two windows and after a reload (${
    executablePath ?? "no Chromium here"
  })`,
  ignore: executablePath === undefined,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    session.useDevice(await openOnce("cpu"));
    const { chromium } = await import("playwright-core");
    const browser: Browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox"] });
    const live = new LivePage({ port: 0, readEvery: 0.2, title: "Three kinds of noise" });
    try {
      const learn = learner(live);
      const url = await live.start();
      const problems: string[] = [];
      const open = async () => {
        const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
        page.on("pageerror", (error) => problems.push(error.message));
        page.on("console", (message) => {
          if (message.type() === "error") problems.push(message.text());
        });
        await page.goto(url);
        return page;
      };
      const page = await open();
      await status(page, "Idle");
      await learn.lrFind({ suggestFuncs: [valley], numIt: 40 });
      const run = learn.fitOneCycle(500, { lrMax: 0.02 });
      await status(page, "Training");
      const second = await open();
      await page.locator("#table tr").nth(2).waitFor(); // a head and two epochs
      await page.click("#pause");
      await Promise.all([status(page, "Paused"), status(second, "Paused")]).catch(async (error: Error) => {
        const said = await Promise.all([page, second].map((p) => p.textContent("#status")));
        throw new Error(`pages say ${said}; paused: ${live.paused}; batch ${learn.trainIter}; ${problems}`, {
          cause: error,
        });
      });
      const at = learn.trainIter;
      assertEquals(await page.textContent("#title"), "Three kinds of noise");

      // what is drawn is what was recorded
      const rows = await page.locator("#table tr").count() - 1;
      assertEquals(rows, learn.recorder.rows.length);
      const shown = await page.locator("#table tr").nth(1).locator("td").allTextContents();
      assertEquals(shown[2], learn.recorder.rows.at(-1)!.valid_loss!.toFixed(6));
      const path = await points(page, "#loss path:not(.faint)");
      assert(path.length > 20 && path.length <= learn.recorder.losses.length, `${path.length} points`);
      assert(path.every(([x, y], i) => Number.isFinite(y) && (i === 0 || x > path[i - 1][0])));
      assert(await page.locator("#finder circle").count() >= 2); // the suggestion and its halo
      assertEquals(await page.locator("#hypers h2").allTextContents(), ["lr", "mom"]);
      assertEquals(await page.locator("#metrics h2").allTextContents(), ["error_rate"]);

      await second.reload(); // state comes again
      await status(second, "Paused");
      assertEquals(await second.locator("#table tr").count() - 1, rows);
      const again = await points(second, "#loss path:not(.faint)");
      assert(again.length >= path.length); // messages of a run that goes fast leave points out, the first never does
      assertEquals(learn.trainIter, at);

      await second.click("#pause"); // either window goes on with it
      await status(page, "Training");
      await page.click("#log");
      await page.emulateMedia({ colorScheme: "dark" });
      await page.locator("html[data-theme=dark]").waitFor();
      await page.click("#stop");
      await run;
      assert(learn.epoch < 499);
      await status(page, "Fit stopped");
      assertEquals(await page.locator("#top img").count(), 12);
      const decoded = "[...document.querySelectorAll('#top img')].every((i) => i.complete && i.naturalWidth === 8)";
      assertEquals(await page.evaluate(decoded), true);
      assertEquals(problems, []); // no error of a script, none of the policy
      await live.close();
      await status(page, "Process ended");
    } finally {
      await browser.close();
      await live.close();
    }
  },
});
