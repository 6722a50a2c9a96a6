/** The page: a form that starts runs in the worker, and the live page's own curves. */
import { packFolder, startEngine, unpackFolder } from "../../src/entry/browser.ts"; // "@anneal/anneal/browser"
import "../../live/theme.js";
import { onCommand, take } from "../../live/view.js";
import { fmtNumber } from "../../live/format.js";
import { changed, startDrawing } from "./draw.js";
import { forgetRun, savedRun, saveRun } from "./saved_run.js";

const $ = (id) => document.getElementById(id);
const FIELDS = ["epochs", "pictures", "bs", "lr"];
/** Folder of the run in the origin's own files; its checkpoints are in `run`. */
const FOLDER = "digits";

let engine = null, onDevice = null, busy = false, run = await savedRun(FOLDER);
/** Whether the net of the saved run is the one in the worker. */
let atHand = false;

function say(text, bad = false) {
  $("said").textContent = text;
  $("said").className = bad ? "bad" : "";
}

/** The engine, on the device that the form says. */
async function engineOn(device) {
  if (onDevice === device) return engine;
  engine?.close();
  onDevice = null;
  atHand = false;
  engine = await startEngine(new Worker("/js/train.js", { type: "module" }));
  engine.on("message", (data) => {
    document.body.dataset.run = "shown";
    take(data.live);
  });
  const name = await engine.run("open", device);
  onDevice = device;
  $("subtitle").textContent = `Anneal · ${name}`;
  return engine;
}

function settings() {
  return { ...Object.fromEntries(FIELDS.map((id) => [id, Number($(id).value)])), seed: 1 };
}

function fillIn(values) {
  for (const id of FIELDS) if (values[id] !== undefined) $(id).value = values[id];
}

/** What can be done now. */
function showState() {
  for (const id of [...FIELDS, "where", "find", "train", "continue", "download", "upload"]) $(id).disabled = busy;
  $("continue").hidden = busy || run === null || run.done && atHand;
  $("continue").textContent = run?.done ? "Open the saved net" : "Continue the saved run";
  for (const id of ["download", "terminal"]) $(id).hidden = run === null;
}

/** Does one thing at a time, and says how it went. */
async function act(doing, body) {
  if (busy) return;
  busy = true;
  showState();
  say(doing);
  try {
    say(await body(await engineOn($("where").value)));
  } catch (error) {
    if (error.name === "InterruptedError") say("Stopped. What was done is saved: continue whenever you like.");
    else say(`${error.name}: ${error.message}`, true);
    if (error.name === "DeviceError") onDevice = null; // lost: the next run opens it anew, and a saved one goes on
  } finally {
    busy = false;
    showState();
    changed();
  }
}

function showSuggestions(found) {
  const names = ["valley", "slide"].filter((name) => found[name] !== null && found[name] !== undefined);
  $("suggestions").hidden = false;
  $("suggestions").replaceChildren(
    names.length > 0 ? "Take a suggestion:" : "The curve has no suggestion: it is too flat.",
    ...names.map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `${name} ${fmtNumber(found[name], 3)}`;
      button.addEventListener("click", () => {
        $("lr").value = String(Number(found[name].toPrecision(3)));
        say(`The learning rate is ${$("lr").value} now.`);
      });
      return button;
    }),
  );
}

const ended = (row) => row === undefined ? "" : ` Accuracy on the test pictures: ${(100 * row.accuracy).toFixed(2)} %.`;

async function train(engine, resume) {
  const argument = { settings: run.settings, dir: `${FOLDER}/run`, resume };
  const row = await engine.run("train", argument);
  atHand = true;
  run = { ...run, done: true };
  await saveRun(FOLDER, run);
  return `Trained.${ended(row)} Now draw a digit.`;
}

$("find").addEventListener("click", () => {
  if (!$("setup").reportValidity()) return;
  act("Trying learning rates…", async (engine) => {
    const found = await engine.run("find", settings());
    showSuggestions(found);
    return "The curve is below; take a suggestion, or choose yourself.";
  });
});
$("setup").addEventListener("submit", (event) => {
  event.preventDefault();
  act("Training…", async (engine) => {
    await forgetRun(FOLDER);
    run = { settings: settings(), done: false };
    await saveRun(FOLDER, run);
    return await train(engine, false);
  });
});
$("continue").addEventListener("click", () => {
  fillIn(run.settings);
  act(run.done ? "Opening…" : "Going on…", (engine) => train(engine, true));
});
$("download").addEventListener("click", async () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await packFolder(FOLDER));
  link.download = "digits.tar";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
});
$("upload").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", async () => {
  const [file] = $("file").files;
  $("file").value = "";
  if (file === undefined || busy) return;
  try {
    await forgetRun(FOLDER);
    await unpackFolder(file, FOLDER);
    run = await savedRun(FOLDER);
    atHand = false;
    say(
      run === null ? "There are no settings in it: it is no run of this page." : "It is here: continue it.",
      run === null,
    );
  } catch (error) {
    run = null;
    say(`${error.name}: ${error.message}`, true);
  }
  showState();
});
onCommand((live) => engine?.post({ live }));
startDrawing({
  recognise: async (picture) => engine === null ? null : await engine.run("recognise", picture),
  takeSample: async () => await (await engineOn($("where").value)).run("sample"),
});

/** Devices that there are: a GPU first, but one that the CPU imitates last. */
async function listDevices() {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null) ?? null;
  const threads = crossOriginIsolated ? navigator.hardwareConcurrency : 1;
  const options = [["cpu", `CPU, ${threads} ${threads === 1 ? "thread" : "threads"}`]];
  if (adapter !== null) {
    const slow = adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false;
    options.splice(slow ? 1 : 0, 0, ["webgpu", slow ? "WebGPU, by software" : "WebGPU"]);
  }
  $("where").replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  return adapter === null ? " There is no WebGPU here: the CPU computes." : "";
}

const note = await listDevices();
const query = new URLSearchParams(location.search); // such as ?device=cpu&pictures=2000&epochs=1
fillIn(Object.fromEntries(query));
if (query.has("device") && [...$("where").options].some((o) => o.value === query.get("device"))) {
  $("where").value = query.get("device");
}
$("status").textContent = "Idle";
$("status").dataset.status = "idle";
$("title").textContent = "Handwritten digits";
$("subtitle").textContent = "Anneal in the browser";
showState();
say(run === null ? `Ready.${note}` : `A run is saved here, ${run.done ? "done" : "not done"}.${note}`);
