/**
 * The ratios of a run as a picture: how many times as fast as each peer, on a logarithmic axis, workload by workload.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import { DOMParser } from "linkedom";
import { renderPng } from "../src/plot/render_png.ts";
import type { Row } from "./report.ts";

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"];

/** Writes the bars as PNG. Peers that could not be measured are left out. */
export async function savePlot(rows: readonly Row[], title: string, file: URL): Promise<void> {
  const bars = rows.flatMap((r) => r.timesAsFast === null ? [] : [{ ...r, times: r.timesAsFast }]);
  if (bars.length === 0) return;
  // of our own device the title tells
  const nameOf = ({ runner, backend }: Row) =>
    runner.startsWith("Anneal") ? runner : `${runner} ${backend.split(",")[0]}`;
  const peers = [...new Set(bars.map(nameOf))];
  const data = bars.map((b) => ({
    workload: b.workload,
    peer: nameOf(b),
    low: Math.min(1, b.times),
    high: Math.max(1, b.times),
    times: b.times,
    text: `${b.times.toPrecision(3)} x`,
  }));
  // the longest bar has its figure behind it
  const domain = [Math.min(...data.map((d) => d.low)), 1.7 * Math.max(...data.map((d) => d.high))];
  const document = new DOMParser().parseFromString("<!doctype html><html><body></body></html>", "text/html");
  const workloads = [...new Set(data.map((d) => d.workload))];
  const svg = Plot.plot({
    document,
    width: 860,
    height: 60 + 22 * data.length + 18 * workloads.length,
    marginLeft: 200,
    marginRight: 110,
    style: { fontFamily: "DejaVu Sans", fontSize: "12px", background: "white" },
    x: { type: "log", domain, label: "times as fast", grid: true, tickFormat: (d: number) => String(d) },
    y: { label: null, domain: peers, axis: "left" },
    fy: { label: null, domain: workloads, axis: "right" },
    color: { domain: peers, range: COLOURS },
    marks: [
      Plot.rect(data, { x1: "low", x2: "high", y: "peer", fy: "workload", fill: "peer", insetTop: 2, insetBottom: 2 }),
      Plot.text(data, { x: "high", y: "peer", fy: "workload", text: "text", textAnchor: "start", dx: 4 }),
      Plot.ruleX([1]),
    ],
  });
  const inner = svg.outerHTML.replace(/^<svg/, `<svg y="34"`);
  const height = Number(svg.getAttribute("height")) + 34;
  const frame = `<svg xmlns="http://www.w3.org/2000/svg" width="860" height="${height}">` +
    `<rect width="860" height="${height}" fill="white"/>` +
    `<text x="14" y="24" font-family="DejaVu Sans" font-size="15">${
      title.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    }</text>` +
    `${inner}</svg>`;
  await Deno.writeFile(file, await renderPng(frame));
}
