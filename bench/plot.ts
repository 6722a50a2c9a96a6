/**
 * The ratios of a run as a picture: how many times as fast as each peer, on a logarithmic axis, workload by workload.
 *
 *     deno run -A bench/plot.ts bench/results/FILE.json docs/pictures/bench_cpu.png
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import { DOMParser } from "linkedom";
import { renderPng } from "../src/plot/render_png.ts";
import type { Row } from "./report.ts";
import { titleOf } from "./workloads.ts";

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999"];
const WIDTH = 860, ROW = 22, FONT = 12, TITLE = 15, MARGIN = 14;
/** Pixels of a letter of DejaVu Sans on average, as a share of the font's size; wide letters are 0.8. */
const LETTER = 0.62;

/** What computes, in words. */
const BACKENDS: Readonly<Record<string, string>> = {
  wasm: "WebAssembly",
  webgpu: "WebGPU",
  cpu: "plain JavaScript",
};

/** A runner in the picture. Our own device stands in the title. */
function nameOf({ runner, backend }: Row): string {
  if (runner === "Anneal by hand") return "Anneal, a loop without Learner";
  if (runner.startsWith("Anneal")) return runner;
  const device = backend.split(",")[0];
  if (runner.startsWith("PyTorch")) return runner.replace("+cpu", ""); // of the CPU, as its name says
  return `${runner}, ${BACKENDS[device] ?? device}`;
}

/** One line of the picture: a workload's heading, or a peer's bar below it. */
interface Line {
  readonly key: string;
  readonly peer?: string;
  readonly times?: number;
}

/** Headings and bars from top to bottom. Peers that could not be measured have none, and no line. */
function linesOf(rows: readonly Row[]): Line[] {
  const bars = rows.filter((r) => r.timesAsFast !== null);
  return [...new Set(bars.map((r) => r.workload))].flatMap((workload) => [
    { key: titleOf(workload) },
    ...bars.filter((r) => r.workload === workload).map((r) => ({
      key: `${workload} ${nameOf(r)}`,
      peer: nameOf(r),
      times: r.timesAsFast!,
    })),
  ]);
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** `text` in lines that fit `width` pixels at a font's size. */
function wrapped(text: string, width: number, size: number): string[] {
  const most = Math.floor(width / (size * LETTER)), lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= most) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** The picture as SVG; null where nobody was measured but Anneal. */
export function benchSvg(rows: readonly Row[], title: string): string | null {
  const lines = linesOf(rows), bars = lines.filter((l): l is Required<Line> => l.times !== undefined);
  if (bars.length === 0) return null;
  const peers = [...new Set(bars.map((b) => b.peer))];
  const names = new Map(lines.map(({ key, peer }) => [key, peer ?? ""]));
  const marginLeft = Math.ceil(Math.max(...peers.map((p) => p.length)) * FONT * LETTER) + 2 * MARGIN;
  // room for the figure behind the longest bar, and a little beside the shortest
  const low = 0.8 * Math.min(1, ...bars.map((b) => b.times)), high = 1.2 * Math.max(1, ...bars.map((b) => b.times));
  const document = new DOMParser().parseFromString("<!doctype html><html><body></body></html>", "text/html");
  const svg = Plot.plot({
    document,
    width: WIDTH,
    height: ROW * lines.length + 60,
    marginLeft,
    marginRight: 80,
    marginTop: 4,
    marginBottom: 50,
    style: { fontFamily: "DejaVu Sans", fontSize: `${FONT}px`, background: "white" },
    x: {
      type: "log",
      domain: [low, high],
      label: "Anneal is so many times as fast",
      labelAnchor: "center",
      labelArrow: "none",
      grid: true,
      tickFormat: (d: number) => String(Number(d.toPrecision(3))),
      ticks: 6,
    },
    y: { label: null, domain: lines.map((l) => l.key), tickFormat: (key: string) => names.get(key)!, tickSize: 0 },
    color: { domain: peers, range: COLOURS },
    marks: [
      Plot.ruleX([1]),
      Plot.rect(bars, {
        x1: (d) => Math.min(1, d.times),
        x2: (d) => Math.max(1, d.times),
        y: "key",
        fill: "peer",
        insetTop: 3,
        insetBottom: 3,
      }),
      Plot.text(bars, {
        x: (d) => Math.max(1, d.times),
        y: "key",
        text: (d) => `${Number(d.times.toPrecision(3))} x`,
        textAnchor: "start",
        dx: 4,
      }),
      Plot.text(lines.filter((l) => l.times === undefined), {
        y: "key",
        text: "key",
        frameAnchor: "left",
        textAnchor: "start",
        dx: MARGIN - marginLeft,
        stroke: "white", // above the grid
        strokeWidth: 6,
        fill: "black",
      }),
    ],
  });
  const head = wrapped(title, WIDTH - 2 * MARGIN, TITLE);
  const note = wrapped(
    "A bar to the right of 1: Anneal is faster; to the left: slower. Each was measured in turn with Anneal.",
    WIDTH - 2 * MARGIN,
    FONT,
  );
  const texts = [...head.map((text) => ({ text, size: TITLE })), ...note.map((text) => ({ text, size: FONT }))];
  let top = 4;
  const heading = texts.map(({ text, size }) => {
    top += size + 5;
    return `<text x="${MARGIN}" y="${top}" font-family="DejaVu Sans" font-size="${size}">${escaped(text)}</text>`;
  });
  const height = Number(svg.getAttribute("height")) + top + 12;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">` +
    `<rect width="${WIDTH}" height="${height}" fill="white"/>${heading.join("")}` +
    `${svg.outerHTML.replace(/^<svg/, `<svg y="${top + 8}"`)}</svg>`;
}

/** What the title says of a run. */
export function benchTitle(
  { device, date, machine }: { device: string; date: string; machine: Readonly<Record<string, string | number>> },
): string {
  const name = device === "cpu" ? "the CPU" : device === "webgpu" ? "WebGPU" : device;
  return `Anneal on ${name}: ${machine.cpu}, ${machine.cores} cores, ${date.slice(0, 10)}`;
}

/** Writes the bars as PNG. Peers that could not be measured are left out. */
export async function savePlot(rows: readonly Row[], title: string, file: URL | string): Promise<void> {
  const svg = benchSvg(rows, title);
  if (svg !== null) await Deno.writeFile(file, await renderPng(svg));
}

if (import.meta.main) {
  const [from, to] = Deno.args;
  if (to === undefined) {
    console.error("Usage: deno run -A bench/plot.ts RESULTS.json PICTURE.png");
    Deno.exit(2);
  }
  const run = JSON.parse(await Deno.readTextFile(from));
  await savePlot(run.rows, benchTitle(run), to);
}
