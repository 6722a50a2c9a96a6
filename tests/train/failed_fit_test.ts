/**
 * Fits that end in the middle: whatever comes next, of this learner, another one or none, finds everything as after the
 * last thing that was carried out, whether steps are built or replayed.
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { DeviceError } from "../../src/base/errors.ts";
import { DataLoader, DataLoaders } from "../../src/data/mod.ts";
import type { Device, DeviceBuffer, Executable } from "../../src/device/contract.ts";
import { Learner } from "../../src/learner/mod.ts";
import { session } from "../../src/graph/session.ts";
import * as nn from "../../src/nn/mod.ts";
import { Adam } from "../../src/optim/mod.ts";
import { backward, setSeed, tensor } from "../../src/tensor/mod.ts";
import { Callback, type EventName, EVENTS, silentLogger } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";
import { ReferenceDevice } from "../support/reference_device.ts";

const N = 48;
const x = fillF32(1, N * 3, 1), y = Int32Array.from({ length: N }, (_, i) => x[3 * i] > 0 ? 1 : 0);

function loaders(streamed: boolean, bs = 4): DataLoaders {
  if (!streamed) {
    const X = { data: x, shape: [N, 3] }, Y = { data: y, shape: [N] };
    return DataLoaders.fromArrays({ x: X, y: Y, xValid: X, yValid: Y }, { bs, seed: 3 });
  }
  const dataset = {
    length: N,
    dtypes: ["f32", "i32"] as const,
    get: (i: number) => [{ data: x.slice(3 * i, 3 * i + 3), shape: [3] }, y[i]],
  };
  const loader = (shuffle: boolean) => new DataLoader({ dataset, bs, shuffle, seed: 3 });
  return new DataLoaders(loader(true), loader(false));
}

function learnerOf(streamed = false, bs = 4): Learner {
  setSeed(5);
  const model = new nn.Sequential(new nn.Linear(3, 8), new nn.BatchNorm1d(8), new nn.ReLU(), new nn.Linear(8, 2));
  return new Learner(loaders(streamed, bs), model, {
    lossFunc: new nn.CrossEntropyLoss(),
    optFunc: Adam,
    logger: silentLogger,
  });
}

async function stateOf(learn: Learner): Promise<Record<string, number[]>> {
  const out: Record<string, number[]> = {};
  for (const [name, t] of learn.model.stateDict()) out[name] = [...await t.data()];
  for (const [i, s] of learn.opt.stateDict().state.entries()) {
    out[`step ${i}`] = [s.step ?? 0];
    out[`gradAvg ${i}`] = s.gradAvg === undefined ? [] : [...await s.gradAvg.data()];
  }
  return out;
}

/** Throws the `at`-th time that an event of training batches happens. */
class Fail extends Callback {
  override readonly order: number;
  constructor(event: EventName, at: number, order: number) {
    super();
    this.order = order;
    let count = 0;
    this[event] = () => {
      if (this.learn.training && count++ === at) throw new Error("a fault of the callback");
    };
  }
}

const INSIDE: readonly EventName[] = EVENTS.filter((e) => /Batch|Pred|Loss|Backward|Step/.test(e) && !/Cancel/.test(e));

for (const streamed of [true, false]) {
  onDevices(
    `an error in a handler breaks nothing that comes next (${streamed ? "streamed" : "resident"} data)`,
    async () => {
      for (const event of INSIDE) {
        for (const at of [0, 4]) {
          for (const order of [-100, 40, 90]) {
            const results = [];
            for (const replays of [false, true]) {
              const learn = learnerOf(streamed);
              learn.steps.enabled = replays;
              const error = await assertRejects(() => learn.fit(2, { cbs: new Fail(event, at, order) }), Error);
              assertMatch(error.message, /a fault of the callback/);
              assertEquals(await tensor([1, 2]).sum().item(), 3, `${event} ${at} ${order}`);
              const after = await stateOf(learn);
              const other = learnerOf(streamed);
              await other.fit(1);
              await learn.fit(1);
              results.push({ after, end: await stateOf(learn), other: await stateOf(other) });
            }
            assertEquals(results[1], results[0], `${event} ${at} ${order}`);
          }
        }
      }
    },
    { kinds: ["cpu"] },
  );
}

