/** Line charts as SVG. */
import { fmtNumber, fmtTick } from "./format.js";
import { linearTicks, logTicks, makeScale, widen } from "./scale.js";

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 58, RIGHT = 14, TOP = 10, BOTTOM = 40;

/** An SVG element. */
export function svgElement(name, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/**
 * A chart in `box`. `update` takes `{ series: [{ name, x, y, colour, faint, dots, loose }], rules, markers }`: `colour`
 * counts the page's colours, `faint` lines are thin and pale, `dots` marks each point, `loose` series do not stretch the
 * y axis to their last spike. Values that are no finite numbers are gaps.
 */
export class Chart {
  constructor(box, { xLabel, yLabel, height = 300, xLog = false, yLog = false }) {
    Object.assign(this, { box, xLabel, yLabel, height, xLog, yLog, data: null, at: null });
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.hidden = true;
    this.svg = svgElement("svg", { role: "img", "aria-label": `${yLabel} over ${xLabel}` });
    box.replaceChildren(this.svg, this.tip);
    this.clip = `clip-${Math.random().toString(36).slice(2)}`;
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
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    const right = width - RIGHT, bottom = height - BOTTOM, domain = this.domain();
    const parts = [svgElement("rect", { class: "frame", x: LEFT, y: TOP, width: right - LEFT, height: bottom - TOP })];
    parts.push(this.text(LEFT + (right - LEFT) / 2, height - 5, this.xLabel, "middle", "label"));
    const name = this.text(0, 0, this.yLabel, "middle", "label");
    name.setAttribute("transform", `translate(12 ${TOP + (bottom - TOP) / 2}) rotate(-90)`);
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
    const inside = svgElement("g", { "clip-path": `url(#${this.clip})` });
    for (const at of this.data.rules ?? []) {
      if (at < domain.x[0] || at > domain.x[1]) continue;
      inside.append(svgElement("line", { class: "rule", x1: toX(at), x2: toX(at), y1: TOP, y2: bottom }));
    }
    for (const line of this.data.series) inside.append(...this.trace(line, toX, toY));
    for (const { x, y, colour } of this.data.markers ?? []) {
      if (!this.fits(x, y)) continue;
      inside.append(svgElement("circle", { class: "halo", cx: toX(x), cy: toY(y), r: 7 }));
      inside.append(svgElement("circle", { class: `f${colour}`, cx: toX(x), cy: toY(y), r: 5 }));
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
      path += `${pen ? "L" : "M"}${px} ${py}`;
      pen = true;
      if (dots || alone) points.push(svgElement("circle", { class: `f${colour}`, cx: px, cy: py, r: 3 }));
    }
    if (path !== "") out.push(svgElement("path", { d: path, class: `s${colour}${faint ? " faint" : ""}` }));
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
        svgElement("circle", { class: `f${line.colour}`, cx: toX(line.x[i]), cy: toY(line.y[i]), r: 3.5 }),
      );
    }
    this.tip.replaceChildren(...rows);
    this.tip.hidden = false;
    const left = at + 14 + this.tip.offsetWidth > this.box.clientWidth ? at - 14 - this.tip.offsetWidth : at + 14;
    this.tip.style.transform = `translate(${Math.max(0, left)}px, 16px)`;
  }
}
