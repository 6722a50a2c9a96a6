/**
 * Logs that programs read: JSON lines, TensorBoard's event files.
 *
 * @module
 */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { Checkpoint, InterruptCallback, JsonLines, type Learner, silentLogger, TensorBoard } from "../../mod.ts";
import { synthLearner } from "../../testing.ts";
import { onDevices } from "../support/devices.ts";
import { tempDir } from "../support/temp.ts";

const here = { kinds: ["cpu"] } as const;

/** A program that reads a folder of event files with TensorBoard's own package and prints what it found. */
const READER = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
acc = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0})
acc.Reload()
tags = acc.Tags()
print(json.dumps({
  "scalars": {tag: [[e.step, e.value] for e in acc.Scalars(tag)] for tag in tags["scalars"]},
  "images": {tag: [[e.step, e.width, e.height, e.encoded_image_string[1:4].decode()] for e in acc.Images(tag)] for tag in tags["images"]},
}))
`;

async function python(...args: string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command("python3", { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout) : null;
  } catch {
    return null; // there is no python3
  }
}

const hasTensorBoard = await python("-c", "import tensorboard") !== null;

interface Found {
  readonly scalars: Record<string, [step: number, value: number][]>;
  readonly images: Record<string, [step: number, width: number, height: number, format: string][]>;
}

/** Trains four epochs, cut short after two and gone on with if \`cut\`; gives the learner that ended it. */
async function fitted(path: string, cut: boolean): Promise<Learner> {
  const make = () => synthLearner({ seed: 3, path, logger: silentLogger });
  const cbs = () => [new JsonLines(), new TensorBoard(), new Checkpoint({ dir: "checkpoints", everyEpochs: 1 })];
  if (cut) {
    // two epochs are in the logs and in the checkpoint, and half of the third in neither
    await (await make()).fitOneCycle(4, { cbs: [...cbs(), new InterruptCallback(2)] });
  }
  const learn = await make();
  await learn.fitOneCycle(4, { cbs: cbs(), resume: cut });
  return learn;
}

Deno.test({
  name: hasTensorBoard
    ? "TensorBoard reads what was written"
    : "TensorBoard reads what was written (needs the Python package tensorboard)",
  ignore: !hasTensorBoard,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    for (const cut of [false, true]) {
      const path = tempDir();
      const { recorder } = await fitted(path, cut);
      const found: Found = JSON.parse((await python("-c", READER, join(path, "tensorboard")))!);
      const steps = recorder.losses.length;
      assertEquals(
        found.scalars["batch/loss"].map(([step]) => step),
        Array.from({ length: steps }, (_, i) => i),
        `cut: ${cut}`,
      );
      found.scalars["batch/loss"].forEach(([, value], i) => assertEquals(value, Math.fround(recorder.losses[i])));
      found.scalars["batch/lr"].forEach(([, value], i) => assertEquals(value, Math.fround(recorder.hps.lr[i])));
      assertEquals(
        found.scalars["epoch/valid_loss"].map(([, v]) => v),
        recorder.rows.map((r) => Math.fround(r.valid_loss!)),
      );
      assertEquals(Object.keys(found.images).sort(), ["losses", "schedule"]);
      const [[, width, height, format]] = found.images.losses;
      assert(width > 300 && height > 200 && format === "PNG");
    }
  },
});

Deno.test({
  name: hasTensorBoard
    ? "TensorBoard reads two fits, the second of which was cut short twice"
    : "TensorBoard reads two fits, the second of which was cut short twice (needs the Python package tensorboard)",
  ignore: !hasTensorBoard,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const path = tempDir();
    const run = async (after: number | null) => {
      const learn = await synthLearner({ seed: 3, path, logger: silentLogger });
      const board = new TensorBoard({ pictures: false }); // one for both fits: their steps follow each other
      const cbs = [board, new Checkpoint({ dir: "checkpoints", everySteps: 3 })];
      await learn.fitOneCycle(2, { cbs, resume: true });
      const cut = after === null ? [] : [new InterruptCallback(after)];
      await learn.fitFlatCos(3, { cbs: [...cbs, ...cut], resume: true });
      return learn.recorder;
    };
    await run(1);
    await run(2);
    const { losses, history } = await run(null);
    const found: Found = JSON.parse((await python("-c", READER, join(path, "tensorboard")))!);
    const steps = history[0].losses.length + losses.length;
    assertEquals(found.scalars["batch/loss"].map(([step]) => step), Array.from({ length: steps }, (_, i) => i));
    const last = found.scalars["batch/loss"].slice(-losses.length).map(([, value]) => value);
    assertEquals(last, [...losses].map(Math.fround));
  },
});

/** Records of an event file: the frames are checked by length alone. */
async function records(folder: string): Promise<Uint8Array[]> {
  const out: Uint8Array[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const bytes = await Deno.readFile(join(folder, name)), view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length;) {
      const n = Number(view.getBigUint64(at, true));
      out.push(bytes.subarray(at + 12, at + 12 + n));
      at += 16 + n;
    }
  }
  return out;
}

onDevices("event files hold a version, a record a batch, one an epoch, and pictures", async () => {
  const path = tempDir();
  const learn = await fitted(path, false);
  const all = await records(join(path, "tensorboard"));
  assertEquals(all.length, 1 + learn.recorder.losses.length + 4 + 2);
  assert(new TextDecoder().decode(all[0]).endsWith("brain.Event:2"));
  // what the format's own test has: the masked checksum of a record's length, here of 24 bytes
  const file = (await Array.fromAsync(Deno.readDir(join(path, "tensorboard"))))[0].name;
  const head = await Deno.readFile(join(path, "tensorboard", file));
  assertEquals(new DataView(head.buffer).getBigUint64(0, true), 24n);
  assertEquals([...head.subarray(8, 12)], [0xa3, 0x7f, 0x4b, 0x22]);
}, here);

onDevices("JSON lines: a line a fit and an epoch, none twice where a run goes on", async () => {
  const paths = [tempDir(), tempDir()];
  const learn = await fitted(paths[0], false);
  await fitted(paths[1], true);
  const [whole, cut] = await Promise.all(paths.map(async (path) => {
    const lines = (await Deno.readTextFile(join(path, "log.jsonl"))).trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line)).map(({ at, time: _time, ...rest }) => {
      assert(!Number.isNaN(Date.parse(at)));
      return rest;
    });
  }));
  assertEquals(whole.map(({ event }) => event), ["fit", "epoch", "epoch", "epoch", "epoch", "end"]);
  whole.filter(({ event }) => event === "epoch").forEach((line, i) => {
    assertEquals(line.valid_loss, learn.recorder.rows[i].valid_loss);
  });
  assertAlmostEquals(whole[4].hypers.lr, learn.recorder.hps.lr.at(-1)!, 0);
  assertEquals(cut, whole);
}, here);

onDevices("a line of JSON that was cut, by a kill or by the power, costs that line and no other", async () => {
  const path = tempDir(), file = join(path, "log.jsonl");
  const run = () => synthLearner({ seed: 1, path, logger: silentLogger, cbs: new JsonLines() }).fit(1);
  const whole = async () => (await Deno.readTextFile(file)).trimEnd().split("\n").map((line) => JSON.parse(line));
  await run();
  const before = await Deno.readTextFile(file);
  for (
    const [left, lines] of [["", 3], ['{"at', 3], ['{"at":"2026-01-01T00:00:00.000Z","event":"ep', 3], [
      '{"mine":1}',
      4,
    ]] as const
  ) {
    await Deno.writeTextFile(file, before + left);
    await run();
    assertEquals((await whole()).length, lines + 3, left);
  }
}, here);

onDevices("a log that is shorter than it was at the checkpoint goes on in a line of its own", async () => {
  const path = tempDir(), file = join(path, "log.jsonl"), dir = join(path, "run");
  const run = (cbs: InterruptCallback[]) =>
    synthLearner({ seed: 1, path, logger: silentLogger }).fit(4, {
      cbs: [new JsonLines(), new Checkpoint({ dir, onSignal: "ignore" }), ...cbs],
      resume: true,
    });
  await run([new InterruptCallback(2)]);
  const text = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, text.slice(0, text.length / 2)); // as after a power cut: it was not flushed
  await run([]);
  for (const line of (await Deno.readTextFile(file)).trimEnd().split("\n")) JSON.parse(line);
}, here);
