/**
 * Runs let the event loop do its work: servers answer, signals, timers and messages arrive. What is counted is turns and
 * steps, not time: a busy machine changes neither.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { eventLoopTurn } from "../../src/base/turn.ts";
import { Callback } from "../../src/train/mod.ts";
import { session } from "../../src/graph/session.ts";
import { openOnce } from "../support/devices.ts";
import { linearLearner } from "./learners.ts";

/** Longer than a run keeps the event loop waiting. */
const HELD_MS = 25;

function spin(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

/** Turns, each after a while of work, until `done`. */
async function turnsUntil(done: () => boolean): Promise<number> {
  let turns = 0;
  for (; !done(); turns++) {
    spin(1);
    await eventLoopTurn();
    if (turns === 10_000) throw new Error("nothing came in 10,000 turns");
  }
  return turns;
}

function serve() {
  // an address instead of a name, which another thread would look up
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("here"));
  const ask = async (): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${server.addr.port}`, { headers: { connection: "close" } });
    assertEquals(await response.text(), "here");
  };
  return { ask, close: () => server.shutdown() };
}

/** Something that is ready at each turn of the event loop, as a user's own loop may be. */
function alwaysReady(): () => void {
  let on = true;
  const again = () => {
    if (on) setImmediate(again); // deno-lint-ignore no-node-globals -- the event loop's own
  };
  again();
  return () => on = false;
}

for (const beside of [false, true]) {
  const also = beside ? ", though something else is always ready" : "";

  Deno.test(`a server answers a new connection within three turns of the event loop${also}`, async () => {
    const { ask, close } = serve();
    const stop = beside ? alwaysReady() : () => {};
    const turns: number[] = [];
    for (let i = 0; i < 30; i++) {
      let answered = false;
      const asking = ask().finally(() => answered = true);
      turns.push(await turnsUntil(() => answered));
      await asking;
    }
    stop();
    await close();
    assert(Math.max(...turns) <= 3, `${turns} turns`); // by one setImmediate() it is 110 to 160
  });

  Deno.test(`a timer is called in the turn after its time has come${also}`, async () => {
    const stop = beside ? alwaysReady() : () => {};
    for (let i = 0; i < 30; i++) {
      let called = 0;
      const timer = setInterval(() => called++, 1);
      setTimeout(() => called++, 2);
      spin(5);
      await eventLoopTurn();
      clearInterval(timer);
      assert(called >= 2, `${called} calls`);
    }
    stop();
  });
}

Deno.test("a message of a worker arrives in the turn after it was sent", async () => {
  const code = `self.onmessage = ({ data }) => { self.postMessage("done"); Atomics.add(data, 0, 1); };`;
  const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })), { type: "module" });
  const sent = new Int32Array(new SharedArrayBuffer(4));
  let received = 0;
  worker.onmessage = () => received++;
  for (let i = 1; i <= 30; i++) {
    worker.postMessage(sent);
    while (Atomics.load(sent, 0) < i) spin(0.01);
    await eventLoopTurn();
    assertEquals(received, i);
  }
  worker.terminate();
});

Deno.test({
  name: "a signal arrives, whichever thread of the process takes it",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    let received = 0;
    const count = () => void received++;
    Deno.addSignalListener("SIGUSR2", count);
    for (let i = 1; i <= 10; i++) {
      Deno.kill(Deno.pid, "SIGUSR2");
      await turnsUntil(() => received >= i); // that thread has to be given a core first
    }
    Deno.removeSignalListener("SIGUSR2", count);
  },
});

Deno.test("a run whose steps are long: a timer waits for one, a new connection for three", async () => {
  session.useDevice(await openOnce("cpu"));
  const { ask, close } = serve();
  const learn = linearLearner();
  let steps = 0, ticks = 0, answered = 0;
  const waits: number[] = [];
  const timer = setInterval(() => ticks++, 1);
  const missed: number[] = [];
  class Busy extends Callback {
    #asking: Promise<void> | null = null;
    #since = 0;
    #ticks = 0;
    override afterBatch(): void {
      if (steps > 0 && ticks === this.#ticks) missed.push(steps);
      this.#ticks = ticks;
      steps++;
      if (this.#asking === null) {
        this.#since = steps;
        this.#asking = ask().then(() => {
          answered++;
          waits.push(steps - this.#since);
          this.#asking = null;
        });
      }
      spin(HELD_MS);
    }
    override async afterFit(): Promise<void> {
      await this.#asking;
    }
  }
  await learn.fit(12, { cbs: new Busy() });
  clearInterval(timer);
  await close();
  assertEquals(missed, []); // the interval was called between any two steps
  assert(answered >= steps / 4, `${answered} answers in ${steps} steps`);
  assert(Math.max(...waits) <= 3, `${waits} steps`);
});
