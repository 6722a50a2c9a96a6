/**
 * Runs of the command line.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { accuracy, Adam, DataLoaders, init, Learner, loadLearner, nn, setSeed, silentLogger } from "../../mod.ts";
import { main } from "../../src/cli/main.ts";
import { openSafetensors } from "../../src/io/safetensors.ts";
import { smallArrays, smallData } from "./support.ts";
import { tempDir } from "../support/temp.ts";

interface Ran {
  readonly code: number;
  /** Lines on standard output. */
  readonly lines: readonly string[];
  /** Lines on standard error. */
  readonly notes: readonly string[];
}

/** Runs a command in this process. */
async function anneal(...args: string[]): Promise<Ran> {
  const lines: string[] = [], notes: string[] = [];
  const log = console.log, error = console.error;
  console.log = (text: string) => void lines.push(text);
  console.error = (text: string) => void notes.push(text);
  try {
    return { code: await main(args), lines, notes };
  } finally {
    console.log = log;
    console.error = error;
  }
}

/** Runs a command in a process of its own. */
async function spawned(
  args: readonly string[],
  { during, flags = ["-A"] }: { during?: (child: Deno.ChildProcess) => Promise<void>; flags?: readonly string[] } = {},
): Promise<Ran> {
  const entry = fromFileUrl(new URL("../../src/cli/main.ts", import.meta.url));
  const config = fromFileUrl(new URL("../../deno.json", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, "--no-check", "--config", config, entry, ...args],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  await during?.(child);
  const { code, stdout, stderr } = await output;
  const text = (bytes: Uint8Array): string[] => new TextDecoder().decode(bytes).trimEnd().split("\n");
  return { code, lines: text(stdout), notes: text(stderr) };
}

function test(name: string, fn: () => Promise<void>): void {
  // the device lives for the whole process
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

async function entries(run: string): Promise<Record<string, unknown>[]> {
  const text = await Deno.readTextFile(join(run, "log.jsonl"));
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

test("a run equals the same run through the API, bit for bit", async () => {
  const folder = await smallData(), run = join(folder, "run");
  const { code, notes } = await anneal("train", join(folder, "small.yaml"), "--out", run, "--json");
  assertEquals(code, 0, notes.join("\n"));

  await init({ device: "cpu" });
  const dls = DataLoaders.fromArrays(smallArrays(), { bs: 16, seed: 7 });
  setSeed(7);
  const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(6, 8), new nn.ReLU(), new nn.Linear(8, 2));
  const learn = new Learner(dls, model, {
    lossFunc: new nn.CrossEntropyLoss(),
    metrics: [accuracy],
    optFunc: Adam.with({ wd: 0.01 }),
    logger: silentLogger,
  });
  await learn.fitOneCycle(2, { lrMax: 1e-2 });

  const file = await openSafetensors(join(run, "model.safetensors"));
  for (const [name, value] of model.stateDict()) {
    assertEquals(Array.from((await file.tensor(name)).data), Array.from(await value.data()), name);
  }
  const recorded = JSON.parse(await Deno.readTextFile(join(run, "recorder.json")));
  assertEquals(recorded.losses, [...learn.recorder.losses]);
  for (const name of ["recipe.yaml", "run.json", "history.csv", "log.jsonl", "losses.png", "schedule.png"]) {
    assert((await Deno.stat(join(run, name))).size > 100, name);
  }
  const facts = JSON.parse(await Deno.readTextFile(join(run, "run.json")));
  assert(facts.finished !== null && facts.environment.deno === Deno.version.deno && facts.environment.device !== "");
});

test("validate, predict, plot, export and resume take the run's folder", async () => {
  const folder = await smallData(), run = join(folder, "run");
  const trained = await anneal("train", join(folder, "small.yaml"), "--out", run, "--json");
  assertEquals([trained.code, trained.lines.length], [0, 1], trained.notes.join("\n")); // nothing but the object
  const row = JSON.parse(trained.lines[0]).rows.at(-1);
  const validated = JSON.parse((await anneal("validate", run, "--json")).lines[0]);
  assertEquals([validated.valid_loss, validated.accuracy], [row.valid_loss, row.accuracy]);

  const items = Array.from({ length: 32 }, (_, i) => ["--item", String(i)]).flat();
  const predicted = await anneal("predict", run, ...items, "--json");
  const { yValid } = smallArrays();
  const all: { prediction: string }[] = JSON.parse(predicted.lines[0]);
  const right = all.filter(({ prediction }, i) => Number(prediction) === yValid.data[i]).length;
  assertEquals(Math.fround(right / 32), Math.fround(row.accuracy));

  const picture = join(folder, "s.png");
  assertEquals((await anneal("plot", run, "--what", "schedule", "--out", picture)).code, 0);
  assert((await Deno.stat(picture)).size > 1000);
  const exported = join(folder, "model");
  assertEquals((await anneal("export", run, exported)).code, 0);
  const loaded = await loadLearner(join(exported, "model.safetensors"), { logger: silentLogger });
  const { xValid } = smallArrays();
  const first = await loaded.predict({ data: xValid.data.subarray(0, 6), shape: [6] });
  assertEquals(first.label, all[0].prediction);
  const again = await anneal("resume", run, "--json");
  assertEquals(again.code, 0, again.notes.join("\n"));
  assertEquals(await Deno.readFile(join(exported, "model.safetensors")), await modelOf(run));
});

/** The weights alone, as export writes them. */
async function modelOf(run: string): Promise<Uint8Array> {
  const out = tempDir();
  assertEquals((await anneal("export", run, out)).code, 0);
  return await Deno.readFile(join(out, "model.safetensors"));
}

test("what is drawn of a run has all of its fits", async () => {
  const folder = await smallData(), recipe = join(folder, "small.yaml"), run = join(folder, "run");
  const text = await Deno.readTextFile(recipe);
  const policies =
    "policy:\n  - { kind: fineTune, epochs: 2, freezeEpochs: 1 }\n  - { kind: fit, epochs: 1, lr: 0.01 }\n";
  await Deno.writeTextFile(recipe, text.replace(/^policy:.*\n( .*\n)*/m, policies));
  const { code, notes } = await anneal("train", recipe, "--out", run, "--json");
  assertEquals(code, 0, notes.join("\n"));
  const { losses, iters, ends, hps, rows } = JSON.parse(await Deno.readTextFile(join(run, "recorder.json")));
  const perEpoch = iters[0];
  assertEquals(iters, [1, 2, 3, 4].map((n) => n * perEpoch));
  assertEquals(ends, [1, 3, 4].map((n) => n * perEpoch));
  assertEquals([losses.length, rows.length, hps.lr.length, hps.mom.length], [
    4 * perEpoch,
    4,
    4 * perEpoch,
    4 * perEpoch,
  ]);
  assertEquals(hps.lr.slice(3 * perEpoch), Array(perEpoch).fill(0.01)); // the last fit has no schedule
  assertEquals([hps.mom[0] === null, hps.mom.at(-1)], [false, null]);
  const history = (await Deno.readTextFile(join(run, "history.csv"))).trimEnd().split("\n");
  assertEquals(history.map((line) => line.split(",")[0]), ["epoch", "0", "0", "1", "0"]);
  const picture = join(folder, "losses.svg");
  assertEquals((await anneal("plot", run, "--out", picture)).code, 0);
  assertEquals((await anneal("plot", run, "--what", "schedule", "--out", picture)).code, 0);
});

test("a picture that may not be drawn costs no run", async () => {
  const folder = await smallData(), run = join(folder, "run");
  const flags = ["--no-prompt", "--allow-read", "--allow-env", `--allow-write=${folder}`];
  const { code, lines, notes } = await spawned(["train", join(folder, "small.yaml"), "--out", run], { flags });
  assertEquals(code, 0, notes.join("\n"));
  const missing = lines.filter((line) => /^(losses|schedule)\.png is missing: NotCapable: Requires /.test(line));
  assertEquals(missing.length, 2, lines.join("\n"));
  assert(JSON.parse(await Deno.readTextFile(join(run, "run.json"))).finished !== null);
});

test("Ctrl-C saves, tells how to go on, and the run goes on to the same end", async () => {
  const folder = await smallData(), recipe = join(folder, "small.yaml");
  const whole = join(folder, "whole"), cut = join(folder, "cut");
  const set = ["--set", "policy.epochs=40", "--set", "callbacks.tensorBoard="];
  assertEquals((await anneal("train", recipe, "--out", whole, ...set)).code, 0);
  const during = async (child: Deno.ChildProcess): Promise<void> => {
    const log = join(cut, "history.csv");
    while ((await Deno.readTextFile(log).catch(() => "")).split("\n").length < 4) {
      await new Promise((r) => setTimeout(r, 5));
    }
    child.kill("SIGINT");
  };
  const stopped = await spawned(["train", recipe, "--out", cut, ...set], { during });
  assertEquals(stopped.code, 130, [...stopped.lines, ...stopped.notes].join("\n"));
  assertEquals(stopped.notes, [`Interrupted by SIGINT and saved; go on with: anneal resume ${cut}`]); // and nothing else
  assert(!stopped.lines.some((line) => /interrupted|error/i.test(line)), stopped.lines.join("\n"));
  const before = await entries(cut);
  assert(before.length < 40);
  const resumed = await anneal("resume", cut);
  assertEquals(resumed.code, 0, resumed.notes.join("\n"));
  assertEquals(await modelOf(cut), await modelOf(whole));
  const rows = async (run: string) => (await entries(run)).map(({ at: _at, time: _time, ...rest }) => rest);
  assertEquals(await rows(cut), await rows(whole));
});

test("--budget saves, prints one line of results, and the run goes on to the same end", async () => {
  const folder = await smallData(), recipe = join(folder, "small.yaml");
  const whole = join(folder, "whole"), cut = join(folder, "cut");
  const set = ["--set", "policy.epochs=6"];
  assertEquals((await anneal("train", recipe, "--out", whole, ...set)).code, 0);
  const stopped = await anneal("train", recipe, "--out", cut, ...set, "--budget", "0.000001s");
  assertEquals([stopped.code, stopped.lines.length], [0, 1], stopped.lines.join("\n"));
  const { seconds, checkpoint, rows, ...result } = JSON.parse(stopped.lines[0]);
  assertEquals(result, { finished: false, reason: "budget", out: cut, epoch: 0, valid_loss: null });
  assertEquals([seconds > 0, rows, checkpoint.startsWith(cut)], [true, [], true]);
  const resumed = await anneal("resume", cut, "--budget", "1h");
  assertEquals([resumed.code, resumed.lines.length], [0, 1], resumed.lines.join("\n"));
  const end = JSON.parse(resumed.lines[0]);
  assertEquals([end.finished, end.epoch, end.valid_loss], [true, 6, end.rows.at(-1).valid_loss]);
  assertEquals(await modelOf(cut), await modelOf(whole));
  for (const budget of ["5", "m", "-5m", "0s", "5 minutes", "1d", ""]) {
    const wrong = await anneal("train", recipe, "--budget", budget);
    assertEquals([budget, wrong.code], [budget, 2]);
    assertStringIncludes(wrong.notes.join("\n"), "as in 30s, 5m or 1.5h");
  }
});

test("exit codes and messages say what happened", async () => {
  const folder = await smallData(), recipe = join(folder, "small.yaml");
  for (const name of ["train", "resume", "lr-find", "validate", "predict", "plot", "export", "devices", "doctor"]) {
    const help = await spawnedHelp(name);
    assert(help.includes(`Example:\n  $ anneal ${name}`), help);
  }
  const wrong = await anneal("train", recipe, "--set", "policy.epoch=1");
  assertEquals([wrong.code, wrong.notes[0].includes("did you mean epochs?")], [2, true]);
  const none = await anneal("train", join(folder, "none.yaml"));
  assertEquals([none.code, none.notes[0].includes("none.yaml")], [2, true]);
  const lost = await anneal("train", recipe, "--set", "data.file=none.safetensors", "--out", join(folder, "a"));
  assertEquals([lost.code, lost.notes[0].includes("none.safetensors")], [1, true], lost.notes.join("\n"));
  assertEquals((await anneal("validate", folder)).code, 2);
  assertEquals((await anneal("train", recipe, "--out", join(folder, "b"), "--json")).code, 0);
  const twice = await anneal("train", recipe, "--out", join(folder, "b"));
  assertEquals([twice.code, twice.notes[0].includes("anneal resume")], [2, true]);
  const doctor = await anneal("doctor", "--json");
  assertEquals([doctor.code, JSON.parse(doctor.lines[0]).length > 3], [0, true]);
  assert(JSON.parse((await anneal("devices", "--json")).lines[0]).processors > 0);
});

async function spawnedHelp(name: string): Promise<string> {
  const { makeProgram } = await import("../../src/cli/program.ts");
  let text = "";
  const program = makeProgram();
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeOut: (t) => void (text += t), writeErr: (t) => void (text += t) });
  }
  await program.parseAsync([name, "--help"], { from: "user" }).catch(() => {}); // help ends by throwing
  return text;
}

test("lr-find draws the curve", async () => {
  const folder = await smallData(), picture = join(folder, "lr.png");
  const { code, lines, notes } = await anneal("lr-find", join(folder, "small.yaml"), "--out", picture, "--json");
  assertEquals(code, 0, notes.join("\n"));
  assertEquals(Object.keys(JSON.parse(lines[0]).suggestions), ["valley", "slide", "minimum", "steep"]);
  assert((await Deno.stat(picture)).size > 1000);
});
