/**
 * The order of events, with and without cancellation, against fastai's recordings.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  Callback,
  type Cancel,
  CancelBackward,
  CancelBatch,
  CancelEpoch,
  CancelFit,
  CancelStep,
  CancelTrain,
  CancelValid,
  type EventName,
  EVENTS,
  type Handled,
  silentLogger,
  snakeCase,
} from "../../src/train/mod.ts";
import { fit } from "../../src/fit/mod.ts";
import { loadGolden } from "../support/golden.ts";
import { onDevices } from "../support/devices.ts";
import { linearLearner } from "./learners.ts";

interface Case {
  readonly name?: string;
  readonly cancel?: string;
  readonly event?: string;
  readonly training?: boolean | null;
  readonly uncaught?: string | null;
  readonly log: readonly string[];
  readonly values?: number;
}

const golden = loadGolden<{ events: string[]; cases: Case[] }>("events.json");

const CANCELS: Record<string, new () => Cancel> = {
  CancelBackward,
  CancelStep,
  CancelBatch,
  CancelTrain,
  CancelValid,
  CancelEpoch,
  CancelFit,
};

class Trace extends Callback {
  override readonly order = 100;
  readonly seen: string[] = [];
  override handle(event: EventName): Handled {
    this.seen.push(snakeCase(event));
    return super.handle(event);
  }
}

/** Throws once, the first time that `event` happens in the given phase. */
class Throw extends Callback {
  override readonly order = 99;
  #done = false;
  constructor(
    readonly event: string,
    readonly cancel: new () => Cancel,
    readonly training: boolean | null,
    readonly later: boolean,
  ) {
    super();
  }
  override handle(event: EventName): Handled {
    if (snakeCase(event) !== this.event || this.#done) return super.handle(event);
    if (this.training !== null && this.learn.training !== this.training) return super.handle(event);
    this.#done = true;
    if (this.later) return Promise.resolve().then(() => Promise.reject(new this.cancel()));
    throw new this.cancel();
  }
}

Deno.test("the events are fastai's", () => {
  assertEquals(EVENTS.map(snakeCase), golden.events);
});

onDevices("a fit without cancellation fires fastai's events in fastai's order", async () => {
  const trace = new Trace();
  const learn = linearLearner({ cbs: [trace], logger: silentLogger });
  assertEquals(trace.seen, ["after_create"]);
  trace.seen.length = 0;
  await fit(learn, 2);
  assertEquals(trace.seen, golden.cases[0].log);
}, { kinds: ["reference"] });

for (const later of [false, true]) {
  onDevices(
    `${golden.cases.length - 1} cancellations end as fastai's, thrown ${later ? "in promises" : "at once"}`,
    async () => {
      for (const { cancel, event, training = null, uncaught, log, values } of golden.cases.slice(1)) {
        const trace = new Trace();
        const learn = linearLearner({
          cbs: [trace, new Throw(event!, CANCELS[cancel!], training, later)],
          logger: silentLogger,
        });
        trace.seen.length = 0;
        let error: string | null = null;
        try {
          await fit(learn, 1);
        } catch (thrown) {
          error = (thrown as Error).name;
        }
        const what = `${cancel} in ${event}, training ${training}`;
        assertEquals(error, uncaught, what);
        assertEquals(trace.seen, log, what);
        assertEquals(learn.recorder.values.length, values, what);
        await fit(learn, 1); // the learner can be used again
        assertEquals(learn.recorder.rows.length, 1, what);
      }
    },
    { kinds: ["reference"] },
  );
}
