/**
 * Runs let the event loop do its work: servers answer, signals arrive.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { eventLoopTurn } from "../../src/base/turn.ts";

Deno.test("a server answers within a few turns of the event loop, however busy that is in between", async () => {
  const server = Deno.serve({ port: 0, onListen() {} }, () => new Response("here"));
  let turns = 0, answered = false;
  const busy = (async () => {
    while (!answered) {
      for (const start = performance.now(); performance.now() - start < 2;);
      await eventLoopTurn();
      turns++;
    }
  })();
  try {
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      const before = turns;
      const answer = await fetch(`http://localhost:${server.addr.port}`);
      assertEquals(await answer.text(), "here");
      waits.push(turns - before);
    }
    waits.sort((a, b) => a - b);
    assert(waits[4] < 40, `${waits} turns`); // by setImmediate() it is above 110
    assert(waits[8] < 700, `${waits} turns`); // the loop rests every second
  } finally {
    answered = true;
    await busy;
    await server.shutdown();
  }
});
