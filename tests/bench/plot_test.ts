/**
 * The picture of the benchmark: names in words, a bar for each label, nothing cut off.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Resvg } from "@resvg/resvg-js";
import { fromFileUrl } from "@std/path";
import { DOMParser } from "linkedom";
import { benchSvg, benchTitle } from "../../bench/plot.ts";
import type { Row } from "../../bench/report.ts";
import { titleOf, WORKLOADS } from "../../bench/workloads.ts";

const RUN = JSON.parse(await Deno.readTextFile(new URL("./results.json", import.meta.url)));
const ROWS: readonly Row[] = RUN.rows;
await import("dejavu-fonts-ttf/package.json", { with: { type: "json" } });
const FONT = fromFileUrl(import.meta.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf"));

/** Whether anything is drawn within `border` pixels of the picture's edge: what is cut off is. */
function touchesEdge(svg: string, border = 4): boolean {
  const font = { loadSystemFonts: false, fontFiles: [FONT], defaultFontFamily: "DejaVu Sans" };
  const { width, height, pixels } = new Resvg(svg, { font }).render();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (x >= border && x < width - border && y >= border && y < height - border) continue;
      const at = 4 * (y * width + x);
      if (pixels[at] + pixels[at + 1] + pixels[at + 2] < 3 * 250) return true;
    }
  }
  return false;
}

/** What is asked of an element. */
interface Part {
  readonly parentNode: Part;
  readonly textContent: string | null;
  getAttribute(name: string): string | null;
}

/** How far down an element is moved. */
function downBy(part: Part): number {
  return Number(/translate\([^,]+,([\d.]+)\)/.exec(part.getAttribute("transform") ?? "")?.[1] ?? 0);
}

/** Texts and the bars of a picture. */
function read(
  svg: string,
): { texts: string[]; bars: { y: number; width: number }[]; labels: { y: number; text: string }[] } {
  const document = new DOMParser().parseFromString(svg, "image/svg+xml");
  const all = (selector: string) => [...document.querySelectorAll(selector)] as unknown as Part[];
  const bars = all('g[aria-label="rect"] rect').map((e) => ({
    y: Number(e.getAttribute("y")) + Number(e.getAttribute("height")) / 2,
    width: Number(e.getAttribute("width")),
  }));
  const labels = all('g[aria-label="y-axis tick label"] text').map((e) => ({
    y: downBy(e) + downBy(e.parentNode),
    text: e.textContent ?? "",
  })).filter(({ text }) => text !== "");
  return { texts: all("text").map((e) => e.textContent ?? ""), bars, labels };
}

Deno.test("each label of the benchmark's picture has a bar, each bar a label", () => {
  const { bars, labels } = read(benchSvg(ROWS, benchTitle(RUN))!);
  const measured = ROWS.filter((r) => r.timesAsFast !== null);
  assertEquals(bars.length, measured.length);
  assertEquals(labels.length, bars.length);
  for (const [i, { y, width }] of bars.entries()) {
    assert(width > 1, `bar ${i} is ${width} wide`);
    assert(labels.some((label) => Math.abs(label.y - y) < 2), `bar ${i} at ${y} has no label`);
  }
});

Deno.test("the benchmark's picture says in words what was measured, and with what", () => {
  const { texts } = read(benchSvg(ROWS, benchTitle(RUN))!);
  for (const workload of new Set(ROWS.map((r) => r.workload))) {
    assert(texts.includes(titleOf(workload)), workload);
    assert(!texts.includes(workload), `${workload} is no word`);
  }
  for (
    const name of [
      "jax-js 0.1.25, WebAssembly",
      "TensorFlow.js 4.22.0, plain JavaScript",
      "Anneal, a loop without Learner",
    ]
  ) {
    assert(texts.includes(name), name);
  }
  assert(texts.some((text) => text.includes("Anneal is so many times as fast")));
  assertEquals(new Set(WORKLOADS.map(titleOf)).size, WORKLOADS.length);
});

Deno.test("nothing of the benchmark's picture is cut off", () => {
  const change = (row: Partial<Row>) => ROWS.map((r) => r.timesAsFast === null ? r : { ...r, ...row });
  const long = change({ runner: "A library with a very long name 12.34.56-beta.7", timesAsFast: 123456 });
  for (const rows of [ROWS, long, change({ timesAsFast: 0.0123 }), change({ timesAsFast: 1.01 }), ROWS.slice(0, 2)]) {
    const svg = benchSvg(rows, benchTitle(RUN))!;
    assert(!touchesEdge(svg), svg.slice(0, 200));
  }
  const narrow = benchSvg(ROWS, benchTitle(RUN))!.replace('viewBox="0 0 860', 'viewBox="30 0 860');
  assert(touchesEdge(narrow), "the check can fail");
});

Deno.test("without a peer there is no picture", () => {
  assertEquals(benchSvg(ROWS.filter((r) => r.timesAsFast === null), "title"), null);
});
