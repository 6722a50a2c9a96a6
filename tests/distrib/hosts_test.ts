import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { finish, INSTALLED, launch, pidsOf, survivors, trainOn } from "./launch.ts";
import { hostsPossible, openHosts } from "./hosts.ts";

const ignore = !INSTALLED.mpich || await hostsPossible() !== null;

Deno.test({
  name: "two and four hosts train as one process does, over the network (mpich)",
  ignore,
  fn: async () => {
    const options = { nEpoch: 2, bn: true, opt: "sgd" } as const;
    const [one] = await trainOn(1, { ...options, bs: 64 });
    for (const n of [2, 4]) {
      const hosts = await openHosts(n);
      try {
        const results = await trainOn(n, { ...options, bs: 64 / n }, { extra: hosts.launcherArgs, env: hosts.env });
        for (const { losses, weights, beside } of results) {
          losses.forEach((v, i) => assertAlmostEquals(v, one.losses[i], 2e-6, `loss ${i}`));
          assertEquals(weights, results[0].weights);
          assertEquals(beside, 0); // too few gradients to be worth it
        }
        // 20 steps of 2,000 weights or so: they did go over the cables
        assert(await hosts.sent(0) > 20 * 800 * 4);
      } finally {
        await hosts.close();
      }
    }
  },
});

Deno.test({
  name: "two hosts add up gradients over the network while others are computed (mpich)",
  ignore,
  fn: async () => {
    // 4.3 MB of gradients: no option says so, they are on two hosts
    const options = { nEpoch: 1, opt: "sgd", width: 1024 } as const;
    const [one] = await trainOn(1, { ...options, bs: 64 });
    const hosts = await openHosts(2);
    try {
      const [a, b] = await trainOn(2, { ...options, bs: 32 }, { extra: hosts.launcherArgs, env: hosts.env });
      a.losses.forEach((v, i) => assertAlmostEquals(v, one.losses[i], 2e-6, `loss ${i}`));
      assertEquals(a.weights, b.weights);
      assertEquals([a.beside, b.beside], [10, 10]);
      assertEquals(a.again, 9); // all ten batches have one size
      assert(await hosts.sent(0) > 10 * 1024 * 1024 * 4);
    } finally {
      await hosts.close();
    }
  },
});

Deno.test({
  name: "a rank that is killed on another host: nobody is left (mpich)",
  ignore,
  fn: async () => {
    const hosts = await openHosts(2);
    const dir = await Deno.makeTempDir();
    try {
      const options = JSON.stringify({ bs: 16, nEpoch: 100000, pids: true });
      const run = finish(launch(2, "rank_train.ts", [dir, options], { extra: hosts.launcherArgs, env: hosts.env }));
      const pids = await pidsOf(dir, 2);
      await new Promise((resolve) => setTimeout(resolve, 500));
      Deno.kill(pids[1], "SIGKILL");
      const start = performance.now();
      // the launcher does not wait for the processes of other hosts
      assertEquals(await survivors(pids), [], "every rank stops within 5 seconds");
      const { code, stdout, stderr } = await run;
      assert(code !== 0);
      assert(performance.now() - start < 5000);
      assertStringIncludes(stdout + stderr, "EXIT CODE: 9");
    } finally {
      await hosts.close();
      await Deno.remove(dir, { recursive: true });
    }
  },
});
