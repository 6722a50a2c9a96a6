/**
 * Waiting for collectives while a process is gone.
 *
 * @module
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Request } from "../../src/distrib/mpi.ts";
import { Polling } from "../../src/distrib/polling.ts";

function request(): Request {
  return { handle: new BigUint64Array(1), address: 0n, buffers: [], what: "test", done: false };
}

/** A process that is gone from the start; its last message arrives when that has been noticed, or never. */
function gone(arrives: boolean): { polling: Polling; noticed: () => boolean } {
  let noticed = false;
  const polling = new Polling({ test: () => arrives && noticed }, () => {
    noticed = true;
    return new Error("rank 1 is gone");
  });
  return { polling, noticed: () => noticed };
}

Deno.test("the last message of a process that is gone is read all the same", async () => {
  const { polling, noticed } = gone(true);
  await polling.finish([request()]);
  assertEquals(noticed(), true);
  const again = gone(true);
  again.polling.finishSync([request()]);
  assertEquals(again.noticed(), true);
});

Deno.test("a process that is gone without a last message is told", async () => {
  await assertRejects(() => gone(false).polling.finish([request()]), Error, "rank 1 is gone");
  assertThrows(() => gone(false).polling.finishSync([request()]), Error, "rank 1 is gone");
});
