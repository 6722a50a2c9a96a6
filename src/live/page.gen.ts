// Written by tools/live.ts from live/; do not edit.

/** `live/page.css` */
export const STYLE: string = `:root {
  --bg: #f4f6f8;
  --card: #fff;
  --text: #17202a;
  --muted: #5c6773;
  --line: #d9dfe5;
  --grid: #e9edf1;
  --accent: #0b5cad;
  --bad: #b3261e;
  --good: #12713f;
  --warn: #8a5a00;
  --c0: #0072b2;
  --c1: #d55e00;
  --c2: #009e73;
  --c3: #b4568f;
  --c4: #a37200;
  --c5: #3c8fc4;
  --c6: #444b53;
  --c7: #7a5523;
  --shadow: 0 1px 2px rgb(20 30 40 / .06), 0 2px 10px rgb(20 30 40 / .05);
}
:root[data-theme="dark"] {
  --bg: #0d1117;
  --card: #161b22;
  --text: #e6edf3;
  --muted: #9aa6b2;
  --line: #2d353f;
  --grid: #232a33;
  --accent: #4ea1f3;
  --bad: #ff8078;
  --good: #4cc38a;
  --warn: #e8b04b;
  --c0: #56b4e9;
  --c1: #ff9147;
  --c2: #2fce9f;
  --c3: #ea9ccb;
  --c4: #f0c541;
  --c5: #9fd0ff;
  --c6: #c5ccd4;
  --c7: #d0a878;
  --shadow: none;
}
* {
  box-sizing: border-box;
}
body {
  margin: 0;
  background: var(--bg);
  color: var(--text);
  font: 14px/1.45 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
h1,
h2,
p,
dl {
  margin: 0;
}
h1 {
  font-size: 16px;
  line-height: 1.2;
}
h2 {
  font-size: 13px;
  font-weight: 600;
}
[hidden] {
  display: none !important;
}
header {
  position: sticky;
  top: 0;
  z-index: 5;
  display: flex;
  flex-wrap: wrap;
  gap: 8px 16px;
  align-items: center;
  justify-content: space-between;
  padding: 10px 20px 13px;
  background: var(--card);
  border-bottom: 1px solid var(--line);
}
.brand {
  display: flex;
  gap: 11px;
  align-items: center;
  min-width: 0;
}
.brand p {
  color: var(--muted);
  font-size: 12px;
}
.logo {
  fill: var(--accent);
}
.logo-line {
  fill: none;
  stroke: var(--card);
  stroke-width: 3.2;
  stroke-linecap: round;
}
.actions {
  display: flex;
  gap: 8px;
  align-items: center;
  flex-wrap: wrap;
}
.pill {
  padding: 3px 11px;
  border-radius: 99px;
  font-size: 12px;
  font-weight: 600;
  border: 1px solid currentColor;
  color: var(--muted);
  white-space: nowrap;
}
.pill[data-status="training"],
.pill[data-status="finished"] {
  color: var(--good);
}
.pill[data-status="validating"] {
  color: var(--accent);
}
.pill[data-status="paused"],
.pill[data-status="pausing"],
.pill[data-status="stopped"],
.pill[data-status="failed"],
.pill[data-status="stopping"] {
  color: var(--warn);
}
.pill[data-status="gone"] {
  color: var(--bad);
}
button {
  font: inherit;
  font-size: 13px;
  padding: 5px 13px;
  border-radius: 7px;
  border: 1px solid var(--line);
  background: var(--card);
  color: var(--text);
  cursor: pointer;
}
button:hover:not(:disabled) {
  border-color: var(--accent);
  color: var(--accent);
}
button:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 2px;
}
button:disabled {
  opacity: .45;
  cursor: default;
}
button.danger:hover:not(:disabled) {
  border-color: var(--bad);
  color: var(--bad);
}
button.quiet {
  padding: 2px 9px;
  font-size: 12px;
  color: var(--muted);
}
button[aria-pressed="true"] {
  color: var(--accent);
  border-color: var(--accent);
}
#progress {
  position: absolute;
  inset: auto 0 0;
  height: 3px;
  background: var(--grid);
}
#progress i {
  display: block;
  height: 100%;
  background: var(--accent);
  width: 0;
  transition: width .2s linear;
}
main {
  display: grid;
  grid-template-columns: repeat(12, minmax(0, 1fr));
  gap: 14px;
  padding: 16px 20px 40px;
  max-width: 1500px;
  margin: 0 auto;
}
main > * {
  grid-column: span 12;
}
.tiles {
  display: grid;
  gap: 10px;
  grid-template-columns: repeat(auto-fit, minmax(118px, 1fr));
}
.tile {
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 10px;
  padding: 9px 13px;
  box-shadow: var(--shadow);
  min-width: 0;
}
.tile span {
  display: block;
  color: var(--muted);
  font-size: 11.5px;
}
.tile b {
  font-size: 19px;
  font-weight: 600;
  font-variant-numeric: tabular-nums;
  white-space: nowrap;
}
.tile small {
  color: var(--muted);
  font-size: 12px;
  font-weight: 400;
}
.tabs {
  display: flex;
  flex-wrap: wrap;
  gap: 6px;
}
.card {
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 12px;
  padding: 12px 14px;
  box-shadow: var(--shadow);
  min-width: 0;
}
.head {
  display: flex;
  gap: 14px;
  align-items: center;
  min-height: 26px;
  margin-bottom: 4px;
}
.head button {
  margin-left: auto;
  white-space: nowrap;
}
.legend {
  display: flex;
  flex-wrap: wrap;
  gap: 4px 14px;
  color: var(--muted);
  font-size: 12px;
}
.legend svg {
  vertical-align: -1px;
  margin-right: 6px;
}
.chart {
  position: relative;
}
.chart svg {
  display: block;
  width: 100%;
}
.chart .frame {
  fill: none;
  stroke: var(--line);
}
.chart .grid line {
  stroke: var(--grid);
}
.chart text {
  fill: var(--muted);
  font-size: 11px;
  font-variant-numeric: tabular-nums;
}
.chart .label {
  font-size: 11.5px;
}
.chart .rule {
  stroke: var(--muted);
  stroke-dasharray: 2 4;
  opacity: .7;
}
.chart path {
  fill: none;
  stroke-width: 1.9;
  stroke-linejoin: round;
  stroke-linecap: round;
}
.chart path.faint {
  stroke-width: 1;
  opacity: .32;
}
.chart .cursor {
  stroke: var(--muted);
  opacity: .8;
}
.chart .halo {
  fill: var(--card);
}
.s0 {
  stroke: var(--c0);
}
.s1 {
  stroke: var(--c1);
}
.s2 {
  stroke: var(--c2);
}
.s3 {
  stroke: var(--c3);
}
.s4 {
  stroke: var(--c4);
}
.s5 {
  stroke: var(--c5);
}
.s6 {
  stroke: var(--c6);
}
.s7 {
  stroke: var(--c7);
}
.f0 {
  fill: var(--c0);
}
.f1 {
  fill: var(--c1);
}
.f2 {
  fill: var(--c2);
}
.f3 {
  fill: var(--c3);
}
.f4 {
  fill: var(--c4);
}
.f5 {
  fill: var(--c5);
}
.f6 {
  fill: var(--c6);
}
.f7 {
  fill: var(--c7);
}
.tip {
  position: absolute;
  top: 0;
  left: 0;
  pointer-events: none;
  background: var(--card);
  color: var(--text);
  border: 1px solid var(--line);
  border-radius: 7px;
  padding: 5px 9px;
  font-size: 12px;
  box-shadow: 0 3px 12px rgb(0 0 0 / .18);
  white-space: nowrap;
  font-variant-numeric: tabular-nums;
  z-index: 2;
}
.tip div {
  display: flex;
  gap: 7px;
  align-items: center;
  justify-content: space-between;
}
.tip em {
  font-style: normal;
  color: var(--muted);
}
.small {
  display: grid;
  gap: 14px;
  grid-template-columns: repeat(auto-fill, minmax(300px, 1fr));
}
.small > div {
  display: contents;
}
.scroll {
  overflow: auto;
  max-height: 340px;
}
table {
  border-collapse: collapse;
  width: 100%;
  font-variant-numeric: tabular-nums;
}
th {
  position: sticky;
  top: 0;
  background: var(--card);
  color: var(--muted);
  font-size: 12px;
  font-weight: 600;
  text-align: right;
}
th,
td {
  padding: 5px 12px;
  border-bottom: 1px solid var(--grid);
  text-align: right;
  white-space: nowrap;
}
th:first-child,
td:first-child {
  text-align: left;
  padding-left: 2px;
}
td.best {
  color: var(--good);
  font-weight: 600;
}
.pictures {
  display: grid;
  gap: 12px;
  grid-template-columns: repeat(auto-fill, minmax(96px, 1fr));
}
.pictures figure {
  margin: 0;
  font-size: 12px;
}
.pictures img {
  width: 100%;
  aspect-ratio: 1;
  object-fit: contain;
  background: #000;
  border-radius: 7px;
  image-rendering: pixelated;
  display: block;
}
.pictures figcaption {
  margin-top: 4px;
}
.pictures figcaption span {
  color: var(--muted);
  display: block;
}
.texts {
  display: grid;
  grid-template-columns: max-content 1fr;
  gap: 8px 16px;
  margin: 0;
  max-height: 22rem;
  overflow: auto;
}
.texts dt {
  color: var(--muted);
}
.texts dd {
  margin: 0;
  white-space: pre-wrap;
  overflow-wrap: anywhere;
}
.note,
.points {
  color: var(--muted);
  font-size: 12.5px;
}
.points b {
  color: var(--text);
  font-weight: 600;
  font-variant-numeric: tabular-nums;
}
.points {
  display: flex;
  flex-wrap: wrap;
  gap: 4px 18px;
  margin-top: 4px;
}
.points i {
  display: inline-block;
  width: 9px;
  height: 9px;
  border-radius: 50%;
  margin-right: 6px;
}
.b0 {
  background: var(--c0);
}
.b1 {
  background: var(--c1);
}
.b2 {
  background: var(--c2);
}
.b3 {
  background: var(--c3);
}
.b4 {
  background: var(--c4);
}
.b5 {
  background: var(--c5);
}
.b6 {
  background: var(--c6);
}
.b7 {
  background: var(--c7);
}
dl {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(130px, 1fr));
  gap: 10px;
  margin-top: 8px;
}
dt {
  color: var(--muted);
  font-size: 11.5px;
}
dd {
  margin: 0;
  font-weight: 600;
  font-variant-numeric: tabular-nums;
}
@media (min-width: 1000px) {
  #loss-card.beside {
    grid-column: span 8;
  }
  #finder-card {
    grid-column: span 4;
  }
  #now-card {
    grid-column: span 7;
  }
  #device-card {
    grid-column: span 5;
  }
}
@media (prefers-reduced-motion: reduce) {
  #progress i {
    transition: none;
  }
}
`;

