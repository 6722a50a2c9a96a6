/**
 * What a run keeps: predictions need no data, and runs that failed at once leave nothing.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import sharp from "sharp";
import { loadLearner, silentLogger } from "../../mod.ts";
import { ConfigError, DataError } from "../../src/base/errors.ts";
import { exportRun, type PredictionLine, predictRun, validateRun } from "../../src/cli/inspect.ts";
import { main } from "../../src/cli/main.ts";
import { checkRecipe } from "../../src/cli/recipe/check.ts";
import { trainRecipe } from "../../src/cli/train.ts";
import { openSafetensors } from "../../src/io/safetensors.ts";
import { smallData } from "./support.ts";

function test(name: string, fn: (folder: string) => Promise<void>): void {
  Deno.test({
    name,
    sanitizeOps: false, // the device lives for the whole process
    sanitizeResources: false,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        await fn(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

async function train(folder: string, text: string, set: readonly string[] = [], out = "run"): Promise<string> {
  const file = join(folder, "r.yaml"), run = join(folder, out);
  await Deno.writeTextFile(file, text);
  await trainRecipe(checkRecipe(file, text, [...set, "device=cpu"]), file, { logger: silentLogger, out: run });
  return run;
}

const ask = async (run: string, ...inputs: string[]) =>
  await predictRun(run, inputs, [], silentLogger) as readonly PredictionLine[];

const TABLE = `data: { kind: csv, file: t.csv, target: y, numeric: [x], categorical: [c] }
model: { kind: tabular, layers: [8] }
policy: { kind: oneCycle, epochs: 8, lrMax: 0.05 }
seed: 1
`;
const table = (first: string) =>
  "x,c,y\n" + Array.from({ length: 90 }, (_, i) => `${i / 10},${"pq"[i % 2]},${i < 30 ? first : i < 60 ? "m" : "n"}`)
    .join("\n") +
  "\n";

test("a table's run predicts the same whatever becomes of its file, and validates with the same data only", async (folder) => {
  const file = join(folder, "t.csv");
  await Deno.writeTextFile(file, table("b"));
  const run = await train(folder, TABLE);
  const before = await ask(run, "x=1", "c=p");
  assertEquals(before[0].prediction, "b");
  const measured = await validateRun(run, silentLogger);
  const same = async (what: string) => assertEquals(await ask(run, "x=1", "c=p"), before, what);
  for (
    const [what, text] of [
      ["odd rows appended", table("b") + "900,p,n\n".repeat(50)],
      ["a class has another name", table("z")],
      ["a class more", table("b") + "1,p,c\n".repeat(20)],
      ["a word more", table("b") + "1,zz,b\n".repeat(20)],
    ]
  ) {
    await Deno.writeTextFile(file, text);
    await same(what);
    await assertRejects(() => validateRun(run, silentLogger), DataError, "the data have changed since training", what);
  }
  await Deno.writeTextFile(file, table("b"));
  assertEquals(await validateRun(run, silentLogger), measured);
  await Deno.remove(file);
  await same("the file is gone");
  const [exported] = await exportRun(run, join(folder, "model"), {}, silentLogger);
  const learn = await loadLearner(exported, { logger: silentLogger });
  assertEquals((await learn.predict({ x: 1, c: "p" })).label, "b");
  await assertRejects(() => validateRun(run, silentLogger), DataError, "there is no such file");
});

test("a run of pictures keeps its classes, and one bad file of many does not stop the others", async (folder) => {
  const png = (file: string, [r, g, b]: readonly number[]) =>
    sharp({ create: { width: 16, height: 16, channels: 3, background: { r, g, b } } }).png().toFile(file);
  for (const [name, colour] of [["blue", [0, 0, 220]], ["red", [220, 0, 0]]] as const) {
    await Deno.mkdir(join(folder, "p", name), { recursive: true });
    for (let i = 0; i < 8; i++) await png(join(folder, "p", name, `${i}.png`), colour);
  }
  const run = await train(
    folder,
    "data: { kind: images, path: p, size: 16, validPct: 0.25, bs: 4 }\nmodel: { kind: simpleCnn, channels: [8] }\n" +
      "policy: { kind: oneCycle, epochs: 6, lrMax: 0.05 }\nseed: 1\n",
  );
  const { names, info } = await openSafetensors(join(run, "model.safetensors"));
  assertEquals(
    names.filter((n) => n.endsWith("0.weight")).map((n) => info(n).shape[0]),
    [8],
    "channels are the recipe's",
  );
  const red = join(folder, "q.png"), bad = join(folder, "bad.png"), none = join(folder, "none.png");
  await png(red, [220, 0, 0]);
  await Deno.writeTextFile(bad, "no picture");
  const [line] = await ask(run, red);
  assertEquals(line.prediction, "red");
  await Deno.rename(join(folder, "p", "red"), join(folder, "p", "apple"));
  assertEquals(await ask(run, red), [line]);
  await Deno.remove(join(folder, "p"), { recursive: true });
  const lines = await predictRun(run, [bad, red, none, red], [], silentLogger);
  assertEquals(lines.map((l) => "error" in l), [true, false, true, false]);
  assert("error" in lines[0] && lines[0].error.includes(bad) && !lines[0].error.includes("no such file"));
  assertEquals(lines.slice(1, 2), [line]);
  const log = console.log, error = console.error, out: string[] = [], notes: string[] = [];
  console.log = (text: string) => void out.push(text);
  console.error = (text: string) => void notes.push(text);
  try {
    assertEquals(await main(["predict", run, bad, red]), 1, "the exit code says that one failed");
    assertEquals(await main(["predict", run, red]), 0);
  } finally {
    console.log = log;
    console.error = error;
  }
  assertEquals([out.length, notes.length], [2, 1]);
});

test("a run that failed before its first step leaves its folder free", async (folder) => {
  await Deno.writeTextFile(join(folder, "t.csv"), table("b"));
  const run = join(folder, "run");
  for (const set of ["data.file=none.csv", "loss=mse", "metrics=[r2Score]", "metrics=[topKAccuracy]"]) {
    await assertRejects(() => train(folder, TABLE, [set]));
    await assertRejects(() => Deno.stat(run), Deno.errors.NotFound, undefined, set);
  }
  // fails in the first step, when the run has begun
  await Deno.writeTextFile(
    join(folder, "model.ts"),
    `import { nn } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
export default class extends nn.Module { layer = new nn.Linear(1, 3); constructor() { super(); }
  forward(_c, x) { if (this.training) throw new Error("no training today"); return this.layer.forward(x); } }
export const make = () => new (class extends nn.Module { layer = new nn.Linear(1, 3);
  forward(_c, x) { if (this.training) throw new Error("no training today"); return this.layer.forward(x); } })();`,
  );
  await Deno.mkdir(run);
  await Deno.writeTextFile(join(run, "notes.txt"), "mine");
  await assertRejects(
    () => train(folder, TABLE, ["model={ kind: module, file: model.ts, export: make }"]),
    Error,
    "no training",
  );
  assertEquals([...Deno.readDirSync(run)].map(({ name }) => name), ["notes.txt"], "what was there stays");
  assertEquals((await ask(await train(folder, TABLE), "x=1", "c=p"))[0].prediction, "b");
});

test("losses and metrics that do not fit the task are refused by name before anything is written", async (folder) => {
  const small = await smallData();
  const recipe = (more: string) =>
    "data: { kind: arrays, file: small.safetensors, xValid: xValid, yValid: yValid, bs: 16 }\nmodel: { kind: mlp }\n" +
    "policy: { kind: fit, epochs: 1 }\n" + more;
  const values = recipe("").replace("xValid: xValid, yValid: yValid", "y: x");
  for (
    const [text, what] of [
      [recipe("metrics: [r2Score]\n"), "r2Score: the data has 2 classes"],
      [recipe("metrics: [accuracyMulti]\n"), "accuracyMulti: the data has 2 classes"],
      [recipe("metrics: [topKAccuracy]\n"), "the data has 2 classes"],
      [recipe("loss: huber\n"), "loss huber: the data has 2 classes"],
      [values + "metrics: [accuracy]\n", "accuracy: the data has values, not classes"],
      [values + "loss: focal\n", "loss focal: the data has values, not classes"],
      [values + "loss: bceWithLogits\nmetrics: [rocAuc]\n", "each item has 6 answers"],
    ]
  ) {
    await assertRejects(() => train(small, text), ConfigError, what);
    await assertRejects(() => Deno.stat(join(small, "run")), Deno.errors.NotFound);
  }
  await Deno.remove(small, { recursive: true });
  void folder;
});

test("arrays: predictions for the items of a file, without the data", async (folder) => {
  const small = await smallData();
  const text = await Deno.readTextFile(join(small, "small.yaml"));
  const run = await train(small, text);
  const items = await predictRun(run, [], ["0", "5"], silentLogger) as PredictionLine[];
  const data = join(folder, "new.safetensors");
  await Deno.rename(join(small, "small.safetensors"), data);
  const lines = await ask(run, data);
  assertEquals(lines.length, 96);
  assertEquals(items.map((l) => l.input), ["item 0", "item 5"]);
  await assertRejects(
    () => ask(run, "a.png"),
    ConfigError,
    "data of kind arrays takes a .safetensors, .npz or .npy file",
  );
  assertEquals("error" in (await ask(run, join(folder, "none.safetensors")))[0], true);
  await Deno.remove(small, { recursive: true });
});

test("command lines that cannot be followed name the argument and leave files alone", async (folder) => {
  await Deno.writeTextFile(
    join(folder, "t.csv"),
    "x,y\n" + Array.from({ length: 40 }, (_, i) => `${i / 7},${"ab"[i % 2]}`).join("\n"),
  );
  const run = await train(
    folder,
    "data: { kind: csv, file: t.csv, target: y }\nmodel: { kind: tabular, layers: [4] }\npolicy: { kind: fit, epochs: 1 }\n",
  );
  const recipe = join(folder, "r.yaml"), taken = join(folder, "t.csv");
  const tries: [string[], string][] = [
    [["predict", run, "x=1", "x=2"], "Cannot predict for x=1 x=2: column x is given twice"],
    [
      ["train", recipe, "--live", "abc", "--out", join(folder, "b")],
      "Cannot use --live abc: the port is a whole number",
    ],
    [["train", recipe, "--live", "70000", "--out", join(folder, "b")], "Cannot use --live 70000"],
    [["train", recipe, "--out", taken], `Cannot make the folder ${taken}: a file lies in its place`],
    [
      ["train", recipe, "--out", join(taken, "run")],
      `Cannot make the folder ${join(taken, "run")}: a file lies in its`,
    ],
    [["export", run, taken], `Cannot make the folder ${taken}: a file lies in its place`],
  ];
  const { error } = console, text = await Deno.readTextFile(taken);
  const said: string[] = [];
  console.error = (line: string) => void said.push(line);
  try {
    for (const [args, told] of tries) {
      said.length = 0;
      assertEquals(await main(args), 2, args.join(" "));
      assert(said.join("\n").includes(told), `${args.join(" ")}: ${said.join("\n")}`);
    }
  } finally {
    console.error = error;
  }
  assertEquals(await Deno.readTextFile(taken), text);
});

test("a full standard output costs a run nothing, and is the error of a prediction", async (folder) => {
  await Deno.writeTextFile(
    join(folder, "t.csv"),
    "x,y\n" + Array.from({ length: 40 }, (_, i) => `${i / 7},${"ab"[i % 2]}`).join("\n"),
  );
  await Deno.writeTextFile(
    join(folder, "r.yaml"),
    "data: { kind: csv, file: t.csv, target: y }\nmodel: { kind: tabular, layers: [4] }\npolicy: { kind: fit, epochs: 1 }\ndevice: cpu\n",
  );
  const anneal = async (command: string) => {
    const cli = `'${Deno.execPath()}' run -A --no-check --config deno.json src/cli/main.ts ${command}`;
    const { code, stderr } = await new Deno.Command("sh", { args: ["-c", `${cli} > /dev/full`] }).output();
    return { code, text: new TextDecoder().decode(stderr).trim() };
  };
  const run = join(folder, "run"), trained = await anneal(`train '${folder}/r.yaml' --out '${run}'`);
  assertEquals(trained.code, 0, trained.text);
  assertEquals(trained.text.split("\n").length, 1, trained.text);
  const predicted = await anneal(`predict '${run}' x=1`);
  assertEquals(predicted.code, 1);
  assert(/^Cannot write to standard output: [^\n]*$/.test(predicted.text), predicted.text);
  const [made] = await predictRun(run, [folder], [], silentLogger);
  assert("error" in made);
});

test("a folder of images is told how its images are given", async (folder) => {
  for (const [label, r] of [["red", 200], ["dark", 20]] as const) {
    await Deno.mkdir(join(folder, "p", label), { recursive: true });
    for (let i = 0; i < 4; i++) {
      await sharp({ create: { width: 8, height: 8, channels: 3, background: { r, g: i, b: 0 } } })
        .png().toFile(join(folder, "p", label, `${i}.png`));
    }
  }
  const run = await train(
    folder,
    "data: { kind: images, path: p, size: 8, validPct: 0.25, bs: 4 }\nmodel: { kind: simpleCnn, channels: [4] }\npolicy: { kind: fit, epochs: 1 }\n",
  );
  const [told, one] = await predictRun(run, [join(folder, "p"), join(folder, "p/red/0.png")], [], silentLogger);
  assert("error" in told && told.error.endsWith(`it is a folder; give its images, as in ${join(folder, "p", "*")}`));
  assert("prediction" in one);
});
