/** Draws the run into the elements of the page, whenever something came. */
import { Chart } from "./chart.js";
import { fmtBytes, fmtCount, fmtNumber, fmtTime } from "./format.js";
import { Store } from "./store.js";

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
  const id = `${parent}-${name}`;
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
    charts.delete(`${parent}-${card.dataset.name}`);
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
  $("subtitle").textContent = "Anneal" + (store.stats ? ` · ${store.stats.name}` : "");
  const pct = run === null ? 0 : run.pct * 100;
  $("progress").firstElementChild.style.width = `${pct}%`;
  $("progress").setAttribute("aria-valuenow", Math.round(pct));
  const loss = fit?.losses.at(-1);
  document.title = run === null
    ? "Anneal"
    : `${over ? SIGN[outcome] : `${Math.round(pct)} %`}${loss == null ? "" : ` · ${fmtNumber(loss, 3)}`} · ${
      title || "Anneal"
    }`;
}

function drawTiles() {
  const { run } = store, fit = current();
  if (run === null) return;
  const row = fit?.rows.at(-1) ?? {};
  const tile = (label, value, small = "") => {
    const div = element("div", "", "tile"), b = element("b", value);
    if (small !== "") b.append(element("small", ` ${small}`));
    div.append(element("span", label), b);
    return div;
  };
  const metric = (fit?.names ?? []).find((n) => !["epoch", "train_loss", "valid_loss", "time"].includes(n));
  const lr = run.hypers.at(-1)?.lr;
  const tiles = [
    tile("Epoch", fmtCount(Math.min(run.epoch + 1, run.nEpoch)), `of ${fmtCount(run.nEpoch)}`),
    tile(
      run.status === "validating" ? "Validation batch" : "Batch",
      fmtCount(Math.min(run.iter + 1, run.nIter)),
      `of ${fmtCount(run.nIter)}`,
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
      `Fit ${i + 1}${fit.phase === "fit" ? "" : ` · ${NAMES[fit.phase] ?? fit.phase}`}`,
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
        class: `s${colour}`,
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
    const span = element("span"), dot = element("i", "", `b${colour}`);
    span.append(dot, `${name} `, element("b", fmtNumber(suggestions[name], 3)));
    return span;
  });
  for (const [name, reason] of Object.entries(reasons)) notes.push(element("span", `${name}: none, ${reason}`));
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
    caption.append(element("span", `loss ${fmtNumber(loss, 3)}`));
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
  $("device-name").textContent = `${stats.device} · ${stats.name}`;
  const seconds = before ? (store.statsAt - before.at) / 1000 : 0;
  const rate = (key) => seconds > 0.1 ? `${fmtCount((stats[key] - before.stats[key]) / seconds)} / s` : "–";
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
export function draw() {
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
export function take(message) {
  view.connected = message !== null;
  if (message !== null) store.take(message);
  draw();
}

/** Calls `command` with what the buttons ask for, `pause`, `resume`, `stop` or `topLosses`. */
export function onCommand(command) {
  $("pause").addEventListener("click", () => command($("pause").textContent === "Resume" ? "resume" : "pause"));
  $("stop").addEventListener("click", () => command("stop"));
  $("top-ask").addEventListener("click", () => command("topLosses"));
}

$("log").addEventListener("click", () => {
  const on = $("log").getAttribute("aria-pressed") !== "true";
  $("log").setAttribute("aria-pressed", String(on));
  draw();
});
