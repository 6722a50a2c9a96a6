import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { Measurement } from "../../bench/measure.ts";
import { timeBlocks } from "../../bench/measure.ts";
import { rowsOf } from "../../bench/report.ts";
import { Late, measure } from "../../bench/runners.ts";
import { lastLine, leastSeconds } from "../../tools/gpu_check/bench.ts";
import { page, productsTable } from "../../tools/gpu_check/page.ts";
import { LEAST_SECONDS, type Part, partsOf, shareOf, toldOf } from "../../tools/gpu_check/plan.ts";
import { rounds } from "../../tools/gpu_check/rounds.ts";
import { guessMs, rowOf, secondsOf, sizesFor, wholeAt } from "../../tools/gpu_check/products.ts";
import { type PartResult, resultIn, resultOf, spread } from "../../tools/gpu_check/result.ts";
import { judge, leftOut, type Outcome, run, type State } from "../../tools/gpu_check/run.ts";

const HEAD = ["n", "ms"];
const eval_ = (code: string) => [Deno.execPath(), "eval", code];
const printing = (...results: Partial<PartResult>[]) =>
  results.map((of) => `console.log(${JSON.stringify(JSON.stringify(resultOf({ head: HEAD, ...of })))});`).join(" ");
const part = (name: string, command: readonly string[], prints: Part["prints"] = "tables") => ({
  name,
  command,
  prints,
});

Deno.test("a part passes, is wrong, fails, is stopped or left out, and keeps what it had", async () => {
  const table = { rows: [[4, 0.5]] };
  const tries: [State, string, number, string][] = [
    ["passed", `console.log("noise"); ${printing({ whole: false }, table)}`, 30, ""],
    [
      "wrong",
      printing({ rows: [[8, "a|b"]], wrong: ["8 is wrong", "16 too"], faults: ["c"] }),
      30,
      "8 is wrong, and 2 more",
    ],
    ["failed", printing({ ...table, faults: ["out of memory"] }), 30, "out of memory"],
    [
      "failed",
      `console.error("no adapter"); ${printing({ ...table, whole: false, at: "32" })} Deno.exit(3)`,
      30,
      "code 3, 32",
    ],
    ["failed", "console.log('no table')", 30, "it printed no result"],
    ["stopped", printing({ ...table, whole: false, at: "the product of 8" }), 30, "the product of 8"],
    [
      "stopped",
      `${printing({ ...table, whole: false, at: "a slow one" })} setTimeout(() => {}, 60_000)`,
      3,
      "a slow one",
    ],
    // what was found before it was stopped counts
    ["wrong", `${printing({ wrong: ["4 is wrong"], whole: false })} setTimeout(() => {}, 60_000)`, 3, "4 is wrong"],
    ["left out", printing({ absent: "there is no CUDA" }), 30, "there is no CUDA"],
  ];
  const outcomes: Outcome[] = [];
  for (const [i, [state, code, share, why]] of tries.entries()) {
    const outcome = await run(part(`part${i}`, eval_(code)), {}, share);
    assertEquals([outcome.state, outcome.why.includes(why)], [state, true], `${i}: ${outcome.why}`);
    outcomes.push(outcome);
  }
  assertEquals((await run(part("no program", ["/nonexistent/python3"]), {}, 30)).state, "failed");
  outcomes.push(leftOut({ name: "last" }, "the time was up"));
  const text = page({ date: "today", how: "by hand" }, outcomes);
  // of the parts that ended well, failed or were stopped, all rows are there
  assert(text.includes("| n | ms |\n| --- | --- |\n| 4 | 0.5 |\n| 8 | a\\|b |\n| 4 | 0.5 |\n"), text);
  assert(text.includes("1 passed, 2 wrong, 3 failed, 2 stopped, 2 left out"), text);
  assert(
    ["16 too", "no adapter", "no table", "| last | left out | 0 | the time was up |"].every((s) => text.includes(s)),
    text,
  );
});

Deno.test("a part is told the seconds it has, and the peak", async () => {
  const code = `console.log(JSON.stringify({ head: ["args"], rows: [Deno.args] }))`;
  const { result } = await run(part("told", eval_(code)), {}, 30, 97.5);
  assertEquals(result?.rows, [["--seconds", "25", "--peak", "97.5"]]);
  assertEquals([toldOf(6), toldOf(100)], [4.5, 95]);
});

