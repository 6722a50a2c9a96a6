import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { ConfigError, InterruptedError } from "../../src/base/errors.ts";
import { InterruptCallback, StopAfter } from "../../src/callbacks/mod.ts";
import { Checkpoint, type FitCommon } from "../../src/fit/mod.ts";
import type { Learner } from "../../src/learner/mod.ts";
import { Callback, type CallbackLike } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { LivePage } from "../../src/live/mod.ts";
import { bitsOf, type Net, netLearner, stateful } from "./support.ts";

type Fit = (learn: Learner<Net>, options: FitCommon) => Promise<void>;

/** Every policy, each of 15 training batches or more. */
const POLICIES: Readonly<Record<string, Fit>> = {
  fit: (l, o) => l.fit(3, o),
  fitOneCycle: (l, o) => l.fitOneCycle(3, o),
  fitFlatCos: (l, o) => l.fitFlatCos(3, o),
  fitSgdr: (l, o) => l.fitSgdr(2, 1, o),
  fineTune: (l, o) => l.fineTune(2, { ...o, freezeEpochs: 2 }),
};

/** Does something when so many training batches are done. */
class After extends Callback {
  constructor(readonly batches: number, readonly work: (learn: Learner) => void) {
    super();
  }
  override afterBatch(): void {
    if (this.learn.training && this.learn.trainIter === this.batches) this.work(this.learn as Learner);
  }
}

/** Notes the phases and epochs that begin. */
class Epochs extends Callback {
  constructor(readonly seen: string[]) {
    super();
  }
  override beforeTrain(): void {
    this.seen.push(`${this.learn.phase} ${this.learn.epoch}`);
  }
}

