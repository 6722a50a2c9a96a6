/**
 * What the package does on every host: `smoke.mjs <folder> [pictures] [webgpu]`. Prints one line of JSON; the same file runs under
 * Deno, Node and Bun.
 */
import { readFile, writeFile } from "node:fs/promises";
import {
  accuracy,
  Callback,
  Checkpoint,
  CSVLogger,
  DataLoaders,
  init,
  Learner,
  loadLearner,
  nn,
  setSeed,
  silentLogger,
  slide,
  tensor,
  valley,
} from "@anneal/anneal";

const [folder, ...wanted] = process.argv.slice(2);

/** Numbers in [0, 1), 24 bits each: a linear congruential generator. */
function numbers(n, seed) {
  const out = new Float32Array(n);
  for (let i = 0, s = seed; i < n; i++) out[i] = ((s = Math.imul(s, 1664525) + 1013904223 | 0) >>> 8) / 2 ** 24;
  return out;
}

/** Pictures of 8 x 8, of four kinds: one of the quarters is brighter. */
function pictures(n, seed) {
  const x = numbers(n * 64, seed), y = Int32Array.from({ length: n }, (_, i) => (i * 7 + seed) % 4);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < 16; k++) x[i * 64 + (y[i] >> 1) * 32 + (y[i] & 1) * 4 + (k >> 2) * 8 + (k & 3)] += 0.35;
  }
  return { x: { data: x, shape: [n, 1, 8, 8] }, y: { data: y, shape: [n] } };
}

/** The bits of numbers as f32. */
function bitsOf(values) {
  return [...new Uint32Array(new Float32Array(values).buffer)].map((bits) => bits.toString(16).padStart(8, "0")).join(
    "",
  );
}

function makeLearner(cbs = []) {
  setSeed(7);
  const own = pictures(384, 1), other = pictures(96, 2);
  const dls = DataLoaders.fromArrays({ ...own, xValid: other.x, yValid: other.y }, { bs: 16, seed: 3 });
  const model = new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1 }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(128, 256),
    new nn.GELU(),
    new nn.Linear(256, 4),
  );
  const lossFunc = new nn.CrossEntropyLoss();
  return new Learner(dls, model, { lossFunc, metrics: [accuracy], cbs, logger: silentLogger });
}

class StopAfter extends Callback {
  constructor(batches) {
    super();
    this.batches = batches;
  }
  afterBatch() {
    if (this.learn.training && --this.batches === 0) throw new Error("the power went");
  }
}

async function train(threads) {
  await init({ device: "cpu", threads, native: false });
  const learn = makeLearner();
  const found = await learn.lrFind({ numIt: 24, suggestFuncs: [valley, slide] });
  await learn.fitOneCycle(2, { lrMax: 5e-3 });
  return { bits: bitsOf([found.valley ?? NaN, found.slide ?? NaN, ...learn.recorder.rawLosses]), learn };
}

const out = { tests: {} };
const { bits: alone } = await train(1);
const { bits, learn } = await train(2);
out.bits = bits;
out.tests["one thread gives the bits of two"] = alone === bits;

// a run that was cut off goes on, with the bits of one that was not
const dir = `${folder}/run`;
const fit = (cbs, options) => {
  const learner = makeLearner(cbs);
  return learner.fitOneCycle(2, { lrMax: 5e-3, ...options }).then(() => learner);
};
const whole = await fit([]);
const cut = await fit([new Checkpoint({ dir, everySteps: 5 }), new StopAfter(17)]).then(
  () => null,
  (error) => error.message,
);
const resumed = await fit([new Checkpoint({ dir, everySteps: 5 })], { resume: true });
out.tests["a run that was cut off goes on"] = cut?.startsWith("the power went") &&
  bitsOf(resumed.recorder.rawLosses.slice(-7)) === bitsOf(whole.recorder.rawLosses.slice(-7));

await learn.save(`${folder}/model`);
const other = makeLearner();
await other.load(`${folder}/model`);
const x = tensor(pictures(4, 9).x.data, { shape: [4, 1, 8, 8] });
const predict = async (model) => (model.eval(), bitsOf(await model.forward(x).data()));
out.tests["weights are saved and loaded"] = await predict(other.model) === await predict(learn.model);
await learn.export(`${folder}/learner.safetensors`);
const exported = await loadLearner(`${folder}/learner.safetensors`);
out.tests["a learner is exported and loaded"] = await predict(exported.model) === await predict(learn.model);

await fit([new CSVLogger({ fname: `${folder}/history.csv` })]);
out.tests["the history is a table"] = (await readFile(`${folder}/history.csv`, "utf8")).split("\n")[0].startsWith(
  "epoch,",
);
const rows = [
  "size,colour,price",
  ...Array.from({ length: 60 }, (_, i) => `${i},${i % 2 ? "red" : "blue"},${2 * i + i % 2}`),
];
await writeFile(`${folder}/table.csv`, rows.join("\n"));
const table = await DataLoaders.fromCsv(`${folder}/table.csv`, { target: "price", bs: 8, seed: 1 });
out.tests["a table is read from a file"] = table.train.length > 0;

if (wanted.includes("pictures")) {
  const { ImageDataLoaders, Resize } = await import("@anneal/anneal/vision");
  await learn.recorder.plotLoss().save(`${folder}/losses.png`);
  const png = await readFile(`${folder}/losses.png`);
  out.tests["a plot is a PNG"] = png.length > 1000 && png.subarray(1, 4).toString() === "PNG";
  await import("node:fs").then(({ mkdirSync }) =>
    ["a", "b"].forEach((name) => mkdirSync(`${folder}/images/${name}`, { recursive: true }))
  );
  for (let i = 0; i < 8; i++) await writeFile(`${folder}/images/${i % 2 ? "a" : "b"}/${i}.png`, png);
  const images = await ImageDataLoaders.fromFolder(`${folder}/images`, {
    itemTfms: [new Resize(16)],
    bs: 2,
    validPct: 0.25,
    seed: 1,
  });
  out.tests["image files are decoded"] = (await images.oneBatch()).xb.shape.join() === "2,3,16,16";
}

if (wanted.includes("webgpu")) {
  const { create } = await import("webgpu");
  const { name } = await init({ gpu: create([]) });
  out.adapter = name;
  const onGpu = makeLearner();
  await onGpu.fitOneCycle(2, { lrMax: 5e-3 });
  const rest = onGpu.recorder.rawLosses.map((loss, i) => Math.abs(loss - whole.recorder.rawLosses[i]));
  out.tests["WebGPU learns what the CPU does"] = rest.length === 48 && Math.max(...rest) < 1e-3;
}
console.log(JSON.stringify(out));
