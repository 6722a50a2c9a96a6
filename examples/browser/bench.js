/** The page of the benchmark: libraries in workers of their own take turns, on the visitor's own device. */
import "../../live/theme.js";
import { sizeOf, titleOf, unitOf } from "../../bench/workloads.ts";
import { cellsOf, COLUMNS, markdownOf } from "./bench_table.ts";

const $ = (id) => document.getElementById(id);
const CONTENDERS = [["Anneal", "anneal"], ["jax-js", "jax"], ["TensorFlow.js", "tfjs"]];
const WORKLOADS = ["mlp64", "cnn", "mm1024"];
/** Milliseconds without an answer after which a library has failed; compilers of kernels take their time. */
const PATIENCE_MS = 120_000;
/** Blocks that may be too short, one after the other, while they are made longer. */
const MOST_SHORT = 60;

let stopped = null;
const results = [];

function element(name, text = "") {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

/** One library in a worker; `ask` resolves to its answer, and throws what went wrong. */
class Contender {
  constructor(script) {
    this.worker = new Worker(script, { type: "module" });
  }

  /** The next answer, after `message` if there is one. */
  ask(message) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer for ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
      const end = (f, value) => {
        clearTimeout(timer);
        f(value);
      };
      this.worker.onmessage = ({ data }) =>
        data.failed === undefined ? end(resolve, data) : end(reject, new Error(data.failed));
      this.worker.onerror = (event) => {
        event.preventDefault();
        end(reject, new Error(event.message || "its module does not load"));
      };
      if (message !== undefined) this.worker.postMessage(message);
    });
  }

  /** Steps a second, of a block that is long enough to count. */
  async block() {
    for (let tries = 0; tries < MOST_SHORT; tries++) {
      const { rate } = await this.ask({ ask: "block" });
      if (rate > 0) return rate;
    }
    throw new Error("no block took long enough to be timed");
  }
}

/** Bundles a library on the server, where that was not done yet. */
async function prepare(key) {
  const { failed } = await (await fetch(`/bench/prepare/${key}`)).json();
  if (failed !== null) throw new Error(failed);
}

function show() {
  const head = element("tr");
  head.append(...COLUMNS.map((name) => element("th", name)));
  const body = results.flatMap((result, i) => {
    const tr = element("tr");
    tr.append(...cellsOf(result, results).map((text) => element("td", text)));
    if (results[i - 1]?.workload === result.workload) return [tr];
    const title = element("tr"), th = element("th", titleOf(result.workload));
    Object.assign(th, { colSpan: COLUMNS.length, scope: "rowgroup" });
    title.append(th);
    return [title, tr];
  });
  $("results").replaceChildren(head, ...body);
  $("markdown").value = markdownOf(results, facts);
  $("result-card").hidden = results.length === 0;
}

let facts = [];

/** What the figures depend on. */
async function factsOf(device) {
  const adapter = device === "webgpu" ? await navigator.gpu?.requestAdapter() : null;
  const { vendor = "", architecture = "", description = "" } = adapter?.info ?? {};
  const gpu = [vendor, architecture, description].filter((s) => s !== "").join(" ");
  return [
    `Training in the browser, ${new Date().toISOString().slice(0, 10)}: medians of ${$("rounds").value} rounds.`,
    `${
      device === "webgpu" ? `WebGPU: ${gpu || "an adapter that does not say its name"}` : "CPU"
    }; ${navigator.hardwareConcurrency} threads; ${navigator.userAgent}`,
  ];
}