/** A device on which programs can be made to fail. */
class Failing extends ReferenceDevice {
  /** Fails where it says so, before anything has happened. */
  refuse: (what: "alloc" | "compile" | "run", bytes: number) => boolean = () => false;
  #check(what: "alloc" | "compile" | "run", bytes = 0): void {
    if (this.refuse(what, bytes)) throw new DeviceError(`Cannot ${what}: there is no room`);
  }
  override alloc(bytes: number): DeviceBuffer {
    this.#check("alloc", bytes);
    return super.alloc(bytes);
  }
  override compile(program: Parameters<Device["compile"]>[0]): Executable {
    this.#check("compile", Math.max(...program.slots.map((s) => s.bytes)));
    return super.compile(program);
  }
  override run(...args: Parameters<ReferenceDevice["run"]>): void {
    this.#check("run");
    super.run(...args);
  }
}

async function onFailing(fn: (device: Failing) => Promise<void>): Promise<void> {
  const device = new Failing();
  session.useDevice(device);
  try {
    await fn(device);
  } finally {
    session.dropDevice(device);
  }
}

for (const what of ["run", "compile"] as const) {
  for (const replays of [false, true]) {
    const how = `${what}, ${replays ? "replayed" : "built"} steps`;
    Deno.test(`a step that cannot be launched has not happened (${how})`, async () => {
      await onFailing(async (device) => {
        for (const streamed of [false, true]) {
          const whole = learnerOf(streamed);
          whole.steps.enabled = replays;
          const states: Record<string, number[]>[] = [];
          class Look extends Callback {
            override async beforeBatch(): Promise<void> {
              if (this.learn.training) states.push(await stateOf(this.learn as Learner));
            }
          }
          await whole.fit(1, { cbs: new Look() });
          if (what === "compile") session.dropDevice(device);
          session.useDevice(device); // which has compiled nothing yet
          const learn = learnerOf(streamed);
          learn.steps.enabled = replays;
          const at = what === "run" ? 6 : 0; // all programs are compiled in the first step
          class Break extends Callback {
            override readonly order: number = -100;
            override beforeBatch(): void {
              if (this.learn.training && this.learn.trainIter === at) device.refuse = (w) => w === what;
            }
          }
          await assertRejects(() => learn.fit(1, { cbs: new Break() }), DeviceError, "no room");
          device.refuse = () => false;
          assertEquals(await stateOf(learn), states[at]);
          assertEquals(learn.recorder.lrs.length >= at, true);
          await learn.recorder.sync();
          assertEquals(learn.recorder.rawLosses.length, at, "losses of steps that were launched");
          await learn.fit(1);
          assert((await stateOf(learn))["step 0"][0] === at + 12);
        }
      });
    });
  }
}

/** Items of a batch that is too large. */
const LARGE = 43;

Deno.test("after a batch that found no memory, a smaller one goes on as if the first had never been tried", async () => {
  await onFailing(async (device) => {
    const alone = learnerOf();
    await alone.fit(1);
    const learn = learnerOf(false);
    device.refuse = (what, bytes) => what === "alloc" && bytes === LARGE * 3 * 4; // the inputs of a batch
    learn.dls = loaders(true, LARGE);
    for (let i = 0; i < 3; i++) await assertRejects(() => learn.fit(1), DeviceError, "no room");
    const { programs } = device.stats();
    assertEquals(await tensor([1, 2]).sum().item(), 3);
    learn.dls = loaders(false);
    await learn.fit(1);
    assertEquals(await stateOf(learn), await stateOf(alone));
    assert(device.stats().programs - programs < 12, "the failed step is not lowered again and again");
  });
});

onDevices("loops that only take gradients leave nothing to later steps, which are replayed", async () => {
  const learn = learnerOf();
  const image = tensor([0.1, 0.2, 0.3]).reshape([1, 3]);
  learn.model.eval();
  for (let i = 0; i < 5; i++) {
    backward(learn.model.forward(image).sum());
    for (const p of learn.model.parameters()) p.grad = null;
  }
  backward(learn.model.forward(image).sum());
  for (const p of learn.model.parameters()) await p.grad!.data();
  for (const p of learn.model.parameters()) p.grad = null;
  assertEquals(session.hasOtherRoots, false);
  backward(new nn.Linear(3, 1).forward(image).sum()); // of a model that is gone
  learn.model.train();
  await learn.fit(1);
  assert(learn.steps.count >= 10, `${learn.steps.count} steps were replayed`);
}, { kinds: ["reference"] });
