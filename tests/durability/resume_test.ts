import { assertEquals, assertRejects } from "@std/assert";
import { Checkpoint, type Learner } from "../../src/fit/mod.ts";
import type { CallbackLike } from "../../src/train/mod.ts";
import { averageGrad, Lookahead, type OptFunc, Optimizer, RAdam, SGD } from "../../src/optim/mod.ts";
import { ops } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { bitsOf, Crash, type Net, netLearner, type NetOptions, stateful } from "./support.ts";

type Policy = (learn: Learner<Net>, options: { cbs: readonly CallbackLike[]; resume?: boolean }) => Promise<void>;

const POLICIES: Record<string, Policy> = {
  fit: (l, o) => l.fit(3, { lr: 5e-3, ...o }),
  fitOneCycle: (l, o) => l.fitOneCycle(3, o),
  fitFlatCos: (l, o) => l.fitFlatCos(3, o),
  fitSgdr: (l, o) => l.fitSgdr(2, 1, o),
  fineTune: (l, o) => l.fineTune(2, o),
};

/** A whole run, and one that crashed after `crash` batches and went on in a new learner: equal bits. */
async function compare(policy: Policy, crash: readonly number[], options: NetOptions = {}): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const whole = netLearner(options);
    await policy(whole, { cbs: stateful() });
    const checkpoint = () => new Checkpoint({ dir, everySteps: 1 });
    for (const after of crash) {
      const first = netLearner(options);
      const cbs = [...stateful(), checkpoint(), new Crash(after)];
      await assertRejects(() => policy(first, { cbs, resume: true }), Error, "crashed");
    }
    const lines: string[] = [];
    const second = netLearner({ ...options, logger: { line: (text) => lines.push(text) } });
    await policy(second, { cbs: [...stateful(), checkpoint()], resume: true });
    const { epoch, batch } = /epoch (?<epoch>\d+), batch (?<batch>\d+)/.exec(lines.join("\n"))?.groups ?? {};
    // the batch that crashed came after the callback had saved it
    assertEquals(Number(epoch) * 5 + Number(batch), crash[crash.length - 1], lines.join("\n"));
    assertEquals(await bitsOf(second), await bitsOf(whole));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const OPTIMIZERS: Record<string, OptFunc> = {
  "SGD with momentum": SGD.with({ mom: 0.9 }),
  "Lookahead over RAdam": Lookahead(RAdam, { k: 3 }),
  "steppers of one's own": Optimizer.from([
    averageGrad(),
    {
      stats: { peak: "vector", total: "number" },
      counts: true,
      apply: (u) => {
        const peak = ops.maximum(u.stat("peak").mul(0.9), u.g.abs());
        u.setStat("peak", peak);
        u.setStat("total", u.stat("total").add(u.sums(u.g.square())));
        const rate = u.perElement(u.stat("total").add(1).rsqrt());
        u.p = u.p.sub(u.stat("gradAvg").div(peak.add(1e-3)).mul(rate).mul(u.hyper("lr")));
      },
    },
  ], { mom: 0.9 }),
};

for (const [name, opt] of Object.entries(OPTIMIZERS)) {
  onDevices(`the state of ${name} survives`, () => compare(POLICIES.fitOneCycle, [7], { opt, unseeded: true }), {
    kinds: ["cpu"],
  });
}

for (const [name, policy] of Object.entries(POLICIES)) {
  onDevices(`${name} goes on in the middle of an epoch with the same bits`, () => compare(policy, [3, 4]), {
    kinds: ["cpu"],
  });
}