/** A fit that is cut short by `cut`, and goes on in a second learner, comes to the bits of one that is not. */
async function goesOn(
  fit: Fit,
  cut: (learn: Learner<Net>) => CallbackLike[],
  first: (run: () => Promise<void>) => Promise<unknown>,
): Promise<{ readonly before: string[]; readonly after: string[] }> {
  const dir = await Deno.makeTempDir();
  try {
    const whole = netLearner();
    await fit(whole, { cbs: stateful() });
    const before: string[] = [], after: string[] = [];
    const cbs = (
      seen: string[],
    ) => [...stateful(), new Checkpoint({ dir, everySteps: 1000, best: null }), new Epochs(seen)];
    const learn = netLearner();
    const all = [...cbs(before), ...cut(learn)];
    await first(() => fit(learn, { cbs: all, resume: true }));
    await learn.validate(); // the learner can be used
    const second = netLearner();
    await fit(second, { cbs: cbs(after), resume: true });
    assertEquals(await bitsOf(second), await bitsOf(whole));
    return { before, after };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const rejects = (reason: string) => async (run: () => Promise<void>): Promise<void> => {
  const error = await assertRejects(run, InterruptedError, "run the script again with resume: true");
  assertEquals(error.reason, reason);
};

onDevices("the second part of fineTune waits for the first, however that was cut short", async () => {
  const { before, after } = await goesOn(POLICIES.fineTune, () => [new InterruptCallback(1)], (run) => run());
  assertEquals(before, ["frozen 0"]);
  assertEquals(after, ["frozen 1", "unfrozen 0", "unfrozen 1"]);
  const interrupt = () => [new After(5, (l) => void l.interrupt("a pause"))];
  const thrown = await goesOn(POLICIES.fineTune, interrupt, rejects("a pause"));
  assertEquals(thrown.before, ["frozen 0"]);
}, { kinds: ["cpu"] });

onDevices("learn.interrupt() in a batch is saved there, in every policy", async () => {
  for (const fit of Object.values(POLICIES)) {
    await goesOn(fit, () => [new After(7, (l) => void l.interrupt("a pause"))], rejects("a pause"));
  }
}, { kinds: ["cpu"] });

onDevices("StopAfter has its whole budget again where a fit goes on", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const whole = netLearner();
    await whole.fitOneCycle(3, { cbs: stateful() });
    const budgeted = async (): Promise<[Learner<Net>, string]> => {
      const learn = netLearner();
      let ms = 5e6;
      learn.clock = () => ms;
      class Slow extends Callback {
        override afterBatch(): void {
          if (this.learn.training) ms += 1000;
        }
      }
      const cbs = [
        ...stateful(),
        new Checkpoint({ dir, everySteps: 1000, best: null }),
        Slow,
        new StopAfter({ seconds: 6 }),
      ];
      const reason = await learn.fitOneCycle(3, { cbs, resume: true }).then(
        () => "",
        (e) => (e as InterruptedError).reason,
      );
      return [learn, `${learn.trainIter} ${reason}`];
    };
    assertEquals((await budgeted())[1], "6 budget");
    assertEquals((await budgeted())[1], "12 budget");
    const [learn, told] = await budgeted();
    assertEquals(told, "15 ");
    assertEquals(await bitsOf(learn), await bitsOf(whole));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}, { kinds: ["cpu"] });

onDevices("StopAfter without a checkpoint says that nothing was saved, its budget is that of all parts", async () => {
  const learn = netLearner(), seen: string[] = [];
  let ms = 0;
  learn.clock = () => ms++ * 400;
  const error = await assertRejects(
    () => learn.fineTune(3, { cbs: [new Epochs(seen), new StopAfter({ seconds: 20 })], freezeEpochs: 1 }),
    InterruptedError,
    "Interrupted by its budget of time: nothing was saved",
  );
  assertEquals(error.reason, "budget");
  assert(seen.length > 1 && seen.length < 4, seen.join());
  await learn.fit(1); // what comes next is not stopped
  for (const seconds of [0, -1]) assertThrows(() => new StopAfter({ seconds }), ConfigError, "Cannot stop after");
}, { kinds: ["cpu"] });

onDevices("an AbortSignal ends a fit after the batch under way", async () => {
  const cause = new Error("the user went home");
  for (const [name, fit] of Object.entries(POLICIES)) {
    const stop = new AbortController();
    let error = new InterruptedError("");
    const first = async (run: () => Promise<void>) => error = await assertRejects(run, InterruptedError, "AbortSignal");
    const signalled: Fit = (l, o) => fit(l, { ...o, signal: stop.signal });
    const whole: Fit = (l, o) => (l === learn ? signalled : fit)(l, o);
    let learn: Learner<Net> | null = null;
    const cut = (l: Learner<Net>) => {
      learn = l;
      return [new After(6, () => stop.abort(cause))];
    };
    await goesOn(whole, cut, first);
    assertEquals([name, error.reason], [name, "abort"]);
    assertStrictEquals(error.cause, cause);
  }
  const learn = netLearner(), stop = new AbortController();
  await learn.fit(1, { signal: stop.signal });
  stop.abort(cause); // when it is over
  await learn.fit(1);
}, { kinds: ["cpu"] });

onDevices("a signal that is aborted already lets nothing begin", async () => {
  const cause = "too late", signal = AbortSignal.abort(cause);
  const learn = netLearner();
  await learn.fit(1);
  const before = await bitsOf(learn);
  const calls: Record<string, () => Promise<unknown>> = {
    ...Object.fromEntries(
      Object.entries(POLICIES).map(([name, fit]) => [name, () => fit(learn, { signal, resetOpt: true })]),
    ),
    lrFind: () => learn.lrFind({ signal }),
    validate: () => learn.validate({ signal }),
    getPreds: () => learn.getPreds({ signal }),
  };
  for (const [name, call] of Object.entries(calls)) {
    const error = await assertRejects(call, InterruptedError, `Cannot ${name}: its AbortSignal was aborted`);
    assertEquals([error.reason, error.cause], ["abort", cause]);
  }
  assertEquals(await bitsOf(learn), before);
}, { kinds: ["cpu"] });

onDevices("evaluations and the finder end after the batch under way, with everything as it was", async () => {
  const learn = netLearner();
  await learn.fit(1);
  const before = await bitsOf(learn);
  for (const what of ["lrFind", "validate", "getPreds"] as const) {
    const stop = new AbortController();
    let batches = 0;
    class Abort extends Callback {
      override afterBatch(): void {
        if (++batches === 1) stop.abort();
      }
    }
    const { signal } = stop;
    const call = {
      lrFind: () => learn.lrFind({ signal }),
      validate: () => learn.validate({ signal }),
      getPreds: () => learn.getPreds({ signal }),
    };
    await learn.addedCbs(Abort, () => assertRejects(call[what], InterruptedError, "AbortSignal"));
    assertEquals([what, batches], [what, 1]);
  }
  assertEquals(await bitsOf(learn), before);
}, { kinds: ["cpu"] });

onDevices("learn.interrupt() says whether there was a fit, and wants a reason", async () => {
  const learn = netLearner();
  assertEquals(learn.interrupt("nothing runs"), false);
  await learn.fit(1);
  assertThrows(() => learn.interrupt(""), ConfigError, "Cannot interrupt without a reason");
  class Wrong extends Callback {
    override afterBatch(): void {
      throw new InterruptedError("its own", { reason: "mine" });
    }
  }
  const error = await assertRejects(
    () => learn.fit(1, { cbs: Wrong }),
    InterruptedError,
    "its own (in Wrong.afterBatch)",
  );
  assertEquals(error.reason, "mine");
}, { kinds: ["cpu"] });

onDevices("Stop on the live page interrupts a fit that is saved, and an interruption ends a pause", async () => {
  const page = () => new LivePage({ port: 0, topLosses: 0 });
  const stopped = page();
  await goesOn(POLICIES.fineTune, () => [stopped, new After(6, () => stopped.stop())], rejects("stop"));
  const paused = page();
  const pause = (learn: Learner) => {
    paused.pause();
    setTimeout(() => learn.interrupt("enough of waiting"), 20);
  };
  await goesOn(POLICIES.fit, () => [paused, new After(6, pause)], rejects("enough of waiting"));
  const learn = netLearner(), alone = page();
  await learn.fit(3, { cbs: [alone, new After(6, () => alone.stop())] }); // not saved: it ends, and the script goes on
  assertEquals([learn.trainIter, learn.recorder.rows.length], [6, 1]);
}, { kinds: ["cpu"] });
