/**
 * Callbacks that only report never cost a run: full disks, closed pipes, missing permissions.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import * as api from "../../mod.ts";
import * as liveEntry from "../../src/entry/live.ts";
import { DeviceError } from "../../src/base/errors.ts";
import { Callback, CancelFit, EVENTS, type Handled, Output, Progress } from "../../src/train/mod.ts";
import { synthLearner, VerboseCallback } from "../../testing.ts";
import { onDevices } from "../support/devices.ts";

const here = { kinds: ["cpu"] } as const;

type Maker = new () => Callback;

/** Every class of callbacks that `mod.ts` exports, and the progress that each learner has, if it needs no arguments. */
const classes: Maker[] = [...Object.values(api), ...Object.values(liveEntry), Progress, VerboseCallback].flatMap(
  (value) => {
    if (typeof value !== "function" || !(value.prototype instanceof Callback)) return [];
    try {
      new (value as Maker)();
      return [value as Maker];
    } catch {
      return []; // wants arguments
    }
  },
);
const reporting = [...new Set(classes)].filter((kind) => new kind().reportsOnly);

Deno.test("the callbacks that show and write are those that only report", () => {
  const names = reporting.map((kind) => kind.name).sort();
  const all = "ActivationStats CSVLogger JsonLines LivePage Progress SampleText ShowGraph TensorBoard VerboseCallback";
  assertEquals(names, all.split(" "));
});

/** A callback of a kind that fails at an event. */
function failing(kind: Maker, at: string, fail: () => Handled): { cb: Callback; after: () => number } {
  const cb = new kind();
  let failed = false, after = 0;
  Object.defineProperty(cb, "handle", {
    value: (event: string) => {
      if (failed) after++;
      if (event !== at) return;
      failed = true;
      return fail();
    },
  });
  return { cb, after: () => after };
}

/** A learner with its own progress taken away, and the lines that it writes. */
function told() {
  const lines: string[] = [];
  const learn = synthLearner({ seed: 1, logger: { line: (text) => void lines.push(text) } });
  learn.removeCb(Progress);
  return { learn, lines };
}

const weights = async (learn: api.Learner) =>
  (await Promise.all(learn.model.parameters().map((p) => p.data()))).map((a) => [...a]);

const FIT_EVENTS = EVENTS.filter((event) => event !== "afterCreate" && !event.startsWith("afterCancel"));

for (const kind of reporting) {
  if (kind.name === "SampleText") continue; // takes learners of texts only, see tests/text/sample_test.ts
  onDevices(`an error in ${kind.name}, at any event, is told once and costs no fit`, async () => {
    const plain = told();
    await plain.learn.fit(2);
    const right = await weights(plain.learn);
    for (const event of FIT_EVENTS) {
      for (const later of [false, true]) {
        const { learn, lines } = told();
        const error = new Deno.errors.NotCapable("Requires sys access, run again with --allow-sys\n  at somewhere");
        const { cb, after } = failing(kind, event, () => {
          if (later) return Promise.reject(error);
          throw error;
        });
        await learn.fit(2, { cbs: cb });
        assertEquals(await weights(learn), right, event);
        const where = `${kind.name} stopped in ${event}, and the run goes on without it: `;
        assertEquals(lines, [`${where}NotCapable: Requires sys access, run again with --allow-sys`]);
        assertEquals(after(), 0);
        await learn.fit(1, { cbs: cb }); // another fit, another chance
        assertEquals(lines.length, 2);
      }
    }
  }, here);

  onDevices(`cancels and faults of the device pass through ${kind.name}`, async () => {
    const { learn } = told();
    const stop = () => {
      throw new CancelFit("enough");
    };
    await learn.fit(3, { cbs: failing(kind, "beforeEpoch", stop).cb });
    assertEquals(learn.recorder.rows.length, 0);
    const { cb } = failing(kind, "afterEpoch", () => Promise.reject(new DeviceError("the device is lost")));
    await assertRejects(() => learn.fit(1, { cbs: cb }), DeviceError, "the device is lost");
  }, here);
}

