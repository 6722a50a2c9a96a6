import { assert, assertEquals, assertRejects } from "@std/assert";
import { InterruptedError } from "../../src/base/errors.ts";
import { eventLoopTurn } from "../../src/base/turn.ts";
import { InterruptCallback } from "../../src/callbacks/mod.ts";
import { Checkpoint } from "../../src/fit/mod.ts";
import { Callback, type EventName } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { bitsOf, netLearner, stateful } from "./support.ts";

/** Sends this process a signal once, at an event of an epoch. */
class Signal extends Callback {
  #sent = false;
  constructor(readonly at: EventName, readonly training: boolean, readonly changes: boolean = false) {
    super();
  }
  override async handle(event: EventName): Promise<void> {
    const { learn } = this;
    if (this.#sent || event !== this.at || learn.epoch !== 1 || learn.training !== this.training) return;
    this.#sent = true;
    if (this.changes) {
      const [p] = learn.model.parameters();
      p.assign(p.mul(1)); // validation that touches weights cannot be cut short
    }
    let arrived = false;
    const arrive = () => void (arrived = true);
    Deno.addSignalListener("SIGTERM", arrive); // called after those of the run
    Deno.kill(Deno.pid, "SIGTERM");
    while (!arrived) await eventLoopTurn();
    Deno.removeSignalListener("SIGTERM", arrive);
  }
}

async function interrupted(signal: () => Signal, where: RegExp): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const whole = netLearner();
    await whole.fitOneCycle(3, { cbs: stateful() });
    const cbs = () => [...stateful(), new Checkpoint({ dir, everySteps: 1000, best: null, onSignal: "throw" })];
    const first = netLearner();
    const error = await assertRejects(
      () => first.fitOneCycle(3, { cbs: [...cbs(), signal()], resume: true }),
      InterruptedError,
      "Interrupted by SIGTERM: saved",
    );
    assert(!error.message.includes("null"));
    await first.validate(); // the learner can be used
    const lines: string[] = [];
    const second = netLearner({ logger: { line: (text) => lines.push(text) } });
    await second.fitOneCycle(3, { cbs: cbs(), resume: true });
    assert(where.test(lines[0]), lines[0]);
    assertEquals(await bitsOf(second), await bitsOf(whole));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

onDevices(
  "a signal in a training batch",
  () => interrupted(() => new Signal("beforeStep", true), /epoch 1, batch 1$/),
  {
    kinds: ["cpu"],
  },
);

onDevices(
  "a signal in validation saves the end of the training part",
  () => interrupted(() => new Signal("afterPred", false), /epoch 1, batch 5$/),
  { kinds: ["cpu"] },
);

onDevices(
  "a signal in a validation that changes weights waits for its end",
  () => interrupted(() => new Signal("afterPred", false, true), /epoch 2$/),
  { kinds: ["cpu"] },
);

onDevices("a fit that InterruptCallback cut short goes on", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const whole = netLearner();
    await whole.fitOneCycle(4, { cbs: stateful() });
    const checkpoint = () => new Checkpoint({ dir, everyEpochs: 10, best: null });
    const cut = [...stateful(), checkpoint(), new InterruptCallback(2)];
    await netLearner().fitOneCycle(4, { cbs: cut, resume: true });
    const second = netLearner();
    await second.fitOneCycle(4, { cbs: [...stateful(), checkpoint()], resume: true });
    assertEquals(await bitsOf(second), await bitsOf(whole));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}, { kinds: ["cpu"] });
