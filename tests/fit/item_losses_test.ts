/**
 * Each item's loss: of the library's losses, and of one's own with and without `items`.
 */
import { assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MixUp } from "../../src/callbacks/mod.ts";
import { ConfigError, ShapeError } from "../../src/base/errors.ts";
import { ArrayDataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { type Tensor, tensor } from "../../src/tensor/mod.ts";
import { Callback, type LossFunc, type LossObject } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";

function learner(lossFunc: LossFunc, cbs: readonly MixUp[] = []): Learner {
  const x = Float32Array.from({ length: 16 }, (_, i) => i / 16);
  const y = Int32Array.from({ length: 8 }, (_, i) => i % 2);
  const inputs = { data: x, shape: [8, 2] }, classes = { data: y, shape: [8] };
  const arrays = { x: inputs, y: classes, xValid: inputs, yValid: classes };
  const dls = ArrayDataLoaders.fromArrays(arrays, { bs: 4, seed: 1 });
  return new Learner(dls, new nn.Linear(2, 2), { lossFunc, lr: 0.1, cbs });
}

onDevices("items: one number an item, whatever the reduction, which stays", async () => {
  const pred = tensor([[1, 2], [3, 5]]), targ = tensor([[0, 2], [3, 1]]);
  for (const reduction of ["mean", "sum", "none"] as const) {
    const loss = new nn.MSELoss({ reduction });
    assertEquals(await loss.items(pred, targ).array(), [0.5, 8]);
    assertEquals(loss.reduction, reduction);
    assertThrows(() => loss.items(pred, tensor([1, 2, 3])), ShapeError);
    assertEquals(loss.reduction, reduction);
  }
  // two places an item, as a language model has them: the loss gives one vector of four
  const places = new nn.CrossEntropyLoss();
  const logits = tensor([[[1, 0], [0, 1]], [[2, 0], [0, 2]]]).transpose(1, 2),
    labels = tensor([[0, 0], [1, 1]], { dtype: "i32" });
  const [a, b] = await places.items(logits, labels).data();
  assertAlmostEquals(a, (Math.log1p(Math.exp(-1)) + Math.log1p(Math.E)) / 2, 1e-6);
  assertAlmostEquals(b, (Math.log1p(Math.exp(-2)) + Math.log1p(Math.exp(2))) / 2, 1e-6);
});

/** A loss of one's own that tells items apart by itself, and has no reduction. */
class Own {
  asked = 0;
  readonly #all = new nn.CrossEntropyLoss({ reduction: "none" });
  forward(pred: Tensor, targ: Tensor): Tensor {
    return this.#all.forward(pred, targ).mean();
  }
  items(pred: Tensor, targ: Tensor): Tensor {
    this.asked++;
    return this.#all.forward(pred, targ).mul(10);
  }
}

onDevices("a loss of one's own: items() is asked, a reduction is enough, a function is refused", async () => {
  const learn = learner(new Own());
  const { losses, preds, targs } = await learn.getPreds({ withLoss: true });
  const want = await new nn.CrossEntropyLoss({ reduction: "none" }).forward(preds, targs).mul(10).data();
  assertEquals(losses!.shape, [8]);
  (await losses!.data()).forEach((v, i) => assertAlmostEquals(v, want[i], 1e-5));

  const inner = new nn.CrossEntropyLoss();
  const reduced = {
    reduction: "mean" as "mean" | "sum" | "none",
    forward(pred: Tensor, targ: Tensor): Tensor {
      inner.reduction = this.reduction;
      return inner.forward(pred, targ);
    },
  };
  assertEquals((await learner(reduced).getPreds({ withLoss: true })).losses!.shape, [8]);
  assertEquals(reduced.reduction, "mean");

  const plain = (pred: Tensor, targ: Tensor) => inner.forward(pred, targ);
  await assertRejects(() => learner(plain).getPreds({ withLoss: true }), ConfigError, "Cannot give each item's loss");
  const wrong = { forward: plain, items: (pred: Tensor) => pred };
  await assertRejects(() => learner(wrong).getPreds({ withLoss: true }), ConfigError, "one number for each of 4 items");
});

onDevices("MixUp mixes the items' losses of a loss of one's own", async () => {
  const own = new Own();
  await learner(own, [new MixUp()]).fit(1);
  assertEquals(own.asked, 4); // two batches, each against its own targets and the others'
  await assertRejects(
    () => learner((p: Tensor, t: Tensor) => new nn.CrossEntropyLoss().forward(p, t), [new MixUp()]).fit(1),
    ConfigError,
    "Cannot mix items with classes",
  );
});

onDevices("what stands for a loss while batches are mixed can do what it can", async () => {
  const seen: [number, number][] = [];
  const looks = new class extends Callback {
    override async afterLoss(): Promise<void> {
      const { lossFunc, pred, yb, loss } = this.learn;
      const { items, activation, decodes } = lossFunc as LossObject;
      if (!this.learn.training) return;
      assertEquals((await activation!(pred).sum({ axis: 1 }).data()).every((p) => Math.abs(p - 1) < 1e-6), true);
      assertEquals(decodes!(pred).shape, [pred.shape[0]]);
      seen.push([await items!(pred, ...yb).mean().item(), await loss.item()]);
    }
  }();
  const learn = learner(new nn.CrossEntropyLoss(), [new MixUp()]);
  await learn.fit(1, { cbs: looks });
  assertEquals(seen.length, 2);
  for (const [items, loss] of seen) assertEquals(Math.abs(items - loss) < 1e-6, true, `${items}, ${loss}`);
  assertEquals((await learn.getPreds({ withDecoded: true })).decoded?.shape, [8]);
});