onDevices(
  "a full disk under logs, a folder that cannot be made: the fit, and the best weights, are there",
  async () => {
    const dir = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${dir}/file`, "");
      const cases: [string, Callback][] = [
        ...(Deno.build.os === "linux"
          ? [
            ["/dev", new api.CSVLogger({ fname: "full" })] as [string, Callback],
            ["/dev", new api.CSVLogger({ fname: "full", append: true })] as [string, Callback],
          ]
          : []),
        [`${dir}/file`, new api.CSVLogger()],
        [`${dir}/file`, new api.JsonLines()],
        [dir, new api.TensorBoard({ dir: `${dir}/file/events` })],
        [dir, new api.ShowGraph({ path: `${dir}/file/losses.svg` })],
      ];
      for (const [path, cb] of cases) {
        const lines: string[] = [];
        const learn = synthLearner({ seed: 1, path, modelDir: dir, logger: { line: (text) => void lines.push(text) } });
        await learn.fit(2, { cbs: [cb, new api.SaveModel({ fname: "best" })] });
        assertEquals(lines.filter((line) => line.startsWith(`${cb.name} stopped in `)).length, 1, lines.join("\n"));
        const best = Math.min(...learn.recorder.rows.map((row) => row.valid_loss!));
        assertEquals((await learn.validate())[0], best);
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
  here,
);

onDevices("a logger that throws costs no fit", async () => {
  const dir = await Deno.makeTempDir();
  const complaints = Deno.stderr.writeSync;
  let said = "";
  Deno.stderr.writeSync = (bytes) => (said += new TextDecoder().decode(bytes), bytes.length);
  try {
    const line = () => {
      throw new Error("gone");
    };
    const learn = synthLearner({ seed: 1, path: dir, logger: { line } });
    const cbs = [new api.SaveModel(), new api.ShowGraph(), new VerboseCallback(), new api.EarlyStopping()];
    await learn.fit(3, { cbs });
    assertEquals(learn.recorder.rows.length, 3);
    assert(said.includes("Progress stopped in beforeFit, and the run goes on without it: gone\n"), said);
    assert(said.includes("Better model found at epoch 0"), said);
  } finally {
    Deno.stderr.writeSync = complaints;
    await Deno.remove(dir, { recursive: true });
  }
}, here);

Deno.test("a run goes on when the reader of its output goes away", async () => {
  const script = `
    import { synthLearner } from ${JSON.stringify(import.meta.resolve("../../testing.ts"))};
    import { SaveModel } from ${JSON.stringify(import.meta.resolve("../../mod.ts"))};
    const learn = synthLearner({ seed: 1, path: Deno.args[0] });
    await learn.fit(60, { cbs: new SaveModel() });
    console.error("epochs", learn.recorder.rows.length);`;
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(`${dir}/script.ts`, script);
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", config, `${dir}/script.ts`, dir],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  await child.stdout.cancel();
  const stderr = await new Response(child.stderr).text();
  assertEquals((await child.status).code, 0, stderr);
  const [first, last, ...more] = stderr.trimEnd().split("\n");
  assert(/^Cannot write to standard output \(.+\): the run goes on without it$/.test(first), stderr);
  assertEquals([last, more], ["epochs 60", []]);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("text waits for a slow reader, in order, and a reader that is gone is told of once", async () => {
  let out = "", room = 5, gone = false;
  const lost: unknown[] = [];
  const sink = {
    writeSync(bytes: Uint8Array): number {
      if (gone) throw new Deno.errors.BrokenPipe("Broken pipe");
      if (room === 0) throw new Deno.errors.WouldBlock("try again");
      const n = Math.min(room, bytes.length, 3);
      out += new TextDecoder().decode(bytes.subarray(0, n));
      room -= n;
      return n;
    },
  };
  const output = new Output(sink, (error) => lost.push(error));
  output.write("one\n");
  output.write("two\n");
  assertEquals(out, "one\nt");
  room = 1;
  output.write("three\n");
  assertEquals(out, "one\ntw");
  const flushed = output.flush();
  room = 100;
  await flushed;
  assertEquals(out, "one\ntwo\nthree\n");
  gone = true;
  output.write("four\n");
  output.write("five\n");
  await output.flush();
  assertEquals([out, lost.length], ["one\ntwo\nthree\n", 1]);
});
