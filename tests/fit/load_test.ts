/**
 * Loading: all or nothing where it must match, and a report where it need not.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { Callback, Checkpoint, DataLoaders, Learner, type Logger, nn, SGD } from "../../mod.ts";
import { CheckpointError, ConfigError, DataError } from "../../src/base/errors.ts";
import type { StateDict } from "../../src/io/state_dict.ts";
import { type OutTensor, writeSafetensors } from "../../src/io/safetensors.ts";
import { Adam, type OptFunc } from "../../src/optim/mod.ts";
import { readAll, setSeed } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";

function make(dir: string, seed: number, { optFunc = Adam as OptFunc, lines = [] as string[], outputs = 1 } = {}) {
  setSeed(seed);
  const dls = DataLoaders.fromArrays({ x: [[1, 2], [3, 4]], y: [[1], [2]] }, { bs: 1, seed: 1 });
  const logger: Logger = { line: (text) => void lines.push(text) };
  return new Learner(dls, new nn.Linear(2, outputs), {
    lossFunc: new nn.MSELoss(),
    optFunc,
    modelDir: dir,
    logger,
  });
}

const weights = async (learn: Learner<nn.Linear>) => (await readAll(learn.model.parameters())).map((v) => [...v]);

async function inFolder(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

onDevices("another optimizer's state changes nothing, and the error names withOpt", () =>
  inFolder(async (dir) => {
    const saved = make(dir, 1);
    await saved.fit(1);
    await saved.save("m");
    const other = make(dir, 2, { optFunc: SGD }), before = await weights(other);
    const error = await assertRejects(() => other.load("m"), ConfigError, "{ withOpt: false }");
    assert(error.message.startsWith(`Cannot load the optimizer from ${join(dir, "m.safetensors")}: `), error.message);
    assertEquals(await weights(other), before);
    const report = await other.load("m", { withOpt: false });
    assertEquals(report, { missing: [], unexpected: [], misshapen: [], unreadable: {}, optimizer: false });
    assertEquals(await weights(other), await weights(saved));
  }), { kinds: ["reference"] });

onDevices(
  "a callback that refuses its checkpoint leaves weights, optimizer and the others' states alone",
  () =>
    inFolder(async (dir) => {
      class Counter extends Callback {
        n = 0;
        override afterBatch(): void {
          this.n++;
        }
        override stateDict(): StateDict {
          return { n: this.n };
        }
        override loadStateDict(state: { number(name: string): number }): void {
          this.n = state.number("n");
        }
      }
      class Picky extends Callback {
        override readonly order: number = 1000;
        override stateDict(): StateDict {
          return {};
        }
        override loadStateDict(): void {
          throw new Error("not my state");
        }
      }
      const counter = new Counter();
      const cbs = () => [new Checkpoint({ dir: join(dir, "ck") }), counter, new Picky()];
      await make(dir, 1).fit(1, { cbs: cbs() });
      assertEquals(counter.n, 2);
      const again = make(dir, 5);
      again.opt.setHyper("mom", 0.3);
      const before = await weights(again);
      counter.n = 77;
      await assertRejects(() => again.fit(1, { cbs: cbs(), resume: true }), CheckpointError, "hyper-parameters");
      assertEquals(again.opt.hypers[0].mom, 0.3);
      again.opt.setHyper("mom", 0.9);
      await assertRejects(() => again.fit(1, { cbs: cbs(), resume: true }), Error, "not my state");
      assertEquals(await weights(again), before);
      assertEquals(counter.n, 77);
      assertEquals(again.opt.stateDict().state.map((s) => s.step), [undefined, undefined]);
      assertEquals(again.recorder.rows, []);
    }),
  { kinds: ["reference"] },
);

onDevices("without strict what fits is loaded, the rest reported and told", () =>
  inFolder(async (dir) => {
    const f32 = (shape: number[], ...data: number[]): OutTensor => ({
      dtype: "f32",
      shape,
      data: Float32Array.from(data),
    });
    const step: OutTensor = { dtype: "i32", shape: [], data: Int32Array.of(3) };
    const path = join(dir, "a.safetensors");
    await writeSafetensors(path, new Map([["weight", f32([1, 2], 5, 6)], ["bias", f32([2], 1, 2)], ["step", step]]));
    const lines: string[] = [];
    const learn = make(dir, 1, { lines }), [, bias] = await weights(learn);
    await assertRejects(() => learn.load("a"), ConfigError, "unexpected step; of another shape bias ([2] for [1])");
    assertEquals(await learn.load("a", { strict: false }), {
      missing: [],
      unexpected: ["step"],
      misshapen: ["bias"],
      unreadable: {},
      optimizer: false,
    });
    assertEquals(await weights(learn), [[5, 6], bias]);
    assertEquals(
      lines.at(-1),
      `Loaded 1 of the model's 2 tensors from ${path}: unexpected step; of another shape bias`,
    );
    // a type that cannot be read stands for itself alone
    const text = new TextEncoder().encode(JSON.stringify({
      weight: { dtype: "F64", shape: [1, 2], data_offsets: [4, 20] },
      bias: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
      other: { dtype: "F128", shape: [1], data_offsets: [20, 36] },
    }));
    const file = new Uint8Array(8 + text.length + 36), view = new DataView(file.buffer);
    view.setBigUint64(0, BigInt(text.length), true);
    file.set(text, 8);
    view.setFloat32(8 + text.length, 9, true);
    view.setFloat64(8 + text.length + 4, 1e300, true);
    await Deno.writeFile(join(dir, "b.safetensors"), file);
    await assertRejects(() => learn.load("b", { strict: true }), ConfigError, "unexpected other");
    const report = await learn.load("b", { strict: false });
    assertEquals(Object.keys(report.unreadable), ["weight"]);
    assert(report.unreadable.weight.includes("1e+300 does not fit f32"));
    assertEquals(await weights(learn), [[5, 6], [9]]);
    await assertRejects(() => learn.load("b", { withOpt: true }), CheckpointError, "model only");
  }), { kinds: ["reference"] });

onDevices("an optimizer's state goes with its whole model only", () =>
  inFolder(async (dir) => {
    const saved = make(dir, 1, { outputs: 2 });
    saved.lossFunc = (pred) => pred.mean();
    await saved.fit(1);
    await saved.save("two");
    const lines: string[] = [];
    const learn = make(dir, 1, { lines });
    const report = await learn.load("two", { strict: false });
    assertEquals(report.optimizer, false);
    assertEquals(report.misshapen, ["weight", "bias"]);
    assert(lines.at(-1)!.endsWith("the optimizer's state left out"), lines.at(-1));
    await assertRejects(() => learn.load("two", { strict: false, withOpt: true }), ConfigError, "withOpt");
  }), { kinds: ["reference"] });

Deno.test("F64 beyond f32 is refused by strict load", async () => {
  await inFolder(async (dir) => {
    const text = new TextEncoder().encode(JSON.stringify({
      bias: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
      weight: { dtype: "F64", shape: [1, 2], data_offsets: [4, 20] },
    }));
    const file = new Uint8Array(8 + text.length + 20), view = new DataView(file.buffer);
    view.setBigUint64(0, BigInt(text.length), true);
    file.set(text, 8);
    view.setFloat64(8 + text.length + 12, -1e39, true);
    await Deno.writeFile(join(dir, "c.safetensors"), file);
    await assertRejects(() => make(dir, 1).load("c"), DataError, "-1e+39 does not fit f32");
  });
});
