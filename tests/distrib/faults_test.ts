import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { RunOptions } from "./rank_train.ts";
import { type Family, finish, launch, mpiTest, pidsOf, survivors } from "./launch.ts";

/** Where a script runs and what becomes of it is known to its wrapper only: the launcher sees nothing for a while. */
const HIDDEN = ["sh", "-c", '"$@" || { sleep 3; exit 1; }', "sh"];

/** When gradients are added up. */
const SUMS = ["after", "beside"];

/** Trains on 3 ranks without end, kills one after `ms` milliseconds, and gives what the launcher printed. */
async function killed(
  rank: number,
  ms: number,
  { family = "mpich", wrapper = [], more = {} }: {
    readonly family?: Family;
    readonly wrapper?: readonly string[];
    readonly more?: Partial<RunOptions>;
  } = {},
): Promise<string> {
  const dir = await Deno.makeTempDir();
  try {
    const options = JSON.stringify({ bs: 16, nEpoch: 100000, pids: true, ...more });
    const run = finish(launch(3, "rank_train.ts", [dir, options], { wrapper, family }));
    const pids = await pidsOf(dir, 3);
    await new Promise((resolve) => setTimeout(resolve, ms));
    Deno.kill(pids[rank], "SIGKILL");
    assertEquals(await survivors(pids), [], "every rank stops within 5 seconds");
    const { code, stdout, stderr } = await run;
    assert(code !== 0);
    return stdout + stderr;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

mpiTest("a rank that is killed behind the launcher's back: the others say who is gone, and end", async () => {
  for (const rank of [0, 1]) {
    const output = await killed(rank, 700, { wrapper: HIDDEN });
    assertStringIncludes(output, `rank ${rank} of 3 is gone`);
    assert(output.split(`rank ${rank} of 3 is gone`).length > 2, "both others say so");
  }
});

mpiTest("a rank that is killed at any moment: the launcher ends the others", async () => {
  for (const [rank, ms] of [[1, 0], [0, 40], [2, 300]]) assertStringIncludes(await killed(rank, ms), "EXIT CODE: 9");
});

mpiTest("a rank that is killed while gradients are added up beside the computing", async () => {
  const more: Partial<RunOptions> = { width: 600, overlap: true };
  for (const [rank, ms] of [[1, 700], [0, 730]]) {
    const output = await killed(rank, ms, { wrapper: HIDDEN, more });
    // who reads the dead one's memory in that very moment is ended by MPI's transport, which says so in its own words
    const said = output.split(/rank \d of 3 is gone|process_vm_readv.*No such process/).length - 1;
    assert(said >= 2, output);
  }
});

mpiTest("a rank that is killed under the other launcher", async () => {
  assertStringIncludes(await killed(1, 500, { family: "openmpi" }), "on signal 9");
}, "openmpi");

mpiTest("a rank that fails by itself takes the others with it", async () => {
  for (const sums of SUMS) {
    const { code, stderr } = await finish(launch(2, "rank_fail.ts", ["throw", sums], { wrapper: HIDDEN }));
    assert(code !== 0);
    assertStringIncludes(stderr, "the data is bad");
    assertStringIncludes(stderr, "rank 1 of 2 stopped with an error");
  }
});

mpiTest("a rank that cannot compute its step tells the others, who do not use its gradients", async () => {
  for (const sums of SUMS) {
    const { code, stderr } = await finish(launch(2, "rank_fail.ts", ["compute", sums], { wrapper: HIDDEN }));
    assert(code !== 0);
    assertStringIncludes(stderr, "that was disposed");
    assertStringIncludes(stderr, "rank 1 of 2 stopped with an error");
  }
});

mpiTest("ranks that differ are told what differs before the first step", async () => {
  const { code, stderr } = await finish(launch(2, "rank_fail.ts", ["differ", "after"], { wrapper: HIDDEN }));
  assert(code !== 0);
  assertStringIncludes(stderr, "Cannot train on 2 ranks: ");
  assertStringIncludes(stderr, "parameter 0.weight is [9, 8] on rank 1 and [8, 8] on rank 0");
  assertStringIncludes(stderr, "batch size of the train set is 9 on rank 1 and 8 on rank 0");
});

mpiTest("a rank that is slow by a second changes nothing but time", async () => {
  const results = new Set<string>();
  for (const [mode, sums] of [["plain", "after"], ["slow", "after"], ["plain", "beside"], ["slow", "beside"]]) {
    const dir = await Deno.makeTempDir();
    try {
      const { code, stderr } = await finish(launch(2, "rank_fail.ts", [mode, sums, dir]));
      assertEquals(code, 0, stderr);
      for (const rank of [0, 1]) results.add(await Deno.readTextFile(`${dir}/${rank}`));
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  }
  assertEquals(results.size, 1);
});

mpiTest("cancels of one rank are everybody's", async () => {
  for (const sums of SUMS) {
    const { code, stdout, stderr } = await finish(launch(2, "rank_fail.ts", ["cancel", sums]));
    assertEquals(code, 0, stderr);
    // rank 1 alone cancels a batch, the training part of an epoch, an epoch, and the fit
    for (const rank of [0, 1]) assertStringIncludes(stdout, `rank ${rank}: steps 3 0 2 4, epochs 3, then [3,0]`);
  }
});

mpiTest("without permissions a launched process says what is missing", async () => {
  const started = await finish(launch(1, "rank_fail.ts", ["plain", "after"], { flags: ["--allow-read"] }));
  assertStringIncludes(started.stderr, "--allow-env=");
  const flags = ["--allow-read", "--allow-env"];
  assertStringIncludes((await finish(launch(1, "rank_fail.ts", ["plain", "after"], { flags }))).stderr, "--allow-ffi");
});
