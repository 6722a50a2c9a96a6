/**
 * A loss that is no number is told of when it is first read: where it began, and whether the data is the cause.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { DataLoader, DataLoaders } from "../../src/data/mod.ts";
import { minimum, slide, steep, valley } from "../../src/fit/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import type { Tensor } from "../../src/tensor/mod.ts";
import { Progress } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";

interface Spoilt {
  /** Places of `x` (two a row) and `y` that are no numbers. */
  readonly x?: readonly number[];
  readonly y?: readonly number[];
  readonly xValid?: readonly number[];
  readonly value?: number;
}

function arrays({ x = [], y = [], xValid = [], value = NaN }: Spoilt) {
  const spoilt = (seed: number, shape: number[], at: readonly number[]) => {
    const data = fillF32(seed, shape[0] * shape[1]);
    for (const i of at) data[i] = value;
    return { data, shape };
  };
  return {
    ...{ x: spoilt(1, [40, 2], x), y: spoilt(2, [40, 1], y) },
    ...{ xValid: spoilt(3, [8, 2], xValid), yValid: spoilt(4, [8, 1], []) },
  };
}

function learner(dls: DataLoaders, lossFunc = new nn.MSELoss()) {
  const lines: string[] = [];
  const learn = new Learner(dls, new nn.Linear(2, 1), {
    lossFunc,
    optFunc: SGD,
    logger: { line: (text) => void lines.push(text) },
  });
  learn.removeCb(Progress);
  return { learn, lines };
}

const ofArrays = (spoilt: Spoilt) => learner(DataLoaders.fromArrays(arrays(spoilt), { bs: 4, shuffle: false }));

onDevices(
  "NaN in inputs, targets, or the validation set is told of once a fit, with the batch and the item",
  async () => {
    const cases: [Spoilt, string][] = [
      [{ x: [27] }, "The loss is NaN in epoch 0, batch 3: the input of item 13 has NaN"],
      [{ y: [39] }, "The loss is NaN in epoch 0, batch 9: the target of item 39 has NaN"],
      [
        { x: [3], y: [1], value: Infinity },
        ", batch 0: the input of item 1 has Infinity, the target of item 1 has Infinity",
      ],
      [{ xValid: [5] }, "The validation loss is NaN in epoch 0: the input of item 2 has NaN"],
    ];
    for (const [spoilt, text] of cases) {
      const { learn, lines } = ofArrays(spoilt);
      await learn.fit(2);
      assertEquals([lines.length, lines[0].endsWith(text)], [1, true], lines.join("\n"));
      await learn.fit(1);
      assertEquals(lines.length, 2);
    }
    const { learn, lines } = ofArrays({});
    await learn.fit(2);
    assertEquals(lines, []);
  },
);

onDevices("where the data is fine, the line says what else it may be", async () => {
  const { learn, lines } = ofArrays({});
  await learn.fit(60, { lr: 1e9 });
  assertEquals(lines.length, 1);
  assert(
    /^The loss is (NaN|Infinity) in epoch \d+, batch \d+: its inputs and targets are numbers, so /.test(lines[0]),
    lines[0],
  );
}, { kinds: ["cpu"] });

onDevices("a dataset's items are looked at one by one", async () => {
  const { x, y } = arrays({ x: [27] });
  const dataset = { length: 40, get: (i: number) => [x.data.subarray(2 * i, 2 * i + 2), y.data.subarray(i, i + 1)] };
  const loader = () => new DataLoader<[Tensor, Tensor]>({ dataset, bs: 4 });
  const { learn, lines } = learner(new DataLoaders(loader(), loader()));
  await learn.fit(1);
  assertEquals(lines, ["The loss is NaN in epoch 0, batch 3: the input of item 13 has NaN"]);
}, { kinds: ["cpu"] });

onDevices("the finder's reason is the data where that has NaN, and no advice to start lower", async () => {
  const suggestFuncs = { valley, slide, minimum, steep };
  const { learn, lines } = ofArrays({ x: [1] });
  const { reasons, ...found } = await learn.lrFind({ suggestFuncs });
  assertEquals([found.valley, lines], [null, []]);
  for (const name of Object.keys(suggestFuncs)) {
    assertEquals(reasons[name], "the loss is NaN from batch 0 on: the input of item 0 has NaN");
  }
  class Broken extends nn.MSELoss {
    override forward(pred: Tensor, target: Tensor): Tensor {
      return super.forward(pred, target).sub(1e9).log();
    }
  }
  const other = learner(DataLoaders.fromArrays(arrays({}), { bs: 4 }), new Broken());
  const { reasons: why } = await other.learn.lrFind();
  assertEquals(
    why.valley,
    "the loss is NaN at the first batch already, before any step: look at the model and the loss",
  );
}, { kinds: ["cpu"] });