/** `live/main.js` and what it imports. */
export const SCRIPT: string = `"use strict";
/** Light or dark: as the system has it, unless the button chose. */

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
}

/** Storage may be closed to pages; nothing here depends on it. */
function remember(key, value) {
  try {
    if (value === undefined) return localStorage.getItem(key);
    localStorage.setItem(key, value);
  } catch {
    // forgotten on reload, then
  }
  return null;
}

const dark = matchMedia("(prefers-color-scheme: dark)");
setTheme(remember("anneal-theme") ?? (dark.matches ? "dark" : "light"));
dark.addEventListener("change", () => {
  if (remember("anneal-theme") === null) setTheme(dark.matches ? "dark" : "light");
});
document.getElementById("theme").addEventListener("click", () => {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  remember("anneal-theme", theme);
  setTheme(theme);
});
/** Numbers, times and sizes as people read them. */

/** A short number: 4 digits, an exponent where it is far from 1. */
function fmtNumber(x, digits = 4) {
  if (x === null || x === undefined || Number.isNaN(x)) return "–";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "-∞";
  const a = Math.abs(x);
  if (a !== 0 && (a < 1e-3 || a >= 1e6)) {
    return x.toExponential(2).replace("e+", "e");
  }
  return String(Number(x.toPrecision(digits)));
}

/** A tick of an axis. */
function fmtTick(x) {
  const a = Math.abs(x);
  if (a !== 0 && (a < 1e-3 || a >= 1e5)) {
    return Number(x.toPrecision(3)).toExponential().replace("e+", "e");
  }
  return String(Number(x.toPrecision(6)));
}

/** \`05:12\`, or \`1:05:12\`. */
function fmtTime(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const s = Math.floor(seconds), two = (n) => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  return h > 0 ? \`\${h}:\${two(m)}:\${two(s % 60)}\` : \`\${two(m)}:\${two(s % 60)}\`;
}

/** Bytes with a unit. */
function fmtBytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) [n, i] = [n / 1024, i + 1];
  return \`\${i === 0 ? n : n.toFixed(1)} \${units[i]}\`;
}

/** A count with thin spaces between thousands. */
function fmtCount(n) {
  return String(Math.round(n)).replace(/\\B(?=(\\d{3})+$)/g, "\\u202f");
}
/** From values to pixels, and where ticks stand. */

/** Ticks at round numbers, about \`count\` of them. */
function linearTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count), power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999) ?? 10 * power;
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) {
    ticks.push(Number((k * step).toPrecision(12)));
  }
  return ticks;
}

/** Ticks at powers of ten; their doubles and fives too where there are few. */
function logTicks(low, high, count) {
  const from = Math.floor(Math.log10(low)), to = Math.ceil(Math.log10(high));
  const every = Math.max(1, Math.ceil((to - from) / count));
  const ticks = [];
  for (let p = from; p <= to; p += every) {
    for (const m of to - from <= 2 ? [1, 2, 5] : [1]) ticks.push(Number(\`\${m}e\${p}\`));
  }
  const inside = ticks.filter((t) => t >= low * 0.999999 && t <= high * 1.000001);
  return inside.length > 1 ? inside : linearTicks(low, high, count);
}

/** A scale from \`[low, high]\` to \`[start, end]\`. */
function makeScale(low, high, start, end, log) {
  const f = log ? Math.log : (v) => v;
  const a = f(low), b = f(high);
  return (v) => start + (end - start) * (f(v) - a) / (b - a);
}

/** A range that is not empty, with some air; \`air\` is a fraction of its length. */
function widen([low, high], log, air) {
  if (log) {
    if (low === high) return [low / 2, high * 2];
    const by = (high / low) ** air;
    return [low / by, high * by];
  }
  if (low === high) {
    const by = low === 0 ? 1 : Math.abs(low) * 0.1;
    return [low - by, high + by];
  }
  return [low - (high - low) * air, high + (high - low) * air];
}
/** Line charts as SVG. */

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 58, RIGHT = 14, TOP = 10, BOTTOM = 40;

/** An SVG element. */
function svgElement(name, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/**
 * A chart in \`box\`. \`update\` takes \`{ series: [{ name, x, y, colour, faint, dots, loose }], rules, markers }\`: \`colour\`
 * counts the page's colours, \`faint\` lines are thin and pale, \`dots\` marks each point, \`loose\` series do not stretch the
 * y axis to their last spike. Values that are no finite numbers are gaps.
 */
class Chart {
  constructor(box, { xLabel, yLabel, height = 300, xLog = false, yLog = false }) {
    Object.assign(this, { box, xLabel, yLabel, height, xLog, yLog, data: null, at: null });
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.hidden = true;
    this.svg = svgElement("svg", { role: "img", "aria-label": \`\${yLabel} over \${xLabel}\` });
    box.replaceChildren(this.svg, this.tip);
    this.clip = \`clip-\${Math.random().toString(36).slice(2)}\`;
    new ResizeObserver(() => this.draw()).observe(box);
    box.addEventListener("pointermove", (event) => this.hover(event.clientX - box.getBoundingClientRect().left));
    box.addEventListener("pointerleave", () => this.hover(null));
  }

  update(data) {
    this.data = data;
    this.draw();
  }

  fits(x, y) {
    return Number.isFinite(x) && Number.isFinite(y) && !(this.xLog && x <= 0) && !(this.yLog && y <= 0);
  }

  domain() {
    let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity;
    const take = (x, y, stretch) => {
      if (!this.fits(x, y)) return;
      x0 = Math.min(x0, x), x1 = Math.max(x1, x);
      if (stretch) y0 = Math.min(y0, y), y1 = Math.max(y1, y);
    };
    for (const { x, y, loose } of this.data.series) for (let i = 0; i < x.length; i++) take(x[i], y[i], !loose);
    for (const { x, y } of this.data.markers ?? []) take(x, y, true);
    for (const { x, y, loose } of this.data.series) {
      if (!loose) continue;
      const sorted = y.filter((v, i) => this.fits(x[i], v)).sort((a, b) => a - b);
      if (sorted.length === 0) continue;
      y0 = Math.min(y0, sorted[Math.floor(sorted.length * 0.02)]);
      y1 = Math.max(y1, sorted[Math.ceil(sorted.length * 0.98) - 1]);
    }
    if (x0 > x1 || y0 > y1) return null;
    return { x: x0 === x1 ? widen([x0, x1], this.xLog, 0) : [x0, x1], y: widen([y0, y1], this.yLog, 0.05) };
  }

  draw() {
    const { svg, box, height } = this, width = box.clientWidth;
    if (this.data === null || width < 80) return;
    svg.setAttribute("viewBox", \`0 0 \${width} \${height}\`);
    svg.setAttribute("height", height);
    const right = width - RIGHT, bottom = height - BOTTOM, domain = this.domain();
    const parts = [svgElement("rect", { class: "frame", x: LEFT, y: TOP, width: right - LEFT, height: bottom - TOP })];
    parts.push(this.text(LEFT + (right - LEFT) / 2, height - 5, this.xLabel, "middle", "label"));
    const name = this.text(0, 0, this.yLabel, "middle", "label");
    name.setAttribute("transform", \`translate(12 \${TOP + (bottom - TOP) / 2}) rotate(-90)\`);
    parts.push(name);
    this.scales = null;
    if (domain === null) {
      parts.push(this.text(LEFT + (right - LEFT) / 2, TOP + (bottom - TOP) / 2, "no numbers yet", "middle", "label"));
      svg.replaceChildren(...parts);
      return;
    }
    const toX = makeScale(...domain.x, LEFT + 4, right - 4, this.xLog),
      toY = makeScale(...domain.y, bottom, TOP, this.yLog);
    this.scales = { toX, toY };
    parts.push(this.axes(domain, toX, toY, right, bottom));
    const clip = svgElement("clipPath", { id: this.clip });
    clip.append(svgElement("rect", { x: LEFT, y: TOP - 4, width: right - LEFT, height: bottom - TOP + 4 }));
    const inside = svgElement("g", { "clip-path": \`url(#\${this.clip})\` });
    for (const at of this.data.rules ?? []) {
      if (at < domain.x[0] || at > domain.x[1]) continue;
      inside.append(svgElement("line", { class: "rule", x1: toX(at), x2: toX(at), y1: TOP, y2: bottom }));
    }
    for (const line of this.data.series) inside.append(...this.trace(line, toX, toY));
    for (const { x, y, colour } of this.data.markers ?? []) {
      if (!this.fits(x, y)) continue;
      inside.append(svgElement("circle", { class: "halo", cx: toX(x), cy: toY(y), r: 7 }));
      inside.append(svgElement("circle", { class: \`f\${colour}\`, cx: toX(x), cy: toY(y), r: 5 }));
    }
    this.cursor = svgElement("g", {});
    svg.replaceChildren(clip, ...parts, inside, this.cursor);
    if (this.at !== null) this.hover(this.at);
  }

  axes(domain, toX, toY, right, bottom) {
    const group = svgElement("g", { class: "grid" });
    const xs = this.xLog
      ? logTicks(...domain.x, Math.max(3, Math.floor((right - LEFT) / 46)))
      : linearTicks(...domain.x, Math.max(3, Math.floor((right - LEFT) / 90)));
    const ys = this.yLog
      ? logTicks(...domain.y, 7)
      : linearTicks(...domain.y, Math.max(2, Math.floor((bottom - TOP) / 46)));
    for (const t of xs) {
      group.append(svgElement("line", { x1: toX(t), x2: toX(t), y1: TOP, y2: bottom }));
      group.append(this.text(toX(t), bottom + 15, fmtTick(t), "middle"));
    }
    for (const t of ys) {
      const y = toY(t);
      if (y < TOP - 1 || y > bottom + 1) continue;
      group.append(svgElement("line", { x1: LEFT, x2: right, y1: y, y2: y }));
      group.append(this.text(LEFT - 7, y + 3.7, fmtTick(t), "end"));
    }
    return group;
  }

  trace({ x, y, colour, faint, dots }, toX, toY) {
    let path = "";
    const out = [], points = [];
    for (let i = 0, pen = false; i < x.length; i++) {
      if (!this.fits(x[i], y[i])) {
        pen = false;
        continue;
      }
      const px = toX(x[i]).toFixed(1), py = toY(y[i]).toFixed(1);
      const alone = !pen && !(i + 1 < x.length && this.fits(x[i + 1], y[i + 1]));
      path += \`\${pen ? "L" : "M"}\${px} \${py}\`;
      pen = true;
      if (dots || alone) points.push(svgElement("circle", { class: \`f\${colour}\`, cx: px, cy: py, r: 3 }));
    }
    if (path !== "") out.push(svgElement("path", { d: path, class: \`s\${colour}\${faint ? " faint" : ""}\` }));
    return out.concat(points);
  }

  text(x, y, content, anchor, kind = "tick") {
    const element = svgElement("text", { x, y, "text-anchor": anchor, class: kind });
    element.textContent = content;
    return element;
  }

  /** Shows the values nearest to the pointer. */
  hover(px) {
    this.at = px;
    this.cursor?.replaceChildren();
    this.tip.hidden = true;
    if (px === null || this.data === null || !this.scales) return;
    const { toX, toY } = this.scales, shown = [];
    let nearest = null;
    for (const line of this.data.series) {
      let best = -1, distance = 40;
      for (let i = 0; i < line.x.length; i++) {
        const d = Math.abs(toX(line.x[i]) - px);
        if (d < distance && this.fits(line.x[i], line.y[i])) [best, distance] = [i, d];
      }
      if (best < 0) continue;
      shown.push({ line, i: best });
      if (nearest === null || distance < nearest.distance) nearest = { x: line.x[best], distance };
    }
    if (nearest === null) return;
    const at = toX(nearest.x);
    this.cursor.append(svgElement("line", { class: "cursor", x1: at, x2: at, y1: TOP, y2: this.height - BOTTOM }));
    const row = (label, value) => {
      const div = document.createElement("div"), em = document.createElement("em"), b = document.createElement("span");
      em.textContent = label, b.textContent = value;
      div.append(em, b);
      return div;
    };
    const rows = [row(this.xLabel, fmtNumber(nearest.x, 6))];
    for (const { line, i } of shown) {
      rows.push(row(line.name, fmtNumber(line.y[i], 5)));
      this.cursor.append(
        svgElement("circle", { class: \`f\${line.colour}\`, cx: toX(line.x[i]), cy: toY(line.y[i]), r: 3.5 }),
      );
    }
    this.tip.replaceChildren(...rows);
    this.tip.hidden = false;
    const left = at + 14 + this.tip.offsetWidth > this.box.clientWidth ? at - 14 - this.tip.offsetWidth : at + 14;
    this.tip.style.transform = \`translate(\${Math.max(0, left)}px, 16px)\`;
  }
}
/** The run as the page knows it: what the server sent, put together. */

/** Points that a curve may have here before it is thinned. */
const MOST = 6000;
/** Rows of a table, likewise. */
const MOST_ROWS = 1000;

/** Keeps fits by their number, and what else was sent last. */
class Store {
  constructor() {
    this.clear();
  }

  clear() {
    Object.assign(this, {
      server: null,
      title: "",
      run: null,
      stats: null,
      before: null,
      finder: null,
      top: null,
      texts: [],
      controls: false,
    });
    this.fits = new Map();
  }

  take(message) {
    // another process on the same address: what it replaces is over
    if (message.full || message.server !== this.server) this.fits = new Map();
    if (message.stats && this.stats && message.server === this.server) {
      this.before ??= { stats: this.stats, at: this.statsAt };
    }
    Object.assign(this, { server: message.server, title: message.title, run: message.run, controls: message.controls });
    const now = performance.now();
    if (message.stats) {
      if (this.before && now - this.before.at > 2000) this.before = { stats: this.stats, at: this.statsAt };
      Object.assign(this, { stats: message.stats, statsAt: now });
    }
    if ("finder" in message) this.finder = message.finder;
    if ("top" in message) this.top = message.top;
    if ("texts" in message) this.texts = message.texts;
    for (const fit of message.fits) this.takeFit(fit);
  }

  takeFit({ id, phase, nEpoch, points, rows, iters, names }) {
    const fit = this.fits.get(id) ??
      { id, phase, nEpoch, steps: [], losses: [], raw: [], hps: {}, rows: [], iters: [], names: [] };
    this.fits.set(id, fit);
    append(fit.steps, points.steps, [[fit.losses, points.losses], [fit.raw, points.raw]]);
    for (const [name, { steps, values }] of Object.entries(points.hps)) {
      const mine = fit.hps[name] ??= { steps: [], values: [] };
      append(mine.steps, steps, [[mine.values, values]]);
    }
    fit.names = names;
    const known = fit.rows.at(-1)?.epoch ?? -1;
    rows.forEach((row, i) => {
      if (row.epoch <= known) return;
      fit.rows.push(row);
      fit.iters.push(iters[i]);
    });
    if (fit.rows.length > MOST_ROWS) {
      for (const list of [fit.rows, fit.iters]) halve(list);
    }
  }

  /** Fits that are no probe of the learning-rate finder. */
  get real() {
    return [...this.fits.values()].filter((f) => f.phase !== "probe");
  }

  /** The probe under way, or null. */
  get probe() {
    const last = [...this.fits.values()].at(-1);
    return last?.phase === "probe" ? last : null;
  }
}

/** Adds what is later than the last step: streams that start between two messages meet some points twice. */
function append(steps, more, columns) {
  const last = steps.at(-1) ?? -1;
  more.forEach((step, i) => {
    if (step <= last) return;
    steps.push(step);
    for (const [mine, theirs] of columns) mine.push(theirs[i]);
  });
  if (steps.length <= MOST) return;
  for (const list of [steps, ...columns.map(([mine]) => mine)]) halve(list);
}

/** Drops every other entry, but not the last. */
function halve(list) {
  const kept = list.filter((_, i) => i % 2 === 0 || i === list.length - 1);
  list.length = 0;
  list.push(...kept);
}
/** Draws the run into the elements of the page, whenever something came. */

const $ = (id) => document.getElementById(id);
const store = new Store();
const charts = new Map();
const view = {
  chosen: null, // number of the fit that is looked at; null follows the last
  connected: false,
  shownTop: null,
  shownTexts: null,
  waiting: false,
};

const NAMES = { fit: "fit", frozen: "frozen", unfrozen: "unfrozen", eval: "evaluation", predict: "predictions" };
const STATUS = {
  training: "Training",
  validating: "Validating",
  pausing: "Pausing…",
  paused: "Paused",
  stopping: "Stopping…",
  idle: "Idle",
};

/** How a fit ended, as text and in the page's title. */
const ENDED = { finished: "Fit finished", stopped: "Fit stopped", failed: "Fit ended by an error" };
const SIGN = { finished: "✓", stopped: "■", failed: "✗" };

function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  if (text !== "") made.textContent = text;
  if (kind !== "") made.className = kind;
  return made;
}

function chart(id, options) {
  if (!charts.has(id)) charts.set(id, new Chart($(id), options));
  return charts.get(id);
}

/** A small chart in a card of its own, made when it is first needed. */
function smallChart(parent, name, options) {
  const id = \`\${parent}-\${name}\`;
  if (!charts.has(id)) {
    const card = element("section", "", "card"), head = element("div", "", "head"), box = element("div", "", "chart");
    head.append(element("h2", name));
    card.append(head, box);
    card.dataset.name = name;
    $(parent).append(card);
    charts.set(id, new Chart(box, { height: 190, ...options }));
  }
  return charts.get(id);
}

/** Drops small charts of another fit. */
function keepOnly(parent, names) {
  for (const card of [...$(parent).children]) {
    if (names.includes(card.dataset.name)) continue;
    charts.delete(\`\${parent}-\${card.dataset.name}\`);
    card.remove();
  }
}

function current() {
  const { real } = store;
  return real.find((f) => f.id === view.chosen) ?? real.at(-1) ?? null;
}

function drawHeader() {
  const { run, title } = store, fit = store.real.at(-1);
  $("title").textContent = title || "Anneal";
  const over = run?.status === "idle" && fit !== undefined;
  let status = run?.status ?? "connecting", text = STATUS[status] ?? "Connecting";
  const outcome = run?.outcome ?? "finished";
  if (over) [status, text] = [outcome, ENDED[outcome]];
  if (store.probe && run?.status === "training") text = "Looking for a learning rate";
  if (!view.connected) {
    [status, text] = ["gone", store.server === null ? "Connecting" : over ? "Process ended" : "Connection lost"];
  }
  Object.assign($("status"), { textContent: text });
  $("status").dataset.status = status;
  const active = view.connected && run !== null && run.status !== "idle" && store.controls;
  $("pause").disabled = !active || run.status === "stopping";
  $("pause").textContent = run?.status === "paused" || run?.status === "pausing" ? "Resume" : "Pause";
  $("stop").disabled = !active || run.status === "stopping";
  for (const id of ["pause", "stop"]) $(id).hidden = !store.controls && store.server !== null;
  $("top-ask").disabled = !active;
  $("subtitle").textContent = "Anneal" + (store.stats ? \` · \${store.stats.name}\` : "");
  const pct = run === null ? 0 : run.pct * 100;
  $("progress").firstElementChild.style.width = \`\${pct}%\`;
  $("progress").setAttribute("aria-valuenow", Math.round(pct));
  const loss = fit?.losses.at(-1);
  document.title = run === null
    ? "Anneal"
    : \`\${over ? SIGN[outcome] : \`\${Math.round(pct)} %\`}\${loss == null ? "" : \` · \${fmtNumber(loss, 3)}\`} · \${
      title || "Anneal"
    }\`;
}

function drawTiles() {
  const { run } = store, fit = current();
  if (run === null) return;
  const row = fit?.rows.at(-1) ?? {};
  const tile = (label, value, small = "") => {
    const div = element("div", "", "tile"), b = element("b", value);
    if (small !== "") b.append(element("small", \` \${small}\`));
    div.append(element("span", label), b);
    return div;
  };
  const metric = (fit?.names ?? []).find((n) => !["epoch", "train_loss", "valid_loss", "time"].includes(n));
  const lr = run.hypers.at(-1)?.lr;
  const tiles = [
    tile("Epoch", fmtCount(Math.min(run.epoch + 1, run.nEpoch)), \`of \${fmtCount(run.nEpoch)}\`),
    tile(
      run.status === "validating" ? "Validation batch" : "Batch",
      fmtCount(Math.min(run.iter + 1, run.nIter)),
      \`of \${fmtCount(run.nIter)}\`,
    ),
    tile("Training loss", fmtNumber(fit?.losses.at(-1))),
    tile("Validation loss", fmtNumber(row.valid_loss)),
  ];
  if (metric !== undefined) tiles.push(tile(metric, fmtNumber(row[metric])));
  if (lr !== undefined) tiles.push(tile("Learning rate", fmtNumber(lr, 3)));
  tiles.push(tile("Time", fmtTime(run.elapsed)), tile("Time left", run.status === "idle" ? "–" : fmtTime(run.left)));
  $("tiles").replaceChildren(...tiles);
}

function drawTabs() {
  const { real } = store, shown = current();
  $("fits").hidden = real.length < 2;
  $("fits").replaceChildren(...real.map((fit, i) => {
    const tab = element(
      "button",
      \`Fit \${i + 1}\${fit.phase === "fit" ? "" : \` · \${NAMES[fit.phase] ?? fit.phase}\`}\`,
      "quiet",
    );
    tab.type = "button";
    tab.setAttribute("aria-pressed", String(fit === shown));
    tab.addEventListener("click", () => {
      view.chosen = i === real.length - 1 ? null : fit.id;
      draw();
    });
    return tab;
  }));
}

function legend(box, entries) {
  box.replaceChildren(...entries.map(({ name, colour, faint }) => {
    const span = element("span"), ns = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(ns, "svg"), line = document.createElementNS(ns, "line");
    for (const [k, v] of Object.entries({ width: 18, height: 8 })) svg.setAttribute(k, v);
    for (
      const [k, v] of Object.entries({
        x1: 0,
        x2: 18,
        y1: 4,
        y2: 4,
        class: \`s\${colour}\`,
        "stroke-width": faint ? 1 : 2.4,
      })
    ) line.setAttribute(k, v);
    svg.append(line);
    span.append(svg, name);
    return span;
  }));
}

function drawLoss() {
  const fit = current();
  if (fit === null) return chart("loss", { xLabel: "step", yLabel: "loss", height: 330 }).update({ series: [] });
  const series = [
    { name: "batch", x: fit.steps, y: fit.raw, colour: 0, faint: true, loose: true },
    { name: "training", x: fit.steps, y: fit.losses, colour: 0 },
  ];
  const valid = fit.rows.map((r) => r.valid_loss ?? null);
  if (valid.some((v) => v !== null)) {
    series.push({
      name: "validation",
      x: fit.iters.map((i) => i - 1),
      y: valid,
      colour: 1,
      dots: valid.length < 60,
    });
  }
  legend($("loss-legend"), series);
  const loss = chart("loss", { xLabel: "step", yLabel: "loss", height: 330 });
  loss.yLog = $("log").getAttribute("aria-pressed") === "true";
  loss.update({ series, rules: fit.iters.length > 60 ? [] : fit.iters.slice(0, -1).map((i) => i - 1) });
}

function drawFinder() {
  const { probe, finder } = store;
  let x = [], y = [], points = {}, reasons = {}, suggestions = {};
  if (probe !== null && probe.hps.lr && store.run?.status !== "idle") {
    const loss = new Map(probe.steps.map((s, i) => [s, probe.losses[i]]));
    probe.hps.lr.steps.forEach((s, i) => {
      if (!loss.has(s)) return;
      x.push(probe.hps.lr.values[i]);
      y.push(loss.get(s));
    });
  } else if (finder !== null) {
    const end = Math.max(2, finder.lrs.length - 5); // the last points only show how it diverged
    ({ points, reasons, suggestions } = finder);
    [x, y] = [finder.lrs.slice(0, end), finder.losses.slice(0, end)];
  }
  $("finder-card").hidden = x.length === 0;
  $("loss-card").classList.toggle("beside", x.length > 0);
  if (x.length === 0) return;
  const marks = Object.entries(points).map(([name, [lr, loss]], i) => ({ name, x: lr, y: loss, colour: i + 1 }));
  chart("finder", { xLabel: "learning rate", yLabel: "loss", xLog: true, height: 300 })
    .update({ series: [{ name: "loss", x, y, colour: 0 }], markers: marks });
  const notes = marks.map(({ name, colour }) => {
    const span = element("span"), dot = element("i", "", \`b\${colour}\`);
    span.append(dot, \`\${name} \`, element("b", fmtNumber(suggestions[name], 3)));
    return span;
  });
  for (const [name, reason] of Object.entries(reasons)) notes.push(element("span", \`\${name}: none, \${reason}\`));
  $("finder-points").replaceChildren(...notes);
}

function drawTable() {
  const fit = current();
  $("table-card").hidden = !fit || fit.rows.length === 0;
  if (!fit || fit.rows.length === 0) return;
  const { names, rows } = fit;
  const head = element("tr");
  head.append(...names.map((n) => element("th", n)));
  const least = Math.min(...rows.map((r) => r.valid_loss ?? Infinity));
  const body = rows.slice(-200).map((r) => {
    const tr = element("tr");
    for (const n of names) {
      const text = n === "epoch"
        ? String(r[n]) // as in the terminal, from 0
        : n === "time"
        ? fmtTime(r[n])
        : r[n] == null
        ? "–"
        : r[n].toFixed(6);
      tr.append(element("td", text, n === "valid_loss" && r[n] === least && rows.length > 1 ? "best" : ""));
    }
    return tr;
  });
  $("table").replaceChildren(head, ...body.reverse());
}

function drawSmall() {
  const fit = current();
  if (fit === null) return;
  const hps = Object.keys(fit.hps).filter((n) => fit.hps[n].steps.length > 0);
  keepOnly("hypers", hps);
  hps.forEach((name, i) => {
    const { steps, values } = fit.hps[name];
    smallChart("hypers", name, { xLabel: "step", yLabel: name }).update({
      series: [{ name, x: steps, y: values, colour: (i + 2) % 8 }],
      rules: fit.iters.length > 30 ? [] : fit.iters.slice(0, -1),
    });
  });
  const metrics = fit.names.filter((n) => !["epoch", "train_loss", "valid_loss", "time"].includes(n)).filter((n) =>
    fit.rows.some((r) => r[n] != null)
  );
  keepOnly("metrics", metrics);
  metrics.forEach((name, i) => {
    const x = fit.rows.map((r) => r.epoch), y = fit.rows.map((r) => r[name] ?? null);
    smallChart("metrics", name, { xLabel: "epoch", yLabel: name }).update({
      series: [{ name, x, y, colour: (i + 4) % 8, dots: x.length < 60 }],
    });
  });
}

/** What callbacks show, such as samples of a language model; as text, whatever it says. */
function drawTexts() {
  const { texts } = store;
  if (texts === view.shownTexts) return;
  view.shownTexts = texts;
  $("texts-card").hidden = texts.length === 0;
  $("texts").replaceChildren(...texts.flatMap(({ title, text }) => [element("dt", title), element("dd", text)]));
}

function drawTop() {
  const { top } = store;
  $("top-card").hidden = top === null && (store.run === null || store.run.status === "idle" || !store.controls);
  if (top === view.shownTop) return;
  view.shownTop = top;
  $("top-note").textContent = top?.note ?? "";
  $("top").replaceChildren(...(top?.items ?? []).map(({ src, title, loss }) => {
    const figure = element("figure"), img = element("img"), caption = element("figcaption", title);
    img.src = src;
    img.alt = title;
    caption.append(element("span", \`loss \${fmtNumber(loss, 3)}\`));
    figure.append(img, caption);
    return figure;
  }));
}

function drawNow() {
  const hypers = store.run?.hypers ?? [];
  $("now-card").hidden = hypers.length === 0;
  if (hypers.length === 0) return;
  const names = Object.keys(hypers[0]), head = element("tr");
  head.append(element("th", "group"), ...names.map((n) => element("th", n)));
  $("now").replaceChildren(
    head,
    ...hypers.map((h, i) => {
      const tr = element("tr");
      tr.append(
        element("td", String(i)),
        ...names.map((n) => element("td", typeof h[n] === "number" ? fmtNumber(h[n], 4) : String(h[n]))),
      );
      return tr;
    }),
  );
}

function drawDevice() {
  const { stats, before } = store;
  $("device-card").hidden = stats === null;
  if (stats === null) return;
  $("device-name").textContent = \`\${stats.device} · \${stats.name}\`;
  const seconds = before ? (store.statsAt - before.at) / 1000 : 0;
  const rate = (key) => seconds > 0.1 ? \`\${fmtCount((stats[key] - before.stats[key]) / seconds)} / s\` : "–";
  const entries = {
    "memory in use": fmtBytes(stats.liveBytes),
    "memory, most": fmtBytes(stats.peakBytes),
    "programs run": rate("runs"),
    "kernels": rate("dispatches"),
    "reads": rate("reads"),
    "programs compiled": fmtCount(stats.programs),
    "buffers made": fmtCount(stats.buffers),
  };
  $("device").replaceChildren(
    ...Object.entries(entries).map(([name, value]) => {
      const div = element("div");
      div.append(element("dt", name), element("dd", value));
      return div;
    }),
  );
}

/** Draws everything before the next frame. */
function draw() {
  if (view.waiting) return;
  view.waiting = true;
  requestAnimationFrame(() => {
    view.waiting = false;
    for (
      const part of [
        drawHeader,
        drawTiles,
        drawTabs,
        drawFinder,
        drawLoss,
        drawTable,
        drawSmall,
        drawTop,
        drawTexts,
        drawNow,
        drawDevice,
      ]
    ) part();
  });
}

/** A message has come; null: the connection is lost. */
function take(message) {
  view.connected = message !== null;
  if (message !== null) store.take(message);
  draw();
}

/** Calls \`command\` with what the buttons ask for, \`pause\`, \`resume\`, \`stop\` or \`topLosses\`. */
function onCommand(command) {
  $("pause").addEventListener("click", () => command($("pause").textContent === "Resume" ? "resume" : "pause"));
  $("stop").addEventListener("click", () => command("stop"));
  $("top-ask").addEventListener("click", () => command("topLosses"));
}

$("log").addEventListener("click", () => {
  const on = $("log").getAttribute("aria-pressed") !== "true";
  $("log").setAttribute("aria-pressed", String(on));
  draw();
});
/** The page that is served: hears the run by server-sent events, and posts what the buttons ask for. */

const stream = { source: null, lost: 0 };

/** Asked again where the connection breaks: browsers don't do that for a POST, and twice is as good as once. */
async function command(name) {
  for (let tries = 0; tries < 3; tries++) {
    try {
      return await fetch("/command", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ command: name }),
      });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

onCommand(command);

function connect() {
  if (stream.source !== null) return;
  stream.source = new EventSource("/events");
  stream.source.onmessage = (event) => {
    clearTimeout(stream.lost);
    stream.lost = 0;
    take(JSON.parse(event.data));
  };
  stream.source.onerror = () => {
    // between fits each stream ends after its one message: only a longer silence is news
    if (stream.lost === 0) {
      stream.lost = setTimeout(() => take(null), 5000);
    }
    if (stream.source.readyState !== EventSource.CLOSED) return;
    stream.source = null;
    setTimeout(connect, 2000);
  };
}
// a browser opens few connections to a server: pages in the background leave theirs to others
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return connect();
  stream.source?.close();
  stream.source = null;
});
draw();
if (!document.hidden) connect();
`;

