import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { type Ended, finish, launch, mpiTest } from "./launch.ts";

function run(dir: string, n: number, bs: number, at: number, ...more: string[]): Promise<Ended> {
  return finish(launch(n, "rank_resume.ts", [dir, String(bs), String(at), ...more]));
}

function result(dir: string, rank: number): unknown {
  return JSON.parse(Deno.readTextFileSync(`${dir}/${rank}.json`));
}

function flat(value: unknown): number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(flat) : [];
}

async function withDirs(n: number, body: (dirs: string[]) => Promise<void>): Promise<void> {
  const dirs = await Promise.all(Array.from({ length: n }, () => Deno.makeTempDir()));
  try {
    await body(dirs);
  } finally {
    for (const dir of dirs) await Deno.remove(dir, { recursive: true });
  }
}

mpiTest(
  "a killed run goes on in the middle of an epoch, with the same bits; with other numbers of ranks too",
  () =>
    withDirs(2, async ([whole, cut]) => {
      assertEquals((await run(whole, 2, 16, -1)).code, 0);
      assert((await run(cut, 2, 16, 9)).code !== 0); // 6 steps an epoch
      assert((await run(cut, 2, 16, 3)).code !== 0); // counted from where it goes on
      const refused = await run(cut, 2, 8, -1);
      assertStringIncludes(refused.stderr, "another run");
      const kept = `${cut}/copy`;
      await new Deno.Command("cp", { args: ["-r", `${cut}/run`, kept] }).output();
      const again = await run(cut, 2, 16, -1);
      assertEquals(again.code, 0, again.stderr);
      assertStringIncludes(again.stdout, "Going on from");
      for (const rank of [0, 1]) assertEquals(result(cut, rank), result(whole, rank));
      // the same from there on with one process and with four, which share the same batches
      for (const n of [1, 4]) {
        await Deno.remove(`${cut}/run`, { recursive: true });
        await new Deno.Command("cp", { args: ["-r", kept, `${cut}/run`] }).output();
        const other = await run(cut, n, 32 / n, -1);
        assertEquals(other.code, 0, other.stderr);
        assertStringIncludes(other.stdout, "Going on from");
        const expected = flat(result(whole, 0)), got = flat(result(cut, 0));
        assertEquals(got.length, expected.length);
        expected.forEach((v, i) => assertAlmostEquals(got[i], v, 2e-5 * Math.max(1, Math.abs(v))));
      }
    }),
);

mpiTest(
  "learn.interrupt() in one rank stops all after the same step, saved",
  () =>
    withDirs(2, async ([whole, cut]) => {
      assertEquals((await run(whole, 2, 16, -1)).code, 0);
      const { code, stderr } = await run(cut, 2, 16, 8, "interrupt");
      assert(code !== 0);
      assertStringIncludes(stderr, "InterruptedError: Interrupted (");
      const told = [0, 1].map((rank) => Deno.readTextFileSync(`${cut}/${rank}.txt`));
      assertStringIncludes(told[0], "Interrupted (interrupt): saved ");
      assertStringIncludes(told[1], "Interrupted (rank 1 needs a pause): saved ");
      const again = await run(cut, 2, 16, -1);
      assertEquals(again.code, 0, again.stderr);
      assertStringIncludes(again.stdout, "Going on from");
      for (const rank of [0, 1]) assertEquals(result(cut, rank), result(whole, rank));
    }),
);

mpiTest("a signal to one rank stops all after the same step, saved", () =>
  withDirs(2, async ([whole, cut]) => {
    assertEquals((await run(whole, 2, 16, -1)).code, 0);
    const { code, stdout, stderr } = await run(cut, 2, 16, 8, "SIGINT");
    // the launcher gives a process's own code, or, where it saw the first one end and hung up on the second, 1
    assert(code === 130 || (code === 1 && stdout.includes("Hangup")), `${code}: ${stdout}${stderr}`);
    assertStringIncludes(stdout, "Interrupted by");
    assertEquals((await run(cut, 2, 16, -1)).code, 0);
    assertEquals(result(cut, 1), result(whole, 1));
  }));
