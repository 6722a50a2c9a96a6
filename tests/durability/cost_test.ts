import { assert, assertEquals } from "@std/assert";
import type { Range } from "../../src/device/contract.ts";
import { Checkpoint } from "../../src/fit/mod.ts";
import { averageGrad, Optimizer } from "../../src/optim/mod.ts";
import { ops } from "../../src/tensor/mod.ts";
import { Callback } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { bitsOf, netLearner } from "./support.ts";

onDevices("a checkpoint is one round trip, and one read for each arena", async (device) => {
  const dir = await Deno.makeTempDir();
  const { read } = device;
  const trips: (readonly Range[])[] = [];
  try {
    const learn = netLearner();
    await learn.fit(1); // what is made once
    device.read = (ranges) => {
      trips.push(ranges);
      return read.call(device, ranges);
    };
    /** Looks at what the save in the middle of the epoch read. */
    class Mark extends Callback {
      override readonly order = 2000;
      from = 0;
      override async afterBatch(): Promise<void> {
        if (learn.trainIter === 2) this.from = trips.length;
        if (learn.trainIter === 3) await new Promise((resolve) => setTimeout(resolve, 100)); // it is written meanwhile
      }
    }
    const mark = new Mark();
    await learn.fit(1, { cbs: [new Checkpoint({ dir, everySteps: 3, best: null }), mark] });
    const saved = trips.slice(mark.from).find((ranges) => ranges.length > 1);
    // two groups of parameters, two statistics of each, three buffers of the batch norm
    assertEquals(saved?.length, 2 + 2 * 2 + 3);
    assert(learn.model.parameters().length * 3 > saved!.length);
  } finally {
    device.read = read;
    await Deno.remove(dir, { recursive: true });
  }
}, { kinds: ["cpu", "webgpu"] });

onDevices("statistics of steppers of one's own are in saved models", async () => {
  const path = await Deno.makeTempDir();
  try {
    const opt = Optimizer.from([averageGrad(), {
      stats: { peak: "vector", total: "number" },
      apply: (u) => {
        u.setStat("peak", ops.maximum(u.stat("peak"), u.g.abs()));
        u.setStat("total", u.stat("total").add(u.sums(u.g.square())));
        u.p = u.p.sub(u.stat("gradAvg").mul(u.hyper("lr")));
      },
    }], { mom: 0.9 });
    const first = netLearner({ opt, path });
    await first.fit(1);
    await first.save("model");
    const second = netLearner({ opt, path });
    await second.load("model");
    const stats = async (learn: typeof first) =>
      Object.entries(await bitsOf(learn)).filter(([name]) => /^optimizer .*(peak|total|gradAvg)/.test(name));
    assertEquals((await stats(first)).length, 3 * 6);
    assertEquals(await stats(second), await stats(first));
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}, { kinds: ["cpu"] });