Deno.test("a run of tests is a table, and none that ran is a fault", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const tests = async (text: string) => {
      await Deno.writeTextFile(`${folder}/some_test.ts`, text);
      const { state, why, result } = await run(
        part("nets", [
          Deno.execPath(),
          ...["test", "--no-check", "--no-config", `${folder}/some_test.ts`],
        ], "tests"),
        {},
        60,
      );
      return [state, why, result?.rows.map(([name, state]) => `${name}: ${state}`).join(", ")];
    };
    const good = `Deno.test("a", () => {});`, ignored = `Deno.test({ name: "b", ignore: true, fn: () => {} });`;
    const bad =
      `class AssertionError extends Error { name = "AssertionError" }; Deno.test("c", () => { throw new AssertionError("1 is 2") });`;
    assertEquals(await tests(good + ignored), ["passed", "", "a: ok, b: ignored"]);
    assertEquals(await tests(ignored), ["left out", "the tests are ignored: there is no adapter", "b: ignored"]);
    assertEquals(await tests(""), ["failed", "no test ran", ""]);
    assertEquals(await tests(good + bad), ["wrong", "c", "a: ok, c: FAILED"]);
    assertEquals(await tests(good + `Deno.test("d", () => { throw new TypeError("lost") });`), [
      "failed",
      "d",
      "a: ok, d: FAILED",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the time is shared out by value, to the last second, and never more than there is", () => {
  const parts = [{ weight: 6, most: 100 }, { weight: 3, most: 100 }, { weight: 1, most: 100 }];
  assertEquals(shareOf(parts, 300), 100); // not more than a part may take
  assertEquals(shareOf(parts, 3 * LEAST_SECONDS + 10), LEAST_SECONDS + 6);
  assertEquals(shareOf(parts, 10), LEAST_SECONDS); // less is of no use
  assertEquals(shareOf(parts, LEAST_SECONDS - 0.1), 0);
  for (const quick of [true, false]) {
    const all = partsOf({ quick, dawn: false });
    assertEquals(new Set(all.map(({ name }) => name)).size, all.length);
    // an adapter so slow that each takes all that it is given: in nine minutes all get something, in two the first ones
    for (const minutes of [9, 2]) {
      let left = 60 * minutes;
      const shares = all.map((_, i) => {
        const share = shareOf(all.slice(i), left);
        left -= share;
        return share;
      });
      assert(left >= 0 && left < LEAST_SECONDS, `${left} s are left of ${minutes} minutes`);
      if (minutes === 9) assert(shares.every((share) => share > 0), `${shares}`);
      assert(shares.slice(0, 8).every((share) => share > 0));
    }
  }
});

Deno.test("parts that were stopped are run again with the time that others left over, and no run takes longer than it may", async () => {
  const part = (name: string, weight: number): Part => ({ name, weight, command: [], prints: "tables", most: 90 });
  // seconds that each would need
  const needs = new Map([["a", 40], ["b", 1000], ["c", 25], ["quick", 1]]);
  const parts = [part("a", 4), part("b", 2), part("c", 1), part("quick", 20)];
  const of = async (total: number) => {
    let now = 0, told = 0;
    const runs: string[] = [];
    const outcomes = await rounds(parts, {
      left: () => total - now,
      run: ({ name }, share) => {
        const need = needs.get(name)!, seconds = Math.min(need, share);
        now += seconds;
        runs.push(name);
        return Promise.resolve({
          ...leftOut({ name }, ""),
          state: need <= share ? "passed" : "stopped",
          seconds,
          share,
        });
      },
      tell: (_, all) => {
        assertEquals(all.length, Math.min(parts.length, ++told)); // what is written holds all so far
        return Promise.resolve();
      },
    });
    assert(now <= total, `${now} s of ${total}`);
    return { runs: runs.join(" "), states: outcomes.map(({ state }) => state).join(", ") };
  };
  assertEquals(await of(300), { runs: "a b c quick b c b", states: "passed, stopped, passed, passed" });
  assertEquals(await of(120), { runs: "a b c quick a b", states: "passed, stopped, stopped, passed" });
  assertEquals(await of(11), { runs: "a", states: "stopped, left out, left out, left out" });
});

Deno.test("beginnings of a spread order are spread over all items", () => {
  const items = Array.from({ length: 11 }, (_, i) => i), order = spread(items);
  assertEquals(order.toSorted((a, b) => a - b), items);
  assertEquals(order.slice(0, 4), [0, 8, 4, 2]);
  assertEquals([spread([]), spread([7])], [[], [7]]);
});

Deno.test("a line that was cut off is no result", () => {
  const line = JSON.stringify(resultOf({ head: HEAD, rows: [[1, 2]] }));
  assertEquals(resultIn(line)?.rows, [[1, 2]]);
  assertEquals([resultIn(line.slice(0, -3)), resultIn("noise")], [null, null]);
});

Deno.test("sizes of products follow the peak: a slow adapter starts no large one", () => {
  assertEquals(sizesFor(50_000, 20), [1024, 2048, 4096, 8192]); // GFLOP/s of a graphics processor
  assertEquals(sizesFor(80, 8), [1024, 2048, 4096, 8192]); // Mesa's on two processors
  assertEquals(sizesFor(2, 8), [256, 1024, 2048, 4096, 8192]); // SwiftShader
  assertEquals(sizesFor(0, 20)[0], 1024); // not known
  assert(secondsOf(8192, guessMs(8192, 80)) > 60 && secondsOf(8192, guessMs(8192, 50_000)) < 10);
  assert(
    leastSeconds("resnet18-224", 80) > 90 && leastSeconds("resnet18", 80) < 3 &&
      leastSeconds("resnet18-224", 50_000) < 2,
  );
  assertEquals(leastSeconds("mlp64", 80), 0);
});

Deno.test("products are checked against sums of whole numbers", () => {
  const n = 16, m = 9, row = rowOf(n, m);
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += wholeAt(m * n + k, 1) * wholeAt(k * n + j, 2);
    assertEquals(row[j], sum);
  }
  assert(new Set(row).size > 4); // neighbours differ: an element in another's place is seen
});

