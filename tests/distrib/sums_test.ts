import { assertEquals } from "@std/assert";
import { INSTALLED, type LaunchOptions, mpiTest, resultsOf } from "./launch.ts";
import { hostsPossible, openHosts } from "./hosts.ts";

/** What was wrong, rank by rank, in sums over `n` ranks. */
async function sums(n: number, how: LaunchOptions = {}): Promise<string[][]> {
  const { results, stderr } = await resultsOf<string[]>(n, "rank_sums.ts", [], how);
  assertEquals(stderr, "");
  return results;
}

mpiTest("arrays of every length are added up, by parts and whole", async () => {
  for (const n of [2, 3]) assertEquals(await sums(n), Array.from({ length: n }, () => []));
});

mpiTest("arrays are added up by the other library", async () => {
  assertEquals(await sums(3, { family: "openmpi" }), [[], [], []]);
}, "openmpi");

Deno.test({
  name: "arrays are added up between hosts (mpich)",
  ignore: !INSTALLED.mpich || await hostsPossible() !== null,
  fn: async () => {
    const hosts = await openHosts(3);
    try {
      assertEquals(await sums(3, { extra: hosts.launcherArgs, env: hosts.env }), [[], [], []]);
    } finally {
      await hosts.close();
    }
  },
});