/** All rounds of one workload. */
async function measure(workload, device, { rounds, secs, warm }, onStep) {
  const scale = unitOf(workload) === "GFLOP/s" ? 2e-9 * sizeOf(workload) ** 3 : 1;
  const taking = [];
  for (const [runner, key] of CONTENDERS) {
    const result = { workload, runner, backend: device, rates: [], check: [], failed: "" };
    results.push(result);
    taking.push({ runner, key, result, contender: null });
  }
  const attempt = async (one, what, body) => {
    if (stopped.signal.aborted || one.result.failed !== "") return;
    onStep(`${titleOf(workload)}: ${one.runner} ${what}`);
    try {
      await body(one);
    } catch (error) {
      one.result.failed = error.message || String(error);
      one.result.rates = [];
      one.contender?.worker.terminate();
    }
    show();
  };
  try {
    for (const one of taking) {
      await attempt(one, "is made ready", async () => {
        await prepare(one.key);
        one.contender = new Contender(`/bench/js/${one.key}/bench_${one.key}.js`);
        await one.contender.ask();
        const { backend, check } = await one.contender.ask({ ask: "make", workload, device, secs });
        Object.assign(one.result, { backend, check });
        const end = performance.now() + warm * 1000;
        do await one.contender.ask({ ask: "block" }); while (performance.now() < end);
      });
    }
    for (let round = 0; round < rounds; round++) {
      for (const one of taking) {
        await attempt(one, `is timed, round ${round + 1} of ${rounds}`, async () => {
          one.result.rates.push(scale * await one.contender.block());
        });
      }
    }
  } finally {
    taking.forEach(({ contender }) => contender?.worker.terminate());
    for (const { result } of taking) {
      if (result.rates.length === 0 && result.failed === "") result.failed = "stopped before it was timed";
    }
    show();
  }
}

function setStatus(text, status) {
  $("status").textContent = text;
  $("status").dataset.status = status;
}

const query = new URLSearchParams(location.search); // such as ?device=cpu&workloads=mlp64&rounds=3
$("setup").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (stopped !== null) return;
  stopped = new AbortController();
  const device = $("where").value;
  const chosen = WORKLOADS.filter((name) => $(`take-${name}`).checked);
  const options = {
    rounds: Number($("rounds").value),
    secs: Number($("secs").value),
    warm: Number(query.get("warm") ?? 1),
  };
  results.length = 0;
  facts = await factsOf(device);
  $("run").disabled = true;
  $("stop").disabled = false;
  setStatus("Measuring", "training");
  let steps = 0;
  const all = chosen.length * CONTENDERS.length * (1 + options.rounds);
  const onStep = (text) => {
    $("said").textContent = `${text}…`;
    $("progress").firstElementChild.style.width = `${100 * steps++ / all}%`;
  };
  for (const workload of chosen) {
    if (!stopped.signal.aborted) await measure(workload, device, options, onStep);
  }
  const cut = stopped.signal.aborted;
  $("progress").firstElementChild.style.width = cut ? "0" : "100%";
  setStatus(cut ? "Stopped" : "Done", cut ? "stopped" : "finished");
  $("said").textContent = chosen.length === 0
    ? "Choose a workload."
    : cut
    ? "Stopped."
    : "Done: the table can be copied.";
  $("run").disabled = false;
  $("stop").disabled = true;
  stopped = null;
});
$("stop").addEventListener("click", () => stopped?.abort());
$("copy").addEventListener("click", async () => {
  const text = $("markdown");
  try {
    await navigator.clipboard.writeText(text.value);
    $("said").textContent = "Copied.";
  } catch {
    text.focus();
    text.select();
    $("said").textContent = "The page must not write to the clipboard: the text is selected, copy it.";
  }
});

for (const name of WORKLOADS) {
  const label = element("label"), box = element("input");
  box.type = "checkbox";
  box.id = `take-${name}`;
  box.checked = query.get("workloads")?.split(",").includes(name) ?? true;
  label.append(box, ` ${titleOf(name)}`);
  $("workloads").append(label);
}
for (const id of ["rounds", "secs"]) if (query.has(id)) $(id).value = query.get(id);
const gpu = await navigator.gpu?.requestAdapter().catch(() => null) ?? null;
$("where").replaceChildren(...(gpu === null ? [] : [new Option("WebGPU", "webgpu")]), new Option("CPU", "cpu"));
if ([...$("where").options].some((option) => option.value === query.get("device"))) {
  $("where").value = query.get("device");
}
$("said").textContent = gpu === null ? "There is no WebGPU here: the CPU computes." : "Ready.";
$("run").disabled = false;
