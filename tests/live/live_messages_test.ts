/**
 * What an engine's learner posts to its page, and what the page asks of it.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Checkpoint } from "../../src/fit/checkpoint.ts";
import { valley } from "../../src/fit/mod.ts";
import { ConfigError, InterruptedError } from "../../src/base/errors.ts";
import { type LiveMessage, LiveMessages, LivePage, type LivePort } from "../../src/live/mod.ts";
import { Store } from "../../live/store.js";
import { Callback, silentLogger } from "../../src/train/mod.ts";
import { synthLearner } from "../../testing.ts";
import { onDevices } from "../support/devices.ts";

const here = { kinds: ["reference"] } as const;

/** The page's side: what it was told, as clones, and what it posts. */
class FakePage implements LivePort {
  readonly told: LiveMessage[] = [];
  // deno-lint-ignore no-explicit-any -- the page is JavaScript
  readonly store: any = new Store();
  readonly #listeners = new Set<(data: unknown) => void>();
  post(data: unknown): void {
    const { live } = structuredClone(data) as { live: LiveMessage };
    this.told.push(live);
    this.store.take(live);
  }
  onMessage(f: (data: unknown) => void): () => void {
    this.#listeners.add(f);
    return () => void this.#listeners.delete(f);
  }
  say(data: unknown): void {
    this.#listeners.forEach((f) => f(data));
  }
  get listeners(): number {
    return this.#listeners.size;
  }
}

/** Does something before one training batch. */
class BeforeBatch extends Callback {
  constructor(readonly at: number, readonly act: () => void | Promise<void>) {
    super();
  }
  override beforeBatch(): void | Promise<void> {
    if (this.learn.phase === "fit" && this.learn.training && this.learn.trainIter === this.at) return this.act();
  }
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("LiveMessages refuses what is no page", () => {
  for (const none of [undefined, null, {}, { post: () => {} }]) {
    assertThrows(() => new LiveMessages(none as unknown as LivePort), ConfigError, "Cannot make LiveMessages");
  }
  assertThrows(() => new LiveMessages(new FakePage(), { topLosses: -1 }), ConfigError, "Cannot show -1 pictures");
});

onDevices("LiveMessages tells a page what the run is, over several tasks", async () => {
  const page = new FakePage(), live = new LiveMessages(page, { title: "A line" });
  const learn = synthLearner({ seed: 1, logger: silentLogger, cbs: live });
  await learn.lrFind({ suggestFuncs: [valley] });
  while (page.store.finder === null) await wait(1); // what the finder makes of its probe is told, too
  assertEquals([page.told[0].full, page.told[0].title, page.told[0].fits.length], [true, "A line", 0]);
  const next = new FakePage();
  live.connect(next);
  assertEquals([page.listeners, next.listeners], [0, 1]);
  await learn.fit(2);
  const { store } = next;
  assertEquals([...store.fits.values()].map(({ phase }) => phase), ["probe", "fit"]);
  assertEquals(store.real.at(-1).raw, learn.recorder.rawLosses);
  assertEquals(store.real.at(-1).rows, [...learn.recorder.rows]);
  assertEquals(store.finder.losses, learn.recorder.lrFinder!.losses);
  assertEquals([store.run.status, store.run.outcome, store.controls], ["idle", "finished", true]);
  await wait(250);
  const count = next.told.length;
  await wait(450); // no timer goes on
  assertEquals(next.told.length, count);
}, here);

onDevices("LiveMessages pauses, goes on and stops as the page says; other messages are not its own", async () => {
  const page = new FakePage();
  const learn = synthLearner({ seed: 1, logger: silentLogger, cbs: new LiveMessages(page) });
  const run = learn.fit(1000, {
    cbs: new BeforeBatch(5, () => {
      page.say("pause");
      page.say({ live: "explode" });
      page.say({ live: "pause" });
    }),
  });
  while (page.store.run?.status !== "paused") await wait(1);
  const at = learn.trainIter;
  await wait(20);
  assertEquals(learn.trainIter, at);
  page.say({ live: "resume" });
  while (learn.trainIter < at + 5) await wait(1);
  page.say({ live: "stop" });
  await run;
  assert(learn.trainIter < 10_000);
  assertEquals([page.store.run.status, page.store.run.outcome], ["idle", "stopped"]);
}, here);

onDevices("a run that goes on from a checkpoint is shown from its beginning, also where it was done", async () => {
  const dir = await Deno.makeTempDir();
  const learner = (page: FakePage) =>
    synthLearner({ seed: 1, logger: silentLogger, cbs: new LiveMessages(page, { topLosses: 0 }) });
  const checkpoint = () => new Checkpoint({ dir, everySteps: 5, onSignal: "ignore" });
  try {
    const stop = new AbortController();
    await assertRejects(
      () =>
        learner(new FakePage()).fit(3, {
          cbs: [checkpoint(), new BeforeBatch(13, () => stop.abort("enough"))],
          signal: stop.signal,
        }),
      InterruptedError,
    );
    const page = new FakePage(), learn = learner(page);
    await learn.fit(3, { cbs: checkpoint(), resume: true });
    assertEquals(learn.recorder.rows.length, 3);
    assertEquals(page.store.real.at(-1).rows, [...learn.recorder.rows]);
    assertEquals(page.store.real.at(-1).raw, learn.recorder.rawLosses);

    const late = new FakePage(), again = learner(late);
    await again.fit(3, { cbs: checkpoint(), resume: true }); // nothing is left to do
    again.findCb(LiveMessages)!.connect(late);
    assertEquals(late.store.real.at(-1).raw, learn.recorder.rawLosses);
    assertEquals(late.store.run.status, "idle");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}, here);

onDevices("LivePage shows fits from before it was there", async () => {
  const learn = synthLearner({ seed: 1, logger: silentLogger });
  await learn.fit(2);
  const page = new LivePage({ port: 0 });
  learn.addCb(page);
  try {
    const response = await fetch(new URL("events", await page.start()));
    const message = JSON.parse(/^data: (.*)$/m.exec(await response.text())![1]) as LiveMessage;
    assertEquals(message.fits[0].points.raw, learn.recorder.rawLosses);
    assertEquals(message.fits[0].rows, [...learn.recorder.rows]);
  } finally {
    await page.close();
  }
}, here);