/** `live/page.html` up to its style. */
export const START: string = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Anneal</title>
    <link rel="icon"
      href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='7' fill='%230b5cad'/%3E%3Cpath d='M5 8c5 0 5 15 12 15s6-4 10-4' fill='none' stroke='white' stroke-width='3.2' stroke-linecap='round'/%3E%3C/svg%3E">
    <style>`;

/** Between style and script. */
export const MIDDLE: string = `</style>
  </head>
  <body>
    <header>
      <div class="brand">
        <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
          <rect width="32" height="32" rx="7" class="logo" />
          <path d="M5 8c5 0 5 15 12 15s6-4 10-4" class="logo-line" />
        </svg>
        <div>
          <h1 id="title">Anneal</h1>
          <p id="subtitle">waiting for the run</p>
        </div>
      </div>
      <div class="actions">
        <span id="status" class="pill" role="status" data-status="connecting">Connecting</span>
        <button id="pause" type="button" disabled>Pause</button>
        <button id="stop" type="button" class="danger" disabled>Stop fit</button>
        <button id="theme" type="button" class="quiet" aria-label="Change between light and dark"
          title="Light or dark">◐</button>
      </div>
      <div id="progress" role="progressbar" aria-label="Training done" aria-valuemin="0"
        aria-valuemax="100"><i></i></div>
    </header>
    <main>
      <section id="tiles" class="tiles" aria-label="Where the run stands"></section>
      <nav id="fits" class="tabs" aria-label="Fits" hidden></nav>
      <section class="card wide" id="loss-card">
        <div class="head"><h2>Loss</h2><div class="legend" id="loss-legend"></div>
      <button id="log" type="button" class="quiet" aria-pressed="false">log scale</button></div>
        <div class="chart" id="loss"></div>
      </section>
      <section class="card" id="finder-card" hidden>
        <div class="head">
          <h2>Learning-rate finder</h2>
        </div>
        <div class="chart" id="finder"></div>
        <p class="points" id="finder-points"></p>
      </section>
      <section class="card wide" id="table-card" hidden>
        <div class="head">
          <h2>Epochs</h2>
        </div>
        <div class="scroll">
          <table id="table"></table>
        </div>
      </section>
      <div class="small">
        <div id="metrics"></div>
        <div id="hypers"></div>
      </div>
      <section class="card wide" id="top-card" hidden>
        <div
          class="head"><h2>Largest losses</h2><button id="top-ask" type="button" class="quiet">after this epoch</button></div>
        <div id="top" class="pictures"></div>
        <p id="top-note" class="note"></p>
      </section>
      <section class="card wide" id="texts-card" hidden>
        <div class="head">
          <h2>Written texts</h2>
        </div>
        <dl id="texts" class="texts"></dl>
      </section>
      <section class="card" id="now-card" hidden>
        <div class="head">
          <h2>Hyper-parameters now</h2>
        </div>
        <div class="scroll">
          <table id="now"></table>
        </div>
      </section>
      <section class="card" id="device-card" hidden>
        <div class="head">
          <h2>Device</h2>
        </div>
        <p id="device-name" class="note"></p>
        <dl id="device"></dl>
      </section>
    </main>
    <script>`;

/** After the script. */
export const END: string = `</script>
  </body>
</html>
`;

/** The page. */
export const PAGE: string = `${START}${STYLE}${MIDDLE}${SCRIPT}${END}`;