Deno.test("the table of products has the fastest family, its share of the peak and PyTorch's f32", () => {
  const outcome = (of: PartResult): Outcome => ({ ...leftOut({ name: "" }, ""), result: of });
  const head = ["family", "n", "ms", "GFLOP/s", "of the peak"];
  const lines = productsTable([
    outcome(resultOf({ head, rows: [["auto", 1024, 1, 2000, "20 %"], ["auto", 2048, "not tried", "", "about 9 s"]] })),
    outcome(resultOf({ head, rows: [["tiled 64x64", 1024, 0.5, 4000, "40 %"], ["f16", 1024, 0.1, 9000, "90 %"]] })),
    outcome(resultOf({ head: ["family", "programs", "of", "wrong"], rows: [["auto", 3, 3, 0]] })),
    outcome(resultOf({
      head: ["PyTorch on CUDA", "operands", "n", "ms", "GFLOP/s"],
      rows: [["H", "f16", 1024, 1, 1], ["H", "f32", 1024, 1, 5000]],
    })),
  ]);
  assertEquals(lines.slice(3), ["| 1024 | tiled 64x64 | 4000 | 40 % | 5000 | 0.800 x |"]);
});

Deno.test("a driver that hangs is told by what it was at", () => {
  const end = { success: false, ended: "SIGKILL", late: true, waited: 41.6 };
  const { state, why } = judge({ ...end, result: resultOf({ head: HEAD, whole: false, at: "conv no padding" }) });
  assertEquals([state, why], ["stopped", "its time was up, 42 s in: conv no padding"]);
});

Deno.test("blocks of the benchmark: five, or as many as there is time for", async () => {
  const subject = {
    check: [],
    run: async (count: number) => (await new Promise((done) => setTimeout(done, 450)), count),
  };
  const { rates } = await timeBlocks(subject, 0.1, 0.001);
  assertEquals(rates.length, 1);
  assertAlmostEquals(rates[0], 1 / 0.45, 1);
});

Deno.test("what runs past its limit is late, what breaks tells why", async () => {
  const runner = (code: string) => ({ id: "slow", command: eval_(code), backend: "webgpu" });
  const error = await measure(runner("setTimeout(() => {}, 60_000)"), "tiny", { secs: 1, limit: 0.3 }).catch((e) => e);
  assert(error instanceof Late, String(error));
  const broken = await measure(runner("console.log('x'); throw new TypeError('no f16 here')"), "tiny", { secs: 1 })
    .catch((e) => e);
  assert(!(broken instanceof Late) && /no f16 here/.test(lastLine(broken.message)), String(broken));
});

Deno.test("losses in half precision are compared in fewer digits", () => {
  const of = (backend: string, loss: number): Measurement => ({
    ...{ runner: "r", backend, rates: [1], stepsPerBlock: 1, check: [loss] },
  });
  const agrees = (backend: string, loss: number) =>
    rowsOf("resnet18", [[{ peer: of(backend, loss), ours: of("webgpu", 2.4997) }]])[1].agrees;
  assertEquals([agrees("llvmpipe, f16", 2.4987), agrees("webgpu", 2.4987), agrees("webgpu", 2.497)], [
    true,
    true,
    false,
  ]);
  assertEquals(agrees("llvmpipe, f16", 2.4), false);
});
