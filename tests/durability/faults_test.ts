import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { CheckpointError } from "../../src/base/errors.ts";
import { Checkpoint } from "../../src/fit/mod.ts";
import { checkpointNumbers, checkpointPath } from "../../src/io/checkpoint_files.ts";
import { Callback } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { train } from "./process.ts";
import { bitsOf, Crash, netLearner, stateful } from "./support.ts";

async function inFolder(body: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await body(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("SIGINT and SIGTERM finish the step, save, and say how to go on", () =>
  inFolder(async (root) => {
    const wanted = join(root, "wanted"), got = join(root, "got"), dir = join(root, "run");
    assertEquals((await train(join(root, "whole"), wanted)).code, 0);
    for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      const ended = await train(dir, got, { signal, afterMs: 30 });
      assertEquals(ended.code, code, ended.text + ended.errors);
      const [, path] = /Interrupted by SIG\w+: saved (\S+); run the script again with resume: true/.exec(ended.text) ??
        [];
      assertEquals(path, checkpointPath(dir, (await checkpointNumbers(dir))[0]));
    }
    const last = await train(dir, got);
    assert(last.text.includes("Going on from"), last.text);
    assertEquals(await Deno.readTextFile(got), await Deno.readTextFile(wanted));
  }));

Deno.test("on a full disk training goes on, the last good checkpoint stays, and the end says what failed", () =>
  inFolder(async (root) => {
    const wanted = join(root, "wanted"), got = join(root, "got"), dir = join(root, "run");
    assertEquals((await train(join(root, "whole"), wanted)).code, 0);
    // files of more than 12 KiB cannot be written: the recorder's arrays outgrow that in the middle of the first fit
    const full = await train(dir, got, { limit: "trap '' XFSZ; ulimit -f 12" });
    assert(full.text.includes("Cannot save a checkpoint"), full.text + full.errors);
    assert(full.text.includes("Training goes on; the last good one is "), full.text);
    assert(/CheckpointError: Cannot save a checkpoint in .*; the last good one is /.test(full.errors), full.errors);
    const names = [...Deno.readDirSync(dir)].map((e) => e.name);
    assert(!names.some((n) => n.startsWith(".tmp-")), names.join());
    const again = await train(dir, got);
    assert(again.text.includes("Going on from"), again.text);
    assertEquals(await Deno.readTextFile(got), await Deno.readTextFile(wanted));
  }));

onDevices("a directory that cannot be written stops the fit before it trains", () =>
  inFolder(async (root) => {
    await Deno.writeTextFile(join(root, "file"), "");
    for (const dir of ["/proc/anneal", join(root, "file", "inside")]) {
      const learn = netLearner();
      const before = (await bitsOf(learn))["body.0.weight"];
      await assertRejects(() => learn.fit(1, { cbs: new Checkpoint({ dir }) }), CheckpointError, "for checkpoints");
      assertEquals((await bitsOf(learn))["body.0.weight"], before);
      await learn.fit(1); // and the learner still works
    }
  }), { kinds: ["cpu"] });

onDevices(
  "a file that goes missing in the middle is told of, and the checkpoint before it used",
  () =>
    inFolder(async (dir) => {
      const whole = netLearner();
      await whole.fitOneCycle(3, { cbs: stateful() });
      const cbs = () => [...stateful(), new Checkpoint({ dir, everySteps: 2, best: null })];
      await assertRejects(
        () => netLearner().fitOneCycle(3, { cbs: [...cbs(), new Crash(9)], resume: true }),
        Error,
        "crashed",
      );
      const [newest, before] = await checkpointNumbers(dir);
      await Deno.remove(join(checkpointPath(dir, newest), "state.safetensors"));
      const lines: string[] = [];
      const again = netLearner({ logger: { line: (text) => lines.push(text) } });
      await again.fitOneCycle(3, { cbs: cbs(), resume: true });
      assert(lines[0].includes(`${checkpointPath(dir, newest)}: state.safetensors is missing`), lines.join("\n"));
      assertEquals(lines[1], `Using ${checkpointPath(dir, before)} instead`);
      assertEquals(await bitsOf(again), await bitsOf(whole));
    }),
  { kinds: ["cpu"] },
);

onDevices("where no checkpoint is whole, nothing is trained over it", () =>
  inFolder(async (dir) => {
    const cbs = () => [new Checkpoint({ dir, everySteps: 2 })];
    await assertRejects(() => netLearner().fit(3, { cbs: [...cbs(), new Crash(4)], resume: true }), Error, "crashed");
    for (const n of await checkpointNumbers(dir)) {
      await Deno.truncate(join(checkpointPath(dir, n), "manifest.json"), 40);
    }
    await assertRejects(
      () => netLearner().fit(3, { cbs: cbs(), resume: true }),
      CheckpointError,
      "no checkpoint there is whole",
    );
  }), { kinds: ["cpu"] });

onDevices("two runs do not share a directory", () =>
  inFolder(async (dir) => {
    class Second extends Callback {
      override async afterTrain(): Promise<void> {
        await assertRejects(
          () => netLearner().fit(1, { cbs: new Checkpoint({ dir }) }),
          CheckpointError,
          "another run writes there",
        );
      }
    }
    await netLearner().fit(1, { cbs: [new Checkpoint({ dir }), Second] });
    await netLearner().fit(1, { cbs: new Checkpoint({ dir }) }); // given back
  }), { kinds: ["cpu"] });

onDevices("the last k, the best and the end are kept; an error says how to go on", () =>
  inFolder(async (dir) => {
    const lines: string[] = [];
    const learn = netLearner({ logger: { line: (text) => lines.push(text) } });
    const checkpoint = new Checkpoint({ dir, everySteps: 1, keep: 2 });
    await assertRejects(() => learn.fit(3, { cbs: [checkpoint, new Crash(12)] }), Error, "crashed");
    const left = await checkpointNumbers(dir);
    assert(left.length === 2 || left.length === 3, left.join());
    assertEquals(
      lines.at(-1),
      `The fit ended with an error; the last checkpoint is ${checkpointPath(dir, left[0])}: ` +
        "run the script again with resume: true",
    );
    assertEquals(checkpoint.lastPath, checkpointPath(dir, left[0]));
  }), { kinds: ["cpu"] });
